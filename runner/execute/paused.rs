//! The kill switch: what operators have paused is not begun.

use tokio::time::{Instant, sleep};

use crate::claim::in_force::Stopped;
use crate::claim::pauses::{Concern, Pause, group_mark, host_mark};
use crate::execute::announce::STORE_PAUSE;
use crate::execute::end::{End, Paused};
use crate::execute::plan::Ready;
use crate::execute::run::{Executor, Phase, Progress, RunPlan, Stop, acts};
use crate::history::pause::{self, PauseWords};
use crate::scenario::model::{Mode, StepKind};

impl Executor {
    /// Ends the run before its first change that is paused, and before people are asked about one.
    /// What has begun is seen to its end, and what always runs at the end puts something back, which
    /// nobody stops. Who does not know what is paused begins nothing.
    pub(super) async fn not_paused(
        &self,
        progress: &Progress<'_>,
        ready: &[Ready],
    ) -> Result<(), Stop> {
        if progress.phase == Phase::Always {
            return Ok(());
        }
        let until = self.store_patience(progress);
        let RunPlan { scenario, memory, .. } = &progress.plan;
        // In shadow nothing would be changed anyhow, and nobody is paged.
        let asks = |it: &Ready| {
            let step = scenario.step(it.at.step);
            let is_question = step.is_some_and(|it| matches!(it.kind, StepKind::Approve { .. }));
            is_question && progress.plan.mode() != Mode::Shadow
        };
        let begins =
            |it: &&Ready| (acts(it, scenario) || asks(it)) && memory.doubt(&it.at).is_none();
        for change in ready.iter().filter(begins) {
            let concern = self.concern(progress, change);
            loop {
                match self.pulse.in_force().stops(&concern, self.clock.now()) {
                    None => break,
                    Some(Stopped::By(pause)) => {
                        return Err(Stop::End(self.paused(progress, change, pause).await));
                    }
                    Some(Stopped::Unknown(why)) if Instant::now() >= until => {
                        let what = format!("the step was not begun: {why}");
                        return Err(Stop::End(End::Ours { what }));
                    }
                    Some(Stopped::Unknown(_)) => {
                        progress.plan.halted()?;
                        sleep(STORE_PAUSE).await;
                    }
                }
            }
        }
        Ok(())
    }

    /// What a change is about, as far as a pause may name it.
    pub(super) fn concern(&self, progress: &Progress<'_>, ready: &Ready) -> Concern {
        let now = self.now(&progress.plan);
        let customer = self.customer_now(&progress.plan);
        let (mut hosts, mut groups) = (Vec::new(), Vec::new());
        for name in progress.moment(&now).hosts(ready) {
            hosts.push(host_mark(&name));
            let Some(host) = customer.as_ref().and_then(|it| it.host(&name)) else { continue };
            let others = host.aliases.iter().chain(&host.address).chain([&host.name]);
            hosts.extend(others.map(|name| host_mark(name)));
            groups.extend(host.groups.iter().map(|group| group_mark(group)));
        }
        let scenario = progress.plan.scenario.id.clone();
        Concern { customer: customer.map(|customer| customer.mark()), scenario, hosts, groups }
    }

    async fn paused(&self, progress: &Progress<'_>, change: &Ready, pause: Pause) -> End {
        let (run, step) = (progress.plan.claim().run(), change.at.step);
        tracing::info!(%run, step, pause.id, "a recovery is not begun: AMS is paused");
        let words = match self.history.read_page(pause::SHELF, &pause.id).await {
            Ok(text) => text.and_then(|text| PauseWords::of_text(&text)).map(Box::new),
            Err(error) => {
                tracing::warn!(%run, %error, "who has paused AMS and why cannot be read");
                None
            }
        };
        let zone = progress.plan.zone.clone();
        let until = pause.until.map(|at| at.to_zoned(zone).strftime("%Y-%m-%d %H:%M").to_string());
        End::Paused(Paused { step, id: Some(pause.id), words, until })
    }
}
