//! Target groups of load balancers: who is healthy, who is let in and out ("Health checks for your
//! target groups" of the Elastic Load Balancing user guide).

use super::{Call, Change, Stage, Thing, around, field, listed};
use crate::aws::accounts::Account;
use crate::aws::refusal::Why;
use crate::aws::world::Pace;
use std::collections::BTreeMap;

const PORT: &str = "80";

/// By target and port.
#[derive(Default)]
pub(super) struct State(BTreeMap<(String, String), Target>);

#[derive(Clone)]
struct Target {
    /// Whether it is registered.
    place: Change<bool>,
    /// Of its health checks: the reason why it is not healthy.
    ill: Option<String>,
}

impl Target {
    fn health(&self, pace: Pace) -> Option<(&'static str, &str)> {
        match (self.place.to, self.place.stage(pace), &self.ill) {
            (true, Stage::Under, _) => Some(("initial", "Elb.RegistrationInProgress")),
            (true, _, None) => Some(("healthy", "")),
            (true, _, Some(reason)) => Some(("unhealthy", reason)),
            (false, Stage::Under, _) => Some(("draining", "Target.DeregistrationInProgress")),
            (false, _, _) => None,
        }
    }
}

/// A target group of an account.
#[derive(Clone, Debug)]
pub(crate) struct TargetGroup(Thing);

impl Account {
    /// An empty target group on port 80.
    pub(crate) fn target_group(&self, region: &str, name: &str) -> TargetGroup {
        let arn = format!(
            "arn:aws:elasticloadbalancing:{region}:{}:targetgroup/{name}/6d0ecf831eec9f09",
            self.id
        );
        let group = TargetGroup(self.thing(region, &arn));
        group.0.estate(|estate, _| {
            estate.targets.entry(arn).or_default();
        });
        group
    }
}

impl TargetGroup {
    pub(crate) fn arn(&self) -> &str {
        &self.0.id
    }

    fn set(&self, id: &str, ill: Option<&str>) -> &Self {
        let long_ago = Change::none(true);
        let target = Target { place: long_ago, ill: ill.map(str::to_owned) };
        self.0.estate(|estate, _| {
            let group = estate.targets.entry(self.0.id.clone()).or_default();
            group.0.insert((id.to_owned(), PORT.to_owned()), target);
        });
        self
    }

    pub(crate) fn healthy(&self, id: &str) -> &Self {
        self.set(id, None)
    }

    /// `Target.FailedHealthChecks`, `Target.Timeout`.
    pub(crate) fn unhealthy(&self, id: &str, reason: &str) -> &Self {
        self.set(id, Some(reason))
    }
}

pub(super) fn answer(call: &Call<'_>, action: &str) -> Option<Result<String, Why>> {
    Some(match action {
        "DescribeTargetHealth" => health(call),
        "RegisterTargets" => placed(call, true),
        "DeregisterTargets" => placed(call, false),
        _ => return None,
    })
}

fn group<T>(call: &Call<'_>, use_it: impl FnOnce(&mut State) -> T) -> Result<T, Why> {
    let arn = call.text("TargetGroupArn");
    let missing = || Why::stated("TargetGroupNotFound", format!("target group '{arn}' not found"));
    call.estate(|estate| estate.targets.get_mut(arn).map(use_it).ok_or_else(missing))
}

/// The targets that the request names, with their port.
fn named(call: &Call<'_>) -> Vec<(String, String)> {
    let read = |entry: &String| {
        let port = call.text(&format!("{entry}.Port"));
        let port = if port.is_empty() { PORT } else { port };
        (call.text(&format!("{entry}.Id")).to_owned(), port.to_owned())
    };
    call.form.entries("Targets.member").iter().map(read).collect()
}

fn health(call: &Call<'_>) -> Result<String, Why> {
    let (named, pace) = (named(call), call.pace());
    group(call, |group| {
        let told =
            |place: &(String, String)| group.0.get(place).and_then(|target| target.health(pace));
        let all: Vec<_> = if named.is_empty() {
            group.0.keys().filter(|place| told(place).is_some()).cloned().collect()
        } else {
            named
        };
        let one = |(id, port): &(String, String)| {
            let place = (id.clone(), port.clone());
            let (state, reason) = told(&place).unwrap_or(("unused", "Target.NotRegistered"));
            let reason = if reason.is_empty() { String::new() } else { field("Reason", &reason) };
            let target = around("Target", &(field("Id", &id) + &field("Port", &port)));
            target + &around("TargetHealth", &(field("State", &state) + &reason))
        };
        listed("TargetHealthDescriptions", "member", all.iter().map(one))
    })
}

fn placed(call: &Call<'_>, to: bool) -> Result<String, Why> {
    let (named, pace) = (named(call), call.pace());
    if named.is_empty() {
        return Err(Why::stated("ValidationError", "Targets is required"));
    }
    group(call, |group| {
        for place in named {
            let was = group.0.get(&place).filter(|target| target.health(pace).is_some()).cloned();
            if was.as_ref().map(|was| was.place.to) == Some(to) || (was.is_none() && !to) {
                continue;
            }
            let ill = was.and_then(|was| was.ill);
            group.0.insert(place, Target { place: Change::new(!to, to, pace), ill });
        }
        String::new()
    })
}
