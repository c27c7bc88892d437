//! A proof that cannot fail proves nothing: each of these tells one untruth about what was seen, and
//! the rule beside it must find it out.

use ams::incident::{Outcome, Status};
use ams::sandbox::pagerduty::Entry;
use jiff::SignedDuration;

use super::facts::{Facts, is_of};
use super::proof::{
    ALL_THERE, CARRIED_ON, DELIVERED, EXPECTED, ONCE, PAGES, PROCESSES, REASON, RED_FIRST,
    SOMEBODY, TAKES_NOTHING, hold,
};
use crate::evidence::Case;

/// What is told, and the rule that must not believe it. False where there is nothing to tell it of.
type Untruth = (&'static str, &'static str, fn(&mut Facts<'_>) -> bool);

const UNTRUTHS: [Untruth; 16] = [
    ("an incident is forgotten", ALL_THERE, |facts| facts.cases.pop().is_some()),
    ("an incident is claimed by nobody", "every incident has an outcome", |facts| {
        facts.cases.first_mut().map(|case| case.runs.clear()).is_some()
    }),
    ("a resolved incident was handed over", EXPECTED, |facts| {
        run(facts, Outcome::Resolved, |case| {
            case.runs.values_mut().for_each(|item| item.outcome = Some(Outcome::Escalated));
        })
    }),
    ("a recovery ran a second time", ONCE, repeat),
    ("a recovery ran a second time", "no effect that is once happens twice", repeat),
    ("a recovery never ran", ONCE, |facts| {
        run(facts, Outcome::Resolved, |case| case.effects.clear())
    }),
    ("a page was never sent", PAGES, |facts| {
        run(facts, Outcome::HandedOff, |case| {
            case.view.log.retain(|entry| !matches!(entry.what, Entry::Paged { .. }));
        })
    }),
    ("an open incident belongs to nobody", SOMEBODY, |facts| {
        run(facts, Outcome::HandedOff, |case| case.view.assignees.clear())
    }),
    ("a resolved incident is open again", SOMEBODY, |facts| {
        run(facts, Outcome::Resolved, |case| case.view.status = Status::Triggered)
    }),
    ("a run is taken over before the cut", REASON, |facts| {
        let before = facts.moments.cut - SignedDuration::from_secs(1);
        facts.take_overs.first_mut().map(|it| it.at = before).is_some()
    }),
    ("a run is not taken over", CARRIED_ON, |facts| {
        let Some(it) = facts.take_overs.pop() else { return false };
        for item in facts.cases.iter_mut().flat_map(|case| case.runs.values_mut()) {
            if item.run.incident == it.incident {
                item.owner = ams::incident::Owner::new(it.from.clone());
            }
        }
        true
    }),
    ("the lost region claims an incident", TAKES_NOTHING, |facts| {
        let inside = facts.moments.back - SignedDuration::from_secs(1);
        let taken: Vec<_> = facts.take_overs.iter().map(|it| it.incident.clone()).collect();
        let items = facts.cases.iter_mut().flat_map(|case| case.runs.values_mut());
        let mut its = items
            .filter(|item| is_of(item.owner.as_str(), 0) && !taken.contains(&item.run.incident));
        its.next().map(|item| item.opened_at = inside).is_some()
    }),
    ("a process stays ready", RED_FIRST, |facts| {
        facts.seen.ready.clear();
        true
    }),
    ("a webhook is given up", DELIVERED, |facts| {
        facts.deliveries[1].dropped = 1;
        true
    }),
    ("a webhook still waits", DELIVERED, |facts| {
        facts.undelivered = 1;
        true
    }),
    ("a process is gone", PROCESSES, |facts| {
        facts.misbehaved.push("gone".to_owned());
        true
    }),
];

fn run(facts: &mut Facts<'_>, outcome: Outcome, change: fn(&mut Case<'_>)) -> bool {
    let mut ended = facts
        .cases
        .iter_mut()
        .filter(|case| case.last_run().is_some_and(|item| item.outcome == Some(outcome)));
    ended.next().map(change).is_some()
}

fn repeat(facts: &mut Facts<'_>) -> bool {
    let mut once = facts.cases.iter_mut().filter(|case| case.planned.kind.name == "once");
    let Some(case) = once.find(|case| !case.effects.is_empty()) else { return false };
    case.effects.push(case.effects[0].clone());
    true
}

/// How many untruths there were, and those that were believed.
pub(crate) fn believed(facts: &Facts<'_>) -> (usize, Vec<String>) {
    let mut believed = Vec::new();
    for (untruth, rule, tell) in UNTRUTHS {
        let mut told = facts.clone();
        let count = |facts: &Facts<'_>| {
            let held = hold(facts).into_iter().filter(|held| held.rule == rule);
            held.map(|held| held.wrong.len()).sum::<usize>()
        };
        let before = count(facts);
        if !tell(&mut told) || count(&told) <= before {
            believed.push(format!("{untruth} ({rule})"));
        }
    }
    (UNTRUTHS.len(), believed)
}
