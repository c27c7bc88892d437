//! What a run is about to do and has done: the part of the item that survives its owner.
//!
//! Pure. Entries carry step numbers, words and times, never output or titles (the claim table may
//! lie partly abroad); what was seen is in the notes and evidence files.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::incident::Outcome;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Journal {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Entry {
    /// An effect is about to happen.
    Intent { step: usize, nonce: String, at: Timestamp },
    /// It happened, and this is how it went.
    Done { step: usize, result: DoneResult, at: Timestamp },
    /// The run is over in substance; what remains is to tell people.
    Closing { outcome: Outcome, reason: Reason, escalate_to: Option<u32>, at: Timestamp },
}

/// Why a run ends, in words and step numbers: what another owner needs to tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Reason {
    Healthy { step: usize },
    AlertAndHostDisagree { step: usize },
    BrokenForPeople { step: usize },
    Verified,
    Gathered,
    Unclear { step: usize },
    RecoverFailed { step: usize },
    NotVerified { step: usize },
    Deadline { step: usize },
    OutcomeUnknown { step: usize },
    StoodDown,
    Ours,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DoneResult {
    Met,
    NotMet,
    Unclear,
}

/// Where a run stands, read from its journal alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Standing {
    /// Nothing that may not be repeated has begun: it may go on after the last step that is done.
    Between { done: Vec<(usize, DoneResult)> },
    /// An effect was announced and its result was never recorded.
    InDoubt { step: usize, nonce: String, at: Timestamp },
    /// Only telling people was left.
    Closing { reason: Reason, escalate_to: Option<u32> },
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

    /// The step that ended last, with its result.
    pub fn last_done(&self) -> Option<(usize, DoneResult)> {
        self.entries.iter().rev().find_map(|entry| match entry {
            Entry::Done { step, result, at: _ } => Some((*step, *result)),
            Entry::Intent { .. } | Entry::Closing { .. } => None,
        })
    }

    /// The step that was begun and whose result nobody knows; also when people were told since.
    pub fn in_doubt(&self) -> Option<usize> {
        self.entries.iter().fold(None, |doubt, entry| match entry {
            Entry::Intent { step, .. } => Some(*step),
            Entry::Done { .. } => None,
            Entry::Closing { .. } => doubt,
        })
    }

    /// The state a take-over starts from.
    pub fn standing(&self) -> Standing {
        let mut done = Vec::new();
        let mut in_doubt = None;
        for entry in &self.entries {
            match entry {
                Entry::Intent { step, nonce, at } => in_doubt = Some((*step, nonce.clone(), *at)),
                Entry::Done { step, result, at: _ } => {
                    in_doubt = None;
                    done.push((*step, *result));
                }
                Entry::Closing { reason, escalate_to, .. } => {
                    return Standing::Closing { reason: *reason, escalate_to: *escalate_to };
                }
            }
        }
        match in_doubt {
            Some((step, nonce, at)) => Standing::InDoubt { step, nonce, at },
            None => Standing::Between { done },
        }
    }
}
