//! What one run is counted by: its times, its outcome, and whose it was. Pure.
//!
//! Kept far longer than the run's claim and story, so it has no titles and no texts but names.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::claim::protocol::StandDownReason;
use crate::history::story::Known;
use crate::incident::{IncidentId, Outcome, RunId};
use crate::limits;

/// What this version writes. A reader passes over what is newer.
const VERSION: u32 = 1;

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Figure {
    pub version: u32,
    pub incident: IncidentId,
    pub run: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer: Option<Known>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<Known>,
    /// Nothing for an incident that no scenario is meant for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scenario: Option<String>,
    pub outcome: Outcome,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stood_down: Option<StandDownReason>,
    /// When the incident began or was opened again, by PagerDuty's clock.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub came_at: Option<Timestamp>,
    /// All further times are by the region's clock.
    pub claimed_at: Timestamp,
    /// When the first step began.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acted_at: Option<Timestamp>,
    /// When it was resolved, or given to people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub told_at: Option<Timestamp>,
    pub ended_at: Timestamp,
    /// How long people need for it by hand, as the scenario says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by_hand_seconds: Option<u64>,
}

impl Figure {
    /// Of a run that ended with this outcome; what else is known is filled in.
    pub fn of(run: &RunId, outcome: Outcome, claimed_at: Timestamp, ended_at: Timestamp) -> Self {
        Self {
            version: VERSION,
            incident: run.incident.clone(),
            run: run.number,
            customer: None,
            service: None,
            scenario: None,
            outcome,
            stood_down: None,
            came_at: None,
            claimed_at,
            acted_at: None,
            told_at: None,
            ended_at,
            by_hand_seconds: None,
        }
    }

    /// Where it lies in the history: all of a day together, by the time the run began. Whoever takes a
    /// run over finds the same place.
    pub fn shelf(claimed_at: Timestamp) -> String {
        format!("figures#{}", claimed_at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d"))
    }

    /// The shelves of all days in which a time from `from` until `to` may lie, in order.
    pub fn shelves(from: Timestamp, to: Timestamp) -> Vec<String> {
        let days = (to.duration_since(from).as_hours() / 24 + 2).clamp(0, limits::REPORT_DAYS * 2);
        let starts = (0..days).map(|day| from + SignedDuration::from_hours(24 * day));
        let mut shelves: Vec<String> =
            starts.take_while(|at| *at < to).chain([to]).map(Self::shelf).collect();
        shelves.dedup();
        shelves
    }

    pub fn name(&self) -> String {
        let (incident, number) = (self.incident.clone(), self.run);
        RunId { incident, number }.to_string()
    }

    /// As it is kept: bounded, whatever names are like.
    pub fn to_text(&self) -> Result<String, serde_json::Error> {
        let cut = |text: &str| text.chars().take(limits::FIGURE_NAME_CHARS).collect::<String>();
        let known = |it: &Option<Known>| {
            it.as_ref().map(|Known { id, name }| Known { id: cut(id), name: cut(name) })
        };
        let (customer, service) = (known(&self.customer), known(&self.service));
        let scenario = self.scenario.as_deref().map(cut);
        serde_json::to_string(&Self { customer, service, scenario, ..self.clone() })
    }

    /// `None` for what a newer version has written, and for what none has.
    pub fn of_text(text: &str) -> Option<Self> {
        let figure: Self = serde_json::from_str(text).ok()?;
        (figure.version <= VERSION).then_some(figure)
    }

    /// From the incident's beginning, as far as that is known, until then. Two clocks may disagree by
    /// a moment: nothing takes less than no time.
    pub fn until(&self, at: Timestamp) -> SignedDuration {
        let from = self.came_at.unwrap_or(self.claimed_at);
        at.duration_since(from).max(SignedDuration::ZERO)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    #[test]
    fn a_day_s_runs_lie_together_and_are_found_by_the_time() {
        let shelves = Figure::shelves(at("2026-02-27T15:00:00Z"), at("2026-03-01T15:00:00Z"));
        assert_eq!(shelves, ["figures#2026-02-27", "figures#2026-02-28", "figures#2026-03-01"]);
        let moment = at("2026-03-01T23:59:59Z");
        assert_eq!(Figure::shelves(moment, moment), ["figures#2026-03-01"]);
        let next = moment + SignedDuration::from_secs(1);
        assert_eq!(Figure::shelves(moment, next), ["figures#2026-03-01", "figures#2026-03-02"]);
    }

    #[test]
    fn what_is_kept_is_small_and_read_back() {
        let run = RunId { incident: IncidentId::parse("Q0EHBFRKT5FPDF").unwrap(), number: 2 };
        let (claimed, ended) = (at("2026-03-01T12:00:00.25Z"), at("2026-03-01T12:00:40Z"));
        let name = Known { id: "PSVC".to_owned(), name: "障".repeat(5_000) };
        let figure = Figure {
            service: Some(name),
            stood_down: Some(StandDownReason::Acknowledged),
            came_at: Some(at("2026-03-01T12:00:01Z")),
            ..Figure::of(&run, Outcome::StoodDown, claimed, ended)
        };
        let text = figure.to_text().unwrap();
        assert!(text.len() < 1_000, "{}", text.len());
        let read = Figure::of_text(&text).unwrap();
        assert_eq!((read.claimed_at, read.stood_down), (figure.claimed_at, figure.stood_down));
        assert_eq!(read.name(), "Q0EHBFRKT5FPDF/2");
        assert_eq!(read.until(claimed), SignedDuration::ZERO, "PagerDuty's clock is ahead");
        assert_eq!(read.until(ended), SignedDuration::from_secs(39));
        assert_eq!(Figure::of_text(&text.replace("\"version\":1", "\"version\":2")), None);
        assert_eq!(Figure::of_text("{"), None);
    }
}
