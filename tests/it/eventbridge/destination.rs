use ams::incident::Urgency;
use ams::limits;
use ams::receive::Event;
use ams::receive::http::Taken;
use reqwest::StatusCode;

use super::triggered;
use crate::receiver::{Answer, Door, KEY};

#[tokio::test]
async fn an_event_comes_in_with_the_key_and_is_answered_like_a_webhook() {
    let claimed = Taken::Claimed { run: "P8E12U3/1".to_owned() };
    let later = Taken::TryAgain { why: "the claim store is away".to_owned() };
    let door = Door::answering([Answer::Say(claimed), Answer::Say(later)]).await;
    let body = triggered("P8E12U3", "web is down");
    let answer = door.event(body.clone(), Some(KEY)).await;
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    assert_eq!(answer.text().await.unwrap(), r#"{"run":"P8E12U3/1","status":"claimed"}"#);
    let Event::Opened { incident, .. } = door.taken().remove(0).event else { panic!() };
    assert_eq!((incident.id.as_str(), incident.urgency), ("P8E12U3", Urgency::Low));
    // EventBridge tries again for what is not its fault.
    assert_eq!(door.event(body, Some(KEY)).await.status(), StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(door.event("{", Some(KEY)).await.status(), StatusCode::ACCEPTED);
    let large = " ".repeat(limits::WEBHOOK_BODY_BYTES + 1);
    assert_eq!(door.event(large, Some(KEY)).await.status(), StatusCode::PAYLOAD_TOO_LARGE);
    for (result, count) in [("claimed", 1), ("unavailable", 1), ("malformed", 1), ("too_large", 1)]
    {
        assert_eq!(door.counted_event("api_destination", result).await, count, "{result}");
        assert_eq!(door.counted(result).await, 0, "no webhook: {result}");
    }
}

#[tokio::test]
async fn only_who_knows_the_key_gets_in() {
    let door = Door::open().await;
    let body = triggered("P8E12U3", "web is down");
    for key in [None, Some(""), Some("a key of an API destinatio"), Some("another key, as long!")] {
        let answer = door.event(body.clone(), key).await;
        assert_eq!(answer.status(), StatusCode::UNAUTHORIZED, "{key:?}");
    }
    assert_eq!(door.counted_event("api_destination", "bad_signature").await, 4);
    // A webhook's signature opens this door as little as the key opens the other one.
    let (status, _) = door.deliver_signed(body.clone()).await;
    assert_eq!(status, StatusCode::ACCEPTED, "signed, and no webhook");
    assert_eq!(door.counted("malformed").await, 1);
    assert_eq!(door.taken(), []);
}

#[tokio::test]
async fn without_a_key_there_is_no_such_door() {
    let door = Door::without_keys().await;
    let answer = door.event(triggered("P8E12U3", "web is down"), Some("")).await;
    assert_eq!(answer.status(), StatusCode::NOT_FOUND);
}
