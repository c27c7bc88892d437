//! None found, several found, and sources that cannot be asked: what the scenario states, and nothing
//! changed before that.

use super::{CHAIN, RESTART, holds};

/// Nothing is restarted, and people are told why.
async fn hands_off(incident: &str, why: &str) {
    let test = format!("{incident}expect: {{outcome: escalated, path: [], note: \"{why}\"}}\n");
    holds(&format!("{CHAIN}{RESTART}"), &test).await;
}

#[tokio::test(start_paused = true)]
async fn where_no_host_is_found_people_are_told_which_name_was_unknown() {
    hands_off("title: down\n", "対象ホストが示されていません").await;
    hands_off("title: other9 is down\n", "サンプル商店にホスト「other9」の登録がありません").await;
    let alerts = "title: down\nalerts: [{details: {host: other9}}]\n";
    hands_off(alerts, "ホスト「other9」").await;
}

/// Who names one host of ours and one that nobody knows means both of them.
#[tokio::test(start_paused = true)]
async fn a_known_host_beside_an_unknown_one_is_not_taken_alone() {
    let alerts = "title: down\nalerts: [{details: {host: web01}}, {details: {host: other9}}]\n";
    hands_off(alerts, "ホスト「other9」").await;
}

#[tokio::test(start_paused = true)]
async fn a_source_without_an_answer_is_not_a_source_that_names_nobody() {
    let denied = "title: down new\nlook_up: AccessDenied for arn:aws:iam::111122223333:role/Ams\n";
    hands_off(denied, "AccessDenied").await;
    // Where the title is enough, nobody else is asked.
    let test = denied.replace("down", "web01 is down")
        + "results: {r: {exit_code: 0}, v: {exit_code: 0}}\nexpect: {outcome: resolved}\n";
    holds(&format!("{CHAIN}{RESTART}"), &test).await;
}

/// A title decides what is looked up, and must not be able to mean every server.
#[tokio::test(start_paused = true)]
async fn a_title_cannot_mean_any_server() {
    for wide in ["*", "web*", "web0?", "we\\\\b"] {
        let tagged =
            format!("look_up: [{{instance: i-00000000000000001, tags: {{Name: '{wide}'}}}}]\n");
        hands_off(&format!("title: 'down {wide}'\n{tagged}"), "対象ホストが示されていません").await;
    }
}

#[tokio::test(start_paused = true)]
async fn several_hosts_are_what_the_scenario_says() {
    let two = "title: down\nalerts: [{details: {host: [web01, web02]}}]\n";
    hands_off(two, "対象ホストが複数あります: web01, web02").await;
    let first = format!("{CHAIN}  when_several: first\n{RESTART}");
    let well = "results: {r: {exit_code: 0}, v: {exit_code: 0}}\n";
    let test = format!("{two}{well}expect: {{outcome: resolved, given: {{r: {{on: web01}}}}}}\n");
    holds(&first, &test).await;
    let all = format!(
        "{CHAIN}  when_several: all\nsteps:\n  - each:\n      item: h\n      of: target.hosts\n      \
         steps:\n        - recover: {{name: r, run: restart, on: \"{{{{ each.h }}}}\"}}\n        \
         - verify: {{name: v, run: check, on: \"{{{{ each.h }}}}\"}}\n"
    );
    let each = "expect: {outcome: resolved, path: [r (web01), v (web01), r (web02), v (web02)]}\n";
    holds(&all, &format!("{two}{well}{each}")).await;
}

#[tokio::test(start_paused = true)]
async fn with_none_allowed_what_needs_no_host_goes_on() {
    let scenario = format!(
        "{CHAIN}  when_none: none\nsteps:\n  \
         - gather: {{name: g, on: runner, run: facts}}\n  \
         - branch:\n      - when: target.host is none\n        steps:\n          \
         - hand_off: ホストは見つかりません\n      - otherwise: continue\n  \
         - recover: {{name: r, run: restart}}\n  - verify: {{name: v, run: check}}\n"
    );
    let none = "title: down\nresults: {g: {exit_code: 0}}\nexpect: {outcome: handed_off, path: [g], note: ホストは見つかりません}\n";
    holds(&scenario, none).await;
    // What needs one still goes to people, and so does a source that did not answer.
    let straight = format!("{CHAIN}  when_none: none\n{RESTART}");
    let test = "title: down\nexpect: {outcome: escalated, path: [], note: 示されていません}\n";
    holds(&straight, test).await;
    let denied = "title: down new\nlook_up: AccessDenied\nresults: {g: {exit_code: 0}}\n\
                  expect: {outcome: escalated, note: AccessDenied}\n";
    holds(&scenario, denied).await;
    let empty = "target: {group: nobody, when_none: none, when_several: all}\nsteps:\n  \
         - each:\n      item: h\n      of: target.hosts\n      steps:\n        \
         - gather: {name: g, run: x, on: \"{{ each.h }}\"}\n  \
         - gather: {name: after, on: runner, run: x, env: {A: \"{{ capture.host }}\", \
           B: \"{{ capture.name }}\"}, when: capture.host is none and capture.name is none}\n";
    let test = "title: web01 is down\nexpect: {outcome: handed_off, path: []}\n";
    holds(empty, test).await;
}

/// Also from AMS's own machine nothing is changed for a host that nobody knows.
#[tokio::test(start_paused = true)]
async fn nothing_is_recovered_for_a_target_that_is_not_known() {
    for target in [CHAIN, "target: \"{{ capture.host }}\"\n"] {
        let scenario = format!(
            "{target}steps:\n  - gather: {{name: g, on: runner, run: facts}}\n  \
             - recover: {{name: r, run: restart, on: runner, env: {{A: \"{{{{ capture.name }}}}\"}}}}\n  \
             - verify: {{name: v, run: check, on: runner}}\n"
        );
        let test = "title: other9 is down x\nresults: {g: {exit_code: 0}}\n\
                    expect: {outcome: escalated, path: [g], note: other9}\n";
        holds(&scenario, test).await;
    }
}

/// What must run at the end does, with or without the host.
#[tokio::test(start_paused = true)]
async fn what_always_runs_is_not_lost_with_the_target() {
    let scenario = format!(
        "{CHAIN}{RESTART}always:\n  \
         - recover: {{name: there, run: undo, effect: idempotent}}\n  \
         - recover: {{name: here, run: undo, on: runner, effect: idempotent, \
           when: target.host is none or target.host == 'x'}}\n"
    );
    let test = "title: down x\nlook_up: AccessDenied\nresults: {here: {exit_code: 0}}\n\
                expect: {outcome: escalated, path: [there, here], note: AccessDenied}\n";
    holds(&scenario, test).await;
}
