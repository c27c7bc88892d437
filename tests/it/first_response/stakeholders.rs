//! Who follows an incident without working on it: status updates, fields, priority and urgency.

use std::time::Duration;

use ams::incident::{Outcome, Status};
use ams::sandbox::pagerduty::Fault;
use serde_json::json;

use super::timeline::writes;
use super::{REPAIR, SLOW};
use crate::harness::world::{SHORT_LEASE, World, WorldBuilder};

const UPDATES: &str = "/incidents/{id}/status_updates";
const FIELDS: &str = "/incidents/{id}/custom_fields/values";

/// Tells stakeholders of both ends.
fn telling(scenario: &str) -> String {
    let ends = "resolved: {stakeholders: \"復旧しました: {{ incident.title }}\"}\n\
                hand_off:\n  stakeholders: 担当者が対応しています\n";
    if scenario.contains("hand_off:\n") {
        scenario.replace("hand_off:\n", ends)
    } else {
        format!("{scenario}{ends}")
    }
}

fn with_fields(scenario: &str) -> WorldBuilder {
    let names = ["outcome", "scenario", "seconds", "first_action_seconds"];
    names.iter().fold(World::with(&telling(scenario)), |world, name| {
        let variable = format!("AMS_PAGERDUTY_CUSTOM_FIELDS_{}", name.to_uppercase());
        world.environment(&variable, &format!("ams_{name}"))
    })
}

#[tokio::test]
async fn stakeholders_and_fields_hear_of_each_end_once() {
    let world = with_fields(REPAIR).start().await;
    let incident = world.fire("service web down \u{1b}[31m\u{202e}x");
    world.expect(&incident, Outcome::Resolved).await;
    let view = world.view(&incident);
    assert_eq!(view.published().collect::<Vec<_>>(), ["復旧しました: service web down x"]);
    assert_eq!(view.fields["ams_outcome"], json!("resolved"));
    assert_eq!(view.fields["ams_scenario"], json!("service-down"));
    let seconds = |name: &str| view.fields[name].as_i64().unwrap();
    assert!((0..=60).contains(&seconds("ams_seconds")));
    assert!(seconds("ams_first_action_seconds") <= seconds("ams_seconds"));
    let count = writes(&world, &incident).len();
    assert!(count <= 6, "four, a status update and the fields: {count}");

    // Its answer is lost: nobody is told twice, and the run ends.
    world.pagerduty().fail_next_of(1, Fault::DropAnswerAfterEffect, "POST", UPDATES);
    std::fs::remove_file(world.path("up")).unwrap();
    world.write("broken", "");
    let incident = world.fire("service web down");
    world.expect(&incident, Outcome::Escalated).await;
    let view = world.view(&incident);
    assert_eq!(view.published().collect::<Vec<_>>(), ["担当者が対応しています"]);
    assert_eq!(view.fields["ams_outcome"], json!("escalated"));
    world.end().await;
}

#[tokio::test]
async fn what_the_account_has_not_bought_fails_no_run() {
    let world = with_fields(REPAIR).start().await;
    for template in [UPDATES, FIELDS] {
        let method = if template == UPDATES { "POST" } else { "PUT" };
        world.pagerduty().fail_next_of(100, Fault::Status(402), method, template);
    }
    for _ in 0..4 {
        std::fs::remove_file(world.path("up")).ok();
        let incident = world.fire("service web down");
        world.expect(&incident, Outcome::Resolved).await;
        assert_eq!(world.view(&incident).status, Status::Resolved);
        assert_eq!(world.view(&incident).published().count(), 0);
    }
    // Each region asks once and remembers the answer.
    let asked = world.pagerduty().request_count("POST", UPDATES);
    assert!((1..=2).contains(&asked), "{asked}");
    let asked = world.pagerduty().request_count("PUT", FIELDS);
    assert!((1..=2).contains(&asked), "{asked}");
    world.end().await;
}

#[tokio::test]
async fn who_takes_over_after_the_end_note_does_not_tell_stakeholders_again() {
    let mut world = with_fields(REPAIR).settings(SHORT_LEASE).start().await;
    let hangs = Fault::Hang(Duration::from_mins(1));
    world.pagerduty().fail_next_of(1, hangs, "POST", UPDATES);
    let incident = world.fire("service web down");
    world.until_asked(|body| body["message"].is_string()).await;
    let owner = world.owner(&incident).await;
    world.kill(owner).await;
    let run = world.expect(&incident, Outcome::Resolved).await;
    assert_eq!(run.epoch, 2, "taken over");
    assert_eq!(world.pagerduty().request_count("POST", UPDATES), 1, "in doubt, so not repeated");
    let view = world.view(&incident);
    assert_eq!(view.fields["ams_outcome"], json!("resolved"), "fields may be set twice");
    world.restart(owner).await;
    world.end().await;
}

#[tokio::test]
async fn findings_say_how_bad_it_is_along_with_the_next_write() {
    let judged = REPAIR
        .replace("      when_healthy: resolve\n", "      if_broken: {priority: P3, urgency: low}\n")
        .replace("      within: 1s\n", "      within: 1s\n      if_broken: {priority: P2}\n");
    let world = World::with(&judged).start().await;
    world.write("broken", "");
    let incident = world.fire("service web down");
    world.expect(&incident, Outcome::Escalated).await;
    // The verify's finding goes before what the scenario says of every hand-off.
    assert_eq!(world.view(&incident).priority.as_deref(), Some("P2"));
    let requests = world.pagerduty().recorded_requests();
    let changes =
        requests.iter().filter(|it| it.method == "PUT" && it.path.ends_with(incident.as_str()));
    let said: Vec<_> = changes
        .map(|it| {
            let of = |name: &str| it.body["incident"][name].clone();
            (of("title").is_string(), of("priority"), of("urgency"))
        })
        .collect();
    assert_eq!(said[0], (true, json!("P3"), json!("low")), "{said:?}");
    assert!(said.iter().any(|it| it.1 == json!("P2")), "{said:?}");
    world.end().await;
}

#[tokio::test]
async fn a_finding_after_the_start_is_a_write_of_its_own() {
    let judged = SLOW.replace("for: 30s", "for: 2s").replace(
        "  - recover:",
        "  - check: {name: 詳細, run: 'false', if_broken: {priority: P1}}\n  \
         - wait: {name: もう少し, for: 2s}\n  - recover:",
    );
    let world = World::with(&judged).start().await;
    let incident = world.fire("service is slow");
    world.until(&incident, |view| view.priority.as_deref() == Some("P1")).await;
    assert!(world.view(&incident).title.starts_with("[AMS 対応中]"), "while the run goes on");
    world.expect(&incident, Outcome::Resolved).await;
    assert_eq!(writes(&world, &incident).len(), 5, "{}", world.everything(&incident));
    world.end().await;
}
