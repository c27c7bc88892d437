//! What customers say, also while a run goes on.

use ams::incident::Outcome;

use super::SLOW;
use crate::harness::wait;
use crate::harness::world::World;

const QUICK: &str = "reload_every: 100ms\n";

const SHOP: &str = "customer: shop\nname: サンプル商店\nservices: [Sandbox web shop]\n";

/// The scenario waits long enough for its customer's file to be changed and read.
async fn begun() -> (World, ams::incident::IncidentId) {
    let slow = SLOW.replace("for: 30s", "for: 4s");
    let world = World::with(&slow).customer(SHOP).settings(QUICK).start().await;
    let incident = world.fire("service is slow");
    world.until_working(&incident).await;
    world.until_lines("checks", 1).await;
    (world, incident)
}

async fn changed(world: &World, customer: &str) {
    world.write_customer("0.yaml", customer);
    for region in &world.cluster.regions {
        wait::for_text(&region.url("/metrics"), "ams_reloads_total 1").await;
    }
}

#[tokio::test]
async fn a_suspension_that_is_written_while_a_run_goes_on_stops_what_comes_next() {
    let (world, incident) = begun().await;
    let now = "{from: \"2020-01-01 00:00\", until: \"2099-01-01 00:00\", reason: 移行作業}";
    changed(&world, &format!("{SHOP}suspensions: [{now}]\n")).await;
    world.expect(&incident, Outcome::Suspended).await;
    assert_eq!(world.read("recoveries"), "");
    assert!(world.last_note(&incident).contains("移行作業"));
    world.end().await;
}

#[tokio::test]
async fn a_mode_that_becomes_stricter_while_a_run_goes_on_is_kept() {
    let (world, incident) = begun().await;
    changed(&world, &format!("{SHOP}modes: {{slow: shadow}}\n")).await;
    world.expect(&incident, Outcome::Escalated).await;
    assert_eq!(world.read("recoveries"), "");
    assert!(world.last_note(&incident).contains("shadow になりました"));
    world.end().await;
}
