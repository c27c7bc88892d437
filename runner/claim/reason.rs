//! Why a run ends, as its journal has it. Pure.

use serde::{Deserialize, Serialize};

/// Why a run ends, in words and step numbers: what another owner needs to tell it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum Reason {
    Healthy {
        step: usize,
    },
    AlertAndHostDisagree {
        step: usize,
    },
    BrokenForPeople {
        step: usize,
    },
    Verified,
    Gathered,
    Unclear {
        step: usize,
    },
    RecoverFailed {
        step: usize,
    },
    NotVerified {
        step: usize,
    },
    Deadline {
        step: usize,
    },
    OutcomeUnknown {
        step: usize,
    },
    ResolvedByStep {
        step: usize,
        recovered: bool,
    },
    HandedOffByStep {
        step: usize,
    },
    NotApproved {
        step: usize,
    },
    /// A guard let the step not happen: what it counted, and how many it lets pass.
    Guarded {
        step: usize,
        guard: GuardKind,
        count: u32,
        limit: u32,
    },
    /// An operator has paused AMS.
    Paused {
        step: usize,
    },
    CannotGoOn {
        step: usize,
    },
    AlwaysFailed {
        step: usize,
    },
    Shadowed {
        step: usize,
    },
    Suspended,
    StoodDown,
    /// Other alerts in the same incident are open: how many.
    OtherAlerts {
        count: u32,
    },
    Ours,
}

/// Which guard said no.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GuardKind {
    Budget,
    CoolDown,
    Breaker,
    /// One recovery at a time.
    Turn,
    Storm,
    /// The customer's record has no room for a further recovery.
    RecordFull,
}

impl GuardKind {
    /// The word used in journals, metrics and machine-readable output.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Budget => "budget",
            Self::CoolDown => "cool_down",
            Self::Breaker => "breaker",
            Self::Turn => "turn",
            Self::Storm => "storm",
            Self::RecordFull => "record_full",
        }
    }
}
