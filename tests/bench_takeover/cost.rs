//! What an ordinary recovery costs at the store: requests counted on the way to a
//! DynamoDB-compatible engine, those of the idle processes taken off.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::time::Duration;

use ams::sandbox::pagerduty::NewIncident;
use tokio::time::Instant;

use crate::engine::{self, Engine, KEYS, REGION};
use crate::fault_proxy::{Counts, FaultProxy};
use crate::ground::{Environment, Ground, Stores};

/// Five steps, one of them a recovery.
const SCENARIO: &str = "\
scenario: bench
about: Five steps with one recovery
match: {all: [bench]}
steps:
  - check: {run: 'false', when_healthy: resolve}
  - gather: {run: uptime}
  - gather: {run: df}
  - recover: {run: 'true', effect: once}
  - verify: {run: 'true'}
";

const RUNS: u32 = 200;
const IDLE: Duration = Duration::from_secs(20);
const PATIENCE: Duration = Duration::from_mins(3);
const REGIONS: [&str; 2] = ["tokyo", "osaka"];

/// US dollars per million units on demand, us-east-1; Tokyo's differ.
const WRITE_UNITS: f64 = 0.625;
const READ_UNITS: f64 = 0.125;

pub(crate) async fn measure() -> io::Result<()> {
    let engine = Engine::start(Path::new(env!("CARGO_BIN_EXE_ams")));
    let client = engine::client(engine.url());
    engine::create_claims(&client, "claims").await;
    engine::create_history(&client, "history").await;
    let (mut stores, mut environment) = (Stores::new(), Environment::new());
    let mut ways = Vec::new();
    let keys: BTreeMap<String, String> =
        KEYS.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    for (seed, region) in (0..).zip(REGIONS) {
        let way = FaultProxy::start(engine.url(), seed).await?;
        let store = format!(
            "{{dynamodb: {{table: claims, history_table: history, region: {REGION}, endpoint: \
             '{}', single_region: true}}}}",
            way.url()
        );
        stores.insert(region.to_owned(), store);
        environment.insert(region.to_owned(), keys.clone());
        ways.push(way);
    }
    let ground = Ground::start(&REGIONS, SCENARIO, stores, environment).await?;
    tokio::time::sleep(Duration::from_secs(2)).await;
    let idle = counted(&ways, IDLE, async || Ok(())).await?;
    let busy = counted(&ways, IDLE, async || {
        for _ in 0..RUNS {
            let new = NewIncident::titled("bench");
            ground.cluster.pagerduty.trigger(new).map_err(|_| io::Error::other("refused"))?;
        }
        let ended = |it: &Ground| {
            let incidents = it.cluster.pagerduty.incidents();
            incidents.iter().all(|incident| incident.title.starts_with("[AMS recovered]"))
        };
        ground.until(PATIENCE, async |it| ended(it)).await
    })
    .await?;
    tell(&idle, &busy);
    ground.cluster.stop().await;
    Ok(())
}

/// What both ways counted, and for how long.
struct Counted {
    ways: Vec<Counts>,
    within: Duration,
}

/// Counts while something is done, and at least for so long.
async fn counted(
    ways: &[FaultProxy],
    least: Duration,
    work: impl AsyncFnOnce() -> io::Result<()>,
) -> io::Result<Counted> {
    ways.iter().for_each(FaultProxy::reset_counts);
    let began = Instant::now();
    work().await?;
    tokio::time::sleep_until(began + least).await;
    let within = began.elapsed();
    Ok(Counted { ways: ways.iter().map(FaultProxy::counts).collect(), within })
}

impl Counted {
    /// Requests, and the KiB of their bodies.
    fn of(&self, table: &str, operation: &str) -> (u64, u64) {
        let asked = (table.to_owned(), operation.to_owned());
        let carried = self.ways.iter().filter_map(|counts| counts.tables.get(&asked));
        carried.fold((0, 0), |sum, way| (sum.0 + way.requests, sum.1 + way.kib))
    }

    fn failed(&self) -> u64 {
        self.ways.iter().map(|counts| counts.conditions_failed("PutItem")).sum()
    }

    fn per_second(&self, table: &str, operation: &str) -> f64 {
        float(self.of(table, operation).0) / self.within.as_secs_f64()
    }
}

fn tell(idle: &Counted, busy: &Counted) {
    let (runs, seconds) = (f64::from(RUNS), busy.within.as_secs_f64());
    let per_run = |table: &str, operation: &str| {
        let idly = idle.per_second(table, operation) * seconds;
        (float(busy.of(table, operation).0) - idly) / runs
    };
    // A heartbeat is one of these.
    let kib = |table: &str| {
        let idly = idle.per_second(table, "PutItem") * seconds;
        (float(busy.of(table, "PutItem").1) - idly) / runs
    };
    let failed = float(busy.failed()) / runs;
    let (puts, kept) = (per_run("claims", "PutItem"), per_run("history", "PutItem"));
    let writes = puts - failed;
    let reads = per_run("claims", "GetItem") + per_run("history", "GetItem");
    crate::say(format_args!(
        "a five-step run with one recovery, {RUNS} of them in two regions: {writes:.2} writes of \
         the claim, {failed:.2} failed conditional writes, {kept:.2} writes of its story, \
         {reads:.2} reads"
    ));
    crate::say(format_args!(
        "two idle processes, per second: {:.2} writes (heartbeats), {:.2} queries",
        idle.per_second("claims", "PutItem"),
        idle.per_second("claims", "Query") + idle.per_second("history", "Query"),
    ));
    // The claim is billed in both replicas, and enters and leaves one index in each; the story lies
    // in an ordinary table of one region.
    let (claim, story) = (2.0 * (kib("claims") + 2.0), kib("history"));
    let dollars = (claim + story) * WRITE_UNITS + 2.0 * reads * READ_UNITS;
    crate::say(format_args!(
        "at most {:.1} write units each ({claim:.1} for the claim, {story:.1} for the story); \
         a million such runs at us-east-1 prices: {dollars:.2} USD",
        claim + story,
    ));
}

fn float(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
