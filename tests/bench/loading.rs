//! How long it takes to load and check a large catalog of scenario files (docs/BENCHMARKS.md).
//!
//! `cargo bench --bench loading`, with `-- 20000` for another number of files. They are copies of a
//! sandbox scenario, each with an id and a keyword of its own, a hundred to a directory.

use std::error::Error;
use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ams::customer::catalog::Customers;
use ams::incident::{Incident, IncidentId, Status, Urgency};
use ams::matching::Choice;
use ams::rules::{RuleSet, Rules};
use ams::scenario::catalog::{Catalog, CatalogError};
use tokio::time::Instant;

const SCENARIO: &str = include_str!("../../scenarios/sandbox/site-not-answering.yaml");
const FILES: usize = 10_000;
/// The median of these counts; files are in the system's cache from the first on.
const ROUNDS: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let files = std::env::args().find_map(|arg| arg.parse().ok()).unwrap_or(FILES);
    let dir = tempfile::tempdir()?;
    let bytes = write(dir.path(), files)?;
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let begin = Instant::now();
        let catalog = Catalog::load(dir.path(), None)?;
        times.push(begin.elapsed());
        assert_eq!((catalog.scenarios.len(), catalog.findings.len()), (files, 0));
    }
    times.sort();
    let median = times[ROUNDS / 2];
    let report = format!(
        "{files} files, {:.1} MB, {} processors\n\
         loaded and checked in {} ms (median of {ROUNDS}; best {} ms, worst {} ms)\n\
         {:.0} µs a file\n",
        mega(bytes),
        processors(),
        median.as_millis(),
        times[0].as_millis(),
        times[ROUNDS - 1].as_millis(),
        micros(median, files),
    );
    std::io::stdout().write_all(report.as_bytes())?;
    reloading(dir.path())?;
    customers()
}

/// Customers beside them, each with its hosts.
const CUSTOMERS: usize = 2_500;
const HOSTS: usize = 15;

fn customers() -> Result<(), Box<dyn Error>> {
    let dir = tempfile::tempdir()?;
    for n in 0..CUSTOMERS {
        let mut text = format!(
            "customer: customer-{n:04}\nname: お客様 {n}\nservices: [P{n:06}]\ntime_zone: Asia/Tokyo\n\
             belongs: {{title: {{all: [\"[C{n:04}]\"]}}}}\nparameters: {{limit: 90}}\nhosts:\n"
        );
        let hosts = (0..HOSTS).map(|host| {
            format!(
                "  - {{name: web{host:02}, address: 10.0.1.{host}, aliases: [i-0a1b2c3d{n:06}{host:02}], \
                 groups: [web], parameters: {{service: httpd}}}}\n"
            )
        });
        text.extend(hosts);
        std::fs::write(dir.path().join(format!("{n:04}.yaml")), text)?;
    }
    let mut times = Vec::new();
    let mut longest = Duration::ZERO;
    for _ in 0..ROUNDS {
        let begin = Instant::now();
        let customers = Customers::load(dir.path())?;
        times.push(begin.elapsed());
        assert_eq!((customers.len(), customers.findings.len()), (CUSTOMERS, 0));
        let begin = Instant::now();
        let found = customers.of(&incident("x"), "[C2499] web01 is down");
        longest = longest.max(begin.elapsed());
        assert_eq!(found.map(|it| it.id.clone()).as_deref(), Some("customer-2499"));
    }
    times.sort();
    let report = format!(
        "\n{CUSTOMERS} customers with {HOSTS} hosts each, loaded in {} ms (median of {ROUNDS}; best {} ms, \
         worst {} ms)\nwhose incident it is by words of its title: {} µs at most\n",
        times[ROUNDS / 2].as_millis(),
        times[0].as_millis(),
        times[ROUNDS - 1].as_millis(),
        longest.as_micros(),
    );
    std::io::stdout().write_all(report.as_bytes())?;
    Ok(())
}

/// What a webhook needs of the rules, alone and while the same catalog is read and exchanged again
/// and again.
fn reloading(dir: &Path) -> Result<(), Box<dyn Error>> {
    let load = || -> Result<RuleSet, CatalogError> {
        Ok(RuleSet::new(Catalog::load(dir, None)?, Customers::default()))
    };
    let rules = Rules::new(load()?);
    let alone = matching(&rules, &AtomicBool::new(true));
    let done = AtomicBool::new(false);
    let busy = std::thread::scope(|scope| {
        let asked = scope.spawn(|| matching(&rules, &done));
        let began = Instant::now();
        while began.elapsed() < Duration::from_secs(10) {
            rules.replace(load()?);
        }
        done.store(true, Ordering::Relaxed);
        asked.join().map_err(|_| "the asking thread died").map_err(Box::<dyn Error>::from)
    })?;
    let line = |name: &str, times: &[Duration]| {
        let at = |share: usize| times[(times.len() * share / 1000).min(times.len() - 1)];
        format!(
            "{name}: {} titles, median {:?}, p99 {:?}, longest {:?}\n",
            times.len(),
            at(500),
            at(990),
            at(1000),
        )
    };
    let report = line("alone", &alone) + &line("while reloading", &busy);
    std::io::stdout().write_all(report.as_bytes())?;
    Ok(())
}

/// Titles chosen for, a millisecond apart, until `done` and at least a thousand; sorted times.
fn matching(rules: &Rules, done: &AtomicBool) -> Vec<Duration> {
    let mut times = Vec::new();
    while !done.load(Ordering::Relaxed) || times.len() < 1_000 {
        let begin = Instant::now();
        let set = rules.current();
        let title = "HTTP 応答なし 顧客042 web04217 site=shop port=8080";
        let choice = set.choose(title, &incident(title), None);
        times.push(begin.elapsed());
        assert!(matches!(choice, Choice::Scenario { .. }), "{choice:?}");
        std::thread::sleep(Duration::from_millis(1));
    }
    times.sort_unstable();
    times
}

fn incident(title: &str) -> Incident {
    Incident {
        id: IncidentId::parse("PBENCH").expect("an incident id"),
        title: title.to_owned(),
        status: Status::Triggered,
        urgency: Urgency::High,
        number: None,
        created_at: None,
        status_by: None,
        reopened_at: None,
        service: None,
        escalation_policy: None,
        acknowledged_by: Vec::new(),
        assignees: Vec::new(),
        html_url: None,
        seen_at: jiff::Timestamp::UNIX_EPOCH,
    }
}

fn write(dir: &Path, files: usize) -> std::io::Result<usize> {
    let mut bytes = 0;
    for n in 0..files {
        let folder = dir.join(format!("customer-{:03}", n / 100));
        std::fs::create_dir_all(&folder)?;
        let text = SCENARIO
            .replace("site-not-answering", &format!("site-not-answering-{n:05}"))
            .replace("応答なし]", &format!("応答なし, 顧客{:03}, web{n:05}]", n / 100));
        bytes += text.len();
        std::fs::write(folder.join(format!("site-{n:05}.yaml")), text)?;
    }
    Ok(bytes)
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

#[expect(clippy::cast_precision_loss, reason = "for people")]
fn mega(bytes: usize) -> f64 {
    bytes as f64 / 1e6
}

#[expect(clippy::cast_precision_loss, reason = "for people")]
fn micros(time: Duration, files: usize) -> f64 {
    time.as_secs_f64() * 1e6 / files as f64
}
