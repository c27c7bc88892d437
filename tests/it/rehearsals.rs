//! The engine in paused time, from a title to an outcome: what a scenario must never lead to.

use std::path::Path;
use std::sync::Arc;

use ams::rehearse::file;
use ams::rehearse::perform::{customers_of, perform};

const HEAD: &str = "scenario: x\nabout: x\nmatch: {all: [web, down]}\n";

/// What differs from the test's expectation; the scenario is `HEAD` and these lines.
async fn differences(scenario: &str, customer: Option<&str>, test: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let mut text = String::new();
    if let Some(customer) = customer {
        std::fs::write(folder.path().join("customer.yaml"), customer).unwrap();
        text.push_str("customer: customer.yaml\n");
    }
    text.push_str("tests:\n  - name: x\n    title: web is down\n");
    text.extend(test.lines().map(|line| format!("    {line}\n")));
    let file = file::read(&folder.path().join("x.test.yaml"), &text).unwrap();
    let scenario = format!("{HEAD}{scenario}");
    let scenario = ams::scenario::file::read(Path::new("x.yaml"), &scenario, None).unwrap().0;
    let customers = customers_of(&file).unwrap();
    let found = perform(&file, &file.tests[0], &Arc::new(scenario), customers).await.unwrap();
    found.iter().map(|difference| format!("{difference:?}")).collect()
}

async fn holds(scenario: &str, customer: Option<&str>, test: &str) {
    let found = differences(scenario, customer, test).await;
    assert!(found.is_empty(), "{found:#?}");
}

/// The author goes on after a verify that did not pass; that is no verified recovery.
#[tokio::test(start_paused = true)]
async fn a_recovery_whose_verify_did_not_pass_is_never_resolved() {
    for end in ["", "  - resolve: 直ったはず\n"] {
        let scenario = format!(
            "steps:\n  - recover: {{name: r, run: restart}}\n  \
             - verify: {{name: v, run: check, within: 10s, when_broken: continue}}\n{end}"
        );
        let test =
            "results: {r: {exit_code: 0}, v: {exit_code: 1}}\nexpect: {outcome: escalated}\n";
        holds(&scenario, None, test).await;
        let passed = test.replace("v: {exit_code: 1}", "v: {exit_code: 0}");
        holds(&scenario, None, &passed.replace("escalated", "resolved")).await;
    }
}

/// `page: false` is for ends the author had in mind, not for what went wrong.
#[tokio::test(start_paused = true)]
async fn what_went_wrong_pages_people_whatever_the_author_says_of_paging() {
    let scenario = "steps:\n  - check: {name: c, run: check, when_broken: hand_off}\n\
                    hand_off: {page: false}\n";
    let by_design = "results: {c: {exit_code: 1}}\n\
                     expect: {outcome: handed_off, hand_off: {page: false}}\n";
    holds(scenario, None, by_design).await;
    let failed = "results: {c: {timed_out: true}}\n\
                  expect: {outcome: escalated, hand_off: {page: true}}\n";
    holds(scenario, None, failed).await;
}

const CUSTOMER: &str = "customer: c\nname: 顧客\nservices: [S]\ntime_zone: Asia/Tokyo\n\
    suspensions: [{from: \"2026-01-05 10:10\", until: \"2026-01-05 18:00\", reason: 定期保守}]\n";

/// A suspension that begins in the middle stops further changes; what was done is looked at, put
/// back and told.
#[tokio::test(start_paused = true)]
async fn a_suspension_in_the_middle_leaves_nothing_half_done_in_silence() {
    let scenario = "deadline: 1h\nsteps:\n  - recover: {name: silence, run: silence}\n  \
                    - wait: {name: w, for: 15m}\n  \
                    - gather: {name: g, run: facts}\n  \
                    - recover: {name: r, run: restart}\n  \
                    - verify: {name: v, run: check}\n\
                    always:\n  - recover: {name: undo, run: undo, effect: idempotent}\n";
    let test = "results: {silence: {exit_code: 0}, g: {output: x}, undo: {exit_code: 0}}\n\
                expect:\n  outcome: escalated\n  path: [silence, w, g, undo]\n  note: 定期保守\n";
    holds(scenario, Some(CUSTOMER), test).await;
}

/// Where nothing was begun, the system is simply left alone.
#[tokio::test(start_paused = true)]
async fn a_suspension_at_the_start_leaves_the_system_alone() {
    let scenario = "steps:\n  - gather: {name: g, run: facts}\n";
    let test = "at: \"2026-01-05 12:00\"\nexpect: {outcome: suspended, path: []}\n";
    holds(scenario, Some(CUSTOMER), test).await;
}

/// Of several hosts the one that is to be left alone is, and the others get their help.
#[tokio::test(start_paused = true)]
async fn a_suspension_of_one_host_concerns_that_host() {
    let scenario = "target: {group: web, when_several: all}\nsteps:\n  \
                    - each:\n      item: h\n      of: target.hosts\n      steps:\n        \
                    - recover: {name: r, run: restart, on: \"{{ each.h }}\"}\n        \
                    - verify: {name: v, run: check, on: \"{{ each.h }}\"}\n";
    let customer = "customer: c\nname: 顧客\nservices: [S]\ntime_zone: Asia/Tokyo\n\
        hosts: [{name: web01, groups: [web], reach: local}, {name: web02, groups: [web], reach: local}]\n\
        suspensions: [{from: \"2026-01-05 10:00\", until: \"2026-01-05 18:00\", reason: 移行作業, host: web02}]\n";
    let test = "results: {r: {exit_code: 0}, v: {exit_code: 0}}\n\
                expect:\n  outcome: escalated\n  path: [r (web01), v (web01)]\n  note: 移行作業\n";
    holds(scenario, Some(customer), test).await;
}

/// What may happen once is not tried again when nobody knows whether it happened, whatever the author
/// says of unclear results.
#[tokio::test(start_paused = true)]
async fn a_recovery_that_may_have_run_is_not_tried_again() {
    let scenario = "steps:\n  - recover: {name: r, run: restart, when_unclear: continue}\n  \
                    - verify: {name: v, run: check}\n";
    let test = "results: {r: {unknown: the connection broke}}\n\
                expect:\n  outcome: escalated\n  path: [r]\n  \
                note: [実行されたか不明, the connection broke]\n";
    holds(scenario, None, test).await;
    let repeatable =
        scenario.replace("when_unclear: continue", "effect: idempotent, tries: 3, every: 1s");
    let test = "results: {r: [{unknown: the connection broke}, {exit_code: 0}], v: {exit_code: 0}}\n\
                expect: {outcome: resolved, path: [r, v]}\n";
    holds(&repeatable, None, test).await;
}

/// What always runs and could not is told, however the run ended.
#[tokio::test(start_paused = true)]
async fn a_clean_up_that_could_not_run_is_told() {
    let scenario = "parameters: {lb: word}\nsteps:\n  - recover: {name: r, run: restart}\n  \
                    - verify: {name: v, run: check, within: 10s}\n\
                    always:\n  - recover: {name: undo, run: undo, effect: idempotent, \
                    env: {LB: \"{{ parameters.lb }}\"}}\n";
    let customer = CUSTOMER.split("suspensions").next();
    let test = "results: {r: {exit_code: 0}, v: {exit_code: 1}}\n\
                expect: {outcome: escalated, note: [\"undo → 判定できず\", \"lb がない\"]}\n";
    holds(scenario, customer, test).await;
}

/// Two hosts at once: one is interrupted while it waits, the other's restart had its result.
#[tokio::test(start_paused = true)]
async fn a_result_that_came_is_kept_when_its_neighbour_is_interrupted() {
    let scenario = "parameters: {names: {list: word, default: [a, b]}}\nsteps:\n  \
                    - each:\n      item: n\n      of: parameters.names\n      at_once: 2\n      steps:\n        \
                    - wait: {name: w, for: 10m, when: each.n == 'a'}\n        \
                    - recover: {name: r, run: restart, timeout: 2m}\n        \
                    - verify: {name: v, run: check}\n";
    let test = "results: {r: {exit_code: 0, took: 1m}}\n\
                people: [{after: 30s, say: stop}]\n\
                expect:\n  outcome: stood_down\n  path: [r (b)]\n  note_lacks: 実行されたかどうか不明\n";
    holds(scenario, None, test).await;
}

/// An urgency that wakes nobody is no reason to page first.
#[tokio::test(start_paused = true)]
async fn a_low_urgency_wakes_nobody() {
    let scenario = "steps:\n  - check: {name: c, run: check, when_broken: hand_off}\n\
                    hand_off: {urgency: low}\n";
    let test = "results: {c: {exit_code: 1}}\n\
                expect: {outcome: handed_off, hand_off: {page: false, urgency: low}}\n";
    holds(scenario, None, test).await;
}
