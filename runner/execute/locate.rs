//! Asks the sources of a run's target, once, before the first step that needs it.

use serde_json::Value;

use crate::customer::Customer;
use crate::execute::end::{Asked, End, Lack};
use crate::execute::plan::{self, Next, Ready};
use crate::execute::run::{Executor, Phase, Progress, RunPlan, Stop};
use crate::execute::target::{Heard, Located, in_alerts, looked_up, names};
use crate::execute::world::Frame;
use crate::limits;
use crate::scenario::model::{Source, StepKind};
use crate::scenario::target::is_tag_value;
use crate::scenario::template::{Template, TemplateError};
use crate::scenario::value::Values;

/// Values of a tag that one target is looked up by; each asks all regions of the customer's.
const LOOK_UPS: usize = 10;

impl Executor {
    /// Finds the target for this step and all later ones. What is found is kept with the run's memory;
    /// what cannot be found out ends the run before the step.
    pub(super) async fn locate(
        &self,
        progress: &mut Progress<'_>,
        ready: Ready,
    ) -> Result<(), Stop> {
        let (step, phase) = (ready.at.step, progress.phase);
        progress.plan.may_go_on(step, phase)?;
        self.may_change(progress, &[ready]).await?;
        let found = if progress.plan.memory.has_forgotten_target() {
            // Other hosts now than those that something was done on would be worse than none.
            Err(Lack::TargetForgotten)
        } else {
            tokio::select! {
                found = self.ask_sources(progress) => found,
                slept = progress.plan.sleep(limits::LOCATE, step, phase) => {
                    slept?;
                    Err(Lack::Unanswered { asked: Asked::Sources, why: "no answer in time".into() })
                }
            }
        };
        let run = progress.plan.claim().run().clone();
        let plan = &mut progress.plan;
        match found {
            Ok(located) => {
                let (hosts, source) = (located.hosts.len(), located.source);
                tracing::info!(%run, step, hosts, ?source, "run {run} has found its target");
                plan.memory.locate(located);
                Ok(())
            }
            Err(lack) => {
                plan.memory.cannot_locate(lack.clone());
                let kind = plan.scenario.step(step).map(|step| &step.kind);
                let only_tells =
                    matches!(kind, Some(StepKind::Resolve { .. } | StepKind::HandOff(_)));
                // What must run at the end tries, and what only says something says less.
                if phase == Phase::Always || only_tells {
                    return Ok(());
                }
                Err(Stop::End(End::CannotGoOn { step, lack }))
            }
        }
    }

    /// The next steps of what always runs at the end, the target found before them where they need it.
    pub(super) async fn next_of_always(
        &self,
        progress: &mut Progress<'_>,
    ) -> Result<Option<Vec<Ready>>, Stop> {
        loop {
            let now = self.now(&progress.plan);
            let RunPlan { scenario, world, memory, .. } = &mut progress.plan;
            let ready = match plan::next_always(scenario, world, memory, &now) {
                Some(Next::Steps(ready)) => return Ok(Some(ready)),
                Some(Next::Locate(ready)) => ready,
                Some(Next::End(_)) | None => return Ok(None),
            };
            match self.locate(progress, ready).await {
                Ok(()) => {}
                // No time is left for it: what needs no host still runs.
                Err(Stop::End(_)) => progress.plan.memory.cannot_locate(Lack::NoHostNamed),
                Err(other) => return Err(other),
            }
        }
    }

    async fn ask_sources(&self, progress: &Progress<'_>) -> Result<Located, Lack> {
        let RunPlan { scenario, world, memory, .. } = &progress.plan;
        let (Some(customer), Some(target)) = (&world.customer, &scenario.target) else {
            return Err(Lack::NoCustomer);
        };
        let now = self.now(&progress.plan);
        let values = world.before_target(scenario, (memory, &now), &Frame::default());
        let (mut alerts, mut lacks) = (None, Vec::new());
        for (number, source) in target.sources().iter().enumerate() {
            let heard = match source {
                Source::Named(template) => world.named(scenario, &values, template),
                Source::Alert(keys) => {
                    let alerts = match &mut alerts {
                        Some(alerts) => alerts,
                        none => none.insert(self.alerts(progress).await?),
                    };
                    in_alerts(customer, alerts, keys)
                }
                Source::LookUp { tag, is } => self.look_up(customer, (tag, is), &values).await?,
            };
            match heard {
                Heard::Hosts(hosts) => {
                    return Ok(Located { source: Some(number), hosts, strange: None });
                }
                Heard::Nobody(lack) => lacks.push(lack),
                Heard::Doubtful(lack) => return Err(lack),
            }
        }
        Ok(Located::nobody(&lacks))
    }

    async fn alerts(&self, progress: &Progress<'_>) -> Result<Vec<Value>, Lack> {
        let incident = &progress.plan.claim().run().incident;
        let unanswered = |why: String| Lack::Unanswered { asked: Asked::Alerts, why };
        self.sources.alerts.of(incident).await.map_err(|error| unanswered(error.to_string()))
    }

    async fn look_up(
        &self,
        customer: &Customer,
        (tag, is): (&str, &Template),
        values: &Values,
    ) -> Result<Heard, Lack> {
        let wanted = match names(is, values) {
            Ok(wanted) => wanted,
            Err(TemplateError::Missing(name)) => return Ok(Heard::Nobody(Lack::NoValue(name))),
            Err(TemplateError::Bad(reason)) => return Err(Lack::Other(reason)),
        };
        // Text from outside that would mean something in a filter means nobody.
        let wanted: Vec<&String> = wanted.iter().filter(|value| is_tag_value(value)).collect();
        if wanted.len() > LOOK_UPS {
            return Err(Lack::TooMany { found: wanted.len(), most: LOOK_UPS });
        }
        let mut found = Vec::new();
        for value in wanted {
            let instances = self.sources.look_up.by_tag(customer, tag, value).await;
            found.extend(instances.map_err(|error| Lack::Unanswered {
                asked: Asked::Tags,
                why: error.to_string(),
            })?);
        }
        Ok(looked_up(customer, found))
    }
}
