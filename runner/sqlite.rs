//! Opening an SQLite file that several processes share.

use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};

use crate::limits;

/// Between two attempts to switch a file to WAL.
const AGAIN: Duration = Duration::from_millis(10);

/// Opens or makes the file, with write-ahead log. `synchronous` is SQLite's word: `FULL` where a
/// commit must survive a power failure.
pub(crate) fn open(path: &Path, synchronous: &str) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(limits::SQLITE_BUSY)?;
    write_ahead(&connection)?;
    connection.pragma_update(None, "synchronous", synchronous)?;
    Ok(connection)
}

/// Where two processes make the file at once, each holds a lock the other needs; SQLite then says
/// "locked" at once, whatever the timeout, and leaves it to the caller to try again.
fn write_ahead(connection: &Connection) -> rusqlite::Result<()> {
    let mut attempts = limits::SQLITE_BUSY.as_millis() / AGAIN.as_millis();
    loop {
        match connection.pragma_update(None, "journal_mode", "WAL") {
            Err(error) if is_busy(&error) && attempts > 0 => attempts -= 1,
            done => return done,
        }
        std::thread::sleep(AGAIN);
    }
}

fn is_busy(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error_code();
    matches!(code, Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}
