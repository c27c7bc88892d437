//! What people said to a run's question: part of the item, so that it does not matter which region
//! heard it, nor who owns the run then. Pure.

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::journal::Journal;
use super::protocol::{Refusal, RunItem, Verdict, is_of_another_run};
use crate::limits;

/// A note of a person's that allows or forbids what was asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    pub approved: bool,
    /// `PagerDuty`'s id of the person. Who may answer is for the run to decide.
    pub by: Option<String>,
    /// `PagerDuty`'s time of the note.
    pub at: Timestamp,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answers {
    /// What was said up to then was said to earlier questions, also when it is delivered again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub heard: Option<Timestamp>,
    /// The last answer of each person since then, in the order in which they were heard.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub given: Vec<Answer>,
}

impl Answers {
    pub const fn is_empty(&self) -> bool {
        self.heard.is_none() && self.given.is_empty()
    }

    /// As they are when the owner records a journal: a new question has no answers yet.
    #[must_use]
    pub(super) fn after(&self, before: &Journal, after: &Journal) -> Self {
        if after.questions().count() <= before.questions().count() {
            return self.clone();
        }
        let last = self.given.iter().map(|answer| answer.at).max();
        Self { heard: self.heard.max(last), given: Vec::new() }
    }
}

/// `PagerDuty`'s clock, which dates an answer, may be this far behind ours, which dates the question.
const CLOCKS_APART: SignedDuration = SignedDuration::from_secs(5);

/// Any region may record an answer. It is heard if the run is open and has asked before it.
pub(super) fn answer(item: &RunItem, answer: &Answer, at: Timestamp) -> Verdict {
    let run = item.run.clone();
    if let Some(outcome) = item.outcome {
        return Verdict::Refuse(Refusal::Over { run, outcome });
    }
    if is_of_another_run(item, Some(answer.at), None) {
        return Verdict::Refuse(Refusal::Late { run });
    }
    let asked = item.journal.questions().last();
    let is_asked = asked.is_some_and(|question| answer.at >= question.at - CLOCKS_APART);
    if !is_asked || item.answers.heard.is_some_and(|heard| answer.at <= heard) {
        return Verdict::Refuse(Refusal::NotAsked { run });
    }
    let mut answers = item.answers.clone();
    match answers.given.iter().position(|it| it.by == answer.by) {
        // Both regions hear of it; and an earlier one may come later.
        Some(known) if answers.given[known].at >= answer.at => {
            return Verdict::AlreadySo(item.clone());
        }
        Some(known) => drop(answers.given.remove(known)),
        None if answers.given.len() >= limits::ANSWERS => drop(answers.given.remove(0)),
        None => {}
    }
    answers.given.push(answer.clone());
    Verdict::Write(RunItem { answers, changed_at: at, ..item.clone() })
}
