//! The tables of the file, and which version of them it has.

use std::path::Path;

use rusqlite::{Connection, TransactionBehavior};

use super::unreachable_because;
use crate::claim::StoreError;

/// The schema this version reads and writes (`PRAGMA user_version`). Each one only adds to the one
/// before it: a process of an older version that has the file open goes on with it.
const VERSION: i64 = 2;

const TABLES: &str = include_str!("schema.sql");

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
    transaction.pragma_update(None, "user_version", VERSION).map_err(failed)?;
    transaction.commit().map_err(failed)
}
