//! The guards are asked for the recoveries of a round, right before they are announced.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use crate::execute::announce::STORE_PAUSE;
use crate::execute::end::{End, Guarded};
use crate::execute::plan::Ready;
use crate::execute::prepare::Prepared;
use crate::execute::round::{Task, Work};
use crate::execute::run::{Executor, Phase, Progress, Stop};
use crate::guard::rules::{Rules, WhenBusy};
use crate::guard::{Answer, Ask, Said, Target};
use crate::scenario::model::StepKind;

impl Executor {
    /// All recoveries of the round or none. What was begun before has been let pass; what always runs
    /// at the end puts something back, which nobody limits.
    pub(super) async fn guarded(
        &self,
        progress: &Progress<'_>,
        tasks: &mut [Task<'_>],
    ) -> Result<(), Stop> {
        let recovers = |task: &&Task<'_>| {
            matches!(task.step.kind, StepKind::Recover { .. }) && task.adopted.is_none()
        };
        let Some(first) = tasks.iter().find(recovers).filter(|_| progress.phase == Phase::Main)
        else {
            return Ok(());
        };
        let targets = tasks.iter().filter(recovers).map(|task| target(progress, task)).collect();
        let ask = self.ask_of(progress, targets);
        let step = first.step.number;
        let until = self.store_patience(progress);
        loop {
            let said = match self.guards.ask(ask.clone()).await {
                Ok(Answer::Granted(said)) => {
                    for task in tasks.iter_mut().filter(|task| recovers(&&**task)) {
                        task.passes.guards.clone_from(&said);
                    }
                    return Ok(());
                }
                Ok(Answer::Refused(said)) => return Err(no(progress, step, said)),
                Ok(Answer::Busy { said, .. }) => said,
                // Not known is never a yes.
                Err(error) if Instant::now() >= until => {
                    let what =
                        format!("the step was not begun: the guards could not be asked: {error}");
                    return Err(Stop::End(End::Ours { what }));
                }
                Err(error) => {
                    tracing::debug!(%error, "the guards could not be asked yet");
                    progress.plan.halted()?;
                    sleep(STORE_PAUSE).await;
                    continue;
                }
            };
            let may_wait = ask.rules.turn.when_busy == WhenBusy::Wait
                && Instant::now() + BUSY_PAUSE < progress.plan.act_until;
            if !may_wait {
                return Err(no(progress, step, said));
            }
            progress.plan.sleep(BUSY_PAUSE, step, progress.phase).await?;
            let ready: Vec<Ready> = tasks.iter().map(|task| task.ready.clone()).collect();
            self.not_paused(progress, &ready).await?;
        }
    }

    fn ask_of(&self, progress: &Progress<'_>, targets: Vec<Target>) -> Ask {
        let plan = &progress.plan;
        let customer = self.customer_now(plan);
        let own = customer.as_ref().map(|customer| &customer.limits);
        let rules = self.limits.clone().and(own.unwrap_or(&Rules::default()));
        Ask {
            run: plan.claim().run().clone(),
            customer: customer.map(|customer| customer.id.clone()),
            scenario: plan.scenario.id.clone(),
            targets,
            rules: rules.and(&plan.scenario.limits),
            over: Vec::new(),
        }
    }
}

fn no(progress: &Progress<'_>, step: usize, said: Said) -> Stop {
    let zone = progress.plan.zone.clone();
    let until = said.until.map(|at| at.to_zoned(zone).strftime("%Y-%m-%d %H:%M").to_string());
    let Said { guard, count, limit, .. } = said;
    tracing::info!(
        run = %progress.plan.claim().run(), step, guard = guard.word(), count, limit,
        "a recovery is not begun: the guard {} says no ({count}/{limit})", guard.word(),
    );
    Stop::End(End::Guarded(Guarded {
        step,
        guard,
        count,
        limit,
        said: Some(Box::new(said)),
        until,
    }))
}

/// Between two questions whether it is our turn.
const BUSY_PAUSE: Duration = Duration::from_secs(5);

/// Characters of a title that stand for what is recovered.
const TITLE_CHARS: usize = 80;

/// The host that is recovered. Where a scenario knows of none, the same title means the same thing.
fn target(progress: &Progress<'_>, task: &Task<'_>) -> Target {
    let world = &progress.plan.world;
    let host = match &task.work {
        Work::Act { prepared: Prepared { host, values, .. }, .. } => {
            let own = host.as_ref().map(|host| host.name.clone());
            own.or_else(|| values.get("target.host")?.as_str().map(str::to_owned))
        }
        Work::Wait(_) | Work::Approve { .. } => None,
    };
    let known = host.as_ref().and_then(|host| world.host(&progress.plan.memory, host));
    let groups = known.map(|host| host.groups.clone()).unwrap_or_default();
    let title = || world.base.get("incident.title")?.as_str().map(str::to_owned);
    let name = host.or_else(title).unwrap_or_default();
    Target { name: name.chars().take(TITLE_CHARS).collect(), groups }
}
