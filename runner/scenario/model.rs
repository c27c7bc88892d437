//! A scenario that has been checked: what it matches and what it does.

use std::collections::BTreeMap;
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use crate::scenario::capture::Pattern;
use crate::scenario::template::Template;
use crate::yaml::Place;

#[derive(Clone, Debug)]
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
    pub rule: MatchRule,
    /// From the claim to the outcome, hand-off included.
    pub deadline: Duration,
    pub steps: Vec<Step>,
    pub hand_off: HandOff,
}

impl Scenario {
    /// Stands in for a scenario that a claim names and that is not loaded here, so that its run
    /// can still be handed to people.
    pub fn only_named(id: &str, hash: &str) -> Self {
        Self {
            id: id.to_owned(),
            hash: hash.to_owned(),
            about: id.to_owned(),
            file: PathBuf::new(),
            place: Place::default(),
            rule: MatchRule::default(),
            deadline: crate::limits::RUN_DEADLINE,
            steps: Vec::new(),
            hand_off: HandOff::default(),
        }
    }

    /// Does it change anything, or does it only look?
    pub fn recovers(&self) -> bool {
        self.steps.iter().any(|step| matches!(step.kind, StepKind::Recover { .. }))
    }
}

/// Which titles a scenario is meant for. Keywords are as the author wrote them; folding of case
/// and width is matching's business.
#[derive(Clone, Debug, Default)]
pub struct MatchRule {
    pub all: Vec<String>,
    pub any: Vec<String>,
    pub none: Vec<String>,
    pub pattern: Option<Pattern>,
    /// Among several that match, the highest wins; then the most specific.
    pub priority: i64,
}

#[derive(Clone, Debug)]
pub struct Step {
    /// What the step does, in the author's words; for people.
    pub name: String,
    pub kind: StepKind,
}

#[derive(Clone, Debug)]
pub enum StepKind {
    /// Is it really broken? `expect` describes the healthy state.
    Check {
        probe: Probe,
        when_healthy: WhenHealthy,
        when_broken: WhenBroken,
    },
    /// Collects facts; never decides.
    Gather {
        probe: Probe,
    },
    /// Changes something.
    Recover {
        probe: Probe,
        effect: Effect,
    },
    /// Did it help? Repeated until it passes or `within` is over.
    Verify {
        probe: Probe,
        within: Duration,
        every: Duration,
    },
    Wait {
        duration: Duration,
    },
}

impl StepKind {
    /// The word authors write.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Check { .. } => "check",
            Self::Gather { .. } => "gather",
            Self::Recover { .. } => "recover",
            Self::Verify { .. } => "verify",
            Self::Wait { .. } => "wait",
        }
    }

    pub const fn probe(&self) -> Option<&Probe> {
        match self {
            Self::Check { probe, .. }
            | Self::Gather { probe }
            | Self::Recover { probe, .. }
            | Self::Verify { probe, .. } => Some(probe),
            Self::Wait { .. } => None,
        }
    }

    pub const fn effect(&self) -> Effect {
        match self {
            Self::Recover { effect, .. } => *effect,
            _ => Effect::Read,
        }
    }
}

/// What may happen to a step after a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Repeated freely.
    Read,
    /// May be repeated.
    Idempotent,
    /// Never repeated blindly.
    Once,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenHealthy {
    /// Nothing to repair: resolve the incident.
    Resolve,
    /// Alert and host disagree: people should look.
    HandOff,
    Continue,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenBroken {
    Continue,
    HandOff,
}

/// An action and what its result should be.
#[derive(Clone, Debug)]
pub struct Probe {
    pub action: ActionTemplate,
    pub timeout: Duration,
    pub expect: Expect,
}

/// An action before its parameters are filled in.
#[derive(Clone, Debug)]
pub enum ActionTemplate {
    /// A script for `/bin/sh`, never filled in: parameters reach it through `env`.
    Script { text: String, env: BTreeMap<String, Template> },
    /// Program and arguments, without a shell and never filled in.
    Exec { argv: Vec<String>, env: BTreeMap<String, Template> },
    Http {
        method: crate::scenario::action::Method,
        url: Template,
        headers: BTreeMap<String, Template>,
        body: Option<Template>,
    },
}

/// When a result counts as met. All conditions given must hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expect {
    /// For commands.
    pub exit_codes: Vec<i32>,
    /// For HTTP.
    pub statuses: Vec<RangeInclusive<u16>>,
    /// The output (standard output, or the HTTP body) has this text in it.
    pub contains: Option<String>,
    /// The output does not have this text in it.
    pub lacks: Option<String>,
}

impl Default for Expect {
    fn default() -> Self {
        Self { exit_codes: vec![0], statuses: vec![200..=299], contains: None, lacks: None }
    }
}

/// What people get who take over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HandOff {
    /// The procedure by hand, as the author would tell a colleague.
    pub manual: Option<String>,
    /// PagerDuty priority by name (`P2`), set on hand-off.
    pub priority: Option<String>,
}
