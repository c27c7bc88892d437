//! Claims in memory: for dry runs and tests of other stages. Shipped code with the same contract
//! tests as the others, except that nothing survives the process.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;

use crate::claim::ledger::{Ledger, LedgerName, Reviser, Revision, check_length};
use crate::claim::protocol::{Event, Refusal, RunItem, StandDown, Verdict, judge};
use crate::claim::{Beat, ClaimStore, OpenRun, Signs, StoreError, Which};
use crate::clock::Clock;
use crate::incident::{IncidentId, Owner, RunId};

pub struct MemoryClaims {
    clock: Arc<dyn Clock>,
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    items: BTreeMap<IncidentId, RunItem>,
    /// With the serial number of the pauses its owner goes by.
    beats: BTreeMap<Owner, Beat>,
    /// With the time of the last change.
    ledgers: BTreeMap<LedgerName, (String, Timestamp)>,
}

impl MemoryClaims {
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, kept: Mutex::default() }
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl ClaimStore for MemoryClaims {
    async fn apply(
        &self,
        incident: &IncidentId,
        event: Event,
    ) -> Result<Result<RunItem, Refusal>, StoreError> {
        let mut kept = self.kept();
        Ok(match judge(incident, kept.items.get(incident), &event, self.clock.now()) {
            Verdict::Write(item) => {
                kept.items.insert(incident.clone(), item.clone());
                Ok(item)
            }
            Verdict::AlreadySo(item) => Ok(item),
            Verdict::Refuse(refusal) => Err(refusal),
        })
    }

    async fn read(&self, incident: &IncidentId) -> Result<Option<RunItem>, StoreError> {
        Ok(self.kept().items.get(incident).cloned())
    }

    async fn open_runs(&self, which: &Which) -> Result<Vec<OpenRun>, StoreError> {
        let kept = self.kept();
        let open = kept.items.values().filter_map(OpenRun::of);
        Ok(open.filter(|open| which.means(open)).collect())
    }

    async fn stand_downs(&self, owner: &Owner) -> Result<Vec<(RunId, StandDown)>, StoreError> {
        let kept = self.kept();
        let mine =
            kept.items.values().filter(|item| item.outcome.is_none() && item.owner == *owner);
        Ok(mine.filter_map(|item| Some((item.run.clone(), item.stand_down.clone()?))).collect())
    }

    async fn beat(&self, beat: &Beat) -> Result<(), StoreError> {
        self.kept().beats.insert(beat.owner.clone(), beat.clone());
        Ok(())
    }

    async fn signs(&self) -> Result<Signs, StoreError> {
        let kept = self.kept();
        let beats = kept.beats.values().cloned();
        let pauses = kept.ledgers.get(&LedgerName::Pauses).map(|(text, _)| text.clone());
        Ok(Signs { beats: beats.collect(), pauses: Ok(pauses) })
    }

    async fn sweep(&self, before: Timestamp, alive: &[Owner]) -> Result<u64, StoreError> {
        let mut kept = self.kept();
        let had = kept.items.len() + kept.ledgers.len();
        kept.items.retain(|_, item| item.outcome.is_none() || item.changed_at >= before);
        kept.ledgers.retain(|name, (_, at)| *name == LedgerName::Pauses || *at >= before);
        let gone = had - kept.items.len() - kept.ledgers.len();
        let busy: Vec<Owner> = kept
            .items
            .values()
            .filter(|item| item.outcome.is_none())
            .map(|item| item.owner.clone())
            .collect();
        kept.beats.retain(|owner, _| alive.contains(owner) || busy.contains(owner));
        Ok(gone as u64)
    }
}

#[async_trait]
impl Ledger for MemoryClaims {
    async fn revise(
        &self,
        name: &LedgerName,
        reviser: Reviser,
    ) -> Result<Option<String>, StoreError> {
        let mut kept = self.kept();
        let (text, at) = (kept.ledgers.get(name).map(|(text, _)| text), self.clock.now());
        match reviser(text.map(String::as_str), at) {
            Revision::Leave => Ok(text.cloned()),
            Revision::Write(text) => {
                check_length(name, &text)?;
                kept.ledgers.insert(name.clone(), (text.clone(), at));
                Ok(Some(text))
            }
        }
    }

    async fn read(&self, name: &LedgerName) -> Result<Option<String>, StoreError> {
        Ok(self.kept().ledgers.get(name).map(|(text, _)| text.clone()))
    }
}
