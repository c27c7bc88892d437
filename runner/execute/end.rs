//! How a run ends and why. Pure.

use crate::claim::journal::{GuardKind, Reason};
use crate::claim::protocol::StandDown;
use crate::guard::Said;
use crate::history::pause::PauseWords;
use crate::incident::{Outcome, RunId};
use crate::scenario::model::{Mode, Ticket};

/// How a run ends and why. The outcome follows from the reason; nothing else decides it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum End {
    /// The check found the healthy state.
    Healthy {
        step: usize,
    },
    /// The check found the healthy state, and the author wants people to look.
    AlertAndHostDisagree {
        step: usize,
    },
    /// The check found it broken, and the author wants people to repair it.
    BrokenForPeople {
        step: usize,
    },
    /// The last recovery's verify passed.
    Verified,
    /// All facts are gathered; a person goes on.
    Gathered,
    /// A step could not find out.
    Unclear {
        step: usize,
    },
    RecoverFailed {
        step: usize,
    },
    /// The recovery did not help.
    NotVerified {
        step: usize,
    },
    /// The run's time is over; the step was not begun or not finished.
    Deadline {
        step: usize,
    },
    /// An effect was announced, its runner died, and its result is not known.
    OutcomeUnknown {
        step: usize,
    },
    /// The author's `resolve` was reached; with or without a recovery before it.
    ResolvedByStep {
        step: usize,
        recovered: bool,
    },
    /// The author's `hand_off` was reached.
    HandedOffByStep {
        step: usize,
    },
    /// People said no, or nobody answered in time.
    NotApproved {
        step: usize,
    },
    /// A guard said no before the step.
    Guarded(Guarded),
    /// An operator has paused AMS.
    Paused(Paused),
    /// A value the step needs is not there, or a limit of its author's is exceeded.
    CannotGoOn {
        step: usize,
        lack: Lack,
    },
    /// What must always run at the end did not work.
    AlwaysFailed {
        step: usize,
    },
    /// The mode allows no change: this step would have been carried out next, or the run would
    /// have ended so after it.
    Shadowed {
        step: usize,
        would_end: Option<Outcome>,
    },
    /// The customer has asked to leave the system alone.
    Suspended {
        what: String,
    },
    StoodDown(StandDown),
    /// It is well, and its incident holds other open alerts that nobody has looked into.
    OtherAlerts {
        count: u32,
    },
    /// Something of ours failed.
    Ours {
        what: String,
    },
}

/// What a guard said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Guarded {
    pub step: usize,
    pub guard: GuardKind,
    pub count: u32,
    pub limit: u32,
    /// All of it; `None` where an earlier owner heard it.
    pub said: Option<Box<Said>>,
    /// When it may say something else, in the customer's time.
    pub until: Option<String>,
}

/// What an operator has paused, in words as far as they are known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Paused {
    pub step: usize,
    /// Nothing where an earlier owner heard it.
    pub id: Option<String>,
    /// Who, why and what; nothing where the history cannot be read.
    pub words: Option<Box<PauseWords>>,
    /// When it ends by itself, in the customer's time.
    pub until: Option<String>,
}

impl Guarded {
    /// One of many runs that a storm stopped, and not the one that tells people.
    pub fn follows(&self, run: &RunId) -> bool {
        let first = self.said.as_ref().and_then(|said| said.run.as_ref());
        self.guard == GuardKind::Storm && first.is_some_and(|first| first != run)
    }
}

/// What a step lacked, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lack {
    NoValue(String),
    NoCustomer,
    NoHost {
        customer: String,
        host: String,
    },
    NoHostNamed,
    EmptyGroup {
        customer: String,
        group: String,
    },
    SeveralHosts(Vec<String>),
    NotInTable {
        row: String,
        table: String,
    },
    NotGiven {
        customer: String,
        name: String,
    },
    TooMany {
        found: usize,
        most: usize,
    },
    /// Somebody who may know the target gave no answer that can be used.
    Unanswered {
        asked: Asked,
        why: String,
    },
    /// Something was done on hosts that nobody knows any more.
    TargetForgotten,
    /// The customer's systems are to be left alone since the run began: why, and until when.
    Suspended(String),
    /// The customer allows less than when the run began.
    ModeChanged(Mode),
    Other(String),
}

/// Who was asked for the target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// PagerDuty, for the incident's alerts.
    Alerts,
    /// AWS, for the tags of servers.
    Tags,
    /// All of them together took too long.
    Sources,
}

/// How an incident is handed to people, every value filled in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    pub message: Option<String>,
    pub manual: Option<String>,
    /// A destination of the customer's, by its name there.
    pub to: Option<String>,
    pub priority: Option<String>,
    pub urgency: Option<crate::incident::Urgency>,
    pub page: Option<bool>,
    pub ticket: Ticket,
    /// For stakeholders; nothing where a value it needs is not there.
    pub stakeholders: Option<String>,
    /// Loops that ended early, with the entries nothing was done for.
    pub untouched: Vec<(usize, Vec<String>)>,
}

impl End {
    pub const fn outcome(&self) -> Outcome {
        match self {
            Self::Verified => Outcome::Resolved,
            Self::ResolvedByStep { recovered, .. } if *recovered => Outcome::Resolved,
            Self::Healthy { .. } | Self::ResolvedByStep { .. } => Outcome::RecoveredItself,
            Self::AlertAndHostDisagree { .. }
            | Self::BrokenForPeople { .. }
            | Self::HandedOffByStep { .. }
            | Self::NotApproved { .. }
            | Self::Guarded(_)
            | Self::Paused(_)
            | Self::OtherAlerts { .. }
            | Self::Gathered => Outcome::HandedOff,
            Self::Shadowed { .. } => Outcome::Shadowed,
            Self::Suspended { .. } => Outcome::Suspended,
            Self::StoodDown(_) => Outcome::StoodDown,
            Self::Unclear { .. }
            | Self::RecoverFailed { .. }
            | Self::NotVerified { .. }
            | Self::Deadline { .. }
            | Self::OutcomeUnknown { .. }
            | Self::CannotGoOn { .. }
            | Self::AlwaysFailed { .. }
            | Self::Ours { .. } => Outcome::Escalated,
        }
    }
}

/// Words of an end are not recorded where the claim lies.
const LOG_HAS_IT: &str = "the first region's log has the reason";

impl End {
    /// For the journal: everything but the words.
    pub const fn reason(&self) -> Reason {
        match self {
            Self::Healthy { step } => Reason::Healthy { step: *step },
            Self::AlertAndHostDisagree { step } => Reason::AlertAndHostDisagree { step: *step },
            Self::BrokenForPeople { step } => Reason::BrokenForPeople { step: *step },
            Self::Verified => Reason::Verified,
            Self::Gathered => Reason::Gathered,
            Self::Unclear { step } => Reason::Unclear { step: *step },
            Self::RecoverFailed { step } => Reason::RecoverFailed { step: *step },
            Self::NotVerified { step } => Reason::NotVerified { step: *step },
            Self::Deadline { step } => Reason::Deadline { step: *step },
            Self::OutcomeUnknown { step } => Reason::OutcomeUnknown { step: *step },
            Self::ResolvedByStep { step, recovered } => {
                Reason::ResolvedByStep { step: *step, recovered: *recovered }
            }
            Self::HandedOffByStep { step } => Reason::HandedOffByStep { step: *step },
            Self::NotApproved { step } => Reason::NotApproved { step: *step },
            Self::Guarded(Guarded { step, guard, count, limit, .. }) => {
                Reason::Guarded { step: *step, guard: *guard, count: *count, limit: *limit }
            }
            Self::Paused(Paused { step, .. }) => Reason::Paused { step: *step },
            Self::CannotGoOn { step, .. } => Reason::CannotGoOn { step: *step },
            Self::AlwaysFailed { step } => Reason::AlwaysFailed { step: *step },
            Self::Shadowed { step, .. } => Reason::Shadowed { step: *step },
            Self::Suspended { .. } => Reason::Suspended,
            Self::StoodDown(_) => Reason::StoodDown,
            Self::OtherAlerts { count } => Reason::OtherAlerts { count: *count },
            Self::Ours { .. } => Reason::Ours,
        }
    }

    /// The end that an earlier owner had recorded and may not have told.
    pub fn recorded(reason: Reason, stand_down: Option<StandDown>) -> Self {
        match (reason, stand_down) {
            (Reason::Healthy { step }, _) => Self::Healthy { step },
            (Reason::AlertAndHostDisagree { step }, _) => Self::AlertAndHostDisagree { step },
            (Reason::BrokenForPeople { step }, _) => Self::BrokenForPeople { step },
            (Reason::Verified, _) => Self::Verified,
            (Reason::Gathered, _) => Self::Gathered,
            (Reason::Unclear { step }, _) => Self::Unclear { step },
            (Reason::RecoverFailed { step }, _) => Self::RecoverFailed { step },
            (Reason::NotVerified { step }, _) => Self::NotVerified { step },
            (Reason::Deadline { step }, _) => Self::Deadline { step },
            (Reason::OutcomeUnknown { step }, _) => Self::OutcomeUnknown { step },
            (Reason::ResolvedByStep { step, recovered }, _) => {
                Self::ResolvedByStep { step, recovered }
            }
            (Reason::HandedOffByStep { step }, _) => Self::HandedOffByStep { step },
            (Reason::NotApproved { step }, _) => Self::NotApproved { step },
            (Reason::Guarded { step, guard, count, limit }, _) => {
                Self::Guarded(Guarded { step, guard, count, limit, said: None, until: None })
            }
            (Reason::Paused { step }, _) => Self::Paused(Paused { step, ..Paused::default() }),
            (Reason::CannotGoOn { step }, _) => {
                Self::CannotGoOn { step, lack: Lack::Other(LOG_HAS_IT.to_owned()) }
            }
            (Reason::AlwaysFailed { step }, _) => Self::AlwaysFailed { step },
            (Reason::Shadowed { step }, _) => Self::Shadowed { step, would_end: None },
            (Reason::Suspended, _) => Self::Suspended { what: LOG_HAS_IT.to_owned() },
            (Reason::OtherAlerts { count }, _) => Self::OtherAlerts { count },
            (Reason::StoodDown, Some(stand_down)) => Self::StoodDown(stand_down),
            (Reason::StoodDown | Reason::Ours, _) => Self::Ours { what: LOG_HAS_IT.to_owned() },
        }
    }
}
