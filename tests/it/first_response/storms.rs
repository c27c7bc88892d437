//! More alerts at once than PagerDuty takes requests for.

use std::time::Duration;

use ams::incident::{IncidentId, Outcome};
use ams::sandbox::pagerduty::{ENGINEER, Entry, IncidentView, Settings};
use jiff::SignedDuration;

use crate::harness::wait;
use crate::harness::world::World;

/// Lasts long enough to tell its start, and hands off.
const BROKEN: &str = "scenario: disk\nabout: 容量\nmatch: {all: [disk, full]}\nsteps:\n  \
    - check: {name: 容量, run: 'sleep 2; false', when_healthy: resolve}\n";

/// A minute's requests, far fewer than forty hand-offs want to send: two questions, a title, a note and a
/// page each, and a note at the end.
const LIMIT: u32 = 240;

fn paged_after(view: &IncidentView) -> Option<SignedDuration> {
    let is_page = |entry: &Entry| matches!(entry, Entry::Paged { user, .. } if user == ENGINEER);
    let page = view.log.iter().find(|entry| is_page(&entry.what))?;
    Some(page.at.duration_since(view.created_at))
}

#[tokio::test]
async fn in_a_storm_everybody_is_paged_in_time_and_every_end_is_told() {
    let limited = Settings { requests_per_minute: Some(LIMIT), ..Settings::default() };
    let world = World::with(BROKEN).pagerduty(limited).start().await;
    let incidents: Vec<IncidentId> =
        (0..40).map(|number| world.fire(&format!("disk {number} full"))).collect();
    for incident in &incidents {
        let view = world.until(incident, |view| paged_after(view).is_some()).await;
        let after = paged_after(&view).unwrap();
        // Two seconds of it are the check's.
        assert!(after < SignedDuration::from_secs(12), "{after:?} {}", world.everything(incident));
    }
    // Notes have half of the limit, and a region its half of that, however the claims fell.
    let told = |view: &IncidentView| !view.notes.is_empty();
    let all_told = world
        .pagerduty()
        .wait_for(Duration::from_secs(100), |state| state.incidents().iter().all(told))
        .await;
    assert!(all_told, "notes are missing");
    for incident in &incidents {
        world.expect(incident, Outcome::HandedOff).await;
    }
    let mut storms = 0;
    for region in &world.cluster.regions {
        let text = reqwest::get(region.url("/metrics")).await.unwrap().text().await.unwrap();
        storms += usize::from(text.contains("ams_pagerduty_storms_total 1"));
        assert!(text.contains("ams_pagerduty_queue{lane=\"escalate\"} 0"), "{text}");
    }
    assert!(storms > 0, "notes waited for long, and no region noticed");
    world.end().await;
}

#[tokio::test]
async fn while_it_storms_a_run_that_begins_tells_its_end_only() {
    let limited = Settings { requests_per_minute: Some(LIMIT / 2), ..Settings::default() };
    let mut world = World::with(BROKEN).pagerduty(limited).start().await;
    world.kill(1).await;
    for number in 0..20 {
        world.fire(&format!("disk {number} full"));
    }
    let metrics = world.cluster.regions[0].url("/metrics");
    // The line itself; the one that explains it says "1" as well.
    wait::for_text(&metrics, "\nams_pagerduty_storm 1\n").await;
    // The other one's part is its own by now.
    world.until_logged(0, "rate limit is shared by 1 runners").await;
    let late = world.fire("disk 99 full");
    let view = world.until(&late, |view| paged_after(view).is_some()).await;
    let started =
        |entry: &Entry| matches!(entry, Entry::Retitled { title } if title.contains("対応中"));
    assert!(!view.log.iter().any(|entry| started(&entry.what)), "{}", world.everything(&late));
    world.expect(&late, Outcome::HandedOff).await;
    assert_eq!(world.view(&late).notes.len(), 1, "{}", world.everything(&late));
    world.restart(1).await;
    world.end().await;
}
