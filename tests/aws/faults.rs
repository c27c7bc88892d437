//! What can go wrong on the way to AWS and back, and what AWS saw of it.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::Instant;

/// What can happen to one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The connection is closed before anything took effect.
    LoseRequest,
    /// The connection is closed after it took effect.
    LoseAnswer,
    /// It took effect, and nobody ever answers.
    Hang,
    /// HTTP 500, not carried out.
    ErrorBefore,
    /// HTTP 500, carried out all the same.
    ErrorAfter,
    /// "Rate exceeded": not carried out.
    Throttle,
    /// The caller's policies do not allow it.
    Deny,
    /// The caller's credentials have just expired: not carried out.
    Expire,
    /// HTTP 400 with a code of the service's own: not carried out.
    Refuse(&'static str),
    /// Carried out at once, answered later.
    Slow(Duration),
}

/// A fault that is certain.
#[derive(Clone, Debug)]
pub(super) struct Planned {
    pub(super) left: usize,
    /// As AWS names it: `SendCommand`.
    pub(super) action: String,
    /// For requests of one account, or of all.
    pub(super) account: Option<String>,
    /// For requests about one host or role, or about all.
    pub(super) about: Option<String>,
    pub(super) fault: Fault,
}

impl Planned {
    pub(super) fn meets(&self, asked: &Asked) -> bool {
        let of_account = self.account.as_ref().is_none_or(|account| *account == asked.account);
        let named = self.about.as_ref().is_none_or(|about| asked.about.contains(about));
        self.left > 0 && self.action == asked.action && of_account && named
    }
}

/// A request that came.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) at: Instant,
    /// Empty where the signature is nobody's.
    pub(crate) account: String,
    pub(crate) region: String,
    /// As in signatures: `ssm`, `sts`, `ec2`.
    pub(crate) service: String,
    pub(crate) action: String,
    /// Hosts and roles that the request names.
    pub(crate) about: Vec<String>,
    /// Who asked, as IAM names it.
    pub(crate) caller: String,
}

/// The largest number of requests of each account within any one second.
pub(crate) fn busiest_seconds<'a>(
    asked: impl IntoIterator<Item = &'a Asked>,
) -> BTreeMap<String, usize> {
    let mut times: BTreeMap<String, Vec<Instant>> = BTreeMap::new();
    for asked in asked {
        times.entry(asked.account.clone()).or_default().push(asked.at);
    }
    let busiest = |times: Vec<Instant>| {
        let mut first = 0;
        let within = |(last, at): (usize, &Instant)| {
            while at.duration_since(times[first]) >= Duration::from_secs(1) {
                first += 1;
            }
            last + 1 - first
        };
        times.iter().enumerate().map(within).max().unwrap_or_default()
    };
    times.into_iter().map(|(account, times)| (account, busiest(times))).collect()
}
