use std::path::Path;
use std::sync::Arc;

use ams::sandbox::pagerduty::{Settings, StandIn};

use super::{SCENARIO, ams, ams_with, config, deployment, doctor, doctor_with, regions};
use crate::harness::engine::{self, Engine, KEYS, REGION};
use crate::harness::receiver::{Reaction, Receiver};

#[tokio::test]
async fn a_region_without_life_and_one_that_is_not_reached_are_told() {
    let mut world = deployment().start().await;
    world.kill(1).await;
    let told = doctor(&world, "").await;
    assert_eq!(told.wrong(), ["region-silent", "receiver-silent"], "{}", told.text);
    assert_eq!(told.one("region-silent")["about"]["region"], "osaka");
    let told = doctor_with(&world, "", &["--no-receivers"]).await;
    assert_eq!(told.wrong(), ["region-silent"], "{}", told.text);
    world.end().await;
}

#[tokio::test]
async fn settings_without_regions_or_without_this_one_are_told() {
    let world = deployment().start().await;
    let told = ams(&config(&world, ""), &["doctor", "--format", "json"]).await;
    assert_eq!((told.code, told.wrong()), (Some(1), vec!["no-regions".to_owned()]));
    let others = "regions: [{name: nagoya, url: 'http://ams.example.com'}]\n";
    let path = config(&world, others);
    let told = ams(&path, &["doctor", "--no-receivers", "--format", "json"]).await;
    assert_eq!(told.wrong(), ["region-silent", "subscription-missing"], "{}", told.text);
    let not_fine = told.not_fine();
    assert_eq!(not_fine[..2], ["own-region-unlisted", "plain-address"], "{}", told.text);
    world.end().await;
}

#[tokio::test]
async fn a_region_that_has_another_secret_is_told_before_pagerduty_finds_out() {
    let world = deployment().start().await;
    let path = config(&world, &regions(&world));
    let secret = [("AMS_WEBHOOK_SECRET", "not-the-one")];
    let told = ams_with(&path, &["doctor", "--format", "json"], &secret).await;
    // For the region of these settings it is certain; the other one may have a secret of its own.
    assert_eq!(told.wrong(), ["receiver-refuses"], "{}", told.text);
    assert_eq!(told.one("receiver-refuses")["about"]["region"], "tokyo");
    let mine = told.not_fine().into_iter().filter(|it| it == "receiver-refuses").count();
    assert_eq!(mine, 2, "{}", told.text);

    world.write("cluster/osaka-secret", "something-else\n");
    let lines = regions(&world).replace("osaka, url", "osaka, secret: 'file:osaka-secret', url");
    let told = ams(&config(&world, &lines), &["doctor", "--format", "json"]).await;
    assert_eq!(told.wrong(), ["receiver-refuses"], "{}", told.text);
    assert_eq!(told.one("receiver-refuses")["about"]["region"], "osaka");
    assert!(!told.text.contains("something-else"), "{}", told.text);
    world.write("cluster/osaka-secret", &Settings::default().webhook_secret);
    let told = ams(&config(&world, &lines), &["doctor", "--format", "json"]).await;
    assert_eq!(told.code, Some(0), "{}", told.text);

    let lines = lines.replace("tokyo, url", "tokyo, secret: 'file:tokyo-secret', url");
    let told = ams(&config(&world, &lines), &["doctor", "--format", "json"]).await;
    assert!(told.not_fine().contains(&"secret-unread".to_owned()), "{}", told.text);
    world.write("cluster/tokyo-secret", "rotated");
    let told = ams(&config(&world, &lines), &["doctor", "--format", "json"]).await;
    assert_eq!(told.wrong(), ["secret-unused", "receiver-refuses"], "{}", told.text);
    world.end().await;
}

#[tokio::test]
async fn what_stands_before_a_receiver_and_refuses_is_not_its_secret() {
    let world = deployment().start().await;
    for (reaction, wrong) in [(403, "receiver-refuses"), (503, "receiver-unready")] {
        // It takes webhooks under another path; what is asked for there is refused as well.
        let receiver = Receiver::at(ams::limits::WEBHOOK_PATH, &[Reaction::Status(reaction)]).await;
        let base = receiver.url.replace(ams::limits::WEBHOOK_PATH, "");
        let line = format!("regions: [{{name: tokyo, url: '{base}'}}]\n");
        world.pagerduty().subscribe(&receiver.url);
        let told = ams(&config(&world, &line), &["doctor", "--format", "json"]).await;
        assert_eq!(told.wrong(), [wrong], "{}", told.text);
        assert_eq!(told.one(wrong)["about"]["status"], reaction);
    }
    world.end().await;
}

#[tokio::test]
async fn scenarios_and_customers_with_mistakes_are_told() {
    let world = deployment().customer("customer: shop\nname: Shop\nservices: [PSVC001]\n");
    let world = world.start().await;
    world.write_scenario("broken.yaml", "scenario: broken\n");
    world.write_customer("1.yaml", "id: shop\n");
    let told = doctor(&world, "").await;
    assert_eq!(told.wrong(), ["scenarios-refused", "customers-refused"], "{}", told.text);
    let change = told.one("scenarios-refused")["change"].to_string();
    assert!(change.contains("ams validate "), "{change}");
    world.end().await;
}

#[tokio::test]
async fn settings_that_cannot_be_read_are_no_look_at_all() {
    let world = deployment().start().await;
    let lines = "regions: [{name: tokyo, url: 'ams.example.com', secret: plain}]\nregion_s: 1\n";
    let told = ams(&config(&world, lines), &["doctor"]).await;
    assert_eq!(told.code, Some(2));
    for part in ["is 'ams.example.com', which is no address", "'region_s'"] {
        assert!(told.text.contains(part), "{}", told.text);
    }
    assert!(!told.text.contains("plain'"), "{}", told.text);
    world.end().await;
}

#[tokio::test]
async fn one_machines_store_is_not_called_safe_for_two() {
    let world = deployment().start().await;
    let lines = regions(&world).replacen("127.0.0.1", "localhost", 1);
    let told = ams(&config(&world, &lines), &["doctor", "--format", "json"]).await;
    assert!(told.wrong().contains(&"store-of-one-machine".to_owned()), "{}", told.text);
    let elsewhere = [("AMS_STORE_SQLITE", "nowhere/claims.db")];
    let path = config(&world, &regions(&world));
    let told = ams_with(&path, &["doctor", "--format", "json"], &elsewhere).await;
    assert_eq!(told.not_fine()[0], "store-unborn", "{}", told.text);
    assert!(!world.path("cluster/nowhere").exists(), "looking makes nothing");
    world.end().await;
}

/// An ordinary table excludes nobody in another region, whatever the settings say of it.
#[tokio::test]
async fn a_table_that_is_not_strong_over_regions_is_refused_for_two_of_them() {
    let engine = Engine::start(Path::new(env!("CARGO_BIN_EXE_ams")));
    let client = engine::client(engine.url());
    engine::create_claims(&client, "claims").await;
    engine::create_history(&client, "history").await;
    let clock = Arc::new(ams::clock::SystemClock);
    let pagerduty = StandIn::start(Settings::default(), clock).await.unwrap();
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("scenarios")).unwrap();
    std::fs::write(folder.path().join("scenarios/look.yaml"), SCENARIO).unwrap();
    let path = folder.path().join("ams.yaml");
    let write = |regions: &str| {
        let text = format!(
            "region: tokyo\nlisten: 127.0.0.1:0\nscenarios: scenarios\nevidence: evidence\nlang: en\n\
             lease: 2s\nheartbeat: 200ms\nlease_margin: 500ms\nstore:\n  dynamodb: {{table: claims, \
             history_table: history, region: {REGION}, endpoint: '{}', single_region: true}}\n\
             pagerduty: {{url: {}, from: {}, bot_user: {}}}\nregions:\n{regions}",
            engine.url(),
            pagerduty.url(),
            Settings::default().bot_email,
            ams::sandbox::pagerduty::BOT,
        );
        std::fs::write(&path, text).unwrap();
    };
    let words = ["doctor", "--no-receivers", "--format", "json"];
    write("  - {name: tokyo, url: 'https://tokyo.example.com'}\n");
    let told = ams_with(&path, &words, &KEYS).await;
    told.one("store-fine");
    write(
        "  - {name: tokyo, url: 'https://tokyo.example.com'}\n  \
         - {name: osaka, url: 'https://osaka.example.com'}\n",
    );
    let told = ams_with(&path, &words, &KEYS).await;
    assert_eq!(told.wrong()[0], "store-wrong", "{}", told.text);
    let one = told.one("store-wrong");
    assert!(one["what"].as_str().unwrap().contains("must be strongly consistent"), "{one}");
    assert!(one["change"].as_str().unwrap().contains("STRONG"), "{one}");
    pagerduty.stop().await;
}
