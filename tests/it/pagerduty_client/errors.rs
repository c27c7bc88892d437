//! What people are told when PagerDuty says no, and what they are never shown.

use ams::report::{IncidentPlatform as _, PlatformError};
use serde_json::{Value, json};

use super::server::{GET, Server, TOKEN, q1, text};

#[tokio::test]
async fn error_bodies_of_every_shape_give_a_message() {
    let error = |inner: Value| json!({ "error": inner }).to_string();
    let cases = [
        (
            error(json!({ "message": "No", "code": 2001, "errors": ["a", "b"] })),
            Some(2001),
            "No; a; b",
        ),
        (error(json!({ "message": "No", "code": "2001", "errors": "a" })), Some(2001), "No; a"),
        (
            error(json!({ "message": "No", "errors": { "title": ["is long"] } })),
            None,
            "No; title: is long",
        ),
        (error(json!(["a", "b"])), None, "a; b"),
        (error(json!("a")), None, "a"),
        (json!({ "message": "No", "code": 5001 }).to_string(), Some(5001), "No"),
        (
            json!({ "errors": [{ "title": "T", "detail": "D", "code": "x" }] }).to_string(),
            None,
            "D; T",
        ),
        (error(json!(null)), None, "without an explanation"),
        ("[]".to_owned(), None, "without an explanation"),
        (String::new(), None, "without an explanation"),
        ("plain\r\n  text".to_owned(), None, "plain text"),
        ("<html><b>Bad</b> thing</html>".to_owned(), None, "Bad thing"),
        ("{\"error\": {\"mess".to_owned(), None, "{\"error\": {\"mess"),
    ];
    let server = Server::start().await;
    let client = server.client();
    for (body, wanted_code, wanted) in cases {
        server.on(GET, [text(400, body.clone())]);
        match client.incident(&q1()).await.unwrap_err() {
            PlatformError::Refused { code, message, .. } => {
                assert_eq!((code, message.as_str()), (wanted_code, wanted), "{body}");
            }
            other => panic!("{body}: {other}"),
        }
    }
    server.on(GET, [text(400, vec![0xff, 0xfe, b'x'])]);
    assert!(client.incident(&q1()).await.is_err());
}

#[tokio::test]
async fn the_token_is_shown_nowhere() {
    let server = Server::start().await;
    let client = server.client();
    let shown = format!("{client:?}");
    assert!(shown.contains(&server.url) && !shown.contains(TOKEN), "{shown}");
    // Not even when the other side repeats it.
    server.on(GET, [text(401, format!("bad key {TOKEN}"))]);
    let error = client.incident(&q1()).await.unwrap_err();
    assert!(!format!("{error} {error:?}").contains(TOKEN), "{error:?}");
    assert!(error.to_string().contains("bad key [token]"), "{error}");
}
