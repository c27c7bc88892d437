//! What SSM takes, and what it tells of what it took.

use ams::clock::{Clock as _, SystemClock};
use aws_sdk_ssm::operation::list_commands::builders::ListCommandsFluentBuilder as ListCommands;
use aws_sdk_ssm::types::{
    Command, CommandFilter, CommandFilterKey, InstanceInformation, InstanceInformationStringFilter,
    PingStatus, PlatformType, ResourceType,
};
use jiff::{SignedDuration, Timestamp};

use super::*;
use crate::aws::Played;

const HOUR: Duration = Duration::from_hours(1);

fn filter(key: CommandFilterKey, value: &str) -> CommandFilter {
    CommandFilter::builder().key(key).value(value).build().unwrap()
}

async fn listed(list: ListCommands) -> Result<Vec<Command>, String> {
    let told = list.send().await.map_err(|error| code(&error))?;
    Ok(told.commands().to_vec())
}

async fn count(list: ListCommands) -> usize {
    listed(list).await.unwrap().len()
}

#[tokio::test]
async fn a_command_is_not_known_at_once() {
    let site = Site::new().await;
    site.host.visible_after(HOUR).listed_after(HOUR).plays(|_| Played::default());
    let id = site.send("true").await.unwrap();
    assert_eq!(site.look(&id).await.unwrap_err(), "InvocationDoesNotExist");
    assert_eq!(count(site.ssm.list_commands()).await, 0);
    site.host.visible_after(ms(0));
    assert_eq!(told(&site.end(&id).await), (0, "Success", ""));
    assert_eq!(count(site.ssm.list_commands()).await, 0);
    site.host.listed_after(ms(0)).lists_behind(HOUR);
    let [command] = listed(site.ssm.list_commands()).await.unwrap().try_into().unwrap();
    assert_eq!((command.comment(), command.status_details()), (Some("nonce-1"), Some("Pending")));
    site.host.lists_behind(ms(0));
    let [command] = listed(site.ssm.list_commands()).await.unwrap().try_into().unwrap();
    assert_eq!(command.status_details(), Some("Success"));
    // Nobody else's, and no other host's.
    let other = ssm(&site.aws, &site.aws.account("444455556666").keys(), TOKYO);
    let look = other.get_command_invocation().command_id(&id).instance_id(WEB).send().await;
    assert_eq!(code(&look.unwrap_err()), "InvocationDoesNotExist");
}

/// Where a sent command is looked for by its host, one that waits is missed.
#[tokio::test]
async fn a_list_by_instance_misses_what_waits() {
    let site = Site::new().await;
    site.host.offline();
    let before = SystemClock.now() - SignedDuration::from_mins(1);
    let id = site.send("true").await.unwrap();
    assert_eq!(count(site.ssm.list_commands().instance_id(WEB)).await, 0);
    let time = |time: Timestamp| time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let after = filter(CommandFilterKey::InvokedAfter, &time(before));
    assert_eq!(count(site.ssm.list_commands().filters(after.clone())).await, 1);
    let later = filter(CommandFilterKey::InvokedBefore, &time(before));
    assert_eq!(count(site.ssm.list_commands().filters(later)).await, 0);
    let pending = filter(CommandFilterKey::Status, "Pending");
    let forbidden = site.ssm.list_commands().instance_id(WEB).filters(pending);
    assert_eq!(listed(forbidden).await.unwrap_err(), "InvalidFilterKey");
    site.host.online();
    site.end(&id).await;
    assert_eq!(count(site.ssm.list_commands().instance_id(WEB).filters(after)).await, 1);
    let document = filter(CommandFilterKey::DocumentName, "AWS-RunPowerShellScript");
    assert_eq!(count(site.ssm.list_commands().filters(document)).await, 0);
    let complete = filter(CommandFilterKey::ExecutionStage, "Complete");
    assert_eq!(count(site.ssm.list_commands().filters(complete)).await, 1);
    let elsewhere = site.ssm.list_commands().command_id("00000000-0000-0000-0000-000000000000");
    assert_eq!(count(elsewhere).await, 0);
}

#[tokio::test]
async fn lists_come_in_pages_newest_first() {
    let site = Site::new().await;
    site.host.plays(|_| Played { stdout: "y".repeat(5000), ..Played::default() });
    let mut sent = Vec::new();
    for _ in 0..3 {
        sent.insert(0, site.send("true").await.unwrap());
    }
    site.end(&sent[0]).await;
    let list = || site.ssm.list_command_invocations().details(true);
    let first = list().max_results(2).send().await.unwrap();
    let ids = |page: &[aws_sdk_ssm::types::CommandInvocation]| -> Vec<String> {
        page.iter().map(|one| one.command_id().unwrap().to_owned()).collect()
    };
    assert_eq!(ids(first.command_invocations()), sent[..2]);
    let second =
        list().max_results(2).next_token(first.next_token().unwrap()).send().await.unwrap();
    assert_eq!(ids(second.command_invocations()), sent[2..]);
    assert_eq!(second.next_token(), None);
    let plugin = &first.command_invocations()[0].command_plugins()[0];
    assert_eq!(plugin.name(), Some("aws:runShellScript"));
    assert_eq!(plugin.output().unwrap().len(), 2500);
    let brief = site.ssm.list_command_invocations().command_id(&sent[1]).send().await.unwrap();
    assert!(brief.command_invocations()[0].command_plugins().is_empty());
    let lost = site.ssm.list_commands().next_token("elsewhere");
    assert_eq!(listed(lost).await.unwrap_err(), "InvalidNextToken");
    let many = site.ssm.list_commands().max_results(51);
    assert_eq!(listed(many).await.unwrap_err(), "ValidationException");
}

#[tokio::test]
async fn what_run_command_does_not_take_is_said() {
    let site = Site::new().await;
    let windows = site.account.host(TOKYO, "i-0123456789abcdef1");
    windows.windows();
    site.account.host(TOKYO, "i-0123456789abcdef2").unregistered();
    let wish = |document: &str, instance: &str| {
        let wish = site.ssm.send_command().document_name(document).instance_ids(instance);
        wish.parameters("commands", vec!["true".to_owned()])
    };
    let (shell, power) = ("AWS-RunShellScript", "AWS-RunPowerShellScript");
    let long = "ü".repeat(100);
    wish(shell, WEB).comment(&long).timeout_seconds(30).send().await.unwrap();
    wish(power, windows.id()).send().await.unwrap();
    let timeout = |seconds: &str| vec![seconds.to_owned()];
    let refused = [
        (wish(shell, WEB).comment(long + "x"), "ValidationException"),
        (wish(shell, WEB).timeout_seconds(29), "ValidationException"),
        (wish(shell, "web-1"), "ValidationException"),
        (wish("Customer-Restart", WEB), "InvalidDocument"),
        (wish(shell, "i-0123456789abcdef9"), "InvalidInstanceId"),
        (wish(shell, "i-0123456789abcdef2"), "InvalidInstanceId"),
        (wish(shell, windows.id()), "UnsupportedPlatformType"),
        (wish(power, WEB), "UnsupportedPlatformType"),
        (wish(shell, WEB).instance_ids(windows.id()), "InvalidParameters"),
        (wish(shell, WEB).parameters("environment", timeout("A=b")), "InvalidParameters"),
        (wish(shell, WEB).parameters("executionTimeout", timeout("0.5")), "InvalidParameters"),
        (wish(shell, WEB).parameters("commands", Vec::new()), "InvalidParameters"),
        (
            wish(shell, WEB).parameters("commands", vec!["x".repeat(64 * 1024)]),
            "MaxDocumentSizeExceeded",
        ),
    ];
    for (wish, wanted) in refused {
        assert_eq!(code(&wish.send().await.unwrap_err()), wanted);
    }
    assert_eq!(site.aws.commands().len(), 2);
    assert_eq!((site.aws.asked("SendCommand"), site.account.asked("SendCommand")), (15, 15));
    // Far from what agents take, it is an hour.
    for (given, taken) in [("4", 3600), ("5", 5), ("28800", 28_800), ("28801", 3600)] {
        wish(shell, WEB).parameters("executionTimeout", timeout(given)).send().await.unwrap();
        let sent = site.host.commands();
        assert_eq!(sent[sent.len() - 1].execution_timeout, taken, "{given}");
    }
}

/// Whoever writes `{{ssm:..}}` into a command reads the customer's parameters.
#[tokio::test]
async fn parameters_are_filled_in_wherever_they_are_named() {
    let site = Site::new().await;
    site.account.parameter(TOKYO, "/db/password", "canary-7f3a");
    let ended =
        site.carry_out("echo '{{ssm:/db/password}} {{ ssm:/db/password }} {{ other }} {{'").await;
    assert_eq!(told(&ended).2, "canary-7f3a canary-7f3a {{ other }} {{\n");
    let [sent] = site.host.commands().try_into().unwrap();
    assert_eq!(sent.filled_in, ["/db/password", "/db/password"]);
    let unknown = site.send("echo {{ssm:/db/user}}").await;
    assert_eq!(unknown.unwrap_err(), "InvalidParameters");
    // The broken pair of braces with which the product sends an author's words.
    let ended = site.carry_out("echo '{''{ssm:/db/password}}'").await;
    assert_eq!(told(&ended).2, "{{ssm:/db/password}}\n");
}

#[tokio::test]
async fn hosts_are_told_with_their_agents() {
    let site = Site::new().await;
    site.host.named("web-1").tag("Name", "web-1");
    site.account.host(TOKYO, "i-0123456789abcdef1").windows().offline();
    site.account.host(TOKYO, "i-0123456789abcdef2").silent();
    site.account.host(TOKYO, "i-0123456789abcdef3").unregistered();
    let hybrid = site.account.host(TOKYO, "mi-0123456789abcdef0");
    let ask = |key: &str, value: &str| {
        let filter = InstanceInformationStringFilter::builder().key(key).values(value).build();
        site.ssm.describe_instance_information().filters(filter.unwrap())
    };
    let all = site.ssm.describe_instance_information().send().await.unwrap();
    let of = |host: &InstanceInformation| {
        (
            host.ping_status().unwrap().clone(),
            host.platform_type().unwrap().clone(),
            host.resource_type().unwrap().clone(),
        )
    };
    let told: Vec<_> = all.instance_information_list().iter().map(of).collect();
    let online = (PingStatus::Online, PlatformType::Linux, ResourceType::Ec2Instance);
    let lost = (PingStatus::ConnectionLost, PlatformType::Windows, ResourceType::Ec2Instance);
    let mine = (PingStatus::Online, PlatformType::Linux, ResourceType::ManagedInstance);
    assert_eq!(told, [online.clone(), lost, online, mine]);
    let found = ask("InstanceIds", hybrid.id()).send().await.unwrap();
    assert_eq!(found.instance_information_list()[0].instance_id(), Some(hybrid.id()));
    let found = ask("tag:Name", "web-1").send().await.unwrap();
    assert_eq!(found.instance_information_list()[0].computer_name(), Some("web-1"));
    let wrong = ask("Colour", "blue").send().await;
    assert_eq!(code(&wrong.unwrap_err()), "InvalidFilterKey");
    for number in 4..9 {
        site.account.host(TOKYO, &format!("i-0123456789abcdef{number}"));
    }
    let first = site.ssm.describe_instance_information().max_results(5).send().await.unwrap();
    let more = site.ssm.describe_instance_information().next_token(first.next_token().unwrap());
    assert_eq!(more.send().await.unwrap().instance_information_list().len(), 4);
}

#[tokio::test]
async fn words_come_with_spaces_or_without() {
    let site = Site::new().await;
    site.host.ends_as("ExecutionTimedOut");
    let ended = site.carry_out("true").await;
    assert_eq!(told(&ended).1, "ExecutionTimedOut");
    site.account.spaced_words();
    let ended = site.carry_out("true").await;
    assert_eq!(told(&ended).1, "Execution Timed Out");
    assert_eq!(ended.status().unwrap().as_str(), "TimedOut");
}
