//! What customers say, also while a run goes on.

use ams::incident::Outcome;
use ams::sandbox::pagerduty::{ENGINEER, PEOPLE_ONLY};

use super::SLOW;
use crate::harness::wait;
use crate::harness::world::{SHORT_LEASE, World};

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

/// Both customers share the service; their incidents differ by a word in the title.
const NORTH: &str = "customer: north\nname: North Ltd.\nbelongs: {title: {all: [\"[NORTH]\"]}}\n\
    language: en\nescalation_policy: PPOL002\n";
const SOUTH: &str = "customer: south\nname: 南商事\nbelongs: {title: {all: [\"[SOUTH]\"]}}\n";

/// Tells whose incident it is, and waits long enough to lose its runner.
const WHOSE: &str = "\
scenario: whose
about: お客様の確認
match: {all: [disk]}
steps:
  - gather: {name: 名前, run: 'echo \"$NAME\" >> \"$FOLDER/names\"', \
    env: {NAME: \"{{ customer.name }}\", FOLDER: \"{{ vars.folder }}\"}}
  - wait: {name: 様子を見る, for: 1s}
  - gather: {name: もう一度, run: 'echo \"$NAME\" >> \"$FOLDER/names\"', \
    env: {NAME: \"{{ customer.name }}\", FOLDER: \"{{ vars.folder }}\"}}
";

#[tokio::test]
async fn of_customers_that_share_a_service_each_has_its_own_incidents() {
    let world = World::with(WHOSE).customer(NORTH).customer(SOUTH).start().await;
    let north = world.fire("［north］ disk is full");
    world.expect(&north, Outcome::HandedOff).await;
    assert_eq!(world.read("names"), "North Ltd.\nNorth Ltd.\n");
    let note = world.last_note(&north);
    assert!(note.starts_with("AMS hand-off"), "in its language: {note}");
    assert_eq!(world.view(&north).policy, PEOPLE_ONLY);
    // Nobody's, rather than the wrong one's.
    let both = world.fire("[NORTH] [SOUTH] disk is full");
    world.expect(&both, Outcome::Escalated).await;
    assert!(world.last_note(&both).contains("お客様"), "{}", world.last_note(&both));
    assert_eq!(world.read("names").lines().count(), 2);
    world.end().await;
}

#[tokio::test]
async fn a_run_stays_with_its_customer_when_somebody_edits_the_title() {
    let slow = WHOSE.replace("for: 1s", "for: 3s");
    let mut world =
        World::with(&slow).customer(NORTH).customer(SOUTH).settings(SHORT_LEASE).start().await;
    let incident = world.fire("[SOUTH] disk is full");
    world.until_lines("names", 1).await;
    let owner = world.owner(&incident).await;
    world.kill(owner).await;
    world.pagerduty().retitle_as(ENGINEER, &incident, "[NORTH] disk is full").unwrap();
    world.expect(&incident, Outcome::Escalated).await;
    assert_eq!(world.read("names"), "南商事\n");
    world.restart(owner).await;
    world.end().await;
}
