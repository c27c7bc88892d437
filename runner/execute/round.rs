//! One round of a run: the steps that are due now, side by side.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::Map;
use tokio::time::Instant;
use tracing::Instrument as _;

use crate::claim::journal::Entry;
use crate::execute::actuator::{Ending, Observation};
use crate::execute::end::End;
use crate::execute::memory::Seen;
use crate::execute::plan::Ready;
use crate::execute::prepare::Prepared;
use crate::execute::run::{Allowed, Executor, Passes, Phase, Progress, RunPlan, StepReport, Stop};
use crate::execute::verdict::Verdict;
use crate::scenario::model::{Effect, Probe, Step, StepKind, Wait};
use crate::spans;

/// A step, ready to be carried out.
pub(super) struct Task<'a> {
    pub ready: Ready,
    pub step: &'a Step,
    pub work: Work<'a>,
    pub nonce: String,
    /// Its last attempt was an earlier owner's.
    pub adopted: Option<(Observation, u32)>,
    pub passes: Passes,
}

impl Task<'_> {
    pub(super) fn changes(&self) -> bool {
        self.step.kind.effect() != Effect::Read
    }
}

pub(super) enum Work<'a> {
    Act { probe: &'a Probe, prepared: Prepared },
    Wait(Duration),
    Approve { question: String, within: Duration },
}

/// How a task went.
struct Gone {
    verdict: Verdict,
    seen: Option<Observation>,
    values: Map<String, serde_json::Value>,
    attempts: u32,
    began_at: jiff::Timestamp,
    took: Duration,
    allowed: Option<Allowed>,
}

impl Gone {
    fn ended_as(&self, ending: impl Fn(&Ending) -> bool) -> bool {
        self.seen.as_ref().is_some_and(|seen| ending(&seen.ending))
    }
}

impl Executor {
    /// Carries these steps out together and keeps what came of them.
    pub(super) async fn round(
        &self,
        progress: &mut Progress<'_>,
        ready: Vec<Ready>,
    ) -> Result<(), Stop> {
        let first = ready.first().map_or(0, |ready| ready.at.step);
        progress.plan.may_go_on(first, progress.phase)?;
        self.permit(progress, &ready).await?;
        let tasks = self.prepare(progress, ready)?;
        let (mut tasks, unknown) = self.adopt(progress, tasks).await?;
        self.guarded(progress, &mut tasks).await?;
        self.put(progress, &tasks).await?;
        self.announce(progress, &tasks).await?;
        let gone = join_all(tasks.iter().map(|task| self.carry(progress, task))).await;
        let (mut ended, mut stop) = (Vec::new(), unknown.map(Stop::End));
        for (task, gone) in tasks.into_iter().zip(gone) {
            match gone {
                // Halted in the middle: an intent without a result is the truth.
                Ok(gone) if gone.ended_as(|it| *it == Ending::Cancelled) => {
                    stop = stop.or(Some(Stop::Halted));
                }
                Ok(gone) => {
                    if is_in_doubt(&task, &gone) {
                        let unknown = End::OutcomeUnknown { step: task.step.number };
                        stop = stop.or(Some(Stop::End(unknown)));
                    }
                    ended.push((task, gone));
                }
                Err(one) => stop = stop.or(Some(one)),
            }
        }
        // What ended has its result, whatever became of its neighbours.
        self.keep(progress, ended).await?;
        match stop {
            Some(stop) => Err(stop),
            None => progress.plan.halted(),
        }
    }

    fn prepare<'a>(
        &self,
        progress: &mut Progress<'a>,
        ready: Vec<Ready>,
    ) -> Result<Vec<Task<'a>>, Stop> {
        let now = self.now(&progress.plan);
        let scenario = progress.plan.scenario;
        let mut tasks = Vec::new();
        for ready in ready {
            let Some(step) = scenario.step(ready.at.step) else { continue };
            let moment = progress.moment(&now);
            let work = match &step.kind {
                StepKind::Wait(Wait::For(duration)) => Work::Wait(*duration),
                StepKind::Wait(Wait::Until { hour, minute, days }) => {
                    Work::Wait(until(&now, *hour, *minute, *days))
                }
                StepKind::Approve { ask, within, .. } => {
                    let values = moment.values(&ready.frame, None);
                    let question = ask.render_message(&values).map_err(|error| {
                        Stop::End(moment.no_value(step.number, &values, &error))
                    })?;
                    Work::Approve { question, within: *within }
                }
                kind => {
                    let Some(probe) = kind.probe() else { continue };
                    let recovers = matches!(kind, StepKind::Recover { .. });
                    if recovers && progress.phase == Phase::Main {
                        moment.target_is_known(step.number, &ready.frame).map_err(Stop::End)?;
                    }
                    let prepared =
                        moment.prepare(step.number, probe, &ready.frame).map_err(Stop::End)?;
                    Work::Act { probe, prepared }
                }
            };
            let nonce = nonce();
            let allowed = progress.allowed.iter().find(|(at, _)| *at == ready.at);
            let allowed = allowed.map(|(_, allowed)| allowed.clone());
            let passes = Passes { allowed, ..Passes::default() };
            tasks.push(Task { ready, step, work, nonce, adopted: None, passes });
        }
        Ok(tasks)
    }

    async fn carry(&self, progress: &Progress<'_>, task: &Task<'_>) -> Result<Gone, Stop> {
        let run = progress.plan.claim().run();
        let span = spans::step(run, task.step.number, task.step.kind.word());
        let gone = self.carry_out_task(progress, task).instrument(span.clone()).await?;
        span.record("attempts", gone.attempts);
        span.record("verdict", gone.verdict.word());
        Ok(gone)
    }

    async fn carry_out_task(&self, progress: &Progress<'_>, task: &Task<'_>) -> Result<Gone, Stop> {
        let (began_at, began) = (self.clock.now(), Instant::now());
        let mut allowed = None;
        let (verdict, seen, values, attempts) = match &task.work {
            Work::Wait(duration) => {
                progress.plan.sleep(*duration, task.step.number, progress.phase).await?;
                (Verdict::Met, None, Map::new(), 1)
            }
            Work::Approve { question, .. } => {
                let (verdict, by) = self.answered(progress, &task.ready, question).await?;
                allowed = by;
                (verdict, None, Map::new(), 1)
            }
            Work::Act { probe, prepared } => self.look(progress, task, probe, prepared).await?,
        };
        Ok(Gone { verdict, seen, values, attempts, began_at, took: began.elapsed(), allowed })
    }

    /// Keeps the results, and records those of effects.
    async fn keep(
        &self,
        progress: &mut Progress<'_>,
        ended: Vec<(Task<'_>, Gone)>,
    ) -> Result<(), Stop> {
        let mut changed = false;
        let known = progress.reports.len();
        for (task, gone) in ended {
            let recorded = task.changes() && !is_in_doubt(&task, &gone);
            let Gone { verdict, seen, values, attempts, began_at, took, allowed } = gone;
            let (at, result) = (task.ready.at.clone(), verdict.result());
            if recorded {
                changed = true;
                let done = Entry::Done { step: at.clone(), result, at: self.clock.now() };
                progress.plan.journal = progress.plan.journal.with(done);
            }
            progress.plan.memory.settle(&at);
            progress.plan.memory.keep(at.clone(), Seen { result, values });
            let entry = entry(&task.ready.frame.each);
            let passes = Passes { allowed: allowed.or(task.passes.allowed), ..task.passes };
            let report = StepReport { at, entry, verdict, seen, attempts, began_at, took, passes };
            progress.reports.push(report);
        }
        progress.show(known);
        if changed { self.record_done(&progress.plan).await } else { Ok(()) }
    }

    /// The effect has happened, so a store that does not answer does not stop the run: the next
    /// write carries this entry too. A refusal does.
    async fn record_done(&self, plan: &RunPlan<'_>) -> Result<(), Stop> {
        match self.claims.done(plan.claim(), &plan.journal).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(refusal)) => Err(Stop::Lost(refusal)),
            Err(error) => {
                let run = plan.claim().run();
                tracing::warn!(%error, %run, "the result of run {run}'s step is not recorded yet");
                Ok(())
            }
        }
    }
}

/// What may happen only once, and whether it did is unknown: whoever takes over may find it out.
fn is_in_doubt(task: &Task<'_>, gone: &Gone) -> bool {
    task.step.kind.effect() == Effect::Once
        && gone.ended_as(|it| matches!(it, Ending::Unknown { .. }))
}

/// The innermost loop's entry, for people.
pub(super) fn entry(each: &Map<String, serde_json::Value>) -> Option<String> {
    let entries: Vec<String> =
        each.values().map(|value| crate::scenario::value::written(value, ", ")).collect();
    (!entries.is_empty()).then(|| entries.join(", "))
}

/// From now until the next time it is that time of day on one of these days.
fn until(now: &jiff::Zoned, hour: i8, minute: i8, days: [bool; 7]) -> Duration {
    let first = (0..8).find_map(|ahead: i64| {
        let day = now.date().checked_add(jiff::Span::new().days(ahead)).ok()?;
        let weekday = usize::try_from(day.weekday().to_monday_zero_offset()).ok()?;
        let then = day.at(hour, minute, 0, 0).to_zoned(now.time_zone().clone()).ok()?;
        (days[weekday] && then > *now).then(|| then.timestamp().duration_since(now.timestamp()))
    });
    first.and_then(|left| Duration::try_from(left).ok()).unwrap_or_default()
}

/// Names one attempt wherever it leaves a trace.
pub(super) fn nonce() -> String {
    uuid::Uuid::new_v4().simple().to_string()[..16].to_owned()
}
