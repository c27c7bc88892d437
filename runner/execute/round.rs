//! One round of a run: the steps that are due now, side by side.

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::Map;
use tokio::time::Instant;

use crate::claim::StoreError;
use crate::claim::journal::Entry;
use crate::claim::protocol::Refusal;
use crate::execute::actuator::{Ending, Observation};
use crate::execute::end::{End, Lack};
use crate::execute::memory::Seen;
use crate::execute::plan::Ready;
use crate::execute::prepare::Prepared;
use crate::execute::run::{Executor, Phase, Progress, RunPlan, StepReport, Stop, acts};
use crate::execute::verdict::{Verdict, Why};
use crate::scenario::model::{Effect, Mode, Probe, Step, StepKind, Wait, WhenSuspended};

/// A step, ready to be carried out.
pub(super) struct Task<'a> {
    pub ready: Ready,
    pub step: &'a Step,
    pub work: Work<'a>,
    pub nonce: String,
    /// Its last attempt was an earlier owner's.
    pub adopted: Option<(Observation, u32)>,
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
}

impl Gone {
    fn is_cancelled(&self) -> bool {
        self.seen.as_ref().is_some_and(|seen| seen.ending == Ending::Cancelled)
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
        self.not_suspended(progress, &ready).await?;
        if progress.plan.mode() == Mode::Shadow
            && let Some(change) = ready.iter().find(|ready| acts(ready, progress.plan.scenario))
        {
            return Err(Stop::End(End::Shadowed { step: change.at.step, would_end: None }));
        }
        self.allowed(progress, &ready).await?;
        let tasks = self.prepare(progress, ready)?;
        let (tasks, unknown) = self.adopt(progress, tasks).await?;
        self.announce(progress, &tasks).await?;
        let questions = progress.questions;
        let gone = join_all(tasks.iter().map(|task| self.carry(progress, task, questions))).await;
        let (mut ended, mut stop) = (Vec::new(), unknown.map(Stop::End));
        for (task, gone) in tasks.into_iter().zip(gone) {
            match gone {
                // Halted in the middle: an intent without a result is the truth.
                Ok(gone) if gone.is_cancelled() => stop = stop.or(Some(Stop::Halted)),
                Ok(gone) => ended.push((task, gone)),
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

    /// The customer may have asked to leave the system alone. Once something was changed, looking
    /// goes on and further changes are left to people: half a procedure is no rest.
    async fn not_suspended(&self, progress: &Progress<'_>, ready: &[Ready]) -> Result<(), Stop> {
        let acted = progress.plan.memory.has_acted();
        let concerned = ready.iter().find(|it| !acted || acts(it, progress.plan.scenario));
        let Some(step) = concerned.map(|ready| ready.at.step) else { return Ok(()) };
        let RunPlan { scenario, world, .. } = &progress.plan;
        let Some(customer) = world.customer.as_ref().filter(|_| progress.phase == Phase::Main)
        else {
            return Ok(());
        };
        let now = self.now(&progress.plan);
        let values = progress.moment(&now).values(&super::world::Frame::default(), None);
        let host = values.get("target.host").and_then(|host| host.as_str().map(str::to_owned));
        let Some(suspension) = customer.suspended(&scenario.id, host.as_deref(), now.timestamp())
        else {
            return Ok(());
        };
        if acted || scenario.when_suspended == WhenSuspended::Leave {
            let until = suspension.until.to_zoned(progress.plan.zone.clone());
            let until = until.strftime("%Y-%m-%d %H:%M");
            let what = format!("{} ({until})", suspension.reason);
            return Err(Stop::End(if acted {
                End::CannotGoOn { step, lack: Lack::Suspended(what) }
            } else {
                End::Suspended { what }
            }));
        }
        let left = suspension.until.duration_since(now.timestamp());
        let left = Duration::try_from(left).unwrap_or_default();
        progress.plan.sleep(left, step, progress.phase).await
    }

    /// In the mode `approve` people are asked before each recovery.
    async fn allowed(&self, progress: &mut Progress<'_>, ready: &[Ready]) -> Result<(), Stop> {
        if progress.plan.mode() != Mode::Approve || progress.phase == Phase::Always {
            return Ok(());
        }
        for ready in ready {
            let Some(step) = progress.plan.scenario.step(ready.at.step) else { continue };
            let asks = matches!(step.kind, StepKind::Recover { .. });
            // What was announced before had been allowed.
            let is_allowed = progress.approved.contains(&ready.at)
                || progress.plan.memory.doubt(&ready.at).is_some();
            if !asks || is_allowed {
                continue;
            }
            progress.questions += 1;
            let verdict = self
                .ask(progress, (progress.questions, &step.name), step.number, APPROVE_WITHIN)
                .await?;
            if verdict != Verdict::Met {
                return Err(Stop::End(End::NotApproved { step: step.number }));
            }
            progress.approved.push(ready.at.clone());
        }
        Ok(())
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
                    progress.questions += 1;
                    Work::Approve { question, within: *within }
                }
                kind => {
                    let Some(probe) = kind.probe() else { continue };
                    let prepared =
                        moment.prepare(step.number, probe, &ready.frame).map_err(Stop::End)?;
                    Work::Act { probe, prepared }
                }
            };
            let nonce = nonce();
            tasks.push(Task { ready, step, work, nonce, adopted: None });
        }
        Ok(tasks)
    }

    /// Nothing is done that was not announced under the claim.
    async fn announce(&self, progress: &mut Progress<'_>, tasks: &[Task<'_>]) -> Result<(), Stop> {
        let changes: Vec<&Task<'_>> =
            tasks.iter().filter(|task| task.changes() && task.adopted.is_none()).collect();
        if changes.is_empty() {
            return Ok(());
        }
        self.keep_texts(progress).await;
        let mut journal = progress.plan.journal.clone();
        if let Some(way) = progress.plan.memory.way() {
            journal = journal.with(way);
        }
        for task in &changes {
            let (step, nonce, at) = (task.ready.at.clone(), task.nonce.clone(), self.clock.now());
            let trace = match &task.work {
                Work::Act { prepared: Prepared { action, host, .. }, .. } => {
                    self.actuator.trace(action, host.as_ref())
                }
                Work::Wait(_) | Work::Approve { .. } => None,
            };
            journal = journal.with(Entry::Intent { step, nonce, trace, at });
        }
        self.intend(progress, &journal).await?;
        progress.plan.journal = journal;
        for task in &changes {
            progress.plan.memory.begin(task.ready.at.clone());
        }
        progress.plan.signals.about_to_change.notify_one();
        Ok(())
    }

    /// Texts go beside the journal. Without them a run that is taken over hands off where it needs
    /// them, so a history that cannot be written does not stop this one.
    async fn keep_texts(&self, progress: &Progress<'_>) {
        if !progress.plan.memory.has_text() {
            return;
        }
        let run = progress.plan.claim().run();
        let kept = match serde_json::to_string(&progress.plan.memory) {
            Ok(memory) => self.history.keep(run, memory).await.map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        if let Err(error) = kept {
            tracing::warn!(%run, %error, "what run {run} has read is not kept for a take-over");
        }
    }

    async fn intend(
        &self,
        progress: &Progress<'_>,
        journal: &crate::claim::journal::Journal,
    ) -> Result<(), Stop> {
        let plan = &progress.plan;
        let mut last =
            StoreError::Unreachable { reason: "no heartbeat of ours was written".into() };
        let until = self.store_patience(progress);
        while Instant::now() < until {
            plan.halted()?;
            if self.pulse.is_good() {
                let answer = match progress.phase {
                    Phase::Main => self.claims.intend(plan.claim(), journal).await,
                    Phase::Always => self.claims.done(plan.claim(), journal).await,
                };
                match answer {
                    Ok(Ok(())) => return Ok(()),
                    Ok(Err(Refusal::StandDown { stand_down, .. })) => {
                        return Err(Stop::End(End::StoodDown(stand_down)));
                    }
                    Ok(Err(refusal)) => return Err(Stop::Lost(refusal)),
                    Err(error) => last = error,
                }
            }
            tokio::time::sleep(STORE_PAUSE).await;
        }
        Err(Stop::End(End::Ours { what: format!("the step was not begun: {last}") }))
    }

    async fn carry(
        &self,
        progress: &Progress<'_>,
        task: &Task<'_>,
        question: u32,
    ) -> Result<Gone, Stop> {
        let (began_at, began) = (self.clock.now(), Instant::now());
        let (verdict, seen, values, attempts) = match &task.work {
            Work::Wait(duration) => {
                progress.plan.sleep(*duration, task.step.number, progress.phase).await?;
                (Verdict::Met, None, Map::new(), 1)
            }
            Work::Approve { question: text, within } => {
                let verdict =
                    self.ask(progress, (question, text), task.step.number, *within).await?;
                (verdict, None, Map::new(), 1)
            }
            Work::Act { probe, prepared } => self.look(progress, task, probe, prepared).await?,
        };
        Ok(Gone { verdict, seen, values, attempts, began_at, took: began.elapsed() })
    }

    async fn ask(
        &self,
        progress: &Progress<'_>,
        (number, question): (u32, &str),
        step: usize,
        within: Duration,
    ) -> Result<Verdict, Stop> {
        let signals = &progress.plan.signals;
        let mut answers = signals.answers.clone();
        // What was said before the question is no answer to it, also when it is delivered late.
        answers.mark_unchanged();
        let asked_at = self.clock.now() - CLOCKS_APART;
        signals.people.ask(number, question, within).await;
        let answer = async {
            loop {
                if answers.changed().await.is_err() {
                    // Nobody can answer any more: the time decides.
                    std::future::pending::<()>().await;
                }
                let answer = *answers.borrow_and_update();
                if let Some(answer) = answer.filter(|answer| answer.at >= asked_at) {
                    break answer.approved;
                }
            }
        };
        tokio::select! {
            approved = answer => {
                Ok(if approved { Verdict::Met } else { Verdict::NotMet(Why::Denied) })
            }
            slept = progress.plan.sleep(within, step, progress.phase) => {
                slept.map(|()| Verdict::NotMet(Why::NotAnswered))
            }
        }
    }

    /// Keeps the results, and records those of effects.
    async fn keep(
        &self,
        progress: &mut Progress<'_>,
        ended: Vec<(Task<'_>, Gone)>,
    ) -> Result<(), Stop> {
        let mut changed = false;
        for (task, gone) in ended {
            let Gone { verdict, seen, values, attempts, began_at, took } = gone;
            let (at, result) = (task.ready.at.clone(), verdict.result());
            if task.changes() {
                changed = true;
                let done = Entry::Done { step: at.clone(), result, at: self.clock.now() };
                progress.plan.journal = progress.plan.journal.with(done);
            }
            progress.plan.memory.settle(&at);
            progress.plan.memory.keep(at.clone(), Seen { result, values });
            let entry = entry(&task.ready.frame.each);
            let report = StepReport { at, entry, verdict, seen, attempts, began_at, took };
            progress.reports.push(report);
        }
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

/// How long people have to answer in the mode `approve`.
const APPROVE_WITHIN: Duration = Duration::from_mins(30);

/// PagerDuty's clock, which dates an answer, may be this far behind ours.
const CLOCKS_APART: Duration = Duration::from_secs(5);

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

/// Between two tries at a store that does not answer.
pub(super) const STORE_PAUSE: Duration = Duration::from_millis(250);

/// Names one attempt wherever it leaves a trace.
pub(super) fn nonce() -> String {
    uuid::Uuid::new_v4().simple().to_string()[..16].to_owned()
}
