//! Many runs as figures: how many alerts, how many AMS handled, how long each stage took. Pure.

pub mod period;
pub mod spread;

use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use crate::claim::protocol::StandDownReason;
use crate::history::figure::Figure;
use crate::history::story::Known;
use crate::incident::{IncidentId, Outcome};

pub use self::period::Period;
pub use self::spread::Spread;

/// By what runs are put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum By {
    Customer,
    Service,
    Scenario,
    /// Of the calendar, from Monday.
    Week,
    Month,
}

impl By {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Service => "service",
            Self::Scenario => "scenario",
            Self::Week => "week",
            Self::Month => "month",
        }
    }

    /// Groups of time stand in its order, the others by size.
    pub const fn is_time(self) -> bool {
        matches!(self, Self::Week | Self::Month)
    }
}

/// Which runs are meant; everything that is not named is.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    pub customer: Option<String>,
    /// Id or name.
    pub service: Option<String>,
    pub scenario: Option<String>,
}

impl Wanted {
    fn has(&self, figure: &Figure) -> bool {
        let id = |known: &Option<Known>| known.as_ref().map(|known| known.id.clone());
        let is_service = |wanted: &String| {
            figure.service.as_ref().is_some_and(|it| it.id == *wanted || it.name == *wanted)
        };
        (self.customer.is_none() || self.customer == id(&figure.customer))
            && self.service.as_ref().is_none_or(is_service)
            && (self.scenario.is_none() || self.scenario == figure.scenario)
    }
}

/// What is told of some runs.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Group {
    /// Id of the customer, service or scenario, first day of the week or month; nothing for those that
    /// have none.
    pub key: Option<String>,
    pub name: Option<String>,
    /// Incidents that came to AMS; one that is opened again counts again.
    pub alerts: usize,
    /// A scenario was meant for them.
    pub matched: usize,
    /// AMS ended them, and nobody opened them again.
    pub handled: usize,
    /// Of `handled`: a recovery ran and its verify passed.
    pub recovered: usize,
    /// Of `handled`: the first look found nothing broken.
    pub recovered_itself: usize,
    /// Ended by AMS and opened again afterwards.
    pub reopened: usize,
    /// Given to people as the scenario says.
    pub handed_off: usize,
    /// Given to people because something failed.
    pub escalated: usize,
    /// A person took over.
    pub taken_over: usize,
    /// Ended without AMS while it was at it, or before: monitoring cleared it, or it was merged.
    pub ended_meanwhile: usize,
    pub suspended: usize,
    pub shadowed: usize,
    pub unmatched: usize,
    /// From the incident's beginning until AMS had it.
    pub to_claim: Spread,
    /// Until the first step began.
    pub to_first_action: Spread,
    /// Until it was resolved, where AMS recovered it.
    pub to_recovery: Spread,
    /// Until people were told, where it went to them.
    pub to_hand_off: Spread,
    /// Time people did not spend on what was handled.
    pub saved_minutes: u64,
}

impl Group {
    /// AMS対応率: of all alerts, those that AMS handled.
    pub fn rate(&self) -> f64 {
        share(self.handled, self.alerts)
    }
}

pub fn share(part: usize, whole: usize) -> f64 {
    if whole == 0 {
        return 0.0;
    }
    #[expect(clippy::cast_precision_loss, reason = "counts of incidents are far below 2^52")]
    let (part, whole) = (part as f64, whole as f64);
    part / whole
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Section {
    pub by: By,
    pub groups: Vec<Group>,
}

#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Report {
    pub total: Group,
    pub sections: Vec<Section>,
}

/// How runs are counted.
#[derive(Clone, Debug)]
pub struct Terms {
    pub period: Period,
    pub wanted: Wanted,
    /// Days and weeks begin in this zone.
    pub zone: TimeZone,
    /// Of what a scenario does not say itself.
    pub by_hand: Duration,
}

impl Report {
    /// `all` may reach beyond the period: whether an incident was opened again is seen from its next
    /// run.
    pub fn of(all: &[Figure], terms: &Terms, by: &[By]) -> Self {
        let again: HashSet<(&IncidentId, u32)> =
            all.iter().filter(|it| it.run > 1).map(|it| (&it.incident, it.run - 1)).collect();
        let counts = |it: &&Figure| terms.period.has(it.claimed_at) && terms.wanted.has(it);
        let runs: Vec<(&Figure, bool)> = all
            .iter()
            .filter(counts)
            .map(|figure| (figure, again.contains(&(&figure.incident, figure.run))))
            .collect();
        let mut total = Tally::default();
        for (figure, reopened) in &runs {
            total.add(figure, *reopened, terms.by_hand);
        }
        let sections = by.iter().map(|by| section(&runs, *by, terms)).collect();
        Self { total: total.group(None, None), sections }
    }
}

fn section(runs: &[(&Figure, bool)], by: By, terms: &Terms) -> Section {
    let mut tallies: HashMap<Option<String>, (Option<String>, Tally)> = HashMap::new();
    for (figure, reopened) in runs {
        let (key, name) = match by {
            By::Customer => both(figure.customer.as_ref()),
            By::Service => both(figure.service.as_ref()),
            By::Scenario => (figure.scenario.clone(), None),
            By::Week => (Some(period::week(figure.claimed_at, &terms.zone)), None),
            By::Month => (Some(period::month(figure.claimed_at, &terms.zone)), None),
        };
        let (known, tally) = tallies.entry(key).or_default();
        if name.is_some() {
            // Names change: the last one is what people know it by.
            *known = name;
        }
        tally.add(figure, *reopened, terms.by_hand);
    }
    let each = tallies.into_iter().map(|(key, (name, tally))| tally.group(key, name));
    let mut groups: Vec<Group> = each.collect();
    groups.sort_by(|one, other| {
        let size = |it: &Group| Reverse(if by.is_time() { 0 } else { it.alerts });
        (size(one), &one.key).cmp(&(size(other), &other.key))
    });
    Section { by, groups }
}

fn both(known: Option<&Known>) -> (Option<String>, Option<String>) {
    known.map(|it| (it.id.clone(), it.name.clone())).unzip()
}

/// A group while it is counted.
#[derive(Default)]
struct Tally {
    outcomes: BTreeMap<&'static str, usize>,
    reopened: usize,
    taken_over: usize,
    claim: Vec<i64>,
    first_action: Vec<i64>,
    recovery: Vec<i64>,
    hand_off: Vec<i64>,
    saved: Duration,
}

impl Tally {
    fn add(&mut self, figure: &Figure, reopened: bool, by_hand: Duration) {
        let outcome = figure.outcome;
        let is_handled = matches!(outcome, Outcome::Resolved | Outcome::RecoveredItself);
        if is_handled && reopened {
            self.reopened += 1;
        } else {
            *self.outcomes.entry(outcome.word()).or_default() += 1;
        }
        if is_handled && !reopened {
            self.saved += figure.by_hand_seconds.map_or(by_hand, Duration::from_secs);
        }
        if outcome == Outcome::StoodDown && !ended_by_itself(figure.stood_down) {
            self.taken_over += 1;
        }
        let millis =
            |at: Timestamp| i64::try_from(figure.until(at).as_millis()).unwrap_or(i64::MAX);
        // Without the time at which it came there is nothing to count the claim from.
        self.claim.extend(figure.came_at.map(|_| millis(figure.claimed_at)));
        self.first_action.extend(figure.acted_at.map(millis));
        match outcome {
            Outcome::Resolved => self.recovery.extend(figure.told_at.map(millis)),
            Outcome::HandedOff | Outcome::Escalated => {
                self.hand_off.extend(figure.told_at.map(millis));
            }
            _ => {}
        }
    }

    fn group(self, key: Option<String>, name: Option<String>) -> Group {
        let count = |outcome: Outcome| self.outcomes.get(outcome.word()).copied().unwrap_or(0);
        let alerts = self.outcomes.values().sum::<usize>() + self.reopened;
        let unmatched = count(Outcome::Unmatched);
        let (recovered, recovered_itself) =
            (count(Outcome::Resolved), count(Outcome::RecoveredItself));
        Group {
            key,
            name,
            alerts,
            matched: alerts - unmatched,
            handled: recovered + recovered_itself,
            recovered,
            recovered_itself,
            reopened: self.reopened,
            handed_off: count(Outcome::HandedOff),
            escalated: count(Outcome::Escalated),
            taken_over: self.taken_over,
            ended_meanwhile: count(Outcome::StoodDown) - self.taken_over,
            suspended: count(Outcome::Suspended),
            shadowed: count(Outcome::Shadowed),
            unmatched,
            to_claim: Spread::of(self.claim),
            to_first_action: Spread::of(self.first_action),
            to_recovery: Spread::of(self.recovery),
            to_hand_off: Spread::of(self.hand_off),
            saved_minutes: self.saved.as_secs() / 60,
        }
    }
}

/// Nobody took it over: there was nothing left to do.
const fn ended_by_itself(reason: Option<StandDownReason>) -> bool {
    matches!(
        reason,
        Some(
            StandDownReason::ResolvedByMonitoring
                | StandDownReason::Merged
                | StandDownReason::OverBeforeStart
        )
    )
}

#[cfg(test)]
mod tests;
