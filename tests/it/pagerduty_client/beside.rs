//! What is told beside title, status and notes: once, and not where the account has none of it.

use ams::report::{IncidentChange, IncidentPlatform as _, PlatformError};
use serde_json::json;

use super::server::{PUT, Server, code, hang, incident, json as answer, q1, text};

const UPDATE: &str = "POST /incidents/Q1/status_updates";
const FIELDS: &str = "PUT /incidents/Q1/custom_fields/values";
const NOTE: &str = "PUT /incidents/Q1/notes/PNOTE1";

fn lacks(result: &Result<(), PlatformError>) -> bool {
    matches!(result, Err(PlatformError::NotInPlan { .. }))
}

#[tokio::test]
async fn what_the_plan_lacks_is_asked_for_once() {
    for status in [402, 403, 404] {
        let server = Server::start().await;
        let client = server.client();
        server.on(UPDATE, [code(status, 2014)]).on(FIELDS, [code(status, 2014)]);
        let values = [("outcome".to_owned(), json!("resolved"))];
        for _ in 0..3 {
            assert!(lacks(&client.tell_stakeholders(&q1(), "it is well").await), "{status}");
            assert!(lacks(&client.set_fields(&q1(), &values).await), "{status}");
        }
        assert_eq!(server.routes(), [UPDATE, FIELDS], "{status}");
    }
}

#[tokio::test]
async fn a_priority_that_the_plan_lacks_is_left_out_from_then_on() {
    let server = Server::start().await;
    let client = server.client();
    server.on(PUT, [code(402, 2014), incident("triggered"), incident("triggered")]);
    for title in ["first", "second"] {
        let (title, priority) = (Some(title.to_owned()), Some("P1".to_owned()));
        let change = IncidentChange { title, priority, ..IncidentChange::default() };
        client.change(&q1(), &change).await.unwrap();
    }
    let seen = server.seen();
    let priorities: Vec<bool> =
        seen.iter().map(|seen| seen.body["incident"].get("priority").is_some()).collect();
    assert_eq!(priorities, [true, false, false], "two writes, and then one");
}

#[tokio::test]
async fn a_status_update_in_doubt_is_not_repeated() {
    for lost in [hang(), text(500, ""), text(408, "")] {
        let server = Server::start().await;
        server.on(UPDATE, [lost, answer(200, &json!({}))]);
        let error = server.hasty_client().tell_stakeholders(&q1(), "x").await.unwrap_err();
        assert!(error.to_string().contains("it may have taken effect"), "{error}");
        assert_eq!(server.routes(), [UPDATE]);
    }
    let server = Server::start().await;
    server.on(UPDATE, [code(429, 2020), text(429, ""), answer(200, &json!({}))]);
    server.client().tell_stakeholders(&q1(), "それは復旧しました").await.unwrap();
    assert_eq!(server.routes(), [UPDATE; 3], "what was turned away was not sent");
    assert_eq!(server.seen()[2].body, json!({ "message": "それは復旧しました" }));
}

#[tokio::test]
async fn a_bad_value_is_told_and_does_not_switch_fields_off() {
    let server = Server::start().await;
    let client = server.client();
    server.on(FIELDS, [code(400, 2001), text(500, ""), answer(201, &json!({}))]);
    let values = [("seconds".to_owned(), json!(12)), ("outcome".to_owned(), json!("resolved"))];
    let refused = client.set_fields(&q1(), &values).await.unwrap_err();
    assert!(matches!(refused, PlatformError::Refused { status: 400, .. }), "{refused}");
    client.set_fields(&q1(), &values).await.unwrap();
    let body = json!({ "custom_fields": [
        { "name": "seconds", "value": 12 }, { "name": "outcome", "value": "resolved" },
    ] });
    assert_eq!(server.seen()[2].body, body);
}

#[tokio::test]
async fn an_edit_is_repeated_until_it_is_answered() {
    let server = Server::start().await;
    let client = server.client();
    server.on(NOTE, [text(500, ""), text(502, ""), text(200, "not even JSON"), code(404, 2100)]);
    client.edit_note(&q1(), "PNOTE1", "new").await.unwrap();
    assert_eq!(server.routes(), [NOTE; 3]);
    assert_eq!(server.seen()[0].body, json!({ "note": { "content": "new" } }));
    let gone = client.edit_note(&q1(), "PNOTE1", "new").await.unwrap_err();
    assert!(matches!(gone, PlatformError::NotFound { .. }), "{gone}");
    let strange = client.edit_note(&q1(), "../../users", "new").await.unwrap_err();
    assert!(matches!(strange, PlatformError::NotFound { .. }), "{strange}");
    assert_eq!(server.routes().len(), 4, "an id that is none is not sent");
}
