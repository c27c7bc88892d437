//! Why a command cannot be sent to a host, in words of ours with what to do. Pure.

use jiff::{SignedDuration, Timestamp};

use crate::customer::aws::SsmWay;

pub(super) fn unknown_to_ssm(way: &SsmWay) -> String {
    format!(
        "{}: SSM does not know {} in account {}, {}; install the agent, give the machine a role with \
         AmazonSSMManagedInstanceCore, or correct `instance`, `account` and `region`",
        way.host(),
        way.instance(),
        way.account().words().account,
        way.region()
    )
}

pub(super) fn away(way: &SsmWay, word: &str, last: Option<Timestamp>, now: Timestamp) -> String {
    let last = last.map_or_else(String::new, |last| {
        let ago = now.duration_since(last).max(SignedDuration::ZERO);
        let ago = SignedDuration::from_secs(ago.as_secs());
        format!(", last heard of {ago:#} ago")
    });
    format!(
        "{}: its agent is not there ({word}{last}); check that the host runs, and that the agent \
         reaches SSM from it",
        way.host()
    )
}

/// The errors of `SendCommand`, by the reference.
pub(super) fn by_ssm(way: &SsmWay, code: &str, message: &str) -> String {
    let what = match code {
        "InvalidInstanceId" => {
            "SSM takes no commands for it; check that the machine runs and its agent is registered, \
             and that the role may send commands to it"
        }
        "UnsupportedPlatformType" => {
            "the document is not for its platform; correct `platform`, or the step"
        }
        "MaxDocumentSizeExceeded" => {
            "the command is too long for SSM; put the script on the host and start it from there"
        }
        "InvalidDocument" | "InvalidDocumentVersion" => {
            "the account does not have AWS's document for such commands; ask its owner"
        }
        "InvalidOutputFolder" | "InvalidOutputLocation" => {
            "SSM does not take the place for output; correct `output` of the account"
        }
        "AccessDeniedException" | "AccessDenied" => {
            "the role may not do that; allow it ssm:SendCommand on this instance and on AWS's documents \
             AWS-RunShellScript and AWS-RunPowerShellScript"
        }
        _ => "SSM refused the command",
    };
    let message: String = message.chars().take(200).collect();
    format!("{}: {what} ({code}: {message})", way.host())
}
