//! Stage 5: a run's progress in PagerDuty's title, notes and status.
//!
//! The port is what AMS needs of an incident platform; `pagerduty/` is the adapter. Every
//! sentence people read is in `text.rs`. Report never decides anything.

pub mod guards;
pub mod note;
pub mod pagerduty;
pub mod pauses;
pub mod questions;
pub mod reasons;
pub mod reporter;
pub mod text;
pub mod title;

use std::collections::BTreeSet;
use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::claim::hold::Hold;
use crate::claim::protocol::Refusal;
use crate::incident::{Incident, IncidentId, Named, Status, Urgency};

/// A change of an incident; only what is `Some` is sent.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct IncidentChange {
    pub title: Option<String>,
    pub status: Option<Status>,
    /// Goes to the resolve log entry; only with `status: resolved`.
    pub resolution: Option<String>,
    pub urgency: Option<Urgency>,
    /// A priority by the name the account gave it (`P1`).
    pub priority: Option<String>,
    pub escalation: Option<Escalation>,
    /// The same change may have taken effect before: look before it is sent. For resolves.
    pub again: bool,
    /// The last reopening that is known. A resolve that is sent again does not undo a later one.
    pub reopened_at: Option<Timestamp>,
}

/// Whom an incident goes to next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Escalation {
    /// A level of the policy in force, from 1. Un-acknowledges and notifies.
    Level(u32),
    /// Another escalation policy, from its first level.
    Policy(String),
    /// One user directly; does not escalate further by itself: the last resort.
    User(String),
}

/// An escalation policy as far as the next level has to be found in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EscalationPolicy {
    pub id: String,
    pub name: String,
    /// Per level, in order: the ids of the users on call for it now, so that an incident's
    /// assignees tell the level it is at. Where on-calls cannot be read, only the users named in
    /// the policy itself: a level without ids may then still reach people through a schedule.
    pub levels: Vec<Vec<String>>,
}

/// An incident among others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenIncident {
    pub id: IncidentId,
    pub title: String,
    pub service: Option<Named>,
    pub status: Status,
    /// Ids of the teams it belongs to.
    pub teams: Vec<String>,
    pub created_at: Option<Timestamp>,
    /// As in [`Incident`].
    pub reopened_at: Option<Timestamp>,
}

/// Which incidents' webhooks come to AMS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Watched {
    pub account: bool,
    pub services: BTreeSet<String>,
    pub teams: BTreeSet<String>,
}

impl Watched {
    pub fn covers(&self, incident: &OpenIncident) -> bool {
        let service = incident.service.as_ref().map(|service| &service.id);
        self.account
            || service.is_some_and(|id| self.services.contains(id))
            || incident.teams.iter().any(|id| self.teams.contains(id))
    }
}

/// A note on an incident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Note {
    pub id: String,
    pub content: String,
    /// Id of the user who wrote it.
    pub by: Option<String>,
}

/// How an incident was resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Resolution {
    pub at: Timestamp,
    /// Or by monitoring.
    pub by_person: bool,
}

/// Why a call to the platform gave nothing.
#[derive(Debug, thiserror::Error)]
pub enum PlatformError {
    /// The incident is resolved or merged already (codes 1001, 1019, 2018): somebody got there
    /// first, which is no failure.
    #[error("incident {incident} has already ended in PagerDuty ({message})")]
    AlreadyEnded { incident: IncidentId, message: String },

    #[error("PagerDuty does not know {what} (404)")]
    NotFound { what: String },

    /// PagerDuty understood and said no: do not repeat.
    #[error("PagerDuty refused {call}: {status}{} {message}", code.map(|c| format!(" code {c}")).unwrap_or_default())]
    Refused { call: String, status: u16, code: Option<u32>, message: String },

    /// Not sent: this process was paused or cut off meanwhile, and the run is not its own any more.
    #[error("it is not for this process to write any more: {0}")]
    NotOurs(Refusal),

    /// It may work later; all attempts the call allows are used up.
    #[error("PagerDuty did not carry out {call} after {attempts} attempts: {reason}")]
    Unavailable { call: String, attempts: usize, reason: String },
}

impl PlatformError {
    /// Every word of [`Self::class`].
    pub const CLASSES: [&str; 5] =
        ["already_ended", "not_found", "refused", "not_ours", "unavailable"];

    /// For who counts.
    pub const fn class(&self) -> &'static str {
        match self {
            Self::AlreadyEnded { .. } => "already_ended",
            Self::NotFound { .. } => "not_found",
            Self::Refused { .. } => "refused",
            Self::NotOurs(_) => "not_ours",
            Self::Unavailable { .. } => "unavailable",
        }
    }

    /// May the same call work later, unchanged?
    pub const fn is_passing(&self) -> bool {
        matches!(self, Self::Unavailable { .. })
    }
}

/// PagerDuty, as the stages see it. Calls retry by themselves what fails in passing; a call that
/// changes something may therefore have taken effect even when it returns an error.
#[async_trait]
pub trait IncidentPlatform: Send + Sync {
    /// The same platform for one run: before each attempt to write it looks whether the run is still
    /// held, because attempts and the waits between them take long. `None` in rehearsals.
    fn held_by(&self, _hold: &Arc<Hold>) -> Option<Arc<dyn IncidentPlatform>> {
        None
    }

    async fn incident(&self, id: &IncidentId) -> Result<Incident, PlatformError>;

    /// One PUT. Answers with the incident after the change.
    async fn change(
        &self,
        id: &IncidentId,
        change: &IncidentChange,
    ) -> Result<Incident, PlatformError>;

    async fn escalation_policy(&self, id: &str) -> Result<EscalationPolicy, PlatformError>;

    /// All notes of the incident, oldest first.
    async fn notes(&self, id: &IncidentId) -> Result<Vec<Note>, PlatformError>;

    /// How the incident was resolved; `None` while it is open.
    async fn resolution(&self, _id: &IncidentId) -> Result<Option<Resolution>, PlatformError> {
        Ok(None)
    }

    /// The incident's alerts, newest first, as PagerDuty gives them: up to 100.
    async fn alerts(&self, id: &IncidentId) -> Result<Vec<serde_json::Value>, PlatformError>;

    /// Incidents that are open now: the newest [`crate::limits::OPEN_INCIDENTS`].
    async fn open_incidents(&self) -> Result<Vec<OpenIncident>, PlatformError>;

    /// What the webhook subscriptions that lead to a receiver of AMS cover.
    async fn watched(&self) -> Result<Watched, PlatformError>;

    /// Adds a note that carries `marker`. There is no idempotency key in the API, so an attempt
    /// whose answer was lost is followed by a look for the marker before the next attempt.
    async fn add_note(
        &self,
        id: &IncidentId,
        content: &str,
        marker: &str,
    ) -> Result<(), PlatformError>;
}
