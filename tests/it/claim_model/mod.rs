//! The claim protocol under everything that may go wrong, as far as it can be counted: the
//! product's own `judge` between two processes that crash, stand still and lose messages, in every
//! order. What is modelled, what is not and what is found: docs/claim-model.md.

#![expect(clippy::print_stdout, reason = "figures and ways are what these tests are read for")]

mod acts;
mod holds;
mod model;
mod objects;
mod observed;
mod people;
mod planted;
mod run;
mod state;
mod store;
mod tell;

use std::thread::available_parallelism;

use stateright::{Checker as _, CheckerBuilder, HasDiscoveries, Model as _};

use acts::Act;
use model::{ClaimModel, Effect};
use state::{Faults, Mail};

/// One `triggered` for each region and nothing that goes wrong.
const CALM: ClaimModel = ClaimModel {
    effect: Effect::Once,
    asks: false,
    steps: 1,
    mail: [Mail { triggered: 1, reopened: 0, taken: 0 }; 2],
    faults: Faults { messages: 0, crashes: 0, stalls: 0, restarts: 0 },
    planted: None,
    sought: None,
};

const fn faults(messages: u8, crashes: u8, stalls: u8) -> Faults {
    Faults { messages, crashes, stalls, restarts: 0 }
}

/// The first region hears that a person took the incident, at any moment; the regions are alike.
const fn a_person_takes_it() -> [Mail; 2] {
    let [one, other] = CALM.mail;
    [Mail { taken: 1, ..one }, other]
}

fn checker(model: &ClaimModel) -> CheckerBuilder<ClaimModel> {
    let threads = available_parallelism().map_or(1, |threads| threads.get().min(2));
    model.clone().checker().threads(threads)
}

/// The way to break the property with the fewest faults, and the shortest of those; if there is one.
fn shortest_way(model: &ClaimModel, property: &'static str) -> Option<Vec<Act>> {
    let Faults { messages, crashes, stalls, .. } = model.faults;
    let mut budgets: Vec<Faults> = (0..=messages)
        .flat_map(|one| (0..=crashes).map(move |two| (one, two)))
        .flat_map(|(one, two)| (0..=stalls).map(move |three| faults(one, two, three)))
        .collect();
    budgets.sort_by_key(|it| it.messages + it.crashes + it.stalls);
    budgets
        .into_iter()
        .find_map(|faults| shortest_with(&ClaimModel { faults, ..model.clone() }, property))
}

/// The checker reports the last way it came by, so it is asked again for less until there is none.
fn shortest_with(model: &ClaimModel, property: &'static str) -> Option<Vec<Act>> {
    let mut found: Option<Vec<Act>> = None;
    loop {
        let sought = HasDiscoveries::AllOf([property].into());
        let mut checker = checker(model).threads(1).finish_when(sought);
        if let Some(found) = &found {
            // The moment before any act has depth 1, and the last depth is not looked at.
            checker = checker.target_max_depth(found.len() + 1);
        }
        let checker = checker.spawn_bfs().join();
        match checker.discovery(property) {
            Some(path) => found = Some(path.into_actions()),
            None => return found,
        }
    }
}
