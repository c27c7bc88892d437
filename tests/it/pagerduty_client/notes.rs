//! Notes arrive once, whatever happens to the answers.

use ams::report::IncidentPlatform as _;
use ams::report::pagerduty::PagerDuty;
use serde_json::{Value, json};

use super::server::{GET_NOTES, POST_NOTES, Reply, Server, code, hang, json, q1, text};

fn notes(contents: &[&str]) -> Reply {
    let notes: Vec<Value> =
        contents.iter().map(|text| json!({ "id": "N", "content": text })).collect();
    json(200, &json!({ "notes": notes }))
}

#[tokio::test]
async fn a_note_whose_answer_was_lost_is_found_and_not_repeated() {
    let server = Server::start().await;
    let client = server.hasty_client();
    server.on(GET_NOTES, [notes(&["someone's", "hello #m1"]), notes(&["hello #m1"])]);
    server.on(POST_NOTES, [hang(), text(500, "")]);
    for _ in 0..2 {
        client.add_note(&q1(), "hello #m1", "#m1").await.unwrap();
    }
    assert_eq!(server.routes(), [POST_NOTES, GET_NOTES, POST_NOTES, GET_NOTES]);
    assert_eq!(server.seen()[0].body, json!({ "note": { "content": "hello #m1" } }));
}

#[tokio::test]
async fn a_note_that_was_lost_itself_is_posted_again_after_a_look() {
    let server = Server::start().await;
    server.on(POST_NOTES, [text(502, ""), text(201, "not even JSON")]);
    server.on(GET_NOTES, [text(503, ""), notes(&["someone's #m0"])]);
    server.client().add_note(&q1(), "hello #m1", "#m1").await.unwrap();
    assert_eq!(server.routes(), [POST_NOTES, GET_NOTES, GET_NOTES, POST_NOTES]);
}

#[tokio::test]
async fn a_note_is_never_repeated_blindly() {
    let server = Server::start().await;
    server.on(POST_NOTES, (0..9).map(|_| text(500, "")));
    server.on(GET_NOTES, [json(200, &json!({}))]);
    server.on(GET_NOTES, (0..9).map(|_| code(403, 2010)));
    let error = server.client().add_note(&q1(), "hello #m1", "#m1").await.unwrap_err();
    let text = error.to_string();
    assert!(error.is_passing() && text.contains("the notes cannot be read: 403 No; Why"), "{text}");
    assert_eq!(server.routes().iter().filter(|route| *route == POST_NOTES).count(), 1);
}

#[tokio::test]
async fn the_last_lost_answer_is_looked_after_too() {
    let server = Server::start().await;
    let mut settings = server.settings();
    settings.pace.attempts = 1;
    server.on(POST_NOTES, [text(500, "")]).on(GET_NOTES, [notes(&["hello #m1"])]);
    PagerDuty::new(settings).unwrap().add_note(&q1(), "hello #m1", "#m1").await.unwrap();
}

#[tokio::test]
async fn an_empty_marker_does_not_match_other_notes() {
    let server = Server::start().await;
    server.on(POST_NOTES, [text(500, ""), text(201, "")]).on(GET_NOTES, [notes(&["someone's"])]);
    server.client().add_note(&q1(), "hello", "").await.unwrap();
    assert_eq!(server.routes(), [POST_NOTES, GET_NOTES, POST_NOTES]);
}
