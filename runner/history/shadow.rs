//! What runs in shadow would have done, beside what became of their incidents without them. Pure.
//!
//! Figures for whoever decides about a scenario's mode; never a verdict.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::incident::{IncidentId, Outcome, RunId};

/// What this version writes. A reader passes over what is newer.
const VERSION: u32 = 1;

/// Characters of a title, a step's name, a note; steps and notes that are kept.
const TEXT_CHARS: usize = 600;
const STEPS: usize = 20;
pub const NOTES: usize = 3;

/// One run in shadow.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shadow {
    pub version: u32,
    pub incident: IncidentId,
    pub run: u32,
    pub scenario: String,
    pub customer: Option<String>,
    pub title: String,
    /// The steps that would have changed something, in words.
    pub would: Vec<String>,
    /// How it would have ended without changing anything.
    pub would_end: Option<Outcome>,
    /// When the incident came to AMS.
    pub opened_at: Timestamp,
    /// When AMS would have begun to change something, or would have ended.
    pub at: Timestamp,
    pub resolved: Option<Resolved>,
}

/// How the incident ended without AMS.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Resolved {
    pub at: Timestamp,
    pub by: ResolvedBy,
    /// The first notes that people wrote.
    pub notes: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ResolvedBy {
    Person,
    Monitoring,
    /// Merged into another incident: whoever did it, it was not solved by itself.
    Merged,
}

impl ResolvedBy {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Person => "person",
            Self::Monitoring => "monitoring",
            Self::Merged => "merged",
        }
    }
}

impl Shadow {
    /// Where it lies in the history: all of a month together, by the time the run began.
    pub fn shelf(opened_at: Timestamp) -> String {
        format!("shadow#{}", opened_at.to_zoned(TimeZone::UTC).strftime("%Y-%m"))
    }

    /// The shelves of so many months, this one first.
    pub fn shelves(now: Timestamp, months: i32) -> Vec<String> {
        let first = now.to_zoned(TimeZone::UTC).date().first_of_month();
        let months =
            (0..months).filter_map(|back| first.checked_sub(jiff::Span::new().months(back)).ok());
        months.map(|month| format!("shadow#{}", month.strftime("%Y-%m"))).collect()
    }

    pub fn name(&self) -> String {
        let (incident, number) = (self.incident.clone(), self.run);
        RunId { incident, number }.to_string()
    }

    /// As it is kept: bounded, whatever titles and notes are like.
    pub fn to_text(&self) -> Result<String, serde_json::Error> {
        let mut shadow = Self { version: VERSION, ..self.clone() };
        shadow.title = cut(&shadow.title);
        shadow.would.truncate(STEPS);
        shadow.would.iter_mut().for_each(|step| *step = cut(step));
        if let Some(resolved) = &mut shadow.resolved {
            resolved.notes.truncate(NOTES);
            resolved.notes.iter_mut().for_each(|note| *note = cut(note));
        }
        serde_json::to_string(&shadow)
    }

    /// `None` for what a newer version has written, and for what none has.
    pub fn of_text(text: &str) -> Option<Self> {
        let shadow: Self = serde_json::from_str(text).ok()?;
        (shadow.version <= VERSION).then_some(shadow)
    }

    /// From its coming to AMS until it was resolved.
    pub fn lasted(&self) -> Option<SignedDuration> {
        let resolved = self.resolved.as_ref()?;
        Some(resolved.at.duration_since(self.opened_at).max(SignedDuration::ZERO))
    }

    /// From its coming to AMS until AMS would have acted.
    pub fn would_have_taken(&self) -> SignedDuration {
        self.at.duration_since(self.opened_at).max(SignedDuration::ZERO)
    }
}

fn cut(text: &str) -> String {
    text.chars().take(TEXT_CHARS).collect()
}

/// The runs of one scenario.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Comparison {
    pub scenario: String,
    pub runs: usize,
    /// Not resolved yet, as far as is known.
    pub open: usize,
    pub by_people: Times,
    pub by_monitoring: Times,
    pub merged: usize,
    /// From the incident's coming until AMS would have acted.
    pub ams_would_act_after: Times,
    pub cases: Vec<Shadow>,
}

/// How long it took, in seconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Times {
    pub count: usize,
    pub p50: Option<i64>,
    pub p90: Option<i64>,
}

impl Times {
    /// By nearest rank: a figure that was measured, of however few.
    fn of(times: impl Iterator<Item = SignedDuration>) -> Self {
        let mut seconds: Vec<i64> = times.map(|time| time.as_secs()).collect();
        seconds.sort_unstable();
        let rank = |percent: usize| {
            let place = (seconds.len() * percent).div_ceil(100).max(1) - 1;
            seconds.get(place).copied()
        };
        Self { count: seconds.len(), p50: rank(50), p90: rank(90) }
    }
}

/// Scenario by scenario, each with its runs in order.
pub fn compare(all: Vec<Shadow>) -> Vec<Comparison> {
    let mut by_scenario: BTreeMap<String, Vec<Shadow>> = BTreeMap::new();
    for shadow in all {
        by_scenario.entry(shadow.scenario.clone()).or_default().push(shadow);
    }
    let each = by_scenario.into_iter().map(|(scenario, mut cases)| {
        cases.sort_by_key(|shadow| shadow.opened_at);
        let by = |how| {
            let is_so = move |it: &&Shadow| it.resolved.as_ref().is_some_and(|it| it.by == how);
            cases.iter().filter(is_so)
        };
        Comparison {
            scenario,
            runs: cases.len(),
            open: cases.iter().filter(|shadow| shadow.resolved.is_none()).count(),
            by_people: Times::of(by(ResolvedBy::Person).filter_map(Shadow::lasted)),
            by_monitoring: Times::of(by(ResolvedBy::Monitoring).filter_map(Shadow::lasted)),
            merged: by(ResolvedBy::Merged).count(),
            ams_would_act_after: Times::of(cases.iter().map(Shadow::would_have_taken)),
            cases,
        }
    });
    each.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: i64) -> Timestamp {
        let noon: Timestamp = "2026-03-02T12:00:00Z".parse().unwrap();
        noon + SignedDuration::from_mins(minutes)
    }

    fn shadow(incident: &str, scenario: &str, resolved: Option<(i64, ResolvedBy)>) -> Shadow {
        Shadow {
            version: VERSION,
            incident: IncidentId::parse(incident).unwrap(),
            run: 1,
            scenario: scenario.to_owned(),
            customer: None,
            title: "障".repeat(2_000),
            would: vec!["3. [recover] 起動".to_owned(); 50],
            would_end: None,
            opened_at: at(0),
            at: at(1),
            resolved: resolved.map(|(minutes, by)| Resolved {
                at: at(minutes),
                by,
                notes: vec!["再起動しました".repeat(200); 9],
            }),
        }
    }

    #[test]
    fn a_month_s_runs_lie_together() {
        assert_eq!(Shadow::shelf("2026-03-31T23:59:59Z".parse().unwrap()), "shadow#2026-03");
        let shelves = Shadow::shelves("2026-01-31T12:00:00Z".parse().unwrap(), 3);
        assert_eq!(shelves, ["shadow#2026-01", "shadow#2025-12", "shadow#2025-11"]);
    }

    #[test]
    fn what_is_kept_is_bounded_and_read_back() {
        let text = shadow("P1", "restart", Some((5, ResolvedBy::Person))).to_text().unwrap();
        assert!(text.len() <= crate::limits::PAGE_BYTES, "{}", text.len());
        let read = Shadow::of_text(&text).unwrap();
        assert_eq!((read.would.len(), read.resolved.unwrap().notes.len()), (STEPS, NOTES));
        assert_eq!(Shadow::of_text(&text.replace("\"version\":1", "\"version\":2")), None);
    }

    #[test]
    fn scenarios_are_compared_by_who_resolved_and_how_fast() {
        let mut all: Vec<Shadow> = (1..=10)
            .map(|minutes| {
                shadow(&format!("P{minutes}"), "restart", Some((minutes, ResolvedBy::Person)))
            })
            .collect();
        all.push(shadow("PM", "restart", Some((30, ResolvedBy::Monitoring))));
        all.push(shadow("PX", "restart", Some((30, ResolvedBy::Merged))));
        all.push(shadow("PO", "clean-disk", None));
        let [clean, restart] = compare(all).try_into().unwrap();
        assert_eq!((clean.runs, clean.open, clean.by_people), (1, 1, Times::default()));
        assert_eq!((restart.runs, restart.open, restart.merged), (12, 0, 1));
        let people = Times { count: 10, p50: Some(5 * 60), p90: Some(9 * 60) };
        assert_eq!(restart.by_people, people);
        assert_eq!(restart.by_monitoring.p90, Some(30 * 60));
        assert_eq!(restart.ams_would_act_after.p50, Some(60));
    }
}
