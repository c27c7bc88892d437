//! Incidents whose webhooks were lost in every region: PagerDuty is asked at start and every few
//! minutes what is open, and what nobody has claimed begins like any other.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::claim::StoreError;
use crate::claim::protocol::Opening;
use crate::claim::takeover::first_to_act;
use crate::incident::{IncidentId, Owner, Status};
use crate::limits::{RECONCILE_MAX_AGE, RECONCILE_MIN_AGE};
use crate::pipeline::Pipeline;
use crate::report::{OpenIncident, PlatformError};

/// Why a round came to nothing; the next one tries again.
#[derive(Debug, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Platform(#[from] PlatformError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Reconciles until cancelled: first after one lease, when it is known who else is alive.
pub async fn reconcile_until(pipeline: Arc<Pipeline>, every: Duration, stop: CancellationToken) {
    let mut reconcile = Reconcile::default();
    let mut pause = pipeline.executor.pulse.terms().lease.min(every);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(pause) => {}
        }
        pause = every;
        if pipeline.runs.refuses().is_some() || !pipeline.executor.pulse.is_good() {
            continue;
        }
        if let Err(error) = reconcile.round(&pipeline).await {
            pipeline.metrics.reconcile_failures.inc();
            tracing::warn!(%error, "open incidents could not be compared with the claims");
        }
    }
}

#[derive(Default)]
struct Reconcile {
    /// Open incidents that are known to be claimed.
    claimed: HashSet<IncidentId>,
    /// Unclaimed ones that were left to another process last time.
    left: HashSet<IncidentId>,
}

impl Reconcile {
    async fn round(&mut self, pipeline: &Arc<Pipeline>) -> Result<(), Failure> {
        let open = self.in_question(pipeline).await?;
        if open.is_empty() {
            return Ok(());
        }
        let alive = alive(pipeline).await?;
        let me = pipeline.claims().owner();
        let mut left = HashSet::new();
        for incident in open {
            if pipeline.claims().store().read(&incident).await?.is_some() {
                self.claimed.insert(incident);
                continue;
            }
            let is_ours = first_to_act(&alive, &incident).is_none_or(|owner| owner == me);
            if is_ours || self.left.contains(&incident) {
                begin(pipeline, &incident).await?;
            } else {
                left.insert(incident);
            }
        }
        self.left = left;
        Ok(())
    }

    /// Open incidents that should have come to us and may not have.
    async fn in_question(&mut self, pipeline: &Pipeline) -> Result<Vec<IncidentId>, Failure> {
        let platform = &pipeline.reporter.platform;
        let watched = platform.watched().await?;
        let now = pipeline.executor.clock.now();
        let is_due = |incident: &OpenIncident| {
            let age = incident.created_at.map(|at| now.duration_since(at).unsigned_abs());
            let due = |age| age >= RECONCILE_MIN_AGE && age <= RECONCILE_MAX_AGE;
            incident.status == Status::Triggered && watched.covers(incident) && age.is_some_and(due)
        };
        let open = platform.open_incidents().await?;
        let open: Vec<IncidentId> =
            open.into_iter().filter(is_due).map(|incident| incident.id).collect();
        self.claimed.retain(|incident| open.contains(incident));
        Ok(open.into_iter().filter(|incident| !self.claimed.contains(incident)).collect())
    }
}

/// Begins its run as its webhook would have, with what PagerDuty says now.
async fn begin(pipeline: &Arc<Pipeline>, id: &IncidentId) -> Result<(), Failure> {
    let incident = pipeline.reporter.platform.incident(id).await?;
    if incident.status != Status::Triggered {
        return Ok(());
    }
    pipeline.metrics.reconciled.inc();
    tracing::warn!(incident.id = %id, "nobody has claimed the open incident {id}: its webhooks were lost");
    pipeline.open(incident, Opening::Triggered).await?;
    Ok(())
}

/// The processes that show life just now: their heartbeats move.
async fn alive(pipeline: &Pipeline) -> Result<Vec<Owner>, StoreError> {
    let store = pipeline.claims().store();
    let before = store.heartbeats().await?;
    tokio::time::sleep(pipeline.executor.pulse.terms().beat_every * 2).await;
    let now = store.heartbeats().await?;
    let moved = now.into_iter().filter(|beat| !before.contains(beat));
    Ok(moved.map(|(owner, _)| owner).collect())
}
