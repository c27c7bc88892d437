//! How an account is reached.

use std::sync::Arc;
use std::time::Duration;

use super::retry::Pace;
use crate::clock::{Clock, SystemClock};
use crate::limits;
use crate::metrics::Metrics;
use crate::secret::Secret;
use secrecy::ExposeSecret as _;

/// What kind of token it is; PagerDuty wants another word before each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Credential {
    /// An account's or a user's REST API key.
    #[default]
    ApiKey,
    /// A token of a scoped OAuth app.
    OAuth,
}

impl Credential {
    /// What stands in `Authorization`.
    pub(super) fn header(self, token: &Secret) -> String {
        let token = token.now();
        let token = token.expose_secret();
        match self {
            Self::ApiKey => format!("Token token={token}"),
            Self::OAuth => format!("Bearer {token}"),
        }
    }
}

/// How to reach an account. [`Settings::new`] fills in everything but the account itself.
pub struct Settings {
    /// `https://api.pagerduty.com`, `https://api.eu.pagerduty.com` or a stand-in.
    pub base_url: String,
    pub token: Secret,
    pub credential: Credential,
    /// E-mail address of the PagerDuty user in whose name AMS writes.
    pub from: String,
    pub user_agent: String,
    /// One request, connection included.
    pub request_timeout: Duration,
    pub pace: Pace,
    /// Requests under way at once.
    pub at_once: usize,
    /// Further ones, for escalations only.
    pub escalations_at_once: usize,
    /// What the account's key may send in one window, all its users together.
    pub requests: u32,
    /// PagerDuty's is a minute.
    pub window: Duration,
    pub metrics: Metrics,
    /// Says when an answer was read.
    pub clock: Arc<dyn Clock>,
}

impl Settings {
    pub fn new(base_url: impl Into<String>, token: Secret, from: impl Into<String>) -> Self {
        Self {
            base_url: base_url.into(),
            token,
            credential: Credential::default(),
            from: from.into(),
            user_agent: concat!("ams/", env!("CARGO_PKG_VERSION")).to_owned(),
            request_timeout: limits::PAGERDUTY_REQUEST,
            pace: Pace::default(),
            at_once: limits::PAGERDUTY_AT_ONCE,
            escalations_at_once: limits::PAGERDUTY_ESCALATIONS_AT_ONCE,
            requests: limits::PAGERDUTY_PER_MINUTE,
            window: Duration::from_mins(1),
            metrics: Metrics::default(),
            clock: Arc::new(SystemClock),
        }
    }
}
