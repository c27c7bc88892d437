//! What SSM tells about commands and hosts, and `CancelCommand`.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::send::{command, constraint};
use super::{OutputPlace, Phase, Sent, Status};
use crate::aws::hosts::{Cancel, HostState, Ping, Platform};
use crate::aws::refusal::Why;
use crate::aws::world::{Caller, Shared, World, has_passed};

/// `Output` of a plugin in lists: "a maximum of 2500 characters".
const LISTED_CHARS: usize = 2500;

pub(super) fn invocation(shared: &Shared, caller: &Caller, body: &Value) -> Result<Value, Why> {
    let world = shared.world();
    let instance = body["InstanceId"].as_str().unwrap_or_default();
    let sent = own(&world, caller, body["CommandId"].as_str().unwrap_or_default());
    let sent = sent.filter(|sent| sent.instance == instance);
    let visible = |sent: &&Sent| has_passed(sent.at, habit(&world, sent, |it| it.visible_after));
    let Some(sent) = sent.filter(visible) else {
        return Err(Why::stated("InvocationDoesNotExist", "no such invocation"));
    };
    let phase = sent.phase();
    let time = |time: Option<Timestamp>| {
        time.map(|time| time.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()).unwrap_or_default()
    };
    let [began, ended] = phase.times;
    let elapsed = began.zip(ended).map(|(began, ended)| ended.duration_since(began));
    let elapsed = elapsed.map(|elapsed: SignedDuration| format!("PT{}S", elapsed.as_secs_f64()));
    let [stdout, stderr] = ["stdout", "stderr"].map(|stream| url(sent, stream));
    Ok(json!({
        "CommandId": sent.id,
        "InstanceId": sent.instance,
        "Comment": sent.comment,
        "DocumentName": sent.document,
        "DocumentVersion": "$DEFAULT",
        "PluginName": plugin(sent),
        "ResponseCode": phase.code,
        "ExecutionStartDateTime": time(began),
        "ExecutionElapsedTime": elapsed.unwrap_or_default(),
        "ExecutionEndDateTime": time(ended),
        "Status": phase.status.word(),
        "StatusDetails": phase.details(spaced(&world, caller)),
        "StandardOutputContent": phase.stdout,
        "StandardOutputUrl": stdout,
        "StandardErrorContent": phase.stderr,
        "StandardErrorUrl": stderr,
        "CloudWatchOutputConfig": {"CloudWatchLogGroupName": "", "CloudWatchOutputEnabled": false},
    }))
}

pub(super) fn commands(shared: &Shared, caller: &Caller, body: &Value) -> Result<Value, Why> {
    let allowed = ["InvokedAfter", "InvokedBefore", "Status", "ExecutionStage", "DocumentName"];
    listed(shared, caller, (body, &allowed, "Commands"), |sent, phase, spaced| {
        command(sent, phase, spaced)
    })
}

pub(super) fn invocations(shared: &Shared, caller: &Caller, body: &Value) -> Result<Value, Why> {
    let allowed = ["InvokedAfter", "InvokedBefore", "Status", "DocumentName"];
    let details = body["Details"] == true;
    listed(shared, caller, (body, &allowed, "CommandInvocations"), |sent, phase, spaced| {
        let [stdout, stderr] = ["stdout", "stderr"].map(|stream| url(sent, stream));
        let output: String = phase.stdout.chars().take(LISTED_CHARS).collect();
        let plugins = json!([{
            "Name": plugin(sent),
            "Status": phase.status.word(),
            "StatusDetails": phase.details(spaced),
            "ResponseCode": phase.code,
            "Output": output,
            "StandardOutputUrl": stdout,
            "StandardErrorUrl": stderr,
        }]);
        json!({
            "CommandId": sent.id,
            "InstanceId": sent.instance,
            "InstanceName": "",
            "Comment": sent.comment,
            "DocumentName": sent.document,
            "DocumentVersion": "$DEFAULT",
            "RequestedDateTime": sent.requested.as_duration().as_secs_f64(),
            "Status": phase.status.word(),
            "StatusDetails": phase.details(spaced),
            "StandardOutputUrl": stdout,
            "StandardErrorUrl": stderr,
            "CommandPlugins": if details { plugins } else { json!([]) },
        })
    })
}

/// A page of commands, newest first.
fn listed(
    shared: &Shared,
    caller: &Caller,
    (body, allowed, name): (&Value, &[&str], &str),
    told: impl Fn(&Sent, &Phase, bool) -> Value,
) -> Result<Value, Why> {
    let world = shared.world();
    let filters = Filters::read(body, allowed)?;
    let most = body["MaxResults"].as_u64().unwrap_or(50);
    if !(1..=50).contains(&most) {
        return Err(constraint("maxResults", &most.to_string(), "value between 1 and 50"));
    }
    let after = body["NextToken"].as_str();
    if after.is_some_and(|after| world.commands.get(after).is_none()) {
        return Err(Why::stated("InvalidNextToken", "The specified token isn't valid."));
    }
    let mut skipping = after.is_some();
    let (mut page, mut last, mut more) = (Vec::new(), None, false);
    for sent in world.commands.known(&caller.account, &caller.region).rev() {
        if skipping {
            skipping = after != Some(sent.id.as_str());
            continue;
        }
        let phase = sent.phase_before(habit(&world, sent, |it| it.lists_behind));
        let known = has_passed(sent.at, habit(&world, sent, |it| it.listed_after));
        if !known || !filters.take(sent, phase) {
            continue;
        }
        if page.len() as u64 == most {
            more = true;
            break;
        }
        page.push(told(sent, phase, spaced(&world, caller)));
        last = Some(sent.id.clone());
    }
    let mut answer = json!({name: page});
    if let Some(last) = last.filter(|_| more) {
        answer["NextToken"] = json!(last);
    }
    Ok(answer)
}

/// What a list asks for.
struct Filters<'a> {
    command: Option<&'a str>,
    instance: Option<&'a str>,
    after: Option<Timestamp>,
    before: Option<Timestamp>,
    status: Option<&'a str>,
    document: Option<&'a str>,
    stage: Option<&'a str>,
}

impl<'a> Filters<'a> {
    fn read(body: &'a Value, allowed: &[&str]) -> Result<Self, Why> {
        let given = body["Filters"].as_array().into_iter().flatten();
        let given: Vec<_> = given.map(|it| (it["key"].as_str(), it["value"].as_str())).collect();
        for (key, _) in &given {
            if !key.is_some_and(|key| allowed.contains(&key)) {
                return Err(Why::stated("InvalidFilterKey", format!("{key:?} is no key")));
            }
        }
        let of = |name: &str| {
            given.iter().find(|(key, _)| *key == Some(name)).and_then(|(_, value)| *value)
        };
        let time = |name: &str| {
            let text = of(name);
            let time = text.map(str::parse::<Timestamp>).transpose();
            time.map_err(|_| constraint("filters", text.unwrap_or_default(), "a time"))
        };
        let filters = Self {
            command: body["CommandId"].as_str(),
            instance: body["InstanceId"].as_str(),
            after: time("InvokedAfter")?,
            before: time("InvokedBefore")?,
            status: of("Status"),
            document: of("DocumentName"),
            stage: of("ExecutionStage"),
        };
        if filters.instance.is_some() && filters.status == Some("Pending") {
            let message = "You can't specify a managed node ID together with Status = Pending";
            return Err(Why::stated("InvalidFilterKey", message));
        }
        Ok(filters)
    }

    fn take(&self, sent: &Sent, phase: &Phase) -> bool {
        let is = |wanted: Option<&str>, known: &str| wanted.is_none_or(|wanted| wanted == known);
        let stage = if phase.status.is_final() { "Complete" } else { "Executing" };
        // "This is because the command hasn't reached the managed node yet."
        let waits = matches!(phase.status, Status::Pending | Status::Delayed);
        is(self.command, &sent.id)
            && is(self.instance, &sent.instance)
            && !(self.instance.is_some() && waits)
            && is(self.status, phase.status.word())
            && is(self.document, &sent.document)
            && is(self.stage, stage)
            && self.after.is_none_or(|after| sent.requested >= after)
            && self.before.is_none_or(|before| sent.requested < before)
    }
}

pub(super) fn cancel(shared: &Arc<Shared>, caller: &Caller, body: &Value) -> Result<Value, Why> {
    let mut world = shared.world();
    let id = body["CommandId"].as_str().unwrap_or_default();
    let Some(sent) = own(&world, caller, id).cloned() else {
        return Err(Why::stated("InvalidCommandId", "The specified command ID isn't valid."));
    };
    match habit(&world, &sent, |habits| habits.cancel) {
        Cancel::Stops => sent.stop.cancel(),
        Cancel::IsToldOnly => world.commands.tell(id, Phase::plain(Status::Cancelled)),
        Cancel::IsIgnored => {}
    }
    Ok(json!({}))
}

pub(super) fn instances(shared: &Shared, caller: &Caller, body: &Value) -> Result<Value, Why> {
    let world = shared.world();
    let most = body["MaxResults"].as_u64().unwrap_or(10);
    if !(5..=50).contains(&most) {
        return Err(constraint("maxResults", &most.to_string(), "value between 5 and 50"));
    }
    let filters = body["Filters"].as_array().map(Vec::as_slice).unwrap_or_default();
    let account = world.accounts.get(&caller.account);
    let hosts = account.into_iter().flat_map(|account| &account.hosts);
    let after = body["NextToken"].as_str();
    let (mut page, mut last, mut more) = (Vec::new(), None, false);
    for ((region, id), host) in hosts {
        let Some(ping) = host.ping.filter(|_| *region == caller.region) else { continue };
        let mut takes = true;
        for filter in filters {
            takes &= matches(filter, id, host, ping)?;
        }
        if !takes || after.is_some_and(|after| id.as_str() <= after) {
            continue;
        }
        if page.len() as u64 == most {
            more = true;
            break;
        }
        page.push(information(shared.clock.now(), id, host, ping));
        last = Some(id.clone());
    }
    let mut answer = json!({"InstanceInformationList": page});
    if let Some(last) = last.filter(|_| more) {
        answer["NextToken"] = json!(last);
    }
    Ok(answer)
}

fn matches(filter: &Value, id: &str, host: &HostState, ping: Ping) -> Result<bool, Why> {
    let values = filter["Values"].as_array().into_iter().flatten();
    let values: Vec<&str> = values.filter_map(Value::as_str).collect();
    let known = match filter["Key"].as_str().unwrap_or_default() {
        "InstanceIds" => id.to_owned(),
        "PingStatus" => ping_word(ping).to_owned(),
        "PlatformTypes" => platform_word(host.platform).to_owned(),
        "ResourceType" => resource(id).to_owned(),
        key => match key.strip_prefix("tag:") {
            Some(name) => host.tags.get(name).cloned().unwrap_or_default(),
            None => return Err(Why::stated("InvalidFilterKey", format!("{key:?} is no key"))),
        },
    };
    Ok(values.contains(&known.as_str()))
}

fn information(now: Timestamp, id: &str, host: &HostState, ping: Ping) -> Value {
    // Agents say every five minutes that they live.
    let silent = if ping == Ping::Online { 60 } else { 3600 };
    let last = now - SignedDuration::from_secs(silent);
    json!({
        "InstanceId": id,
        "PingStatus": ping_word(ping),
        "LastPingDateTime": last.as_duration().as_secs_f64(),
        "AgentVersion": "3.3.2746.0",
        "IsLatestVersion": true,
        "PlatformType": platform_word(host.platform),
        "ResourceType": resource(id),
        "ComputerName": host.name,
        "IPAddress": "10.0.0.1",
    })
}

const fn ping_word(ping: Ping) -> &'static str {
    match ping {
        Ping::Online => "Online",
        Ping::ConnectionLost => "ConnectionLost",
    }
}

const fn platform_word(platform: Platform) -> &'static str {
    match platform {
        Platform::Linux => "Linux",
        Platform::Windows => "Windows",
    }
}

fn resource(id: &str) -> &'static str {
    if id.starts_with("mi-") { "ManagedInstance" } else { "EC2Instance" }
}

/// A command of the caller's account and region.
fn own<'a>(world: &'a World, caller: &Caller, id: &str) -> Option<&'a Sent> {
    let sent = world.commands.get(id)?;
    (sent.account == caller.account && sent.region == caller.region).then_some(sent)
}

fn habit<T: Default>(
    world: &World,
    sent: &Sent,
    pick: impl FnOnce(&crate::aws::hosts::Habits) -> T,
) -> T {
    let hosts = world.accounts.get(&sent.account).map(|account| &account.hosts);
    let place = (sent.region.clone(), sent.instance.clone());
    let host = hosts.and_then(|hosts| hosts.get(&place));
    host.map(|host| pick(&host.habits)).unwrap_or_default()
}

fn spaced(world: &World, caller: &Caller) -> bool {
    world.accounts.get(&caller.account).is_some_and(|account| account.spaced_words)
}

fn plugin(sent: &Sent) -> &'static str {
    match sent.document.as_str() {
        "AWS-RunShellScript" => "aws:runShellScript",
        _ => "aws:runPowerShellScript",
    }
}

fn url(sent: &Sent, stream: &str) -> String {
    let of = |output: &OutputPlace| {
        let key = output_key(sent, output, stream);
        format!("https://s3.{}.amazonaws.com/{}/{key}", output.region, output.bucket)
    };
    sent.output.as_ref().map(of).unwrap_or_default()
}

/// Where an agent puts a stream of a command.
pub(in super::super) fn output_key(sent: &Sent, output: &OutputPlace, stream: &str) -> String {
    let plugin = plugin(sent).replace("aws:", "aws");
    let place = format!("{}/{}/{plugin}/0.{plugin}/{stream}", sent.id, sent.instance);
    if output.prefix.is_empty() { place } else { format!("{}/{place}", output.prefix) }
}
