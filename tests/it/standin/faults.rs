//! The faults a test can plan.

use std::time::Duration;

use ams::sandbox::pagerduty::{Fault, State};
use jiff::SignedDuration;
use serde_json::{Value, json};

use super::World;

#[tokio::test]
async fn an_answer_can_get_lost_after_the_effect() {
    let world = World::start().await;
    let id = world.incident();
    let path = format!("/incidents/{id}/notes");
    let note = json!({ "note": { "content": "once" } });
    world.pagerduty.fail_next(1, Fault::DropAnswerAfterEffect);
    let lost = world.request("POST", &path, &note).send().await;
    assert!(lost.is_err(), "{lost:?}");
    assert_eq!(world.pagerduty.incident(&id).unwrap().notes.len(), 1);
    assert_eq!(world.ask("POST", &path, &note).await.0, 200);
    world.pagerduty.stop().await;
}

#[tokio::test]
async fn faults_hit_the_requests_they_are_meant_for() {
    let world = World::start().await;
    let id = world.incident();
    let path = format!("/incidents/{id}");
    let fault = Fault::Status(502);
    world.pagerduty.fail_next_of(2, fault, "PUT", "/incidents/{id}");
    assert_eq!(world.ask("GET", &path, &Value::Null).await.0, 200);
    for status in [502, 502, 200] {
        let (got, _) = world.change(&id, json!({ "title": "third time lucky" })).await;
        assert_eq!(got, status);
    }
    world.pagerduty.fail_next(usize::MAX, Fault::Status(500));
    assert_eq!(world.ask("GET", &path, &Value::Null).await.0, 500);
    world.pagerduty.heal();
    assert_eq!(world.ask("GET", &path, &Value::Null).await.0, 200);
    world.pagerduty.stop().await;
}

#[tokio::test]
async fn a_hanging_request_has_no_effect_once_its_client_is_gone() {
    let world = World::start().await;
    let id = world.incident();
    let hang = Duration::from_millis(100);
    world.pagerduty.fail_next(1, Fault::Hang(hang));
    let body = json!({ "incident": { "type": "incident", "title": "late" } });
    let request = world.request("PUT", &format!("/incidents/{id}"), &body);
    let gone = request.timeout(hang / 5).send().await;
    assert!(gone.unwrap_err().is_timeout());
    let late = |state: &State| state.incident(&id).is_some_and(|one| one.title == "late");
    assert!(!world.pagerduty.wait_for(hang * 3, late).await);
    world.pagerduty.stop().await;
}

#[tokio::test]
async fn stopping_ends_what_hangs_without_effect() {
    let world = World::start().await;
    let id = world.incident();
    world.pagerduty.fail_next(1, Fault::Hang(Duration::from_hours(1)));
    let hanging = world.change(&id, json!({ "title": "late" }));
    let stopping = async {
        let came = |state: &State| state.requests().count("PUT", "/incidents/{id}") == 1;
        assert!(world.pagerduty.wait_for(Duration::from_secs(20), came).await);
        world.pagerduty.clone().stop().await;
    };
    let ((status, _), ()) = tokio::join!(hanging, stopping);
    assert_eq!(status, 503);
    assert_ne!(world.pagerduty.incident(&id).unwrap().title, "late");
}

#[tokio::test]
async fn the_rate_limit_counts_by_the_minute() {
    let world = World::with(|settings| settings.requests_per_minute = Some(2)).await;
    let ask = async || world.request("GET", "/priorities", &Value::Null).send().await.unwrap();
    assert_eq!(ask().await.status(), 200);
    assert_eq!(ask().await.status(), 200);
    let limited = ask().await;
    assert_eq!(limited.status(), 429);
    assert!(limited.headers().contains_key("ratelimit-reset"));
    world.clock.advance(SignedDuration::from_mins(1));
    assert_eq!(ask().await.status(), 200);

    world.pagerduty.fail_next(1, Fault::RateLimit { headers: false });
    let bare = ask().await;
    assert_eq!(bare.status(), 429);
    assert!(!bare.headers().contains_key("ratelimit-reset"));
    assert_eq!(bare.text().await.unwrap(), "");
    world.pagerduty.stop().await;
}
