//! What is sent: headers, bodies, paths.

use ams::incident::{Status, Urgency};
use ams::report::pagerduty::{Credential, PagerDuty};
use ams::report::{Escalation, IncidentChange, IncidentPlatform as _, PlatformError};
use serde_json::json;

use super::server::{GET, PUT, Server, TOKEN, escalate, incident, q1, status, title};

#[tokio::test]
async fn every_request_says_who_asks_and_in_which_version() {
    let server = Server::start().await;
    server.on(GET, [incident("triggered"), incident("triggered")]);
    server.on(PUT, [incident("triggered")]);
    let client = server.client();
    client.incident(&q1()).await.unwrap();
    client.change(&q1(), &title("new")).await.unwrap();
    let mut oauth = server.settings();
    oauth.credential = Credential::OAuth;
    PagerDuty::new(oauth).unwrap().incident(&q1()).await.unwrap();

    let seen = server.seen();
    let header = |n: usize, name| seen[n].headers.get(name).map(|value| value.to_str().unwrap());
    for n in 0..3 {
        assert_eq!(header(n, "accept"), Some("application/vnd.pagerduty+json;version=2"));
        assert_eq!(header(n, "from"), Some("ams@example.com"));
        assert!(header(n, "user-agent").unwrap().starts_with("ams/"));
    }
    let key = format!("Token token={TOKEN}");
    let bearer = format!("Bearer {TOKEN}");
    assert_eq!(header(0, "authorization"), Some(key.as_str()));
    assert_eq!(header(2, "authorization"), Some(bearer.as_str()));
    assert_eq!(header(0, "content-type"), None);
    assert_eq!(header(1, "content-type"), Some("application/json"));
}

#[tokio::test]
async fn each_change_sends_its_own_fields_and_no_others() {
    let resolve =
        IncidentChange { resolution: Some("restarted".to_owned()), ..status(Status::Resolved) };
    let calm = IncidentChange {
        urgency: Some(Urgency::Low),
        priority: Some("P1".to_owned()),
        ..IncidentChange::default()
    };
    let cases = [
        (title("[AMS] disk"), json!({ "title": "[AMS] disk" })),
        (status(Status::Acknowledged), json!({ "status": "acknowledged" })),
        (resolve, json!({ "status": "resolved", "resolution": "restarted" })),
        (calm, json!({ "urgency": "low", "priority": "P1" })),
        (escalate(Escalation::Level(2)), json!({ "escalation_level": 2 })),
        (
            escalate(Escalation::Policy("E2".to_owned())),
            json!({ "escalation_policy": { "id": "E2", "type": "escalation_policy_reference" } }),
        ),
        (
            escalate(Escalation::Users(vec!["U2".to_owned()])),
            json!({ "assignments": [{ "assignee": { "id": "U2", "type": "user_reference" } }] }),
        ),
    ];
    let server = Server::start().await;
    let client = server.client();
    for (change, fields) in cases {
        server.on(PUT, [incident("triggered")]);
        client.change(&q1(), &change).await.unwrap();
        let mut wanted = json!({ "incident": fields });
        wanted["incident"]["type"] = json!("incident_reference");
        assert_eq!(server.seen().last().unwrap().body, wanted);
    }
}

#[tokio::test]
async fn a_change_of_nothing_is_a_look() {
    let server = Server::start().await;
    server.on(GET, [incident("acknowledged")]);
    let after = server.client().change(&q1(), &IncidentChange::default()).await.unwrap();
    assert_eq!(after.status, Status::Acknowledged);
    assert_eq!(server.routes(), [GET]);
}

#[tokio::test]
async fn a_base_url_may_have_a_path_and_a_trailing_slash() {
    let server = Server::start().await;
    for (tail, route) in
        [("/", GET), ("/pd", "GET /pd/incidents/Q1"), ("/pd/", "GET /pd/incidents/Q1")]
    {
        server.on(route, [incident("triggered")]);
        let mut settings = server.settings();
        settings.base_url.push_str(tail);
        PagerDuty::new(settings).unwrap().incident(&q1()).await.unwrap();
        assert_eq!(server.routes().last().unwrap(), route);
    }
}

#[tokio::test]
async fn ids_that_are_none_never_become_a_path() {
    let server = Server::start().await;
    let client = server.client();
    let long = "E".repeat(41);
    for id in ["", ".", "..", "../users", "E1/../../users", "E1?x=1", "E1%2f", "E 1", "Ｅ１", &long]
    {
        let error = client.escalation_policy(id).await.unwrap_err();
        assert!(matches!(error, PlatformError::NotFound { .. }), "{id}: {error}");
    }
    assert_eq!(server.routes(), Vec::<String>::new());
}

#[tokio::test]
async fn settings_that_cannot_work_are_refused_at_once() {
    let server = Server::start().await;
    let mut no_url = server.settings();
    no_url.base_url = "api.pagerduty.com".to_owned();
    let mut no_token = server.settings();
    no_token.token = format!("{TOKEN}\r\nx: y").into();
    for settings in [no_url, no_token] {
        let error = PagerDuty::new(settings).unwrap_err();
        assert!(!format!("{error} {error:?}").contains(TOKEN));
    }
}
