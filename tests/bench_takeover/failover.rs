//! From the end of a run's owner to the next step of that run in the other region.

use std::collections::HashMap;
use std::io;
use std::time::Duration;

use ams::claim::ClaimStore as _;
use ams::claim::sqlite::SqliteClaims;
use ams::clock::{Clock as _, SystemClock};
use ams::sandbox::pagerduty::NewIncident;

use crate::ground::Ground;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loss {
    Killed,
    Stopped,
}

/// Every look leaves the time at which it began; then the run waits, and is lost there.
pub(crate) const SCENARIO: &str = "\
scenario: bench
about: A look, then a wait
match: {all: [bench]}
deadline: 30m
steps:
  - gather:
      run: echo \"$AMS_INCIDENT $(date +%s%3N)\" >> \"$FOLDER/looks\"
      env: {FOLDER: \"{{ vars.folder }}\"}
  - wait: {for: 20m}
";

/// Runs lost at once: as many as one region has just then.
const AT_ONCE: usize = 20;

const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) async fn measure(loss: Loss, runs: usize) -> io::Result<()> {
    let mut took: Vec<i64> = Vec::new();
    while took.len() < runs {
        took.extend(round(loss).await?);
    }
    let word = match loss {
        Loss::Killed => "kill -9",
        Loss::Stopped => "SIGTERM",
    };
    say_spread(&format!("{word} of the owner to the next step in the other region"), took);
    Ok(())
}

/// `took` in milliseconds.
pub(crate) fn say_spread(what: &str, mut took: Vec<i64>) {
    took.sort_unstable();
    let at = |part: usize| took[(took.len() * part / 100).min(took.len() - 1)];
    crate::say(format_args!(
        "from {what}, {} runs: p50 {} ms, p99 {} ms, longest {} ms",
        took.len(),
        at(50),
        at(99),
        at(100),
    ));
}

/// Milliseconds for each run that the lost region had.
async fn round(loss: Loss) -> io::Result<Vec<i64>> {
    let (stores, environment) = Default::default();
    let mut ground = Ground::start(&["tokyo", "osaka"], SCENARIO, stores, environment).await?;
    for _ in 0..AT_ONCE {
        let new = NewIncident::titled("bench");
        ground.cluster.pagerduty.trigger(new).map_err(|_| io::Error::other("not triggered"))?;
    }
    ground.until(PATIENCE, async |it| it.read("looks").lines().count() >= AT_ONCE).await?;
    let clock = std::sync::Arc::new(SystemClock);
    let store = SqliteClaims::open(&ground.cluster.claims(), clock).map_err(io::Error::other)?;
    let mut lost = Vec::new();
    for incident in ground.cluster.pagerduty.incidents() {
        let run = store.read(&incident.id).await.map_err(io::Error::other)?;
        if run.is_some_and(|run| run.owner.as_str().starts_with("tokyo")) {
            lost.push(incident.id.to_string());
        }
    }
    let at = SystemClock.now().as_millisecond();
    match loss {
        Loss::Killed => ground.cluster.regions[0].kill().await?,
        Loss::Stopped => ground.cluster.regions[0].signal(rustix::process::Signal::TERM)?,
    }
    let after = AT_ONCE + lost.len();
    ground.until(PATIENCE, async |it| it.read("looks").lines().count() >= after).await?;
    let mut last: HashMap<String, i64> = HashMap::new();
    for line in ground.read("looks").lines() {
        if let Some((incident, millis)) = line.split_once(' ') {
            last.insert(incident.to_owned(), millis.parse().unwrap_or(0));
        }
    }
    let took = lost.iter().map(|incident| last.get(incident).copied().unwrap_or(0) - at).collect();
    ground.cluster.stop().await;
    Ok(took)
}
