use std::sync::Arc;

use ams::clock::{Clock as _, SetClock, SystemClock};
use ams::sandbox::pagerduty::{ENGINEER, Fault};
use jiff::SignedDuration;

use super::{ams, ams_with, config, deployment, doctor, regions};

#[tokio::test]
async fn what_the_token_may_not_do_is_told_with_the_scope_that_is_missing() {
    let world = deployment().start().await;
    for (method, template, id, scope) in [
        ("GET", "/incidents", "may-not", "incidents.read"),
        ("PUT", "/incidents/{id}", "may-not", "incidents.write"),
        ("GET", "/users/{id}", "may-not", "users.read"),
        ("GET", "/services", "may-not", "services.read"),
        ("GET", "/escalation_policies", "may-not", "escalation_policies.read"),
        ("GET", "/oncalls", "may-not", "oncalls.read"),
        ("GET", "/webhook_subscriptions", "may-not", "webhook_subscriptions.read"),
        ("POST", "/webhook_subscriptions/{id}/enable", "may-not", "webhook_subscriptions.write"),
    ] {
        // The regions ask as well, now and then.
        world.pagerduty().fail_next_of(50, Fault::Status(403), method, template);
        let told = doctor(&world, "").await;
        assert_eq!((told.code, told.wrong()), (Some(1), vec![id.to_owned()]), "{}", told.text);
        let change = told.one(id)["change"].to_string();
        assert!(change.contains(scope), "{method} {template}: {change}");
        world.pagerduty().heal();
    }
    world.end().await;
}

#[tokio::test]
async fn a_plan_without_priorities_and_responders_is_no_fault() {
    let world = deployment().start().await;
    world.pagerduty().set_abilities(&["teams"]);
    world.pagerduty().fail_next_of(1, Fault::Status(402), "GET", "/priorities");
    let told = doctor(&world, "").await;
    assert_eq!(told.code, Some(0), "{}", told.text);
    told.one("no-priorities");
    told.one("no-responders");
    world.end().await;
}

#[tokio::test]
async fn a_wrong_token_or_an_account_out_of_reach_ends_the_look_at_the_account() {
    let world = deployment().start().await;
    let path = config(&world, &regions(&world));
    let doctor = ["doctor", "--format", "json"];
    let told = ams_with(&path, &doctor, &[("AMS_PAGERDUTY_TOKEN", "another")]).await;
    assert_eq!((told.code, told.wrong()), (Some(1), vec!["token-refused".to_owned()]));
    assert!(!told.text.contains("another"), "{}", told.text);
    let nowhere = [("AMS_PAGERDUTY_URL", "http://127.0.0.1:1")];
    let told = ams_with(&path, &doctor, &nowhere).await;
    assert_eq!((told.code, told.wrong()), (Some(1), vec!["unreachable".to_owned()]));
    // What needs no account is looked at all the same.
    told.one("store-fine");
    told.one("receiver-fine");
    world.end().await;
}

#[tokio::test]
async fn the_user_ams_writes_as_must_be_the_bot() {
    let world = deployment().start().await;
    let path = config(&world, &regions(&world));
    let doctor = ["doctor", "--format", "json"];
    for (variable, value, wrong) in [
        ("AMS_PAGERDUTY_BOT_USER", "PNOBODY", "bot-unknown"),
        ("AMS_PAGERDUTY_BOT_USER", ENGINEER, "bot-other"),
        ("AMS_PAGERDUTY_FROM", "engineer@sandbox.example", "bot-other"),
    ] {
        let told = ams_with(&path, &doctor, &[(variable, value)]).await;
        assert!(told.wrong().contains(&wrong.to_owned()), "{variable} {value}: {}", told.text);
        assert_eq!(told.code, Some(1));
    }
    let told = ams_with(&path, &doctor, &[("AMS_PAGERDUTY_FROM", "nobody@example.com")]).await;
    assert!(told.wrong().starts_with(&["from-unknown".to_owned()]), "{}", told.text);
    world.end().await;
}

#[tokio::test]
async fn a_clock_that_is_off_is_told() {
    for (off, wrong, not_fine) in [(-40_i64, false, "clock-off"), (90, true, "clock-wrong")] {
        let clock = Arc::new(SetClock::at(SystemClock.now() - SignedDuration::from_secs(off)));
        let world = deployment().pagerduty_clock(clock).start().await;
        let path = config(&world, &regions(&world));
        let told = ams(&path, &["doctor", "--format", "json"]).await;
        assert_eq!(told.code, Some(i32::from(wrong)), "{}", told.text);
        assert!(told.not_fine().contains(&not_fine.to_owned()), "{}", told.text);
        let seconds = told.one(not_fine)["about"]["seconds"].as_i64().unwrap();
        assert_eq!(seconds.signum(), off.signum(), "{seconds}");
        world.end().await;
    }
}
