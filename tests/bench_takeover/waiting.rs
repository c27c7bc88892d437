//! Thousands of runs that wait in one process: its memory, and whether its heart goes on beating.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use ams::claim::sqlite::SqliteClaims;
use ams::claim::{ClaimStore as _, Which};
use ams::clock::SystemClock;
use ams::sandbox::pagerduty::NewIncident;
use tokio::time::Instant;

use crate::ground::Ground;
use crate::usage;

const SCENARIO: &str = "\
scenario: bench
about: A long wait
match: {all: [bench]}
deadline: 2h
steps:
  - wait: {for: 1h}
  - gather: {run: 'true'}
";

const PATIENCE: Duration = Duration::from_mins(15);

/// How long the heartbeat is watched once all are waiting.
const WATCHED: Duration = Duration::from_secs(30);

pub(crate) async fn measure(runs: usize) -> io::Result<()> {
    let (stores, environment) = Default::default();
    let ground = Ground::start(&["tokyo"], SCENARIO, stores, environment).await?;
    let clock = Arc::new(SystemClock);
    let store = SqliteClaims::open(&ground.cluster.claims(), clock).map_err(io::Error::other)?;
    let number = async || {
        let beats = store.heartbeats().await.unwrap_or_default();
        beats.first().map_or(0, |(_, number)| *number)
    };
    let (began, first) = (Instant::now(), number().await);
    for _ in 0..runs {
        let new = NewIncident::titled("bench");
        ground.cluster.pagerduty.trigger(new).map_err(|_| io::Error::other("not triggered"))?;
    }
    let all_open = async |_: &Ground| {
        tokio::time::sleep(Duration::from_secs(1)).await;
        store.open_runs(&Which::All).await.is_ok_and(|open| open.len() >= runs)
    };
    ground.until(PATIENCE, all_open).await?;
    let notes = async |it: &Ground| {
        tokio::time::sleep(Duration::from_secs(1)).await;
        it.cluster.pagerduty.request_count("POST", "/incidents/{id}/notes") >= runs as u64
    };
    ground.until(PATIENCE, notes).await?;
    let (filling, while_filling) = (began.elapsed(), number().await - first);
    let (began, first) = (Instant::now(), number().await);
    tokio::time::sleep(WATCHED).await;
    let (waited, while_waiting) = (began.elapsed(), number().await - first);
    let pid = ground.cluster.regions[0].pid().ok_or_else(|| io::Error::other("it is gone"))?;
    let used = usage::of(pid)?;
    crate::say(format_args!(
        "{runs} runs waiting in one process: {} MiB resident, {} MiB at most; heartbeats {} in \
         {:.0} s while they came, {} in {:.0} s while they waited; {:.1} s of processor in all",
        used.resident_kib / 1024,
        used.peak_kib / 1024,
        while_filling,
        filling.as_secs_f64(),
        while_waiting,
        waited.as_secs_f64(),
        used.cpu.as_secs_f64(),
    ));
    ground.cluster.stop().await;
    Ok(())
}
