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
use rusqlite::Connection;
use tokio::sync::{mpsc, oneshot};

use crate::claim::ledger::{Ledger, LedgerName, Reviser};
use crate::claim::protocol::{Event, RunItem, StandDown};
use crate::claim::{Beat, ClaimStore, OpenRun, Signs, StoreError, Which};
use crate::clock::Clock;
use crate::incident::{IncidentId, Owner, RunId};
use crate::limits;

mod rows;
mod schema;
mod writer;

use writer::{Answer, Judged, Work};

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
        schema::prepare(&mut connection, path)?;
        let reader = connect(path)?;
        let (writer, queue) = mpsc::channel(limits::STORE_QUEUE);
        std::thread::Builder::new()
            .name("claims-writer".to_owned())
            .spawn(move || writer::write_until_closed(&mut connection, queue, &*clock))
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
        self.query(move |connection| rows::item(connection, &incident)).await
    }

    async fn open_runs(&self, which: &Which) -> Result<Vec<OpenRun>, StoreError> {
        let which = which.clone();
        self.query(move |connection| rows::open_runs(connection, &which)).await
    }

    async fn stand_downs(&self, owner: &Owner) -> Result<Vec<(RunId, StandDown)>, StoreError> {
        let owner = owner.clone();
        self.query(move |connection| rows::stand_downs(connection, &owner)).await
    }

    async fn beat(&self, beat: &Beat) -> Result<(), StoreError> {
        let beat = beat.clone();
        self.write(|answer| Work::Beat { beat, answer }).await
    }

    async fn signs(&self) -> Result<Signs, StoreError> {
        self.query(rows::signs).await
    }

    async fn sweep(&self, before: Timestamp, alive: &[Owner]) -> Result<u64, StoreError> {
        let alive = alive.to_vec();
        self.write(|answer| Work::Sweep { before, alive, answer }).await
    }

    fn waiting(&self) -> usize {
        self.writer.max_capacity() - self.writer.capacity()
    }
}

#[async_trait]
impl Ledger for SqliteClaims {
    async fn revise(
        &self,
        name: &LedgerName,
        reviser: Reviser,
    ) -> Result<Option<String>, StoreError> {
        let name = name.clone();
        self.write(|answer| Work::Revise { name, reviser, answer }).await
    }

    async fn read(&self, name: &LedgerName) -> Result<Option<String>, StoreError> {
        let name = name.clone();
        self.query(move |connection| rows::ledger(connection, &name)).await
    }
}

fn connect(path: &Path) -> Result<Connection, StoreError> {
    crate::sqlite::open(path, "FULL").map_err(|error| unreachable_because(path, &error))
}

fn unreachable_because(path: &Path, reason: &dyn std::fmt::Display) -> StoreError {
    StoreError::Unreachable { reason: format!("{}: {reason}", path.display()) }
}
