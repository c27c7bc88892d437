//! What AMS would have done, beside what became of the incident without it.

use ams::incident::{IncidentId, Outcome};
use ams::sandbox::pagerduty::ENGINEER;
use serde_json::Value;

use super::REPAIR;
use crate::harness::world::{PATIENCE, SHORT_LEASE, World};

fn in_shadow() -> String {
    REPAIR.replace("about:", "mode: shadow\nabout:")
}

const SHOP: &str = "customer: shop\nname: サンプル商店\nbelongs: {title: {any: [web, db]}}\n";

impl World {
    async fn shadowed(&self, title: &str) -> IncidentId {
        let incident = self.fire(title);
        self.expect(&incident, Outcome::Shadowed).await;
        incident
    }

    /// Waits until the comparison is as the story wants it: it is kept a moment after its cause.
    async fn until_compared(&self, is_so: impl Fn(&Value) -> bool) -> Value {
        let began = tokio::time::Instant::now();
        loop {
            let (said, _) = self.ams(&["shadow", "--format", "json"]).await;
            let told: Value = serde_json::from_str(&said).unwrap_or_default();
            if is_so(&told) {
                return told;
            }
            assert!(began.elapsed() < PATIENCE, "{said}");
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    }
}

#[tokio::test]
async fn what_people_and_monitoring_did_stands_beside_what_ams_would_have_done() {
    let world = World::with(&in_shadow()).customer(SHOP).start().await;
    let by_person = world.shadowed("service web down").await;
    let secret = "AKIAIOSFODNN7EXAMPLE";
    let note = format!("再起動しました {secret}");
    world.pagerduty().annotate_as(ENGINEER, &by_person, &note).unwrap();
    world.pagerduty().resolve_as(ENGINEER, &by_person).unwrap();
    let by_monitoring = world.shadowed("service db down").await;
    world.pagerduty().monitoring_resolves(&by_monitoring).unwrap();
    world.shadowed("service web is down again").await;

    let told = world
        .until_compared(|told| {
            told[0]["runs"] == 3
                && told[0]["by_people"]["count"] == 1
                && told[0]["by_monitoring"]["count"] == 1
        })
        .await;
    assert_eq!((&told[0]["scenario"], &told[0]["open"]), (&"service-down".into(), &1.into()));
    let case = &told[0]["cases"][0];
    assert_eq!(case["would"], serde_json::json!(["3. [recover] 起動"]));
    assert_eq!((&case["customer"], &case["resolved"]["by"]), (&"shop".into(), &"person".into()));
    let notes = case["resolved"]["notes"].to_string();
    assert!(notes.contains("再起動しました") && !notes.contains(secret), "{notes}");

    let (text, code) = world.ams(&["shadow", "--scenario", "service-down"]).await;
    assert_eq!(code, Some(0), "{text}");
    for part in [
        "service-down: 3件（未解決1件",
        "人が解決: 1件",
        "監視側で解消: 1件",
        "AMS: 3. [recover] 起動",
        "「再起動しました",
    ] {
        assert!(text.contains(part), "'{part}' is not in {text}");
    }
    let (none, code) = world.ams(&["shadow", "--customer", "other"]).await;
    assert_eq!((none.trim(), code), ("この期間に shadow で動いた対応はありません", Some(1)));
    assert_eq!(world.read("recoveries"), "");
    world.end().await;
}

/// Nobody hears the webhook: neither region is there when it comes.
#[tokio::test]
async fn an_end_that_no_webhook_told_of_is_found() {
    let settings = format!("{SHORT_LEASE}reconcile_every: 500ms\n");
    let mut world = World::with(&in_shadow()).settings(&settings).start().await;
    let incident = world.shadowed("service web down").await;
    world.until_compared(|told| told[0]["runs"] == 1).await;
    world.pagerduty().lose_webhooks(true);
    world.pagerduty().resolve_as(ENGINEER, &incident).unwrap();
    world.pagerduty().lose_webhooks(false);
    world.until_compared(|told| told[0]["by_people"]["count"] == 1).await;
    for region in 0..2 {
        world.kill(region).await;
        world.restart(region).await;
    }
    world.until_compared(|told| told[0]["by_people"]["count"] == 1).await;
    world.end().await;
}
