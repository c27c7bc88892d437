use std::time::Duration;

use ams::limits;
use ams::receive::http::Taken;
use ams::receive::signature::sign;
use reqwest::StatusCode;
use serde_json::json;
use tokio::time::Instant;

use super::{Answer, Door, SECRET};

const TRIGGERED: &str = r#"{"event": {"id": "01ABC", "event_type": "incident.triggered",
    "occurred_at": "2026-03-02T12:00:00.000Z",
    "data": {"type": "incident", "id": "PT4KHLK", "title": "web01 is down"}}}"#;

/// A valid delivery of exactly this many bytes.
fn of_length(bytes: usize) -> Vec<u8> {
    let mut body = TRIGGERED.as_bytes().to_vec();
    body.resize(bytes, b' ');
    body
}

#[tokio::test]
async fn only_pagerduty_gets_in() {
    let door = Door::open().await;
    let good = sign(TRIGGERED.as_bytes(), SECRET);
    let other = sign(TRIGGERED.as_bytes(), "another account's secret");
    let of_other_body = sign(b"{}", SECRET);
    let wrong = [
        vec![],
        vec![""],
        vec!["v1="],
        vec!["v1=zz"],
        vec![other.as_str()],
        vec![of_other_body.as_str()],
        vec![good.trim_start_matches("v1=")],
    ];
    let attempts = u64::try_from(wrong.len()).unwrap();
    for signatures in wrong {
        let answer = door.deliver(TRIGGERED, &signatures).await;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{signatures:?}");
    }
    assert_eq!(door.counted("bad_signature").await, attempts);
    assert_eq!(door.taken(), []);

    assert_eq!(door.deliver(TRIGGERED, &[&good]).await.status(), StatusCode::ACCEPTED);
    assert_eq!(door.taken().len(), 1);
}

#[tokio::test]
async fn any_signature_of_any_secret_opens_the_door_while_secrets_are_changed() {
    let door = Door::with_secrets(&["old-secret", "new-secret"]).await;
    let [old, new, other] =
        ["old-secret", "new-secret", "other"].map(|secret| sign(TRIGGERED.as_bytes(), secret));
    let joined = format!("{other},{new}");
    let spaced = format!("{other}, {old}");
    let future = format!("v2=0011,{new}");
    let headers = [
        vec![old.as_str()],
        vec![new.as_str()],
        vec![joined.as_str()],
        vec![spaced.as_str()],
        vec![future.as_str()],
        vec![other.as_str(), new.as_str()],
    ];
    for signatures in headers {
        let answer = door.deliver(TRIGGERED, &signatures).await;
        assert_eq!(answer.status(), StatusCode::ACCEPTED, "{signatures:?}");
    }
    assert_eq!(door.deliver(TRIGGERED, &[&other]).await.status(), StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn the_largest_webhook_is_read_and_a_larger_one_is_none_of_pagerdutys() {
    let door = Door::open().await;
    let (status, _) = door.deliver_signed(of_length(limits::WEBHOOK_BODY_BYTES)).await;
    assert_eq!(status, StatusCode::ACCEPTED);
    assert_eq!(door.taken().len(), 1);

    let (status, body) = door.deliver_signed(of_length(limits::WEBHOOK_BODY_BYTES + 1)).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(body["why"], "a webhook has at most 262144 bytes");
    assert_eq!((door.counted("too_large").await, door.taken().len()), (1, 1));
}

#[tokio::test]
async fn what_is_signed_is_never_refused_whatever_is_in_it() {
    let door = Door::open().await;
    let bodies: [&[u8]; 13] = [
        b"",
        b"{",
        b"\xff\xfe",
        b"null",
        b"[]",
        b"42",
        br#""text""#,
        br#"{"event": null}"#,
        br#"{"event": {"id": 1}}"#,
        br#"{"event": {"event_type": {"new": "shape"}}}"#,
        br#"{"event": {"event_type": "incident.triggered", "data": null}}"#,
        br#"{"event": {"event_type": "incident.triggered", "data": {"id": "../../etc"}}}"#,
        br#"{"messages": [{"event": "incident.trigger"}]}"#,
    ];
    let attempts = u64::try_from(bodies.len()).unwrap();
    for body in bodies {
        let (status, answer) = door.deliver_signed(body).await;
        let text = String::from_utf8_lossy(body);
        assert_eq!(
            (status, &answer["status"]),
            (StatusCode::ACCEPTED, &json!("ignored")),
            "{text}"
        );
        assert!(answer["why"].is_string(), "{text}: {answer}");
    }
    let nested = "[".repeat(100_000);
    assert_eq!(door.deliver_signed(nested).await.0, StatusCode::ACCEPTED);
    assert_eq!((door.counted("malformed").await, door.taken()), (attempts + 1, vec![]));
}

#[tokio::test]
async fn unknown_event_types_and_odd_fields_are_accepted_and_given_on() {
    let door = Door::open().await;
    let odd = [
        json!({"id": "1", "event_type": "incident.teleported", "data": {"type": "incident"}}),
        json!({"id": "2", "event_type": "service.updated", "data": {"type": "service"}}),
        json!({"id": null, "event_type": "pagey.ping", "agent": null, "data": {"type": "ping"}}),
        json!({"id": {"a": 1}, "event_type": "incident.triggered", "agent": [], "client": 7,
            "occurred_at": "yesterday",
            "data": {"type": "incident", "id": "PT4KHLK", "title": ["no", "text"], "status": "new",
                "urgency": null, "number": "42", "service": "PSERVICE", "assignees": {},
                "escalation_policy": null, "html_url": 3}}),
    ];
    let bodies = odd.map(|event| json!({ "event": event }).to_string());
    for body in &bodies {
        let (status, _) = door.deliver_signed(body.as_str()).await;
        assert_eq!(status, StatusCode::ACCEPTED, "{body}");
    }
    assert_eq!(door.taken().len(), bodies.len());
    assert_eq!(door.counted("ignored").await, 4);
}

#[tokio::test]
async fn every_decision_of_the_intake_has_its_answer_and_is_counted() {
    let run = "PT4KHLK/1".to_owned();
    let why = "run PT4KHLK/1 is osaka-1's".to_owned();
    let decisions = [
        (Taken::Claimed { run }, 202, "claimed", json!({"status": "claimed", "run": "PT4KHLK/1"})),
        (
            Taken::Elsewhere { why: why.clone() },
            202,
            "taken_elsewhere",
            json!({"status": "taken elsewhere", "why": why}),
        ),
        (Taken::Unmatched, 202, "unmatched", json!({"status": "unmatched"})),
        (Taken::StandDown, 202, "stand_down", json!({"status": "standing down"})),
        (Taken::Ignored, 202, "ignored", json!({"status": "ignored"})),
        (
            Taken::TryAgain { why: "the claim store is not reachable".to_owned() },
            503,
            "unavailable",
            json!({"status": "try again", "why": "the claim store is not reachable"}),
        ),
    ];
    for (decision, expected_status, counted, expected_body) in decisions {
        let door = Door::answering([Answer::Say(decision)]).await;
        let (status, body) = door.deliver_signed(TRIGGERED).await;
        assert_eq!((status.as_u16(), &body), (expected_status, &expected_body));
        assert_eq!(door.counted(counted).await, 1, "{counted}");
    }
}

#[tokio::test]
async fn without_a_secret_pagerduty_is_asked_to_try_again_and_the_region_is_not_ready() {
    let door = Door::with_secrets(&[]).await;
    let (status, body) = door.deliver_signed(TRIGGERED).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(body["why"], "no webhook secret is configured");
    assert_eq!(door.taken(), []);
    let not_ready = "not ready: no webhook secret is configured\n".to_owned();
    assert_eq!(door.get("/readyz").await, (StatusCode::SERVICE_UNAVAILABLE, not_ready));
}

/// The one slow story: real sockets need real time, so it takes `limits::WEBHOOK_ANSWER` (4 s).
#[tokio::test]
async fn an_intake_that_hangs_is_answered_before_pagerduty_gives_up() {
    let door = Door::answering([Answer::Never]).await;
    let start = Instant::now();
    let (status, body) = door.deliver_signed(TRIGGERED).await;
    let took = start.elapsed();
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(body["why"], "the claim store is slow");
    assert!(took < Duration::from_secs(5), "{took:?}");
    assert_eq!(door.counted("unavailable").await, 1);
}

#[tokio::test]
async fn health_and_readiness_say_different_things() {
    let ready = Door::open().await;
    assert_eq!(ready.get("/healthz").await, (StatusCode::OK, "ok\n".to_owned()));
    assert_eq!(ready.get("/readyz").await, (StatusCode::OK, "ready\n".to_owned()));

    let why = "the claim store does not take this process's heartbeat".to_owned();
    let unready = Door::build(&[SECRET], Err(why.clone()), []).await;
    assert_eq!(unready.get("/healthz").await, (StatusCode::OK, "ok\n".to_owned()));
    let not_ready = format!("not ready: {why}\n");
    assert_eq!(unready.get("/readyz").await, (StatusCode::SERVICE_UNAVAILABLE, not_ready));
}

#[tokio::test]
async fn metrics_have_names_that_dashboards_can_rely_on() {
    let door = Door::open().await;
    door.deliver_signed(TRIGGERED).await;
    let (status, text) = door.get("/metrics").await;
    assert_eq!(status, StatusCode::OK);
    let names: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
    let expected = [
        "ams_webhooks counter",
        "ams_eventbridge_events counter",
        "ams_queue_failures counter",
        "ams_runs counter",
        "ams_runs_open gauge",
        "ams_guard_refusals counter",
        "ams_take_overs counter",
        "ams_reconciled counter",
        "ams_reconcile_failures counter",
        "ams_secrets_changed counter",
        "ams_secret_failures counter",
        "ams_unclaimed gauge",
        "ams_subscriptions_disabled gauge",
        "ams_rules_differ gauge",
        "ams_other_region_seconds gauge",
        "ams_escalation_failures counter",
        "ams_pages counter",
        "ams_report_failures counter",
        "ams_store_errors counter",
        "ams_evidence_removed counter",
        "ams_evidence_uploads counter",
        "ams_evidence_upload_failures counter",
        "ams_pagerduty_queue gauge",
        "ams_pagerduty_wait_seconds histogram",
        "ams_pagerduty_limited counter",
        "ams_pagerduty_storm gauge",
        "ams_pagerduty_storms counter",
        "ams_pagerduty_starts_thinned counter",
        "ams_told_beside counter",
        "ams_rules_refused gauge",
        "ams_reload_failures counter",
        "ams_reloads counter",
        "ams_rules_loaded gauge",
        "ams_delivery_seconds histogram",
        "ams_oldest_open_run_seconds gauge",
        "ams_runs_listed gauge",
        "ams_oldest_listed_run_seconds gauge",
    ];
    assert_eq!(names, expected);
    assert!(text.ends_with("# EOF\n"), "{text}");
    // Counters are there before the first event, or `increase()` would miss it.
    for quiet in
        ["ams_webhooks_total{result=\"unavailable\"} 0", "ams_runs_total{outcome=\"escalated\"} 0"]
    {
        assert!(text.lines().any(|line| line == quiet), "{quiet} is not in\n{text}");
    }
}

#[tokio::test]
async fn other_doors_are_closed() {
    let door = Door::open().await;
    for path in ["/webhooks", "/webhooks/pagerduty/", "/admin"] {
        assert_eq!(door.get(path).await.0, StatusCode::NOT_FOUND, "{path}");
    }
    assert_eq!(door.get("/webhooks/pagerduty").await.0, StatusCode::METHOD_NOT_ALLOWED);
}
