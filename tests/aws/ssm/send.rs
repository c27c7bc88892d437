//! `SendCommand`: what SSM takes, and what it refuses.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use super::{OutputPlace, Phase, Sent, Status};
use crate::aws::agent;
use crate::aws::hosts::{HostState, Platform, is_instance};
use crate::aws::refusal::Why;
use crate::aws::world::{Caller, Shared, World};

/// "Comment: maximum length of 100".
const COMMENT_CHARS: usize = 100;

/// "The size limit of a document is 64 KB."
const DOCUMENT_BYTES: usize = 64 * 1024;

/// `TimeoutSeconds`: 30 to 2,592,000, and 3,600 where nothing is said.
const DELIVERY_SECONDS: std::ops::RangeInclusive<u64> = 30..=2_592_000;
const USUAL_SECONDS: u64 = 3600;

/// `executionTimeout` by the document's own pattern; the agent has other bounds.
const DOCUMENT_SECONDS: std::ops::RangeInclusive<u64> = 1..=172_800;

/// What the agent takes (`ValidateExecutionTimeout` in its source); everything else is 3,600.
const AGENT_SECONDS: std::ops::RangeInclusive<u64> = 5..=28_800;

pub(super) fn send(shared: &Arc<Shared>, caller: &Caller, body: &Value) -> Result<Value, Why> {
    let (sent, told) = {
        let mut world = shared.world();
        let sent = taken(shared, &world, caller, body)?;
        let told = command(&sent, sent.phase(), false);
        world.commands.add(sent.clone());
        (sent, told)
    };
    agent::deliver(shared, sent);
    Ok(json!({"Command": told}))
}

fn taken(shared: &Shared, world: &World, caller: &Caller, body: &Value) -> Result<Sent, Why> {
    let document = body["DocumentName"].as_str().unwrap_or_default();
    if !["AWS-RunShellScript", "AWS-RunPowerShellScript"].contains(&document) {
        return Err(Why::stated("InvalidDocument", format!("no document {document}")));
    }
    let comment = body["Comment"].as_str().unwrap_or_default();
    if comment.chars().count() > COMMENT_CHARS {
        return Err(constraint("comment", comment, "length less than or equal to 100"));
    }
    let timeout_seconds = body["TimeoutSeconds"].as_u64().unwrap_or(USUAL_SECONDS);
    if !DELIVERY_SECONDS.contains(&timeout_seconds) {
        let value = timeout_seconds.to_string();
        return Err(constraint("timeoutSeconds", &value, "value between 30 and 2592000"));
    }
    let instance = instance(body)?;
    let host = world.host(caller, &instance).filter(|host| host.ping.is_some());
    let Some(host) = host else {
        let message = format!("Instances [[{instance}]] not in a valid state for account");
        return Err(Why::stated("InvalidInstanceId", message));
    };
    fits(host, document)?;
    if body["Parameters"].to_string().len() > DOCUMENT_BYTES {
        return Err(Why::stated("MaxDocumentSizeExceeded", "The size limit is 64 KB."));
    }
    let given = Given::read(&body["Parameters"])?;
    let (script, filled_in) = filled_in(world, caller, &given.commands)?;
    Ok(Sent {
        id: Uuid::new_v4().to_string(),
        account: caller.account.clone(),
        region: caller.region.clone(),
        instance,
        document: document.to_owned(),
        comment: comment.to_owned(),
        script,
        filled_in,
        timeout_seconds,
        execution_timeout: given.seconds,
        working_directory: given.directory,
        output: output(caller, body),
        at: Instant::now(),
        runs: Vec::new(),
        ended: None,
        requested: shared.clock.now(),
        commands: given.commands,
        phases: vec![(Instant::now(), Phase::plain(Status::Pending))],
        stop: CancellationToken::new(),
    })
}

/// One host per command: more are refused, so that nobody builds on it.
fn instance(body: &Value) -> Result<String, Why> {
    let instances: Vec<&str> = body["InstanceIds"]
        .as_array()
        .map(|instances| instances.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    let [instance] = instances.as_slice() else {
        let message = "the test double takes exactly one of InstanceIds, and no Targets";
        return Err(Why::stated("InvalidParameters", message));
    };
    if !is_instance(instance) {
        return Err(constraint("instanceIds", instance, "the pattern of an instance id"));
    }
    Ok((*instance).to_owned())
}

fn fits(host: &HostState, document: &str) -> Result<(), Why> {
    let wanted = match host.platform {
        Platform::Linux => "AWS-RunShellScript",
        Platform::Windows => "AWS-RunPowerShellScript",
    };
    if document == wanted {
        return Ok(());
    }
    let message = "The document does not support the platform type of the given instance ID(s).";
    Err(Why::stated("UnsupportedPlatformType", message))
}

/// The parameters of both documents.
struct Given {
    commands: Vec<String>,
    directory: Option<String>,
    seconds: u64,
}

impl Given {
    fn read(parameters: &Value) -> Result<Self, Why> {
        let wrong = |what: String| Why::stated("InvalidParameters", what);
        let empty = serde_json::Map::new();
        let parameters = parameters.as_object().unwrap_or(&empty);
        let known = ["commands", "workingDirectory", "executionTimeout"];
        if let Some(unknown) = parameters.keys().find(|name| !known.contains(&name.as_str())) {
            return Err(wrong(format!("unknown parameter {unknown}")));
        }
        let list = |name: &str| -> Option<Vec<String>> {
            let all = parameters.get(name)?.as_array()?.iter();
            all.map(|one| one.as_str().map(str::to_owned)).collect()
        };
        let commands = list("commands").filter(|commands| !commands.is_empty());
        let commands = commands.ok_or_else(|| wrong("commands is required".to_owned()))?;
        let directory = list("workingDirectory").and_then(|all| all.into_iter().next());
        let seconds = list("executionTimeout").and_then(|all| all.into_iter().next());
        let seconds = seconds.unwrap_or_else(|| USUAL_SECONDS.to_string());
        let number = seconds.parse().ok().filter(|seconds| DOCUMENT_SECONDS.contains(seconds));
        let Some(number) = number else {
            return Err(wrong(format!("executionTimeout {seconds:?} does not fit its pattern")));
        };
        let seconds = if AGENT_SECONDS.contains(&number) { number } else { USUAL_SECONDS };
        Ok(Self { commands, directory: directory.filter(|it| !it.is_empty()), seconds })
    }
}

/// The agent's script, and which of the customer's parameters went into it. What stands there as
/// `{{ssm:NAME}}` is replaced, whoever wrote it ("Using Parameter Store parameters in Run Command").
fn filled_in(
    world: &World,
    caller: &Caller,
    commands: &[String],
) -> Result<(String, Vec<String>), Why> {
    let account = world.accounts.get(&caller.account);
    let (mut script, mut names) = (String::new(), Vec::new());
    let text = commands.join("\n") + "\n";
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once("{{") {
        script += before;
        let inside = after.split_once("}}");
        let name = inside.and_then(|(inside, _)| inside.trim().strip_prefix("ssm:"));
        let (Some((_, following)), Some(name)) = (inside, name) else {
            script += "{{";
            rest = after;
            continue;
        };
        let value = account.and_then(|account| account.parameters.get(&caller.place(name)));
        let Some(value) = value else {
            let message = format!("Parameters [{name}] could not be found");
            return Err(Why::stated("InvalidParameters", message));
        };
        script += value;
        names.push(name.to_owned());
        rest = following;
    }
    Ok((script + rest, names))
}

fn output(caller: &Caller, body: &Value) -> Option<OutputPlace> {
    let text = |name: &str| body[name].as_str().filter(|text| !text.is_empty());
    Some(OutputPlace {
        bucket: text("OutputS3BucketName")?.to_owned(),
        region: text("OutputS3Region").unwrap_or(&caller.region).to_owned(),
        prefix: text("OutputS3KeyPrefix").unwrap_or_default().to_owned(),
    })
}

/// The shape `Command`.
pub(super) fn command(sent: &Sent, phase: &Phase, spaced: bool) -> Value {
    let ended = u8::from(phase.status.is_final());
    let failed = u8::from(ended == 1 && phase.status != Status::Success);
    let requested = sent.requested.as_duration().as_secs_f64();
    let lasts = Duration::from_secs(sent.timeout_seconds + sent.execution_timeout);
    let mut told = json!({
        "CommandId": sent.id,
        "DocumentName": sent.document,
        "DocumentVersion": "$DEFAULT",
        "Comment": sent.comment,
        "ExpiresAfter": requested + lasts.as_secs_f64(),
        "Parameters": {
            "commands": sent.commands,
            "executionTimeout": [sent.execution_timeout.to_string()],
        },
        "InstanceIds": [sent.instance],
        "Targets": [],
        "RequestedDateTime": requested,
        "Status": phase.status.word(),
        "StatusDetails": phase.details(spaced),
        "OutputS3BucketName": "",
        "OutputS3KeyPrefix": "",
        "MaxConcurrency": "50",
        "MaxErrors": "0",
        "TargetCount": 1,
        "CompletedCount": ended,
        "ErrorCount": failed,
        "DeliveryTimedOutCount": 0,
        "TimeoutSeconds": sent.timeout_seconds,
    });
    if let Some(output) = &sent.output {
        told["OutputS3Region"] = json!(output.region);
        told["OutputS3BucketName"] = json!(output.bucket);
        told["OutputS3KeyPrefix"] = json!(output.prefix);
    }
    told
}

pub(super) fn constraint(what: &str, value: &str, rule: &str) -> Why {
    let message = format!(
        "1 validation error detected: Value '{value}' at '{what}' failed to satisfy constraint: \
         Member must have {rule}"
    );
    Why::stated("ValidationException", message)
}
