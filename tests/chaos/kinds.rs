//! The kinds of incidents, and what may come of each.

use std::collections::BTreeMap;
use std::io;
use std::path::Path;

use ams::incident::Outcome;
use ams::scenario::catalog::Catalog;
use ams::scenario::model::Effect;

/// A scenario file, and what may come of its incidents as long as no person touches them.
pub(crate) struct Kind {
    /// The scenario's id, and a word of the titles.
    pub(crate) name: &'static str,
    /// `None`: no scenario is meant for it.
    file: Option<&'static str>,
    pub(crate) outcomes: &'static [Outcome],
    /// What the witness must have seen where the outcome is not `escalated`: a step's name and,
    /// behind it, the host or `-`.
    pub(crate) effects: &'static [&'static str],
}

use Outcome::{Escalated, HandedOff, RecoveredItself, Resolved, Unmatched};

macro_rules! file {
    ($name:literal) => {
        Some(include_str!(concat!("scenarios/", $name, ".yaml")))
    };
}

pub(crate) const KINDS: [Kind; 12] = [
    Kind {
        name: "healthy",
        file: file!("healthy"),
        outcomes: &[RecoveredItself, Escalated],
        effects: &[],
    },
    Kind {
        name: "once",
        file: file!("once"),
        outcomes: &[Resolved, Escalated],
        effects: &["restart -"],
    },
    Kind {
        name: "again",
        file: file!("again"),
        outcomes: &[Resolved, Escalated],
        effects: &["restart -"],
    },
    Kind {
        name: "pause",
        file: file!("pause"),
        outcomes: &[Resolved, Escalated],
        effects: &["stop -", "start -"],
    },
    Kind {
        name: "facts",
        file: file!("facts"),
        outcomes: &[HandedOff, Escalated],
        effects: &["ticket -"],
    },
    Kind { name: "failing", file: file!("failing"), outcomes: &[Escalated], effects: &[] },
    Kind { name: "useless", file: file!("useless"), outcomes: &[Escalated], effects: &[] },
    Kind {
        name: "hosts",
        file: file!("hosts"),
        outcomes: &[Resolved, Escalated],
        effects: &[
            "stop web01",
            "start web01",
            "stop web02",
            "start web02",
            "stop web03",
            "start web03",
        ],
    },
    Kind {
        name: "drain",
        file: file!("drain"),
        outcomes: &[Resolved, Escalated],
        effects: &["drain -", "restart -", "put-back -"],
    },
    Kind {
        name: "rungs",
        file: file!("rungs"),
        outcomes: &[Resolved, Escalated],
        effects: &["reload -", "restart -"],
    },
    Kind {
        name: "budget",
        file: file!("budget"),
        outcomes: &[Resolved, HandedOff, Escalated],
        effects: &[],
    },
    Kind { name: "strange", file: None, outcomes: &[Unmatched], effects: &[] },
];

/// Waits long in the middle, so that it is under way whatever happens when. Not among those that the
/// schedule deals: what a seed gives stays.
pub(crate) static WAITS: Kind = Kind {
    name: "waits",
    file: file!("waits"),
    outcomes: &[Resolved, Escalated],
    effects: &["stop -", "start -"],
};

/// The customer whose hosts `hosts` goes through, and those `budget` counts for; all of them are this
/// machine.
const CUSTOMER: &str = "customer: chaos-shop
name: Chaos Shop
services: [PSVC001]
hosts:
  - {name: web01, groups: [web], reach: local}
  - {name: web02, groups: [web], reach: local}
  - {name: web03, groups: [web], reach: local}
";

/// A step that acts, as the journal and the witness name it.
#[derive(Clone, Debug)]
pub(crate) struct Act {
    pub(crate) name: String,
    pub(crate) effect: Effect,
    /// Stands in `always`: carried out also when people have the incident.
    pub(crate) always: bool,
}

/// By scenario and step number.
pub(crate) type Acts = BTreeMap<(String, usize), Act>;

/// Writes the scenarios and the customer below `folder`, in `scenarios` and `customers`.
pub(crate) fn write(folder: &Path) -> io::Result<()> {
    let (scenarios, customers) = (folder.join("scenarios"), folder.join("customers"));
    std::fs::create_dir_all(&scenarios)?;
    std::fs::create_dir_all(&customers)?;
    let mut customer = CUSTOMER.to_owned();
    customer
        .extend((0..1_000).map(|block| format!("  - {{name: block{block:03}, reach: local}}\n")));
    std::fs::write(customers.join("chaos-shop.yaml"), customer)?;
    for kind in KINDS.iter().chain([&WAITS]) {
        if let Some(text) = kind.file {
            std::fs::write(scenarios.join(format!("{}.yaml", kind.name)), text)?;
        }
    }
    Ok(())
}

/// What the scenarios' steps do, as the product reads them.
pub(crate) fn acts(folder: &Path, vars: &BTreeMap<String, String>) -> io::Result<Acts> {
    let catalog = Catalog::load(&folder.join("scenarios"), Some(vars)).map_err(io::Error::other)?;
    let mut acts = Acts::new();
    for scenario in &catalog.scenarios {
        for step in scenario.walk() {
            let effect = step.kind.effect();
            if effect != Effect::Read {
                let always = scenario.always.iter().any(|it| it.number == step.number);
                let act = Act { name: step.name.clone(), effect, always };
                acts.insert((scenario.id.clone(), step.number), act);
            }
        }
    }
    Ok(acts)
}
