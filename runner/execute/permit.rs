//! May these steps go on now? What the customer and the mode say, asked before each round.

use std::time::Duration;

use crate::execute::end::{End, Lack};
use crate::execute::plan::Ready;
use crate::execute::run::{Executor, Phase, Progress, RunPlan, Stop, acts};
use crate::scenario::model::{Mode, WhenSuspended};

impl Executor {
    /// Waits where waiting helps, and ends the run where it may not go on.
    pub(super) async fn permit(
        &self,
        progress: &mut Progress<'_>,
        ready: &[Ready],
    ) -> Result<(), Stop> {
        self.not_suspended(progress, ready).await?;
        if progress.plan.mode() == Mode::Shadow
            && let Some(change) = ready.iter().find(|ready| acts(ready, progress.plan.scenario))
        {
            return Err(Stop::End(End::Shadowed { step: change.at.step, would_end: None }));
        }
        self.allowed(progress, ready).await
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
}
