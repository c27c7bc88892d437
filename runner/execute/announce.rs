//! Nothing is changed that was not recorded under the claim before.

use std::time::Duration;

use tokio::time::Instant;

use crate::claim::StoreError;
use crate::claim::journal::{Entry, Journal};
use crate::claim::protocol::Refusal;
use crate::execute::end::End;
use crate::execute::prepare::Prepared;
use crate::execute::round::{Task, Work};
use crate::execute::run::{Executor, Phase, Progress, Stop};

impl Executor {
    /// Nothing is done that was not announced under the claim.
    pub(super) async fn announce(
        &self,
        progress: &mut Progress<'_>,
        tasks: &[Task<'_>],
    ) -> Result<(), Stop> {
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
        // Nobody needs what a step printed to go on; what an author reads by name must be exact.
        let memory = progress.plan.memory.with_outputs(|it| progress.plan.world.mask.apply(it));
        let kept = match serde_json::to_string(&memory) {
            Ok(memory) => self.history.keep(run, memory).await.map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        if let Err(error) = kept {
            tracing::warn!(%run, %error, "what run {run} has read is not kept for a take-over");
        }
    }

    async fn intend(&self, progress: &Progress<'_>, journal: &Journal) -> Result<(), Stop> {
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
}

/// Between two tries at a store that does not answer.
pub(super) const STORE_PAUSE: Duration = Duration::from_millis(250);
