//! A run's story: what people may ask about it later and the claim, which holds no text, cannot
//! tell. One JSON document per run, bounded, masked by whoever writes it.
//!
//! Sentences are kept in both languages: who reads it may not speak the region's.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::claim::journal::StepAt;
use crate::incident::{Outcome, Owner, Region};
use crate::limits;
use crate::scenario::model::Scenario;

/// What this version writes. A reader refuses what is newer.
const VERSION: u32 = 1;

/// Characters of a title, name or sentence.
const TEXT_CHARS: usize = 1_024;
/// Captures, near misses, owners.
const MANY: usize = 50;

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunStory {
    pub version: u32,
    /// The original title.
    pub title: String,
    pub customer: Option<Known>,
    pub service: Option<Known>,
    pub scenario: Option<ScenarioKnown>,
    /// `shadow`, `approve` or `auto`: what the scenario and the customer allowed.
    pub mode: Option<String>,
    /// Those of the scenario that are in the title.
    pub keywords: Vec<String>,
    pub captures: BTreeMap<String, String>,
    /// Why no scenario was chosen, where some came near.
    pub near: Vec<Near>,
    pub carriers: Vec<Carrier>,
    /// When the incident began or was opened again, as PagerDuty says.
    pub came_at: Option<Timestamp>,
    pub opened_at: Option<Timestamp>,
    pub end: Option<Ended>,
}

/// An id with the name people know it by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Known {
    pub id: String,
    pub name: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ScenarioKnown {
    pub id: String,
    pub about: String,
    /// From the claim to the outcome.
    pub deadline_seconds: u64,
    pub steps: Vec<StepKnown>,
}

/// A step as its author wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepKnown {
    /// From 0, as in the journal.
    pub number: usize,
    /// `check`, `recover` and so on.
    pub kind: String,
    pub name: String,
}

/// A scenario that was nearly chosen.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "why")]
pub enum Near {
    /// All keywords, but what stands at the place of a capture has the wrong form.
    Capture { scenario: String, capture: String, kind: String },
    /// One of several that fit equally well.
    Equal { scenario: String },
}

/// A process that carried the run out, from when it said so.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Carrier {
    pub owner: Owner,
    pub region: Region,
    pub epoch: u64,
    pub since: Timestamp,
}

/// What was told at the end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Ended {
    pub at: Timestamp,
    pub outcome: Outcome,
    pub headline: Words,
    pub reason: Words,
    pub steps: Vec<StepTold>,
    /// Begun; whether they ran is unknown.
    pub in_doubt: Vec<StepAt>,
    /// The author's words for this end.
    pub message: Option<String>,
    /// The author's procedure by hand.
    pub manual: Option<String>,
    pub contact: Option<String>,
    pub priority: Option<String>,
    /// Where else people were told, and what came of it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub beside: Vec<Words>,
    pub paged: Paged,
    /// The incident was resolved before AMS could do it: beside what AMS's own steps have found.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cleared: Option<Cleared>,
}

/// Who resolved an incident before AMS, and when, as PagerDuty says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cleared {
    pub at: Timestamp,
    pub by: ClearedBy,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClearedBy {
    Monitoring,
    Person,
}

/// Whom AMS asked PagerDuty to page. What PagerDuty made of it is in the incident's own log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Paged {
    Nobody,
    /// Of the incident's escalation policy.
    Level(u32),
    /// An escalation policy, from its first level.
    Policy(String),
    /// These users themselves.
    Users(Vec<String>),
    /// People who were asked to join.
    Responders,
    /// Nobody by the incident; people were told this way.
    LastResort(String),
    /// The people after those who had it; the level could not be found out.
    Next,
}

/// One step as it went.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StepTold {
    pub at: StepAt,
    /// The loop entry it was for.
    pub entry: Option<String>,
    pub result: Words,
    pub attempts: u32,
    pub began_at: Timestamp,
    /// Nothing where an earlier owner carried it out.
    pub took_ms: Option<u64>,
    /// First lines of what it printed.
    pub output: Vec<String>,
    /// Where all of it is: `tokyo:/var/lib/ams/evidence/…`.
    pub evidence: Option<String>,
}

/// The same in each language.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Words {
    pub ja: String,
    pub en: String,
}

#[derive(Debug, thiserror::Error)]
pub enum UnreadableStory {
    #[error("it was written by a newer ams (version {version})")]
    Newer { version: u64 },
    #[error("it is damaged: {0}")]
    Damaged(#[from] serde_json::Error),
}

impl ScenarioKnown {
    pub fn of(scenario: &Scenario) -> Self {
        let steps = scenario.walk().into_iter().take(limits::STORY_STEPS);
        Self {
            id: scenario.id.clone(),
            about: cut(&scenario.about),
            deadline_seconds: scenario.deadline.as_secs(),
            steps: steps
                .map(|step| StepKnown {
                    number: step.number,
                    kind: step.kind.word().to_owned(),
                    name: step.name.chars().take(limits::STORY_NAME_CHARS).collect(),
                })
                .collect(),
        }
    }
}

impl StepKnown {
    /// Is announced in the journal before it begins.
    pub fn changes(&self) -> bool {
        matches!(self.kind.as_str(), "recover" | "notify")
    }
}

impl RunStory {
    /// As it is kept: at most [`limits::STORY_BYTES`]. What is too much is left out from the end,
    /// output first.
    pub fn to_text(&self) -> Result<String, serde_json::Error> {
        let mut story = Self { version: VERSION, ..self.clone() };
        story.title = cut(&story.title);
        story.near.truncate(MANY);
        story.keywords.truncate(MANY);
        story.captures = story.captures.into_iter().take(MANY).collect();
        for value in story.captures.values_mut() {
            *value = cut(value);
        }
        if let Some(end) = &mut story.end {
            let texts = [&mut end.message, &mut end.manual, &mut end.contact];
            texts.into_iter().flatten().for_each(|text| *text = cut(text));
        }
        let extra = story.carriers.len().saturating_sub(MANY);
        story.carriers.drain(..extra);
        loop {
            let text = serde_json::to_string(&story)?;
            if text.len() <= limits::STORY_BYTES || !story.shorten() {
                return Ok(text);
            }
        }
    }

    /// Leaves something out; `false` when nothing is left that could be.
    fn shorten(&mut self) -> bool {
        if let Some(end) = &mut self.end {
            // The later half of what is there: a few rounds are enough for any number.
            let printed = end.steps.iter_mut().filter(|step| !step.output.is_empty());
            let printed: Vec<&mut StepTold> = printed.collect();
            if !printed.is_empty() {
                let keep = printed.len() / 2;
                printed.into_iter().skip(keep).for_each(|step| step.output.clear());
                return true;
            }
            if end.steps.len() > 1 {
                end.steps.truncate(end.steps.len() / 2);
                return true;
            }
        }
        let steps = self.scenario.as_mut().map(|scenario| &mut scenario.steps);
        let Some(steps) = steps.filter(|steps| !steps.is_empty()) else {
            let had = !self.captures.is_empty() || !self.keywords.is_empty();
            self.captures.clear();
            self.keywords.clear();
            return had;
        };
        steps.truncate(steps.len() / 2);
        true
    }

    pub fn of_text(text: &str) -> Result<Self, UnreadableStory> {
        let value: serde_json::Value = serde_json::from_str(text)?;
        let version = value.get("version").and_then(serde_json::Value::as_u64).unwrap_or_default();
        if version > u64::from(VERSION) {
            return Err(UnreadableStory::Newer { version });
        }
        Ok(serde_json::from_value(value)?)
    }
}

fn cut(text: &str) -> String {
    text.chars().take(TEXT_CHARS).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Words {
        Words { ja: text.to_owned(), en: text.to_owned() }
    }

    #[test]
    fn what_is_too_long_is_left_out_and_the_rest_can_be_read() {
        let step = |number| StepTold {
            at: StepAt::plain(number),
            entry: None,
            result: words("正常"),
            attempts: 1,
            began_at: Timestamp::UNIX_EPOCH,
            took_ms: Some(3),
            output: vec!["\u{1}".repeat(600)],
            evidence: None,
        };
        let end = Ended {
            at: Timestamp::UNIX_EPOCH,
            outcome: Outcome::Resolved,
            headline: words("復旧"),
            reason: words("復旧"),
            steps: (0..300).map(step).collect(),
            in_doubt: Vec::new(),
            message: None,
            manual: None,
            contact: None,
            priority: None,
            beside: Vec::new(),
            paged: Paged::Nobody,
            cleared: None,
        };
        let story = RunStory { title: "障".repeat(9_000), end: Some(end), ..RunStory::default() };
        let text = story.to_text().unwrap();
        assert!(text.len() <= limits::STORY_BYTES, "{}", text.len());
        let read = RunStory::of_text(&text).unwrap();
        assert_eq!(read.title.chars().count(), TEXT_CHARS);
        let end = read.end.unwrap();
        assert!(end.steps.len() > 100, "output goes first: {}", end.steps.len());
        assert_eq!(end.steps[0].result.ja, "正常");
    }

    #[test]
    fn a_story_of_a_newer_version_is_told_from_a_damaged_one() {
        let newer = RunStory::of_text("{\"version\": 2, \"title\": 3}").unwrap_err();
        assert_eq!(newer.to_string(), "it was written by a newer ams (version 2)");
        let damaged = RunStory::of_text("{\"version\": 1").unwrap_err();
        assert!(matches!(damaged, UnreadableStory::Damaged(_)), "{damaged}");
    }
}
