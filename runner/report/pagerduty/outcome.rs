//! What a call that gave nothing means to the stages.

use super::budget::Lane;
use super::change::{self, Reaction};
use super::transport::{Call, Failure, GaveUp};
use crate::incident::IncidentId;
use crate::report::{IncidentChange, PlatformError};

pub(super) fn react(change: &IncidentChange, gave_up: &GaveUp) -> Reaction {
    match &gave_up.failure {
        Failure::Refused(refusal) => change::reaction(change, refusal, gave_up.may_have_worked),
        Failure::Passing { .. } | Failure::NotOurs(_) => Reaction::GiveUp,
    }
}

pub(super) fn about_incident(call: &Call<'_>, id: &IncidentId, gave_up: GaveUp) -> PlatformError {
    match gave_up.failure {
        Failure::Refused(refusal) if refusal.says_ended() => {
            PlatformError::AlreadyEnded { incident: id.clone(), message: refusal.message }
        }
        // PagerDuty names neither of the two when one of them does not exist.
        _ if call.lane == Lane::Escalate && call.is_write() => {
            error(call, format!("incident {id} or its next escalation target"), gave_up)
        }
        _ => error(call, format!("incident {id}"), gave_up),
    }
}

pub(super) fn error(call: &Call<'_>, what: String, gave_up: GaveUp) -> PlatformError {
    match gave_up.failure {
        Failure::NotOurs(refusal) => PlatformError::NotOurs(refusal),
        Failure::Refused(refusal) if refusal.status == 404 => PlatformError::NotFound { what },
        Failure::Refused(refusal) => PlatformError::Refused {
            call: call.name(),
            status: refusal.status,
            code: refusal.code,
            message: refusal.message,
        },
        Failure::Passing { reason, said, .. } => {
            let said = said.map(|said| format!(" {said}")).unwrap_or_default();
            let doubt = if call.is_write() && gave_up.may_have_worked {
                "; it may have taken effect all the same"
            } else {
                ""
            };
            PlatformError::Unavailable {
                call: call.name(),
                attempts: gave_up.attempts,
                reason: format!("{reason}{said}{doubt}"),
            }
        }
    }
}
