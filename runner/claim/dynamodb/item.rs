//! A run's item as DynamoDB keeps it. What is beside `item` is there for conditions and indexes.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::settle::Item;
use crate::claim::protocol::{RunItem, StandDown};
use crate::claim::{Beat, OpenRun, StoreError, parse_item};
use crate::dynamodb::{Attributes, key, number, number_of, text, text_of};
use crate::incident::{IncidentId, Owner, RunId};

/// The form of items this version reads and writes, and of the table as a whole.
pub(super) const FORMAT: u32 = 2;

/// In place of an owner in the index of open runs. Owners end in letters and digits.
pub(super) const RELEASED: &str = "#released";

/// What the index of open runs holds beside its keys.
pub(super) const OF_OPEN: [&str; 4] = ["epoch", "format", "owner", "run"];

/// What the index of stand-downs holds beside its keys.
pub(super) const OF_HALTED: [&str; 2] = ["format", "halt"];

const RUN: &str = "run#";

/// All heartbeats lie together, so that one query reads them.
pub(super) const HEARTBEAT: &str = "heartbeat";

/// An item and the number of its last write, which every next write is conditional on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Stored {
    pub(super) item: RunItem,
    pub(super) version: u64,
}

impl Stored {
    /// `item` as it follows `seen`. The first version is a time: should the incident come back
    /// after it was swept away, no old version is taken for a new one.
    pub(super) fn after(seen: Option<&Self>, item: RunItem) -> Self {
        let version = match seen {
            Some(seen) => seen.version + 1,
            None => u64::try_from(item.opened_at.as_millisecond()).unwrap_or(1),
        };
        Self { item, version }
    }
}

impl Item for Stored {
    fn version(&self) -> u64 {
        self.version
    }

    fn attributes(&self) -> Result<Attributes, StoreError> {
        let Self { item, version } = self;
        let mut attributes = Attributes::new();
        let mut put = |name: &str, value| attributes.insert(name.to_owned(), value);
        put("format", number(&FORMAT));
        put("version", number(&version));
        put("item", text(json(&item.run, item)?));
        put("run", number(&item.run.number));
        put("epoch", number(&item.epoch));
        put("owner", text(item.owner.as_str()));
        put("changed_at", number(&item.changed_at.as_millisecond()));
        if let Some(outcome) = item.outcome {
            put("outcome", text(outcome.word()));
            return Ok(attributes);
        }
        put("open_owner", text(if item.released { RELEASED } else { item.owner.as_str() }));
        if let Some(halt) = &item.stand_down {
            put("halt_owner", text(item.owner.as_str()));
            let halt = Halt { run: item.run.number, stand_down: halt.clone() };
            put("halt", text(json(&item.run, &halt)?));
        }
        Ok(attributes)
    }

    fn read(attributes: &Attributes) -> Result<Self, StoreError> {
        let incident = incident(attributes)?;
        let what = ClaimOf(&incident);
        known_format(&what, attributes)?;
        let version = number_of(attributes, "version").ok_or_else(|| lacks(&what, "version"))?;
        let item = text_of(attributes, "item").ok_or_else(|| lacks(&what, "item"))?;
        Ok(Self { item: parse_item(incident.as_str(), item)?, version })
    }

    /// Nobody here writes to a run any more that is over or given up.
    fn may_follow(&self) -> bool {
        self.item.outcome.is_none() && !self.item.released
    }
}

/// What is to be read, for people.
struct ClaimOf<'a>(&'a IncidentId);

impl fmt::Display for ClaimOf<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the claim of incident {}", self.0)
    }
}

fn json<T: Serialize>(run: &RunId, value: &T) -> Result<String, StoreError> {
    serde_json::to_string(value).map_err(|error| StoreError::Unreadable {
        what: format!("run {run}"),
        reason: error.to_string(),
    })
}

pub(super) fn run_key(incident: &IncidentId) -> Attributes {
    key(format!("{RUN}{incident}"), "run")
}

/// As the index of open runs has it.
pub(super) fn open_run(attributes: &Attributes) -> Result<OpenRun, StoreError> {
    let incident = incident(attributes)?;
    known_format(&ClaimOf(&incident), attributes)?;
    let lacks = |name| lacks(&ClaimOf(&incident), name);
    let number = number_of(attributes, "run").ok_or_else(|| lacks("run"))?;
    let epoch = number_of(attributes, "epoch").ok_or_else(|| lacks("epoch"))?;
    let owner = text_of(attributes, "owner").ok_or_else(|| lacks("owner"))?;
    Ok(OpenRun {
        run: RunId { incident: incident.clone(), number },
        owner: Owner::new(owner),
        epoch,
        released: text_of(attributes, "open_owner") == Some(RELEASED),
    })
}

/// A wish to stand down as the index has it.
#[derive(Serialize, Deserialize)]
struct Halt {
    run: u32,
    stand_down: StandDown,
}

pub(super) fn halted(attributes: &Attributes) -> Result<(RunId, StandDown), StoreError> {
    let incident = incident(attributes)?;
    let what = ClaimOf(&incident);
    known_format(&what, attributes)?;
    let halt = text_of(attributes, "halt").ok_or_else(|| lacks(&what, "halt"))?;
    let Halt { run, stand_down } =
        serde_json::from_str(halt).map_err(|error| unreadable(&what, &error))?;
    Ok((RunId { incident, number: run }, stand_down))
}

/// A sign of life.
pub(super) fn beat(attributes: &Attributes) -> Option<Beat> {
    Some(Beat {
        owner: Owner::new(text_of(attributes, "sk")?),
        number: number_of(attributes, "n")?,
        pauses: number_of(attributes, "pauses").unwrap_or_default(),
        rules: text_of(attributes, "rules").unwrap_or_default().to_owned(),
    })
}

fn incident(attributes: &Attributes) -> Result<IncidentId, StoreError> {
    let pk = text_of(attributes, "pk").unwrap_or_default();
    let incident = pk.strip_prefix(RUN).and_then(IncidentId::parse);
    incident.ok_or_else(|| StoreError::Unreadable {
        what: format!("the item '{pk}'"),
        reason: "it is no run; is the table used by something else?".to_owned(),
    })
}

/// Items of newer versions are refused, whatever of them could be read.
pub(super) fn known_format(
    what: &dyn fmt::Display,
    attributes: &Attributes,
) -> Result<(), StoreError> {
    let format: u32 = number_of(attributes, "format").ok_or_else(|| lacks(what, "format"))?;
    if format > FORMAT {
        let reason = format!("it has format {format}, this version knows {FORMAT}");
        return Err(unreadable(what, &reason));
    }
    Ok(())
}

pub(super) fn lacks(what: &dyn fmt::Display, attribute: &str) -> StoreError {
    unreadable(what, &format!("it has no '{attribute}'"))
}

fn unreadable(what: &dyn fmt::Display, reason: &dyn fmt::Display) -> StoreError {
    StoreError::Unreadable {
        what: what.to_string(),
        reason: format!("{reason}; was it written by a newer ams?"),
    }
}
