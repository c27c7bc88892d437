//! May these steps go on now? What the customer and the mode say, asked before each round.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::claim::journal::Entry;
use crate::customer::{Customer, Rest};
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
        self.may_change(progress, ready).await?;
        if self.allowed(progress, ready).await? {
            // People may have taken their time.
            self.may_change(progress, ready).await?;
        }
        Ok(())
    }

    /// The same without asking people.
    pub(super) async fn may_change(
        &self,
        progress: &mut Progress<'_>,
        ready: &[Ready],
    ) -> Result<(), Stop> {
        if progress.phase == Phase::Main {
            // One suspension may follow the other, or be moved while it is waited for.
            let mut has_waited = false;
            while self.waits_for_suspension(progress, ready).await? {
                has_waited = true;
            }
            if has_waited {
                // It begins now, with its whole time.
                progress.plan.act_until = Instant::now() + progress.plan.room;
            }
            self.stricter_mode(progress, ready)?;
        }
        if progress.plan.mode() == Mode::Shadow
            && let Some(change) = ready.iter().find(|ready| acts(ready, progress.plan.scenario))
        {
            return Err(Stop::End(End::Shadowed { step: change.at.step, would_end: None }));
        }
        self.not_paused(progress, ready).await
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
        progress: &mut Progress<'_>,
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
            Some((it.at.step, found.max_by_key(|rest| rest.until)?))
        });
        let longest = concerned.max_by_key(|(_, rest)| rest.until);
        let Some((step, Rest { reason, until })) = longest else { return Ok(false) };
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
        // The run's own time begins after it.
        let plan = &mut progress.plan;
        plan.act_until = plan.act_until.max(Instant::now() + left + plan.room);
        if plan.journal.deferred() != Some(until) {
            self.put_off(progress, until).await?;
        }
        progress.plan.sleep(left.min(LOOK_AGAIN), step, progress.phase).await.map(|()| true)
    }

    /// Records until when the run waits, so that whoever takes it over gives it its time too. A store
    /// that does not answer is asked again at the next look.
    async fn put_off(&self, progress: &mut Progress<'_>, until: Timestamp) -> Result<(), Stop> {
        let mut journal = progress.plan.journal.clone();
        if let Some(way) = progress.plan.memory.way() {
            journal = journal.with(way);
            // Whatever becomes of the write, the next one carries it.
            progress.plan.journal = journal.clone();
        }
        let journal = journal.with(Entry::Deferred { until, at: self.clock.now() });
        match self.claims.done(progress.plan.claim(), &journal).await {
            Ok(Ok(())) => progress.plan.journal = journal,
            Ok(Err(refusal)) => return Err(Stop::Lost(refusal)),
            Err(error) => {
                let run = progress.plan.claim().run();
                tracing::warn!(%run, %error, "until when run {run} waits is not recorded yet");
            }
        }
        Ok(())
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
