//! Twice per heartbeat: who asked our runs to stand down, and whose runs have lost their owner.
//!
//! An open run without an owner that shows life is taken over and goes on where its journal
//! stands (`resume.rs`).

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use jiff::SignedDuration;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::claim::takeover::{Watcher, first_to_act};
use crate::claim::{OpenRun, Signs, StoreError, TakenOver, Which};
use crate::incident::{Owner, RunId};
use crate::limits;
use crate::metrics::measures::Measures;
use crate::peers::Peers;
use crate::pipeline::Pipeline;
use crate::resume;
use crate::spans::Cause;

/// Rounds between two clean-ups of what ended long ago: about an hour.
const CLEAN_UP_EVERY: u64 = 7_200;

/// The round after which old evidence files are looked for, and again with each clean-up: a runner that
/// is started every hour must find them, too.
const OLD_FILES_AT: u64 = 60;

/// Rounds between two listings of all open runs. In between only runs of dead owners and released
/// ones are asked for, which costs nothing while there are none.
const LIST_EVERY: u64 = 10;

/// Rounds for which an orphan is left to the process that is to take it first.
const LEFT_TO_OTHERS: u32 = 2;

/// Sweeps until cancelled, twice per heartbeat interval.
pub async fn sweep_until(pipeline: Arc<Pipeline>, stop: CancellationToken) {
    let terms = pipeline.executor.pulse.terms();
    let me = pipeline.claims().owner().clone();
    let mut sweep = Sweep::new(Watcher::new(terms.lease), Peers::of(me));
    let mut ticks = tokio::time::interval(terms.beat_every / 2);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for round in 0_u64.. {
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
    /// All open runs as they were listed last.
    listed: Vec<OpenRun>,
    /// Open runs that name us and that we are not carrying out: listed once, they may be about to
    /// start; listed twice, their claim's answer was lost on the way.
    strays: HashSet<RunId>,
    /// Dead owners that have no open run any more.
    settled: HashSet<Owner>,
    /// Orphans that another process is to take first, and for how many rounds it has not.
    left: HashMap<OpenRun, u32>,
    /// Open runs of all processes, since they were first listed here.
    seen: HashMap<RunId, Instant>,
    peers: Peers,
}

impl Sweep {
    fn new(watcher: Watcher, peers: Peers) -> Self {
        let (strays, settled) = (HashSet::new(), HashSet::new());
        let (left, seen) = (HashMap::new(), HashMap::new());
        Self { watcher, listed: Vec::new(), strays, settled, left, seen, peers }
    }

    async fn round(&mut self, pipeline: &Arc<Pipeline>, round: u64) -> Result<(), StoreError> {
        let claims = pipeline.claims();
        for (run, stand_down) in claims.store().stand_downs(claims.owner()).await? {
            pipeline.runs.stand_down(&run, stand_down);
        }
        let lists = round.is_multiple_of(LIST_EVERY);
        if lists {
            self.listed = claims.store().open_runs(&Which::All).await?;
            self.settled.clear();
            self.measure(&pipeline.metrics.measures);
        }
        let asked = self.look(pipeline).await?;
        if pipeline.runs.refuses().is_none() && pipeline.executor.pulse.is_good() {
            let mut orphans = self.orphans(pipeline).await?;
            if lists {
                orphans.extend(self.strays(pipeline));
            }
            self.take(pipeline, orphans, asked).await?;
        }
        if round % CLEAN_UP_EVERY == OLD_FILES_AT {
            let (evidence, now) = (pipeline.evidence.clone(), pipeline.executor.clock.now());
            tokio::spawn(async move { evidence.sweep(now.into()).await });
        }
        if round > 0 && round.is_multiple_of(CLEAN_UP_EVERY) {
            // It may take seconds, and take-overs must not wait for it.
            tokio::spawn(clean_up(Arc::clone(pipeline), self.watcher.alive()));
        }
        Ok(())
    }

    /// A run that nobody carries out is in no process's own list.
    fn measure(&mut self, measures: &Measures) {
        let listed: HashSet<&RunId> = self.listed.iter().map(|open| &open.run).collect();
        self.seen.retain(|run, _| listed.contains(run));
        for run in listed {
            self.seen.entry(run.clone()).or_insert_with(Instant::now);
        }
        let oldest = self.seen.values().map(Instant::elapsed).max().unwrap_or_default();
        measures.listed(self.seen.len(), oldest);
    }

    /// Asks for all heartbeats, and for what is paused; answers with when it did.
    async fn look(&mut self, pipeline: &Pipeline) -> Result<Instant, StoreError> {
        let asked = Instant::now();
        let Signs { beats, pauses } = pipeline.claims().store().signs().await?;
        let pauses = pauses.as_ref().map(Option::as_deref).map_err(Clone::clone);
        pipeline.executor.pulse.in_force().hear(pauses, asked);
        let numbers: Vec<(Owner, u64)> =
            beats.iter().map(|beat| (beat.owner.clone(), beat.number)).collect();
        self.watcher.look((&numbers, asked), &self.listed, &pipeline.executor.pulse);
        let rules = pipeline.rules().current();
        pipeline.executor.pulse.goes_by(rules.version());
        let alive = self.watcher.alive();
        self.peers.look(&beats, &alive, rules.version(), &pipeline.metrics.vitals);
        // They all write to PagerDuty with the same key.
        pipeline.reporter.platform.share_with(alive.len());
        Ok(asked)
    }

    async fn take(
        &mut self,
        pipeline: &Arc<Pipeline>,
        orphans: Vec<OpenRun>,
        mut asked: Instant,
    ) -> Result<(), StoreError> {
        let me = pipeline.claims().owner();
        for orphan in orphans {
            if is_late(pipeline, asked) {
                asked = self.look(pipeline).await?;
            }
            // Its owner may have come back while the others were taken.
            if !orphan.released && orphan.owner != *me && !self.watcher.is_dead(&orphan.owner) {
                continue;
            }
            let judged = Judged { asked, number: self.watcher.number(&orphan.owner) };
            // What is wrong with one run is no reason to leave the others alone.
            if let Err(error) = take_over(pipeline, &orphan, judged).await {
                pipeline.metrics.store_errors.inc();
                tracing::error!(%error, "run {} could not be taken over yet", orphan.run);
            }
        }
        Ok(())
    }

    /// Runs whose owners are dead or gave them up, as far as it is our turn.
    async fn orphans(&mut self, pipeline: &Pipeline) -> Result<Vec<OpenRun>, StoreError> {
        let (store, me) = (pipeline.claims().store(), pipeline.claims().owner());
        let mut orphans = store.open_runs(&Which::Released).await?;
        let dead = self.watcher.dead();
        self.settled.retain(|owner| dead.contains(owner));
        for owner in dead {
            if owner == *me || self.settled.contains(&owner) {
                continue;
            }
            let left_behind = store.open_runs(&Which::Of(owner.clone())).await?;
            if left_behind.is_empty() {
                self.settled.insert(owner);
            }
            orphans.extend(left_behind.into_iter().filter(|open| !open.released));
        }
        let alive = self.watcher.alive();
        let mut left = HashMap::new();
        orphans.retain(|orphan| {
            let others: Vec<Owner> =
                alive.iter().filter(|owner| **owner != orphan.owner).cloned().collect();
            let rounds = self.left.get(orphan).map_or(0, |rounds| rounds + 1);
            let is_ours = first_to_act(&others, &orphan.run.incident).is_none_or(|it| it == me);
            let takes = is_ours || rounds >= LEFT_TO_OTHERS;
            if !takes {
                left.insert(orphan.clone(), rounds);
            }
            takes
        });
        self.left = left;
        Ok(orphans)
    }

    fn strays(&mut self, pipeline: &Pipeline) -> Vec<OpenRun> {
        let me = pipeline.claims().owner();
        let strays: Vec<&OpenRun> = self
            .listed
            .iter()
            .filter(|open| open.owner == *me && !pipeline.runs.has(&open.run.incident))
            .collect();
        let twice = strays.iter().filter(|open| self.strays.contains(&open.run));
        let twice = twice.map(|open| (*open).clone()).collect();
        self.strays = strays.into_iter().map(|open| open.run.clone()).collect();
        twice
    }
}

/// Forgets what ended long ago.
async fn clean_up(pipeline: Arc<Pipeline>, alive: Vec<Owner>) {
    let kept = SignedDuration::try_from(limits::CLAIM_KEPT).unwrap_or(SignedDuration::MAX);
    let before = pipeline.executor.clock.now() - kept;
    pipeline.executor.actuator.forget(before).await;
    // Reading whole tables is dear: one process does it for all.
    if alive.iter().min().is_some_and(|first| first != pipeline.claims().owner()) {
        return;
    }
    if let Err(error) = pipeline.claims().store().sweep(before, &alive).await {
        pipeline.metrics.store_errors.inc();
        tracing::warn!(%error, "runs that ended long ago are not forgotten yet");
    }
    if let Err(error) = pipeline.executor.history.sweep(before).await {
        tracing::warn!(%error, "what ended runs had read is not forgotten yet");
    }
}

/// What was known of an owner's heartbeat, and when it was asked for.
#[derive(Clone, Copy)]
struct Judged {
    asked: Instant,
    number: u64,
}

/// The owner may have come back since, and trust its claim again
/// ([`Pulse::is_steady`](crate::claim::heartbeat::Pulse::is_steady)).
fn is_late(pipeline: &Pipeline, asked: Instant) -> bool {
    asked.elapsed() >= pipeline.executor.pulse.terms().margin
}

/// Has somebody who was taken for dead shown life before its run was taken?
async fn lives(pipeline: &Pipeline, seen: &OpenRun, judged: Judged) -> bool {
    let is_other = !seen.released && seen.owner != *pipeline.claims().owner();
    if !is_other || !is_late(pipeline, judged.asked) {
        return false;
    }
    match pipeline.claims().store().heartbeats().await {
        Ok(beats) => beats.iter().any(|(owner, n)| *owner == seen.owner && *n != judged.number),
        // Two at once cost more than one that comes later.
        Err(_) => true,
    }
}

async fn take_over(
    pipeline: &Arc<Pipeline>,
    seen: &OpenRun,
    judged: Judged,
) -> Result<(), StoreError> {
    // From here on only what was taken over counts: its owner may have written since it was seen.
    let breaks = pipeline.executor.pulse.breaks();
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
    let place = pipeline.runs.enrol(&item.run, item.opened_at);
    if let Some(stand_down) = item.stand_down.clone() {
        pipeline.runs.stand_down(&item.run, stand_down);
    }
    let hold = pipeline.hold(claim, breaks, &place);
    let owner_lives = lives(pipeline, seen, judged).await;
    let pipeline_of_run = Arc::clone(pipeline);
    pipeline.runs.spawn(async move {
        if owner_lives {
            // It may be telling people at this moment, and notices at its next write.
            let lease = pipeline_of_run.executor.pulse.terms().lease;
            tokio::select! {
                () = tokio::time::sleep(lease) => {}
                () = place.leave.cancelled() => {}
            }
        }
        let begun = resume::pick_up(&pipeline_of_run, hold, &item, place).await;
        Box::pin(pipeline_of_run.respond(begun, Cause::default())).await;
    });
    Ok(())
}
