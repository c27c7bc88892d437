//! A checked step: what it does, what its result should be, and where it leads.

use std::time::Duration;

use crate::scenario::capture::CaptureKind;
use crate::scenario::expression::Expression;
use crate::scenario::probe::Probe;
use crate::scenario::template::Template;
use crate::yaml::Place;

#[derive(Clone, Debug)]
pub struct Step {
    /// Position in the file, counting every step from 0 in reading order. Names the step in the
    /// journal, so it must not depend on anything but the file.
    pub number: usize,
    /// What others refer to it by.
    pub id: Option<String>,
    /// What the step does, in the author's words; for people.
    pub name: String,
    /// The step is skipped where this does not hold.
    pub when: Option<Expression>,
    /// What the incident becomes when the step finds it broken; of checks and verifies.
    pub if_broken: Severity,
    pub kind: StepKind,
    pub place: Place,
}

/// How bad an incident is, in PagerDuty's words; what is not said stays as it is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Severity {
    /// By name (`P2`).
    pub priority: Option<String>,
    pub urgency: Option<crate::incident::Urgency>,
}

impl Severity {
    /// This one's words, and the other's where this one is silent.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self { priority: self.priority.or(other.priority), urgency: self.urgency.or(other.urgency) }
    }
}

#[derive(Clone, Debug)]
pub enum StepKind {
    /// Is it really broken? `expect` describes the healthy state.
    Check {
        probe: Probe,
        when_healthy: WhenHealthy,
        when_broken: Then,
        when_unclear: Then,
    },
    /// Collects facts; never decides.
    Gather {
        probe: Probe,
    },
    /// Changes something.
    Recover {
        probe: Probe,
        effect: Effect,
        when_failed: Then,
        when_unclear: Then,
    },
    /// Did it help? Repeated until it passes or `within` is over.
    Verify {
        probe: Probe,
        when_broken: Then,
    },
    /// Tells a system outside: a ticket, a chat message. Its failure stops nothing.
    Notify {
        probe: Probe,
        effect: Effect,
    },
    Wait(Wait),
    /// Asks people for permission and waits for the answer.
    Approve {
        ask: Template,
        within: Duration,
        when_not_approved: Then,
    },
    /// The first case that holds.
    Branch {
        cases: Vec<Case>,
        otherwise: Vec<Step>,
    },
    /// All at once; none of them changes anything.
    Parallel {
        steps: Vec<Step>,
    },
    Each(Each),
    Ladder {
        rungs: Vec<Rung>,
        tries: Option<u32>,
    },
    /// Ends the run well.
    Resolve {
        message: Option<Template>,
        ticket: Ticket,
        /// What stakeholders are told, in place of the scenario's general words.
        stakeholders: Option<Template>,
    },
    /// Ends the run with people.
    HandOff(HandOff),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    For(Duration),
    /// The next time it is this time of day, on one of these days (all, if none is named).
    Until {
        hour: i8,
        minute: i8,
        days: [bool; 7],
    },
}

#[derive(Clone, Debug)]
pub struct Case {
    pub when: Expression,
    pub steps: Vec<Step>,
}

/// The same steps for each entry of a list.
#[derive(Clone, Debug)]
pub struct Each {
    /// `each.ITEM` inside.
    pub item: String,
    pub of: Expression,
    /// Entries worked on side by side, step by step.
    pub at_once: usize,
    /// More entries than this go to people untouched.
    pub at_most: usize,
    pub steps: Vec<Step>,
}

/// One way to recover; the next one is tried when it did not help.
#[derive(Clone, Debug)]
pub struct Rung {
    pub name: String,
    pub tries: u32,
    pub steps: Vec<Step>,
}

impl StepKind {
    /// Every word authors may write.
    pub const WORDS: [&'static str; 13] = [
        "check", "gather", "recover", "verify", "notify", "wait", "approve", "branch", "parallel",
        "each", "ladder", "resolve", "hand_off",
    ];

    /// The word authors write.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Check { .. } => "check",
            Self::Gather { .. } => "gather",
            Self::Recover { .. } => "recover",
            Self::Verify { .. } => "verify",
            Self::Notify { .. } => "notify",
            Self::Wait(_) => "wait",
            Self::Approve { .. } => "approve",
            Self::Branch { .. } => "branch",
            Self::Parallel { .. } => "parallel",
            Self::Each(_) => "each",
            Self::Ladder { .. } => "ladder",
            Self::Resolve { .. } => "resolve",
            Self::HandOff(_) => "hand_off",
        }
    }

    pub const fn probe(&self) -> Option<&Probe> {
        match self {
            Self::Check { probe, .. }
            | Self::Gather { probe }
            | Self::Recover { probe, .. }
            | Self::Verify { probe, .. }
            | Self::Notify { probe, .. } => Some(probe),
            _ => None,
        }
    }

    pub const fn effect(&self) -> Effect {
        match self {
            Self::Recover { effect, .. } | Self::Notify { effect, .. } => *effect,
            _ => Effect::Read,
        }
    }

    /// Steps inside this one, block by block, in the order of the file.
    pub fn blocks(&self) -> Vec<&[Step]> {
        match self {
            Self::Branch { cases, otherwise } => cases
                .iter()
                .map(|case| case.steps.as_slice())
                .chain(std::iter::once(otherwise.as_slice()))
                .collect(),
            Self::Parallel { steps } => vec![steps],
            Self::Each(each) => vec![&each.steps],
            Self::Ladder { rungs, .. } => rungs.iter().map(|rung| rung.steps.as_slice()).collect(),
            _ => Vec::new(),
        }
    }

    /// Holds other steps and does nothing itself.
    pub const fn is_flow(&self) -> bool {
        matches!(
            self,
            Self::Branch { .. } | Self::Parallel { .. } | Self::Each(_) | Self::Ladder { .. }
        )
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
pub enum Then {
    Continue,
    HandOff,
}

/// Which ticket an end leaves, where the customer has them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ticket {
    /// A hand-off's own; none where AMS resolves.
    #[default]
    Usual,
    /// One for what is left to do after a workaround; beside a hand-off's own.
    FollowUp,
    None,
}

/// What people get who take over.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HandOff {
    /// Why, in the author's words.
    pub message: Option<Template>,
    /// The procedure by hand, as the author would tell a colleague.
    pub manual: Option<Template>,
    /// PagerDuty priority by name (`P2`).
    pub priority: Option<String>,
    /// A destination of the customer's, by its name there.
    pub to: Option<Template>,
    pub urgency: Option<crate::incident::Urgency>,
    /// `false` leaves the incident where it is, with a note.
    pub page: Option<bool>,
    pub ticket: Option<Ticket>,
    /// What stakeholders are told, who follow the incident without working on it.
    pub stakeholders: Option<Template>,
}

impl HandOff {
    /// This one's words, and the scenario's where this one is silent.
    #[must_use]
    pub fn or(&self, general: &Self) -> Self {
        Self {
            message: self.message.clone().or_else(|| general.message.clone()),
            manual: self.manual.clone().or_else(|| general.manual.clone()),
            priority: self.priority.clone().or_else(|| general.priority.clone()),
            to: self.to.clone().or_else(|| general.to.clone()),
            urgency: self.urgency.or(general.urgency),
            page: self.page.or(general.page),
            ticket: self.ticket.or(general.ticket),
            stakeholders: self.stakeholders.clone().or_else(|| general.stakeholders.clone()),
        }
    }
}

/// Kinds of list entries and single values by their words.
pub const KINDS: [(&str, CaptureKind); 5] = CaptureKind::WORDS;
