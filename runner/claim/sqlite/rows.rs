//! What is read from the file and written to it: all of its SQL beside the tables.

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, Transaction};

use crate::claim::ledger::LedgerName;
use crate::claim::protocol::{RunItem, StandDown};
use crate::claim::{Beat, OpenRun, Signs, StoreError, Which, parse_item};
use crate::incident::{IncidentId, Outcome, Owner, RunId};

pub(super) fn item(
    connection: &Connection,
    incident: &IncidentId,
) -> Result<Option<RunItem>, StoreError> {
    let mut statement =
        connection.prepare_cached("SELECT item FROM claims WHERE incident = ?1").map_err(failed)?;
    let text: Option<String> =
        statement.query_row([incident.as_str()], |row| row.get(0)).optional().map_err(failed)?;
    text.map(|text| parse_item(incident.as_str(), &text)).transpose()
}

pub(super) fn open_runs(
    connection: &Connection,
    which: &Which,
) -> Result<Vec<OpenRun>, StoreError> {
    const OPEN: &str = "SELECT incident, item FROM claims WHERE outcome IS NULL";
    let (filter, owner) = match which {
        Which::All => ("", None),
        Which::Of(owner) => (" AND owner = ?1", Some(owner.as_str())),
        // As the index has it.
        Which::Released => (" AND item ->> '$.released' = 1", None),
    };
    let values = rusqlite::params_from_iter(owner);
    let items = read_items(connection, &format!("{OPEN}{filter}"), values);
    Ok(items?.iter().filter_map(OpenRun::of).collect())
}

pub(super) fn stand_downs(
    connection: &Connection,
    owner: &Owner,
) -> Result<Vec<(RunId, StandDown)>, StoreError> {
    let sql = "SELECT incident, item FROM claims \
               WHERE outcome IS NULL AND owner = ?1 AND stand_down = 1";
    Ok(read_items(connection, sql, [owner.as_str()])?
        .into_iter()
        .filter_map(|item| Some((item.run, item.stand_down?)))
        .collect())
}

/// The pauses are read first: whoever goes by them may have said so since.
pub(super) fn signs(connection: &Connection) -> Result<Signs, StoreError> {
    let pauses = Ok(ledger(connection, &LedgerName::Pauses)?);
    let sql = "SELECT owner, number, pauses, rules FROM heartbeats";
    let mut statement = connection.prepare_cached(sql).map_err(failed)?;
    let beats = statement.query_map([], |row| {
        Ok(Beat {
            owner: Owner::new(row.get::<_, String>(0)?),
            number: row.get::<_, i64>(1)?.cast_unsigned(),
            pauses: row.get::<_, i64>(2)?.cast_unsigned(),
            rules: row.get(3)?,
        })
    });
    let beats = beats.and_then(Iterator::collect).map_err(failed)?;
    Ok(Signs { beats, pauses })
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

pub(super) fn write_item(transaction: &Transaction<'_>, item: &RunItem) -> Result<(), StoreError> {
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
        item.outcome.map(Outcome::word),
        i64::from(item.stand_down.is_some()),
        item.changed_at.as_millisecond(),
        text,
    );
    statement.execute(values).map(drop).map_err(failed)
}

pub(super) fn write_beat(transaction: &Transaction<'_>, beat: &Beat) -> Result<(), StoreError> {
    let sql = "INSERT INTO heartbeats (owner, number, pauses, rules) VALUES (?1, ?2, ?3, ?4) \
               ON CONFLICT (owner) DO UPDATE SET number = ?2, pauses = ?3, rules = ?4";
    let mut statement = transaction.prepare_cached(sql).map_err(failed)?;
    let Beat { owner, number, pauses, rules } = beat;
    let values = (owner.as_str(), number.cast_signed(), pauses.cast_signed(), rules);
    statement.execute(values).map(drop).map_err(failed)
}

pub(super) fn ledger(
    connection: &Connection,
    name: &LedgerName,
) -> Result<Option<String>, StoreError> {
    let sql = "SELECT item FROM ledger WHERE name = ?1";
    let mut statement = connection.prepare_cached(sql).map_err(failed)?;
    statement.query_row([name.to_string()], |row| row.get(0)).optional().map_err(failed)
}

pub(super) fn write_ledger(
    transaction: &Transaction<'_>,
    name: &LedgerName,
    text: &str,
    at: Timestamp,
) -> Result<(), StoreError> {
    let sql = "INSERT INTO ledger (name, changed_at, item) VALUES (?1, ?2, ?3) \
               ON CONFLICT (name) DO UPDATE SET changed_at = ?2, item = ?3";
    let mut statement = transaction.prepare_cached(sql).map_err(failed)?;
    statement.execute((name.to_string(), at.as_millisecond(), text)).map(drop).map_err(failed)
}

pub(super) fn forget(
    transaction: &Transaction<'_>,
    before: Timestamp,
    alive: &[Owner],
) -> Result<u64, StoreError> {
    let mut gone = 0;
    for old in [
        "DELETE FROM claims WHERE outcome IS NOT NULL AND changed_at < ?1",
        "DELETE FROM ledger WHERE name GLOB 'guard#*' AND changed_at < ?1",
    ] {
        gone += transaction.execute(old, [before.as_millisecond()]).map_err(failed)?;
    }
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
pub(super) fn failed(error: rusqlite::Error) -> StoreError {
    StoreError::Unreachable { reason: error.to_string() }
}
