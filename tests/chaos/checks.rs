//! What must hold for every incident, whatever was done to it.

use ams::claim::journal::{DoneResult, Entry, Reason};
use ams::claim::protocol::RunItem;
use ams::incident::{Outcome, Status};
use ams::lang::Lang;
use ams::report::note::Kind as NoteKind;
use ams::report::title::{State, with_state};
use ams::sandbox::judge::repeated_notes;
use ams::scenario::model::Effect;

use crate::evidence::Case;
use crate::schedule::Touch;

/// A rule, and what is wrong with an incident by it.
pub(crate) type Check = (&'static str, fn(&Case<'_>) -> Vec<String>);

pub(crate) const CHECKS: [Check; 12] = [
    ("every incident has an outcome", has_outcome),
    ("every run has exactly one outcome", one_outcome),
    ("no effect that is once happens twice", once_is_once),
    ("no effect of a run that ended well is lost", effects_are_there),
    ("no effect without its intent", intents_are_there),
    ("nothing is recorded as done that was not done", done_was_done),
    ("what was taken out of service is put back", put_back),
    ("no recovery is begun after a stand-down", stand_down_holds),
    ("no note twice, and one at the end", notes),
    ("the title shows the outcome", title),
    ("status and pages are what the outcome says", told),
    ("the outcome is one this incident may have", fits),
];

fn has_outcome(case: &Case<'_>) -> Vec<String> {
    match case.last_run() {
        None => vec!["nobody has claimed it".to_owned()],
        Some(run) if run.outcome.is_none() => {
            vec![format!("run {} of {} is still open", run.run, run.owner)]
        }
        Some(_) => Vec::new(),
    }
}

/// By the logs: the store keeps the last one only, whatever was there before.
fn one_outcome(case: &Case<'_>) -> Vec<String> {
    let mut wrong = Vec::new();
    for item in case.runs.values() {
        let said = case.endings.iter().filter(|(number, _)| *number == item.run.number);
        let said: Vec<&str> = said.map(|(_, outcome)| outcome.as_str()).collect();
        let stored = case.outcome(item).map(Outcome::word);
        if said.len() > 1 || said.iter().any(|said| Some(*said) != stored) {
            wrong.push(format!("run {} ended as {stored:?} and was told as {said:?}", item.run));
        }
    }
    wrong
}

fn once_is_once(case: &Case<'_>) -> Vec<String> {
    let mut wrong = Vec::new();
    for run in
        case.effects.iter().map(|effect| effect.run).collect::<std::collections::BTreeSet<_>>()
    {
        for ((step, host), times) in case.times(run) {
            if times > 1 && case.is(step, Effect::Once) {
                wrong.push(format!("run {run} did '{step}' {times} times (host {host})"));
            }
        }
    }
    wrong
}

fn effects_are_there(case: &Case<'_>) -> Vec<String> {
    let mut wrong = Vec::new();
    for item in case.runs.values() {
        if !matches!(case.outcome(item), Some(Outcome::Resolved | Outcome::HandedOff)) {
            continue;
        }
        let times = case.times(item.run.number);
        for wanted in case.planned.kind.effects {
            let (step, host) = wanted.split_once(' ').unwrap_or((wanted, "-"));
            // A ticket that could not be opened does not keep an incident from people.
            let is_told = case.outcome(item) == Some(Outcome::HandedOff) && case.failed(item, step);
            if !times.contains_key(&(step, host)) && !is_told {
                wrong.push(format!("run {} never did '{wanted}'", item.run));
            }
        }
    }
    wrong
}

fn intents_are_there(case: &Case<'_>) -> Vec<String> {
    let mut wrong = Vec::new();
    for effect in &case.effects {
        let item = case.runs.get(&effect.run);
        // The next run came before anybody saw all of this one's journal.
        let is_unseen = item.is_none_or(|item| item.outcome.is_none());
        if is_unseen && case.runs.keys().any(|other| *other > effect.run) {
            continue;
        }
        let intents = item.into_iter().flat_map(|item| item.journal.entries());
        let announced = intents
            .into_iter()
            .any(|entry| matches!(entry, Entry::Intent { nonce, .. } if *nonce == effect.nonce));
        if !announced {
            wrong.push(format!("run {} did '{}' and never announced it", effect.run, effect.step));
        }
    }
    wrong
}

fn done_was_done(case: &Case<'_>) -> Vec<String> {
    let mut wrong = Vec::new();
    for item in case.runs.values() {
        let entries = item.journal.entries();
        for entry in entries {
            let Entry::Done { step, result: DoneResult::Met, .. } = entry else { continue };
            let nonces = entries.iter().filter_map(|entry| match entry {
                Entry::Intent { step: announced, nonce, .. } if announced == step => Some(nonce),
                _ => None,
            });
            let seen = |nonce: &String| case.effects.iter().any(|effect| effect.nonce == *nonce);
            if !nonces.into_iter().any(seen) {
                wrong.push(format!("run {} recorded step {step}, which did not happen", item.run));
            }
        }
    }
    wrong
}

fn put_back(case: &Case<'_>) -> Vec<String> {
    let mut wrong = Vec::new();
    for (number, item) in &case.runs {
        let times = case.times(*number);
        // People have it, and their note says that it could not be put back.
        let was_not_begun = item.journal.entries().iter().any(|entry| {
            matches!(entry, Entry::Closing { reason: Reason::AlwaysFailed { .. }, .. })
        });
        let failed = was_not_begun || case.failed(item, "put-back");
        let is_told = item.outcome != Some(Outcome::Resolved) && failed;
        let is_out = times.contains_key(&("drain", "-")) && !times.contains_key(&("put-back", "-"));
        if is_out && !is_told {
            wrong.push(format!("run {number} drained and did not put back"));
        }
    }
    wrong
}

fn stand_down_holds(case: &Case<'_>) -> Vec<String> {
    let mut wrong = Vec::new();
    for item in case.runs.values() {
        let Some(stand_down) = &item.stand_down else { continue };
        for entry in item.journal.entries() {
            let Entry::Intent { step, at, .. } = entry else { continue };
            let always = case.act(step.step).is_some_and(|act| act.always);
            if *at > stand_down.at && !always {
                wrong.push(format!(
                    "run {} announced step {step} at {at}, after the stand-down at {}",
                    item.run, stand_down.at
                ));
            }
        }
    }
    wrong
}

fn notes(case: &Case<'_>) -> Vec<String> {
    let mut wrong = Vec::new();
    for item in case.runs.values() {
        let problems = repeated_notes(&case.view, &item.run, tells_nothing(case, item));
        wrong.extend(problems.into_iter().map(|problem| format!("run {}: {problem}", item.run)));
    }
    wrong
}

/// A run that was over before it began leaves no note, and an incident nobody meant neither.
fn tells_nothing(case: &Case<'_>, item: &RunItem) -> bool {
    match case.outcome(item) {
        None | Some(Outcome::Unmatched) => true,
        Some(Outcome::StoodDown) => case.notes(&item.run, NoteKind::End) == 0,
        Some(_) => false,
    }
}

fn title(case: &Case<'_>) -> Vec<String> {
    let Some(item) = case.last_run() else { return Vec::new() };
    let state = match item.outcome {
        None => return Vec::new(),
        // A title cannot be changed any more when somebody else has ended the incident.
        _ if case.ended_by_others() => return Vec::new(),
        Some(Outcome::StoodDown) if tells_nothing(case, item) => return Vec::new(),
        Some(Outcome::Resolved) => State::Recovered,
        Some(Outcome::RecoveredItself) => State::RecoveredItself,
        Some(Outcome::HandedOff | Outcome::Escalated) => State::HandedOff,
        Some(Outcome::StoodDown) => State::StoodDown,
        Some(Outcome::Unmatched | Outcome::Suspended | Outcome::Shadowed) => {
            return differs(&case.view.title, &case.planned.title);
        }
    };
    differs(&case.view.title, &with_state(&case.planned.title, state, Lang::En))
}

fn differs(shown: &str, wanted: &str) -> Vec<String> {
    if shown == wanted { Vec::new() } else { vec![format!("it is '{shown}', not '{wanted}'")] }
}

fn told(case: &Case<'_>) -> Vec<String> {
    let Some(item) = case.last_run() else { return Vec::new() };
    let (view, mut wrong) = (&case.view, Vec::new());
    let mut expect = |holds: bool, what: &str| {
        if !holds {
            wrong.push(format!("{what}; it is {}", view.status.word()));
        }
    };
    match item.outcome {
        Some(Outcome::Resolved | Outcome::RecoveredItself) => {
            expect(view.status == Status::Resolved, "it is not resolved in PagerDuty");
        }
        Some(Outcome::HandedOff | Outcome::Escalated) if !case.ended_by_others() => {
            expect(case.pages() > 0, "nobody was paged");
            expect(view.status != Status::Resolved, "AMS resolved it and handed it off");
        }
        _ => {}
    }
    wrong
}

fn fits(case: &Case<'_>) -> Vec<String> {
    let mut wrong = Vec::new();
    let touch = case.planned.touched.map(|(_, touch)| touch);
    // A reopening that comes before the run's end is recorded ends it, and the next one follows.
    let may_stand_down = |item| match touch {
        None => false,
        Some(Touch::Reopen) => case.is_followed(item),
        Some(_) => true,
    };
    // Whoever touches an incident that was resolved a moment ago opens it again.
    let most = if touch.is_some() { 2 } else { 1 };
    for item in case.runs.values() {
        let Some(outcome) = case.outcome(item) else { continue };
        let fits = case.planned.kind.outcomes.contains(&outcome)
            || (outcome == Outcome::StoodDown && may_stand_down(item));
        if !fits || item.run.number > most {
            wrong.push(format!("run {} ended as {outcome}", item.run));
        }
    }
    wrong
}
