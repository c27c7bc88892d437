//! The only loop that acts: record, act, record, until the plan says the run has ended.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::claim::heartbeat::Pulse;
use crate::claim::journal::{DoneResult, Entry, Journal};
use crate::claim::protocol::{Refusal, StandDown};
use crate::claim::{Claim, Claims, StoreError};
use crate::clock::Clock;
use crate::execute::actuator::{Action, Actuator, Ending, Observation, Order};
use crate::execute::plan::{self, End, Next};
use crate::execute::prepare;
use crate::execute::verdict::{Verdict, judge, judge_http};
use crate::scenario::model::{Effect, Probe, Scenario, Step, StepKind};
use crate::scenario::template::Values;

/// What a run acts with; the same for all runs of a process.
pub struct Executor {
    pub claims: Claims,
    pub pulse: Pulse,
    pub actuator: Arc<dyn Actuator>,
    pub clock: Arc<dyn Clock>,
}

/// One run as it begins or is taken over.
pub struct RunPlan<'a> {
    pub claim: &'a Claim,
    pub scenario: &'a Scenario,
    pub values: Values,
    /// What earlier owners recorded; empty at the beginning.
    pub journal: Journal,
    /// The step that ended last according to the journal.
    pub last: Option<(usize, DoneResult)>,
    /// Steps must have ended by then; what is left is for telling people.
    pub act_until: Instant,
    pub signals: RunSignals,
}

/// What reaches a run from outside while it goes on.
#[derive(Clone)]
pub struct RunSignals {
    /// Somebody asked to stand down.
    pub stand_down: watch::Receiver<Option<StandDown>>,
    /// Stop where you are: the process shuts down.
    pub halt: CancellationToken,
    /// Told right before the first change, so that the incident's title can say it.
    pub about_to_change: Arc<Notify>,
}

/// One step as it went, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepReport {
    pub step: usize,
    pub verdict: Verdict,
    /// The last attempt's; `None` for a wait and for a step that could not be prepared.
    pub seen: Option<Observation>,
    pub attempts: u32,
    pub began_at: Timestamp,
    pub took: Duration,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Carried {
    Ended {
        end: End,
        reports: Vec<StepReport>,
        journal: Journal,
    },
    /// Somebody else owns the run now, or it is over: say nothing, do nothing.
    Lost(Refusal),
    /// Halted between or inside steps; the journal says how far it came.
    Halted {
        journal: Journal,
    },
}

/// Why the loop ended before the plan did.
enum Stop {
    End(End),
    Lost(Refusal),
    Halted,
}

struct Progress<'a> {
    plan: RunPlan<'a>,
    reports: Vec<StepReport>,
}

impl Executor {
    /// Carries the run from where its journal stands to its end.
    pub async fn carry_out(&self, plan: RunPlan<'_>) -> Carried {
        let mut progress = Progress { plan, reports: Vec::new() };
        let stop = loop {
            match plan::next(progress.plan.scenario, progress.plan.last) {
                Next::End(end) => break Stop::End(end),
                Next::Step(step) => {
                    if let Err(stop) = self.step(&mut progress, step).await {
                        break stop;
                    }
                }
            }
        };
        let Progress { plan, reports } = progress;
        match stop {
            Stop::End(end) => Carried::Ended { end, reports, journal: plan.journal },
            Stop::Lost(refusal) => Carried::Lost(refusal),
            Stop::Halted => Carried::Halted { journal: plan.journal },
        }
    }

    async fn step(&self, progress: &mut Progress<'_>, index: usize) -> Result<(), Stop> {
        let scenario = progress.plan.scenario;
        let step = &scenario.steps[index];
        progress.plan.may_go_on(index)?;
        let began_at = self.clock.now();
        let began = Instant::now();
        let (verdict, seen, attempts) = match &step.kind {
            StepKind::Wait { duration } => {
                progress.plan.sleep(*duration, index).await?;
                (Verdict::Met, None, 1)
            }
            StepKind::Verify { probe, within, every } => {
                self.verify(progress, index, probe, (*within, *every)).await?
            }
            StepKind::Recover { probe, .. } => self.recover(progress, index, step, probe).await?,
            StepKind::Check { probe, .. } | StepKind::Gather { probe } => {
                let (verdict, seen) = self.look(&progress.plan, index, probe).await?;
                (verdict, Some(seen), 1)
            }
        };
        let result = verdict.result();
        let took = began.elapsed();
        let report = StepReport { step: index, verdict, seen, attempts, began_at, took };
        progress.reports.push(report);
        progress.plan.last = Some((index, result));
        progress.plan.halted()
    }

    /// Looks again and again until it is well or the time for it is over.
    async fn verify(
        &self,
        progress: &Progress<'_>,
        index: usize,
        probe: &Probe,
        (within, every): (Duration, Duration),
    ) -> Result<(Verdict, Option<Observation>, u32), Stop> {
        let until = (Instant::now() + within).min(progress.plan.act_until);
        let mut attempts = 0;
        loop {
            attempts += 1;
            let (verdict, seen) = self.look(&progress.plan, index, probe).await?;
            if verdict == Verdict::Met || Instant::now() + every > until {
                return Ok((verdict, Some(seen), attempts));
            }
            progress.plan.sleep(every, index).await?;
        }
    }

    /// Intent, effect, result: nothing is done that was not announced under the claim.
    async fn recover(
        &self,
        progress: &mut Progress<'_>,
        index: usize,
        step: &Step,
        probe: &Probe,
    ) -> Result<(Verdict, Option<Observation>, u32), Stop> {
        debug_assert!(step.kind.effect() != Effect::Read, "reads need no intent");
        // Before the intent: an action that cannot be prepared was never begun.
        let action = prepared(&progress.plan, index, probe)?;
        let nonce = nonce();
        let intent = Entry::Intent { step: index, nonce: nonce.clone(), at: self.clock.now() };
        let journal = progress.plan.journal.with(intent);
        self.intend(&progress.plan, &journal).await?;
        progress.plan.journal = journal;
        progress.plan.signals.about_to_change.notify_one();

        let (verdict, seen) = self.act(&progress.plan, index, probe, (action, &nonce)).await;
        if seen.ending == Ending::Cancelled {
            // Halted in the middle: the intent without a result is the truth.
            return Err(Stop::Halted);
        }
        let done = Entry::Done { step: index, result: verdict.result(), at: self.clock.now() };
        progress.plan.journal = progress.plan.journal.with(done);
        self.record_done(&progress.plan).await?;
        Ok((verdict, Some(seen), 1))
    }

    async fn intend(&self, plan: &RunPlan<'_>, journal: &Journal) -> Result<(), Stop> {
        let mut last =
            StoreError::Unreachable { reason: "no heartbeat of ours was written".into() };
        for delay in store_delays(self.pulse.terms().lease) {
            if self.pulse.is_good() {
                match self.claims.intend(plan.claim, journal).await {
                    Ok(Ok(())) => return Ok(()),
                    Ok(Err(Refusal::StandDown { stand_down, .. })) => {
                        return Err(Stop::End(End::StoodDown(stand_down)));
                    }
                    Ok(Err(refusal)) => return Err(Stop::Lost(refusal)),
                    Err(error) => last = error,
                }
            }
            tokio::time::sleep(delay).await;
        }
        Err(Stop::End(End::Ours { what: format!("the step was not begun: {last}") }))
    }

    /// The effect has happened, so a store that does not answer does not stop the run: the next
    /// write carries this entry too. A refusal does.
    async fn record_done(&self, plan: &RunPlan<'_>) -> Result<(), Stop> {
        match self.claims.done(plan.claim, &plan.journal).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(refusal)) => Err(Stop::Lost(refusal)),
            Err(error) => {
                let run = plan.claim.run();
                tracing::warn!(%error, %run, "the result of run {run}'s step is not recorded yet");
                Ok(())
            }
        }
    }

    /// An action that changes nothing.
    async fn look(
        &self,
        plan: &RunPlan<'_>,
        index: usize,
        probe: &Probe,
    ) -> Result<(Verdict, Observation), Stop> {
        let action = prepared(plan, index, probe)?;
        Ok(self.act(plan, index, probe, (action, &nonce())).await)
    }

    async fn act(
        &self,
        plan: &RunPlan<'_>,
        index: usize,
        probe: &Probe,
        (action, nonce): (Action, &str),
    ) -> (Verdict, Observation) {
        let left = plan.act_until.saturating_duration_since(Instant::now());
        let is_http = matches!(action, Action::Http(_));
        let order = Order {
            run: plan.claim.run().clone(),
            step: index,
            nonce: nonce.to_owned(),
            action,
            timeout: probe.timeout.min(left),
        };
        let seen = self.actuator.act(&order, &plan.signals.halt).await;
        let verdict =
            if is_http { judge_http(&probe.expect, &seen) } else { judge(&probe.expect, &seen) };
        (verdict, seen)
    }
}

fn prepared(plan: &RunPlan<'_>, index: usize, probe: &Probe) -> Result<Action, Stop> {
    prepare::action(&probe.action, &plan.values).map_err(|error| {
        let what = format!("step {} could not be prepared: {error}", index + 1);
        Stop::End(End::Ours { what })
    })
}

impl RunPlan<'_> {
    /// Before each step: nobody asked to stop, and there is time left.
    fn may_go_on(&self, index: usize) -> Result<(), Stop> {
        self.halted()?;
        if let Some(stand_down) = self.signals.stand_down.borrow().clone() {
            return Err(Stop::End(End::StoodDown(stand_down)));
        }
        if Instant::now() >= self.act_until {
            return Err(Stop::End(End::Deadline { step: index }));
        }
        Ok(())
    }

    fn halted(&self) -> Result<(), Stop> {
        if self.signals.halt.is_cancelled() { Err(Stop::Halted) } else { Ok(()) }
    }

    /// Sleeps, unless the run is told to stop or its time ends first.
    async fn sleep(&self, duration: Duration, index: usize) -> Result<(), Stop> {
        let mut stand_down = self.signals.stand_down.clone();
        tokio::select! {
            () = tokio::time::sleep(duration) => {}
            () = tokio::time::sleep_until(self.act_until) => {}
            () = self.signals.halt.cancelled() => {}
            // The sender lives as long as the run; if it is gone, nobody can ask any more.
            Ok(_) = stand_down.wait_for(Option::is_some) => {}
        }
        self.may_go_on(index)
    }
}

/// How long a write to a store that does not answer is tried again: for a lease, because then
/// others take over.
fn store_delays(lease: Duration) -> impl Iterator<Item = Duration> {
    const PAUSE: Duration = Duration::from_millis(250);
    let times = lease.as_millis() / PAUSE.as_millis();
    std::iter::repeat_n(PAUSE, usize::try_from(times).unwrap_or(1).max(1))
}

/// Names one attempt wherever it leaves a trace.
fn nonce() -> String {
    uuid::Uuid::new_v4().simple().to_string()[..16].to_owned()
}
