//! A run of this process, from its claim or take-over to its outcome.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use tokio::time::Instant;

use crate::claim::Claim;
use crate::claim::hold::Hold;
use crate::claim::journal::{Journal, StepAt};
use crate::customer::{Customer, Destination};
use crate::execute::end::{End, Told};
use crate::execute::memory::Memory;
use crate::execute::run::StepReport;
use crate::execute::world::World;
use crate::incident::Incident;
use crate::mask::Mask;
use crate::paging::Acknowledge;
use crate::report::packet::Beside;
use crate::report::reporter::Reporter;
use crate::report::{Resolution, Way, title};
use crate::runs::Enrolled;
use crate::scenario::model::{Mode, Scenario};
use crate::scenario::step::Step;
use crate::scenario::value::Values;

/// Part of a run's deadline that is kept for telling people, at most.
const TELLING: Duration = Duration::from_mins(1);

/// A run from where it stands: claimed just now, or taken over.
pub struct Begun {
    pub hold: Arc<Hold>,
    /// Writes for this run only while it is held.
    pub reporter: Reporter,
    pub incident: Incident,
    pub scenario: Arc<Scenario>,
    pub captures: BTreeMap<String, String>,
    pub customer: Option<Arc<Customer>>,
    pub journal: Journal,
    /// What was seen and decided by owners before.
    pub memory: Memory,
    /// What the author says at the end, once it is known.
    pub told: Told,
    /// Where else people were told of the end.
    pub beside: Vec<Beside>,
    /// What is known of steps that an earlier owner carried out.
    pub reports: Vec<StepReport>,
    pub taken_over: bool,
    /// A title of an earlier state may still be on its way to PagerDuty.
    pub start_under_way: bool,
    /// Steps whose results nobody knows.
    pub in_doubt: Vec<StepAt>,
    /// How people were paged for its end.
    pub paged: Option<Way>,
    /// How it had been resolved before this run could resolve it.
    pub cleared: Option<Resolution>,
    /// Set when there is nothing left to carry out, only to tell.
    pub end: Option<End>,
    /// When people had been told of the end: the incident was resolved, or given to them.
    pub told_at: OnceLock<Timestamp>,
    pub place: Enrolled,
}

/// What a run knows before its first step.
pub fn base_values(
    scenario: &Scenario,
    captures: &BTreeMap<String, String>,
    vars: &BTreeMap<String, String>,
    incident: &Incident,
) -> Values {
    let mut base = Values::default();
    base.set("capture", World::captures(scenario, captures));
    base.set("vars", json!(vars));
    base.set(
        "incident",
        json!({
            "id": incident.id.as_str(),
            "title": title::original(&incident.title),
            "url": incident.html_url.clone().unwrap_or_default(),
            "urgency": incident.urgency.word(),
            "service": incident.service.as_ref().map(|service| service.name.clone()),
        }),
    );
    base
}

/// Told how each run went; rehearsals look at it from inside.
pub trait Witness: Send + Sync {
    fn ended(&self, begun: &Begun, end: &End);
}

impl Begun {
    pub fn claim(&self) -> &Claim {
        self.hold.claim()
    }

    /// What was kept whole of its outputs, where it was written.
    pub fn evidence(&self) -> Vec<PathBuf> {
        let seen = self.reports.iter().filter_map(|report| report.seen.as_ref());
        seen.flat_map(|seen| [&seen.stdout, &seen.stderr])
            .filter_map(|output| output.evidence.clone())
            .collect()
    }

    /// What is said of the run must not say.
    pub fn mask(&self) -> &Mask {
        &self.reporter.style.mask
    }

    /// Where the customer says that a hand-off to this name goes.
    pub fn destination(&self) -> Option<&Destination> {
        let to = self.told.to.as_ref()?;
        self.customer.as_ref()?.destinations.get(to)
    }

    /// The escalation policy its hand-off goes to: the destination's, else the customer's; without
    /// either the incident keeps its own.
    /// Status or urgency of the incident may be other than when it came, by this run itself.
    pub fn may_have_changed_it(&self) -> bool {
        let finds = |step: &&Step| step.if_broken.urgency.is_some();
        self.taken_over
            || self.reporter.acknowledge != Acknowledge::Never
            || self.scenario.walk().iter().any(finds)
    }

    pub fn hand_off_policy(&self) -> Option<String> {
        let named = self.destination().and_then(|destination| destination.policy.clone());
        named.or_else(|| self.customer.as_ref()?.escalation.clone())
    }

    pub fn world(&self, vars: &BTreeMap<String, String>) -> World {
        let base = base_values(&self.scenario, &self.captures, vars, &self.incident);
        World {
            base,
            customer: self.customer.clone(),
            service: self.incident.service.clone(),
            mask: self.reporter.style.mask.clone(),
        }
    }

    /// Times of day are meant in the customer's zone.
    pub fn zone(&self, ours: &TimeZone) -> TimeZone {
        self.customer.as_ref().map_or_else(|| ours.clone(), |customer| customer.zone.clone())
    }

    pub fn mode(&self) -> Mode {
        let own = self.scenario.mode;
        self.customer.as_ref().map_or(own, |customer| customer.mode(&self.scenario.id, own))
    }

    /// Part of the deadline is kept for telling.
    pub fn room(&self) -> Duration {
        let deadline = self.scenario.deadline;
        deadline.saturating_sub(TELLING.min(deadline / 4))
    }

    /// The deadline counts from the claim, whoever made it; for a run that was put off until the end
    /// of a suspension, from there.
    pub fn act_until(&self, now: Timestamp) -> Instant {
        let opened = self.claim().opened_at();
        let began = self.journal.deferred().map_or(opened, |until| until.max(opened));
        let ends = began + SignedDuration::try_from(self.room()).unwrap_or(SignedDuration::MAX);
        Instant::now() + Duration::try_from(ends.duration_since(now)).unwrap_or_default()
    }
}
