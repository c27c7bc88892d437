//! Once per heartbeat: who asked our runs to stand down, and whose runs have lost their owner.
//!
//! An open run without an owner that shows life is taken over and goes on where its journal
//! stands (`resume.rs`).

use std::collections::HashSet;
use std::sync::Arc;

use jiff::SignedDuration;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::claim::protocol::RunItem;
use crate::claim::takeover::Watcher;
use crate::claim::{StoreError, TakenOver};
use crate::incident::IncidentId;
use crate::limits;
use crate::pipeline::Pipeline;
use crate::resume;

/// Rounds between two clean-ups of what ended long ago.
const CLEAN_UP_EVERY: u64 = 3_600;

/// Sweeps until cancelled, once per heartbeat interval.
pub async fn sweep_until(pipeline: Arc<Pipeline>, stop: CancellationToken) {
    let terms = pipeline.executor.pulse.terms();
    let mut sweep = Sweep { watcher: Watcher::new(terms.lease), strays: HashSet::new() };
    let mut ticks = tokio::time::interval(terms.beat_every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for round in 1_u64.. {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        if let Err(error) = sweep.round(&pipeline, round).await {
            pipeline.metrics.store_errors.inc();
            tracing::warn!(%error, "the sweep could not read the claim store");
        }
    }
}

struct Sweep {
    watcher: Watcher,
    /// Open runs that name us and that we are not carrying out: seen once, they may be about to
    /// start; seen twice, their claim's answer was lost on the way.
    strays: HashSet<IncidentId>,
}

impl Sweep {
    async fn round(&mut self, pipeline: &Arc<Pipeline>, round: u64) -> Result<(), StoreError> {
        let claims = pipeline.claims();
        for (incident, stand_down) in claims.store().stand_downs(claims.owner()).await? {
            pipeline.runs.stand_down(&incident, stand_down);
        }
        let beats = claims.store().heartbeats().await?;
        let open = claims.store().open_runs().await?;
        let now = Instant::now();
        self.watcher.look(&beats, &open, now);
        if pipeline.runs.refuses().is_none() && pipeline.executor.pulse.is_good() {
            for orphan in self.orphans(pipeline, &open, now) {
                take_over(pipeline, orphan).await?;
            }
        }
        if round.is_multiple_of(CLEAN_UP_EVERY) {
            let kept = SignedDuration::try_from(limits::CLAIM_KEPT).unwrap_or(SignedDuration::MAX);
            let before = pipeline.executor.clock.now() - kept;
            claims.store().sweep(before, &self.watcher.alive(now)).await?;
            if let Err(error) = pipeline.executor.history.sweep(before).await {
                tracing::warn!(%error, "what ended runs had read is not forgotten yet");
            }
        }
        Ok(())
    }

    fn orphans<'a>(
        &mut self,
        pipeline: &Pipeline,
        open: &'a [RunItem],
        now: Instant,
    ) -> Vec<&'a RunItem> {
        let me = pipeline.claims().owner();
        let is_stray =
            |item: &&RunItem| item.owner == *me && !pipeline.runs.has(&item.run.incident);
        let strays: HashSet<IncidentId> =
            open.iter().filter(is_stray).map(|item| item.run.incident.clone()).collect();
        let twice: HashSet<IncidentId> = strays.intersection(&self.strays).cloned().collect();
        self.strays = strays;
        let mine = open.iter().filter(|item| twice.contains(&item.run.incident));
        let others = self.watcher.orphans(open, me, now).filter(|item| item.owner != *me);
        mine.chain(others).collect()
    }
}

async fn take_over(pipeline: &Arc<Pipeline>, seen: &RunItem) -> Result<(), StoreError> {
    // From here on only what was taken over counts: its owner may have written since it was seen.
    let TakenOver { claim, item } = match pipeline.claims().take_over(seen).await? {
        Ok(taken) => taken,
        // The other region was faster, or the owner lives.
        Err(refusal) => {
            tracing::debug!("run {} is not taken over: {refusal}", seen.run);
            return Ok(());
        }
    };
    pipeline.metrics.take_overs.inc();
    tracing::warn!(
        incident.id = %seen.run.incident, epoch = claim.epoch(),
        "run {} is taken over from {}", seen.run, seen.owner,
    );
    let place = pipeline.runs.enrol(&seen.run.incident);
    if let Some(stand_down) = item.stand_down.clone() {
        pipeline.runs.stand_down(&item.run.incident, stand_down);
    }
    let pipeline_of_run = Arc::clone(pipeline);
    pipeline.runs.spawn(async move {
        let begun = resume::pick_up(&pipeline_of_run, claim, &item, place).await;
        pipeline_of_run.respond(begun).await;
    });
    Ok(())
}
