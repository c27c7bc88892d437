//! The stages in one place, for one incident; nothing else decides their order.
//!
//! receive → match → claim → (2xx) → execute → report → hand off → finish. Matching comes before
//! the claim is written because the claim names the scenario; it is pure and takes microseconds.

use std::collections::BTreeMap;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::begun::{Begun, Witness};
use crate::chronicle;
use crate::claim::journal::Journal;
use crate::claim::protocol::{Opening, Refusal, ScenarioRef, StandDownReason};
use crate::claim::{ClaimAnswer, Claims, StoreError};
use crate::customer::Customer;
use crate::early::EarlyEnds;
use crate::execute::end::Told;
use crate::execute::memory::Memory;
use crate::execute::run::{Answer, Executor};
use crate::history::story::Near;
use crate::incident::{Incident, IncidentId, Outcome, Region};
use crate::matching::Choice;
use crate::metrics::Metrics;
use crate::receive::http::{Intake, Taken};
use crate::receive::{Delivery, Event};
use crate::report::reporter::Reporter;
use crate::report::title;
use crate::rules::Rules;
use crate::runs::Runs;

/// One region's way from a delivery to an outcome.
pub struct Pipeline {
    pub region: Region,
    /// Scenarios and customers in force.
    pub rules: Rules,
    /// The operator's variables, for templates.
    pub vars: BTreeMap<String, String>,
    pub executor: Executor,
    pub reporter: Reporter,
    pub fallback_policy: Option<String>,
    /// AMS's own PagerDuty user.
    pub bot_user: String,
    pub runs: Runs,
    pub early_ends: EarlyEnds,
    pub metrics: Metrics,
    pub witness: Option<Arc<dyn Witness>>,
}

impl Pipeline {
    pub const fn claims(&self) -> &Claims {
        &self.executor.claims
    }

    pub async fn open(
        self: &Arc<Self>,
        mut incident: Incident,
        opening: Opening,
    ) -> Result<Taken, StoreError> {
        if let Err(why) = self.may_begin() {
            return Ok(Taken::TryAgain { why });
        }
        if self.early_ends.heard_of(&incident.id) {
            // Whatever its event says of the time: PagerDuty is asked before anything is done.
            incident.seen_at = Timestamp::UNIX_EPOCH;
        }
        let title = title::original(&incident.title);
        let rules = self.rules.current();
        let customer = rules.customer_of(&incident);
        let meant = match rules.choose(title, &incident, customer.as_deref()) {
            Choice::Scenario { meant, .. } => meant,
            Choice::None { near } => {
                for miss in &near {
                    tracing::info!(
                        incident.id = %incident.id, scenario.name = miss.scenario.id,
                        "incident {} has the keywords of {}, but its '{}' is no {}",
                        incident.id, miss.scenario.id, miss.capture, miss.kind.word(),
                    );
                }
                let near = near.iter().map(chronicle::near_miss).collect();
                return self.leave_to_people(&incident, customer.as_deref(), opening, near).await;
            }
            Choice::Ambiguous { several, .. } => {
                let ids: Vec<&str> =
                    several.iter().map(|meant| meant.scenario.id.as_str()).collect();
                tracing::warn!(
                    incident.id = %incident.id,
                    "incident {} is meant by several scenarios equally: {}",
                    incident.id, ids.join(", "),
                );
                let near = several.iter().map(chronicle::equal).collect();
                return self.leave_to_people(&incident, customer.as_deref(), opening, near).await;
            }
        };
        let scenario =
            ScenarioRef { id: meant.scenario.id.clone(), hash: meant.scenario.hash.clone() };
        match self.claims().claim(&incident.id, opening, Some(scenario), None).await? {
            ClaimAnswer::Won(claim) => {
                let run = claim.run().to_string();
                tracing::info!(
                    incident.id = %incident.id, scenario.name = meant.scenario.id,
                    "run {run} is ours: scenario {}", meant.scenario.id,
                );
                let place = self.runs.enrol(&incident.id);
                self.start(Begun {
                    claim,
                    incident,
                    scenario: meant.scenario,
                    captures: meant.captures,
                    customer,
                    journal: Journal::default(),
                    memory: Memory::default(),
                    told: Told::default(),
                    reports: Vec::new(),
                    taken_over: false,
                    title_under_way: false,
                    in_doubt: Vec::new(),
                    end: None,
                    place,
                });
                Ok(Taken::Claimed { run })
            }
            ClaimAnswer::Noted(_) => Ok(Taken::Unmatched),
            ClaimAnswer::Lost(refusal) => Ok(self.lost(&refusal)),
        }
    }

    /// Records, once in the world, that no scenario is meant for it.
    async fn leave_to_people(
        &self,
        incident: &Incident,
        customer: Option<&Customer>,
        opening: Opening,
        near: Vec<Near>,
    ) -> Result<Taken, StoreError> {
        let outcome = Some(Outcome::Unmatched);
        let Incident { id, .. } = incident;
        match self.claims().claim(id, opening, None, outcome).await? {
            ClaimAnswer::Noted(run) => {
                self.keep_unmatched(run, incident, customer, near);
                self.metrics.run_ended(Outcome::Unmatched);
                tracing::info!(incident.id = %id, "incident {id} is left to people");
                Ok(Taken::Unmatched)
            }
            ClaimAnswer::Won(_) => Ok(Taken::Unmatched),
            ClaimAnswer::Lost(refusal) => Ok(self.lost(&refusal)),
        }
    }

    fn lost(&self, refusal: &Refusal) -> Taken {
        tracing::debug!(owner = %self.claims().owner(), "not claimed here: {refusal}");
        let why = refusal.to_string();
        match refusal {
            Refusal::StillOpen { .. } => Taken::TryAgain { why },
            _ => Taken::Elsewhere { why },
        }
    }

    /// Carries a run out in the background.
    pub fn start(self: &Arc<Self>, begun: Begun) {
        let pipeline = Arc::clone(self);
        self.runs.spawn(async move { pipeline.respond(begun).await });
    }

    /// A run that no heartbeat of ours vouches for would be taken over at once.
    fn may_begin(&self) -> Result<(), String> {
        if let Some(why) = self.runs.refuses() {
            return Err(why.to_owned());
        }
        if !self.executor.pulse.is_good() {
            return Err("the claim store does not take this process's heartbeat".to_owned());
        }
        Ok(())
    }

    async fn taken_from_us(
        &self,
        incident: &IncidentId,
        reason: StandDownReason,
        (by, at): (Option<String>, Option<Timestamp>),
    ) -> Result<Taken, StoreError> {
        match self.claims().stand_down(incident, reason, by, at).await? {
            Ok(stand_down) => {
                tracing::info!(
                    incident.id = %incident, ?reason,
                    "the run of incident {incident} was asked to stand down",
                );
                self.runs.stand_down(incident, stand_down);
                Ok(Taken::StandDown)
            }
            Err(Refusal::Unclaimed { .. }) => {
                self.early_ends.note(incident);
                Ok(Taken::Ignored)
            }
            // Nobody is working on it any more: there is nothing to stop.
            Err(_) => Ok(Taken::Ignored),
        }
    }
}

/// The intake side: a delivery of this process's receiver.
pub struct PipelineIntake(pub Arc<Pipeline>);

#[async_trait]
impl Intake for PipelineIntake {
    async fn take(&self, delivery: Delivery) -> Taken {
        let pipeline = Arc::clone(&self.0);
        // On a task of its own: the caller may stop waiting, but a claim that is made must be
        // followed by its run.
        let taken = tokio::spawn(async move {
            match delivery.event {
                Event::Opened { incident, opening } => pipeline.open(*incident, opening).await,
                Event::TakenFromUs { incident, reason, by, at } => {
                    pipeline.taken_from_us(&incident, reason, (by, at)).await
                }
                Event::Answered { incident, approved, at } => {
                    pipeline.runs.answer(&incident, Answer { approved, at });
                    Ok(Taken::Ignored)
                }
                Event::Ignored(_) => Ok(Taken::Ignored),
            }
        });
        match taken.await {
            Ok(Ok(taken)) => taken,
            Ok(Err(error)) => {
                self.0.metrics.store_errors.inc();
                Taken::TryAgain { why: error.to_string() }
            }
            Err(error) => Taken::TryAgain { why: format!("a bug: {error}") },
        }
    }

    /// A bad change keeps the rules before in force: ready, but it must be seen.
    fn remark(&self) -> Option<String> {
        let why = self.0.rules.refused()?;
        Some(format!("changed scenarios are refused, the set before stays in force: {why}"))
    }

    fn readiness(&self) -> Result<(), String> {
        self.0.may_begin()
    }
}
