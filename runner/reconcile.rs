//! Incidents that nobody responds to: PagerDuty is asked at start and every few minutes what is open.
//! What nobody has claimed, because its webhooks were lost in every region, begins like any other; what
//! only AMS has acknowledged and no run works on, because the acknowledgement arrived after the run's
//! end, goes back to people.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::claim::StoreError;
use crate::claim::protocol::{Opening, RUNS_PER_INCIDENT, RunItem};
use crate::claim::takeover::first_to_act;
use crate::incident::{IncidentId, Outcome, Owner, Status};
use crate::limits::{GIVE_BACK_WITHIN, RECONCILE_MAX_AGE, RECONCILE_MIN_AGE};
use crate::pipeline::Pipeline;
use crate::prefix;
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
    /// Open incidents that were looked up and lack nothing.
    settled: HashSet<Seen>,
    /// Those that lack a run and were left to another process last time.
    left: HashSet<Seen>,
}

/// An incident as PagerDuty shows it; one that was opened again is another.
type Seen = (IncidentId, Option<Timestamp>);

fn seen(incident: &OpenIncident) -> Seen {
    (incident.id.clone(), incident.reopened_at)
}

impl Reconcile {
    async fn round(&mut self, pipeline: &Arc<Pipeline>) -> Result<(), Failure> {
        let open = self.in_question(pipeline).await?;
        let unclaimed = &pipeline.metrics.vitals.unclaimed;
        if open.is_empty() {
            unclaimed.set(0);
            return Ok(());
        }
        let mut begun = 0;
        let alive = alive(pipeline).await?;
        let me = pipeline.claims().owner();
        let now = pipeline.executor.clock.now();
        let mut left = HashSet::new();
        for incident in open {
            // What is wrong with one incident is no reason to leave the others alone.
            let found = match pipeline.claims().store().read(&incident.id).await {
                Ok(item) => lack(&incident, item.as_ref(), now),
                Err(error) => {
                    tracing::error!(%error, "incident {} cannot be looked up", incident.id);
                    continue;
                }
            };
            let opening = match found {
                Lack::Opening(opening) => Some(opening),
                Lack::People => None,
                Lack::Nothing => {
                    self.settled.insert(seen(&incident));
                    continue;
                }
                Lack::NotYet => continue,
            };
            begun += i64::from(opening.is_some());
            let is_ours = first_to_act(&alive, &incident.id).is_none_or(|owner| owner == me);
            if !is_ours && !self.left.contains(&seen(&incident)) {
                left.insert(seen(&incident));
                continue;
            }
            let done = match opening {
                Some(opening) => begin(pipeline, &incident.id, opening).await,
                None => give_back(pipeline, &incident.id).await,
            };
            if let Err(error) = done {
                tracing::error!(%error, "incident {} cannot be helped yet", incident.id);
            }
        }
        unclaimed.set(begun);
        self.left = left;
        Ok(())
    }

    /// Open incidents that should have come to us and may not have, and those that we may have kept.
    async fn in_question(&mut self, pipeline: &Pipeline) -> Result<Vec<OpenIncident>, Failure> {
        let platform = &pipeline.reporter.platform;
        let watched = platform.watched().await?;
        let silenced = i64::try_from(watched.silenced).unwrap_or(i64::MAX);
        pipeline.metrics.vitals.subscriptions_disabled.set(silenced);
        let now = pipeline.executor.clock.now();
        let mut open = platform.open_incidents().await?;
        open.retain(|incident| {
            (incident.status == Status::Triggered || incident.is_with_us_alone(&pipeline.bot_user))
                && watched.covers(incident)
                && is_due(incident.reopened_at.or(incident.created_at), now)
        });
        let shown: HashSet<Seen> = open.iter().map(seen).collect();
        self.settled.retain(|it| shown.contains(it));
        open.retain(|incident| !self.settled.contains(&seen(incident)));
        Ok(open)
    }
}

/// Old enough that its webhooks would have come, and not so old that people have long seen to it.
fn is_due(at: Option<Timestamp>, now: Timestamp) -> bool {
    let age = at.map(|at| now.duration_since(at).unsigned_abs());
    age.is_some_and(|age| (RECONCILE_MIN_AGE..=RECONCILE_MAX_AGE).contains(&age))
}

/// What an open incident lacks.
enum Lack {
    Nothing,
    /// Its run is under way; how that ends is to be seen.
    NotYet,
    /// A run for this opening.
    Opening(Opening),
    /// Its run has ended, and our own acknowledgement keeps PagerDuty from paging anybody.
    People,
}

/// An incident whose last run left it resolved and that is triggered now was opened again.
fn lack(incident: &OpenIncident, item: Option<&RunItem>, now: Timestamp) -> Lack {
    if incident.status == Status::Acknowledged {
        let is_under_way = item.is_some_and(|item| item.outcome.is_none());
        return if is_under_way { Lack::NotYet } else { Lack::People };
    }
    let reopened = incident.reopened_at.map(|at| Opening::Reopened { at: at.to_string() });
    let Some(item) = item else {
        // Claims that were lost: what we did for it nobody knows, and people see it open.
        if prefix::original(&incident.title) != incident.title {
            tracing::error!(
                incident.id = %incident.id,
                "incident {} is open, was ours by its title and has no claim: it is left to people",
                incident.id,
            );
            return Lack::Nothing;
        }
        // What we never had, and is old, people have long seen to.
        let is_new = is_due(incident.created_at, now);
        let opening = Some(reopened.unwrap_or(Opening::Triggered)).filter(|_| is_new);
        return opening.map_or(Lack::Nothing, Lack::Opening);
    };
    let was_over = match item.outcome {
        None => return Lack::NotYet,
        Some(Outcome::Resolved | Outcome::RecoveredItself) => true,
        Some(Outcome::StoodDown) => item.stand_down.as_ref().is_some_and(|it| it.reason.ended_it()),
        Some(_) => false,
    };
    let has_runs_left = item.run.number < RUNS_PER_INCIDENT;
    reopened.filter(|_| was_over && has_runs_left).map_or(Lack::Nothing, Lack::Opening)
}

/// Begins its run as its webhook would have, with what PagerDuty says now.
async fn begin(pipeline: &Arc<Pipeline>, id: &IncidentId, opening: Opening) -> Result<(), Failure> {
    let incident = pipeline.reporter.platform.incident(id).await?;
    if incident.status != Status::Triggered {
        return Ok(());
    }
    pipeline.metrics.reconciled.inc();
    tracing::warn!(incident.id = %id, "no run has begun for the open incident {id}: its webhooks were lost");
    pipeline.open(incident, opening).await?;
    Ok(())
}

/// Somebody who has it by now keeps it: each attempt begins with a look.
async fn give_back(pipeline: &Pipeline, id: &IncidentId) -> Result<(), Failure> {
    let incident = pipeline.reporter.platform.incident(id).await?;
    tracing::warn!(incident.id = %id, "incident {id} was acknowledged by AMS alone after its run: it goes back to people");
    let halt = CancellationToken::new();
    let given = pipeline.reporter.give_back(&incident, &pipeline.bot_user, &halt);
    if !matches!(tokio::time::timeout(GIVE_BACK_WITHIN, given).await, Ok(Ok(()))) {
        tracing::error!(incident.id = %id, "incident {id} is not given back yet; the next round tries again");
    }
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
