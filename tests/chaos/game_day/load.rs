//! The incidents of a game day: kinds dealt at a steady rate, and what must come of each.

use std::time::Duration;

use ams::incident::{Outcome, Urgency};

use super::options::Options;
use crate::dice::Dice;
use crate::kinds::{KINDS, Kind, WAITS};
use crate::schedule::{Planned, Touch};

/// Dealt again and again: each kind comes about equally often before, during and after the failure.
/// A third waits long, so that some are under way at any moment.
const DECK: [&str; 14] = [
    "once", "once", "again", "rungs", "drain", "hosts", "facts", "failing", "healthy", "strange",
    "waits", "waits", "waits", TAKEN,
];

/// These come together right before the cut, so that it meets recoveries in their middle.
const AT_THE_CUT: [&str; 6] = ["once", "once", "once", "again", "drain", "waits"];

/// How long before it.
const BEFORE_THE_CUT: Duration = Duration::from_millis(900);

/// One that waits, and that a person acknowledges meanwhile.
const TAKEN: &str = "taken";

/// When that person does: the first recovery is over, the second is not begun.
const TAKEN_AFTER: Duration = Duration::from_secs(3);

pub(crate) fn incidents(options: &Options) -> Vec<Planned> {
    let mut dice = Dice::of(options.seed, "game day");
    let at_the_cut = options.pace.calm.saturating_sub(BEFORE_THE_CUT);
    let mut names = AT_THE_CUT.map(|name| (at_the_cut, name)).to_vec();
    let (mut deck, mut at) = (Vec::new(), Duration::ZERO);
    while at < options.pace.load() {
        if deck.is_empty() {
            deck = DECK.to_vec();
            dice.shuffle(&mut deck);
        }
        names.push((at, deck.pop().unwrap_or(TAKEN)));
        at += options.pace.every;
    }
    names.sort_by_key(|(at, _)| *at);
    names.into_iter().enumerate().map(|(number, (at, name))| one(number, at, name)).collect()
}

fn one(number: usize, at: Duration, name: &str) -> Planned {
    let kind = kind(name);
    Planned {
        at,
        kind,
        title: format!("chaos {} host=db01 c{number:05}", kind.name),
        urgency: Urgency::High,
        touched: (name == TAKEN).then_some((TAKEN_AFTER, Touch::Acknowledge)),
    }
}

fn kind(name: &str) -> &'static Kind {
    KINDS.iter().find(|kind| kind.name == name).unwrap_or(&WAITS)
}

/// What the table calls it.
pub(crate) fn name(planned: &Planned) -> &'static str {
    if planned.touched.is_some() { TAKEN } else { planned.kind.name }
}

pub(crate) fn expected(planned: &Planned) -> Outcome {
    if planned.touched.is_some() { Outcome::StoodDown } else { planned.kind.outcomes[0] }
}

/// Which recoveries the witness must have seen, by step and host.
pub(crate) fn recoveries(planned: &Planned) -> &'static [&'static str] {
    match name(planned) {
        // Carried out, and it fails.
        "failing" => &["restart -"],
        TAKEN => &["stop -"],
        _ => planned.kind.effects,
    }
}

/// A person who comes before the first recovery is recorded keeps it from happening.
pub(crate) fn may_do_less(planned: &Planned) -> bool {
    planned.touched.is_some()
}
