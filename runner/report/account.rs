//! What a PagerDuty account has set up around the incidents, for those who look whether AMS can
//! work there. Nothing of it is needed by a run.

use std::time::Duration;

use super::PlatformError;
use crate::incident::Named;

/// A subscription of webhooks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subscription {
    pub id: String,
    pub url: String,
    /// Its operators' switch.
    pub active: bool,
    /// PagerDuty stopped using it after three webhooks in a row that were refused: for 24 h, or until
    /// it is enabled (PagerDuty developer docs, Webhooks, Behavior).
    pub is_disabled: bool,
    pub events: Vec<String>,
    pub scope: Scope,
}

/// Whose events a subscription gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    Account,
    /// By id.
    Service(String),
    /// By id.
    Team(String),
    /// Of a kind that AMS does not know.
    Other,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Service {
    pub name: Named,
    /// Makes no incidents at present.
    pub is_disabled: bool,
    pub policy: Option<String>,
    /// After it an acknowledged incident pages again. Off unless somebody sets it.
    pub acknowledgement_timeout: Option<Duration>,
    /// Ids.
    pub teams: Vec<String>,
}

/// An escalation policy as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    pub name: Named,
    /// In order, level 1 first.
    pub levels: Vec<Level>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Level {
    /// How long an incident stays here unless somebody acknowledges it.
    pub wait: Duration,
    /// Ids of users who are named themselves.
    pub users: Vec<String>,
    /// Schedules, which stand for other people from time to time.
    pub schedules: usize,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    pub name: Named,
    pub email: String,
}

/// Who is on call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OnCall {
    pub policy: String,
    /// From 1.
    pub level: usize,
    pub user: String,
}

/// A subscription that PagerDuty has just made.
#[derive(Debug)]
pub struct Subscribed {
    pub id: String,
    /// Told once.
    pub secret: Option<secrecy::SecretString>,
}

/// Why there is no new subscription, or none that is known.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct NotSubscribed {
    pub error: PlatformError,
    /// The answer was lost: it may be there, and nobody has its secret.
    pub perhaps: bool,
}
