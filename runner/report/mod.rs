//! Stage 5: a run's progress in PagerDuty's title, notes and status.
//!
//! The port is what AMS needs of an incident platform; `pagerduty/` is the adapter. Every
//! sentence people read is in `text.rs`. Report never decides anything.

pub mod accompany;
pub mod account;
pub mod acknowledge;
mod beside;
pub mod fields;
pub mod guards;
pub mod note;
pub mod original;
pub mod packet;
pub mod pagerduty;
pub mod pauses;
pub mod questions;
pub mod reasons;
pub mod reporter;
pub mod text;
pub mod title;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;

use crate::claim::hold::Hold;
use crate::claim::protocol::Refusal;
use crate::incident::{Incident, IncidentId, Named, Status, Urgency};
use crate::paging::Responders;

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
    /// Who had the incident before an escalation. An attempt whose answer was lost is followed by a
    /// look: with somebody else, it worked, and nobody is paged twice.
    pub before: Option<Vec<String>>,
    /// Takes back what AMS itself had acknowledged; made also after a person asked AMS to stop.
    pub gives_back: bool,
}

/// Whom an incident goes to next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Escalation {
    /// A level of the policy in force, from 1. Un-acknowledges and notifies.
    Level(u32),
    /// Another escalation policy, from its first level.
    Policy(String),
    /// Users directly; does not escalate further by itself.
    Users(Vec<String>),
}

/// How people were paged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// A level of the incident's policy.
    Level(u32),
    Policy(String),
    Users(Vec<String>),
    Responders,
    /// Not by the incident itself; which way it was.
    LastResort(String),
}

impl Way {
    /// The word used in metrics.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Level(_) => "level",
            Self::Policy(_) => "policy",
            Self::Users(_) => "users",
            Self::Responders => "responders",
            Self::LastResort(_) => "last_resort",
        }
    }
}

/// Asks people to join an incident that stays with whoever has it.
#[derive(Clone, Copy, Debug)]
pub struct ResponderRequest<'a> {
    /// Id of the user in whose name they are asked.
    pub requester: &'a str,
    pub message: &'a str,
    pub targets: &'a Responders,
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
    pub acknowledged_by: Vec<String>,
}

impl OpenIncident {
    /// Only we have acknowledged it: PagerDuty pages nobody.
    pub fn is_with_us_alone(&self, bot_user: &str) -> bool {
        let by = &self.acknowledged_by;
        self.status == Status::Acknowledged
            && !by.is_empty()
            && by.iter().all(|user| user == bot_user)
    }
}

/// An incident of the past, as it is listed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastIncident {
    pub id: IncidentId,
    pub title: String,
    pub service: Option<Named>,
    pub urgency: Urgency,
    pub created_at: Timestamp,
    /// `None` while it is open.
    pub resolved_at: Option<Timestamp>,
    /// A person resolved it, or monitoring did.
    pub by_person: bool,
}

/// A page of them.
#[derive(Clone, Debug)]
pub struct PastPage {
    pub incidents: Vec<PastIncident>,
    /// Entries of the page, those included that cannot be used.
    pub listed: usize,
    pub more: bool,
}

/// Which incidents' webhooks come to AMS.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Watched {
    pub account: bool,
    pub services: BTreeSet<String>,
    pub teams: BTreeSet<String>,
    /// Subscriptions that PagerDuty itself has switched off for a while.
    pub silenced: usize,
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
#[derive(Clone, Debug, thiserror::Error)]
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

    /// The account has not bought it, or its key may not use it: known from an answer a while ago.
    #[error("PagerDuty has no {what} for this account or key")]
    NotInPlan { what: &'static str },

    /// It may work later; all attempts the call allows are used up.
    #[error("PagerDuty did not carry out {call} after {attempts} attempts: {reason}")]
    Unavailable { call: String, attempts: usize, reason: String },
}

impl PlatformError {
    /// Every word of [`Self::class`].
    pub const CLASSES: [&str; 6] =
        ["already_ended", "not_found", "refused", "not_ours", "not_in_plan", "unavailable"];

    /// For who counts.
    pub const fn class(&self) -> &'static str {
        match self {
            Self::AlreadyEnded { .. } => "already_ended",
            Self::NotFound { .. } => "not_found",
            Self::Refused { .. } => "refused",
            Self::NotOurs(_) => "not_ours",
            Self::NotInPlan { .. } => "not_in_plan",
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

    /// So many processes that live send requests in the name of the same account.
    fn share_with(&self, _processes: usize) {}

    /// Requests wait long for their turn: a run's end is told, its start and progress are not.
    fn is_storm(&self) -> bool {
        false
    }

    async fn incident(&self, id: &IncidentId) -> Result<Incident, PlatformError>;

    /// The same right before people are paged: nothing but pages goes before it. While requests are
    /// scarce, what is known of it will do, up to [`crate::limits::KNOWLEDGE_WHEN_SCARCE`], unless it is
    /// to be `fresh`.
    async fn incident_to_page(
        &self,
        known: &Incident,
        _fresh: bool,
    ) -> Result<Incident, PlatformError> {
        self.incident(&known.id).await
    }

    /// One PUT. Answers with the incident after the change.
    async fn change(
        &self,
        id: &IncidentId,
        change: &IncidentChange,
    ) -> Result<Incident, PlatformError>;

    /// The same, with `sent` set once it may have reached the platform: a call that is dropped before that
    /// has changed nothing.
    async fn change_or_drop(
        &self,
        id: &IncidentId,
        change: &IncidentChange,
        sent: &AtomicBool,
    ) -> Result<Incident, PlatformError> {
        sent.store(true, Ordering::Relaxed);
        self.change(id, change).await
    }

    async fn escalation_policy(&self, id: &str) -> Result<EscalationPolicy, PlatformError>;

    /// Notifies responders. `false`: PagerDuty took it and found nobody to notify.
    async fn ask_responders(
        &self,
        _id: &IncidentId,
        _request: ResponderRequest<'_>,
    ) -> Result<bool, PlatformError> {
        Ok(false)
    }

    /// Has this user given the incident to somebody since then, by level, policy or name? Read from
    /// PagerDuty's own log, after a take-over.
    async fn handed_over_since(
        &self,
        _id: &IncidentId,
        _by: &str,
        _since: Timestamp,
    ) -> Result<bool, PlatformError> {
        Ok(false)
    }

    /// How long an acknowledgement of the service's incidents lasts; `None`: for ever, as is
    /// PagerDuty's default.
    async fn acknowledgement_timeout(
        &self,
        _service: &str,
    ) -> Result<Option<Duration>, PlatformError> {
        Ok(None)
    }

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

    /// Puts another text in the place of a note's. Repeating it changes nothing, and it tells nobody:
    /// PagerDuty sends no webhook and no notification for it.
    async fn edit_note(
        &self,
        _id: &IncidentId,
        _note: &str,
        _content: &str,
    ) -> Result<(), PlatformError> {
        Ok(())
    }

    /// Tells those who follow the incident without working on it. At most once, even if its answer
    /// is lost.
    async fn tell_stakeholders(
        &self,
        _id: &IncidentId,
        _message: &str,
    ) -> Result<(), PlatformError> {
        Ok(())
    }

    /// Sets custom fields by name. May be repeated.
    async fn set_fields(
        &self,
        _id: &IncidentId,
        _values: &[(String, serde_json::Value)],
    ) -> Result<(), PlatformError> {
        Ok(())
    }
}
