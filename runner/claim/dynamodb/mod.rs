//! Claims in DynamoDB: the store of several machines and regions.
//!
//! One item per incident, written under the condition that it is still what was judged. The judge
//! sees the item as this process wrote it last, or for a claim none at all; when the condition
//! fails, DynamoDB sends the item along and it is judged again. So an ordinary write costs one
//! request, and so does a claim that another region has won. What was judged from memory alone is
//! told to nobody: a refusal needs an item that was just read (docs/decisions/0014-dynamodb.md).

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use aws_sdk_dynamodb::Client;
use jiff::Timestamp;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::timeout;

use crate::claim::ledger::{Ledger, LedgerName, Reviser};
use crate::claim::protocol::{Event, Opening, Refusal, RunItem, StandDown, Verdict, judge};
use crate::claim::{Beat, ClaimStore, OpenRun, Signs, StoreError, Which};
use crate::clock::Clock;
use crate::dynamodb::{Attributes, Failure, sweep};
use crate::incident::{IncidentId, Owner, RunId};
use crate::limits;

mod item;
mod keep;
mod ledger;
mod list;
mod remembered;
mod settle;
mod table;

use item::{Stored, run_key};
use ledger::Ledgers;
use remembered::Remembered;
use settle::{Ruling, Seen, Spot};

type Judged = Result<RunItem, Refusal>;

/// Which table, and what it must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    pub table: String,
    /// AWS's name of the region, to say where the table was looked for.
    pub region: String,
    /// All processes are in one region, so the table need not be strong over several.
    pub single_region: bool,
}

pub struct DynamoDbClaims {
    client: Client,
    table: String,
    clock: Arc<dyn Clock>,
    remembered: Mutex<Remembered<IncidentId, Stored>>,
    ledgers: Ledgers,
    /// Questions that wait or are under way.
    queue: Semaphore,
    at_once: Semaphore,
    swept: sweep::Place,
}

impl DynamoDbClaims {
    /// Refuses a table that does not do, and says what to change.
    pub async fn open(
        client: Client,
        settings: &Settings,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, StoreError> {
        table::check(&client, settings).await?;
        Ok(Self {
            client,
            table: settings.table.clone(),
            clock,
            remembered: Mutex::new(Remembered::new(limits::DYNAMODB_REMEMBERED)),
            ledgers: Ledgers::default(),
            queue: Semaphore::new(limits::STORE_QUEUE),
            at_once: Semaphore::new(limits::DYNAMODB_AT_ONCE),
            swept: sweep::Place::default(),
        })
    }

    /// `trouble` is the last thing that went wrong.
    async fn settle(
        &self,
        incident: &IncidentId,
        event: &Event,
        trouble: &mut String,
    ) -> Result<Judged, StoreError> {
        let spot = self.spot(run_key(incident));
        let seen = self.expect(&spot, incident, event).await?;
        let judge = |known: Option<&Stored>| {
            let item = known.map(|stored| &stored.item);
            match judge(incident, item, event, self.clock.now()) {
                Verdict::Write(item) => Ruling::Write(Stored::after(known, item)),
                Verdict::AlreadySo(item) => Ruling::Leave(Ok(item)),
                Verdict::Refuse(refusal) => Ruling::Leave(Err(refusal)),
            }
        };
        Ok(match spot.settle(seen, judge, trouble).await? {
            Ruling::Write(next) => {
                self.remembered().note(incident, &next);
                Ok(next.item)
            }
            Ruling::Leave(answer) => answer,
        })
    }

    /// The item as it most likely is. A first claim expects none: should there be one, the write
    /// that fails brings it along.
    async fn expect(
        &self,
        spot: &Spot<'_>,
        incident: &IncidentId,
        event: &Event,
    ) -> Result<Seen<Stored>, StoreError> {
        let stored = self.remembered().get(incident);
        let is_first = matches!(event, Event::Claim { opening: Opening::Triggered, .. });
        if stored.is_some() || is_first {
            return Ok(Seen { stored, is_fresh: false });
        }
        spot.look().await
    }

    const fn spot(&self, key: Attributes) -> Spot<'_> {
        Spot { client: &self.client, table: self.table.as_str(), key }
    }

    fn remembered(&self) -> MutexGuard<'_, Remembered<IncidentId, Stored>> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Admits one question more. The heartbeat and the sweep are one task each and need not ask, so
    /// a storm of incidents never holds up the sign of life.
    fn enter(&self) -> Result<SemaphorePermit<'_>, StoreError> {
        let full = |_| StoreError::Overloaded { waiting: limits::STORE_QUEUE };
        self.queue.try_acquire().map_err(full)
    }
}

#[async_trait]
impl ClaimStore for DynamoDbClaims {
    async fn apply(&self, incident: &IncidentId, event: Event) -> Result<Judged, StoreError> {
        let mut trouble = "no answer in time".to_owned();
        let _queued = self.enter()?;
        let settled = timeout(limits::DYNAMODB_ANSWER, async {
            let _turn = self.at_once.acquire().await;
            self.settle(incident, &event, &mut trouble).await
        });
        settled.await.unwrap_or(Err(StoreError::Unreachable { reason: trouble }))
    }

    async fn read(&self, incident: &IncidentId) -> Result<Option<RunItem>, StoreError> {
        let _queued = self.enter()?;
        let looked = timeout(limits::DYNAMODB_ANSWER, async {
            let _turn = self.at_once.acquire().await;
            self.spot(run_key(incident)).look::<Stored>().await
        });
        let late = |_| Err(StoreError::Unreachable { reason: "no answer in time".to_owned() });
        let seen = looked.await.unwrap_or_else(late)?;
        Ok(seen.stored.map(|stored| stored.item))
    }

    async fn open_runs(&self, which: &Which) -> Result<Vec<OpenRun>, StoreError> {
        list::open_runs(&self.client, &self.table, which).await
    }

    async fn stand_downs(&self, owner: &Owner) -> Result<Vec<(RunId, StandDown)>, StoreError> {
        list::stand_downs(&self.client, &self.table, owner).await
    }

    async fn beat(&self, beat: &Beat) -> Result<(), StoreError> {
        keep::beat(&self.client, &self.table, beat).await
    }

    async fn signs(&self) -> Result<Signs, StoreError> {
        list::signs(&self.client, &self.table).await
    }

    async fn sweep(&self, before: Timestamp, alive: &[Owner]) -> Result<u64, StoreError> {
        let gone = keep::forget_old(&self.client, &self.table, &self.swept, before).await?;
        keep::forget_beats(&self.client, &self.table, alive).await?;
        Ok(gone)
    }

    fn waiting(&self) -> usize {
        limits::STORE_QUEUE - self.queue.available_permits()
    }
}

#[async_trait]
impl Ledger for DynamoDbClaims {
    async fn revise(
        &self,
        name: &LedgerName,
        reviser: Reviser,
    ) -> Result<Option<String>, StoreError> {
        let _queued = self.enter()?;
        self.revise_ledger(name, reviser).await
    }

    async fn read(&self, name: &LedgerName) -> Result<Option<String>, StoreError> {
        let _queued = self.enter()?;
        self.read_ledger(name).await
    }
}

impl From<Failure> for StoreError {
    fn from(failure: Failure) -> Self {
        let reason = failure.reason();
        match failure {
            Failure::Busy(_) | Failure::Uncertain(_) => Self::Unreachable { reason },
            Failure::Refused { .. } => Self::Refused { reason },
        }
    }
}
