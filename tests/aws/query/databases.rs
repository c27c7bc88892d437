//! RDS instances and their storage: the user guide's page "Increasing DB instance storage
//! capacity", whose rule of ten percent and wait for the optimization are kept.

use super::{Call, Change, Stage, Thing, around, field, listed};
use crate::aws::accounts::Account;
use crate::aws::refusal::Why;

pub(super) struct State {
    /// In GiB.
    size: Change<u64>,
    /// What the next maintenance window would bring.
    pending: Option<u64>,
    /// In place of what changes make of it: `stopped`, `failed`.
    status: Option<String>,
    source: Option<String>,
}

impl State {
    fn word(&self, stage: Stage) -> &str {
        match (&self.status, stage) {
            (Some(status), _) => status,
            (None, Stage::Under) => "modifying",
            (None, Stage::Settling) => "storage-optimization",
            (None, Stage::Over) => "available",
        }
    }
}

/// A database of an account.
#[derive(Clone, Debug)]
pub(crate) struct Database(Thing);

impl Account {
    /// A database with so many GiB.
    pub(crate) fn database(&self, region: &str, id: &str, size: u64) -> Database {
        let database = Database(self.thing(region, id));
        let size = Change::none(size);
        let state = State { size, pending: None, status: None, source: None };
        database.0.estate(|estate, _| estate.databases.insert(id.to_owned(), state));
        database
    }
}

impl Database {
    fn change(&self, change: impl FnOnce(&mut State)) -> &Self {
        self.0.estate(|estate, _| estate.databases.get_mut(&self.0.id).map(change));
        self
    }

    pub(crate) fn is(&self, status: &str) -> &Self {
        self.change(|state| state.status = Some(status.to_owned()))
    }

    pub(crate) fn replica_of(&self, source: &str) -> &Self {
        self.change(|state| state.source = Some(source.to_owned()))
    }

    /// In GiB.
    pub(crate) fn size(&self) -> u64 {
        self.0.estate(|estate, pace| {
            estate.databases.get(&self.0.id).map_or(0, |state| *state.size.now(pace))
        })
    }
}

pub(super) fn answer(call: &Call<'_>, action: &str) -> Option<Result<String, Why>> {
    Some(match action {
        "DescribeDBInstances" => described(call),
        "ModifyDBInstance" => modified(call),
        _ => return None,
    })
}

fn missing(id: &str) -> Why {
    Why::answered(404, "DBInstanceNotFound", format!("DBInstance {id} not found."))
}

fn described(call: &Call<'_>) -> Result<String, Why> {
    let (id, pace) = (call.text("DBInstanceIdentifier"), call.pace());
    call.estate(|estate| {
        if !id.is_empty() && !estate.databases.contains_key(id) {
            return Err(missing(id));
        }
        let all = estate.databases.iter().filter(|(known, _)| id.is_empty() || *known == id);
        let all = all.map(|(id, state)| database(id, state, state.size.stage(pace)));
        Ok(listed("DBInstances", "DBInstance", all))
    })
}

fn database(id: &str, state: &State, stage: Stage) -> String {
    let target = match state.word(stage) {
        "modifying" => Some(state.size.to),
        _ => state.pending,
    };
    let pending = target.map(|size| field("AllocatedStorage", &size)).unwrap_or_default();
    let source = state.source.as_ref();
    let source = source.map(|source| field("ReadReplicaSourceDBInstanceIdentifier", &source));
    [
        field("DBInstanceIdentifier", &id),
        field("DBInstanceClass", "db.m6g.large"),
        field("Engine", "postgres"),
        field("DBInstanceStatus", state.word(stage)),
        field("AllocatedStorage", state.size.at(stage)),
        around("PendingModifiedValues", &pending),
        source.unwrap_or_default(),
    ]
    .concat()
}

fn modified(call: &Call<'_>) -> Result<String, Why> {
    let (id, pace) = (call.text("DBInstanceIdentifier"), call.pace());
    let wanted = call.number("AllocatedStorage")?;
    let now = call.text("ApplyImmediately") == "true";
    call.estate(|estate| {
        let state = estate.databases.get_mut(id).ok_or_else(|| missing(id))?;
        let word = state.word(state.size.stage(pace));
        if word != "available" {
            let message = format!("Database instance is not in available state: {word}");
            return Err(Why::stated("InvalidDBInstanceState", message));
        }
        let old = *state.size.now(pace);
        if wanted < old {
            let message = format!("Requested storage {wanted} is below the current {old}");
            return Err(Why::stated("InvalidParameterCombination", message));
        }
        // "Values that are not at least 10% greater than the existing value are rounded up."
        let size = wanted.max(old + old.div_ceil(10));
        if now {
            state.size = Change::new(old, size, pace);
        } else {
            state.pending = Some(size);
        }
        // A change that takes no time is told as begun all the same.
        let stage = if now { Stage::Under } else { Stage::Over };
        Ok(around("DBInstance", &database(id, state, stage)))
    })
}
