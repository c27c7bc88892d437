//! The checker objects when one condition is taken away. Otherwise its silence says nothing.

use stateright::{Checker as _, Model as _};

use super::model::{
    ABANDONED, APPROVED, ASKED_ONCE, CLOSED, CONSENT, ClaimModel, ENDED, Effect, LATE_START, ONCE,
    ONE_OWNER, OUTCOME, WINNER,
};
use super::planted::Planted;
use super::state::Mail;
use super::tell::way;
use super::{CALM, a_person_takes_it, checker, faults, shortest_way};

/// What a bug is to break, in which world.
struct Case {
    planted: Planted,
    breaks: &'static [&'static str],
    model: ClaimModel,
}

fn case(planted: Planted, breaks: &'static [&'static str]) -> Case {
    Case { planted, breaks, model: ClaimModel { faults: faults(1, 1, 1), ..CALM } }
}

impl Case {
    fn with(self, model: ClaimModel) -> Self {
        Self { model, ..self }
    }

    /// Prints a row of the table in docs/claim-model.md for each property.
    fn must_be_found(self) {
        let Self { planted, breaks, model } = self;
        for property in breaks {
            let model =
                ClaimModel { planted: Some(planted), sought: Some(property), ..model.clone() };
            let Some(acts) = shortest_way(&model, property) else {
                panic!("{planted:?} does not break '{property}'");
            };
            println!("| {planted:?} | {property} | {} | {} |", acts.len(), way(&acts));
        }
    }
}

#[test]
fn to_a_store_that_asks_less() {
    use Planted as P;
    let person = ClaimModel { mail: a_person_takes_it(), faults: faults(0, 0, 0), ..CALM };
    let [one, other] = CALM.mail;
    let mail = [Mail { reopened: 1, ..one }, other];
    let reopened = ClaimModel { mail, faults: faults(1, 0, 0), ..CALM };
    let two_questions = ClaimModel { asks: true, steps: 2, faults: faults(0, 0, 0), ..CALM };
    let two_steps = ClaimModel { steps: 2, faults: faults(2, 1, 0), ..CALM };
    let cases = [
        case(P::EpochIgnored, &[ONE_OWNER, ONCE]),
        case(P::OwnerAndEpochIgnored, &[ONE_OWNER, ONCE]),
        case(P::EpochIgnoredAtTakeOver, &[LATE_START]),
        case(P::StandDownIgnored, &[CONSENT]).with(person),
        case(P::TokenIgnored, &[WINNER]),
        case(P::EndIgnored, &[ENDED]),
        case(P::ClaimOfOpenRun, &[ONE_OWNER, ONCE]),
        case(P::SameEpochAtTakeOver, &[ONE_OWNER]),
        case(P::EpochFromOneAtReopening, &[ONE_OWNER, ENDED]).with(reopened),
        case(P::EveryOpeningIsLater, &[ENDED]),
        case(P::LateRecordOverwrites, &[CLOSED]),
        case(P::LateRecordOverwrites, &[ONCE]).with(two_steps),
        case(P::HeardForgotten, &[APPROVED]).with(two_questions),
    ];
    for case in cases {
        case.must_be_found();
    }
}

#[test]
fn to_a_runner_that_keeps_fewer_rules() {
    use Planted as P;
    let marked = ClaimModel { effect: Effect::OnceMarked, faults: faults(0, 0, 1), ..CALM };
    let asks = ClaimModel { asks: true, faults: faults(0, 1, 0), ..CALM };
    let cases = [
        case(P::AnswerNotAwaited, &[APPROVED]).with(asks.clone()),
        case(P::AskedAgain, &[ASKED_ONCE]).with(asks),
        case(P::EffectWithoutIntent, &[CONSENT, ONCE]),
        case(P::RefusalIgnored, &[CONSENT, ONCE, LATE_START]),
        case(P::DoubtRepeated, &[ONCE]),
        case(P::ClosingForgotten, &[CLOSED]),
        case(P::NoSelfFencing, &[LATE_START]),
        case(P::TakeOverOfTheLiving, &[LATE_START]),
        case(P::NoRedelivery, &[OUTCOME]),
        case(P::StraysLeft, &[OUTCOME]),
        case(P::StraysLeftAndTokenIgnored, &[OUTCOME]),
        case(P::MarkerLookedAtOnly, &[ABANDONED, ONCE]).with(marked),
    ];
    for case in cases {
        case.must_be_found();
    }
}

/// Not every condition is needed: an epoch has one owner, so who names the epoch names the owner.
#[test]
fn not_where_the_owner_is_ignored_and_the_epoch_is_not() {
    let model = ClaimModel { planted: Some(Planted::OwnerIgnored), ..CALM };
    super::holds::holds("owner ignored", &ClaimModel { faults: faults(1, 1, 1), ..model }, &[]);
}

/// A winner that is taken for a loser is a stray of its own process: late, and not lost.
#[test]
fn only_to_the_delay_where_the_token_is_ignored() {
    let (planted, sought) = (Some(Planted::TokenIgnored), Some("whatever else"));
    let model = ClaimModel { planted, sought, faults: faults(1, 1, 1), ..CALM };
    let checker = checker(&model).spawn_bfs().join();
    let discoveries = checker.discoveries();
    let broken: Vec<&str> = discoveries
        .keys()
        .copied()
        .filter(|name| model.property(name).expectation.discovery_is_failure())
        .collect();
    assert_eq!(broken, [WINNER]);
}
