//! Stage 2: the durable, exclusive right to carry out a run.
//!
//! [`protocol`] decides, a [`ClaimStore`] remembers, and [`Claims`] is the only maker of
//! [`Claim`] values. Nothing executes without one in hand, and every journal write goes through it.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::clock::Clock;
use crate::incident::{IncidentId, Outcome, Owner, RunId};

pub mod answers;
pub mod dynamodb;
pub mod heartbeat;
pub mod hold;
pub mod in_force;
pub mod journal;
pub mod ledger;
pub mod measured;
pub mod memory;
mod paged;
pub mod pauses;
pub mod protocol;
mod reason;
pub mod sqlite;
pub mod takeover;
pub mod told;

use journal::Journal;
use protocol::{
    Answer, ClaimToken, Event, Opening, Refusal, RunItem, ScenarioRef, StandDown, StandDownReason,
    Verdict,
};

/// Where claims are kept. An adapter applies [`protocol::judge`] under its own exclusion and adds
/// no rule. Every adapter passes the same contract tests.
#[async_trait]
pub trait ClaimStore: Send + Sync {
    /// Judges the event against the incident's item and stores the verdict durably before
    /// answering. `Ok(Err(refusal))` is a normal answer; `Err` means that it is not known whether
    /// the event took effect.
    async fn apply(
        &self,
        incident: &IncidentId,
        event: Event,
    ) -> Result<Result<RunItem, Refusal>, StoreError>;

    /// The item as last durably written.
    async fn read(&self, incident: &IncidentId) -> Result<Option<RunItem>, StoreError>;

    /// Runs without an outcome. What was written a moment ago may be missing, and what has just
    /// ended may still be there: a take-over is judged again.
    async fn open_runs(&self, which: &Which) -> Result<Vec<OpenRun>, StoreError>;

    /// The owner's open runs that were asked to stand down.
    async fn stand_downs(&self, owner: &Owner) -> Result<Vec<(RunId, StandDown)>, StoreError>;

    /// Writes an owner's sign of life.
    async fn beat(&self, beat: &Beat) -> Result<(), StoreError>;

    /// Every owner's last sign of life, and what is paused: read together, in one question.
    async fn signs(&self) -> Result<Signs, StoreError>;

    /// Every owner's last sign of life.
    async fn heartbeats(&self) -> Result<Vec<(Owner, u64)>, StoreError> {
        let beats = self.signs().await?.beats;
        Ok(beats.into_iter().map(|beat| (beat.owner, beat.number)).collect())
    }

    /// Forgets runs that ended before `before`, what guards counted where nothing was since then,
    /// and heartbeats of owners that have no open run and are not in `alive`. Answers with the
    /// number of runs and records forgotten.
    async fn sweep(&self, before: Timestamp, alive: &[Owner]) -> Result<u64, StoreError>;

    /// Questions that wait or are under way, [`crate::limits::STORE_QUEUE`] at most.
    fn waiting(&self) -> usize {
        0
    }
}

/// What processes show of themselves, and what operators want of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signs {
    pub beats: Vec<Beat>,
    /// The record of what is paused ([`pauses::Pauses`]); `Err` says why it cannot be read.
    pub pauses: Result<Option<String>, String>,
}

/// An owner's last sign of life.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Beat {
    pub owner: Owner,
    pub number: u64,
    /// Serial number of the pauses it goes by.
    pub pauses: u64,
    /// Version of its scenarios and customers; empty for an ams that does not tell.
    pub rules: String,
}

/// Which open runs are asked for. All of them is dear where thousands are open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Which {
    All,
    Of(Owner),
    /// Given up by their owners in good order.
    Released,
}

/// What a take-over must know of an open run.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct OpenRun {
    pub run: RunId,
    pub owner: Owner,
    pub epoch: u64,
    pub released: bool,
}

impl OpenRun {
    /// `None` for a run that is over.
    pub fn of(item: &RunItem) -> Option<Self> {
        let RunItem { run, owner, epoch, released, outcome, .. } = item;
        let (run, owner) = (run.clone(), owner.clone());
        outcome.is_none().then_some(Self { run, owner, epoch: *epoch, released: *released })
    }
}

impl Which {
    pub fn means(&self, open: &OpenRun) -> bool {
        match self {
            Self::All => true,
            Self::Of(owner) => open.owner == *owner,
            Self::Released => open.released,
        }
    }
}

/// The store could not be asked, or its answer was lost.
#[derive(Clone, Debug, thiserror::Error)]
pub enum StoreError {
    #[error("the claim store is not reachable: {reason}")]
    Unreachable { reason: String },
    #[error("the claim store has {waiting} requests waiting, its limit")]
    Overloaded { waiting: usize },
    /// Not carried out, and trying again does not help.
    #[error("the claim store refuses: {reason}")]
    Refused { reason: String },
    /// Found at the start, before anything was taken in.
    #[error("{what} does not do as claim store: {problem}; {remedy}")]
    Unfit { what: String, problem: String, remedy: String },
    #[error("the claim store holds something this version cannot read ({what}): {reason}")]
    Unreadable { what: String, reason: String },
}

/// An item out of the JSON text that stores keep.
fn parse_item(incident: &str, text: &str) -> Result<RunItem, StoreError> {
    serde_json::from_str(text).map_err(|error| StoreError::Unreadable {
        what: format!("the claim of incident {incident}"),
        reason: format!("{error}; was it written by a newer ams?"),
    })
}

/// Proof that this process may carry out a run. Only [`Claims`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    run: RunId,
    owner: Owner,
    epoch: u64,
    opened_at: Timestamp,
}

impl Claim {
    pub const fn run(&self) -> &RunId {
        &self.run
    }

    pub const fn epoch(&self) -> u64 {
        self.epoch
    }

    pub const fn owner(&self) -> &Owner {
        &self.owner
    }

    /// When the run began, whoever owned it then; its deadline counts from here.
    pub const fn opened_at(&self) -> Timestamp {
        self.opened_at
    }
}

/// The answer to a claim. A lost race is an ordinary answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimAnswer {
    Won(Claim),
    /// Won, and over at once: the outcome was given with the claim.
    Noted(RunId),
    /// Someone else has it, or it was handled before.
    Lost(Refusal),
}

/// A run that was somebody else's, as they left it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TakenOver {
    pub claim: Claim,
    pub item: RunItem,
}

/// This process at the claim store.
#[derive(Clone)]
pub struct Claims {
    store: Arc<dyn ClaimStore>,
    owner: Owner,
    clock: Arc<dyn Clock>,
}

impl Claims {
    pub fn new(store: Arc<dyn ClaimStore>, owner: Owner, clock: Arc<dyn Clock>) -> Self {
        Self { store, owner, clock }
    }

    pub const fn owner(&self) -> &Owner {
        &self.owner
    }

    pub fn store(&self) -> &Arc<dyn ClaimStore> {
        &self.store
    }

    /// Claims the incident's run. Durable when it returns.
    pub async fn claim(
        &self,
        incident: &IncidentId,
        opening: Opening,
        scenario: Option<ScenarioRef>,
        outcome: Option<Outcome>,
    ) -> Result<ClaimAnswer, StoreError> {
        let token = ClaimToken::new_random();
        let owner = self.owner.clone();
        let event = Event::Claim { opening, owner, token, scenario, outcome };
        Ok(match self.store.apply(incident, event).await? {
            Ok(item) if item.outcome.is_some() => ClaimAnswer::Noted(item.run),
            Ok(item) => ClaimAnswer::Won(self.proof(&item)),
            Err(refusal) => ClaimAnswer::Lost(refusal),
        })
    }

    /// Takes a run over whose owner, at exactly this epoch, is dead or released it. The owner may
    /// have written after `seen` was read, so the answer holds the item as it was taken over.
    pub async fn take_over(
        &self,
        seen: &OpenRun,
    ) -> Result<Result<TakenOver, Refusal>, StoreError> {
        let event = Event::TakeOver {
            seen_owner: seen.owner.clone(),
            seen_epoch: seen.epoch,
            by: self.owner.clone(),
            token: ClaimToken::new_random(),
        };
        let answer = self.store.apply(&seen.run.incident, event).await?;
        Ok(answer.map(|item| TakenOver { claim: self.proof(&item), item }))
    }

    /// Records the intent of an effect. Refused when somebody asked to stand down or the claim is
    /// no longer in force: no intent, no effect.
    pub async fn intend(
        &self,
        claim: &Claim,
        journal: &Journal,
    ) -> Result<Result<(), Refusal>, StoreError> {
        self.record(claim, journal, true).await
    }

    /// Records what was done. It happened, so a wish to stand down does not matter here.
    pub async fn done(
        &self,
        claim: &Claim,
        journal: &Journal,
    ) -> Result<Result<(), Refusal>, StoreError> {
        self.record(claim, journal, false).await
    }

    /// May the run still act, as the store has it now? Costs a read, not a write.
    pub async fn confirm(&self, claim: &Claim) -> Result<Result<(), Refusal>, StoreError> {
        let incident = &claim.run.incident;
        let item = self.store.read(incident).await?;
        let (owner, epoch) = (claim.owner.clone(), claim.epoch);
        let journal = item.as_ref().map(|item| item.journal.clone()).unwrap_or_default();
        let event = Event::Record { owner, epoch, journal, consent: true };
        Ok(match protocol::judge(incident, item.as_ref(), &event, self.clock.now()) {
            Verdict::Refuse(refusal) => Err(refusal),
            Verdict::Write(_) | Verdict::AlreadySo(_) => Ok(()),
        })
    }

    async fn record(
        &self,
        claim: &Claim,
        journal: &Journal,
        consent: bool,
    ) -> Result<Result<(), Refusal>, StoreError> {
        let (owner, epoch) = (claim.owner.clone(), claim.epoch);
        let event = Event::Record { owner, epoch, journal: journal.clone(), consent };
        Ok(self.store.apply(&claim.run.incident, event).await?.map(|_| ()))
    }

    /// Ends the run.
    pub async fn finish(
        &self,
        claim: &Claim,
        outcome: Outcome,
        journal: &Journal,
    ) -> Result<Result<(), Refusal>, StoreError> {
        let (owner, epoch) = (claim.owner.clone(), claim.epoch);
        let event = Event::Finish { owner, epoch, outcome, journal: journal.clone() };
        Ok(self.store.apply(&claim.run.incident, event).await?.map(|_| ()))
    }

    /// Gives the run up so that another region goes on at once.
    pub async fn release(&self, claim: &Claim) -> Result<Result<(), Refusal>, StoreError> {
        let event = Event::Release { owner: claim.owner.clone(), epoch: claim.epoch };
        Ok(self.store.apply(&claim.run.incident, event).await?.map(|_| ()))
    }

    /// Asks the incident's run, whoever owns it, to start no further recovery. What `happened` before
    /// the run began concerns an earlier one.
    pub async fn stand_down(
        &self,
        incident: &IncidentId,
        reason: StandDownReason,
        by: Option<String>,
        happened: Option<Timestamp>,
    ) -> Result<Result<(RunId, StandDown), Refusal>, StoreError> {
        let event = Event::StandDown { reason, by: by.clone(), happened, run: None };
        self.ask_to_stand_down(incident, event, StandDown { reason, by, at: self.clock.now() })
            .await
    }

    /// The same for one run only.
    pub async fn stand_down_run(
        &self,
        run: &RunId,
        reason: StandDownReason,
        by: Option<String>,
    ) -> Result<Result<(RunId, StandDown), Refusal>, StoreError> {
        let event =
            Event::StandDown { reason, by: by.clone(), happened: None, run: Some(run.number) };
        let wish = StandDown { reason, by, at: self.clock.now() };
        self.ask_to_stand_down(&run.incident, event, wish).await
    }

    /// Records what a person said to the run's question, for whoever owns it.
    pub async fn answer(
        &self,
        incident: &IncidentId,
        answer: Answer,
    ) -> Result<Result<RunId, Refusal>, StoreError> {
        let answered = self.store.apply(incident, Event::Answer(answer)).await?;
        Ok(answered.map(|item| item.run))
    }

    /// What people have said to the run's last question.
    pub async fn answers(&self, claim: &Claim) -> Result<Vec<Answer>, StoreError> {
        let item = self.store.read(&claim.run.incident).await?;
        let mine = item.filter(|item| item.run == claim.run);
        Ok(mine.map(|item| item.answers.given).unwrap_or_default())
    }

    async fn ask_to_stand_down(
        &self,
        incident: &IncidentId,
        event: Event,
        wish: StandDown,
    ) -> Result<Result<(RunId, StandDown), Refusal>, StoreError> {
        let answer = self.store.apply(incident, event).await?;
        Ok(answer.map(|item| (item.run, item.stand_down.unwrap_or(wish))))
    }

    fn proof(&self, item: &RunItem) -> Claim {
        Claim {
            run: item.run.clone(),
            owner: self.owner.clone(),
            epoch: item.epoch,
            opened_at: item.opened_at,
        }
    }
}
