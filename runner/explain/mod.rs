//! A run as it is told afterwards: out of the claim, the history and the scenario files, whichever
//! of them is there. Pure.
//!
//! `mod.rs` puts together what is known ([`Account`], which is also the JSON output), `steps.rs`
//! its steps, `remarks.rs` what it lacks; `text.rs` writes it for people with the sentences of `words.rs`.

mod line;
mod remarks;
mod steps;
pub mod text;
mod words;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use crate::claim::journal::{Entry, Reason, Standing};
use crate::claim::protocol::{Opening, RunItem, StandDownReason};
use crate::execute::end::End;
use crate::history::story::{
    Cleared, Known, Near, Paged, RunStory, ScenarioKnown, StepKnown, Words,
};
use crate::incident::{IncidentId, Outcome, Owner};
use crate::lang::Lang;
use crate::report::reasons;
use crate::report::text as sentences;
pub use steps::StepAccount;

/// What is at hand of one run. Without item and story there is nothing to tell.
#[derive(Clone, Debug, Default)]
pub struct Evidence {
    /// The claim, where it is of this run.
    pub item: Option<RunItem>,
    pub story: Option<RunStory>,
    /// Why the story is not there, where it could not be read.
    pub unread: Option<String>,
    /// The scenario as the files have it now, for what the story lacks.
    pub files: Option<InFiles>,
    /// Of the owner; asked only for an open run.
    pub heartbeat: Option<Heartbeat>,
}

/// A scenario out of the files, which may have changed since.
#[derive(Clone, Debug)]
pub struct InFiles {
    pub hash: String,
    pub known: ScenarioKnown,
}

/// The owner's sign of life, looked at twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Heartbeat {
    Alive,
    /// It stood still for as long as we looked, which is less than a lease.
    Still,
    /// The store has none of this owner any more.
    Gone,
}

/// Everything there is to tell of a run. Field names are a promise: docs/operations/explain.md.
#[derive(Clone, Debug, Serialize)]
pub struct Account {
    pub version: u32,
    pub incident: IncidentId,
    pub run: u32,
    /// Nothing while the run is open, or where it is not known.
    pub outcome: Option<Outcome>,
    pub is_open: bool,
    pub title: Option<String>,
    pub customer: Option<Known>,
    pub service: Option<Known>,
    pub opening: Option<&'static str>,
    pub began_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    pub scenario: Option<ScenarioAccount>,
    pub keywords: Vec<String>,
    pub captures: BTreeMap<String, String>,
    pub near: Vec<Near>,
    pub mode: Option<String>,
    pub carriers: Vec<CarrierAccount>,
    pub stand_down: Option<StandDownAccount>,
    pub steps: Vec<StepAccount>,
    pub end: Option<EndAccount>,
    pub now: Option<Now>,
    /// What is missing here and why, in words.
    pub remarks: Vec<String>,
    #[serde(skip)]
    planned: Vec<StepKnown>,
}

#[derive(Clone, Debug, Serialize)]
pub struct ScenarioAccount {
    pub id: String,
    pub about: Option<String>,
    /// Hash of the file the run began with.
    pub hash: Option<String>,
}

/// A process that carried the run out.
#[derive(Clone, Debug, Serialize)]
pub struct CarrierAccount {
    pub owner: Owner,
    pub epoch: Option<u64>,
    /// When it began or took the run over, by its own clock.
    pub since: Option<Timestamp>,
}

#[derive(Clone, Debug, Serialize)]
pub struct StandDownAccount {
    pub reason: StandDownReason,
    /// `PagerDuty` user id.
    pub by: Option<String>,
    pub at: Timestamp,
    pub words: String,
}

/// What people were told.
#[derive(Clone, Debug, Serialize)]
pub struct EndAccount {
    pub headline: String,
    pub reason: Option<String>,
    pub message: Option<String>,
    /// The procedure by hand.
    pub manual: Option<String>,
    pub contact: Option<String>,
    pub priority: Option<String>,
    /// Tickets, messages and mails, and what came of them.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub beside: Vec<String>,
    /// Nothing where that is not known.
    pub paged: Option<Paged>,
    /// Who had resolved the incident before AMS could.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cleared: Option<Cleared>,
    /// People were to be told; whether they were is not recorded.
    pub is_planned: bool,
}

/// Where an open run stands.
#[derive(Clone, Debug, Serialize)]
pub struct Now {
    pub heartbeat: Option<Heartbeat>,
    pub released: bool,
    /// The last write to the claim.
    pub since: Timestamp,
    /// Numbers of steps it may be at, from 1: what was announced, else what comes before the next
    /// change and is not recorded before that.
    pub may_be_at: Vec<usize>,
    pub next_change: Option<usize>,
    /// By then people are told, whatever comes.
    pub until: Option<Timestamp>,
    /// It waits for people to answer, until then at most.
    pub asks_until: Option<Timestamp>,
    /// It begins when a suspension ends.
    pub deferred_until: Option<Timestamp>,
}

impl Account {
    /// `None` without a claim and a story.
    pub fn of(evidence: &Evidence, lang: Lang, incident: &IncidentId, run: u32) -> Option<Self> {
        let Evidence { item, story, files, .. } = evidence;
        if item.is_none() && story.is_none() {
            return None;
        }
        let (item, said) = (item.as_ref(), story.as_ref());
        let end = said.and_then(|story| story.end.as_ref());
        let is_open = item.is_some_and(|item| item.outcome.is_none());
        let outcome = match item {
            Some(item) => item.outcome,
            None => end.map(|end| end.outcome),
        };
        let known = said.and_then(|story| story.scenario.as_ref());
        let known = known.filter(|known| !known.steps.is_empty());
        let plan = known.or(files.as_ref().map(|files| &files.known));
        let carriers = carriers(evidence);
        let steps = steps::all(evidence, plan, &carriers, lang);
        let opening = item.map(|item| match item.opening {
            Opening::Triggered => "triggered",
            Opening::Reopened { .. } => "reopened",
        });
        Some(Self {
            version: 1,
            incident: incident.clone(),
            run,
            outcome,
            is_open,
            title: said.map(|story| story.title.clone()).filter(|title| !title.is_empty()),
            customer: said.and_then(|story| story.customer.clone()),
            service: said.and_then(|story| story.service.clone()),
            opening,
            began_at: item.map(|item| item.opened_at).or(said.and_then(|story| story.opened_at)),
            ended_at: match item {
                Some(item) => outcome.map(|_| item.changed_at),
                None => end.map(|end| end.at),
            },
            scenario: scenario(item, plan),
            keywords: said.map(|story| story.keywords.clone()).unwrap_or_default(),
            captures: said.map(|story| story.captures.clone()).unwrap_or_default(),
            near: said.map(|story| story.near.clone()).unwrap_or_default(),
            mode: said.and_then(|story| story.mode.clone()),
            stand_down: item.and_then(|item| stand_down(item, lang)),
            end: ended(evidence, plan, lang),
            now: item.filter(|_| is_open).map(|item| now(item, evidence, plan)),
            remarks: remarks::all(lang, evidence, &carriers, run),
            carriers,
            steps,
            planned: plan.map(|plan| plan.steps.clone()).unwrap_or_default(),
        })
    }
}

impl Account {
    /// A step by its number, also one that nothing is recorded of yet.
    fn step_named(&self, number: usize) -> String {
        let known = self.planned.iter().find(|step| step.number + 1 == number);
        known.map_or_else(
            || format!("{number}."),
            |step| format!("{number}. [{}] {}", step.kind, step.name),
        )
    }
}

fn scenario(item: Option<&RunItem>, plan: Option<&ScenarioKnown>) -> Option<ScenarioAccount> {
    let named = item.and_then(|item| item.scenario.as_ref());
    let id = named.map(|named| named.id.clone()).or(plan.map(|plan| plan.id.clone()))?;
    let hash = named.map(|named| named.hash.clone());
    Some(ScenarioAccount { id, about: plan.map(|plan| plan.about.clone()), hash })
}

/// Those the story names; the claim names the last one.
fn carriers(evidence: &Evidence) -> Vec<CarrierAccount> {
    let told = evidence.story.iter().flat_map(|story| &story.carriers);
    let mut carriers: Vec<CarrierAccount> = told
        .map(|carrier| CarrierAccount {
            owner: carrier.owner.clone(),
            epoch: Some(carrier.epoch).filter(|epoch| *epoch > 0),
            since: Some(carrier.since),
        })
        .collect();
    if let Some(item) = &evidence.item
        && carriers.last().is_none_or(|last| last.owner != item.owner)
    {
        let is_first = item.run.number == 1 && item.epoch == 1;
        let since = is_first.then_some(item.opened_at);
        let (owner, epoch) = (item.owner.clone(), Some(item.epoch));
        carriers.push(CarrierAccount { owner, epoch, since });
    }
    carriers
}

fn stand_down(item: &RunItem, lang: Lang) -> Option<StandDownAccount> {
    let asked = item.stand_down.as_ref()?;
    let words = reasons::stood_down(lang, asked);
    Some(StandDownAccount { reason: asked.reason, by: asked.by.clone(), at: asked.at, words })
}

fn in_lang(words: &Words, lang: Lang) -> String {
    match lang {
        Lang::Ja => words.ja.clone(),
        Lang::En => words.en.clone(),
    }
}

/// As the story has it; else as far as the claim's words and numbers go.
fn ended(evidence: &Evidence, plan: Option<&ScenarioKnown>, lang: Lang) -> Option<EndAccount> {
    if let Some(end) = evidence.story.as_ref().and_then(|story| story.end.as_ref()) {
        return Some(EndAccount {
            headline: in_lang(&end.headline, lang),
            reason: Some(in_lang(&end.reason, lang)),
            message: end.message.clone(),
            manual: end.manual.clone(),
            contact: end.contact.clone(),
            priority: end.priority.clone(),
            beside: end.beside.iter().map(|words| in_lang(words, lang)).collect(),
            paged: Some(end.paged.clone()),
            cleared: end.cleared,
            is_planned: false,
        });
    }
    let item = evidence.item.as_ref()?;
    let (end, level) = recorded(item)?;
    let outcome = end.outcome();
    // The words of an end that failed on our side are in the log of whoever had it.
    let has_words = !matches!(end, End::Ours { .. } | End::Suspended { .. });
    let name = |number: usize| {
        let steps = plan.map_or(&[][..], |plan| &plan.steps);
        steps.iter().find(|step| step.number == number).map(|step| step.name.as_str())
    };
    let pages = matches!(outcome, Outcome::HandedOff | Outcome::Escalated);
    let is_known = !matches!(end, End::Healthy { step } if name(step).is_none());
    Some(EndAccount {
        headline: sentences::headline(lang, &end).to_owned(),
        reason: (has_words && is_known).then(|| reasons::reason_naming(lang, &end, &name)),
        message: None,
        manual: None,
        contact: None,
        priority: None,
        cleared: None,
        beside: Vec::new(),
        paged: match level {
            Some(level) => Some(Paged::Level(level)),
            None => (!pages).then_some(Paged::Nobody),
        },
        is_planned: item.outcome.is_none(),
    })
}

/// The end as the claim has it. Ordinary ends are recorded as outcomes only.
fn recorded(item: &RunItem) -> Option<(End, Option<u32>)> {
    if let Standing::Closing { reason, escalate_to } = item.journal.standing() {
        return Some((End::recorded(reason, item.stand_down.clone()), escalate_to));
    }
    let reason = match item.outcome? {
        Outcome::Resolved => Reason::Verified,
        Outcome::RecoveredItself => Reason::Healthy { step: usize::MAX - 1 },
        Outcome::StoodDown => Reason::StoodDown,
        Outcome::Suspended => Reason::Suspended,
        Outcome::Unmatched => return None,
        Outcome::Shadowed | Outcome::HandedOff | Outcome::Escalated => Reason::Ours,
    };
    let end = End::recorded(reason, item.stand_down.clone());
    Some((end, None))
}

fn now(item: &RunItem, evidence: &Evidence, plan: Option<&ScenarioKnown>) -> Now {
    let deadline = plan.and_then(|plan| i64::try_from(plan.deadline_seconds).ok());
    let (may_be_at, next_change) = plan.map_or_else(Default::default, |plan| place(item, plan));
    let deferred = item.journal.deferred();
    let began = deferred.map_or(item.opened_at, |until| until.max(item.opened_at));
    // The last word of the journal: whatever came after it is not waited for any more.
    let (asks_until, deferred_until) = match item.journal.entries().last() {
        Some(Entry::Asked { until, .. }) => (Some(*until), None),
        Some(Entry::Deferred { until, .. }) => (None, Some(*until)),
        _ => (None, None),
    };
    Now {
        heartbeat: evidence.heartbeat,
        released: item.released,
        since: item.changed_at,
        may_be_at,
        next_change,
        until: deadline.map(|seconds| began + SignedDuration::from_secs(seconds)),
        asks_until,
        deferred_until,
    }
}

/// Where it may be, and the next change: from what is known to be done on, in the file's order.
fn place(item: &RunItem, plan: &ScenarioKnown) -> (Vec<usize>, Option<usize>) {
    if matches!(item.journal.standing(), Standing::Closing { .. }) {
        return (Vec::new(), None);
    }
    let doubts = item.journal.in_doubt();
    if !doubts.is_empty() {
        return (doubts.iter().map(|doubt| doubt.step.step + 1).collect(), None);
    }
    let done = item.journal.entries().iter().filter_map(|entry| match entry {
        Entry::Done { step, .. } => Some(step.step),
        _ => None,
    });
    let from = done.max().map_or(0, |last| last + 1);
    let holds = |kind: &str| matches!(kind, "branch" | "parallel" | "each" | "ladder");
    let mut left = plan.steps.iter().filter(|step| step.number >= from && !holds(&step.kind));
    let mut looks = Vec::new();
    let next = left.find(|step| {
        if !step.changes() {
            looks.push(step.number + 1);
        }
        step.changes()
    });
    (looks, next.map(|step| step.number + 1))
}
