//! `ams report`: every incident that came is counted, once, by what became of it.

use ams::incident::Outcome;
use ams::sandbox::pagerduty::ENGINEER;
use serde_json::Value;

use super::lost_runner::killed_inside_a_recovery;
use super::{REPAIR, SLOW};
use crate::harness::world::{PATIENCE, World};

const SHOP: &str = "customer: shop\nname: サンプル商店\nbelongs: {title: {any: [web]}}\n";

impl World {
    /// Waits until so many alerts are counted: they are kept a moment after the outcome.
    async fn until_counted(&self, alerts: u64, words: &[&str]) -> Value {
        let began = tokio::time::Instant::now();
        loop {
            let words = [&["report", "--format", "json"], words].concat();
            let (said, _) = self.ams(&words).await;
            // Nothing was counted yet, says standard error behind it.
            let told = serde_json::Deserializer::from_str(&said).into_iter::<Value>().next();
            let told = told.and_then(Result::ok).unwrap_or_default();
            if told["total"]["alerts"].as_u64() == Some(alerts) {
                return told;
            }
            assert!(began.elapsed() < PATIENCE, "{said}");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }
}

fn group<'a>(told: &'a Value, by: &str, key: &Value) -> &'a Value {
    let sections = told["sections"].as_array().unwrap();
    let section = sections.iter().find(|it| it["by"] == by).unwrap();
    section["groups"].as_array().unwrap().iter().find(|it| it["key"] == *key).unwrap()
}

#[tokio::test]
async fn every_incident_is_counted_by_what_became_of_it() {
    let scenario = REPAIR.replace("deadline: 2m", "deadline: 2m\nby_hand: 40m");
    let world = World::with(&scenario).customer(SHOP).start().await;
    // Resolved, and later opened again by a person.
    let first = world.fire("service web down");
    world.expect(&first, Outcome::Resolved).await;
    // It is up now.
    let well = world.fire("service db down");
    world.expect(&well, Outcome::RecoveredItself).await;
    let nobody_s = world.fire("夜間バッチの遅れ");
    world.expect(&nobody_s, Outcome::Unmatched).await;
    let told = world.until_counted(3, &["--by", "customer,scenario,service,week"]).await;
    let total = &told["total"];
    assert_eq!((&total["matched"], &total["handled"]), (&2.into(), &2.into()), "{total:#}");
    assert_eq!((&total["unmatched"], &total["saved_minutes"]), (&1.into(), &80.into()));
    assert_eq!(total["handled_rate"], 0.6667);
    for (stage, count) in [("claim", 3), ("first_action", 2), ("recovery", 1), ("hand_off", 0)] {
        let spread = &total[format!("to_{stage}")];
        assert_eq!(spread["count"], count, "{stage}: {spread}");
        assert!(spread["mean_seconds"].as_f64().unwrap_or(0.0) < 60.0, "{stage}: {spread}");
    }
    assert!(total["to_recovery"]["mean_seconds"].as_f64().unwrap() > 0.0, "{total:#}");
    assert_eq!(group(&told, "customer", &"shop".into())["name"], "サンプル商店");
    assert_eq!(group(&told, "customer", &"shop".into())["alerts"], 1);
    assert_eq!(group(&told, "customer", &Value::Null)["alerts"], 2);
    assert_eq!(group(&told, "scenario", &"service-down".into())["handled"], 2);
    assert_eq!(group(&told, "scenario", &Value::Null)["unmatched"], 1);

    // What a person opens again was not handled; its second run wakes people.
    std::fs::remove_file(world.path("up")).unwrap();
    world.write("broken", "");
    world.pagerduty().reopen_as(ENGINEER, &first).unwrap();
    let told = world.until_counted(4, &[]).await;
    let total = &told["total"];
    let counts = ["handled", "reopened", "escalated", "recovered", "saved_minutes"];
    assert_eq!(counts.map(|name| total[name].as_u64().unwrap()), [1, 1, 1, 0, 40], "{total:#}");
    assert_eq!(total["to_hand_off"]["count"], 1);
    let shop = world.until_counted(2, &["--customer", "shop"]).await;
    assert_eq!((&shop["total"]["handled"], &shop["open_now"]), (&0.into(), &0.into()));
    let (table, code) = world.ams(&["report"]).await;
    assert_eq!(code, Some(0));
    assert!(table.contains("AMS対応率") && table.contains("（シナリオなし）"), "{table}");
    world.end().await;
}

/// Whoever ends it counts it, from the time the incident came.
#[tokio::test]
async fn a_run_that_changed_hands_is_counted_once() {
    let (mut world, incident, owner) = killed_inside_a_recovery("once").await;
    let open = world.ams(&["report", "--format", "json"]).await;
    assert!(open.0.contains("\"open_now\": 1"), "{}", open.0);
    world.until_epoch(&incident, 2).await;
    world.write("go", "");
    let item = world.expect(&incident, Outcome::Resolved).await;
    let told = world.until_counted(1, &[]).await;
    let total = &told["total"];
    assert_eq!((&total["recovered"], &told["open_now"]), (&1.into(), &0.into()), "{total:#}");
    let lasted = total["to_recovery"]["mean_seconds"].as_f64().unwrap();
    let came_at = world.view(&incident).created_at;
    let until_claim = item.opened_at.duration_since(came_at).as_secs_f64();
    assert!(lasted > until_claim, "{lasted} {until_claim}");
    world.restart(owner).await;
    world.end().await;
}

#[tokio::test]
async fn a_person_who_takes_over_is_no_success_of_ams() {
    let world = World::with(SLOW).start().await;
    let incident = world.fire("service is slow");
    world.until_working(&incident).await;
    world.pagerduty().acknowledge_as(ENGINEER, &incident).unwrap();
    world.expect(&incident, Outcome::StoodDown).await;
    let cleared = world.fire("service is slow again");
    world.until_working(&cleared).await;
    world.pagerduty().monitoring_resolves(&cleared).unwrap();
    world.expect(&cleared, Outcome::StoodDown).await;
    let total = world.until_counted(2, &[]).await["total"].clone();
    let counts = ["matched", "handled", "taken_over", "ended_meanwhile", "saved_minutes"];
    assert_eq!(counts.map(|name| total[name].as_u64().unwrap()), [2, 0, 1, 1, 0], "{total:#}");
    assert_eq!(total["to_first_action"]["count"], 2);
    world.end().await;
}
