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
use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::ReturnValuesOnConditionCheckFailure;
use jiff::Timestamp;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{sleep, timeout};

use crate::claim::protocol::{Event, Opening, Refusal, RunItem, StandDown, Verdict, judge};
use crate::claim::{ClaimStore, OpenRun, StoreError, Which};
use crate::clock::Clock;
use crate::dynamodb::{Attributes, Failure, number, patiently, sweep, waits};
use crate::incident::{IncidentId, Owner, RunId};
use crate::limits;

mod item;
mod keep;
mod list;
mod remembered;
mod table;

use item::{Stored, run_key};
use remembered::Remembered;

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
    remembered: Mutex<Remembered>,
    /// Questions that wait or are under way.
    queue: Semaphore,
    at_once: Semaphore,
    swept: sweep::Place,
}

/// An item, or its absence, as the base of a verdict.
struct Seen {
    stored: Option<Stored>,
    /// DynamoDB has just said so; otherwise it is remembered or assumed.
    is_fresh: bool,
}

enum Written {
    Done,
    /// The item was not what we thought; it comes along.
    Overtaken(Option<Attributes>),
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
            remembered: Mutex::default(),
            queue: Semaphore::new(limits::STORE_QUEUE),
            at_once: Semaphore::new(limits::DYNAMODB_AT_ONCE),
            swept: sweep::Place::default(),
        })
    }

    /// Judges and writes until the answer is known. `trouble` is the last thing that went wrong.
    async fn settle(
        &self,
        incident: &IncidentId,
        event: &Event,
        trouble: &mut String,
    ) -> Result<Judged, StoreError> {
        let mut seen = self.expect(incident, event).await?;
        for wait in waits() {
            let known = seen.stored.as_ref();
            let item = known.map(|stored| &stored.item);
            let item = match judge(incident, item, event, self.clock.now()) {
                Verdict::Write(item) => item,
                Verdict::AlreadySo(item) if seen.is_fresh => return Ok(Ok(item)),
                Verdict::Refuse(refusal) if seen.is_fresh => return Ok(Err(refusal)),
                Verdict::AlreadySo(_) | Verdict::Refuse(_) => {
                    seen = self.look(incident).await?;
                    continue;
                }
            };
            let next = Stored::after(known, item);
            match self.write(&next.attributes()?, known).await {
                Ok(Written::Done) => {
                    self.remembered().note(&next);
                    return Ok(Ok(next.item));
                }
                Ok(Written::Overtaken(Some(attributes))) => {
                    "others keep writing the same item".clone_into(trouble);
                    seen = Seen { stored: Some(Stored::read(&attributes)?), is_fresh: true };
                }
                Ok(Written::Overtaken(None)) => seen = self.look(incident).await?,
                // Not carried out, so what we know is as true as before.
                Err(Failure::Busy(reason)) => {
                    *trouble = reason;
                    sleep(wait).await;
                }
                // Neither lost nor won: only the item can tell.
                Err(Failure::Uncertain(reason)) => {
                    *trouble = reason;
                    sleep(wait).await;
                    seen = self.look(incident).await?;
                }
                Err(refused) => return Err(refused.into()),
            }
        }
        Err(StoreError::Unreachable { reason: trouble.clone() })
    }

    /// The item as it most likely is. A first claim expects none: should there be one, the write
    /// that fails brings it along.
    async fn expect(&self, incident: &IncidentId, event: &Event) -> Result<Seen, StoreError> {
        let stored = self.remembered().get(incident);
        let is_first = matches!(event, Event::Claim { opening: Opening::Triggered, .. });
        if stored.is_some() || is_first {
            return Ok(Seen { stored, is_fresh: false });
        }
        self.look(incident).await
    }

    async fn look(&self, incident: &IncidentId) -> Result<Seen, StoreError> {
        let found = patiently(|| self.get(incident)).await?;
        let stored = found.as_ref().map(Stored::read).transpose()?;
        Ok(Seen { stored, is_fresh: true })
    }

    async fn get(&self, incident: &IncidentId) -> Result<Option<Attributes>, Failure> {
        let get = self.client.get_item().table_name(&self.table).consistent_read(true);
        let told = get.set_key(Some(run_key(incident))).send().await;
        told.map(|told| told.item).map_err(|error| Failure::of(&error))
    }

    /// One conditional write, tried once.
    async fn write(
        &self,
        attributes: &Attributes,
        known: Option<&Stored>,
    ) -> Result<Written, Failure> {
        let put = self
            .client
            .put_item()
            .table_name(&self.table)
            .set_item(Some(attributes.clone()))
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let put = match known {
            None => put.condition_expression("attribute_not_exists(pk)"),
            Some(known) => put
                .condition_expression("version = :seen")
                .expression_attribute_values(":seen", number(&known.version)),
        };
        let Err(error) = put.send().await else { return Ok(Written::Done) };
        match error.as_service_error() {
            Some(PutItemError::ConditionalCheckFailedException(failed)) => {
                Ok(Written::Overtaken(failed.item.clone()))
            }
            _ => Err(Failure::of(&error)),
        }
    }

    fn remembered(&self) -> MutexGuard<'_, Remembered> {
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
            self.look(incident).await
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

    async fn beat(&self, owner: &Owner, number: u64) -> Result<(), StoreError> {
        keep::beat(&self.client, &self.table, owner, number).await
    }

    async fn heartbeats(&self) -> Result<Vec<(Owner, u64)>, StoreError> {
        list::heartbeats(&self.client, &self.table).await
    }

    async fn sweep(&self, before: Timestamp, alive: &[Owner]) -> Result<u64, StoreError> {
        let gone = keep::forget_runs(&self.client, &self.table, &self.swept, before).await?;
        keep::forget_beats(&self.client, &self.table, alive).await?;
        Ok(gone)
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
