//! EC2, as far as servers are found by their tags.
//!
//! `DescribeInstances` and its filters as in the EC2 API reference: names of tags are exact, in values
//! `*` and `?` mean anything, and a page may be empty while there are more.

use super::form::Form;
use super::hosts::{HostState, Platform};
use super::refusal::{Why, escaped};
use super::world::{Caller, Shared};

pub(super) fn answer(
    shared: &Shared,
    caller: &Caller,
    action: &str,
    form: &Form,
) -> Result<String, Why> {
    if action != "DescribeInstances" {
        return Err(Why::stated("InvalidAction", format!("The action {action} is not valid")));
    }
    if form.get("Version") != Some("2016-11-15") {
        return Err(Why::stated("NoSuchVersion", "The requested version does not exist"));
    }
    let filters = filters(form)?;
    let world = shared.world();
    let hosts = world.accounts.get(&caller.account).map(|account| &account.hosts);
    let found: Vec<(&String, &HostState)> = hosts
        .into_iter()
        .flatten()
        .filter(|((region, id), host)| {
            *region == caller.region && id.starts_with("i-") && fits(&filters, id, host)
        })
        .map(|((_, id), host)| (id, host))
        .collect();
    // The first page is empty where there is a second.
    let is_first = form.get("NextToken").is_none();
    let (shown, next) =
        if is_first && found.len() > 1 { (&[][..], "more==") } else { (&found[..], "") };
    let items: String =
        shown.iter().map(|(id, host)| reservation(&caller.account, id, host)).collect();
    let next =
        if next.is_empty() { String::new() } else { format!("<nextToken>{next}</nextToken>") };
    Ok(format!(
        "<DescribeInstancesResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">\
         <requestId>{}</requestId><reservationSet>{items}</reservationSet>{next}\
         </DescribeInstancesResponse>",
        uuid::Uuid::new_v4()
    ))
}

/// Names with their values: one of each must fit.
fn filters(form: &Form) -> Result<Vec<(String, Vec<String>)>, Why> {
    let entries = form.entries("Filter").into_iter();
    entries
        .map(|entry| {
            let name = form.get(&format!("{entry}Name")).unwrap_or_default().to_owned();
            if !name.starts_with("tag:") && name != "instance-state-name" {
                let message = format!("The filter '{name}' is invalid");
                return Err(Why::stated("InvalidParameterValue", message));
            }
            let values = (1..).map_while(|at| form.get(&format!("{entry}Value.{at}")));
            Ok((name, values.map(str::to_owned).collect()))
        })
        .collect()
}

fn fits(filters: &[(String, Vec<String>)], _id: &str, host: &HostState) -> bool {
    filters.iter().all(|(name, values)| {
        let own = match name.strip_prefix("tag:") {
            Some(tag) => host.tags.get(tag),
            None => Some(&host.state),
        };
        own.is_some_and(|own| values.iter().any(|value| matches(value.as_bytes(), own.as_bytes())))
    })
}

/// EC2's wildcards; a backslash takes their meaning from them.
fn matches(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern, text) {
        ([], []) => true,
        ([b'*', rest @ ..], _) => (0..=text.len()).any(|at| matches(rest, &text[at..])),
        ([b'?', rest @ ..], [_, after @ ..]) => matches(rest, after),
        ([b'\\', one, rest @ ..], [first, after @ ..])
        | ([one, rest @ ..], [first, after @ ..]) => one == first && matches(rest, after),
        _ => false,
    }
}

fn reservation(account: &str, id: &str, host: &HostState) -> String {
    let tag = |(key, value): (&String, &String)| {
        format!("<item><key>{}</key><value>{}</value></item>", escaped(key), escaped(value))
    };
    let tags: String = host.tags.iter().map(tag).collect();
    let platform = match host.platform {
        Platform::Windows => "<platform>windows</platform>",
        Platform::Linux => "",
    };
    format!(
        "<item><reservationId>r-0</reservationId><ownerId>{account}</ownerId><groupSet/>\
         <instancesSet><item><instanceId>{id}</instanceId><instanceState><code>16</code>\
         <name>{}</name></instanceState><privateIpAddress>10.7.0.7</privateIpAddress>{platform}\
         <tagSet>{tags}</tagSet></item></instancesSet></item>",
        host.state
    )
}
