//! What is promised holds in every moment of these worlds.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use stateright::{Checker as _, Model as _};
use tokio::time::Instant;

use super::model::{ClaimModel, Effect, NOT_BEGUN, STOOD_DOWN, UNKNOWN, VERIFIED};
use super::state::{Faults, Mail, Moment};
use super::tell::way;
use super::{CALM, a_person_takes_it, checker, faults};

pub(super) fn holds(name: &str, model: &ClaimModel, reaches: &[&'static str]) {
    let began = Instant::now();
    let checker = checker(model).spawn_bfs().join();
    println!(
        "{name}: {} moments, {} transitions, at most {} acts, {:.1} s",
        checker.unique_state_count(),
        checker.state_count(),
        checker.max_depth() - 1,
        began.elapsed().as_secs_f64(),
    );
    let failures: Vec<String> = checker
        .discoveries()
        .into_iter()
        .filter(|(name, _)| model.property(name).expectation.discovery_is_failure())
        .map(|(name, path)| format!("{name}: {}", way(&path.into_actions())))
        .collect();
    assert!(failures.is_empty(), "{failures:#?}");
    assert!(checker.is_done());
    // A model in which nothing happens keeps every promise.
    for reached in reaches {
        assert!(checker.discovery(reached).is_some(), "{name}: {reached} is not reached");
    }
}

#[test]
fn with_a_person_who_takes_the_incident() {
    let model = ClaimModel { mail: a_person_takes_it(), faults: faults(1, 1, 1), ..CALM };
    holds("once, person", &model, &[VERIFIED, STOOD_DOWN, UNKNOWN, NOT_BEGUN]);
}

#[test]
fn with_an_effect_that_may_be_repeated() {
    let effect = Effect::Idempotent;
    let model = ClaimModel { effect, faults: faults(1, 1, 1), ..CALM };
    holds("idempotent", &model, &[VERIFIED, NOT_BEGUN]);
}

#[test]
fn with_markers_on_the_host() {
    let effect = Effect::OnceMarked;
    let model = ClaimModel { effect, faults: faults(1, 1, 1), ..CALM };
    holds("once, marked", &model, &[VERIFIED, UNKNOWN, NOT_BEGUN]);
}

#[test]
fn with_two_recoveries_and_requests_that_arrive_late() {
    let model = ClaimModel { steps: 2, faults: faults(2, 1, 0), ..CALM };
    holds("once, two steps", &model, &[VERIFIED, UNKNOWN, NOT_BEGUN]);
}

#[test]
fn with_people_who_are_asked() {
    let model = ClaimModel { asks: true, faults: faults(1, 1, 1), ..CALM };
    holds("once, asked", &model, &[VERIFIED, UNKNOWN, NOT_BEGUN]);
}

#[test]
fn with_people_who_are_asked_twice_and_answers_that_come_late() {
    let model = ClaimModel { asks: true, steps: 2, faults: faults(1, 1, 0), ..CALM };
    holds("once, two steps, asked", &model, &[VERIFIED, UNKNOWN, NOT_BEGUN]);
}

#[test]
fn with_a_reopening() {
    let [one, other] = CALM.mail;
    let mail = [Mail { reopened: 1, ..one }, other];
    let model = ClaimModel { mail, faults: faults(1, 1, 0), ..CALM };
    holds("once, reopened", &model, &[VERIFIED, UNKNOWN, NOT_BEGUN]);
}

/// Minutes: `cargo nextest run claim_model --run-ignored only --no-capture`.
#[test]
#[ignore = "takes minutes"]
fn with_more_of_everything() {
    let mail = [Mail { triggered: 2, reopened: 0, taken: 1 }; 2];
    let person = ClaimModel { mail, faults: faults(1, 1, 1), ..CALM };
    holds("long: once, doubled webhooks to both", &person, &[VERIFIED, STOOD_DOWN, UNKNOWN]);
    let restarts = Faults { restarts: 1, ..faults(1, 2, 1) };
    for effect in [Effect::Once, Effect::OnceMarked, Effect::Idempotent] {
        let model = ClaimModel { effect, faults: restarts, ..CALM };
        holds(&format!("long: {effect:?}, a restart"), &model, &[VERIFIED]);
    }
    let marked = ClaimModel { effect: Effect::OnceMarked, faults: faults(2, 1, 1), ..CALM };
    holds("long: once, marked, two messages", &marked, &[VERIFIED, UNKNOWN]);
    let mail = [Mail { triggered: 1, reopened: 1, taken: 0 }; 2];
    let reopened = ClaimModel { mail, faults: faults(1, 1, 1), ..CALM };
    holds("long: once, reopened", &reopened, &[VERIFIED, UNKNOWN]);
}

/// "An outcome" is checked as "never stuck". That says what it should only where no way goes on
/// for ever: here that no moment comes twice.
#[test]
fn no_way_goes_on_for_ever() {
    let model = ClaimModel { faults: faults(1, 1, 1), ..CALM };
    // Whether everything after a moment has been seen.
    let mut left: HashMap<Moment, bool> = HashMap::new();
    let mut way: Vec<(Moment, Vec<Moment>)> = Vec::new();
    for first in model.init_states() {
        left.insert(first.clone(), false);
        let next = model.next_states(&first);
        way.push((first, next));
    }
    while let Some((moment, next)) = way.last_mut() {
        let Some(following) = next.pop() else {
            left.insert(moment.clone(), true);
            way.pop();
            continue;
        };
        match left.entry(following) {
            Entry::Occupied(seen) => assert!(seen.get(), "it comes again: {:?}", seen.key()),
            Entry::Vacant(new) => {
                let following = new.key().clone();
                new.insert(false);
                let next = model.next_states(&following);
                way.push((following, next));
            }
        }
    }
    println!("{} moments, none of them twice on a way", left.len());
    assert!(left.len() > 10_000);
}
