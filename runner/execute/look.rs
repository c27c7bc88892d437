//! One step's action, again and again until it is as expected or its time is over.

use std::sync::Arc;
use std::time::Duration;

use serde_json::Map;
use tokio::time::{Instant, sleep};

use crate::claim::hold::{Doubt, Permission};
use crate::claim::protocol::Refusal;
use crate::execute::actuator::{Action, Ending, Observation, Order, Output};
use crate::execute::announce::STORE_PAUSE;
use crate::execute::prepare::Prepared;
use crate::execute::round::{Task, entry, nonce};
use crate::execute::run::{Executor, Phase, Progress, Stop};
use crate::execute::take::take;
use crate::execute::verdict::{Verdict, Why, judge, judge_http, judge_values};
use crate::mask::Mask;
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
        let mut adopted = task.adopted.clone();
        let mut attempts = adopted.as_ref().map_or(0, |(_, number)| number - 1);
        let mut in_a_row = 0;
        let mut own = prepared.values.clone();
        loop {
            attempts += 1;
            let seen = match adopted.take() {
                Some((seen, _)) => seen,
                None => self.act(progress, task, (probe, prepared), attempts).await?,
            };
            let (values, unreadable) = take(&probe.takes, &seen, &own);
            for (name, value) in &values {
                own.set(name, value.clone());
            }
            let verdict =
                judged((probe, &plan.world.mask), &prepared.action, &seen, &own, unreadable);
            in_a_row = if verdict == Verdict::Met { in_a_row + 1 } else { 0 };
            if in_a_row >= look.in_a_row {
                return Ok((verdict, Some(seen), values, attempts));
            }
            let can_still = look
                .tries
                .is_none_or(|tries| tries - attempts.min(tries) >= look.in_a_row - in_a_row);
            let has_time = until.is_none_or(|until| Instant::now() + look.every <= until);
            let is_over = match seen.ending {
                Ending::Cancelled => true,
                // Another try might be the second time.
                Ending::Unknown { .. } => task.step.kind.effect() == Effect::Once,
                _ => false,
            };
            if is_over || !can_still || !has_time {
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
                Err(_) if task.changes() => {
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
        (probe, prepared): (&Probe, &Prepared),
        attempt: u32,
    ) -> Result<Observation, Stop> {
        if task.changes()
            && let Some(reason) = self.must_not_begin(progress).await?
        {
            return Ok(not_begun(reason));
        }
        let order = order(progress, task, (probe, prepared), attempt);
        let signals = &progress.plan.signals;
        let stop = if task.changes() { &signals.halt } else { &signals.leave };
        Ok(self.actuator.act(&order, stop).await)
    }

    /// How long a store that does not answer is waited for: a lease, because then others take over.
    /// What must always run has longer, but people must be told at some time.
    pub(super) fn store_patience(&self, progress: &Progress<'_>) -> Instant {
        let (now, lease) = (Instant::now(), self.pulse.terms().lease);
        match progress.phase {
            Phase::Main => now + lease,
            Phase::Always => {
                (now + lease * ALWAYS_LEASES).min(progress.plan.act_until.max(now + lease))
            }
        }
    }

    /// A process that was paused since the intent, or whose store was slow to take it, may be taken
    /// for dead by now. It asks whether the run is still its own.
    async fn must_not_begin(&self, progress: &Progress<'_>) -> Result<Option<String>, Stop> {
        let permission = permission(progress);
        let until = self.store_patience(progress);
        loop {
            let doubt = match permission.ask().await {
                Ok(()) => return Ok(None),
                Err(doubt) => doubt,
            };
            match doubt {
                Doubt::Refused(Refusal::StandDown { .. }) => {
                    return Ok(Some("somebody asked to stop before it was begun".to_owned()));
                }
                Doubt::Refused(refusal) => return Err(Stop::Lost(refusal)),
                Doubt::Unknown(_) if Instant::now() >= until => return Ok(Some(doubt.to_string())),
                Doubt::Unknown(why) => tracing::debug!(why, "a recovery waits"),
            }
            progress.plan.halted()?;
            sleep(STORE_PAUSE).await;
        }
    }
}

/// A minute with the default lease.
const ALWAYS_LEASES: u32 = 10;

/// What always runs at the end does so whoever has asked to stop.
fn permission(progress: &Progress<'_>) -> Permission {
    let hold = Arc::clone(progress.plan.hold);
    Permission { hold, consent: progress.phase == Phase::Main }
}

/// What the task orders now. An effect is found again by the nonce of its intent.
pub(super) fn order(
    progress: &Progress<'_>,
    task: &Task<'_>,
    (probe, prepared): (&Probe, &Prepared),
    attempt: u32,
) -> Order {
    let plan = &progress.plan;
    let left = plan.act_until.saturating_duration_since(Instant::now());
    Order {
        run: plan.claim().run().clone(),
        step: task.step.number,
        entry: entry(&task.ready.frame.each),
        nonce: if task.changes() { task.nonce.clone() } else { nonce() },
        attempt: task.changes().then_some(attempt),
        announced_at: None,
        permission: task.changes().then(|| permission(progress)),
        action: prepared.action.clone(),
        host: prepared.host.clone(),
        timeout: probe.timeout.min(left),
    }
}

fn not_begun(reason: String) -> Observation {
    Observation {
        ending: Ending::NotStarted { reason },
        stdout: Output::default(),
        stderr: Output::default(),
        took: Duration::ZERO,
    }
}

fn judged(
    (probe, mask): (&Probe, &Mask),
    action: &Action,
    seen: &Observation,
    own: &Values,
    unreadable: Option<Why>,
) -> Verdict {
    let verdict = match action {
        Action::Http(_) | Action::Tcp(_) => judge_http(&probe.expect, seen),
        Action::Command(_) | Action::Aws(_) | Action::Ask { .. } => judge(&probe.expect, seen),
    };
    match verdict {
        Verdict::Met => judge_values(&probe.expect, own, unreadable, mask),
        other => other,
    }
}
