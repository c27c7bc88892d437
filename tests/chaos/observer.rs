//! Watches the claims while everything goes on: what a store forgets with the next run of an
//! incident, and what must never change once it was seen.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ams::claim::ClaimStore;
use ams::claim::journal::Entry;
use ams::claim::protocol::RunItem;
use ams::incident::IncidentId;

/// Between two looks at an incident that is not over.
const EVERY: Duration = Duration::from_millis(250);

/// Every run of an incident, as it was seen last.
pub(crate) type Runs = BTreeMap<u32, RunItem>;

#[derive(Clone)]
pub(crate) struct Observer {
    store: Arc<dyn ClaimStore>,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    runs: BTreeMap<IncidentId, Runs>,
    open: BTreeSet<IncidentId>,
    /// May open again when they are over.
    reopened: BTreeSet<IncidentId>,
    wrong: Vec<(IncidentId, String)>,
}

impl Observer {
    pub(crate) fn of(store: Arc<dyn ClaimStore>) -> Self {
        Self { store, seen: Arc::default() }
    }

    fn seen<R>(&self, at: impl FnOnce(&mut Seen) -> R) -> R {
        at(&mut self.seen.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// From now on this one is watched; for good where it will be opened again.
    pub(crate) fn watch(&self, incident: &IncidentId, reopens: bool) {
        self.seen(|seen| {
            seen.open.insert(incident.clone());
            if reopens {
                seen.reopened.insert(incident.clone());
            }
        });
    }

    /// Never returns: to be dropped when there is nothing more to see.
    pub(crate) async fn look_on(&self) {
        loop {
            self.look(false).await;
            tokio::time::sleep(EVERY).await;
        }
    }

    /// One round; over everything, or over what may still change.
    pub(crate) async fn look(&self, all: bool) {
        let due: Vec<IncidentId> = self.seen(|seen| {
            let ended = seen.runs.keys().filter(|_| all);
            let due: BTreeSet<&IncidentId> =
                seen.open.iter().chain(&seen.reopened).chain(ended).collect();
            due.into_iter().cloned().collect()
        });
        for incident in due {
            // A store that does not answer is asked again in the next round.
            if let Ok(Some(item)) = self.store.read(&incident).await {
                self.seen(|seen| seen.note(item));
            }
        }
    }

    /// Incidents without a claim, or whose run is not over.
    pub(crate) fn open(&self) -> Vec<IncidentId> {
        self.seen(|seen| seen.open.iter().cloned().collect())
    }

    pub(crate) fn runs(&self) -> BTreeMap<IncidentId, Runs> {
        self.seen(|seen| seen.runs.clone())
    }

    /// What changed and must not have.
    pub(crate) fn wrong(&self) -> Vec<(IncidentId, String)> {
        self.seen(|seen| seen.wrong.clone())
    }
}

impl Seen {
    fn note(&mut self, item: RunItem) {
        let incident = item.run.incident.clone();
        let runs = self.runs.entry(incident.clone()).or_default();
        let last = runs.values().next_back();
        if let Some(problem) = last.and_then(|last| went_back(last, &item)) {
            self.wrong.push((incident.clone(), problem));
        }
        if item.outcome.is_some() {
            self.open.remove(&incident);
        } else {
            self.open.insert(incident);
        }
        runs.insert(item.run.number, item);
    }
}

/// Runs and epochs only grow, an outcome stays, and a journal is only added to.
fn went_back(before: &RunItem, now: &RunItem) -> Option<String> {
    if now.run.number < before.run.number || now.epoch < before.epoch {
        return Some(format!(
            "run {} epoch {} came after run {} epoch {}",
            now.run, now.epoch, before.run, before.epoch
        ));
    }
    if now.run.number > before.run.number {
        // How the one before ended may have been too quick to be seen; the logs have it.
        return None;
    }
    if before.outcome.is_some() && now != before {
        return Some(format!("run {} changed after its end", now.run));
    }
    if before.stand_down.is_some() && now.stand_down != before.stand_down {
        return Some(format!("the wish to stand down of run {} changed", now.run));
    }
    let (old, new) = (before.journal.entries(), now.journal.entries());
    // A new owner of a run that goes on has to find out what became of an intent.
    let may_forget = now.journal.is_closed() || now.epoch == before.epoch;
    let kept = if may_forget { without_unanswered(old) } else { old };
    (!new.starts_with(kept))
        .then(|| format!("the journal of run {} lost something: {old:?} became {new:?}", now.run))
}

/// The answer to the last write was lost, its owner began nothing, and what it writes next knows
/// nothing of it: of the intents, and of the way that led there.
fn without_unanswered(journal: &[Entry]) -> &[Entry] {
    let mut rest = journal;
    while let [before @ .., Entry::Intent { .. }] = rest {
        rest = before;
    }
    match rest {
        [before @ .., Entry::Way { .. }] if rest.len() < journal.len() => before,
        _ => rest,
    }
}
