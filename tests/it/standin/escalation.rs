//! Whom the stand-in pages, and what people see.

use ams::incident::{IncidentId, Status, Urgency};
use ams::sandbox::pagerduty::{
    BOT, ENGINEER, GAP, MANAGER, NOBODY, NewIncident, PEOPLE_ONLY, POLICY, Settings,
};
use serde_json::{Value, json};

use super::World;

fn paged(world: &World, id: &IncidentId) -> Vec<String> {
    let incident = world.pagerduty.incident(id).unwrap();
    incident.paged().map(str::to_owned).collect()
}

fn status(world: &World, id: &IncidentId) -> Status {
    world.pagerduty.incident(id).unwrap().status
}

fn policy(id: &str) -> Value {
    json!({ "escalation_policy": { "id": id, "type": "escalation_policy_reference" } })
}

#[tokio::test]
async fn a_level_takes_the_acknowledgement_back_and_pages() {
    let world = World::start().await;
    let id = world.incident();
    assert_eq!(paged(&world, &id), [BOT]);
    let (_, answer) = world.change(&id, json!({ "status": "acknowledged" })).await;
    assert_eq!(answer["incident"]["assignments"][0]["assignee"]["id"], BOT);

    let (_, answer) = world.change(&id, json!({ "status": "triggered" })).await;
    assert_eq!(answer["incident"]["status"], "acknowledged", "not alone");

    let (_, answer) = world.change(&id, json!({ "escalation_level": 2 })).await;
    assert_eq!(answer["incident"]["status"], "triggered");
    assert_eq!(answer["incident"]["assignments"][0]["assignee"]["id"], ENGINEER);
    assert_eq!(paged(&world, &id), [BOT, ENGINEER]);

    world.pagerduty.level_times_out(&id).unwrap();
    assert_eq!(paged(&world, &id), [BOT, ENGINEER, MANAGER]);
    world.pagerduty.level_times_out(&id).unwrap_err();
    world.pagerduty.stop().await;
}

#[tokio::test]
async fn acknowledging_takes_the_incident_over() {
    let world = World::start().await;
    let id = world.incident();
    world.change(&id, json!({ "status": "acknowledged" })).await;
    let (code, answer) = world.change(&id, json!({ "status": "acknowledged" })).await;
    assert_eq!((code, &answer["error"]["code"]), (400, &1002.into()));
    world.pagerduty.acknowledge_as(ENGINEER, &id).unwrap();
    assert_eq!(world.pagerduty.incident(&id).unwrap().assignees, [ENGINEER]);
    world.pagerduty.stop().await;
}

#[tokio::test]
async fn a_policy_starts_at_its_first_level_even_the_same_one() {
    let world = World::start().await;
    let id = world.incident();
    world.change(&id, json!({ "escalation_level": 3 })).await;
    world.change(&id, policy(POLICY)).await;
    assert_eq!(world.pagerduty.incident(&id).unwrap().level, 1);
    world.change(&id, policy(PEOPLE_ONLY)).await;
    assert_eq!(paged(&world, &id), [BOT, MANAGER, BOT, ENGINEER]);

    let (code, answer) = world.change(&id, json!({ "escalation_level": 2 })).await;
    let said = &answer["error"]["errors"][0];
    assert_eq!((code, said), (400, &"the escalation policy or incident id are invalid".into()));
    world.pagerduty.stop().await;
}

#[tokio::test]
async fn raising_the_urgency_pages_whoever_has_it() {
    let world = World::start().await;
    let quiet = NewIncident { urgency: Urgency::Low, ..NewIncident::titled("backup is late") };
    let id = world.pagerduty.trigger(quiet).unwrap();
    world.pagerduty.acknowledge_as(ENGINEER, &id).unwrap();
    let (code, _) = world.change(&id, json!({ "escalation_level": 2 })).await;
    assert_eq!((code, status(&world, &id)), (400, Status::Acknowledged));

    world.change(&id, json!({ "urgency": "high" })).await;
    assert_eq!(status(&world, &id), Status::Triggered);
    assert_eq!(paged(&world, &id), [BOT, ENGINEER]);
    let (code, _) = world.change(&id, json!({ "escalation_level": 2 })).await;
    assert_eq!(code, 200);
    world.pagerduty.stop().await;
}

#[tokio::test]
async fn the_timeline_tells_the_story() {
    let world = World::start().await;
    let id = world.incident();
    world.change(&id, json!({ "title": "[AMS] disk", "escalation_level": 2 })).await;
    world.pagerduty.acknowledge_as(ENGINEER, &id).unwrap();
    world.pagerduty.annotate_as(ENGINEER, &id, "looking").unwrap();
    world.pagerduty.reassign_as(ENGINEER, &id, MANAGER).unwrap();
    world.pagerduty.monitoring_resolves(&id).unwrap();
    world.pagerduty.reopen_as(MANAGER, &id).unwrap();
    let other = world.incident();
    world.pagerduty.merge_as(MANAGER, &id, &other).unwrap();

    let lines = world.pagerduty.timeline(&id).into_iter();
    let lines: Vec<String> = lines.map(|line| format!("{}: {}", line.agent, line.text)).collect();
    let story = [
        "Monitoring: triggered",
        "PagerDuty: assigned to AMS Bot",
        "PagerDuty: paged: AMS Bot, level 1",
        "AMS Bot: title is now: [AMS] disk",
        "AMS Bot: escalated to level 2: On-call Engineer",
        "PagerDuty: paged: On-call Engineer, level 2",
        "On-call Engineer: acknowledged",
        "On-call Engineer: note: looking",
        "On-call Engineer: no longer acknowledged",
        "On-call Engineer: assigned to Duty Manager",
        "PagerDuty: paged: Duty Manager",
        "Monitoring: resolved",
        "Duty Manager: reopened",
        "PagerDuty: paged: AMS Bot, level 1",
        &format!("Duty Manager: merged into {other}"),
        "Duty Manager: resolved",
    ];
    assert_eq!(lines, story);
    world.pagerduty.stop().await;
}

#[tokio::test]
async fn a_level_without_anybody_on_call_is_refused() {
    let world = World::start().await;
    let id = world.incident();
    let (code, answer) = world.change(&id, policy(NOBODY)).await;
    assert_eq!((code, &answer["error"]["code"]), (400, &1015.into()));
    world.change(&id, policy(GAP)).await;
    let (code, answer) = world.change(&id, json!({ "escalation_level": 2 })).await;
    assert_eq!((code, &answer["error"]["code"]), (400, &1015.into()));
    let (code, _) = world.change(&id, json!({ "escalation_level": 3 })).await;
    assert_eq!(code, 200);
    assert_eq!(paged(&world, &id), [BOT, BOT, MANAGER]);
    world.pagerduty.stop().await;
}

#[tokio::test]
async fn responders_join_and_the_incident_stays() {
    let world = World::start().await;
    let id = world.incident();
    let target =
        |id: &str, kind: &str| json!({ "responder_request_target": { "id": id, "type": kind } });
    let path = format!("/incidents/{id}/responder_requests");
    let ask = |targets: Value| {
        json!({
        "requester_id": BOT, "message": "please", "responder_request_targets": targets })
    };
    let targets = json!([
        target(MANAGER, "user_reference"),
        target(PEOPLE_ONLY, "escalation_policy_reference")
    ]);
    let (code, answer) = world.ask("POST", &path, &ask(targets)).await;
    let asked = &answer["responder_request"]["responder_request_targets"];
    let people = &asked[1]["responder_request_target"]["incidents_responders"];
    assert_eq!((code, &people[0]["user"]["id"]), (200, &ENGINEER.into()));
    let incident = world.pagerduty.incident(&id).unwrap();
    assert_eq!(incident.responders().collect::<Vec<_>>(), [MANAGER, ENGINEER]);
    assert_eq!(incident.assignees, [BOT]);
    for wrong in [json!([]), json!([target("PNOBODY", "user_reference")]), json!([{}])] {
        assert_eq!(world.ask("POST", &path, &ask(wrong)).await.0, 400);
    }
    world.pagerduty.stop().await;
}

#[tokio::test]
async fn events_with_one_key_are_one_alert_while_it_is_open() {
    let world = World::start().await;
    let event = |key: &str, severity: &str| {
        json!({
        "routing_key": Settings::default().routing_key, "event_action": "trigger", "dedup_key": key,
        "payload": { "summary": "no page", "source": "ams", "severity": severity } })
    };
    for key in ["a", "a", "b"] {
        let (code, answer) = world.ask("POST", "/v2/enqueue", &event(key, "critical")).await;
        assert_eq!((code, &answer["dedup_key"]), (202, &key.into()));
    }
    assert_eq!(world.ask("POST", "/v2/enqueue", &event("c", "urgent")).await.0, 400);
    assert_eq!(world.ask("POST", "/v2/enqueue", &json!({ "routing_key": "x" })).await.0, 400);
    let events = world.pagerduty.alert_events();
    assert_eq!((events[0].incident == events[1].incident, events.len()), (true, 3));
    world.pagerduty.resolve_as(ENGINEER, &events[0].incident).unwrap();
    world.ask("POST", "/v2/enqueue", &event("a", "critical")).await;
    let again = world.pagerduty.alert_events().pop().unwrap();
    assert!(again.incident != events[0].incident, "a new one after the resolve");
    world.pagerduty.stop().await;
}
