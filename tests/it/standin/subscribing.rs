use std::time::Duration;

use ams::receive::signature;
use ams::sandbox::pagerduty::{SERVICE, Scope};
use secrecy::SecretString;
use serde_json::{Value, json};

use super::World;
use crate::harness::receiver::Receiver;

const SOON: Duration = Duration::from_secs(20);

fn wish(url: &str, filter: &Value) -> Value {
    json!({ "webhook_subscription": {
        "type": "webhook_subscription",
        "delivery_method": { "type": "http_delivery_method", "url": url },
        "events": ["incident.triggered"],
        "filter": filter,
    }})
}

#[tokio::test]
async fn a_secret_is_told_once_and_signs_what_the_subscription_is_sent() {
    let world = World::start().await;
    let receiver = Receiver::start(&[]).await;
    let account = json!({ "type": "account_reference" });
    let (status, made) =
        world.ask("POST", "/webhook_subscriptions", &wish(&receiver.url, &account)).await;
    assert_eq!(status, 200, "{made}");
    let made = &made["webhook_subscription"];
    let secret = made["delivery_method"]["secret"].as_str().unwrap().to_owned();
    let path = format!("/webhook_subscriptions/{}", made["id"].as_str().unwrap());
    let (_, read) = world.ask("GET", &path, &Value::Null).await;
    assert_eq!(read["webhook_subscription"]["delivery_method"]["secret"], Value::Null);

    let (status, answer) = world.ask("POST", &format!("{path}/ping"), &Value::Null).await;
    assert_eq!((status, answer), (202, Value::Null));
    let got = receiver.first(1).await;
    assert_eq!((got[0].kind(), &got[0].event["resource_type"]), ("pagey.ping", &"pagey".into()));
    let secrets = [SecretString::from(secret)];
    let header = got[0].header("X-PagerDuty-Signature");
    assert!(signature::is_genuine(header, &got[0].raw, &secrets));
    // A ping is the only thing that is sent without being asked for.
    let id = world.incident();
    world.pagerduty.resolve_as(ams::sandbox::pagerduty::ENGINEER, &id).unwrap();
    assert!(world.pagerduty.deliveries_settled(SOON).await);
    let kinds: Vec<String> =
        receiver.first(2).await.iter().map(|it| it.kind().to_owned()).collect();
    assert_eq!(kinds, ["pagey.ping", "incident.triggered"]);
    world.pagerduty.stop().await;
}

#[tokio::test]
async fn a_subscription_gets_the_events_of_its_scope_while_it_is_on() {
    let world = World::start().await;
    let receiver = Receiver::start(&[]).await;
    let elsewhere = [Scope::Service("POTHER".to_owned()), Scope::Team("PTEAM".to_owned())];
    let silent = elsewhere.map(|scope| world.pagerduty.subscribe_to(&receiver.url, scope));
    let off = world.pagerduty.subscribe(&receiver.url);
    world.pagerduty.switch_off(&off);
    let own = Scope::Service(SERVICE.to_owned());
    let told = world.pagerduty.subscribe_to(&receiver.url, own);
    world.incident();
    assert!(world.pagerduty.deliveries_settled(SOON).await);
    for id in [&silent[0], &silent[1], &off] {
        assert_eq!(world.pagerduty.deliveries(id).unwrap().attempts, 0);
    }
    assert_eq!(world.pagerduty.deliveries(&told).unwrap().delivered, 1);
    world.pagerduty.stop().await;
}

#[tokio::test]
async fn ten_subscriptions_of_one_scope_are_the_most() {
    let world = World::start().await;
    let account = json!({ "type": "account_reference" });
    let service = json!({ "type": "service_reference", "id": SERVICE });
    for number in 0..10 {
        let body = wish(&format!("http://127.0.0.1:1/{number}"), &account);
        assert_eq!(world.ask("POST", "/webhook_subscriptions", &body).await.0, 200);
    }
    let one_more = |filter: &Value| wish("http://127.0.0.1:1/more", filter);
    let (status, answer) = world.ask("POST", "/webhook_subscriptions", &one_more(&account)).await;
    assert_eq!((status, &answer["error"]["code"]), (400, &2019.into()), "{answer}");
    assert_eq!(world.ask("POST", "/webhook_subscriptions", &one_more(&service)).await.0, 200);
    world.pagerduty.stop().await;
}
