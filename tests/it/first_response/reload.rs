//! Scenario files change while regions run.

use ams::incident::Outcome;

use super::{REPAIR, SLOW};
use crate::harness::wait;
use crate::harness::world::{SHORT_LEASE, World};

const QUICK: &str = "reload_every: 100ms\n";

#[tokio::test]
async fn a_new_scenario_comes_into_force_without_a_restart() {
    let world = World::with(REPAIR).settings(QUICK).start().await;
    let facts = "scenario: facts\nabout: 情報収集\nmatch: {all: [cpu, high]}\nsteps:\n  \
                 - gather: {run: cat /proc/loadavg}\n";
    world.write_scenario("facts.yaml", facts);
    for region in &world.cluster.regions {
        wait::for_text(&region.url("/metrics"), "ams_rules_loaded 2").await;
    }
    let incident = world.fire("CPU is high");
    world.expect(&incident, Outcome::HandedOff).await;
    world.end().await;
}

#[tokio::test]
async fn a_bad_change_keeps_the_set_before_in_force_and_says_so() {
    let world = World::with(REPAIR).settings(QUICK).start().await;
    world
        .write_scenario("broken.yaml", "scenario: broken\nabout: x\nmatch: {all: [x]}\nstep: []\n");
    for region in &world.cluster.regions {
        wait::for_text(&region.url("/readyz"), "changed scenarios are refused").await;
        wait::for_text(&region.url("/metrics"), "ams_rules_refused 1").await;
    }
    let incident = world.fire("service web down");
    world.expect(&incident, Outcome::Resolved).await;

    world.write_scenario(
        "broken.yaml",
        "scenario: mended\nabout: x\nmatch: {all: [cpu]}\nsteps:\n  - gather: {run: 'true'}\n",
    );
    for region in &world.cluster.regions {
        wait::for_text(&region.url("/metrics"), "ams_rules_refused 0").await;
    }
    world.end().await;
}

/// A run goes on with the scenario it began with, also in the hands of another region.
#[tokio::test]
async fn a_run_that_began_before_a_change_is_taken_over_with_its_own_version() {
    let settings = format!("{QUICK}{SHORT_LEASE}");
    let short = SLOW.replace("for: 30s", "for: 4s");
    let mut world = World::with(&short).settings(&settings).start().await;
    let incident = world.fire("service is slow");
    world.until_working(&incident).await;
    let owner = world.owner(&incident).await;
    world.write_scenario("scenario.yaml", &short.replace("時間のかかる復旧", "書き直した復旧"));
    for region in &world.cluster.regions {
        wait::for_text(&region.url("/metrics"), "ams_reloads_total 1").await;
    }
    world.kill(owner).await;
    world.expect(&incident, Outcome::Resolved).await;
    assert!(world.last_note(&incident).contains("時間のかかる復旧"), "its own version");
    world.restart(owner).await;
    world.end().await;
}
