//! The six requests to Systems Manager that are made.

use std::collections::HashMap;

use aws_sdk_ssm::Client;
use aws_sdk_ssm::operation::get_command_invocation::GetCommandInvocationError;
use aws_sdk_ssm::types::{
    CommandFilter, CommandFilterKey, InstanceInformationStringFilter, PingStatus, PlatformType,
};
use jiff::Timestamp;

use super::ping::Ping;
use super::status::Invocation;
use crate::aws::failure::{Failure, UNSENT};
use crate::customer::aws::{AwsOutput, Platform};
use crate::limits;

/// A command for one host.
pub(super) struct Command<'a> {
    pub(super) instance: &'a str,
    pub(super) platform: Platform,
    pub(super) text: &'a str,
    /// Seconds after which the agent stops it.
    pub(super) seconds: u64,
    pub(super) comment: &'a str,
    pub(super) output: Option<&'a AwsOutput>,
}

/// `executionTimeout` of AWS's documents; what is outside is an hour instead.
const EXECUTION_SECONDS: std::ops::RangeInclusive<u64> = 5..=28_800;

const PAGE: i32 = 50;

/// Its id. Made once: who repeats it starts a second command.
pub(super) async fn send(client: Client, command: Command<'_>) -> Result<String, Failure> {
    let document = match command.platform {
        Platform::Linux => "AWS-RunShellScript",
        Platform::Windows => "AWS-RunPowerShellScript",
    };
    let seconds =
        command.seconds.clamp(*EXECUTION_SECONDS.start(), *EXECUTION_SECONDS.end()).to_string();
    let lines: Vec<String> = command.text.split('\n').map(str::to_owned).collect();
    let delivery = i32::try_from(limits::SSM_DELIVERY.as_secs()).unwrap_or(i32::MAX);
    let mut request = client
        .send_command()
        .document_name(document)
        .instance_ids(command.instance)
        .parameters("commands", lines)
        .parameters("executionTimeout", vec![seconds])
        .timeout_seconds(delivery)
        .comment(command.comment);
    if let Some(AwsOutput { bucket, prefix }) = command.output {
        request = request.output_s3_bucket_name(bucket);
        if !prefix.is_empty() {
            request = request.output_s3_key_prefix(prefix);
        }
    }
    let answer = request.send().await.map_err(|error| Failure::of(&error))?;
    let id = answer.command().and_then(|command| command.command_id());
    id.map(str::to_owned)
        .ok_or_else(|| Failure::Uncertain("SSM took a command and gave it no id".to_owned()))
}

/// `None` while SSM does not show it.
pub(super) async fn invocation(
    client: Client,
    (command, instance): (&str, &str),
) -> Result<Option<Invocation>, Failure> {
    let request = client.get_command_invocation().command_id(command).instance_id(instance);
    match request.send().await {
        Ok(answer) => Ok(Some(Invocation {
            status: answer.status_details().unwrap_or_default().to_owned(),
            code: answer.response_code(),
            stdout: answer.standard_output_content().unwrap_or_default().to_owned(),
            stderr: answer.standard_error_content().unwrap_or_default().to_owned(),
        })),
        Err(error)
            if error
                .as_service_error()
                .is_some_and(GetCommandInvocationError::is_invocation_does_not_exist) =>
        {
            Ok(None)
        }
        Err(error) => Err(Failure::of(&error)),
    }
}

/// A page of what SSM shows, and where the next one begins.
pub(super) struct Page<T> {
    pub(super) all: Vec<T>,
    pub(super) next: Option<String>,
}

fn since(time: Timestamp) -> Result<CommandFilter, Failure> {
    let value = time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let filter = CommandFilter::builder().key(CommandFilterKey::InvokedAfter).value(value).build();
    filter.map_err(|error| Failure::Refused { code: UNSENT.to_owned(), message: error.to_string() })
}

/// Ids and statuses of commands on hosts, sent since then.
pub(super) async fn invocations(
    client: Client,
    (sent_since, from): (Timestamp, Option<String>),
) -> Result<Page<(String, String)>, Failure> {
    let request = client
        .list_command_invocations()
        .filters(since(sent_since)?)
        .max_results(PAGE)
        .set_next_token(from);
    let answer = request.send().await.map_err(|error| Failure::of(&error))?;
    let all = answer.command_invocations().iter().filter_map(|it| {
        Some((it.command_id()?.to_owned(), it.status_details().unwrap_or_default().to_owned()))
    });
    Ok(Page { all: all.collect(), next: answer.next_token().map(str::to_owned) })
}

/// A command by its comment.
pub(super) struct Listed {
    pub(super) id: String,
    pub(super) comment: String,
    pub(super) sent_at: Option<Timestamp>,
}

/// Commands that were sent since then. Not by instance: what is pending is left out of such a list.
pub(super) async fn commands(
    client: Client,
    (sent_since, from): (Timestamp, Option<String>),
) -> Result<Page<Listed>, Failure> {
    let request =
        client.list_commands().filters(since(sent_since)?).max_results(PAGE).set_next_token(from);
    let answer = request.send().await.map_err(|error| Failure::of(&error))?;
    let all = answer.commands().iter().filter_map(|it| {
        Some(Listed {
            id: it.command_id()?.to_owned(),
            comment: it.comment()?.to_owned(),
            sent_at: it.requested_date_time().and_then(|at| Timestamp::from_second(at.secs()).ok()),
        })
    });
    Ok(Page { all: all.collect(), next: answer.next_token().map(str::to_owned) })
}

/// Which of these machines have an agent, and how it is. Those that SSM does not know are left out.
pub(super) async fn pings(
    client: Client,
    instances: Vec<String>,
) -> Result<HashMap<String, Ping>, Failure> {
    let filter = InstanceInformationStringFilter::builder()
        .key("InstanceIds")
        .set_values(Some(instances))
        .build()
        .map_err(|error| Failure::Refused {
            code: UNSENT.to_owned(),
            message: error.to_string(),
        })?;
    let request = client.describe_instance_information().filters(filter).max_results(PAGE);
    let answer = request.send().await.map_err(|error| Failure::of(&error))?;
    let ping = |it: &aws_sdk_ssm::types::InstanceInformation| {
        let last = it.last_ping_date_time().and_then(|at| Timestamp::from_second(at.secs()).ok());
        let platform = match it.platform_type() {
            Some(PlatformType::Windows) => Some(Platform::Windows),
            Some(PlatformType::Linux | PlatformType::Macos) => Some(Platform::Linux),
            _ => None,
        };
        let status = it.ping_status();
        let is_online = status == Some(&PingStatus::Online);
        let word = status.map_or("unknown", PingStatus::as_str).to_owned();
        Some((it.instance_id()?.to_owned(), Ping { is_online, word, last, platform }))
    };
    Ok(answer.instance_information_list().iter().filter_map(ping).collect())
}

/// There is no promise that it stops.
pub(super) async fn cancel(client: Client, command: &str) -> Result<(), Failure> {
    let request = client.cancel_command().command_id(command);
    request.send().await.map(|_| ()).map_err(|error| Failure::of(&error))
}
