//! Guards: how much they let through, whoever asks in whatever order, and over which store.

use std::time::Duration;

use ams::guard::rules::{Budget, Per, Rules};
use ams::guard::{Ask, Target};
use ams::incident::{IncidentId, RunId};

// Asked by runs that have claims, over every store.
mod door;
// The judge under long random histories.
mod histories;

pub(crate) const fn minutes(minutes: u64) -> Duration {
    Duration::from_mins(minutes)
}

/// So many recoveries in two hours on a target, and nothing else.
pub(crate) fn at_most(most: u32) -> Rules {
    let budgets = vec![Budget { per: Per::Target, most, within: minutes(120) }];
    Rules { budgets, ..Rules::default() }
}

pub(crate) fn run(incident: &str) -> RunId {
    RunId { incident: IncidentId::parse(incident).unwrap(), number: 1 }
}

pub(crate) fn ask(incident: &str, host: &str, rules: Rules) -> Ask {
    Ask {
        run: run(incident),
        customer: Some("example-shop".to_owned()),
        scenario: "restart-web".to_owned(),
        targets: vec![target(host)],
        rules,
        over: Vec::new(),
    }
}

pub(crate) fn target(host: &str) -> Target {
    Target { name: host.to_owned(), groups: vec!["web".to_owned()] }
}
