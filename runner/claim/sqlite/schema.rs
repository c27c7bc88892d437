//! The tables of the file, and which version of them it has.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::unreachable_because;
use crate::claim::StoreError;

/// The schema this version reads and writes (`PRAGMA user_version`). Each one only adds to the one
/// before it: a process of an older version that has the file open goes on with it, and leaves alone
/// what it cannot read: since version 3 that is a run that has asked people or met a pause.
const VERSION: i64 = 3;

const TABLES: &str = include_str!("schema.sql");

/// What an owner tells beside its number: which pauses it goes by, since version 3, and which scenarios.
/// The last is no version of its own: a process that does not know it writes as before.
const OF_HEARTBEATS: [(&str, &str); 2] = [
    ("pauses", "ALTER TABLE heartbeats ADD COLUMN pauses INTEGER NOT NULL DEFAULT 0"),
    ("rules", "ALTER TABLE heartbeats ADD COLUMN rules TEXT NOT NULL DEFAULT ''"),
];

fn has(connection: &Connection, column: &str) -> rusqlite::Result<bool> {
    let sql = "SELECT count(*) FROM pragma_table_info('heartbeats') WHERE name = ?1";
    connection.query_row(sql, [column], |row| Ok(row.get::<_, i64>(0)? > 0))
}

pub(super) fn prepare(connection: &mut Connection, path: &Path) -> Result<(), StoreError> {
    let failed = |error: rusqlite::Error| unreachable_because(path, &error);
    let transaction =
        connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    let version: i64 =
        transaction.pragma_query_value(None, "user_version", |row| row.get(0)).map_err(failed)?;
    if version > VERSION {
        return Err(StoreError::Unreadable {
            what: path.display().to_string(),
            reason: format!(
                "it has schema {version}, this version knows {VERSION}: run the newer ams"
            ),
        });
    }
    transaction.execute_batch(TABLES).map_err(failed)?;
    for (column, add) in OF_HEARTBEATS {
        if !has(&transaction, column).map_err(failed)? {
            transaction.execute_batch(add).map_err(failed)?;
        }
    }
    transaction.pragma_update(None, "user_version", VERSION).map_err(failed)?;
    transaction.commit().map_err(failed)
}
