use ams::sandbox::pagerduty::{SERVICE, Scope, StandIn, State};

use super::{deployment, doctor, doctor_with};

/// The subscriptions of both regions, Tokyo's first.
fn both(pagerduty: &StandIn) -> [String; 2] {
    let ids = |state: &State| state.subscriptions().iter().map(|it| it.id.clone()).collect();
    let ids: Vec<String> = pagerduty.look(ids);
    ids.try_into().unwrap()
}

#[tokio::test]
async fn a_subscription_that_pagerduty_stopped_is_told_and_enabled_on_demand() {
    let world = deployment().start().await;
    let [_, osaka] = both(world.pagerduty());
    world.pagerduty().disable(&osaka);
    let told = doctor(&world, "").await;
    assert_eq!((told.code, told.wrong()), (Some(1), vec!["subscription-disabled".to_owned()]));
    let one = told.one("subscription-disabled");
    assert_eq!(
        (&one["about"]["region"], &one["about"]["subscription"]),
        (&"osaka".into(), &osaka.into())
    );
    assert!(one["change"].as_str().unwrap().contains("ams doctor --enable"), "{one}");

    let told = doctor_with(&world, "", &["--enable"]).await;
    assert_eq!((told.code, told.wrong()), (Some(0), vec![]), "{}", told.text);
    told.one("subscription-enabled");
    let again = doctor(&world, "").await;
    assert_eq!(again.code, Some(0), "{}", again.text);
    world.end().await;
}

#[tokio::test]
async fn a_subscription_that_a_person_switched_off_stays_off() {
    let world = deployment().start().await;
    let [tokyo, _] = both(world.pagerduty());
    world.pagerduty().switch_off(&tokyo);
    for words in [&[][..], &["--enable"]] {
        let told = doctor_with(&world, "", words).await;
        assert_eq!((told.code, told.wrong()), (Some(1), vec!["subscription-off".to_owned()]));
    }
    assert!(world.pagerduty().look(|state| !state.subscriptions()[0].active));
    world.end().await;
}

#[tokio::test]
async fn missing_events_wrong_addresses_and_no_subscription_at_all_are_told_apart() {
    let world = deployment().start().await;
    let [tokyo, osaka] = both(world.pagerduty());
    world.pagerduty().set_events(&tokyo, &["incident.triggered", "incident.resolved"]);
    let told = doctor(&world, "").await;
    assert_eq!((told.code, told.wrong()), (Some(1), vec!["events-missing".to_owned()]));
    let events = told.one("events-missing")["about"]["events"].to_string();
    assert!(events.contains("incident.reopened") && !events.contains("resolved"), "{events}");

    world.pagerduty().unsubscribe(&tokyo);
    let told = doctor(&world, "").await;
    assert_eq!((told.code, told.wrong()), (Some(1), vec!["subscription-missing".to_owned()]));
    // On one machine every address is near every other.
    assert_eq!(told.one("subscription-missing")["about"]["region"], "tokyo");

    world.pagerduty().unsubscribe(&osaka);
    let told = doctor(&world, "").await;
    assert_eq!(told.wrong(), ["subscription-missing"; 2], "{}", told.text);
    assert_eq!(told.one("subscription-missing")["about"]["near"], serde_json::Value::Null);

    let [tokyo, osaka] = [0, 1].map(|index: usize| world.cluster.regions[index].webhook_url());
    world.pagerduty().subscribe(&tokyo.replace("/webhooks/", "/webhook/"));
    world.pagerduty().subscribe(&osaka);
    let told = doctor(&world, "").await;
    assert_eq!(told.wrong(), ["subscription-missing"], "{}", told.text);
    let near = &told.one("subscription-missing")["about"]["near"];
    assert!(near["url"].as_str().unwrap().contains("/webhook/"), "{near}");
    world.end().await;
}

#[tokio::test]
async fn subscriptions_of_services_must_cover_those_that_ams_is_for() {
    let world = deployment().customer("customer: shop\nname: Shop\nservices: [PQUIET]\n");
    let world = world.start().await;
    let pagerduty = world.pagerduty();
    pagerduty.add_service("PQUIET", "Quiet shop", ams::sandbox::pagerduty::POLICY);
    for (id, region) in both(pagerduty).iter().zip(&world.cluster.regions) {
        pagerduty.unsubscribe(id);
        pagerduty.subscribe_to(&region.webhook_url(), Scope::Service(SERVICE.to_owned()));
    }
    let told = doctor(&world, "").await;
    assert_eq!(told.wrong(), ["services-uncovered"; 2], "{}", told.text);
    let services = &told.one("services-uncovered")["about"]["services"];
    assert_eq!(services, &serde_json::json!(["Quiet shop"]));
    for region in &world.cluster.regions {
        pagerduty.subscribe_to(&region.webhook_url(), Scope::Service("PQUIET".to_owned()));
    }
    let told = doctor(&world, "").await;
    assert_eq!((told.code, told.wrong()), (Some(0), vec![]), "{}", told.text);

    pagerduty.subscribe("https://gone.example.com/webhooks/pagerduty");
    pagerduty
        .subscribe_to(&world.cluster.regions[0].webhook_url(), Scope::Service("PQUIET".to_owned()));
    let told = doctor(&world, "").await;
    assert_eq!(told.code, Some(0));
    let not_fine = told.not_fine().join(" ");
    assert!(not_fine.starts_with("subscription-twice subscription-stray "), "{not_fine}");
    world.end().await;
}
