//! What the REST API answers.

use ams::sandbox::pagerduty::ENGINEER;
use serde_json::{Value, json};

use super::{TOKEN, World};
use crate::harness::openapi::Description;

/// Operations in an order that takes the incident through all its states.
fn calls() -> Vec<(&'static str, Value, u16)> {
    let put = |mut wish: Value| {
        wish["type"] = "incident".into();
        json!({ "incident": wish })
    };
    let note = || json!({ "note": { "content": "disk is at 97 %" } });
    let fields =
        |name: &str, value: Value| json!({ "custom_fields": [{ "name": name, "value": value }] });
    let subscription = json!({ "webhook_subscription": {
        "type": "webhook_subscription",
        "delivery_method": { "type": "http_delivery_method", "url": "http://127.0.0.1:1/" },
        "events": ["incident.triggered"],
        "filter": { "type": "account_reference" },
    }});
    let responders = |user: &str| {
        let target = json!({ "id": user, "type": "user_reference" });
        let targets = [json!({ "responder_request_target": target })];
        json!({ "requester_id": "PBOT001", "message": "m", "responder_request_targets": targets })
    };
    let events = |events| json!({ "webhook_subscription": { "events": events } });
    let acknowledge = json!({ "status": "acknowledged" });
    let escalate = json!({ "escalation_level": 2, "priority": "P2" });
    let quieten = json!({ "title": "new", "urgency": "low" });
    let escalate_low = json!({ "escalation_level": 3 });
    let resolve = json!({ "status": "resolved", "resolution": "cleaned" });
    let read = || Value::Null;
    vec![
        ("PUT /incidents/{id}", put(acknowledge), 200),
        ("GET /incidents/{id}", read(), 200),
        ("PUT /incidents/{id}", put(escalate), 200),
        ("PUT /incidents/{id}", put(quieten), 200),
        ("PUT /incidents/{id}", put(escalate_low), 400),
        ("POST /incidents/{id}/notes", note(), 200),
        ("GET /incidents/{id}/notes", read(), 200),
        ("PUT /incidents/{id}/notes/{note_id}", note(), 200),
        ("DELETE /incidents/{id}/notes/{note_id}", read(), 204),
        ("DELETE /incidents/{id}/notes/{note_id}", read(), 404),
        ("POST /incidents/{id}/status_updates", json!({ "message": "It is being looked at" }), 200),
        ("PUT /incidents/{id}/custom_fields/values", fields("ams_seconds", 12.into()), 201),
        ("PUT /incidents/{id}/custom_fields/values", fields("ams_outcome", "resolved".into()), 201),
        ("PUT /incidents/{id}/custom_fields/values", fields("ams_outcome", 12.into()), 400),
        ("PUT /incidents/{id}/custom_fields/values", fields("unknown", 12.into()), 400),
        ("POST /incidents/{id}/responder_requests", responders("PENG001"), 200),
        ("GET /incidents/{id}/alerts", read(), 200),
        ("PUT /incidents/{id}", put(resolve), 200),
        ("GET /incidents/{id}", read(), 200),
        ("GET /incidents/{id}/log_entries", read(), 200),
        ("GET /log_entries?is_overview=true", read(), 200),
        ("GET /incidents?limit=1&statuses%5B%5D=resolved", read(), 200),
        ("GET /escalation_policies/PPOL001", read(), 200),
        ("GET /escalation_policies/PNONE", read(), 404),
        ("GET /priorities", read(), 200),
        ("GET /oncalls", read(), 200),
        ("POST /webhook_subscriptions", subscription, 200),
        ("GET /webhook_subscriptions", read(), 200),
        ("GET /webhook_subscriptions/{subscription}", read(), 200),
        ("PUT /webhook_subscriptions/{subscription}", events(json!(["incident.triggered"])), 200),
        ("POST /webhook_subscriptions/{subscription}/ping", read(), 202),
    ]
}

#[tokio::test]
async fn answers_are_as_pagerduty_describes_them() {
    let Some(description) = Description::load() else {
        return;
    };
    let world = World::start().await;
    let id = world.incident();
    let note = world.pagerduty.annotate_as(ENGINEER, &id, "first").unwrap();
    let subscription = world.pagerduty.subscribe("http://127.0.0.1:1/");
    for (call, body, expected) in calls() {
        let (method, path) = call.split_once(' ').unwrap();
        let path = path.replace("{id}", id.as_str());
        let path = path.replace("{note_id}", &note).replace("{subscription}", &subscription);
        let (status, answer) = world.ask(method, &path, &body).await;
        assert_eq!(status, expected, "{call}: {answer}");
        let asked = world.pagerduty.recorded_requests().pop().unwrap();
        let template = &asked.template;
        let problems = description.check_request(method, template, &asked.body);
        assert_eq!(problems, [""; 0], "the test's own {call}: {body}");
        let problems = description.check_response(method, template, status, &answer);
        assert_eq!(problems, [""; 0], "{call} answered {answer}");
    }
    world.pagerduty.stop().await;
}

#[tokio::test]
async fn the_checker_finds_what_is_wrong() {
    let Some(description) = Description::load() else {
        return;
    };
    let notes = "/incidents/{id}/notes";
    let untyped = json!({ "incident": { "title": "x" } });
    let wrong = [
        description.check_request("PUT", "/incidents/{id}", &untyped),
        description.check_request("POST", notes, &json!({ "note": { "content": 1 } })),
        description.check_response("GET", notes, 200, &json!({})),
        description.check_response("GET", notes, 418, &Value::Null),
        description.check_response("GET", "/nowhere", 200, &Value::Null),
    ];
    for problems in wrong {
        assert_eq!(problems.len(), 1, "{problems:?}");
    }
}

#[tokio::test]
async fn a_request_without_token_or_user_is_refused() {
    let world = World::start().await;
    let path = format!("{}/incidents/{}", world.pagerduty.url(), world.incident());
    let body = json!({ "incident": { "type": "incident", "title": "x" } });
    let put = || world.http.put(&path).json(&body);
    let signed = || put().header("Authorization", format!("Token token={TOKEN}"));
    let cases = [
        (put(), 401, 2006),
        (put().header("Authorization", format!("Token {TOKEN}")), 401, 2006),
        (signed(), 400, 2016),
        (signed().header("From", "nobody@ams.test"), 400, 1008),
    ];
    for (request, status, code) in cases {
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status().as_u16(), status);
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["error"]["code"], code, "{answer}");
        assert!(answer["error"]["errors"].is_array(), "{answer}");
    }
    world.pagerduty.stop().await;
}

#[tokio::test]
async fn wishes_that_make_no_sense_are_refused_whole() {
    let world = World::start().await;
    let id = world.incident();
    let cases = [
        (json!({ "title": "x", "status": "gone" }), 1003),
        (json!({ "title": "x", "priority": "P9" }), 1020),
        (json!({ "title": "x", "escalation_level": 4 }), 2001),
        (json!({ "title": "x", "escalation_level": 0 }), 2001),
        (
            json!({ "title": "x", "escalation_policy": { "id": "PNONE", "type": "escalation_policy_reference" } }),
            2001,
        ),
        (
            json!({ "title": "x", "assignments": [{ "assignee": { "id": "PNONE", "type": "user_reference" } }] }),
            1007,
        ),
        (json!({ "title": "x", "urgency": "low", "escalation_level": 2 }), 1006),
    ];
    for (wish, code) in cases {
        let (status, answer) = world.change(&id, wish.clone()).await;
        assert_eq!((status, &answer["error"]["code"]), (400, &code.into()), "{wish}");
    }
    let (status, answer) = world.change(&id, json!({ "no_such_field": 1 })).await;
    assert_eq!(status, 200, "unknown fields are ignored: {answer}");
    assert_ne!(world.pagerduty.incident(&id).unwrap().title, "x");
    world.pagerduty.stop().await;
}

#[tokio::test]
async fn a_resolved_incident_takes_notes_and_a_reopening_only() {
    let world = World::start().await;
    let id = world.incident();
    world.pagerduty.resolve_as(ENGINEER, &id).unwrap();
    for wish in [json!({ "status": "resolved" }), json!({ "title": "x" })] {
        let (status, answer) = world.change(&id, wish).await;
        assert_eq!((status, &answer["error"]["code"]), (400, &1001.into()));
    }
    let note = json!({ "note": { "content": "for the record" } });
    let (status, _) = world.ask("POST", &format!("/incidents/{id}/notes"), &note).await;
    assert_eq!(status, 200);
    let (status, answer) = world.change(&id, json!({ "status": "triggered" })).await;
    assert_eq!((status, &answer["incident"]["status"]), (200, &"triggered".into()));
    assert!(world.pagerduty.incident(&id).unwrap().reopened_at.is_some());
    world.pagerduty.stop().await;
}

#[tokio::test]
async fn lists_come_in_pages_and_end_at_ten_thousand() {
    let world = World::start().await;
    let ids: Vec<_> = (0..30).map(|_| world.incident()).collect();
    let list =
        async |query: &str| world.ask("GET", &format!("/incidents?{query}"), &Value::Null).await;
    let (_, first) = list("").await;
    assert_eq!(first["incidents"].as_array().unwrap().len(), 25);
    assert_eq!((&first["more"], &first["total"]), (&true.into(), &Value::Null));
    let (_, last) = list("offset=29&limit=100&total=true").await;
    assert_eq!((&last["more"], &last["total"]), (&false.into(), &30.into()));
    assert_eq!(last["incidents"][0]["id"], ids[29].as_str());
    let (status, refused) = list("offset=9950&limit=100").await;
    assert_eq!((status, &refused["error"]["code"]), (400, &2002.into()));

    world.clock.advance(jiff::SignedDuration::from_hours(24 * 40));
    assert_eq!(list("").await.1["incidents"], json!([]));
    let (_, all) =
        list("date_range=all&statuses%5B%5D=triggered&statuses%5B%5D=acknowledged").await;
    assert_eq!(all["incidents"].as_array().unwrap().len(), 25);
    world.pagerduty.stop().await;
}

#[tokio::test]
async fn requests_are_recorded() {
    let world = World::start().await;
    let id = world.incident();
    let (_, answer) = world.change(&id, json!({ "title": "seen" })).await;
    assert_eq!(answer["incident"]["title"], "seen");
    let recorded = world.pagerduty.recorded_requests();
    assert_eq!(recorded.len(), 1);
    assert_eq!(recorded[0].template, "/incidents/{id}");
    assert_eq!(recorded[0].from.as_deref(), Some(super::BOT_EMAIL));
    assert_eq!(recorded[0].body["incident"]["title"], "seen");
    assert_eq!(world.pagerduty.request_count("PUT", "/incidents/{id}"), 1);
    world.pagerduty.stop().await;
}
