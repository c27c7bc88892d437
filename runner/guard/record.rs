//! What the guards of all regions know of one customer: who recovered what and when, and how that
//! ended. One small text in the ledger; names of hosts and groups only as marks.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::{Ask, Target};
use crate::claim::ledger::Mark;
use crate::incident::{Outcome, RunId};
use crate::limits;

/// The form of records this version reads and writes.
const FORMAT: u32 = 1;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Record {
    #[serde(rename = "v")]
    format: u32,
    /// In the order they were granted, which is not always that of their times: the clocks of two
    /// machines differ.
    pub entries: Vec<Entry>,
    /// Runs that came to a recovery lately, whatever they were told.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub asked: Vec<Asked>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub storms: Vec<Storm>,
}

/// One recovery that was granted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    pub run: RunId,
    #[serde(rename = "s")]
    pub scenario: String,
    #[serde(rename = "t")]
    pub target: Mark,
    #[serde(rename = "g", default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<Mark>,
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub at: Timestamp,
    /// Nothing while its run goes on, or while nobody has told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Ended>,
}

/// How a run ended that had recovered something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Ended {
    /// A verify passed.
    Met,
    NotMet,
    /// Nobody looked, or could tell.
    Unclear,
}

impl Ended {
    /// As far as the outcome of the run tells.
    pub const fn of(outcome: Outcome) -> Self {
        match outcome {
            Outcome::Resolved => Self::Met,
            Outcome::Escalated => Self::NotMet,
            Outcome::RecoveredItself
            | Outcome::HandedOff
            | Outcome::StoodDown
            | Outcome::Suspended
            | Outcome::Shadowed
            | Outcome::Unmatched => Self::Unclear,
        }
    }
}

/// A run that came to its first recovery.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Asked {
    pub run: RunId,
    #[serde(rename = "s")]
    pub scenario: String,
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub at: Timestamp,
}

/// A storm gate that has closed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Storm {
    /// Of this scenario only.
    #[serde(rename = "s", default, skip_serializing_if = "Option::is_none")]
    pub scenario: Option<String>,
    /// The run that it stopped first: that one tells people.
    pub first: RunId,
    /// When the last run came.
    #[serde(with = "jiff::fmt::serde::timestamp::millisecond::required")]
    pub last: Timestamp,
}

impl Default for Record {
    fn default() -> Self {
        let (entries, asked, storms) = Default::default();
        Self { format: FORMAT, entries, asked, storms }
    }
}

impl Record {
    /// What the ledger holds. Answers with what is wrong where this version cannot read it.
    pub fn parse(text: Option<&str>) -> Result<Self, String> {
        let Some(text) = text else { return Ok(Self::default()) };
        let record: Self = serde_json::from_str(text).map_err(|error| error.to_string())?;
        if record.format > FORMAT {
            return Err(format!("it has format {}, this version knows {FORMAT}", record.format));
        }
        Ok(record)
    }

    pub fn text(&self) -> Result<String, String> {
        serde_json::to_string(self).map_err(|error| error.to_string())
    }

    /// There is room for it in the ledger, and for the words that are still to come: how each run
    /// ends.
    pub(super) fn fits(&self) -> bool {
        const WORD: usize = r#","ended":"not_met""#.len();
        let going_on = self.entries.iter().filter(|entry| entry.ended.is_none()).count();
        self.text().is_ok_and(|text| text.len() + going_on * WORD <= limits::LEDGER_BYTES)
    }

    /// Writes down how runs have ended. What is written once stays.
    pub fn settle(&mut self, run: &RunId, ended: Ended) {
        for entry in self.entries.iter_mut().filter(|entry| entry.run == *run) {
            entry.ended.get_or_insert(ended);
        }
    }

    /// Forgets what no guard can count any more.
    pub(super) fn forget_old(&mut self, now: Timestamp) {
        self.entries.retain(|entry| later(entry.at, limits::GUARD_WINDOW) > now);
        self.asked.retain(|asked| later(asked.at, limits::STORM_WINDOW) > now);
        self.storms.retain(|storm| later(storm.last, limits::GUARD_WINDOW) > now);
    }

    /// This run's own recovery of the target by the scenario.
    pub(super) fn has(&self, ask: &Ask, target: &Mark) -> bool {
        let is_it = |entry: &Entry| {
            entry.run == ask.run && entry.scenario == ask.scenario && entry.target == *target
        };
        self.entries.iter().any(is_it)
    }

    pub(super) fn enter(&mut self, ask: &Ask, target: &Target, at: Timestamp) {
        self.entries.push(Entry {
            run: ask.run.clone(),
            scenario: ask.scenario.clone(),
            target: target_mark(ask, target),
            groups: target.groups.iter().map(|group| group_mark(ask, group)).collect(),
            at,
            ended: None,
        });
    }
}

pub(super) fn target_mark(ask: &Ask, target: &Target) -> Mark {
    Mark::of(&["target", ask.customer.as_deref().unwrap_or_default(), &target.name])
}

pub(super) fn group_mark(ask: &Ask, group: &str) -> Mark {
    Mark::of(&["group", ask.customer.as_deref().unwrap_or_default(), group])
}

/// The end of time where the calendar ends before.
pub(super) fn later(at: Timestamp, by: Duration) -> Timestamp {
    let by = SignedDuration::try_from(by).unwrap_or(SignedDuration::MAX);
    at.checked_add(by).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_of_a_newer_version_is_not_read() {
        let newer = r#"{"v":2,"entries":[]}"#;
        let refused = Record::parse(Some(newer)).unwrap_err();
        assert_eq!(refused, "it has format 2, this version knows 1");
        assert!(Record::parse(Some(r#"{"v":1,"entries":[],"more":1}"#)).is_err());
        assert_eq!(Record::parse(None), Ok(Record::default()));
    }

    #[test]
    fn the_first_word_about_an_end_stays() {
        let run = RunId { incident: crate::incident::IncidentId::parse("P1").unwrap(), number: 1 };
        let text = r#"{"v":1,"entries":[{"run":{"incident":"P1","number":1},"s":"restart-web",
            "t":"00","at":1772452800000}]}"#;
        let mut record = Record::parse(Some(text)).unwrap();
        record.settle(&run, Ended::Met);
        record.settle(&run, Ended::Unclear);
        assert_eq!(record.entries[0].ended, Some(Ended::Met));
        assert_eq!(Record::parse(Some(&record.text().unwrap())), Ok(record));
    }
}
