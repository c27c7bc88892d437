//! What a run has seen and decided so far: enough to find the way again from the beginning. Pure.
//!
//! After a take-over the plan walks the scenario from its first step and takes every result and
//! decision from here instead of acting again, so it arrives where the last owner stood.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::claim::journal::{DoneResult, Doubt, Entry, Journal, Passed, Plain, StepAt};
use crate::execute::end::Lack;
use crate::execute::target::Located;
use crate::execute::world::Frame;

#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Memory {
    seen: BTreeMap<StepAt, Seen>,
    /// Which way was taken at a `when` (0 skipped, 1 entered), a branch (its case) or an `each`
    /// (the number of its entries).
    chosen: BTreeMap<StepAt, u32>,
    /// What each loop goes over, in words.
    #[serde(default)]
    entries: BTreeMap<StepAt, Vec<String>>,
    /// Effects that were begun.
    begun: Vec<StepAt>,
    /// What the sources of the target gave.
    #[serde(default)]
    located: Option<Located>,
    /// Why they gave nothing that can be used; whoever takes over may ask again.
    #[serde(skip)]
    not_located: Option<Lack>,
    /// Effects of an earlier owner whose results nobody recorded.
    #[serde(skip)]
    doubts: Vec<Doubt>,
    /// What the journal does not hold yet.
    #[serde(skip)]
    fresh: Vec<StepAt>,
    #[serde(skip)]
    fresh_choices: Vec<StepAt>,
    /// The loops around the step that ended the run, for the words of its end.
    #[serde(skip)]
    pub ended_in: Frame,
}

/// How a step went, as later steps may ask.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Seen {
    pub result: DoneResult,
    /// Its values and what every step has: `exit_code`, `status`, `no_answer`, `output`.
    pub values: Map<String, Value>,
}

/// A decision needs its own place beside the step's result: the turn below 0 is never a loop's.
const CHOICE: u32 = u32::MAX;

/// The target's place among the decisions: the number of its hosts. No scenario has such a step.
const TARGET: StepAt = StepAt::plain(usize::MAX);

impl Memory {
    pub fn seen(&self, at: &StepAt) -> Option<&Seen> {
        self.seen.get(at)
    }

    /// Every result, in the order of the file.
    pub fn results(&self) -> impl Iterator<Item = (&StepAt, &Seen)> {
        self.seen.iter()
    }

    pub fn keep(&mut self, at: StepAt, seen: Seen) {
        self.fresh.push(at.clone());
        self.seen.insert(at, seen);
    }

    pub fn has_begun(&self, at: &StepAt) -> bool {
        self.begun.contains(at)
    }

    pub fn begin(&mut self, at: StepAt) {
        self.begun.push(at);
    }

    /// An earlier owner announced it, and nobody knows what came of it.
    pub fn doubt(&self, at: &StepAt) -> Option<&Doubt> {
        self.doubts.iter().find(|doubt| doubt.step == *at)
    }

    /// It is known now, or is to be done again.
    pub fn settle(&mut self, at: &StepAt) {
        self.doubts.retain(|doubt| doubt.step != *at);
    }

    /// Some effect was begun.
    pub fn has_acted(&self) -> bool {
        !self.begun.is_empty()
    }

    /// Steps of this number that were begun, whatever became of them.
    pub fn began(&self, step: usize) -> bool {
        self.begun.iter().any(|at| at.step == step) || self.seen.keys().any(|at| at.step == step)
    }

    /// What is known of a step, seen from a turn: the same turn, else the one around it, else the
    /// last one.
    pub fn nearest(&self, step: usize, turn: &[u32]) -> Option<&Seen> {
        let around = (0..=turn.len())
            .rev()
            .find_map(|depth| self.seen.get(&StepAt { step, turn: turn[..depth].to_vec() }));
        around.or_else(|| {
            self.seen.iter().rev().find(|(at, _)| at.step == step).map(|(_, seen)| seen)
        })
    }

    pub fn goes_over(&mut self, at: StepAt, entries: Vec<String>) {
        self.entries.insert(at, entries);
    }

    /// Loops that ended early, with the entries nothing was done for.
    pub fn untouched(&self) -> Vec<(usize, Vec<String>)> {
        let is_touched = |around: &StepAt, turn: u32| {
            let inside = |at: &StepAt| {
                at.turn.starts_with(&around.turn) && at.turn.get(around.turn.len()) == Some(&turn)
            };
            self.seen.keys().chain(&self.begun).any(|at| at.step > around.step && inside(at))
        };
        let left = self.entries.iter().map(|(at, names)| {
            let names = (0..).zip(names).filter(|(turn, _)| !is_touched(at, *turn));
            (at.step, names.map(|(_, name)| name.clone()).collect::<Vec<_>>())
        });
        left.filter(|(_, names)| !names.is_empty()).collect()
    }

    pub fn chosen(&self, at: &StepAt) -> Option<u32> {
        self.chosen.get(at).copied()
    }

    pub fn choose(&mut self, at: StepAt, choice: u32) {
        self.fresh_choices.push(at.clone());
        self.chosen.insert(at, choice);
    }

    pub const fn located(&self) -> Option<&Located> {
        self.located.as_ref()
    }

    pub const fn not_located(&self) -> Option<&Lack> {
        self.not_located.as_ref()
    }

    /// Keeps the target for the rest of the run. The journal remembers that there is one.
    pub fn locate(&mut self, located: Located) {
        self.choose(TARGET, u32::try_from(located.hosts.len()).unwrap_or(u32::MAX));
        self.located = Some(located);
    }

    pub fn cannot_locate(&mut self, lack: Lack) {
        self.not_located = Some(lack);
    }

    /// An owner before us had found the target when something was changed, and nobody knows any more
    /// which hosts that were.
    pub fn has_forgotten_target(&self) -> bool {
        self.chosen(&TARGET).is_some() && self.located.is_none()
    }

    /// The place of a step's `when`, apart from its branch or loop.
    pub fn entry_of(at: &StepAt) -> StepAt {
        let mut turn = at.turn.clone();
        turn.push(CHOICE);
        StepAt { step: at.step, turn }
    }

    /// What happened since the journal was written last; `None` for nothing.
    pub fn way(&mut self) -> Option<Entry> {
        let fresh = std::mem::take(&mut self.fresh);
        let choices = std::mem::take(&mut self.fresh_choices);
        if fresh.is_empty() && choices.is_empty() {
            return None;
        }
        let seen = fresh.into_iter().filter_map(|step| {
            let seen = self.seen.get(&step)?;
            Some(passed(step, seen))
        });
        let chosen = choices.into_iter().filter_map(|at| {
            let choice = self.chosen(&at)?;
            Some((at, choice))
        });
        Some(Entry::Way { seen: seen.collect(), chosen: chosen.collect() })
    }

    /// The same, with the outputs of its steps told in another way.
    #[must_use]
    pub fn with_outputs(&self, tell: impl Fn(&str) -> String) -> Self {
        let mut told = self.clone();
        for seen in told.seen.values_mut() {
            if let Some(Value::String(output)) = seen.values.get_mut(OUTPUT) {
                *output = tell(output);
            }
        }
        told
    }

    /// Texts that later steps may need and that the journal must not hold.
    pub fn has_text(&self) -> bool {
        let has_text = |seen: &Seen| seen.values.iter().any(|(name, value)| is_text(name, value));
        self.located.is_some() || self.seen.values().any(has_text)
    }

    /// From the journal, and from what was kept beside it.
    pub fn of(journal: &Journal, beside: Option<Self>) -> Self {
        let mut memory = beside.unwrap_or_default();
        memory.doubts = journal.in_doubt();
        for entry in journal.entries() {
            match entry {
                Entry::Way { seen, chosen } => {
                    for passed in seen {
                        let values = passed.values.iter().map(|(name, value)| {
                            (name.clone(), serde_json::to_value(value).unwrap_or(Value::Null))
                        });
                        memory.seen.entry(passed.step.clone()).or_insert_with(|| Seen {
                            result: passed.result,
                            values: values.collect(),
                        });
                    }
                    memory.chosen.extend(chosen.iter().cloned());
                }
                Entry::Intent { step, .. } if !memory.begun.contains(step) => {
                    memory.begun.push(step.clone());
                }
                Entry::Done { step, result, .. } => {
                    let seen = Seen { result: *result, values: Map::new() };
                    memory.seen.entry(step.clone()).or_insert(seen);
                }
                Entry::Intent { .. }
                | Entry::Deferred { .. }
                | Entry::Asked { .. }
                | Entry::Answered { .. }
                | Entry::NotPaged { .. }
                | Entry::LastResort { .. }
                | Entry::Telling { .. }
                | Entry::Told { .. }
                | Entry::Closing { .. } => {}
            }
        }
        memory
    }
}

/// What a step printed.
const OUTPUT: &str = "output";

/// Built-in names whose texts nobody needs after a take-over.
fn is_text(name: &str, value: &Value) -> bool {
    name != OUTPUT && matches!(value, Value::String(_) | Value::Array(_))
}

fn passed(step: StepAt, seen: &Seen) -> Passed {
    let has_text = seen.values.iter().any(|(name, value)| is_text(name, value));
    let values = seen.values.iter().filter_map(|(name, value)| {
        let plain = match value {
            Value::Bool(value) => Plain::Bool(*value),
            Value::Number(number) => {
                number.as_i64().map(Plain::Whole).or_else(|| number.as_f64().map(Plain::Decimal))?
            }
            Value::Null => Plain::Nothing,
            _ => return None,
        };
        Some((name.clone(), plain))
    });
    Passed { step, result: seen.result, values: values.collect(), has_text }
}
