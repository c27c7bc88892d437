//! What an earlier owner had begun when it went: found out before anything is begun again.

use futures_util::future::join_all;

use crate::execute::actuator::Adopted;
use crate::execute::end::End;
use crate::execute::look::order;
use crate::execute::round::{Task, Work};
use crate::execute::run::{Executor, Progress, Stop};
use crate::scenario::model::Effect;

impl Executor {
    /// Looks for what became of steps that are in doubt. A recovery that ended, or still goes on,
    /// is adopted; one that never began is begun like any other; one that nobody can tell of is
    /// repeated only where that is allowed. Answers with the steps to carry out, and the end that
    /// follows them where one may not be repeated.
    pub(super) async fn adopt<'a>(
        &self,
        progress: &mut Progress<'a>,
        tasks: Vec<Task<'a>>,
    ) -> Result<(Vec<Task<'a>>, Option<End>), Stop> {
        if tasks.iter().all(|task| progress.plan.memory.doubt(&task.ready.at).is_none()) {
            return Ok((tasks, None));
        }
        let became = join_all(tasks.iter().map(|task| self.became(progress, task))).await;
        let (mut kept, mut unknown) = (Vec::new(), None);
        for (mut task, became) in tasks.into_iter().zip(became) {
            let (run, step) = (progress.plan.claim().run(), task.step.number);
            match became {
                None => kept.push(task),
                Some(Adopted::Ended { seen, attempt }) => {
                    tracing::info!(%run, step, "a recovery of run {run} was begun before and is adopted");
                    // Further attempts go by the same name.
                    if let Some(doubt) = progress.plan.memory.doubt(&task.ready.at) {
                        task.nonce.clone_from(&doubt.nonce);
                    }
                    task.adopted = Some((*seen, attempt));
                    kept.push(task);
                }
                Some(Adopted::NeverBegan) => {
                    tracing::info!(%run, step, "a recovery of run {run} was announced and never begun");
                    kept.push(task);
                }
                Some(Adopted::Unknown) if task.step.kind.effect() == Effect::Idempotent => {
                    tracing::warn!(%run, step, "nobody knows whether a recovery of run {run} ran; it is repeated");
                    kept.push(task);
                }
                Some(Adopted::Unknown) => {
                    tracing::error!(%run, step, "nobody knows whether a recovery of run {run} ran");
                    unknown = unknown.or(Some(End::OutcomeUnknown { step }));
                }
                Some(Adopted::Cancelled) => return Err(Stop::Halted),
            }
        }
        if unknown.is_some() {
            // Nothing new is begun any more; what ended has its result.
            kept.retain(|task| task.adopted.is_some());
        }
        Ok((kept, unknown))
    }

    async fn became(&self, progress: &Progress<'_>, task: &Task<'_>) -> Option<Adopted> {
        let doubt = progress.plan.memory.doubt(&task.ready.at)?;
        let Work::Act { probe, prepared } = &task.work else { return None };
        let mut order = order(progress, task, (probe, prepared), 1);
        order.nonce.clone_from(&doubt.nonce);
        order.announced_at = Some(doubt.at);
        let leave = &progress.plan.signals.leave;
        Some(self.actuator.adopt(&order, doubt.trace.as_deref(), leave).await)
    }
}
