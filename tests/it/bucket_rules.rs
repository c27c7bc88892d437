//! Scenarios come from a bucket, and change while AMS runs.

use ams::incident::{IncidentId, Outcome};

use crate::aws::{Aws, Bucket};
use crate::harness::wait;
use crate::harness::world::{World, WorldBuilder};

const TOKYO: &str = "ap-northeast-1";

fn scenario(word: &str) -> String {
    format!(
        "scenario: {word}\nabout: {word}\nmatch: {{all: [{word}, down]}}\nsteps:\n  \
         - check: {{name: 稼働確認, run: 'true', when_healthy: resolve}}\n"
    )
}

fn released(aws: &Aws) -> (WorldBuilder, Bucket) {
    let bucket = aws.home().bucket(TOKYO, "example-msp-ams");
    for word in ["web", "db", "mail", "dns"] {
        bucket.put(&format!("rules/scenarios/{word}/down.yaml"), &scenario(word));
    }
    bucket.put("rules/scenarios/web/down.test.yaml", "not: [a scenario");
    bucket.put("elsewhere/other.yaml", "not: [a scenario");
    let world = World::with(&scenario("on-disk"))
        .settings("reload_every: 200ms\n")
        .environment("AMS_SCENARIOS", "s3://example-msp-ams/rules/scenarios/")
        .in_tokyo(aws);
    (world, bucket)
}

async fn recovers(world: &World, title: &str) -> IncidentId {
    let incident = world.fire(title);
    world.expect(&incident, Outcome::RecoveredItself).await;
    incident
}

#[tokio::test]
async fn a_release_is_taken_as_a_whole_or_not_at_all() {
    let aws = Aws::start().await;
    let (world, bucket) = released(&aws);
    let world = world.start().await;
    // More objects than one page of a list.
    for word in ["web", "db", "mail", "dns"] {
        recovers(&world, &format!("{word} down")).await;
    }
    bucket.put("rules/scenarios/ldap.yaml", &scenario("ldap"));
    for region in &world.cluster.regions {
        wait::for_text(&region.url("/metrics"), "ams_rules_loaded 5").await;
    }
    recovers(&world, "ldap down").await;
    // Half a release stays out, and so does what came with it.
    bucket.put("rules/scenarios/broken.yaml", "scenario: broken\nmatch: {all: [broken]}\nsteps: [");
    bucket.remove("rules/scenarios/ldap.yaml");
    for region in &world.cluster.regions {
        wait::for_text(&region.url("/metrics"), "ams_rules_refused 1").await;
    }
    recovers(&world, "ldap down").await;
    bucket.remove("rules/scenarios/broken.yaml");
    for region in &world.cluster.regions {
        wait::for_text(&region.url("/metrics"), "ams_rules_loaded 4").await;
    }
    world.end().await;
}

#[tokio::test]
async fn a_bucket_that_cannot_be_read_changes_nothing_and_a_key_leads_nowhere_else() {
    let aws = Aws::start().await;
    let (world, bucket) = released(&aws);
    let world = world.start().await;
    let region = world.cluster.regions[0].url("/metrics");
    bucket.put("rules/scenarios/../../../escaped.yaml", &scenario("escaped"));
    wait::for_page(&region, "a refused copy", |page| {
        page.lines().any(|line| {
            line.strip_prefix("ams_reload_failures_total ").is_some_and(|count| count != "0")
        })
    })
    .await;
    bucket.remove("rules/scenarios/../../../escaped.yaml");
    bucket.lists_without_end(true);
    let log = world.cluster.regions[0].log.clone();
    let is_told = || std::fs::read_to_string(&log).unwrap().contains("the list does not end");
    wait::until("a list without end is given up", is_told).await;
    bucket.lists_without_end(false);
    aws.region_down(TOKYO);
    recovers(&world, "web down").await;
    aws.region_up(TOKYO);
    world.end().await;
}
