//! Asking people, and waiting for what they answer.

use std::time::Duration;

use crate::execute::end::End;
use crate::execute::plan::Ready;
use crate::execute::run::{Executor, Phase, Progress, Stop};
use crate::execute::verdict::{Verdict, Why};
use crate::scenario::model::{Mode, StepKind};

impl Executor {
    /// In the mode `approve` people are asked before each recovery.
    pub(super) async fn allowed(
        &self,
        progress: &mut Progress<'_>,
        ready: &[Ready],
    ) -> Result<(), Stop> {
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

    pub(super) async fn ask(
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
}

/// How long people have to answer in the mode `approve`.
const APPROVE_WITHIN: Duration = Duration::from_mins(30);

/// PagerDuty's clock, which dates an answer, may be this far behind ours.
const CLOCKS_APART: Duration = Duration::from_secs(5);
