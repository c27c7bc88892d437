//! May this recovery happen now? Rules that count over runs, regions and restarts.
//!
//! [`judge`] decides from the [`record`] of one customer, one guard a file; [`Guards`] is the door:
//! it keeps the record in the claim store's ledger. Nothing here does I/O but the door.

use std::time::Duration;

use jiff::Timestamp;

use crate::incident::RunId;

pub mod door;
pub mod file;
pub mod judge;
pub mod record;
pub mod rules;

mod breaker;
mod budget;
mod cool_down;
mod storm;
#[cfg(test)]
mod trial;
mod turn;

pub use crate::claim::journal::GuardKind;
pub use door::Guards;
use record::Ended;
use rules::Rules;

/// A run asks before it changes something. The same run, scenario and target is the same
/// recovery, however many steps and tries it takes: it is counted once.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ask {
    pub run: RunId,
    /// Id of the customer; nobody's incidents are counted together.
    pub customer: Option<String>,
    /// Id of the scenario.
    pub scenario: String,
    /// What is changed: all of them or none.
    pub targets: Vec<Target>,
    /// Of all levels, merged.
    pub rules: Rules,
    /// Runs that are known to be over, though nobody has told the record.
    pub over: Vec<(RunId, Ended)>,
}

/// What a recovery acts on: a host by the name its customer's file gives it, or what else stands
/// for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    pub name: String,
    /// The host's groups.
    pub groups: Vec<String>,
}

/// What a run is told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It may, and it is counted. What each guard counted, for the note.
    Granted(Vec<Said>),
    /// Asking again helps at `until` at the earliest.
    Refused(Said),
    /// Only another run is in the way. Asking again helps when it has ended.
    Busy { said: Said, holders: Vec<RunId> },
}

/// What one guard says of one recovery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    pub guard: GuardKind,
    /// Of what it counted.
    pub scope: Scope,
    pub passes: bool,
    /// What it counted, with this recovery where that passes; and how many are let pass.
    pub count: u32,
    pub limit: u32,
    /// How far back it looked.
    pub within: Option<Duration>,
    /// When it may say something else; `None` where that does not depend on time alone.
    pub until: Option<Timestamp>,
    /// The run that is in the way, or the first one that a storm stopped.
    pub run: Option<RunId>,
}

impl Said {
    /// Passes, and counts nothing; a guard changes what it has to say beside that.
    const fn of(guard: GuardKind, scope: Scope) -> Self {
        let (count, limit, within, until, run) = (0, 0, None, None, None);
        Self { guard, scope, passes: true, count, limit, within, until, run }
    }
}

/// What a guard counts for, with the name that the ask gave it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    Target(String),
    /// One scenario on one target.
    ScenarioOnTarget(String),
    Scenario,
    Group(String),
    Customer,
}
