//! History on one machine: an SQLite file beside the claims.

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::clock::Clock;
use crate::history::{History, HistoryError, check_page};
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
                 ) STRICT;
                 CREATE TABLE IF NOT EXISTS page (
                     shelf TEXT NOT NULL,
                     name TEXT NOT NULL,
                     page TEXT NOT NULL,
                     kept_until INTEGER,
                     PRIMARY KEY (shelf, name)
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
            connection.execute("DELETE FROM page WHERE kept_until < ?1", params![before])?;
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

    async fn put_page(
        &self,
        shelf: &str,
        name: &str,
        text: String,
        until: Option<Timestamp>,
    ) -> Result<(), HistoryError> {
        check_page(&text)?;
        let (shelf, name, until) =
            (shelf.to_owned(), name.to_owned(), until.map(Timestamp::as_second));
        self.with(move |connection| {
            connection.execute(
                "INSERT INTO page (shelf, name, page, kept_until) VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (shelf, name)
                 DO UPDATE SET page = excluded.page, kept_until = excluded.kept_until",
                params![shelf, name, text, until],
            )
        })
        .await
        .map(|_| ())
    }

    async fn read_page(&self, shelf: &str, name: &str) -> Result<Option<String>, HistoryError> {
        let (shelf, name) = (shelf.to_owned(), name.to_owned());
        self.with(move |connection| {
            let sql = "SELECT page FROM page WHERE shelf = ?1 AND name = ?2";
            connection.query_row(sql, params![shelf, name], |row| row.get(0)).optional()
        })
        .await
    }

    async fn pages(&self, shelf: &str) -> Result<Vec<(String, String)>, HistoryError> {
        let shelf = shelf.to_owned();
        self.with(move |connection| {
            let sql = "SELECT name, page FROM page WHERE shelf = ?1 ORDER BY name";
            let mut statement = connection.prepare_cached(sql)?;
            let rows = statement.query_map([shelf], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect()
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
