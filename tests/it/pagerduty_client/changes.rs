//! Changes that somebody was faster with, or that a plan does not know.

use ams::incident::Status;
use ams::report::{Escalation, IncidentChange, IncidentPlatform as _, PlatformError};
use serde_json::json;

use super::server::{
    GET, PUT, Server, code, escalate, hang, incident, json, q1, status, text, title,
};

#[tokio::test]
async fn an_incident_that_ended_is_said_to_have_ended() {
    let server = Server::start().await;
    let client = server.client();
    for (http, number) in [(400, 1001), (400, 1019), (403, 2018)] {
        server.on(PUT, [code(http, number)]);
        let error = client.change(&q1(), &status(Status::Resolved)).await.unwrap_err();
        assert!(matches!(error, PlatformError::AlreadyEnded { .. }), "{number}: {error}");
    }
    let as_text = json!({ "error": { "message": "No", "code": "1001" } });
    server.on(PUT, [json(400, &as_text)]);
    let error = client.change(&q1(), &title("t")).await.unwrap_err();
    assert!(matches!(error, PlatformError::AlreadyEnded { .. }), "{error}");
}

#[tokio::test]
async fn a_resolve_whose_answer_was_lost_is_ours() {
    let server = Server::start().await;
    server.on(PUT, [hang()]).on(GET, [incident("resolved")]);
    let after = server.hasty_client().change(&q1(), &status(Status::Resolved)).await.unwrap();
    assert_eq!(after.status, Status::Resolved);
    assert_eq!(server.routes(), [PUT, GET]);
}

#[tokio::test]
async fn a_resolve_that_did_not_arrive_is_sent_again_after_a_look() {
    let server = Server::start().await;
    server.on(PUT, [hang(), incident("resolved")]).on(GET, [incident("triggered")]);
    let after = server.hasty_client().change(&q1(), &status(Status::Resolved)).await.unwrap();
    assert_eq!(after.status, Status::Resolved);
    assert_eq!(server.routes(), [PUT, GET, PUT]);
}

#[tokio::test]
async fn a_limited_resolve_does_not_make_the_resolve_of_another_ours() {
    let server = Server::start().await;
    server.on(PUT, [text(429, ""), code(400, 1001)]);
    let error = server.client().change(&q1(), &status(Status::Resolved)).await.unwrap_err();
    assert!(matches!(error, PlatformError::AlreadyEnded { .. }), "{error}");
}

#[tokio::test]
async fn already_acknowledged_is_what_was_wanted() {
    let server = Server::start().await;
    let client = server.client();
    server.on(PUT, [code(400, 1002)]).on(GET, [incident("acknowledged")]);
    let after = client.change(&q1(), &status(Status::Acknowledged)).await.unwrap();
    assert_eq!(after.status, Status::Acknowledged);

    server.on(PUT, [code(400, 1002), incident("acknowledged")]);
    let with_title = IncidentChange { status: Some(Status::Acknowledged), ..title("t") };
    client.change(&q1(), &with_title).await.unwrap();
    assert_eq!(server.routes(), [PUT, GET, PUT, PUT]);
    let rest = json!({ "incident": { "type": "incident_reference", "title": "t" } });
    assert_eq!(server.seen()[3].body, rest);
}

#[tokio::test]
async fn a_plan_without_priorities_does_not_stop_the_escalation() {
    let server = Server::start().await;
    let change =
        IncidentChange { priority: Some("P1".to_owned()), ..escalate(Escalation::Level(2)) };
    for refusal in [code(402, 2014), code(403, 2010), code(400, 1020)] {
        server.on(PUT, [refusal, incident("triggered")]);
        // Each has not heard yet what the account lacks.
        server.client().change(&q1(), &change).await.unwrap();
        let rest = json!({ "incident": { "type": "incident_reference", "escalation_level": 2 } });
        assert_eq!(server.seen().last().unwrap().body, rest);
    }
    // A token that may not write is still found out.
    server.on(PUT, [code(403, 2010), code(403, 2010)]);
    let error = server.client().change(&q1(), &change).await.unwrap_err();
    assert!(matches!(error, PlatformError::Refused { status: 403, .. }), "{error}");
}
