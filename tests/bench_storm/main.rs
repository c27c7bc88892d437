//! Two regions and a PagerDuty that enforces its rate limit, in a storm of alerts
//! (docs/BENCHMARKS.md).
//!
//! `cargo bench --bench storm`: 500 incidents within a minute, each a hand-off, 960 requests a minute.
//! Real processes, real HTTP, real time: some minutes.

use std::collections::BTreeMap;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use ams::claim::ClaimStore as _;
use ams::claim::sqlite::SqliteClaims;
use ams::clock::SystemClock;
use ams::incident::{IncidentId, RunId};
use ams::sandbox::cluster::{Cluster, Plan};
use ams::sandbox::judge::repeated_notes;
use ams::sandbox::pagerduty::{ENGINEER, Entry, IncidentView, NewIncident, Settings};
use clap::Parser as _;
use tokio::time::Instant;

/// A storm of alerts against PagerDuty's rate limit.
#[derive(clap::Parser)]
struct Options {
    /// Incidents
    #[arg(long, default_value_t = 500)]
    incidents: u32,
    /// Seconds over which they come; 0: all at once
    #[arg(long, default_value_t = 60)]
    over: u32,
    /// Requests a minute that PagerDuty takes
    #[arg(long, default_value_t = 960)]
    limit: u32,
    /// Seconds that a check takes before its incident is handed off
    #[arg(long, default_value_t = 2)]
    check: u32,
    /// Given by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

/// For all notes to be written, after the last incident.
const NOTES: Duration = Duration::from_mins(10);

#[tokio::main]
async fn main() -> ExitCode {
    match storm(&Options::parse()).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            say(format_args!("error: {error}"));
            ExitCode::from(2)
        }
    }
}

async fn storm(options: &Options) -> io::Result<bool> {
    let folder = tempfile::tempdir()?;
    let cluster = cluster(options, &folder).await?;
    let began = Instant::now();
    let gap = Duration::from_secs(u64::from(options.over)) / options.incidents.max(1);
    let mut incidents = Vec::new();
    for number in 0..options.incidents {
        tokio::time::sleep_until(began + gap * number).await;
        let new = NewIncident::titled(&format!("disk {number} full"));
        incidents.push(cluster.pagerduty.trigger(new).map_err(io::Error::other)?);
    }
    let store =
        SqliteClaims::open(&cluster.claims(), Arc::new(SystemClock)).map_err(io::Error::other)?;
    let all_ended = async {
        for incident in &incidents {
            while !has_ended(&store, incident).await {
                tokio::time::sleep(Duration::from_millis(200)).await;
            }
        }
    };
    let in_time = tokio::time::timeout(NOTES, all_ended).await.is_ok();
    let took = began.elapsed();
    let refused = limited(&cluster).await;
    let views: Vec<IncidentView> =
        incidents.iter().filter_map(|id| cluster.pagerduty.incident(id)).collect();
    let is_good = report(options, &views, took, refused) && in_time;
    cluster.stop().await;
    Ok(is_good)
}

async fn cluster(options: &Options, folder: &tempfile::TempDir) -> io::Result<Cluster> {
    let scenarios = folder.path().join("scenarios");
    std::fs::create_dir(&scenarios)?;
    let scenario = format!(
        "scenario: disk\nabout: disk space\nmatch: {{all: [disk, full]}}\nsteps:\n  - check: \
         {{name: space, run: 'sleep {}; false', when_healthy: resolve}}\n",
        options.check
    );
    std::fs::write(scenarios.join("storm.yaml"), scenario)?;
    Cluster::start(Plan {
        exe: PathBuf::from(env!("CARGO_BIN_EXE_ams")),
        folder: folder.path().join("cluster"),
        scenarios,
        regions: vec!["tokyo".to_owned(), "osaka".to_owned()],
        vars: BTreeMap::new(),
        lang: "en".to_owned(),
        settings: "log: {level: error}\nlimits: {}\n".to_owned(),
        environment: BTreeMap::new(),
        stores: BTreeMap::new(),
        subscribes: true,
        pagerduty: Settings { requests_per_minute: Some(options.limit), ..Settings::default() },
        clock: Arc::new(SystemClock),
    })
    .await
}

async fn has_ended(store: &SqliteClaims, incident: &IncidentId) -> bool {
    matches!(store.read(incident).await, Ok(Some(item)) if item.outcome.is_some())
}

/// Requests that both regions were answered with 429.
async fn limited(cluster: &Cluster) -> u64 {
    let mut sum = 0;
    for region in &cluster.regions {
        let Ok(answer) = reqwest::get(region.url("/metrics")).await else { continue };
        let text = answer.text().await.unwrap_or_default();
        let lines = text.lines().filter(|line| line.contains("status=\"429\""));
        sum += lines.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum::<u64>();
    }
    sum
}

/// `false`: a page was late or something was lost.
fn report(options: &Options, views: &[IncidentView], took: Duration, refused: u64) -> bool {
    let mut waits: Vec<Duration> = views.iter().filter_map(paged_after).collect();
    waits.sort();
    let at = |part: usize| waits.get((waits.len() * part / 100).min(waits.len().saturating_sub(1)));
    let shown = |part| at(part).map_or_else(String::new, |it| format!("{:.2} s", it.as_secs_f64()));
    let unpaged = views.len() - waits.len();
    let wrong = views.iter().filter(|view| {
        let run = RunId { incident: view.id.clone(), number: 1 };
        !repeated_notes(view, &run, false).is_empty()
    });
    let wrong = wrong.count();
    let notes: usize = views.iter().map(|view| view.notes.len()).sum();
    let check = Duration::from_secs(u64::from(options.check));
    let late = waits.iter().filter(|wait| **wait > check + Duration::from_secs(10)).count();
    let Options { incidents, over, limit, .. } = options;
    say(format_args!("{incidents} incidents in {over} s, {limit} requests a minute"));
    say(format_args!("| page after the alert: p50 | {} |", shown(50)));
    say(format_args!("| page after the alert: p99 | {} |", shown(99)));
    say(format_args!("| page after the alert: longest | {} |", shown(100)));
    say(format_args!("| later than 10 s after the check | {late} |"));
    say(format_args!("| not paged | {unpaged} |"));
    say(format_args!("| end notes missing or twice | {wrong} |"));
    say(format_args!("| notes | {notes} |"));
    say(format_args!("| until the last note | {:.0} s |", took.as_secs_f64()));
    say(format_args!("| requests answered 429 | {refused} |"));
    late == 0 && unpaged == 0 && wrong == 0
}

fn paged_after(view: &IncidentView) -> Option<Duration> {
    let is_page = |entry: &Entry| matches!(entry, Entry::Paged { user, .. } if user == ENGINEER);
    let page = view.log.iter().find(|entry| is_page(&entry.what))?;
    page.at.duration_since(view.created_at).try_into().ok()
}

/// Nobody reads what cannot be written.
fn say(line: std::fmt::Arguments<'_>) {
    drop(writeln!(io::stdout(), "{line}"));
}
