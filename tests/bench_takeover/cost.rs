//! What an ordinary recovery costs at the store: requests counted on the way to a
//! DynamoDB-compatible engine, those of the idle processes taken off.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;
use std::time::Duration;

use ams::sandbox::pagerduty::NewIncident;
use tokio::time::Instant;

use crate::engine::{self, Engine, KEYS, REGION};
use crate::fault_proxy::FaultProxy;
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
            incidents.iter().all(|incident| incident.title.starts_with("[AMS Recovered]"))
        };
        ground.until(PATIENCE, async |it| ended(it)).await
    })
    .await?;
    tell(&idle, &busy);
    ground.cluster.stop().await;
    Ok(())
}

/// Requests per operation, and how long was counted.
struct Counted {
    carried_out: BTreeMap<String, u64>,
    failed: u64,
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
    let mut carried_out = BTreeMap::new();
    let mut failed = 0;
    for counts in ways.iter().map(FaultProxy::counts) {
        for (operation, count) in counts.carried_out {
            *carried_out.entry(operation).or_default() += count;
        }
        failed += counts.conditions_failed.values().sum::<u64>();
    }
    Ok(Counted { carried_out, failed, within })
}

fn tell(idle: &Counted, busy: &Counted) {
    let per_second = |operation: &str| {
        let count = idle.carried_out.get(operation).copied().unwrap_or_default();
        float(count) / idle.within.as_secs_f64()
    };
    let per_run = |operation: &str| {
        let count = busy.carried_out.get(operation).copied().unwrap_or_default();
        (float(count) - per_second(operation) * busy.within.as_secs_f64()) / f64::from(RUNS)
    };
    let failed = float(busy.failed) / f64::from(RUNS);
    let writes = per_run("PutItem") - failed;
    let reads = per_run("GetItem");
    crate::say(format_args!(
        "a five-step run with one recovery, {RUNS} of them in two regions: {writes:.2} writes, \
         {failed:.2} failed conditional writes, {reads:.2} reads"
    ));
    crate::say(format_args!(
        "two idle processes, per second: {:.2} writes (heartbeats), {:.2} queries",
        per_second("PutItem"),
        per_second("Query"),
    ));
    // Every write is billed in both replicas; a run enters and leaves one index.
    let units = 2.0 * (writes + failed + 2.0);
    let dollars = units * WRITE_UNITS + reads * READ_UNITS;
    crate::say(format_args!(
        "a million such runs at us-east-1 prices: {units:.1} write units each, {dollars:.2} USD"
    ));
}

fn float(count: u64) -> f64 {
    f64::from(u32::try_from(count).unwrap_or(u32::MAX))
}
