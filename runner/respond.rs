//! One run from its claim to its outcome: execute, report, hand off, finish.

use std::sync::Arc;

use tokio::sync::{Notify, watch};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, Span};

use crate::begun::Begun;
use crate::claim::journal::{Entry, Standing};
use crate::claim::protocol::{Refusal, StandDown, StandDownReason};
use crate::evidence::Places;
use crate::execute::end::End;
use crate::execute::run::{Carried, RunPlan, RunSignals};
use crate::execute::so_far::SoFar;
use crate::guard::record::Ended;
use crate::incident::{Incident, Outcome, Status};
use crate::limits;
use crate::pipeline::Pipeline;
use crate::report::accompany::Signs;
use crate::report::note::Story;
use crate::report::original;
use crate::report::questions::NoteQuestions;
use crate::report::reporter::Untold;
use crate::report::title::{self};
use crate::scenario::model::{Mode, StepKind};
use crate::spans::{self, Cause};

/// Why a run was left without an outcome by this process.
pub(crate) enum Left {
    /// Somebody else has it.
    Lost(Refusal),
    /// The process stops: release it.
    Halted,
    /// This process can page nobody: release it, so that another one tries.
    ForAnother,
}

/// A failure is for whoever tells to deal with; one that nobody did leaves the run to others.
impl From<Untold> for Left {
    fn from(untold: Untold) -> Self {
        match untold {
            Untold::Lost(refusal) => Self::Lost(refusal),
            Untold::Halted | Untold::Failed(_) => Self::Halted,
        }
    }
}

/// No evidence is anywhere else than where it was written.
static NOWHERE_ELSE: Places = Places::new();

/// Rounds of asking PagerDuty before a page; after that people are paged with what is known.
pub(crate) const LOOK_ROUNDS: usize = 2;

/// A look that a page waits for, but not for long.
pub(crate) async fn in_time<T>(look: impl Future<Output = T>) -> Option<T> {
    tokio::time::timeout(limits::LOOK_BEFORE_PAGE, look).await.ok()
}

impl Pipeline {
    pub(crate) async fn respond(self: &Arc<Self>, begun: Begun, cause: Cause) {
        let claim = begun.claim();
        let span = spans::run(claim.run(), &begun.scenario.id, &self.region, cause);
        span.record("epoch", claim.epoch());
        self.respond_in(&span, begun).instrument(span.clone()).await;
    }

    async fn respond_in(self: &Arc<Self>, span: &Span, mut begun: Begun) {
        let run = begun.claim().run().clone();
        let scenario = begun.scenario.id.clone();
        let beginning = self.keep_beginning(&begun);
        let ended = match self.carry_out(&mut begun).await {
            Ok(end) => self.close(&mut begun, end).await,
            Err(left) => Err(left),
        };
        match ended {
            Ok(end) => {
                let outcome = end.outcome();
                self.keep_end(beginning, &begun, &end).await;
                self.keep_shadow(&begun, &end);
                self.metrics.run_ended(outcome);
                span.record("outcome", outcome.word());
                match &end {
                    End::Guarded(no) => self.metrics.guard_refused(no.guard.word()),
                    End::Paused(_) => self.metrics.guard_refused("pause"),
                    _ => {}
                }
                tracing::info!(
                    incident.id = %run.incident, scenario.name = scenario,
                    "run {run} ended: {outcome}",
                );
            }
            Err(Left::Lost(refusal)) => tracing::warn!(
                incident.id = %run.incident, scenario.name = scenario,
                "run {run} is no longer ours, nothing more is done here: {refusal}",
            ),
            Err(Left::Halted | Left::ForAnother) => self.release(&begun).await,
        }
    }

    async fn carry_out(&self, begun: &mut Begun) -> Result<End, Left> {
        // What must always run at the end has run before a closing was recorded.
        let told = matches!(begun.journal.standing(), Standing::Closing { .. });
        if let Some(end) = begun.end.take_if(|_| told) {
            return Ok(end);
        }
        // Whatever PagerDuty says, an end that is known already is told.
        if begun.end.is_none() {
            let found = match self.look_again(&begun.incident).await {
                Ok(incident) => {
                    begun.incident = original::still_in_full(incident, &begun.incident);
                    self.left_to_people(begun)
                }
                Err(end) => Some(end),
            };
            match found {
                // After a take-over something may have been done: what always runs must run still.
                Some(end) if begun.taken_over => begun.end = Some(end),
                Some(end) => return Ok(end),
                None => {}
            }
        }
        let is_ending = begun.end.is_some();
        let (so_far, watched) = watch::channel(SoFar::default());
        let (about_to_change, ended) = (Arc::new(Notify::new()), CancellationToken::new());
        let plan = RunPlan {
            hold: &begun.hold,
            scenario: &begun.scenario,
            world: begun.world(&self.vars),
            zone: begun.zone(&self.reporter.style.zone),
            mode: begun.mode(),
            journal: begun.journal.clone(),
            memory: begun.memory.clone(),
            end: begun.end.take(),
            act_until: begun.act_until(self.executor.clock.now()),
            room: begun.room(),
            signals: self.signals(begun, &about_to_change, so_far),
        };
        let story = self.story(begun);
        let start = async {
            // In shadow people respond as if AMS were not there, and what only has to be ended is
            // nothing to announce.
            if begun.mode() == Mode::Shadow || is_ending {
                return true;
            }
            let signs = Signs { about_to_change: &about_to_change, so_far: watched, ended: &ended };
            begun.reporter.accompany(&begun.incident, &story, signs).await
        };
        let carry = async {
            let carried = self.executor.carry_out(plan).await;
            ended.cancel();
            carried
        };
        let (carried, is_settled) = tokio::join!(carry, start);
        begun.start_under_way |= !is_settled;
        match carried {
            Carried::Ended { end, told, reports, journal } => {
                begun.journal = journal;
                begun.told = told;
                begun.reports.extend(reports);
                Ok(end)
            }
            Carried::Lost(refusal) => Err(Left::Lost(refusal)),
            Carried::Halted { journal } => {
                begun.journal = journal;
                Err(Left::Halted)
            }
        }
    }

    fn signals(
        &self,
        begun: &Begun,
        about_to_change: &Arc<Notify>,
        so_far: watch::Sender<SoFar>,
    ) -> RunSignals {
        RunSignals {
            stand_down: begun.place.stand_down.clone(),
            leave: begun.place.leave.clone(),
            halt: begun.place.halt.clone(),
            about_to_change: Arc::clone(about_to_change),
            so_far,
            answers: begun.place.answers.clone(),
            people: Arc::new(self.questions(begun)),
        }
    }

    /// The end, where the incident needs nobody any more or a person has it.
    fn left_to_people(&self, begun: &Begun) -> Option<End> {
        let Incident { status, seen_at: at, .. } = &begun.incident;
        if *status != Status::Resolved && !begun.incident.is_with_people(&self.bot_user) {
            return None;
        }
        if begun.taken_over && self.is_resolved_by_us(&begun.incident) {
            return Some(resolved_before(begun));
        }
        let reason = match status {
            _ if !begun.taken_over => StandDownReason::OverBeforeStart,
            Status::Acknowledged => StandDownReason::Acknowledged,
            _ => StandDownReason::ResolvedByMonitoring,
        };
        // What was recorded says who it was.
        let recorded = begun.place.stand_down.borrow().clone();
        let recorded = recorded.filter(|_| begun.taken_over);
        Some(End::StoodDown(recorded.unwrap_or(StandDown { reason, by: None, at: *at })))
    }

    /// What is known of the incident, fresh enough to act on. A delivery may be two days old.
    async fn look_again(&self, incident: &Incident) -> Result<Incident, End> {
        if self.is_fresh(incident) {
            return Ok(incident.clone());
        }
        self.reporter.platform.incident(&incident.id).await.map_err(|error| {
            self.reporter.count_failure(&incident.id, &error);
            End::Ours { what: error.to_string() }
        })
    }

    /// Both ways: a clock that is wrong is no reason to trust an old event.
    fn is_fresh(&self, incident: &Incident) -> bool {
        let age = self.executor.clock.now().duration_since(incident.seen_at).unsigned_abs();
        age < limits::KNOWLEDGE_FRESH
    }

    /// The owner before us came as far as that.
    pub(crate) fn is_resolved_by_us(&self, incident: &Incident) -> bool {
        incident.status == Status::Resolved && incident.status_by.as_ref() == Some(&self.bot_user)
    }

    /// How this run asks people: by notes.
    fn questions(&self, begun: &Begun) -> NoteQuestions {
        NoteQuestions {
            platform: Arc::clone(&begun.reporter.platform),
            style: Arc::clone(&begun.reporter.style),
            run: begun.claim().run().clone(),
            region: self.region.clone(),
            scenario: Arc::clone(&begun.scenario),
            began_at: begun.claim().opened_at(),
            taken_over: begun.taken_over,
        }
    }

    pub(crate) fn story<'a>(&'a self, begun: &'a Begun) -> Story<'a> {
        Story {
            run: begun.claim().run(),
            region: &self.region,
            scenario: &begun.scenario,
            title: title::original(&begun.incident.title),
            reports: &begun.reports,
            in_doubt: &begun.in_doubt,
            told: &begun.told,
            // Known once people are told.
            places: &NOWHERE_ELSE,
            beside: &begun.beside,
            whole: None,
            contact: begun.destination().and_then(|it| it.contact.as_deref()),
            customer: begun.customer.as_ref().map(|it| (it.name.as_str(), it.contact.as_deref())),
            began_at: begun.claim().opened_at(),
            now: self.executor.clock.now(),
            taken_over: begun.taken_over,
        }
    }

    /// Tells the end and records it. The end may change on the way: a person took over meanwhile,
    /// or PagerDuty refuses to resolve.
    async fn close(&self, begun: &mut Begun, end: End) -> Result<End, Left> {
        let end = match end {
            // Nothing was begun, so there is nothing to tell.
            End::StoodDown(StandDown { reason: StandDownReason::OverBeforeStart, .. }) => end,
            end => {
                let end = self.end_as_of_now(begun, end).await?;
                let span = spans::report(&begun.incident.id, "end");
                let end = self.tell(begun, end).instrument(span).await?;
                self.settle_start(begun, &end).await?;
                begun.reporter.set_fields(&self.story(begun), &end).await;
                end
            }
        };
        if let Some(witness) = &self.witness {
            witness.ended(begun, &end);
        }
        self.finish(begun, end.outcome()).await?;
        self.settle(begun, &end);
        Ok(end)
    }

    /// Tells the guards how a run ended that had recovered something. Nobody waits for it: whoever finds
    /// the run in its way looks at its claim.
    fn settle(&self, begun: &Begun, end: &End) {
        let acted = |entry: &Entry| matches!(entry, Entry::Intent { .. });
        if !begun.journal.entries().iter().any(acted) {
            return;
        }
        let (guards, run) = (self.executor.guards.clone(), begun.claim().run().clone());
        let customer = begun.customer.as_ref().map(|customer| customer.id.clone());
        let ended = match end {
            // Its recovery was verified; it is another fault that people are told of.
            End::OtherAlerts { .. } => Ended::Met,
            end => Ended::of(end.outcome()),
        };
        tokio::spawn(async move {
            if let Err(error) = guards.settle(customer.as_deref(), &run, ended).await {
                tracing::debug!(%run, %error, "the guards are not told how run {run} ended");
            }
        });
    }

    /// Looks at the incident before telling: a person may have it though the webhook that said so
    /// was lost. A hand-off must know whom it is with now; for the rest, recent knowledge will do.
    async fn end_as_of_now(&self, begun: &mut Begun, end: End) -> Result<End, Left> {
        let hands_off = matches!(end.outcome(), Outcome::HandedOff | Outcome::Escalated);
        let was_resolved = begun.taken_over && self.is_resolved_by_us(&begun.incident);
        let now = if hands_off {
            let id = &begun.incident.id;
            let fresh = begun.may_have_changed_it();
            let call = || self.reporter.platform.incident_to_page(&begun.incident, fresh);
            match in_time(self.reporter.persist(id, &begun.place.halt, LOOK_ROUNDS, call)).await {
                Some(Ok(now)) => Some(now),
                Some(Err(Untold::Failed(_))) | None => None,
                Some(Err(untold)) => return Err(untold.into()),
            }
        } else {
            self.look_again(&begun.incident).await.ok()
        };
        if let Some(now) = now {
            begun.incident = original::still_in_full(now, &begun.incident);
        }
        if was_resolved && begun.incident.status != Status::Resolved {
            let Incident { status_by: by, seen_at: at, .. } = begun.incident.clone();
            let reason = StandDownReason::Reopened;
            return Ok(End::StoodDown(StandDown { reason, by, at }));
        }
        if begun.incident.is_with_people(&self.bot_user) && !matches!(end, End::StoodDown(_)) {
            let (reason, at) = (StandDownReason::Acknowledged, begun.incident.seen_at);
            return Ok(End::StoodDown(StandDown { reason, by: None, at }));
        }
        Ok(end)
    }

    /// Records the outcome; tries until the store takes it, because until then the run is open.
    async fn finish(&self, begun: &Begun, outcome: Outcome) -> Result<(), Left> {
        loop {
            match self.claims().finish(begun.claim(), outcome, &begun.journal).await {
                Ok(Ok(())) => return Ok(()),
                Ok(Err(refusal)) => return Err(Left::Lost(refusal)),
                Err(error) => {
                    self.metrics.store_errors.inc();
                    tracing::warn!(%error, "the outcome of run {} waits", begun.claim().run());
                }
            }
            tokio::select! {
                () = tokio::time::sleep(limits::HEARTBEAT_EVERY) => {}
                () = begun.place.halt.cancelled() => return Err(Left::Halted),
            }
        }
    }

    async fn release(&self, begun: &Begun) {
        let run = begun.claim().run();
        match self.claims().release(begun.claim()).await {
            Ok(Ok(())) => tracing::info!(%run, "run {run} is released for another region"),
            Ok(Err(refusal)) => tracing::info!(%run, "run {run} needs no release: {refusal}"),
            Err(error) => {
                tracing::error!(%run, %error, "run {run} could not be released; its lease will end");
            }
        }
    }
}

/// The end that an owner before us had told PagerDuty and not recorded.
fn resolved_before(begun: &Begun) -> End {
    if begun.memory.has_acted() {
        return End::Verified;
    }
    let steps = begun.scenario.walk();
    let check = steps.iter().find(|step| matches!(step.kind, StepKind::Check { .. }));
    End::Healthy { step: check.map_or(0, |step| step.number) }
}
