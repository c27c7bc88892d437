//! Once per heartbeat: who asked our runs to stand down, and whose runs have lost their owner.
//!
//! An open run without an owner that shows life is taken over at the step its journal names: what
//! may be repeated is repeated, what may not is handed to people as unknown.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::claim::journal::{DoneResult, Entry, Journal, Standing};
use crate::claim::protocol::RunItem;
use crate::claim::takeover::Watcher;
use crate::claim::{Claim, StoreError, TakenOver};
use crate::execute::plan::End;
use crate::execute::run::StepReport;
use crate::execute::verdict::{Verdict, Why};
use crate::incident::{Incident, IncidentId, Outcome, Status, Urgency};
use crate::limits;
use crate::matching::{Choice, Index};
use crate::pipeline::{Begun, Pipeline};
use crate::report::title;
use crate::scenario::model::{Effect, Scenario};

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
        let begun = pick_up(&pipeline_of_run, claim, &item, place).await;
        pipeline_of_run.respond(begun).await;
    });
    Ok(())
}

/// What is left to do of a run somebody else began.
async fn pick_up(
    pipeline: &Pipeline,
    claim: Claim,
    seen: &RunItem,
    place: crate::runs::Enrolled,
) -> Begun {
    let id = &seen.run.incident;
    // The claim holds no titles, so PagerDuty is asked; without an answer people are told what
    // can be told.
    let (incident, unknown) = match pipeline.reporter.platform.incident(id).await {
        Ok(incident) => (incident, None),
        Err(error) => (nameless(id), Some(End::Ours { what: error.to_string() })),
    };
    let title = title::original(&incident.title);
    let known = seen.scenario.as_ref().and_then(|named| {
        let scenario = pipeline.catalog.by_id(&named.id)?;
        (scenario.hash == named.hash).then(|| Arc::clone(scenario))
    });
    let mut captures = std::collections::BTreeMap::new();
    let mut end = unknown;
    let scenario = if let Some(scenario) = known {
        // The title may have been edited since; then its captures are not to be trusted.
        match Index::of(std::slice::from_ref(&scenario)).choose(title) {
            Choice::Scenario(meant) => captures = meant.captures,
            _ if scenario.rule.pattern.is_some() => {
                let what = "the title no longer fits the scenario that was begun".to_owned();
                end = end.or(Some(End::Ours { what }));
            }
            _ => {}
        }
        scenario
    } else {
        let what = "this region does not have the scenario in the version that was begun";
        end = end.or(Some(End::Ours { what: what.to_owned() }));
        let named = seen.scenario.as_ref().map(|named| (named.id.as_str(), named.hash.as_str()));
        let (id, hash) = named.unwrap_or(("unknown", ""));
        Arc::new(Scenario::only_named(id, hash))
    };
    let (last, standing_end) = resume_at(&scenario, seen);
    Begun {
        claim,
        incident,
        scenario,
        captures,
        journal: seen.journal.clone(),
        reports: known_steps(&seen.journal),
        last,
        taken_over: true,
        end: standing_end.or(end),
        place,
    }
}

/// What the journal tells of the steps an earlier owner carried out.
fn known_steps(journal: &Journal) -> Vec<StepReport> {
    let steps = journal.entries().iter().filter_map(|entry| match entry {
        Entry::Done { step, result, at } => Some((*step, *result, *at)),
        Entry::Intent { .. } | Entry::Closing { .. } => None,
    });
    steps
        .map(|(step, result, began_at)| StepReport {
            step,
            verdict: match result {
                DoneResult::Met => Verdict::Met,
                DoneResult::NotMet => Verdict::NotMet(Why::RecordedOnly),
                DoneResult::Unclear => Verdict::Unclear(Why::RecordedOnly),
            },
            seen: None,
            attempts: 1,
            began_at,
            took: Duration::ZERO,
        })
        .collect()
}

type Last = Option<(usize, DoneResult)>;

/// From the journal alone: the step that ended last, or the end that is left to tell.
fn resume_at(scenario: &Scenario, seen: &RunItem) -> (Last, Option<End>) {
    let done = |journal: &Journal| {
        journal.entries().iter().rev().find_map(|entry| match entry {
            Entry::Done { step, result, at: _ } => Some((*step, *result)),
            Entry::Intent { .. } | Entry::Closing { .. } => None,
        })
    };
    match seen.journal.standing() {
        Standing::Between { done } => (done.last().copied(), None),
        Standing::InDoubt { step, .. } => {
            let effect = scenario.steps.get(step).map(|step| step.kind.effect());
            if effect == Some(Effect::Idempotent) {
                (done(&seen.journal), None)
            } else {
                (None, Some(End::OutcomeUnknown { step }))
            }
        }
        Standing::Closing { outcome, .. } => {
            let last = done(&seen.journal);
            let end = match outcome {
                Outcome::Resolved => End::Verified,
                Outcome::RecoveredItself => End::Healthy { step: 0 },
                Outcome::HandedOff => End::Gathered,
                Outcome::StoodDown => match seen.stand_down.clone() {
                    Some(stand_down) => End::StoodDown(stand_down),
                    None => End::Gathered,
                },
                _ => End::NotVerified { step: last.map_or(0, |(step, _)| step) },
            };
            (last, Some(end))
        }
    }
}

fn nameless(id: &IncidentId) -> Incident {
    Incident {
        id: id.clone(),
        title: String::new(),
        status: Status::Triggered,
        urgency: Urgency::High,
        number: None,
        service: None,
        escalation_policy: None,
        assignees: Vec::new(),
        html_url: None,
        seen_at: jiff::Timestamp::UNIX_EPOCH,
    }
}
