//! May these steps go on now? What the customer and the mode say, asked before each round.

use std::sync::Arc;
use std::time::Duration;

use crate::customer::{Customer, Suspension};
use crate::execute::end::{End, Lack};
use crate::execute::plan::Ready;
use crate::execute::run::{Executor, Phase, Progress, RunPlan, Stop, acts};
use crate::scenario::model::{Mode, WhenSuspended};

impl Executor {
    /// Waits where waiting helps, and ends the run where it may not go on. What the customer says
    /// counts as it is now; values and hosts stay what they were when the run began.
    pub(super) async fn permit(
        &self,
        progress: &mut Progress<'_>,
        ready: &[Ready],
    ) -> Result<(), Stop> {
        self.heed(progress, ready).await?;
        self.allowed(progress, ready).await
    }

    /// The same without asking people.
    pub(super) async fn heed(
        &self,
        progress: &mut Progress<'_>,
        ready: &[Ready],
    ) -> Result<(), Stop> {
        if progress.phase == Phase::Main {
            // One suspension may follow the other, or be moved while it is waited for.
            while self.waits_for_suspension(progress, ready).await? {}
            self.stricter_mode(progress, ready)?;
        }
        if progress.plan.mode() == Mode::Shadow
            && let Some(change) = ready.iter().find(|ready| acts(ready, progress.plan.scenario))
        {
            return Err(Stop::End(End::Shadowed { step: change.at.step, would_end: None }));
        }
        Ok(())
    }

    /// The customer as its file says now; as it was when the run began, if the file is gone.
    pub(super) fn customer_now(&self, plan: &RunPlan<'_>) -> Option<Arc<Customer>> {
        let before = plan.world.customer.as_ref()?;
        let now = self.rules.current();
        Some(Arc::clone(now.customers.by_id(&before.id).unwrap_or(before)))
    }

    /// The customer may have asked to leave the system alone. Once something was changed, looking
    /// goes on and further changes are left to people: half a procedure is no rest.
    async fn waits_for_suspension(
        &self,
        progress: &Progress<'_>,
        ready: &[Ready],
    ) -> Result<bool, Stop> {
        let Some(customer) = self.customer_now(&progress.plan) else { return Ok(false) };
        let RunPlan { scenario, memory, zone, .. } = &progress.plan;
        let acted = memory.has_acted();
        let now = self.now(&progress.plan);
        let concerned = ready.iter().filter(|it| !acted || acts(it, scenario)).filter_map(|it| {
            let hosts = progress.moment(&now).hosts(it);
            let covers =
                |host: Option<&str>| customer.suspended(&scenario.id, host, now.timestamp());
            let found = hosts.iter().map(|host| covers(Some(host))).chain([covers(None)]).flatten();
            Some((it.at.step, found.max_by_key(|suspension| suspension.until)?))
        });
        let longest = concerned.max_by_key(|(_, suspension)| suspension.until);
        let Some((step, Suspension { reason, until, .. })) = longest else { return Ok(false) };
        if acted || scenario.when_suspended == WhenSuspended::Leave {
            let local = until.to_zoned(zone.clone());
            let what = format!("{reason} ({})", local.strftime("%Y-%m-%d %H:%M"));
            return Err(Stop::End(if acted {
                End::CannotGoOn { step, lack: Lack::Suspended(what) }
            } else {
                End::Suspended { what }
            }));
        }
        let left = Duration::try_from(until.duration_since(now.timestamp())).unwrap_or_default();
        progress.plan.sleep(left.min(LOOK_AGAIN), step, progress.phase).await.map(|()| true)
    }

    /// The customer may have become stricter since the run began; never the other way.
    fn stricter_mode(&self, progress: &mut Progress<'_>, ready: &[Ready]) -> Result<(), Stop> {
        let Some(customer) = self.customer_now(&progress.plan) else { return Ok(()) };
        let scenario = progress.plan.scenario;
        match customer.mode(&scenario.id, progress.plan.mode) {
            mode if mode == progress.plan.mode => {}
            Mode::Approve => progress.plan.mode = Mode::Approve,
            // People were told that AMS works on it: now they are told that it does not.
            mode => {
                if let Some(change) = ready.iter().find(|ready| acts(ready, scenario)) {
                    let lack = Lack::ModeChanged(mode);
                    return Err(Stop::End(End::CannotGoOn { step: change.at.step, lack }));
                }
            }
        }
        Ok(())
    }
}

/// A suspension may be lifted before its end.
const LOOK_AGAIN: Duration = Duration::from_secs(30);
