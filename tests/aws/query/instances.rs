//! EC2 instances: their state, start, stop, reboot.

use std::sync::Arc;
use std::time::Duration;
use tokio::time::sleep;

use super::{Call, Change, Stage, around, field, listed};
use crate::aws::hosts::{Host, HostState, Ping, Platform, is_instance};
use crate::aws::refusal::Why;
use crate::aws::world::{Pace, Shared};

/// A host as EC2 knows it.
#[derive(Clone, Debug)]
pub(in crate::aws) struct Machine {
    power: Change<bool>,
    impaired: bool,
    reboots: usize,
    is_gone: bool,
}

impl Default for Machine {
    fn default() -> Self {
        Self { power: Change::none(true), impaired: false, reboots: 0, is_gone: false }
    }
}

impl Machine {
    /// EC2's number and word.
    fn state(&self, pace: Pace) -> (u8, &'static str) {
        if self.is_gone {
            return (48, "terminated");
        }
        let under = self.power.stage(pace) == Stage::Under;
        match (self.power.to, under) {
            (true, true) => (0, "pending"),
            (true, false) => (16, "running"),
            (false, true) => (64, "stopping"),
            (false, false) => (80, "stopped"),
        }
    }
}

impl Host {
    /// EC2 has stopped it, and SSM knows.
    pub(crate) fn stopped(&self) -> &Self {
        self.offline().change(|state| state.machine.power = Change::none(false))
    }

    /// EC2 shows it for an hour after its end.
    pub(crate) fn terminated(&self) -> &Self {
        self.offline().change(|state| state.machine.is_gone = true)
    }

    /// Its status checks fail.
    pub(crate) fn impaired(&self) -> &Self {
        self.change(|state| state.machine.impaired = true)
    }

    /// How often EC2 was told to reboot it.
    pub(crate) fn reboots(&self) -> usize {
        let mut reboots = 0;
        self.change(|state| reboots = state.machine.reboots);
        reboots
    }
}

pub(super) fn answer(call: &Call<'_>, action: &str) -> Option<Result<String, Why>> {
    Some(match action {
        "DescribeInstances" => described(call),
        "DescribeInstanceStatus" => statuses(call),
        "StartInstances" => powered(call, true),
        "StopInstances" => powered(call, false),
        "RebootInstances" => rebooted(call),
        _ => return None,
    })
}

/// Hosts that are EC2's, with their id.
fn each<T>(call: &Call<'_>, mut told: impl FnMut(&str, &HostState) -> Option<T>) -> Vec<T> {
    let world = call.shared.world();
    let account = world.accounts.get(&call.caller.account);
    let hosts = account.into_iter().flat_map(|account| &account.hosts);
    let mine =
        |(region, id): &(String, String)| *region == call.caller.region && id.starts_with("i-");
    hosts.filter(|(place, _)| mine(place)).filter_map(|((_, id), host)| told(id, host)).collect()
}

/// The ids that are asked for, all of which have to be there.
fn ids(call: &Call<'_>) -> Result<Vec<String>, Why> {
    let ids: Vec<String> =
        call.form.entries("InstanceId").iter().map(|it| call.text(it).to_owned()).collect();
    let known = each(call, |id, _| Some(id.to_owned()));
    for id in &ids {
        if !is_instance(id) {
            let message = format!("Invalid id: \"{id}\"");
            return Err(Why::stated("InvalidInstanceID.Malformed", message));
        }
        if !known.contains(id) {
            let message = format!("The instance ID '{id}' does not exist");
            return Err(Why::stated("InvalidInstanceID.NotFound", message));
        }
    }
    Ok(ids)
}

fn described(call: &Call<'_>) -> Result<String, Why> {
    let (ids, pace) = (ids(call)?, call.pace());
    let filters = filters(call)?;
    let found = each(call, |id, host| {
        let wanted = ids.is_empty() || ids.iter().any(|wanted| wanted == id);
        let takes_it = filters.iter().all(|filter| filter.takes(id, host, pace));
        (wanted && takes_it).then(|| (id.to_owned(), instance(call, id, host, pace)))
    });
    let most = if call.text("MaxResults").is_empty() { 1000 } else { call.number("MaxResults")? };
    let after = call.text("NextToken").to_owned();
    let mut page: Vec<_> = found.into_iter().filter(|(id, _)| *id > after).collect();
    let more = page.len() as u64 > most;
    page.truncate(usize::try_from(most).unwrap_or(usize::MAX));
    let next = page.last().filter(|_| more).map(|(id, _)| field("nextToken", &id));
    let reservations = page.into_iter().map(|(id, instance)| {
        let set = listed("instancesSet", "item", [instance]);
        let reservation = field("reservationId", &format!("r-{}", &id[2..]));
        reservation + &field("ownerId", &call.caller.account) + &set
    });
    Ok(listed("reservationSet", "item", reservations) + &next.unwrap_or_default())
}

fn instance(call: &Call<'_>, id: &str, host: &HostState, pace: Pace) -> String {
    let tags = host.tags.iter().map(|(key, value)| field("key", &key) + &field("value", &value));
    [
        field("instanceId", &id),
        state("instanceState", host.machine.state(pace)),
        field("privateIpAddress", "10.0.0.1"),
        match host.platform {
            Platform::Windows => field("platform", "windows"),
            Platform::Linux => String::new(),
        },
        field("instanceType", "t3.medium"),
        around("placement", &field("availabilityZone", &format!("{}a", call.caller.region))),
        listed("tagSet", "item", tags),
    ]
    .concat()
}

fn state(name: &str, (code, word): (u8, &str)) -> String {
    around(name, &(field("code", &code) + &field("name", &word)))
}

fn statuses(call: &Call<'_>) -> Result<String, Why> {
    let (ids, pace) = (ids(call)?, call.pace());
    let all = call.text("IncludeAllInstances") == "true";
    let found = each(call, |id, host| {
        let (code, word) = host.machine.state(pace);
        let wanted = ids.is_empty() || ids.iter().any(|wanted| wanted == id);
        (wanted && (all || word == "running")).then(|| {
            let check = match word {
                "running" if host.machine.impaired => "impaired",
                "running" => "ok",
                _ => "not-applicable",
            };
            [
                field("instanceId", &id),
                state("instanceState", (code, word)),
                around("systemStatus", &field("status", &check)),
                around("instanceStatus", &field("status", &check)),
            ]
            .concat()
        })
    });
    Ok(listed("instanceStatusSet", "item", found))
}

fn powered(call: &Call<'_>, on: bool) -> Result<String, Why> {
    let (ids, pace) = (ids(call)?, call.pace());
    let mut changed = Vec::new();
    for id in ids {
        let mut world = call.shared.world();
        let account = world.accounts.get_mut(&call.caller.account);
        let host = account.and_then(|account| account.hosts.get_mut(&call.caller.place(&id)));
        let Some(host) = host else { continue };
        let before = host.machine.state(pace);
        if ["pending", "stopping"].contains(&before.1) {
            let message = format!(
                "The instance '{id}' is not in a state from which it can be started or stopped"
            );
            return Err(Why::stated("IncorrectInstanceState", message));
        }
        if host.machine.power.to != on {
            host.machine.power = Change::new(!on, on, pace);
            if on {
                appear(
                    call.shared,
                    call.caller.account.clone(),
                    call.caller.place(&id),
                    pace.change,
                );
            } else {
                host.ping = host.ping.map(|_| Ping::ConnectionLost);
                host.reachable.send_replace(false);
            }
        }
        // Even a change that takes no time is told as one.
        let after = match (on, before.1) {
            (true, "stopped") => (0, "pending"),
            (false, "running") => (64, "stopping"),
            _ => before,
        };
        let states = state("currentState", after) + &state("previousState", before);
        changed.push(field("instanceId", &id) + &states);
    }
    Ok(listed("instancesSet", "item", changed))
}

/// The agent of a started host is there when the host is.
fn appear(shared: &Arc<Shared>, account: String, place: (String, String), takes: Duration) {
    let shared = Arc::clone(shared);
    tokio::spawn(async move {
        sleep(takes).await;
        let mut world = shared.world();
        let account = world.accounts.get_mut(&account);
        let Some(host) = account.and_then(|account| account.hosts.get_mut(&place)) else { return };
        if host.machine.power.to {
            host.ping = host.ping.map(|_| Ping::Online);
            host.reachable.send_replace(true);
        }
    });
}

fn rebooted(call: &Call<'_>) -> Result<String, Why> {
    for id in ids(call)? {
        let mut world = call.shared.world();
        let account = world.accounts.get_mut(&call.caller.account);
        let host = account.and_then(|account| account.hosts.get_mut(&call.caller.place(&id)));
        if let Some(host) = host {
            host.machine.reboots += 1;
        }
    }
    Ok(field("return", &true))
}

/// `Filter.1.Name`, `Filter.1.Value.1`, ...: one of the values has to fit.
struct Filter {
    name: String,
    values: Vec<String>,
}

fn filters(call: &Call<'_>) -> Result<Vec<Filter>, Why> {
    let read = |entry: &String| {
        let name = call.text(&format!("{entry}Name")).to_owned();
        let known = ["tag-key", "instance-state-name", "instance-id", "private-ip-address"];
        if !known.contains(&name.as_str()) && !name.starts_with("tag:") {
            let message = format!("The filter '{name}' is invalid");
            return Err(Why::stated("InvalidParameterValue", message));
        }
        let values = call.form.entries(&format!("{entry}Value"));
        let values = values.iter().map(|value| call.text(value).to_owned()).collect();
        Ok(Filter { name, values })
    };
    call.form
        .entries("Filter")
        .iter()
        .map(|entry| format!("{entry}."))
        .map(|it| read(&it))
        .collect()
}

impl Filter {
    fn takes(&self, id: &str, host: &HostState, pace: Pace) -> bool {
        let fits = |known: &str| self.values.iter().any(|wanted| fits(wanted, known));
        match self.name.as_str() {
            "instance-id" => fits(id),
            "instance-state-name" => fits(host.machine.state(pace).1),
            "private-ip-address" => fits("10.0.0.1"),
            "tag-key" => host.tags.keys().any(|key| fits(key)),
            name => {
                let tag = name.strip_prefix("tag:").and_then(|tag| host.tags.get(tag));
                tag.is_some_and(|value| fits(value))
            }
        }
    }
}

/// "Filter values are case-sensitive. You can use * and ? as wildcards."
fn fits(pattern: &str, text: &str) -> bool {
    let mut pattern_rest = pattern.chars();
    let mut text_rest = text.chars();
    match (pattern_rest.next(), text_rest.next()) {
        (None, None) => true,
        (Some('*'), _) if fits(pattern_rest.as_str(), text) => true,
        (Some('*'), Some(_)) => fits(pattern, text_rest.as_str()),
        (Some('?'), Some(_)) => fits(pattern_rest.as_str(), text_rest.as_str()),
        (Some(one), Some(other)) => one == other && fits(pattern_rest.as_str(), text_rest.as_str()),
        (_, None) | (None, _) => false,
    }
}
