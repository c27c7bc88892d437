use ams::sandbox::pagerduty::{BOT, ENGINEER, MANAGER};

use super::{ams_with, config, deployment, doctor, regions};

#[tokio::test]
async fn nobody_on_call_where_hand_offs_go_is_told() {
    let world = deployment().start().await;
    world.pagerduty().goes_off_duty(ENGINEER);
    let told = doctor(&world, "").await;
    // Level 2 of the service's policy; and the fall-back has nobody else at all.
    assert_eq!(told.wrong(), ["nobody-paged"], "{}", told.text);
    assert!(told.not_fine().contains(&"nobody-on-call".to_owned()), "{}", told.text);
    assert_eq!(told.one("nobody-on-call")["about"]["level"], 2);
    world.end().await;
}

#[tokio::test]
async fn every_policy_that_pages_nobody_or_too_soon_or_too_late_is_told() {
    let customer = "customer: shop\nname: Shop\nservices: [PALONE, PATONCE, PLONG, PBACK]\n";
    let world = deployment().customer(customer).start().await;
    let pagerduty = world.pagerduty();
    pagerduty.add_policy("PPA", "alone", vec![vec![BOT]], 5);
    pagerduty.add_policy("PPB", "at once", vec![vec![ENGINEER], vec![MANAGER]], 5);
    pagerduty.add_policy("PPC", "long", vec![vec![BOT], vec![ENGINEER]], 120);
    pagerduty.add_policy("PPD", "back", vec![vec![BOT], vec![ENGINEER], vec![BOT]], 5);
    for (service, policy) in
        [("PALONE", "PPA"), ("PATONCE", "PPB"), ("PLONG", "PPC"), ("PBACK", "PPD")]
    {
        pagerduty.add_service(service, service, policy);
    }
    let told = doctor(&world, "").await;
    assert_eq!((told.code, told.wrong()), (Some(1), vec!["nobody-paged".to_owned()]));
    assert_eq!(told.one("nobody-paged")["about"]["policy"], "alone");
    assert_eq!(told.one("people-first")["about"]["policy"], "at once");
    assert_eq!(told.one("first-level-long")["about"]["minutes"], 120);
    assert_eq!(told.one("bot-later")["about"]["level"], 3);
    world.end().await;
}

#[tokio::test]
async fn policies_that_are_named_must_be_there() {
    let customer = "customer: shop\nname: Shop\nservices: [PSVC001]\nescalation_policy: PGONE\n";
    let world = deployment().customer(customer).start().await;
    let told = doctor(&world, "").await;
    assert_eq!((told.code, told.wrong()), (Some(1), vec!["policy-unknown".to_owned()]));
    let one = told.one("policy-unknown");
    assert_eq!(one["about"]["policy"], "PGONE");
    assert!(one["about"]["named_by"].as_str().unwrap().ends_with("0.yaml"), "{one}");
    let path = config(&world, &regions(&world));
    let other = [("AMS_PAGERDUTY_FALLBACK_POLICY", "PNOTHERE")];
    let told = ams_with(&path, &["doctor", "--format", "json"], &other).await;
    assert_eq!(told.wrong(), ["policy-unknown"; 2], "{}", told.text);
    world.end().await;
}

#[tokio::test]
async fn services_that_are_nobodys_or_misspelt_or_without_scenario_are_told() {
    let customer = "\
customer: shop
name: Shop
services: [PSVC001, Quiet shpo]
modes: {default: off}
";
    let world = deployment().customer(customer).start().await;
    world.pagerduty().add_service("PQUIET", "Quiet shop", ams::sandbox::pagerduty::POLICY);
    let told = doctor(&world, "").await;
    assert_eq!((told.code, told.wrong()), (Some(1), vec!["service-unknown".to_owned()]));
    let unknown = told.one("service-unknown");
    assert_eq!(unknown["about"]["near"], "Quiet shop", "{unknown}");
    let without = |id: &str| told.one(id)["about"]["services"].to_string();
    assert_eq!(without("services-without-customer"), r#"["Quiet shop"]"#);
    assert_eq!(without("services-without-scenario"), r#"["Sandbox web shop"]"#);
    world.write_scenario(
        "nowhere.yaml",
        &super::SCENARIO.replace("look", "nowhere").replace("  all:", "  services: [Gone]\n  all:"),
    );
    let told = doctor(&world, "").await;
    assert_eq!(told.wrong(), ["service-unknown", "scenario-service-unknown"], "{}", told.text);
    world.end().await;
}
