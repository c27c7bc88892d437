//! The claim protocol as pure code: the item, the events, and [`judge`], the only place that
//! decides whether an event may change the item.
//!
//! One item per incident holds everything safety depends on, because the production store has no
//! transactions between items (docs/claim-protocol.md). A store adapter reads the item, asks
//! `judge`, and writes the answer, all under one lock or one condition; it adds no rule of its own.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::claim::answers::answer as judge_answer;
pub use crate::claim::answers::{Answer, Answers};
use crate::claim::journal::Journal;
use crate::claim::ledger::Mark;
use crate::incident::{IncidentId, Outcome, Owner, RunId};

/// Everything the world agrees on about one incident. No customer text: ids, numbers, hashes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunItem {
    pub run: RunId,
    pub opening: Opening,
    pub owner: Owner,
    /// The fencing number: grows with every claim and take-over of this incident, over all runs.
    pub epoch: u64,
    /// Of the claim or take-over that made `owner` the owner.
    pub token: ClaimToken,
    /// `None` when no scenario is meant for the incident.
    pub scenario: Option<ScenarioRef>,
    pub journal: Journal,
    pub stand_down: Option<StandDown>,
    /// The owner gave the run up in good order (shutdown): take-over need not wait for the lease.
    pub released: bool,
    pub outcome: Option<Outcome>,
    pub opened_at: Timestamp,
    pub changed_at: Timestamp,
    /// What people said to the run's last question.
    #[serde(default, skip_serializing_if = "Answers::is_empty")]
    pub answers: Answers,
}

/// What made a run begin. Both regions hear of it separately, so it must compare equal for them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Opening {
    Triggered,
    /// PagerDuty's `reopened_at`, as it stands in the event.
    Reopened {
        at: String,
    },
}

/// Random per claim attempt; recognises our own write after an answer was lost.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ClaimToken(String);

impl ClaimToken {
    pub fn new_random() -> Self {
        Self(uuid::Uuid::new_v4().simple().to_string())
    }

    pub fn from_text(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

/// The scenario as it was when the run began.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScenarioRef {
    pub id: String,
    /// Hash of the file's content.
    pub hash: String,
    /// Whose incident it is. A run stays with its customer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<Mark>,
}

/// The wish that no further recovery starts, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StandDown {
    pub reason: StandDownReason,
    /// PagerDuty's id of who did it, where it says so.
    pub by: Option<String>,
    pub at: Timestamp,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StandDownReason {
    Acknowledged,
    Reassigned,
    ResolvedByPerson,
    Merged,
    StopNote,
    /// The monitoring tool cleared the alert; nobody took over, but the incident has ended.
    ResolvedByMonitoring,
    /// Somebody opened the incident again before the end of its run was recorded. It is the next
    /// run's now.
    Reopened,
    /// A late delivery: PagerDuty says that the incident has ended, or that a person has it.
    OverBeforeStart,
}

impl StandDownReason {
    /// The incident was resolved, or had been and was opened again.
    pub const fn ended_it(self) -> bool {
        matches!(
            self,
            Self::ResolvedByPerson | Self::ResolvedByMonitoring | Self::Merged | Self::Reopened
        )
    }

    /// Whoever asks PagerDuty for the incident's status learns of it; the person may have changed their
    /// mind since.
    pub const fn shows_in_status(self) -> bool {
        !matches!(self, Self::Reassigned | Self::StopNote)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A region wants to begin a run. With an `outcome` the run is over at once (unmatched).
    Claim {
        opening: Opening,
        owner: Owner,
        token: ClaimToken,
        scenario: Option<ScenarioRef>,
        outcome: Option<Outcome>,
    },
    /// The owner writes its journal. With `consent`, only if nobody asked to stand down: this is
    /// how the intent of an effect is recorded.
    Record { owner: Owner, epoch: u64, journal: Journal, consent: bool },
    /// A person took over or the incident ended. Any region may say so.
    /// `happened` is PagerDuty's time of it, like that of a reopening. `run` is the number of the run
    /// that is meant, where the sender knows it: the next one may have begun meanwhile.
    StandDown {
        reason: StandDownReason,
        by: Option<String>,
        happened: Option<Timestamp>,
        run: Option<u32>,
    },
    /// A person answered. Any region may say so.
    Answer(Answer),
    /// The owner gives the run up so that another may go on at once.
    Release { owner: Owner, epoch: u64 },
    /// Another runner saw the owner dead (or released) at exactly this epoch.
    TakeOver { seen_owner: Owner, seen_epoch: u64, by: Owner, token: ClaimToken },
    /// The owner ends the run.
    Finish { owner: Owner, epoch: u64, outcome: Outcome, journal: Journal },
}

/// What an event does to the item.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Store this.
    Write(RunItem),
    /// It has this effect already (a repeat of our own write): nothing to store, and a success.
    AlreadySo(RunItem),
    Refuse(Refusal),
}

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("run {run} is {owner}'s")]
    TakenBy { run: RunId, owner: Owner },
    #[error("run {run} is over ({outcome})")]
    Over { run: RunId, outcome: Outcome },
    /// The claim in hand is not in force any more.
    #[error("run {run} belongs to {owner} since epoch {epoch}")]
    NotOwner { run: RunId, owner: Owner, epoch: u64 },
    #[error("run {run} was asked to stand down")]
    StandDown { run: RunId, stand_down: StandDown },
    /// Reopened while the last run is still being closed: to be delivered again.
    #[error("run {run} of {owner} has not ended yet")]
    StillOpen { run: RunId, owner: Owner },
    /// Its owner has recorded since how the run ends.
    #[error("run {run} is being closed: this was to be recorded before")]
    Late { run: RunId },
    #[error("run {run} has asked nothing that this would answer")]
    NotAsked { run: RunId },
    #[error("nobody has claimed incident {incident}")]
    Unclaimed { incident: IncidentId },
    /// It reopens again and again; people have it.
    #[error("incident {incident} reached its limit of {limit} runs")]
    TooManyRuns { incident: IncidentId, limit: u32 },
}

/// Runs AMS begins for one incident. A service that reopens its incident more often than this is
/// beyond first response; people have it.
pub const RUNS_PER_INCIDENT: u32 = 5;

/// Judges one event against the item as it is. Pure: the same arguments give the same verdict,
/// whether the run is live or taken over, in every store and in the model check.
pub fn judge(
    incident: &IncidentId,
    item: Option<&RunItem>,
    event: &Event,
    at: Timestamp,
) -> Verdict {
    match (item, event) {
        (None, Event::Claim { .. }) => open_first(incident, event, at),
        (None, _) => Verdict::Refuse(Refusal::Unclaimed { incident: incident.clone() }),
        (Some(item), event) => judge_existing(item, event, at),
    }
}

fn judge_existing(item: &RunItem, event: &Event, at: Timestamp) -> Verdict {
    match event {
        Event::Claim { .. } => judge_claim(item, event, at),
        Event::Record { owner, epoch, journal, consent } => {
            owned(item, owner, *epoch, |item| record(item, journal, *consent, at))
        }
        Event::StandDown { happened, run, .. } if is_of_another_run(item, *happened, *run) => {
            Verdict::Refuse(Refusal::Late { run: item.run.clone() })
        }
        Event::StandDown { reason, by, .. } => stand_down(item, *reason, by.as_ref(), at),
        Event::Answer(answer) => judge_answer(item, answer, at),
        Event::Release { owner, epoch } => owned(item, owner, *epoch, |item| {
            Verdict::Write(RunItem { released: true, changed_at: at, ..item.clone() })
        }),
        Event::TakeOver { seen_owner, seen_epoch, by, token } => {
            if item.token == *token {
                return Verdict::AlreadySo(item.clone());
            }
            owned(item, seen_owner, *seen_epoch, |item| {
                Verdict::Write(RunItem {
                    owner: by.clone(),
                    epoch: item.epoch + 1,
                    token: token.clone(),
                    released: false,
                    changed_at: at,
                    ..item.clone()
                })
            })
        }
        Event::Finish { owner, epoch, outcome, journal } => {
            let repeated =
                item.outcome == Some(*outcome) && item.owner == *owner && item.epoch == *epoch;
            if repeated {
                return Verdict::AlreadySo(item.clone());
            }
            owned(item, owner, *epoch, |item| {
                Verdict::Write(RunItem {
                    outcome: Some(*outcome),
                    journal: journal.clone(),
                    changed_at: at,
                    ..item.clone()
                })
            })
        }
    }
}

fn open_first(incident: &IncidentId, event: &Event, at: Timestamp) -> Verdict {
    open(RunId { incident: incident.clone(), number: 1 }, 1, event, at)
}

/// A run begins; `event` is a claim.
fn open(run: RunId, epoch: u64, event: &Event, at: Timestamp) -> Verdict {
    let Event::Claim { opening, owner, token, scenario, outcome } = event else {
        return Verdict::Refuse(Refusal::Unclaimed { incident: run.incident });
    };
    Verdict::Write(RunItem {
        run,
        opening: opening.clone(),
        owner: owner.clone(),
        epoch,
        token: token.clone(),
        scenario: scenario.clone(),
        journal: Journal::default(),
        stand_down: None,
        released: false,
        outcome: *outcome,
        opened_at: at,
        changed_at: at,
        answers: Answers::default(),
    })
}

fn judge_claim(item: &RunItem, event: &Event, at: Timestamp) -> Verdict {
    let Event::Claim { opening, token, .. } = event else {
        return Verdict::Refuse(Refusal::Unclaimed { incident: item.run.incident.clone() });
    };
    if item.token == *token {
        return Verdict::AlreadySo(item.clone());
    }
    let later = opens_a_later_run(&item.opening, opening);
    if later && item.run.number >= RUNS_PER_INCIDENT {
        return Verdict::Refuse(Refusal::TooManyRuns {
            incident: item.run.incident.clone(),
            limit: RUNS_PER_INCIDENT,
        });
    }
    let Some(outcome) = item.outcome else {
        let (run, owner) = (item.run.clone(), item.owner.clone());
        return Verdict::Refuse(if later {
            Refusal::StillOpen { run, owner }
        } else {
            Refusal::TakenBy { run, owner }
        });
    };
    if !later {
        return Verdict::Refuse(Refusal::Over { run: item.run.clone(), outcome });
    }
    let next = RunId { incident: item.run.incident.clone(), number: item.run.number + 1 };
    open(next, item.epoch + 1, event, at)
}

/// A late or doubled delivery of an opening that was handled opens nothing. What is no time
/// compares as text; at worst that is bounded by [`RUNS_PER_INCIDENT`].
fn opens_a_later_run(handled: &Opening, new: &Opening) -> bool {
    let time = |text: &str| text.parse::<Timestamp>().ok();
    match (handled, new) {
        (_, Opening::Triggered) => false,
        (Opening::Triggered, Opening::Reopened { .. }) => true,
        (Opening::Reopened { at: handled }, Opening::Reopened { at: new }) => {
            match (time(handled), time(new)) {
                (Some(handled), Some(new)) => new > handled,
                _ => new > handled,
            }
        }
    }
}

/// Only an open run, and only its owner at its epoch.
fn owned(
    item: &RunItem,
    owner: &Owner,
    epoch: u64,
    change: impl FnOnce(&RunItem) -> Verdict,
) -> Verdict {
    if let Some(outcome) = item.outcome {
        return Verdict::Refuse(Refusal::Over { run: item.run.clone(), outcome });
    }
    if item.owner != *owner || item.epoch != epoch {
        return Verdict::Refuse(Refusal::NotOwner {
            run: item.run.clone(),
            owner: item.owner.clone(),
            epoch: item.epoch,
        });
    }
    change(item)
}

fn record(item: &RunItem, journal: &Journal, consent: bool, at: Timestamp) -> Verdict {
    match &item.stand_down {
        Some(stand_down) if consent => Verdict::Refuse(Refusal::StandDown {
            run: item.run.clone(),
            stand_down: stand_down.clone(),
        }),
        // A journal only grows. A request that its owner had given up waiting for may arrive after
        // later ones; it would take back what those recorded, such as the intent of an effect that
        // has started since.
        _ if item.journal.entries().starts_with(journal.entries()) => {
            Verdict::AlreadySo(item.clone())
        }
        _ if item.journal.is_closed() && !journal.is_closed() => {
            Verdict::Refuse(Refusal::Late { run: item.run.clone() })
        }
        _ => {
            let answers = item.answers.after(&item.journal, journal);
            let journal = journal.clone();
            Verdict::Write(RunItem { answers, journal, changed_at: at, ..item.clone() })
        }
    }
}

/// What somebody did before the incident was reopened is delivered after it now and then.
pub(super) fn is_of_another_run(
    item: &RunItem,
    happened: Option<Timestamp>,
    run: Option<u32>,
) -> bool {
    if run.is_some_and(|run| run != item.run.number) {
        return true;
    }
    let Opening::Reopened { at } = &item.opening else { return false };
    let opened = at.parse::<Timestamp>().ok();
    happened.zip(opened).is_some_and(|(happened, opened)| happened < opened)
}

fn stand_down(
    item: &RunItem,
    reason: StandDownReason,
    by: Option<&String>,
    at: Timestamp,
) -> Verdict {
    if let Some(outcome) = item.outcome {
        return Verdict::Refuse(Refusal::Over { run: item.run.clone(), outcome });
    }
    if item.stand_down.is_some() {
        return Verdict::AlreadySo(item.clone());
    }
    Verdict::Write(RunItem {
        stand_down: Some(StandDown { reason, by: by.cloned(), at }),
        changed_at: at,
        ..item.clone()
    })
}
