//! What guards let pass, over all incidents together.

use std::collections::{BTreeMap, BTreeSet};

use ams::claim::journal::{Entry, Reason};
use ams::incident::IncidentId;

use crate::evidence::Case;

/// As `scenarios/budget.yaml` has it.
const MOST: usize = 3;

/// No target is recovered by more runs than its budget has, and none by a run that was told no.
pub(crate) fn wrong(cases: &[Case<'_>]) -> Vec<(Option<IncidentId>, String)> {
    let mut runs: BTreeMap<&str, BTreeSet<(&IncidentId, u32)>> = BTreeMap::new();
    let mut wrong = Vec::new();
    for case in cases.iter().filter(|case| case.planned.kind.name == "budget") {
        for effect in &case.effects {
            runs.entry(&effect.host).or_default().insert((case.id(), effect.run));
        }
        for (number, item) in &case.runs {
            let refused = item.journal.entries().iter().any(|entry| {
                matches!(entry, Entry::Closing { reason: Reason::Guarded { .. }, .. })
            });
            if refused && case.effects.iter().any(|effect| effect.run == *number) {
                let what =
                    format!("run {number} was told no by a guard and recovered all the same");
                wrong.push((Some(case.id().clone()), what));
            }
        }
    }
    for (target, runs) in runs.into_iter().filter(|(_, runs)| runs.len() > MOST) {
        let last = runs.last().map(|(incident, _)| (*incident).clone());
        wrong.push((last, format!("{target} was recovered by {} runs, not {MOST}", runs.len())));
    }
    wrong
}
