//! Auto Scaling groups and how many instances they want.

use super::{Call, Change, Stage, Thing, field, listed};
use crate::aws::accounts::Account;
use crate::aws::refusal::Why;
use crate::aws::world::Pace;
use std::ops::RangeInclusive;

pub(super) struct State {
    bounds: RangeInclusive<u64>,
    desired: Change<u64>,
}

/// A scaling group of an account.
#[derive(Clone, Debug)]
pub(crate) struct ScalingGroup(Thing);

impl Account {
    /// A group with as many instances as it wants.
    pub(crate) fn scaling_group(
        &self,
        region: &str,
        name: &str,
        (bounds, desired): (RangeInclusive<u64>, u64),
    ) -> ScalingGroup {
        let group = ScalingGroup(self.thing(region, name));
        let state = State { bounds, desired: Change::none(desired) };
        group.0.estate(|estate, _| estate.scaling.insert(name.to_owned(), state));
        group
    }
}

impl ScalingGroup {
    pub(crate) fn desired(&self) -> u64 {
        self.0.estate(|estate, _| estate.scaling.get(&self.0.id).map_or(0, |it| it.desired.to))
    }
}

pub(super) fn answer(call: &Call<'_>, action: &str) -> Option<Result<String, Why>> {
    Some(match action {
        "DescribeAutoScalingGroups" => Ok(described(call)),
        "SetDesiredCapacity" => set(call),
        _ => return None,
    })
}

/// Groups that are not there are left out, without a word.
fn described(call: &Call<'_>) -> String {
    let pace = call.pace();
    let entries = call.form.entries("AutoScalingGroupNames.member");
    let names: Vec<&str> = entries.iter().map(|entry| call.text(entry)).collect();
    call.estate(|estate| {
        let all = estate.scaling.iter();
        let all = all.filter(|(name, _)| names.is_empty() || names.contains(&name.as_str()));
        let all = all.map(|(name, state)| group(name, state, pace));
        listed("AutoScalingGroups", "member", all)
    })
}

fn group(name: &str, state: &State, pace: Pace) -> String {
    let Change { from, to, .. } = state.desired;
    let under = state.desired.stage(pace) == Stage::Under;
    let most = if under { from.max(to) } else { to };
    let instances = (0..most).map(|number| {
        let word = match () {
            () if !under || number < from.min(to) => "InService",
            () if to > from => "Pending",
            () => "Terminating",
        };
        field("InstanceId", &format!("i-{number:017x}"))
            + &field("HealthStatus", "Healthy")
            + &field("LifecycleState", &word)
    });
    [
        field("AutoScalingGroupName", &name),
        field("MinSize", &state.bounds.start()),
        field("MaxSize", &state.bounds.end()),
        field("DesiredCapacity", &to),
        listed("Instances", "member", instances),
    ]
    .concat()
}

fn set(call: &Call<'_>) -> Result<String, Why> {
    let (name, pace) = (call.text("AutoScalingGroupName"), call.pace());
    let wanted = call.number("DesiredCapacity")?;
    call.estate(|estate| {
        let Some(state) = estate.scaling.get_mut(name) else {
            let message = format!("AutoScalingGroup name not found - no such group: {name}");
            return Err(Why::stated("ValidationError", message));
        };
        let (least, most) = (*state.bounds.start(), *state.bounds.end());
        if wanted > most {
            let message = format!(
                "New SetDesiredCapacity value {wanted} is above max value {most} for the \
                 AutoScalingGroup."
            );
            return Err(Why::stated("ValidationError", message));
        }
        if wanted < least {
            let message = format!(
                "New SetDesiredCapacity value {wanted} is below min value {least} for the \
                 AutoScalingGroup."
            );
            return Err(Why::stated("ValidationError", message));
        }
        state.desired = Change::new(state.desired.to, wanted, pace);
        Ok(String::new())
    })
}
