//! History on one machine: an SQLite file beside the claims.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::clock::Clock;
use crate::history::{History, HistoryError};
use crate::incident::RunId;

pub struct SqliteHistory {
    connection: Arc<Mutex<Connection>>,
    clock: Arc<dyn Clock>,
}

impl SqliteHistory {
    pub fn open(path: &Path, clock: Arc<dyn Clock>) -> Result<Self, HistoryError> {
        let connection = crate::sqlite::open(path, "NORMAL").map_err(|error| refused(&error))?;
        connection
            .execute_batch(
                "CREATE TABLE IF NOT EXISTS run_memory (
                     incident TEXT NOT NULL,
                     run INTEGER NOT NULL,
                     memory TEXT NOT NULL,
                     kept_at INTEGER NOT NULL,
                     PRIMARY KEY (incident, run)
                 ) STRICT;
                 CREATE TABLE IF NOT EXISTS run_story (
                     incident TEXT NOT NULL,
                     run INTEGER NOT NULL,
                     story TEXT NOT NULL,
                     kept_at INTEGER NOT NULL,
                     PRIMARY KEY (incident, run)
                 ) STRICT;",
            )
            .map_err(|error| refused(&error))?;
        Ok(Self { connection: Arc::new(Mutex::new(connection)), clock })
    }

    async fn with<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    ) -> Result<T, HistoryError> {
        let connection = Arc::clone(&self.connection);
        let done = tokio::task::spawn_blocking(move || {
            work(&connection.lock().unwrap_or_else(PoisonError::into_inner))
        });
        done.await
            .map_err(|error| HistoryError(error.to_string()))?
            .map_err(|error| refused(&error))
    }
}

fn refused(error: &rusqlite::Error) -> HistoryError {
    HistoryError(error.to_string())
}

#[async_trait]
impl History for SqliteHistory {
    async fn keep(&self, run: &RunId, memory: String) -> Result<(), HistoryError> {
        let (incident, number) = (run.incident.to_string(), run.number);
        let now = self.clock.now().as_second();
        self.with(move |connection| {
            connection.execute(
                "INSERT INTO run_memory (incident, run, memory, kept_at) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (incident, run)
                 DO UPDATE SET memory = excluded.memory, kept_at = excluded.kept_at",
                params![incident, number, memory, now],
            )
        })
        .await
        .map(|_| ())
    }

    async fn sweep(&self, before: Timestamp) -> Result<(), HistoryError> {
        let before = before.as_second();
        self.with(move |connection| {
            connection.execute("DELETE FROM run_memory WHERE kept_at < ?1", params![before])?;
            connection.execute("DELETE FROM run_story WHERE kept_at < ?1", params![before])
        })
        .await
        .map(|_| ())
    }

    async fn write_story(&self, run: &RunId, story: String) -> Result<(), HistoryError> {
        let (incident, number) = (run.incident.to_string(), run.number);
        let now = self.clock.now().as_second();
        self.with(move |connection| {
            connection.execute(
                "INSERT INTO run_story (incident, run, story, kept_at) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (incident, run)
                 DO UPDATE SET story = excluded.story, kept_at = excluded.kept_at",
                params![incident, number, story, now],
            )
        })
        .await
        .map(|_| ())
    }

    async fn read_story(&self, run: &RunId) -> Result<Option<String>, HistoryError> {
        let (incident, number) = (run.incident.to_string(), run.number);
        self.with(move |connection| {
            connection
                .query_row(
                    "SELECT story FROM run_story WHERE incident = ?1 AND run = ?2",
                    params![incident, number],
                    |row| row.get(0),
                )
                .optional()
        })
        .await
    }

    async fn recall(&self, run: &RunId) -> Result<Option<String>, HistoryError> {
        let (incident, number) = (run.incident.to_string(), run.number);
        self.with(move |connection| {
            connection
                .query_row(
                    "SELECT memory FROM run_memory WHERE incident = ?1 AND run = ?2",
                    params![incident, number],
                    |row| row.get(0),
                )
                .optional()
        })
        .await
    }
}
