//! What comes next in a run, from its scenario and its last step's result. Pure.
//!
//! Live and taken-over runs ask the same function: the journal's last entry is all it needs.

use crate::claim::journal::{DoneResult, Reason};
use crate::claim::protocol::StandDown;
use crate::incident::Outcome;
use crate::scenario::model::{Scenario, StepKind, WhenBroken, WhenHealthy};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// Carry out this step.
    Step(usize),
    End(End),
}

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
    StoodDown(StandDown),
    /// Something of ours failed.
    Ours {
        what: String,
    },
}

impl End {
    pub const fn outcome(&self) -> Outcome {
        match self {
            Self::Healthy { .. } => Outcome::RecoveredItself,
            Self::Verified => Outcome::Resolved,
            Self::AlertAndHostDisagree { .. } | Self::BrokenForPeople { .. } | Self::Gathered => {
                Outcome::HandedOff
            }
            Self::StoodDown(_) => Outcome::StoodDown,
            Self::Unclear { .. }
            | Self::RecoverFailed { .. }
            | Self::NotVerified { .. }
            | Self::Deadline { .. }
            | Self::OutcomeUnknown { .. }
            | Self::Ours { .. } => Outcome::Escalated,
        }
    }
}

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
            Self::StoodDown(_) => Reason::StoodDown,
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
            (Reason::StoodDown, Some(stand_down)) => Self::StoodDown(stand_down),
            (Reason::StoodDown | Reason::Ours, _) => {
                Self::Ours { what: "the first region's log has the reason".to_owned() }
            }
        }
    }
}

/// `last` is the step that ended last and its result; `None` at the beginning.
pub fn next(scenario: &Scenario, last: Option<(usize, DoneResult)>) -> Next {
    let Some((step, result)) = last else {
        return step_or_end(scenario, 0);
    };
    let Some(done) = scenario.steps.get(step) else {
        let what = format!("the journal names step {}, which the scenario does not have", step + 1);
        return Next::End(End::Ours { what });
    };
    match end_after(&done.kind, step, result) {
        Some(end) => Next::End(end),
        None => step_or_end(scenario, step + 1),
    }
}

fn end_after(kind: &StepKind, step: usize, result: DoneResult) -> Option<End> {
    match (kind, result) {
        (StepKind::Check { when_healthy, .. }, DoneResult::Met) => match when_healthy {
            WhenHealthy::Resolve => Some(End::Healthy { step }),
            WhenHealthy::HandOff => Some(End::AlertAndHostDisagree { step }),
            WhenHealthy::Continue => None,
        },
        (StepKind::Check { when_broken, .. }, DoneResult::NotMet) => match when_broken {
            WhenBroken::HandOff => Some(End::BrokenForPeople { step }),
            WhenBroken::Continue => None,
        },
        (StepKind::Check { .. } | StepKind::Recover { .. }, DoneResult::Unclear) => {
            Some(End::Unclear { step })
        }
        (StepKind::Recover { .. }, DoneResult::NotMet) => Some(End::RecoverFailed { step }),
        (StepKind::Verify { .. }, DoneResult::NotMet | DoneResult::Unclear) => {
            Some(End::NotVerified { step })
        }
        (StepKind::Recover { .. } | StepKind::Verify { .. }, DoneResult::Met)
        | (StepKind::Gather { .. } | StepKind::Wait { .. }, _) => None,
    }
}

/// Reaching the end means that every verify passed; without a recovery there was none to verify.
fn step_or_end(scenario: &Scenario, step: usize) -> Next {
    if step < scenario.steps.len() {
        Next::Step(step)
    } else if scenario.recovers() {
        Next::End(End::Verified)
    } else {
        Next::End(End::Gathered)
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use DoneResult::{Met, NotMet, Unclear};

    use super::*;

    fn scenario(steps: &str) -> Scenario {
        let text = format!("scenario: x\nabout: x\nmatch: {{all: [x]}}\nsteps:\n{steps}");
        crate::scenario::file::read(Path::new("x.yaml"), &text, None).unwrap().0
    }

    const REPAIR: &str = "  - check: {run: 'true', when_healthy: resolve}\n  \
                          - gather: {run: 'true'}\n  \
                          - recover: {run: 'true'}\n  \
                          - verify: {run: 'true'}\n";

    #[test]
    fn a_repair_goes_step_by_step_to_verified() {
        let scenario = scenario(REPAIR);
        assert_eq!(next(&scenario, None), Next::Step(0));
        assert_eq!(next(&scenario, Some((0, NotMet))), Next::Step(1));
        assert_eq!(next(&scenario, Some((1, Unclear))), Next::Step(2));
        assert_eq!(next(&scenario, Some((2, Met))), Next::Step(3));
        assert_eq!(next(&scenario, Some((3, Met))), Next::End(End::Verified));
    }

    #[test]
    fn what_goes_wrong_ends_with_people() {
        let scenario = scenario(REPAIR);
        let end = |step, result| match next(&scenario, Some((step, result))) {
            Next::End(end) => end,
            Next::Step(step) => panic!("goes on with step {step}"),
        };
        assert_eq!(end(0, Met).outcome(), Outcome::RecoveredItself);
        assert_eq!(end(0, Unclear), End::Unclear { step: 0 });
        assert_eq!(end(2, NotMet), End::RecoverFailed { step: 2 });
        assert_eq!(end(2, Unclear), End::Unclear { step: 2 });
        assert_eq!(end(3, NotMet), End::NotVerified { step: 3 });
        assert_eq!(end(3, Unclear), End::NotVerified { step: 3 });
        assert_eq!(end(9, Met).outcome(), Outcome::Escalated);
    }

    #[test]
    fn facts_only_never_resolve() {
        let scenario = scenario("  - gather: {run: 'true'}\n");
        assert_eq!(next(&scenario, Some((0, Met))), Next::End(End::Gathered));
        assert_eq!(End::Gathered.outcome(), Outcome::HandedOff);
    }
}
