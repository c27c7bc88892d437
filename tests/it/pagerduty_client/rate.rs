//! The rate limit of a key, kept by several clients against a PagerDuty that enforces it.

use std::sync::Arc;
use std::time::Duration;

use ams::clock::SystemClock;
use ams::incident::IncidentId;
use ams::report::pagerduty::{PagerDuty, Settings};
use ams::report::{Escalation, IncidentPlatform as _};
use ams::sandbox::pagerduty::{self, ENGINEER, Fault, NewIncident, POLICY, StandIn};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::server::{escalate, title};

/// A tenth of PagerDuty's minute, and of its requests.
const LIMIT: u32 = 96;
const WINDOW: Duration = Duration::from_secs(6);

async fn stand_in() -> StandIn {
    let settings = pagerduty::Settings {
        requests_per_minute: Some(LIMIT),
        rate_window: WINDOW,
        ..pagerduty::Settings::default()
    };
    StandIn::start(settings, Arc::new(SystemClock)).await.unwrap()
}

fn region(pagerduty: &StandIn, requests: u32) -> PagerDuty {
    let defaults = pagerduty::Settings::default();
    let settings = Settings::new(pagerduty.url(), defaults.token.into(), defaults.bot_email);
    PagerDuty::new(Settings { requests, window: WINDOW, ..settings }).unwrap()
}

fn fire(pagerduty: &StandIn, count: usize) -> Vec<IncidentId> {
    let one = |n| pagerduty.trigger(NewIncident::titled(&format!("disk {n} full"))).unwrap();
    (0..count).map(one).collect()
}

/// What a run that hands off sends; answers with how long the page took.
async fn hand_off(region: PagerDuty, id: IncidentId) -> Duration {
    let told = async {
        region.change(&id, &title("[AMS 対応中] disk full")).await.unwrap();
        region.add_note(&id, "end #e", "#e").await.unwrap();
    };
    let paged = async {
        let asked = Instant::now();
        region.escalation_policy(POLICY).await.unwrap();
        region.change(&id, &escalate(Escalation::Level(2))).await.unwrap();
        asked.elapsed()
    };
    let (waited, ()) = tokio::join!(paged, told);
    waited
}

#[tokio::test]
async fn a_storm_beyond_the_limit_delays_no_page_and_loses_nothing() {
    let pagerduty = stand_in().await;
    let regions = [region(&pagerduty, LIMIT), region(&pagerduty, LIMIT)];
    let incidents = fire(&pagerduty, 50);
    let began = Instant::now();
    let mut runs = JoinSet::new();
    for (id, region) in incidents.iter().zip(regions.iter().cycle()) {
        runs.spawn(hand_off(region.clone(), id.clone()));
    }
    let waits = runs.join_all().await;
    let longest = waits.iter().max().unwrap();
    assert!(*longest < Duration::from_secs(5), "{waits:?}");
    // A hundred and fifty requests in windows of 96, half of each kept for pages.
    assert!(began.elapsed() > WINDOW, "{:?}", began.elapsed());
    for id in &incidents {
        let view = pagerduty.incident(id).unwrap();
        assert!(view.paged().any(|user| user == ENGINEER), "{view:?}");
        assert_eq!(view.notes.len(), 1, "{view:?}");
        assert!(view.title.starts_with("[AMS"), "{view:?}");
    }
    let asked = pagerduty.request_count("GET", "/escalation_policies/{id}");
    assert!(asked <= 6, "each region asks once in ten seconds, not {asked} times");
    pagerduty.stop().await;
}

#[tokio::test]
async fn where_others_use_the_key_up_a_page_gets_through_and_a_note_is_not_lost() {
    let pagerduty = stand_in().await;
    let ours = region(&pagerduty, LIMIT);
    let [id] = <[_; 1]>::try_from(fire(&pagerduty, 1)).unwrap();
    // Somebody else's program, which holds back nothing.
    let others = region(&pagerduty, 1_000_000);
    let mut flood = JoinSet::new();
    for _ in 0..LIMIT {
        let (others, id) = (others.clone(), id.clone());
        flood.spawn(async move { others.incident(&id).await.map(drop) });
    }
    flood.join_all().await;
    let (one, another) = (ours.clone(), id.clone());
    let note = tokio::spawn(async move { one.add_note(&another, "end #e", "#e").await });
    let asked = Instant::now();
    ours.change(&id, &escalate(Escalation::Level(2))).await.unwrap();
    assert!(asked.elapsed() < WINDOW + Duration::from_secs(4), "{:?}", asked.elapsed());
    assert!(pagerduty.incident(&id).unwrap().paged().any(|user| user == ENGINEER));
    note.await.unwrap().unwrap();
    assert_eq!(pagerduty.incident(&id).unwrap().notes.len(), 1);
    pagerduty.stop().await;
}

#[tokio::test]
async fn a_bare_429_stops_every_run_and_not_only_the_one_that_got_it() {
    let pagerduty = stand_in().await;
    let ours = region(&pagerduty, 100_000);
    let incidents = fire(&pagerduty, 20);
    pagerduty.fail_next_of(6, Fault::RateLimit { headers: false }, "PUT", "/incidents/{id}");
    let mut runs = JoinSet::new();
    for id in &incidents {
        let (ours, id) = (ours.clone(), id.clone());
        runs.spawn(async move { ours.change(&id, &title("[AMS 復旧] disk full")).await.unwrap() });
    }
    runs.join_all().await;
    // Those that were under way together, and the six that were turned away; not twenty times more.
    let sent = pagerduty.request_count("PUT", "/incidents/{id}");
    assert_eq!(sent, 26, "each that was turned away is sent once more");
    pagerduty.stop().await;
}

#[tokio::test]
async fn once_requests_are_scarce_recent_knowledge_will_do_for_a_page() {
    let pagerduty = stand_in().await;
    let ours = region(&pagerduty, LIMIT);
    let [id] = <[_; 1]>::try_from(fire(&pagerduty, 1)).unwrap();
    let asked = || pagerduty.request_count("GET", "/incidents/{id}");
    let known = ours.incident(&id).await.unwrap();
    ours.incident_to_page(&known, false).await.unwrap();
    assert_eq!(asked(), 2);
    // A quarter of a region's half.
    for _ in 0..LIMIT / 8 {
        ours.notes(&id).await.unwrap();
    }
    ours.incident_to_page(&known, false).await.unwrap();
    assert_eq!(asked(), 2);
    ours.incident_to_page(&known, true).await.unwrap();
    assert_eq!(asked(), 3, "its own changes are no knowledge");
    let old = jiff::SignedDuration::from_mins(1);
    let old = ams::incident::Incident { seen_at: known.seen_at - old, ..known };
    ours.incident_to_page(&old, false).await.unwrap();
    assert_eq!(asked(), 4, "what is a minute old is no knowledge");
    pagerduty.stop().await;
}
