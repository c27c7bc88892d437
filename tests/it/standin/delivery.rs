//! Webhooks: what is sent, signed how, in which order, and what happens when nobody takes it.

use std::collections::HashSet;
use std::time::Duration;

use ams::sandbox::pagerduty::{BOT, ENGINEER};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::{Value, json};

use super::{SECRET, World};
use crate::harness::receiver::{Delivery, Reaction, Receiver};

const SOON: Duration = Duration::from_secs(20);

fn kinds(got: &[Delivery]) -> Vec<&str> {
    got.iter().map(Delivery::kind).collect()
}

fn bytes(hex: &str) -> Vec<u8> {
    let starts = (0..hex.len()).step_by(2);
    let byte = |start| u8::from_str_radix(&hex[start..start + 2], 16).unwrap();
    starts.map(byte).collect()
}

#[tokio::test]
async fn own_writes_come_back_with_the_bot_as_agent() {
    let world = World::start().await;
    let receiver = Receiver::start(&[]).await;
    world.pagerduty.subscribe(&receiver.url);
    let id = world.incident();
    let wishes = [
        json!({ "title": "no event for this", "urgency": "low" }),
        json!({ "urgency": "high", "status": "acknowledged" }),
        json!({ "priority": "P1" }),
        json!({ "escalation_level": 2 }),
    ];
    for wish in wishes {
        assert_eq!(world.change(&id, wish).await.0, 200);
    }
    let note = json!({ "note": { "content": "done" } });
    world.ask("POST", &format!("/incidents/{id}/notes"), &note).await;
    world.change(&id, json!({ "status": "resolved", "resolution": "cleaned" })).await;

    let expected = [
        "incident.triggered",
        "incident.acknowledged",
        "incident.priority_updated",
        "incident.unacknowledged",
        "incident.escalated",
        "incident.annotated",
        "incident.resolved",
    ];
    let got = receiver.first(expected.len()).await;
    assert_eq!(kinds(&got), expected);
    assert_eq!(got[0].event["agent"]["type"], "inbound_integration_reference");
    assert!(got[1..].iter().all(|one| one.event["agent"]["id"] == BOT));
    assert_eq!(got[5].event["data"]["incident"]["id"], id.as_str());
    assert_eq!(got[6].event["data"]["assignees"], json!([]));
    assert_eq!(got[0].event["data"]["incident_key"], Value::Null);
    assert_eq!(got[0].event["occurred_at"], "2031-04-05T01:02:03.004Z");
    assert!(world.pagerduty.deliveries_settled(SOON).await);
    world.pagerduty.stop().await;
}

#[tokio::test]
async fn every_subscription_gets_the_same_event_signed() {
    let world = World::start().await;
    let receivers = [Receiver::start(&[]).await, Receiver::start(&[]).await];
    let ids = receivers.each_ref().map(|receiver| world.pagerduty.subscribe(&receiver.url));
    world.incident();
    let mut events = HashSet::new();
    let mut webhooks = HashSet::new();
    for (receiver, subscription) in receivers.iter().zip(&ids) {
        let got = receiver.first(1).await;
        let one = &got[0];
        let mut mac = Hmac::<sha2::Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
        mac.update(&one.raw);
        let hex = one.header("X-PagerDuty-Signature").strip_prefix("v1=").unwrap();
        assert_eq!(hex, hex.to_ascii_lowercase());
        mac.verify_slice(&bytes(hex)).unwrap();
        assert_eq!(one.header("X-Webhook-Subscription"), subscription);
        assert_eq!(one.header("User-Agent"), "PagerDuty-Webhook/V3.0");
        webhooks.insert(one.header("X-Webhook-Id").to_owned());
        events.insert(one.event["id"].as_str().unwrap().to_owned());
    }
    assert_eq!((events.len(), webhooks.len()), (1, 2));
    world.pagerduty.stop().await;
}

#[tokio::test]
async fn a_failed_webhook_holds_up_its_own_incident_only() {
    let world = World::with(|settings| settings.answer_within = Duration::from_millis(50)).await;
    let script = [Reaction::Status(503), Reaction::Never, Reaction::Status(429)];
    let receiver = Receiver::start(&script).await;
    let subscription = world.pagerduty.subscribe(&receiver.url);
    let id = world.incident();
    world.pagerduty.acknowledge_as(ENGINEER, &id).unwrap();
    let got = receiver.first(5).await;
    let of = "incident.triggered";
    assert_eq!(kinds(&got), [of, of, of, of, "incident.acknowledged"]);
    let ids: HashSet<&str> = got[..4].iter().map(|one| one.header("X-Webhook-Id")).collect();
    assert_eq!(ids.len(), 1, "an attempt more is not a webhook more");
    assert!(world.pagerduty.deliveries_settled(SOON).await);
    let stats = world.pagerduty.deliveries(&subscription).unwrap();
    assert_eq!((stats.attempts, stats.delivered, stats.dropped), (5, 2, 0));
    world.pagerduty.stop().await;
}

#[tokio::test]
async fn incidents_do_not_wait_for_each_other() {
    let world = World::start().await;
    let receiver = Receiver::start(&[Reaction::Never]).await;
    world.pagerduty.subscribe(&receiver.url);
    let stuck = world.incident();
    receiver.first(1).await;
    let other = world.incident();
    let got = receiver.first(2).await;
    assert_eq!(got[0].event["data"]["id"], stuck.as_str());
    assert_eq!(got[1].event["data"]["id"], other.as_str());
    world.pagerduty.stop().await;
}

#[tokio::test]
async fn three_refusals_in_a_row_disable_a_subscription_for_a_day() {
    let world = World::start().await;
    let refuse = Reaction::Status(404);
    let receiver =
        Receiver::start(&[refuse, refuse, Reaction::Status(200), refuse, refuse, refuse]).await;
    let subscription = world.pagerduty.subscribe(&receiver.url);
    for n in 1..=6 {
        world.incident();
        receiver.first(n).await;
        assert!(world.pagerduty.deliveries_settled(SOON).await);
    }
    assert!(world.pagerduty.look(|state| state.subscriptions()[0].is_disabled()));
    let path = format!("/webhook_subscriptions/{subscription}");
    let (_, answer) = world.ask("GET", &path, &Value::Null).await;
    let disabled = &answer["webhook_subscription"]["delivery_method"]["temporarily_disabled"];
    assert_eq!(disabled, true);
    world.incident();
    let stats = world.pagerduty.deliveries(&subscription).unwrap();
    assert_eq!((stats.attempts, stats.dropped, stats.discarded), (6, 5, 1));

    world.ask("POST", &format!("{path}/enable"), &json!({})).await;
    world.incident();
    assert_eq!(receiver.first(7).await.len(), 7);
    world.pagerduty.stop().await;
}

#[tokio::test]
async fn after_two_days_a_webhook_is_given_up() {
    let world = World::start().await;
    let nobody = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = nobody.local_addr().unwrap();
    drop(nobody);
    let subscription = world.pagerduty.subscribe(&format!("http://{address}/"));
    world.incident();
    let tried =
        |state: &ams::sandbox::pagerduty::State| state.subscriptions()[0].stats.attempts > 1;
    assert!(world.pagerduty.wait_for(SOON, tried).await);
    assert_eq!(world.pagerduty.undelivered(), 1);
    world.clock.advance(jiff::SignedDuration::from_hours(49));
    assert!(world.pagerduty.deliveries_settled(SOON).await);
    assert_eq!(world.pagerduty.deliveries(&subscription).unwrap().dropped, 1);
    world.pagerduty.stop().await;
}
