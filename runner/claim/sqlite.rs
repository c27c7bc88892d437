//! Claims in SQLite: the store of one machine, safe between processes that share the file.
//!
//! Every write goes through one thread that joins what is waiting into one transaction, so that
//! one disk flush serves many incidents; the answer is sent after the commit. `BEGIN IMMEDIATE`
//! takes the file's write lock before reading, which makes read, judge and write one step for
//! all processes. WAL with `synchronous=FULL`: what was answered survives a power cut.
//! Never on NFS or EFS, whose locks SQLite cannot trust.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Transaction, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use crate::claim::protocol::{Event, Refusal, RunItem, StandDown, Verdict, judge};
use crate::claim::{ClaimStore, OpenRun, StoreError, Which, parse_item};
use crate::clock::Clock;
use crate::incident::{IncidentId, Owner, RunId};
use crate::limits;

/// The schema this version reads and writes (`PRAGMA user_version`).
const SCHEMA_VERSION: i64 = 1;

const SCHEMA: &str = include_str!("sqlite.sql");

type Answer<T> = oneshot::Sender<Result<T, StoreError>>;
type Judged = Result<RunItem, Refusal>;

/// One request to the writer thread.
enum Work {
    Apply { incident: IncidentId, event: Event, answer: Answer<Judged> },
    Beat { owner: Owner, number: u64, answer: Answer<()> },
    Sweep { before: Timestamp, alive: Vec<Owner>, answer: Answer<u64> },
}

/// Whom to tell what after the commit; the argument says whether and why it failed.
type Tell = Box<dyn FnOnce(Option<&str>)>;

pub struct SqliteClaims {
    path: PathBuf,
    writer: mpsc::Sender<Work>,
    reader: Arc<Mutex<Connection>>,
}

impl SqliteClaims {
    /// Opens or creates the file and starts the writer thread, which ends when the store is
    /// dropped.
    pub fn open(path: &Path, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        let mut connection = connect(path)?;
        prepare_schema(&mut connection, path)?;
        let reader = connect(path)?;
        let (writer, queue) = mpsc::channel(limits::STORE_QUEUE);
        std::thread::Builder::new()
            .name("claims-writer".to_owned())
            .spawn(move || write_until_closed(&mut connection, queue, &*clock))
            .map_err(|error| unreachable_because(path, &error))?;
        Ok(Self { path: path.to_owned(), writer, reader: Arc::new(Mutex::new(reader)) })
    }

    async fn write<T>(&self, work: impl FnOnce(Answer<T>) -> Work) -> Result<T, StoreError> {
        let (answer, told) = oneshot::channel();
        self.writer.try_send(work(answer)).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => {
                StoreError::Overloaded { waiting: limits::STORE_QUEUE }
            }
            mpsc::error::TrySendError::Closed(_) => self.writer_gone(),
        })?;
        told.await.map_err(|_| self.writer_gone())?
    }

    fn writer_gone(&self) -> StoreError {
        unreachable_because(&self.path, &"its writer thread has ended")
    }

    async fn query<T: Send + 'static>(
        &self,
        read: impl FnOnce(&Connection) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let reader = Arc::clone(&self.reader);
        tokio::task::spawn_blocking(move || {
            read(&reader.lock().unwrap_or_else(PoisonError::into_inner))
        })
        .await
        .map_err(|error| unreachable_because(&self.path, &error))?
    }
}

#[async_trait]
impl ClaimStore for SqliteClaims {
    async fn apply(&self, incident: &IncidentId, event: Event) -> Result<Judged, StoreError> {
        let incident = incident.clone();
        self.write(|answer| Work::Apply { incident, event, answer }).await
    }

    async fn read(&self, incident: &IncidentId) -> Result<Option<RunItem>, StoreError> {
        let incident = incident.clone();
        self.query(move |connection| read_item(connection, &incident)).await
    }

    async fn open_runs(&self, which: &Which) -> Result<Vec<OpenRun>, StoreError> {
        let which = which.clone();
        self.query(move |connection| {
            const OPEN: &str = "SELECT incident, item FROM claims WHERE outcome IS NULL";
            let (filter, owner) = match &which {
                Which::All => ("", None),
                Which::Of(owner) => (" AND owner = ?1", Some(owner.as_str())),
                // As the index has it.
                Which::Released => (" AND item ->> '$.released' = 1", None),
            };
            let values = rusqlite::params_from_iter(owner);
            let items = read_items(connection, &format!("{OPEN}{filter}"), values);
            Ok(items?.iter().filter_map(OpenRun::of).collect())
        })
        .await
    }

    async fn stand_downs(&self, owner: &Owner) -> Result<Vec<(RunId, StandDown)>, StoreError> {
        let owner = owner.clone();
        self.query(move |connection| {
            let sql = "SELECT incident, item FROM claims \
                       WHERE outcome IS NULL AND owner = ?1 AND stand_down = 1";
            Ok(read_items(connection, sql, [owner.as_str()])?
                .into_iter()
                .filter_map(|item| Some((item.run, item.stand_down?)))
                .collect())
        })
        .await
    }

    async fn beat(&self, owner: &Owner, number: u64) -> Result<(), StoreError> {
        let owner = owner.clone();
        self.write(|answer| Work::Beat { owner, number, answer }).await
    }

    async fn heartbeats(&self) -> Result<Vec<(Owner, u64)>, StoreError> {
        self.query(|connection| {
            let sql = "SELECT owner, number FROM heartbeats";
            let mut statement = connection.prepare_cached(sql).map_err(failed)?;
            let beats = statement.query_map([], |row| {
                Ok((Owner::new(row.get::<_, String>(0)?), row.get::<_, i64>(1)?.cast_unsigned()))
            });
            beats.and_then(Iterator::collect).map_err(failed)
        })
        .await
    }

    async fn sweep(&self, before: Timestamp, alive: &[Owner]) -> Result<u64, StoreError> {
        let alive = alive.to_vec();
        self.write(|answer| Work::Sweep { before, alive, answer }).await
    }
}

fn connect(path: &Path) -> Result<Connection, StoreError> {
    crate::sqlite::open(path, "FULL").map_err(|error| unreachable_because(path, &error))
}

fn prepare_schema(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let failed = |error: rusqlite::Error| unreachable_because(path, &error);
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    let version: i64 =
        transaction.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(failed)?;
    if version > SCHEMA_VERSION {
        return Err(StoreError::Unreadable {
            what: path.display().to_string(),
            reason: format!(
                "it has schema {version}, this version knows {SCHEMA_VERSION}: run the newer ams"
            ),
        });
    }
    transaction.execute_batch(SCHEMA).map_err(failed)?;
    transaction.pragma_update(None, "user_version", SCHEMA_VERSION).map_err(failed)?;
    transaction.commit().map_err(failed)
}

fn write_until_closed(
    connection: &mut Connection,
    mut queue: mpsc::Receiver<Work>,
    clock: &dyn Clock,
) {
    while let Some(first) = queue.blocking_recv() {
        let mut group = vec![first];
        while group.len() < limits::COMMIT_GROUP
            && let Ok(next) = queue.try_recv()
        {
            group.push(next);
        }
        commit_group(connection, group, clock);
    }
}

/// Carries out a group in one transaction and answers everybody after its commit. A failure is
/// everybody's failure: nothing of the group was written.
fn commit_group(connection: &mut Connection, group: Vec<Work>, clock: &dyn Clock) {
    let mut tells: Vec<Tell> = Vec::with_capacity(group.len());
    let outcome = match connection.transaction_with_behavior(TransactionBehavior::Immediate) {
        Ok(transaction) => {
            // Not before: another process may have held the file, and times go with the order.
            let at = clock.now();
            // Everybody is carried out even after a failure, so that everybody is told.
            let mut all = Ok(());
            for work in group {
                let (tell, done) = carry_out(&transaction, work, at);
                tells.push(tell);
                all = all.and(done);
            }
            all.and_then(|()| transaction.commit().map_err(failed))
        }
        Err(error) => {
            tells.extend(group.into_iter().map(give_up));
            Err(failed(error))
        }
    };
    let failure = outcome.err().map(|error| error.to_string());
    for tell in tells {
        tell(failure.as_deref());
    }
}

/// Carries one request out inside the transaction. What is told to its caller waits for the
/// commit; an `Err` beside it fails the whole group.
fn carry_out(
    transaction: &Transaction<'_>,
    work: Work,
    at: Timestamp,
) -> (Tell, Result<(), StoreError>) {
    match work {
        Work::Apply { incident, event, answer } => {
            match apply_event(transaction, &incident, &event, at) {
                // One item that cannot be read concerns its own incident only.
                Err(error @ StoreError::Unreadable { .. }) => {
                    (Box::new(|_| drop(answer.send(Err(error)))), Ok(()))
                }
                result => after_commit(answer, result),
            }
        }
        Work::Beat { owner, number, answer } => {
            after_commit(answer, write_beat(transaction, &owner, number))
        }
        Work::Sweep { before, alive, answer } => {
            after_commit(answer, forget(transaction, before, &alive))
        }
    }
}

/// For when there is not even a transaction: another process holds the file.
fn give_up(work: Work) -> Tell {
    match work {
        Work::Apply { answer, .. } => tell(answer, None),
        Work::Beat { answer, .. } => tell(answer, None),
        Work::Sweep { answer, .. } => tell(answer, None),
    }
}

fn after_commit<T: 'static>(
    answer: Answer<T>,
    result: Result<T, StoreError>,
) -> (Tell, Result<(), StoreError>) {
    match result {
        Ok(value) => (tell(answer, Some(value)), Ok(())),
        Err(error) => (tell(answer, None), Err(error)),
    }
}

/// The value counts only if the commit did not fail.
fn tell<T: 'static>(answer: Answer<T>, value: Option<T>) -> Tell {
    Box::new(move |failure| {
        let told = match (failure, value) {
            (None, Some(value)) => Ok(value),
            (reason, _) => {
                Err(StoreError::Unreachable { reason: reason.unwrap_or_default().to_owned() })
            }
        };
        // The caller may have stopped waiting; then nobody is there to tell.
        drop(answer.send(told));
    })
}

fn apply_event(
    transaction: &Transaction<'_>,
    incident: &IncidentId,
    event: &Event,
    at: Timestamp,
) -> Result<Judged, StoreError> {
    let item = read_item(transaction, incident)?;
    Ok(match judge(incident, item.as_ref(), event, at) {
        Verdict::Write(item) => {
            write_item(transaction, &item)?;
            Ok(item)
        }
        Verdict::AlreadySo(item) => Ok(item),
        Verdict::Refuse(refusal) => Err(refusal),
    })
}

fn read_item(
    connection: &Connection,
    incident: &IncidentId,
) -> Result<Option<RunItem>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT item FROM claims WHERE incident = ?1").map_err(failed)?;
    let text: Option<String> =
        statement.query_row([incident.as_str()], |row| row.get(0)).optional().map_err(failed)?;
    text.map(|text| parse_item(incident.as_str(), &text)).transpose()
}

/// Rows of incident and item. An item that cannot be read concerns its own incident only: the
/// others' runs must still be taken over, and this one is named in the log.
fn read_items(
    connection: &Connection,
    sql: &str,
    values: impl rusqlite::Params,
) -> Result<Vec<RunItem>, StoreError> {
    let mut statement = connection.prepare_cached(sql).map_err(failed)?;
    let rows = statement
        .query_map(values, |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))
        .map_err(failed)?;
    let mut items = Vec::new();
    for row in rows {
        let (incident, text) = row.map_err(failed)?;
        match parse_item(&incident, &text) {
            Ok(item) => items.push(item),
            Err(error) => tracing::error!(
                incident.id = incident,
                "the run of incident {incident} is left alone, people must look after it: {error}",
            ),
        }
    }
    Ok(items)
}

fn write_item(transaction: &Transaction<'_>, item: &RunItem) -> Result<(), StoreError> {
    let text = serde_json::to_string(item).map_err(|error| StoreError::Unreadable {
        what: format!("run {}", item.run),
        reason: error.to_string(),
    })?;
    let sql = "INSERT INTO claims (incident, owner, outcome, stand_down, changed_at, item) \
               VALUES (?1, ?2, ?3, ?4, ?5, ?6) \
               ON CONFLICT (incident) DO UPDATE SET owner = ?2, outcome = ?3, stand_down = ?4, \
               changed_at = ?5, item = ?6";
    let mut statement = transaction.prepare_cached(sql).map_err(failed)?;
    let values = (
        item.run.incident.as_str(),
        item.owner.as_str(),
        item.outcome.map(crate::incident::Outcome::word),
        i64::from(item.stand_down.is_some()),
        item.changed_at.as_millisecond(),
        text,
    );
    statement.execute(values).map(drop).map_err(failed)
}

fn write_beat(transaction: &Transaction<'_>, owner: &Owner, number: u64) -> Result<(), StoreError> {
    let sql = "INSERT INTO heartbeats (owner, number) VALUES (?1, ?2) \
               ON CONFLICT (owner) DO UPDATE SET number = ?2";
    let mut statement = transaction.prepare_cached(sql).map_err(failed)?;
    statement.execute((owner.as_str(), number.cast_signed())).map(drop).map_err(failed)
}

fn forget(
    transaction: &Transaction<'_>,
    before: Timestamp,
    alive: &[Owner],
) -> Result<u64, StoreError> {
    let gone = transaction
        .execute(
            "DELETE FROM claims WHERE outcome IS NOT NULL AND changed_at < ?1",
            [before.as_millisecond()],
        )
        .map_err(failed)?;
    let alive: Vec<&str> = alive.iter().map(Owner::as_str).collect();
    let alive = serde_json::to_string(&alive).unwrap_or_else(|_| "[]".to_owned());
    transaction
        .execute(
            "DELETE FROM heartbeats WHERE owner NOT IN (SELECT value FROM json_each(?1)) \
             AND owner NOT IN (SELECT owner FROM claims WHERE outcome IS NULL)",
            [alive],
        )
        .map_err(failed)?;
    Ok(gone as u64)
}

#[expect(clippy::needless_pass_by_value, reason = "the shape `map_err` wants")]
fn failed(error: rusqlite::Error) -> StoreError {
    StoreError::Unreachable { reason: error.to_string() }
}

fn unreachable_because(path: &Path, reason: &dyn std::fmt::Display) -> StoreError {
    StoreError::Unreachable { reason: format!("{}: {reason}", path.display()) }
}
