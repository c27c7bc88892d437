//! The first source that names one of the customer's hosts is taken.

use super::{CHAIN, RESTART, holds};

const WELL: &str = "results: {r: {exit_code: 0}, v: {exit_code: 0}}\n";

/// The host that is restarted.
async fn leads_to(host: &str, incident: &str) {
    let scenario = format!("{CHAIN}{RESTART}");
    let expect =
        format!("expect: {{outcome: resolved, given: {{r: {{on: {host}}}, v: {{on: {host}}}}}}}\n");
    holds(&scenario, &format!("{incident}{WELL}{expect}")).await;
}

#[tokio::test(start_paused = true)]
async fn the_title_goes_before_the_alerts_and_the_alerts_before_aws() {
    let alerts = "alerts: [{details: {host: web01, Event host: 10.0.1.12}}]\n";
    let tagged = "look_up: [{instance: i-0a1b2c3d4e5f60718, tags: {Name: shop}}]\n";
    leads_to("web02", &format!("title: web02 is down shop\n{alerts}{tagged}")).await;
    leads_to("web02", &format!("title: down shop\n{alerts}{tagged}")).await;
    let other_key = alerts.replace("Event host", "Problem host");
    leads_to("web01", &format!("title: down shop\n{other_key}{tagged}")).await;
    leads_to("web01", &format!("title: down shop\n{tagged}")).await;
}

#[tokio::test(start_paused = true)]
async fn a_source_that_names_none_of_the_customers_hosts_is_passed_over() {
    let unknown = "title: monitor9 is down shop\nalerts: [{details: {Event host: Zabbix server, \
                   host: monitor9}}]\n";
    let tagged = "look_up: [{instance: i-0a1b2c3d4e5f60718, tags: {Name: shop}}]\n";
    leads_to("web01", &format!("{unknown}{tagged}")).await;
    let later_key =
        unknown.replace("Zabbix server", "monitor9").replace("host: monitor9}", "host: web02}");
    leads_to("web02", &format!("{later_key}{tagged}")).await;
}

#[tokio::test(start_paused = true)]
async fn a_host_is_known_by_name_alias_address_and_instance_id() {
    for name in ["WEB01", "web01.example.jp", "10.0.1.11", "10.0.1.11:9100", "i-0a1b2c3d4e5f60718"]
    {
        leads_to("web01", &format!("title: down\nalerts: [{{details: {{host: \"{name}\"}}}}]\n"))
            .await;
    }
}

/// A server that nobody has put into the inventory is worked on under its id.
#[tokio::test(start_paused = true)]
async fn a_server_that_only_aws_knows_is_found_by_its_tag() {
    let new = "title: down new\nlook_up:\n  - {instance: i-00000000000000001, tags: {Name: new}}\n  \
               - {instance: i-00000000000000002, tags: {Name: newer}}\n";
    leads_to("i-00000000000000001", new).await;
}

/// The same host by two of its names is one host.
#[tokio::test(start_paused = true)]
async fn one_host_under_several_names_is_not_several() {
    let alerts =
        "alerts: [{details: {host: web01}}, {details: {host: [10.0.1.11, web01.example.jp]}}]\n";
    leads_to("web01", &format!("title: down\n{alerts}")).await;
    let resolved =
        "alerts: [{status: resolved, details: {host: web01}}, {details: {host: web02}}]\n";
    leads_to("web02", &format!("title: down\n{resolved}")).await;
}

/// Nobody is asked before a step needs it, so a step may read the name first.
#[tokio::test(start_paused = true)]
async fn what_a_step_has_read_may_name_the_host() {
    let scenario = "parameters: {limit: {type: number, default: 5}}\n\
        target:\n  host: [\"{{ steps.facts.host }}\", {alert: host}]\n\
        steps:\n  - gather: {id: facts, name: g, run: facts, on: runner, \
          values: {host: {pattern: 'on (\\S+)', type: hostname}}, \
          env: {LIMIT: \"{{ parameters.limit }}\"}}\n  \
        - recover: {name: r, run: restart}\n  - verify: {name: v, run: check}\n  \
        - gather: {name: x, on: runner, run: x, env: {A: \"{{ capture.host }}\", \
          B: \"{{ capture.name }}\"}, when: capture.host is not none and capture.name is not none}\n";
    let alerts = "title: down\nalerts: [{details: {host: web01}}]\n";
    let test = format!(
        "{alerts}results: {{g: {{output: it is on web02}}, r: {{exit_code: 0}}, v: {{exit_code: 0}}}}\n\
         expect: {{outcome: resolved, given: {{r: {{on: web02}}}}}}\n"
    );
    holds(scenario, &test).await;
    let silent = test.replace("it is on web02", "nothing").replace("{on: web02}", "{on: web01}");
    holds(scenario, &silent).await;
}
