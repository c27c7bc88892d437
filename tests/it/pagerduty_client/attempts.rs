//! What is tried again, and when it is not.

use std::time::Duration;

use ams::incident::Status;
use ams::limits;
use ams::report::pagerduty::{Pace, PagerDuty, Settings};
use ams::report::{IncidentPlatform as _, PlatformError};
use serde_json::json;

use super::server::{
    GET, POST_NOTES, PUT, Server, TOKEN, code, hang, incident, json, q1, status, text, title,
};

#[tokio::test]
async fn a_rate_limit_is_waited_out_with_and_without_headers() {
    let server = Server::start().await;
    let limited = json!({ "error": { "message": "Rate Limit Exceeded", "code": 2020 } });
    server.on(
        GET,
        [
            json(429, &limited).with("ratelimit-reset", "1").with("ratelimit-remaining", "0"),
            text(429, ""),
            incident("triggered"),
        ],
    );
    let started = tokio::time::Instant::now();
    server.client().incident(&q1()).await.unwrap();
    assert!(started.elapsed() >= Duration::from_secs(1), "{:?}", started.elapsed());
    assert_eq!(server.routes().len(), 3);
}

#[tokio::test]
async fn a_note_that_was_limited_needs_no_look() {
    let server = Server::start().await;
    server.on(POST_NOTES, [text(429, ""), text(201, "{}")]);
    server.client().add_note(&q1(), "hello #m1", "#m1").await.unwrap();
    assert_eq!(server.routes(), [POST_NOTES, POST_NOTES]);
}

#[tokio::test]
async fn passing_failures_are_repeated_until_one_works() {
    let server = Server::start().await;
    let last = incident("acknowledged");
    server.on(PUT, [text(500, "oops"), text(408, ""), text(503, "<html>"), last]);
    let after = server.client().change(&q1(), &status(Status::Acknowledged)).await.unwrap();
    assert_eq!(after.status, Status::Acknowledged);
    assert_eq!(server.routes(), [PUT; 4]);
}

#[tokio::test]
async fn a_silent_server_costs_one_attempt() {
    let server = Server::start().await;
    server.on(GET, [hang(), incident("triggered")]);
    server.hasty_client().incident(&q1()).await.unwrap();
    assert_eq!(server.routes(), [GET; 2]);
}

#[tokio::test]
async fn attempts_end() {
    let server = Server::start().await;
    server.on(PUT, (0..20).map(|_| text(502, "<html><h1>Bad Gateway</h1></html>")));
    let error = server.client().change(&q1(), &title("t")).await.unwrap_err();
    assert!(error.is_passing());
    assert_eq!(server.routes().len(), limits::PAGERDUTY_ATTEMPTS);
    assert_eq!(
        error.to_string(),
        "PagerDuty did not carry out PUT /incidents/{id} after 6 attempts: \
         502 Bad Gateway; it may have taken effect all the same"
    );
}

#[tokio::test]
async fn no_connection_is_a_passing_failure() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let mut settings = Settings::new(url, TOKEN.to_owned().into(), "ams@example.com");
    settings.pace = Pace { attempts: 2, first_wait: Duration::from_millis(1), ..Pace::default() };
    let error = PagerDuty::new(settings).unwrap().change(&q1(), &title("t")).await.unwrap_err();
    let text = error.to_string();
    assert!(error.is_passing() && text.contains("after 2 attempts: no connection"), "{text}");
    assert!(!text.contains("may have taken effect"), "{text}");
}

#[tokio::test]
async fn refusals_and_redirects_are_final() {
    let server = Server::start().await;
    let client = server.client();
    for (reply, status) in [
        (code(400, 2001), 400),
        (code(401, 2006), 401),
        (code(409, 1005), 409),
        (text(302, "").with("location", "/elsewhere"), 302),
    ] {
        server.on(GET, [reply]);
        let error = client.incident(&q1()).await.unwrap_err();
        assert!(
            matches!(&error, PlatformError::Refused { status: s, .. } if *s == status),
            "{error}"
        );
    }
    server.on(GET, [code(404, 2100)]);
    let error = client.incident(&q1()).await.unwrap_err();
    assert_eq!(error.to_string(), "PagerDuty does not know incident Q1 (404)");
    assert_eq!(server.routes(), [GET; 5]);
}

#[tokio::test]
async fn an_answer_too_long_to_read_is_refused() {
    let server = Server::start().await;
    server.on(GET, [text(200, vec![b' '; limits::PAGERDUTY_ANSWER_BYTES + 1])]);
    let error = server.client().incident(&q1()).await.unwrap_err();
    assert!(error.to_string().contains("longer than 4194304 bytes"), "{error}");
    assert_eq!(server.routes(), [GET]);
}

#[tokio::test]
async fn a_change_whose_answer_is_damaged_is_looked_up_instead_of_repeated() {
    let server = Server::start().await;
    server.on(PUT, [text(200, "{\"incident\": {\"id\"")]);
    server.on(GET, [incident("acknowledged")]);
    let after = server.client().change(&q1(), &title("t")).await.unwrap();
    assert_eq!(after.status, Status::Acknowledged);
    assert_eq!(server.routes(), [PUT, GET]);
}
