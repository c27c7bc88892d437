//! A store whose questions are measured: how long each took, and what failed.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::time::Instant;

use super::ledger::{Ledger, LedgerName, Reviser};
use super::protocol::{Event, Refusal, RunItem, StandDown};
use super::{Beat, ClaimStore, OpenRun, Signs, StoreError, Which};
use crate::incident::{IncidentId, Owner, RunId};
use crate::metrics::measures::Measures;

/// Adds nothing to a store but numbers.
pub struct Measured<S: ?Sized> {
    store: Arc<S>,
    measures: Measures,
}

/// Every word of [`class`].
const CLASSES: [&str; 5] = ["unreachable", "overloaded", "refused", "unfit", "unreadable"];

impl<S: ?Sized> Measured<S> {
    pub fn new(store: Arc<S>, measures: &Measures) -> Self {
        measures.may_fail("store", &CLASSES);
        Self { store, measures: measures.clone() }
    }

    async fn ask<T>(
        &self,
        operation: &'static str,
        question: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        let began = Instant::now();
        let answer = question.await;
        self.measures.stored(operation, began.elapsed());
        if let Err(error) = &answer {
            self.measures.failed("store", class(error));
        }
        answer
    }
}

const fn class(error: &StoreError) -> &'static str {
    match error {
        StoreError::Unreachable { .. } => "unreachable",
        StoreError::Overloaded { .. } => "overloaded",
        StoreError::Refused { .. } => "refused",
        StoreError::Unfit { .. } => "unfit",
        StoreError::Unreadable { .. } => "unreadable",
    }
}

#[async_trait]
impl ClaimStore for Measured<dyn ClaimStore> {
    async fn apply(
        &self,
        incident: &IncidentId,
        event: Event,
    ) -> Result<Result<RunItem, Refusal>, StoreError> {
        let operation = match &event {
            Event::Claim { .. } => "claim",
            _ => "write",
        };
        self.ask(operation, self.store.apply(incident, event)).await
    }

    async fn read(&self, incident: &IncidentId) -> Result<Option<RunItem>, StoreError> {
        self.ask("read", self.store.read(incident)).await
    }

    async fn open_runs(&self, which: &Which) -> Result<Vec<OpenRun>, StoreError> {
        self.ask("list", self.store.open_runs(which)).await
    }

    async fn stand_downs(&self, owner: &Owner) -> Result<Vec<(RunId, StandDown)>, StoreError> {
        self.ask("list", self.store.stand_downs(owner)).await
    }

    async fn beat(&self, beat: &Beat) -> Result<(), StoreError> {
        self.ask("heartbeat", self.store.beat(beat)).await
    }

    async fn signs(&self) -> Result<Signs, StoreError> {
        self.ask("signs", self.store.signs()).await
    }

    async fn sweep(&self, before: Timestamp, alive: &[Owner]) -> Result<u64, StoreError> {
        self.ask("sweep", self.store.sweep(before, alive)).await
    }

    fn waiting(&self) -> usize {
        self.store.waiting()
    }
}

#[async_trait]
impl Ledger for Measured<dyn Ledger> {
    async fn revise(
        &self,
        name: &LedgerName,
        reviser: Reviser,
    ) -> Result<Option<String>, StoreError> {
        self.ask("ledger", self.store.revise(name, reviser)).await
    }

    async fn read(&self, name: &LedgerName) -> Result<Option<String>, StoreError> {
        self.ask("ledger", self.store.read(name)).await
    }
}
