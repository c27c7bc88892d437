//! Asking people, and waiting for what they answer.
//!
//! The question and the answer are records of the run: whoever owns it goes on waiting where the
//! owner before it stood, and any region may take the answer in.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::claim::answers::Answer;
use crate::claim::journal::{Entry, StepAt};
use crate::execute::describe::{describe, next_recovery};
use crate::execute::end::End;
use crate::execute::plan::Ready;
use crate::execute::round::{Task, Work};
use crate::execute::run::{Allowed, Executor, Phase, Progress, Question, Stop};
use crate::execute::verdict::{Verdict, Why};
use crate::scenario::model::{Mode, StepKind};

impl Executor {
    /// In the mode `approve` people are asked before each recovery. Answers with whether they were.
    pub(super) async fn allowed(
        &self,
        progress: &mut Progress<'_>,
        ready: &[Ready],
    ) -> Result<bool, Stop> {
        if progress.plan.mode() != Mode::Approve || progress.phase == Phase::Always {
            return Ok(false);
        }
        let mut asked = false;
        for ready in ready {
            let Some(step) = progress.plan.scenario.step(ready.at.step) else { continue };
            let asks = matches!(step.kind, StepKind::Recover { .. });
            // What was announced before had been allowed.
            let is_allowed = progress.allowed.iter().any(|(at, _)| *at == ready.at)
                || progress.plan.journal.answer(&ready.at) == Some(true)
                || progress.plan.memory.doubt(&ready.at).is_some();
            if !asks || is_allowed {
                continue;
            }
            if self.is_waived(progress) {
                progress.allowed.push((ready.at.clone(), Allowed::Waived));
                continue;
            }
            let now = self.now(&progress.plan);
            let does = describe(&progress.moment(&now), ready).map_err(Stop::End)?;
            asked = true;
            self.put_questions(progress, &[(ready.at.clone(), APPROVE_WITHIN)]).await?;
            let (verdict, by) = self.await_answer(progress, &ready.at, (&step.name, does)).await?;
            self.note_answer(progress, &ready.at, (&verdict, by.clone()));
            if verdict != Verdict::Met {
                return Err(Stop::End(End::NotApproved { step: step.number }));
            }
            progress.allowed.push((ready.at.clone(), Allowed::By(by)));
        }
        Ok(asked)
    }

    /// Records the questions of a round before anybody sees them.
    pub(super) async fn put(
        &self,
        progress: &mut Progress<'_>,
        tasks: &[Task<'_>],
    ) -> Result<(), Stop> {
        let asked = tasks.iter().filter_map(|task| match &task.work {
            Work::Approve { within, .. } => Some((task.ready.at.clone(), *within)),
            _ => None,
        });
        let asked: Vec<(StepAt, Duration)> = asked.collect();
        if asked.is_empty() || self.is_waived(progress) {
            return Ok(());
        }
        self.put_questions(progress, &asked).await
    }

    /// Waits for the answer to an `approve` step.
    pub(super) async fn answered(
        &self,
        progress: &Progress<'_>,
        ready: &Ready,
        question: &str,
    ) -> Result<(Verdict, Option<Allowed>), Stop> {
        if progress.plan.journal.questions().all(|it| *it.step != ready.at) {
            return Ok((Verdict::Met, Some(Allowed::Waived)));
        }
        let now = self.now(&progress.plan);
        let does = next_recovery(&progress.moment(&now), ready);
        let (verdict, by) = self.await_answer(progress, &ready.at, (question, does)).await?;
        let allowed = (verdict == Verdict::Met).then_some(Allowed::By(by));
        Ok((verdict, allowed))
    }

    fn is_waived(&self, progress: &Progress<'_>) -> bool {
        let scenario = &progress.plan.scenario.id;
        self.customer_now(&progress.plan).is_some_and(|customer| {
            customer.approval.is_waived(scenario, self.clock.now(), &customer.zone)
        })
    }

    async fn put_questions(
        &self,
        progress: &mut Progress<'_>,
        asked: &[(StepAt, Duration)],
    ) -> Result<(), Stop> {
        let mut journal = progress.plan.journal.clone();
        let mut number = journal.questions().map(|it| it.number).max().unwrap_or_default();
        let is_known = |step: &StepAt| progress.plan.journal.questions().any(|it| it.step == step);
        // An owner before us has asked it, and its time goes on.
        let new: Vec<_> = asked.iter().filter(|(step, _)| !is_known(step)).collect();
        if new.is_empty() {
            return Ok(());
        }
        self.keep_texts(progress).await;
        if let Some(way) = progress.plan.memory.way() {
            journal = journal.with(way);
        }
        let at = self.clock.now();
        // Who does not answer in time is told so, and not that the run's time is over.
        let left = progress.plan.act_until.saturating_duration_since(tokio::time::Instant::now());
        for (step, within) in new {
            number += 1;
            let within = (*within).min(left.saturating_sub(TELL_IN_TIME));
            let until = at + SignedDuration::try_from(within).unwrap_or(SignedDuration::MAX);
            journal = journal.with(Entry::Asked { step: step.clone(), number, until, at });
        }
        self.intend(progress, &journal).await?;
        progress.plan.journal = journal;
        Ok(())
    }

    /// What was heard is written with whatever comes next; until then the item has it.
    fn note_answer(
        &self,
        progress: &mut Progress<'_>,
        step: &StepAt,
        (verdict, by): (&Verdict, Option<String>),
    ) {
        let (approved, at) = (*verdict == Verdict::Met, self.clock.now());
        let entry = Entry::Answered { step: step.clone(), approved, by, at };
        progress.plan.journal = progress.plan.journal.with(entry);
    }

    /// Asks, unless that has been done, and waits for somebody who may answer.
    async fn await_answer(
        &self,
        progress: &Progress<'_>,
        at: &StepAt,
        (text, does): (&str, Vec<String>),
    ) -> Result<(Verdict, Option<String>), Stop> {
        let (plan, number, until) = match progress.plan.journal.questions().find(|it| it.step == at)
        {
            Some(question) => (&progress.plan, question.number, question.until),
            None => return Ok((Verdict::NotMet(Why::NotAnswered), None)),
        };
        let signals = &plan.signals;
        let mut knocks = signals.answers.clone();
        let within = left(until, self.clock.now());
        if !within.is_zero() {
            signals.people.ask(&Question { number, text: text.to_owned(), does, within }).await;
        }
        let mut strangers: Vec<Option<String>> = Vec::new();
        loop {
            match self.claims.answers(plan.claim()).await {
                Ok(given) => {
                    let (heard, others) = self.sort_out(progress, given, until);
                    for stranger in others {
                        if !strangers.contains(&stranger) {
                            signals.people.refuse(stranger.as_deref()).await;
                            strangers.push(stranger);
                        }
                    }
                    if let Some(Answer { approved, by, .. }) = heard {
                        let denied = Verdict::NotMet(Why::Denied);
                        return Ok((if approved { Verdict::Met } else { denied }, by));
                    }
                }
                Err(error) => tracing::debug!(%error, "an answer cannot be looked for now"),
            }
            let left = left(until, self.clock.now());
            if left.is_zero() {
                return Ok((Verdict::NotMet(Why::NotAnswered), None));
            }
            tokio::select! {
                slept = plan.sleep(left.min(LOOK_EVERY), at.step, progress.phase) => slept?,
                // Somebody has just answered here. If nobody can any more, the looks decide.
                Ok(()) = knocks.changed() => {}
            }
        }
    }

    /// The last answer of somebody who may give one, if it came in time, and those who may not.
    fn sort_out(
        &self,
        progress: &Progress<'_>,
        given: Vec<Answer>,
        until: Timestamp,
    ) -> (Option<Answer>, Vec<Option<String>>) {
        let customer = self.customer_now(&progress.plan);
        let may = |answer: &Answer| {
            customer.as_ref().is_none_or(|it| it.approval.may_answer(answer.by.as_deref()))
        };
        let (allowed, others): (Vec<Answer>, Vec<Answer>) = given.into_iter().partition(may);
        let in_time = allowed.into_iter().filter(|answer| answer.at <= until);
        let last = in_time.max_by_key(|answer| answer.at);
        (last, others.into_iter().map(|answer| answer.by).collect())
    }
}

fn left(until: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(until.duration_since(now)).unwrap_or_default()
}

/// How long people have to answer in the mode `approve`.
const APPROVE_WITHIN: Duration = Duration::from_mins(30);

/// Between two looks at the run's own record: the webhook of the answer may have been lost here and
/// have reached the other region.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// A question ends this long before the run's time does, so that its own end is what is told.
const TELL_IN_TIME: Duration = Duration::from_secs(1);
