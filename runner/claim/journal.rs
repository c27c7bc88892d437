//! What a run is about to do and has done: the part of the item that survives its owner.
//!
//! Pure. Entries carry step numbers, words and times, never output or titles (the claim table may
//! lie partly abroad); what was seen is in the notes and evidence files.

use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

pub use super::reason::{GuardKind, Reason};
use super::told::{ToldResult, ToldWhat};
use crate::incident::{Outcome, Owner};

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Journal {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Entry {
    /// What the run saw and decided since the last write: the way that led here.
    Way { seen: Vec<Passed>, chosen: Vec<(StepAt, u32)> },
    /// An effect is about to happen.
    Intent {
        step: StepAt,
        nonce: String,
        /// Where a later owner can find out what became of it; opaque.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        trace: Option<String>,
        at: Timestamp,
    },
    /// It happened, and this is how it went.
    Done { step: StepAt, result: DoneResult, at: Timestamp },
    /// Its beginning was put off until the end of a suspension.
    Deferred { until: Timestamp, at: Timestamp },
    /// People were asked whether this step may be done. Written before they are, so that nobody asks
    /// twice and the time to answer stays what it was.
    Asked {
        step: StepAt,
        /// Counts the questions of the run, from 1.
        number: u32,
        until: Timestamp,
        at: Timestamp,
    },
    /// What was made of it: who allowed or forbade it; nobody where the time for it ran out.
    Answered { step: StepAt, approved: bool, by: Option<String>, at: Timestamp },
    /// Every way to page people failed in this process; another one tries.
    NotPaged { by: Owner, at: Timestamp },
    /// People were told by this last resort, because the incident itself pages nobody.
    LastResort { way: String, at: Timestamp },
    /// The run is over in substance; what remains is to tell people.
    Closing { outcome: Outcome, reason: Reason, escalate_to: Option<u32>, at: Timestamp },
    /// People are about to be told in a further place.
    Telling { what: ToldWhat, at: Timestamp },
    /// They were; with the other system's opaque id, never with its words.
    Told { what: ToldWhat, result: ToldResult, reference: Option<String>, at: Timestamp },
}

/// A step, and at which turn of the loops around it: `7`, `7@2`, `7@2.1`.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct StepAt {
    /// [`crate::scenario::step::Step::number`].
    pub step: usize,
    /// From the outermost loop inwards, each from 0; empty outside loops.
    pub turn: Vec<u32>,
}

impl StepAt {
    pub const fn plain(step: usize) -> Self {
        Self { step, turn: Vec::new() }
    }
}

impl fmt::Display for StepAt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.step)?;
        for (index, turn) in self.turn.iter().enumerate() {
            write!(f, "{}{turn}", if index == 0 { '@' } else { '.' })?;
        }
        Ok(())
    }
}

impl FromStr for StepAt {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (step, turns) = text.split_once('@').unwrap_or((text, ""));
        let turns = turns.split('.').filter(|turn| !turn.is_empty());
        Ok(Self { step: step.parse()?, turn: turns.map(str::parse).collect::<Result<_, _>>()? })
    }
}

impl Serialize for StepAt {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for StepAt {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A step that only looked, as far as it may be told where the claim table lies: numbers and
/// truth values, never text.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Passed {
    pub step: StepAt,
    pub result: DoneResult,
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub values: BTreeMap<String, Plain>,
    /// It also read text, which is kept elsewhere.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub has_text: bool,
}

// Numbers come from outputs and are compared bit by bit: the same record, not the same amount.
impl Eq for Passed {}

/// A value without text.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Plain {
    Bool(bool),
    Whole(i64),
    Decimal(f64),
    Nothing,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DoneResult {
    Met,
    NotMet,
    Unclear,
}

impl DoneResult {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::NotMet => "not_met",
            Self::Unclear => "unclear",
        }
    }
}

/// An effect that was announced and whose result nobody recorded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Doubt {
    pub step: StepAt,
    pub nonce: String,
    pub trace: Option<String>,
    /// When it was announced.
    pub at: Timestamp,
}

/// Where a run stands, read from its journal alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing that may not be repeated has begun: it may go on where the way so far leads.
    Between,
    /// Effects were announced and their results were never recorded.
    InDoubt { effects: Vec<Doubt> },
    /// Only telling people was left.
    Closing { reason: Reason, escalate_to: Option<u32> },
}

/// A question to people, as it was recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question<'a> {
    pub step: &'a StepAt,
    pub number: u32,
    pub until: Timestamp,
    pub at: Timestamp,
}

impl Journal {
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    #[must_use]
    pub fn with(&self, entry: Entry) -> Self {
        let mut entries = self.entries.clone();
        entries.push(entry);
        Self { entries }
    }

    /// Effects that were begun and whose results nobody knows; also when people were told since.
    /// A step that was begun again is in doubt for its last intent only.
    pub fn in_doubt(&self) -> Vec<Doubt> {
        self.entries.iter().fold(Vec::new(), |mut doubts, entry| {
            match entry {
                Entry::Intent { step, nonce, trace, at } => {
                    doubts.retain(|it: &Doubt| it.step != *step);
                    let (step, nonce, trace) = (step.clone(), nonce.clone(), trace.clone());
                    doubts.push(Doubt { step, nonce, trace, at: *at });
                }
                Entry::Done { step, .. } => doubts.retain(|it| it.step != *step),
                Entry::Way { .. }
                | Entry::Deferred { .. }
                | Entry::Asked { .. }
                | Entry::Answered { .. }
                | Entry::NotPaged { .. }
                | Entry::LastResort { .. }
                | Entry::Telling { .. }
                | Entry::Told { .. }
                | Entry::Closing { .. } => {}
            }
            doubts
        })
    }

    /// Effects that were begun, whatever became of them.
    pub fn begun(&self) -> impl Iterator<Item = &StepAt> {
        self.entries.iter().filter_map(|entry| match entry {
            Entry::Intent { step, .. } => Some(step),
            _ => None,
        })
    }

    /// Until when the run's beginning was put off, the last time it was.
    pub fn deferred(&self) -> Option<Timestamp> {
        self.entries.iter().rev().find_map(|entry| match entry {
            Entry::Deferred { until, .. } => Some(*until),
            _ => None,
        })
    }

    /// Questions that people were asked, in order.
    pub fn questions(&self) -> impl Iterator<Item = Question<'_>> {
        self.entries.iter().filter_map(|entry| match entry {
            Entry::Asked { step, number, until, at } => {
                Some(Question { step, number: *number, until: *until, at: *at })
            }
            _ => None,
        })
    }

    /// What people said to the question about a step.
    pub fn answer(&self, asked: &StepAt) -> Option<bool> {
        self.entries.iter().rev().find_map(|entry| match entry {
            Entry::Answered { step, approved, .. } if step == asked => Some(*approved),
            _ => None,
        })
    }

    /// How the run ends is recorded; nothing is begun any more.
    pub fn is_closed(&self) -> bool {
        self.entries.iter().any(|entry| matches!(entry, Entry::Closing { .. }))
    }

    /// The state a take-over starts from.
    pub fn standing(&self) -> Standing {
        // The last word counts: a page may have become needless while it was tried.
        let closing = self.entries.iter().rev().find_map(|entry| match entry {
            Entry::Closing { reason, escalate_to, .. } => {
                Some(Standing::Closing { reason: *reason, escalate_to: *escalate_to })
            }
            _ => None,
        });
        closing.unwrap_or_else(|| match self.in_doubt() {
            effects if effects.is_empty() => Standing::Between,
            effects => Standing::InDoubt { effects },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_at_its_turn_is_written_and_read() {
        for text in ["7", "7@2", "7@2.1"] {
            let step: StepAt = text.parse().unwrap();
            assert_eq!(step.to_string(), text);
        }
        assert!("x".parse::<StepAt>().is_err());
    }

    #[test]
    fn a_retried_step_is_in_doubt_only_for_its_last_attempt() {
        let at = Timestamp::UNIX_EPOCH;
        let intent = |turn| Entry::Intent {
            step: StepAt { step: 3, turn: vec![turn] },
            nonce: String::new(),
            trace: None,
            at,
        };
        let done = |turn| Entry::Done {
            step: StepAt { step: 3, turn: vec![turn] },
            result: DoneResult::Met,
            at,
        };
        let journal = Journal::default().with(intent(0)).with(intent(1)).with(done(0));
        let doubts = journal.in_doubt();
        assert_eq!(doubts.iter().map(|it| &it.step.turn).collect::<Vec<_>>(), [&vec![1]]);
        assert_eq!(journal.with(done(1)).standing(), Standing::Between);
    }
}
