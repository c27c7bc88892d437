//! How many requests are under way at once.

use std::sync::Arc;

use ams::report::pagerduty::PagerDuty;
use ams::report::{Escalation, IncidentPlatform as _};

use super::server::{GET, POST_NOTES, PUT, Server, escalate, incident, q1, text};

#[tokio::test]
async fn requests_at_once_are_bounded() {
    let server = Server::start().await;
    let mut settings = server.settings();
    settings.at_once = 2;
    let client = Arc::new(PagerDuty::new(settings).unwrap());
    server.on(GET, (0..6).map(|_| incident("triggered").held()));
    let calls: Vec<_> = (0..6)
        .map(|_| {
            let client = Arc::clone(&client);
            tokio::spawn(async move { client.incident(&q1()).await })
        })
        .collect();
    for answered in 0..6 {
        server.until_arrived(usize::min(answered + 2, 6)).await;
        assert!(*server.script.under_way.borrow() <= 2);
        server.script.release.add_permits(1);
    }
    for call in calls {
        call.await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn an_escalation_overtakes_notes_that_hold_every_permit() {
    let server = Server::start().await;
    let mut settings = server.settings();
    settings.at_once = 1;
    let client = Arc::new(PagerDuty::new(settings).unwrap());
    server.on(POST_NOTES, [text(201, "").held(), text(201, "")]);
    server.on(PUT, [incident("triggered")]);
    let notes: Vec<_> = (0..2)
        .map(|_| {
            let client = Arc::clone(&client);
            tokio::spawn(async move { client.add_note(&q1(), "hello #m1", "#m1").await })
        })
        .collect();
    server.until_arrived(1).await;
    client.change(&q1(), &escalate(Escalation::Level(2))).await.unwrap();
    assert_eq!(server.routes(), [POST_NOTES, PUT]);
    server.script.release.add_permits(1);
    for note in notes {
        note.await.unwrap().unwrap();
    }
    assert_eq!(server.routes(), [POST_NOTES, PUT, POST_NOTES]);
}
