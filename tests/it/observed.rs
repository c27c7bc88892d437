//! What `/metrics` shows of processes at work.

use std::collections::BTreeSet;
use std::io::Write;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ams::claim::measured::Measured;
use ams::claim::protocol::{Event, Refusal, RunItem, StandDown};
use ams::claim::{Beat, ClaimStore, OpenRun, Signs, StoreError, Which};
use ams::incident::{IncidentId, Outcome, Owner, RunId};
use ams::metrics::vitals::Line;
use ams::metrics::{Delivered, Metrics, Way};
use async_trait::async_trait;
use jiff::Timestamp;
use regex::Regex;
use serde_json::{Value, json};

use crate::harness::wait;
use crate::harness::world::World;

const WAITS: &str = "\
scenario: web
about: A wait that a file ends
match: {all: [web, down]}
steps:
  - check:
      name: Is it over?
      run: 'test -e \"$F/over\"'
      env: {F: \"{{ vars.folder }}\"}
      within: 1m
      every: 100ms
      when_healthy: resolve
  - hand_off: {manual: nothing}
";

/// The number on a line of metrics.
fn number(page: &str, line: &str) -> Option<f64> {
    page.lines().find_map(|it| it.strip_prefix(line)?.trim().parse().ok())
}

async fn page(world: &World, region: usize) -> String {
    let url = world.cluster.regions[region].url("/metrics");
    reqwest::get(url).await.unwrap().text().await.unwrap()
}

async fn until(world: &World, region: usize, line: &str, holds: impl Fn(f64) -> bool) {
    let url = world.cluster.regions[region].url("/metrics");
    let so = |page: &str| number(page, line).is_some_and(&holds);
    wait::for_page(&url, line, so).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_lasts_shows_its_age_and_what_it_holds() {
    let world = World::with(WAITS).settings("heartbeat: 100ms\n").start().await;
    let quiet = page(&world, 0).await;
    assert_eq!(number(&quiet, "ams_oldest_open_run_seconds "), Some(0.0), "{quiet}");
    let incident = world.fire("web is down");
    world.until_working(&incident).await;
    let owner = world.owner(&incident).await;
    for (line, at_least) in [
        ("ams_oldest_open_run_seconds ", 1.0),
        ("ams_bound_used{bound=\"runs\"} ", 1.0),
        ("ams_runs_listed ", 1.0),
        ("ams_oldest_listed_run_seconds ", 1.0),
        ("ams_store_seconds_count{operation=\"claim\"} ", 1.0),
        ("ams_store_seconds_count{operation=\"heartbeat\"} ", 2.0),
        ("ams_delivery_seconds_count{way=\"webhook\"} ", 1.0),
    ] {
        until(&world, owner, line, |number| number >= at_least).await;
    }
    // The other region carries nothing, and sees that somebody does.
    until(&world, 1 - owner, "ams_runs_listed ", |number| number >= 1.0).await;
    let other = page(&world, 1 - owner).await;
    assert_eq!(number(&other, "ams_oldest_open_run_seconds "), Some(0.0), "{other}");
    for (bound, size) in [
        ("runs", 20_000.0),
        ("store_requests", 4_096.0),
        ("early_ends", 10_000.0),
        ("commands", 64.0),
        ("ssh_commands", 64.0),
    ] {
        assert_eq!(number(&other, &format!("ams_bound_size{{bound=\"{bound}\"}} ")), Some(size));
        let used = number(&other, &format!("ams_bound_used{{bound=\"{bound}\"}} "));
        assert!(used.is_some_and(|used| used < 10.0), "{bound}: {used:?}");
    }
    for class in ["part=\"store\",class=\"unreachable\"", "part=\"pagerduty\",class=\"refused\""] {
        assert_eq!(number(&other, &format!("ams_errors_total{{{class}}} ")), Some(0.0), "{class}");
    }
    world.write("over", "");
    world.expect(&incident, Outcome::RecoveredItself).await;
    until(&world, owner, "ams_oldest_open_run_seconds ", |number| number == 0.0).await;
    until(&world, owner, "ams_runs_listed ", |number| number == 0.0).await;
    world.end().await;
}

/// A store that nobody reaches.
struct Away;

fn away<T>() -> Result<T, StoreError> {
    Err(StoreError::Unreachable { reason: "as planned".to_owned() })
}

#[async_trait]
impl ClaimStore for Away {
    async fn apply(
        &self,
        _: &IncidentId,
        _: Event,
    ) -> Result<Result<RunItem, Refusal>, StoreError> {
        away()
    }

    async fn read(&self, _: &IncidentId) -> Result<Option<RunItem>, StoreError> {
        Err(StoreError::Overloaded { waiting: 3 })
    }

    async fn open_runs(&self, _: &Which) -> Result<Vec<OpenRun>, StoreError> {
        away()
    }

    async fn stand_downs(&self, _: &Owner) -> Result<Vec<(RunId, StandDown)>, StoreError> {
        away()
    }

    async fn beat(&self, _: &Beat) -> Result<(), StoreError> {
        Ok(())
    }

    async fn signs(&self) -> Result<Signs, StoreError> {
        away()
    }

    async fn sweep(&self, _: Timestamp, _: &[Owner]) -> Result<u64, StoreError> {
        away()
    }

    fn waiting(&self) -> usize {
        3
    }
}

#[tokio::test]
async fn what_fails_in_the_store_is_counted_by_its_class() {
    let metrics = Metrics::default();
    let store: Arc<dyn ClaimStore> = Arc::new(Away);
    let store = Measured::new(store, &metrics.measures);
    let id = IncidentId::parse("PINC01").unwrap();
    let owner = Owner::of_new_process(&ams::incident::Region::new("tokyo".to_owned()));
    assert!(store.read(&id).await.is_err());
    assert!(store.signs().await.is_err());
    assert!(store.open_runs(&Which::All).await.is_err());
    store.beat(&Beat { owner, number: 1, pauses: 0, rules: String::new() }).await.unwrap();
    assert_eq!(store.waiting(), 3, "the store's own");
    let text = metrics.render();
    for (line, expected) in [
        ("ams_errors_total{part=\"store\",class=\"unreachable\"} ", 2.0),
        ("ams_errors_total{part=\"store\",class=\"overloaded\"} ", 1.0),
        ("ams_errors_total{part=\"store\",class=\"refused\"} ", 0.0),
        ("ams_store_seconds_count{operation=\"heartbeat\"} ", 1.0),
        ("ams_store_seconds_count{operation=\"list\"} ", 1.0),
    ] {
        assert_eq!(number(&text, line), Some(expected), "{line}{text}");
    }
}

#[test]
fn a_bound_is_looked_at_when_somebody_asks() {
    let metrics = Metrics::default();
    let used = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let seen = Arc::clone(&used);
    let look = move || seen.load(std::sync::atomic::Ordering::SeqCst);
    metrics.measures.bound("things", 7, look);
    for held in [0, 5, 2] {
        used.store(held, std::sync::atomic::Ordering::SeqCst);
        let text = metrics.render();
        assert!(text.contains(&format!("ams_bound_used{{bound=\"things\"}} {held}")), "{text}");
        assert!(text.contains("ams_bound_size{bound=\"things\"} 7"), "{text}");
    }
}

#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// The lines of figures, as `log: {format: json}` writes them.
fn figures(metrics: &Metrics, between: impl FnOnce()) -> [Value; 2] {
    let log = Log::default();
    let writer = log.clone();
    let lines = tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_writer(move || writer.clone())
        .finish();
    tracing::subscriber::with_default(lines, || {
        let mut line = Line::new(metrics.clone());
        line.write();
        between();
        line.write();
    });
    let written = String::from_utf8(log.0.lock().unwrap().clone()).unwrap();
    let lines: Vec<Value> =
        written.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    lines.try_into().unwrap()
}

#[test]
fn alarms_find_every_figure_in_the_line_that_a_process_writes() {
    let metrics = Metrics::default();
    metrics.measures.bound("full", 20, || 18);
    metrics.measures.bound("mails", 4, || 4);
    let [first, second] = figures(&metrics, || {
        metrics.store_errors.inc();
        metrics.delivered(Way::Webhook, Delivered::BadSignature, Duration::ZERO);
        metrics.last_resort("slack", false);
    });
    assert_eq!((&first["target"], &first["fullest"]), (&json!("ams::figures"), &json!("full")));
    for name in ["store_errors", "bad_signatures", "last_resort"] {
        assert_eq!((&first[name], &second[name]), (&json!(0), &json!(1)), "{name}");
    }
    assert_eq!(second["fullest_bound"], 90);
    let template = include_str!("../../infra/region.yaml");
    let named = Regex::new(r"\$\.([a-z_]+)").unwrap();
    let named: BTreeSet<&str> =
        named.captures_iter(template).map(|it| it.get(1).unwrap().as_str()).collect();
    for name in named.into_iter().filter(|name| *name != "target") {
        assert!(second[name].is_number(), "the template looks for {name}: {second}");
    }
}
