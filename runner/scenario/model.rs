//! A scenario that has been checked: what it matches and what it does.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::guard::rules::Rules;
use crate::incident::Urgency;
use crate::scenario::capture::Pattern;
use crate::scenario::template::Template;
use crate::scenario::value::Type;
use crate::yaml::Place;

pub use crate::scenario::probe::{
    ActionTemplate, Expect, From, Look, On, Probe, Question, Shell, Take,
};
pub use crate::scenario::step::{
    Case, Each, Effect, HandOff, Rung, Step, StepKind, Then, Ticket, Wait, WhenHealthy,
};
pub use crate::scenario::target::{Source, Target, Wanted, WhenNone, WhenSeveral};

#[derive(Clone, Debug, Default)]
pub struct Scenario {
    /// Unique in a catalog; in claims, metrics and notes.
    pub id: String,
    /// First 12 hexadecimal digits of the SHA-256 of the file as it was read.
    pub hash: String,
    /// One line for the people who read notes.
    pub about: String,
    pub file: PathBuf,
    /// Of its id in the file.
    pub place: Place,
    pub mode: Mode,
    pub rule: MatchRule,
    pub parameters: BTreeMap<String, Parameter>,
    pub lookups: BTreeMap<String, Lookup>,
    pub target: Option<Target>,
    pub when_suspended: WhenSuspended,
    /// Its own; others hold beside them.
    pub limits: Rules,
    /// From the claim to the outcome, hand-off included.
    pub deadline: Duration,
    /// How long people need for it without AMS, for figures.
    pub by_hand: Option<Duration>,
    /// How often the start note is brought up to date; never, if nothing is said.
    pub progress: Option<Duration>,
    pub steps: Vec<Step>,
    /// Carried out at the end, whatever the end is.
    pub always: Vec<Step>,
    pub hand_off: HandOff,
    /// What stakeholders are told of a recovery that passed its verify.
    pub when_resolved: Option<Template>,
}

impl Scenario {
    /// Stands in for a scenario that a claim names and that is not loaded here, so that its run
    /// can still be handed to people.
    pub fn only_named(id: &str, hash: &str) -> Self {
        Self {
            id: id.to_owned(),
            hash: hash.to_owned(),
            about: id.to_owned(),
            deadline: crate::limits::RUN_DEADLINE,
            ..Self::default()
        }
    }

    /// Steps that do something themselves; `always` runs at every end and is no news.
    pub fn acting_steps(&self) -> impl Iterator<Item = &Step> {
        let always = self.always.first().map_or(usize::MAX, |step| step.number);
        self.walk().into_iter().filter(move |step| {
            let ends = matches!(step.kind, StepKind::Resolve { .. } | StepKind::HandOff(_));
            step.number < always && !ends && !step.kind.is_flow()
        })
    }

    /// A step by its number.
    pub fn step(&self, number: usize) -> Option<&Step> {
        self.walk().into_iter().find(|step| step.number == number)
    }

    /// Every step with all inside it, in the order of the file; `always` last.
    pub fn walk(&self) -> Vec<&Step> {
        fn into<'a>(steps: &'a [Step], all: &mut Vec<&'a Step>) {
            for step in steps {
                all.push(step);
                for block in step.kind.blocks() {
                    into(block, all);
                }
            }
        }
        let mut all = Vec::new();
        into(&self.steps, &mut all);
        into(&self.always, &mut all);
        all
    }
}

/// How far AMS may go by itself. In order: the first is the strictest.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Mode {
    /// Not matched at all.
    Off,
    /// Looks, and says what it would do.
    Shadow,
    /// Asks before each recovery.
    Approve,
    #[default]
    Auto,
}

impl Mode {
    pub const WORDS: [(&'static str, Self); 4] = [
        ("off", Self::Off),
        ("shadow", Self::Shadow),
        ("approve", Self::Approve),
        ("auto", Self::Auto),
    ];

    pub fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, mode)| *mode == self).map_or("", |(word, _)| word)
    }
}

/// Which incidents a scenario is meant for. Keywords are as the author wrote them; folding of
/// case and width is matching's business.
#[derive(Clone, Debug, Default)]
pub struct MatchRule {
    pub all: Vec<String>,
    pub any: Vec<String>,
    pub none: Vec<String>,
    pub pattern: Option<Pattern>,
    /// Among several that match, the highest wins; then the most specific.
    pub priority: i64,
    /// Customers by id; every customer, if none is named.
    pub customers: Vec<String>,
    /// PagerDuty services by id or name; every service, if none is named.
    pub services: Vec<String>,
    pub urgency: Option<Urgency>,
}

/// A value that the customer, or one of its hosts, gives.
#[derive(Clone, Debug)]
pub struct Parameter {
    pub kind: Type,
    pub default: Option<serde_json::Value>,
    pub place: Place,
}

/// A row of a table parameter, found by a value.
#[derive(Clone, Debug)]
pub struct Lookup {
    /// The parameter that holds the table.
    pub table: String,
    pub by: Template,
    pub place: Place,
}

/// While the customer has asked to leave the system alone.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WhenSuspended {
    /// The incident stays as it is, with a note.
    #[default]
    Leave,
    /// The run begins when the suspension ends.
    Wait,
}
