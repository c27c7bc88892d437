//! One step's action, again and again until it is as expected or its time is over.

use serde_json::Map;
use tokio::time::Instant;

use crate::execute::actuator::{Action, Ending, Observation, Order};
use crate::execute::prepare::Prepared;
use crate::execute::round::{Task, entry, nonce};
use crate::execute::run::{Executor, Progress, Stop};
use crate::execute::take::take;
use crate::execute::verdict::{Verdict, Why, judge, judge_http, judge_values};
use crate::scenario::model::{Effect, Probe};
use crate::scenario::value::Values;

impl Executor {
    /// Acts, again and again where the step says so, until it is as expected.
    pub(super) async fn look(
        &self,
        progress: &Progress<'_>,
        task: &Task<'_>,
        probe: &Probe,
        prepared: &Prepared,
    ) -> Result<(Verdict, Option<Observation>, Map<String, serde_json::Value>, u32), Stop> {
        let plan = &progress.plan;
        let look = probe.look;
        let until = look.within.map(|within| (Instant::now() + within).min(plan.act_until));
        let (mut attempts, mut in_a_row) = (0, 0);
        let mut own = prepared.values.clone();
        loop {
            attempts += 1;
            let seen = self.act(progress, task, probe, prepared).await;
            let (values, unreadable) = take(&probe.takes, &seen, &own);
            for (name, value) in &values {
                own.set(name, value.clone());
            }
            let verdict = judged(probe, &prepared.action, &seen, &own, unreadable);
            in_a_row = if verdict == Verdict::Met { in_a_row + 1 } else { 0 };
            if in_a_row >= look.in_a_row {
                return Ok((verdict, Some(seen), values, attempts));
            }
            let can_still = look
                .tries
                .is_none_or(|tries| tries - attempts.min(tries) >= look.in_a_row - in_a_row);
            let has_time = until.is_none_or(|until| Instant::now() + look.every <= until);
            let cancelled = seen.ending == Ending::Cancelled;
            if cancelled || !can_still || !has_time {
                let verdict = match verdict {
                    Verdict::Met => Verdict::NotMet(Why::NotInARow(in_a_row)),
                    other => other,
                };
                return Ok((verdict, Some(seen), values, attempts));
            }
            let slept = plan.sleep(look.every, task.step.number, progress.phase).await;
            match slept {
                Ok(()) => {}
                // What was begun must be recorded with the result it has.
                Err(_) if task.step.kind.effect() != Effect::Read => {
                    return Ok((verdict, Some(seen), values, attempts));
                }
                Err(stop) => return Err(stop),
            }
            own.set("previous", serde_json::Value::Object(values));
        }
    }

    async fn act(
        &self,
        progress: &Progress<'_>,
        task: &Task<'_>,
        probe: &Probe,
        prepared: &Prepared,
    ) -> Observation {
        let plan = &progress.plan;
        let left = plan.act_until.saturating_duration_since(Instant::now());
        let changes = task.step.kind.effect() != Effect::Read;
        let order = Order {
            run: plan.claim.run().clone(),
            step: task.step.number,
            entry: entry(&task.ready.frame.each),
            // An effect is found again by the nonce of its intent.
            nonce: if changes { task.nonce.clone() } else { nonce() },
            action: prepared.action.clone(),
            host: prepared.host.clone(),
            timeout: probe.timeout.min(left),
        };
        self.actuator.act(&order, &plan.signals.halt).await
    }
}

fn judged(
    probe: &Probe,
    action: &Action,
    seen: &Observation,
    own: &Values,
    unreadable: Option<Why>,
) -> Verdict {
    let verdict = match action {
        Action::Http(_) | Action::Tcp(_) => judge_http(&probe.expect, seen),
        Action::Command(_) | Action::Ask { .. } => judge(&probe.expect, seen),
    };
    match verdict {
        Verdict::Met => judge_values(&probe.expect, own, unreadable),
        other => other,
    }
}
