//! The stages in one place, for one incident; nothing else decides their order.
//!
//! receive → match → claim → (2xx) → execute → report → hand off → finish. Matching comes before
//! the claim is written because the claim names the scenario; it is pure and takes microseconds.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use async_trait::async_trait;
use jiff::Timestamp;
use tracing::Instrument as _;

use crate::begun::{Begun, Witness};
use crate::claim::answers::Answer;
use crate::claim::hold::Hold;
use crate::claim::journal::Journal;
use crate::claim::protocol::{Opening, Refusal, ScenarioRef, StandDown, StandDownReason};
use crate::claim::{Claim, ClaimAnswer, Claims, StoreError};
use crate::customer::Customer;
use crate::early::EarlyEnds;
use crate::evidence::Evidence;
use crate::execute::end::Told;
use crate::execute::memory::Memory;
use crate::execute::run::Executor;
use crate::handoff::Paging;
use crate::handoff::ways::Ways;
use crate::incident::{Incident, IncidentId, Outcome, Region, RunId};
use crate::matching::{Choice, Meant};
use crate::metrics::Metrics;
use crate::prefix;
use crate::receive::http::{Intake, Taken};
use crate::receive::{Delivery, Event};
use crate::report::reporter::Reporter;
use crate::report::{original, title};
use crate::rules::Rules;
use crate::runs::{Enrolled, Runs};
use crate::spans::{self, Cause};

/// One region's way from a delivery to an outcome.
pub struct Pipeline {
    pub region: Region,
    /// The operator's variables, for templates.
    pub vars: BTreeMap<String, String>,
    pub executor: Executor,
    pub reporter: Reporter,
    pub paging: Paging,
    /// AMS's own PagerDuty user.
    pub bot_user: String,
    pub runs: Runs,
    pub early_ends: EarlyEnds,
    pub evidence: Evidence,
    /// Beside PagerDuty.
    pub ways: Ways,
    pub metrics: Metrics,
    pub witness: Option<Arc<dyn Witness>>,
}

impl Pipeline {
    pub const fn claims(&self) -> &Claims {
        &self.executor.claims
    }

    /// For one run: in its customer's language, without its secrets, and only while the run is held.
    pub(crate) fn reporter_for(&self, hold: &Arc<Hold>, customer: Option<&Customer>) -> Reporter {
        self.reporter_of(customer).held_by(hold)
    }

    /// For one customer.
    pub(crate) fn reporter_of(&self, customer: Option<&Customer>) -> Reporter {
        let Some(customer) = customer else { return self.reporter.clone() };
        let lang = customer.lang.unwrap_or(self.reporter.style.lang);
        let acknowledge = customer.acknowledge.unwrap_or(self.reporter.acknowledge);
        let reporter = self.reporter.clone().speaking(lang).acknowledging(acknowledge);
        reporter.masking(&customer.mask)
    }

    /// Scenarios and customers in force.
    pub const fn rules(&self) -> &Rules {
        &self.executor.rules
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
        let incident = original::in_full(&*self.reporter.platform, incident).await;
        let title = title::original(&incident.title);
        let customer = self.rules().current().customer_of(&incident, title);
        let span = spans::matching(&incident.id);
        let Some(meant) = span.in_scope(|| self.meant(&incident, customer.as_deref())) else {
            return self.leave_to_people(&incident, customer.as_deref(), opening).await;
        };
        let Meant { scenario, captures, .. } = meant;
        span.record("scenario.name", scenario.id.as_str());
        drop(span);
        let named = ScenarioRef {
            id: scenario.id.clone(),
            hash: scenario.hash.clone(),
            customer: customer.as_ref().map(|customer| customer.mark()),
        };
        let breaks = self.executor.pulse.breaks();
        let asked = self.claims().claim(&incident.id, opening, Some(named), None);
        let claim = match asked.instrument(spans::claim(&incident.id)).await? {
            ClaimAnswer::Won(claim) => claim,
            ClaimAnswer::Noted(_) => return Ok(Taken::Unmatched),
            ClaimAnswer::Lost(refusal) => return self.lost(&incident, &refusal).await,
        };
        let run = claim.run().to_string();
        tracing::info!(
            incident.id = %incident.id, scenario.name = scenario.id,
            "run {run} is ours: scenario {}", scenario.id,
        );
        let place = self.runs.enrol(claim.run(), claim.opened_at());
        self.pass_on_early(&incident.id, Some(claim.run())).await?;
        let hold = self.hold(claim, breaks, &place);
        self.start(Begun {
            reporter: self.reporter_for(&hold, customer.as_deref()),
            hold,
            incident,
            scenario,
            captures,
            customer,
            journal: Journal::default(),
            memory: Memory::default(),
            told: Told::default(),
            beside: Vec::new(),
            reports: Vec::new(),
            taken_over: false,
            start_under_way: false,
            in_doubt: Vec::new(),
            paged: None,
            cleared: None,
            end: None,
            told_at: OnceLock::new(),
            place,
        });
        Ok(Taken::Claimed { run })
    }

    /// The run of a claim. `breaks` are those of the pulse before it was asked for.
    pub(crate) fn hold(&self, claim: Claim, breaks: u64, place: &Enrolled) -> Arc<Hold> {
        let (claims, pulse) = (self.claims().clone(), self.executor.pulse.clone());
        Arc::new(Hold::new(claims, pulse, claim, breaks, place.stand_down.clone()))
    }

    /// The one scenario that is meant for the incident.
    fn meant(&self, incident: &Incident, customer: Option<&Customer>) -> Option<Meant> {
        let Incident { id, title, .. } = incident;
        if prefix::is_last_resort(title) {
            tracing::info!(incident.id = %id, "incident {id} is a last resort of AMS itself");
            return None;
        }
        match self.rules().current().choose(title::original(title), incident, customer) {
            Choice::Scenario { meant, .. } => return Some(meant),
            Choice::None { near } => {
                for miss in near {
                    tracing::info!(
                        incident.id = %id, scenario.name = miss.scenario.id,
                        "incident {id} has the keywords of {}, but its '{}' is no {}",
                        miss.scenario.id, miss.capture, miss.kind.word(),
                    );
                }
            }
            Choice::Ambiguous { several, .. } => {
                let ids: Vec<&str> =
                    several.iter().map(|meant| meant.scenario.id.as_str()).collect();
                tracing::warn!(
                    incident.id = %id,
                    "incident {id} is meant by several scenarios equally: {}", ids.join(", "),
                );
            }
        }
        None
    }

    /// A wish that was heard before anybody had begun the incident, for whoever has it now. One of
    /// `ours` stands down even if the store cannot be told.
    async fn pass_on_early(
        &self,
        incident: &IncidentId,
        ours: Option<&RunId>,
    ) -> Result<(), StoreError> {
        let Some(wish) = self.early_ends.take(incident) else { return Ok(()) };
        let StandDown { reason, by, at } = wish.clone();
        match (self.claims().stand_down(incident, reason, by, Some(at)).await, ours) {
            (Ok(Ok((run, wish))), _) => self.runs.stand_down(&run, wish),
            (Ok(Err(refusal)), _) => tracing::debug!("a wish concerns nobody any more: {refusal}"),
            (Err(error), Some(run)) => {
                self.metrics.store_errors.inc();
                tracing::warn!(%run, %error, "a wish to stand down is known here only");
                self.runs.stand_down(run, wish);
            }
            (Err(error), None) => {
                self.early_ends.note(incident, wish);
                return Err(error);
            }
        }
        Ok(())
    }

    /// Records, once in the world, that no scenario is meant for it.
    async fn leave_to_people(
        &self,
        incident: &Incident,
        customer: Option<&Customer>,
        opening: Opening,
    ) -> Result<Taken, StoreError> {
        let outcome = Some(Outcome::Unmatched);
        let Incident { id, .. } = incident;
        let asked = self.claims().claim(id, opening, None, outcome);
        match asked.instrument(spans::claim(id)).await? {
            ClaimAnswer::Noted(run) => {
                self.keep_unmatched(run, incident, customer);
                self.metrics.run_ended(Outcome::Unmatched);
                tracing::info!(incident.id = %id, "incident {id} is left to people");
                Ok(Taken::Unmatched)
            }
            ClaimAnswer::Won(_) => Ok(Taken::Unmatched),
            ClaimAnswer::Lost(refusal) => self.lost(incident, &refusal).await,
        }
    }

    async fn lost(&self, incident: &Incident, refusal: &Refusal) -> Result<Taken, StoreError> {
        tracing::debug!(owner = %self.claims().owner(), "not claimed here: {refusal}");
        let why = refusal.to_string();
        let Incident { id, status_by, .. } = incident;
        if let Refusal::StillOpen { run, .. } = refusal {
            // The run before must not end the incident another time.
            let (reason, by) = (StandDownReason::Reopened, status_by.clone());
            if let Ok((run, wish)) = self.claims().stand_down_run(run, reason, by).await? {
                self.runs.stand_down(&run, wish);
            }
            return Ok(Taken::TryAgain { why });
        }
        self.pass_on_early(id, None).await?;
        Ok(Taken::Elsewhere { why })
    }

    /// Carries a run out in the background.
    pub fn start(self: &Arc<Self>, begun: Begun) {
        let pipeline = Arc::clone(self);
        let cause = Cause::here();
        self.runs.spawn(async move { Box::pin(pipeline.respond(begun, cause)).await });
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
        self: &Arc<Self>,
        incident: &IncidentId,
        reason: StandDownReason,
        (by, at): (Option<String>, Option<Timestamp>),
    ) -> Result<Taken, StoreError> {
        let ask = || self.claims().stand_down(incident, reason, by.clone(), at);
        let mut answer = ask().await?;
        if matches!(answer, Err(Refusal::Unclaimed { .. })) {
            let at = at.unwrap_or_else(|| self.executor.clock.now());
            self.early_ends.note(incident, StandDown { reason, by: by.clone(), at });
            // Its claim may have been made just now, by somebody who has not seen the note.
            answer = ask().await?;
            if answer.is_ok() {
                self.early_ends.take(incident);
            }
        }
        match answer {
            Ok((run, stand_down)) => {
                tracing::info!(
                    incident.id = %incident, ?reason,
                    "run {run} was asked to stand down",
                );
                self.runs.stand_down(&run, stand_down);
                Ok(Taken::StandDown)
            }
            // Nobody is working on it any more: there is nothing to stop.
            Err(refusal) => {
                self.shadow_ended(&refusal, reason, at);
                Ok(Taken::Ignored)
            }
        }
    }

    /// Recorded before it is answered: the run may be another region's, or nobody's at this moment.
    async fn answered(&self, incident: &IncidentId, answer: Answer) -> Result<Taken, StoreError> {
        match self.claims().answer(incident, answer).await? {
            Ok(run) => self.runs.answered(&run),
            Err(refusal) => tracing::debug!("an answer is to no question: {refusal}"),
        }
        Ok(Taken::Ignored)
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
        let take = async move {
            match delivery.event {
                Event::Opened { incident, opening } => pipeline.open(*incident, opening).await,
                Event::TakenFromUs { incident, reason, by, at } => {
                    pipeline.taken_from_us(&incident, reason, (by, at)).await
                }
                Event::Answered { incident, approved, by, at } => {
                    pipeline.answered(&incident, Answer { approved, by, at }).await
                }
                Event::Ignored(_) => Ok(Taken::Ignored),
            }
        };
        match tokio::spawn(take.in_current_span()).await {
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
        let why = self.0.rules().refused()?;
        Some(format!("changed scenarios are refused, the set before stays in force: {why}"))
    }

    fn readiness(&self) -> Result<(), String> {
        self.0.may_begin()
    }
}
