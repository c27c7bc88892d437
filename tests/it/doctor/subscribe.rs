use std::os::unix::fs::PermissionsExt as _;

use ams::incident::Outcome;
use ams::sandbox::pagerduty::{Fault, State};

use super::{ams, config, deployment, doctor, regions};
use crate::harness::world::World;

const SUBSCRIBE: [&str; 2] = ["pagerduty", "subscribe"];

/// Both regions take the secrets of files that are not there yet.
async fn unsubscribed() -> World {
    let world = deployment()
        .secret("cluster/first", "placeholder")
        .settings("webhook: {secrets: ['file:first', 'file:tokyo-secret', 'file:osaka-secret']}\n")
        .secret("cluster/tokyo-secret", "none-yet")
        .secret("cluster/osaka-secret", "none-yet")
        .start()
        .await;
    let ids: Vec<String> = world
        .pagerduty()
        .look(|state: &State| state.subscriptions().iter().map(|it| it.id.clone()).collect());
    for id in &ids {
        world.pagerduty().unsubscribe(id);
    }
    for name in ["tokyo", "osaka"] {
        std::fs::remove_file(world.path(&format!("cluster/{name}-secret"))).unwrap();
    }
    world
}

/// The regions with a file each for the secret.
fn lines(world: &World) -> String {
    let lines = regions(world);
    ["tokyo", "osaka"].iter().fold(lines, |lines, name| {
        lines.replace(&format!("{name}, "), &format!("{name}, secret: 'file:{name}-secret', "))
    })
}

#[tokio::test]
async fn an_account_is_set_up_and_the_first_incident_arrives_in_both_regions() {
    let mut world = unsubscribed().await;
    let path = config(&world, &lines(&world));
    let would = ams(&path, &["pagerduty", "subscribe", "--dry-run"]).await;
    assert_eq!(would.code, Some(0), "{}", would.text);
    assert!(world.pagerduty().look(|state| state.subscriptions().is_empty()));

    let made = ams(&path, &SUBSCRIBE).await;
    assert_eq!(made.code, Some(0), "{}", made.text);
    for name in ["tokyo", "osaka"] {
        let file = world.path(&format!("cluster/{name}-secret"));
        let secret = std::fs::read_to_string(&file).unwrap();
        assert!(secret.starts_with("sandbox-webhook-secret-"), "each has its own: {secret}");
        assert!(!made.text.contains(secret.trim()), "{}", made.text);
        assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let again = ams(&path, &SUBSCRIBE).await;
    assert_eq!(again.code, Some(0), "{}", again.text);
    assert_eq!(world.pagerduty().look(|state| state.subscriptions().len()), 2);

    // The regions begin to look for the secrets when they start.
    for region in 0..2 {
        world.kill(region).await;
        world.restart(region).await;
    }
    let pinged = ams(&path, &["pagerduty", "subscribe", "--ping"]).await;
    assert_eq!(pinged.code, Some(0), "{}", pinged.text);
    assert!(world.pagerduty().deliveries_settled(super::super::harness::world::PATIENCE).await);
    let incident = world.fire("disk full");
    world.expect(&incident, Outcome::HandedOff).await;
    assert!(world.pagerduty().deliveries_settled(super::super::harness::world::PATIENCE).await);
    world.pagerduty().look(|state| {
        for one in state.subscriptions() {
            assert!(one.stats.delivered >= 2 && one.stats.dropped == 0, "{:?}", one.stats);
        }
    });
    let told = ams(&path, &["doctor", "--format", "json"]).await;
    assert_eq!((told.code, told.wrong()), (Some(0), vec![]), "{}", told.text);
    world.end().await;
}

#[tokio::test]
async fn a_secret_is_never_written_over_and_is_printed_where_it_has_no_place() {
    let world = unsubscribed().await;
    world.write("cluster/tokyo-secret", "of another subscription");
    let path = config(&world, &lines(&world).replace("secret: 'file:osaka-secret', ", ""));
    let told = ams(&path, &SUBSCRIBE).await;
    assert_eq!(told.code, Some(1), "{}", told.text);
    assert_eq!(world.read("cluster/tokyo-secret"), "of another subscription");
    assert!(told.text.contains("holds a secret already"), "{}", told.text);
    let urls = |state: &State| state.subscriptions().iter().map(|it| it.url.clone()).collect();
    let urls: Vec<String> = world.pagerduty().look(urls);
    assert_eq!(urls, [world.cluster.regions[1].webhook_url()], "only what has a place is made");
    assert!(told.text.contains("sandbox-webhook-secret-"), "{}", told.text);
    world.end().await;
}

#[tokio::test]
async fn missing_events_are_added_and_others_kept() {
    let world = deployment().start().await;
    let id = world.pagerduty().look(|state| state.subscriptions()[0].id.clone());
    world
        .pagerduty()
        .set_events(&id, &["incident.triggered", "incident.custom_field_values.updated"]);
    let path = config(&world, &regions(&world));
    let told = ams(&path, &SUBSCRIBE).await;
    assert_eq!(told.code, Some(0), "{}", told.text);
    let events = world.pagerduty().look(|state| state.subscriptions()[0].events.clone());
    assert_eq!(events.len(), 9, "{events:?}");
    assert_eq!(events[1], "incident.custom_field_values.updated");
    let told = doctor(&world, "").await;
    assert_eq!(told.code, Some(0), "{}", told.text);
    world.end().await;
}

#[tokio::test]
async fn an_answer_that_is_lost_makes_no_second_subscription() {
    let world = unsubscribed().await;
    let path = config(&world, &lines(&world));
    let lost = Fault::DropAnswerAfterEffect;
    world.pagerduty().fail_next_of(1, lost, "POST", "/webhook_subscriptions");
    let told = ams(&path, &["pagerduty", "subscribe", "--region", "tokyo"]).await;
    assert_eq!(told.code, Some(1), "{}", told.text);
    assert!(told.text.contains("ams pagerduty subscriptions"), "{}", told.text);
    assert_eq!(world.pagerduty().look(|state| state.subscriptions().len()), 1);
    assert!(!world.path("cluster/tokyo-secret").exists(), "no empty file is left");
    // The next call finds it, and that nobody has its secret.
    let told = ams(&path, &["pagerduty", "subscribe", "--region", "tokyo"]).await;
    assert_eq!(told.code, Some(1), "{}", told.text);
    assert_eq!(world.pagerduty().look(|state| state.subscriptions().len()), 1);
    world.end().await;
}

#[tokio::test]
async fn the_limit_of_subscriptions_is_told_with_what_to_do() {
    let world = unsubscribed().await;
    for number in 0..10 {
        world.pagerduty().subscribe(&format!("https://other.example.com/{number}"));
    }
    let told = ams(&config(&world, &lines(&world)), &SUBSCRIBE).await;
    assert_eq!(told.code, Some(1), "{}", told.text);
    assert!(told.text.contains("2019") && told.text.contains("10 件"), "{}", told.text);
    let ids = world.pagerduty().look(|state: &State| {
        state.subscriptions().iter().map(|it| it.id.clone()).collect::<Vec<_>>()
    });
    for id in &ids {
        world.pagerduty().unsubscribe(id);
    }
    world.end().await;
}

#[tokio::test]
async fn subscriptions_are_listed_with_their_regions() {
    let world = deployment().start().await;
    world.pagerduty().subscribe("https://other.example.com/hook");
    let path = config(&world, &regions(&world));
    let list = ams(&path, &["pagerduty", "subscriptions", "--format", "json"]).await;
    assert_eq!(list.code, Some(0), "{}", list.text);
    let list = list.json();
    let regions: Vec<&serde_json::Value> =
        list.as_array().unwrap().iter().map(|it| &it["region"]).collect();
    assert_eq!(
        regions,
        ["tokyo".into(), "osaka".into(), serde_json::Value::Null].iter().collect::<Vec<_>>()
    );
    let text = ams(&path, &["pagerduty", "subscriptions"]).await;
    assert!(text.text.contains("osaka  有効  account  http://127.0.0.1"), "{}", text.text);
    let id = world.pagerduty().look(|state| state.subscriptions()[2].id.clone());
    world.pagerduty().unsubscribe(&id);
    world.end().await;
}
