//! From a person's wish, recorded as a webhook to any region does it, to the run's record that it ends.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use ams::claim::ClaimStore as _;
use ams::claim::protocol::{Event, StandDownReason};
use ams::claim::sqlite::SqliteClaims;
use ams::clock::SystemClock;
use ams::incident::IncidentId;
use ams::sandbox::pagerduty::NewIncident;
use tokio::time::Instant;

use crate::failover::{SCENARIO, say_spread};
use crate::ground::Ground;

const PATIENCE: Duration = Duration::from_mins(1);

pub(crate) async fn measure(runs: usize) -> io::Result<()> {
    let (stores, environment) = Default::default();
    let ground = Ground::start(&["tokyo", "osaka"], SCENARIO, stores, environment).await?;
    for _ in 0..runs {
        let new = NewIncident::titled("bench");
        ground.cluster.pagerduty.trigger(new).map_err(|_| io::Error::other("not triggered"))?;
    }
    ground.until(PATIENCE, async |it| it.read("looks").lines().count() >= runs).await?;
    let store = SqliteClaims::open(&ground.cluster.claims(), Arc::new(SystemClock));
    let store = store.map_err(io::Error::other)?;
    let mut took = Vec::new();
    for (number, incident) in (0..).zip(ground.cluster.pagerduty.incidents()) {
        // At any moment between two rounds of the sweep: 37 and 500 have no common factor.
        tokio::time::sleep(Duration::from_millis(number * 37 % 500)).await;
        took.push(one(&store, &incident.id).await?);
    }
    say_spread("a wish to stand down to the run's record that it ends", took);
    ground.cluster.stop().await;
    Ok(())
}

/// Milliseconds until the run has recorded that it stands down.
async fn one(store: &SqliteClaims, incident: &IncidentId) -> io::Result<i64> {
    let (reason, by) = (StandDownReason::Acknowledged, Some("PANN".to_owned()));
    let wish = Event::StandDown { reason, by, happened: None, run: None };
    let began = Instant::now();
    let answer = store.apply(incident, wish).await.map_err(io::Error::other)?;
    answer.map_err(io::Error::other)?;
    while began.elapsed() < PATIENCE {
        let item = store.read(incident).await.map_err(io::Error::other)?;
        if item.is_some_and(|item| item.journal.is_closed() || item.outcome.is_some()) {
            return i64::try_from(began.elapsed().as_millis()).map_err(io::Error::other);
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Err(io::Error::other("a run did not stand down in time"))
}
