//! What it means for a step that AWS did not do what it was asked for, and what to do. Pure.

use crate::aws::failure::Failure;
use crate::execute::actuator::{AwsCall, Ending};

/// Unknown only where something may have been changed.
pub(super) fn ending(call: &AwsCall, failure: &Failure) -> Ending {
    let (what, account) = (call.told(), &call.account.words().account);
    let reason = match failure {
        Failure::Uncertain(why) if call.word.changes => {
            let reason = format!("{what}: AWS did not say whether it was carried out ({why})");
            return Ending::Unknown { reason };
        }
        Failure::Uncertain(why) | Failure::NotSent(why) => {
            format!("{what}: AWS cannot be asked ({why}); check the way to it and its state")
        }
        Failure::Busy(why) => {
            format!("{what}: account {account} has asked AWS for too much at once ({why})")
        }
        Failure::Expired(why) => {
            format!("{what}: AWS takes no session of ours ({why}); check the clock and the role")
        }
        Failure::Refused { .. } if failure.is_denied() => format!(
            "{what}: the role {} may not ({}); allow it in the role's policies",
            call.account.words().role,
            failure.reason()
        ),
        Failure::Refused { code, .. }
            if code.contains("NotFound") || code.contains("Malformed") =>
        {
            format!(
                "{what}: there is no such thing in account {account}, {} ({}); correct the id, the \
                 account or the region",
                call.region,
                failure.reason()
            )
        }
        Failure::Refused { .. } => format!("{what}: AWS refused it ({})", failure.reason()),
    };
    Ending::NotStarted { reason }
}
