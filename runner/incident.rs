//! The nouns every stage shares: incident, run, region, owner, outcome.
//!
//! Nothing here does I/O. Strings that came from outside are wrapped as soon as they are inside,
//! so that an id cannot be taken for a title and a title never for a command.

use std::fmt;

use serde::{Deserialize, Serialize};

/// PagerDuty's incident id (`data.id`), the key of everything AMS does.
///
/// Never the `incident_key`: that one is null for every incident that was made from an alert.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IncidentId(String);

impl IncidentId {
    /// Accepts what PagerDuty issues: 1 to [`Self::MAX_LEN`] ASCII letters and digits. Anything
    /// else would end up in request paths and file names, so it is refused at the door.
    pub fn parse(text: &str) -> Option<Self> {
        let fits = !text.is_empty() && text.len() <= Self::MAX_LEN;
        (fits && text.bytes().all(|b| b.is_ascii_alphanumeric())).then(|| Self(text.to_owned()))
    }

    /// Characters; PagerDuty's ids have 7 or 14.
    pub const MAX_LEN: usize = 40;

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for IncidentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One handling of one incident: run 1 at `triggered`, the next one at each `reopened`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct RunId {
    pub incident: IncidentId,
    pub number: u32,
}

impl fmt::Display for RunId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.incident, self.number)
    }
}

/// The name of a region, as the operator calls it (`tokyo`, `osaka`).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Region(String);

impl Region {
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// One runner process, unique over restarts: `<region>-<random>`. Claims and heartbeats name it.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Owner(String);

impl Owner {
    pub fn new(name: impl Into<String>) -> Self {
        Self(name.into())
    }

    /// The identity of a process that starts now. Restarting makes a new owner on purpose: a
    /// process that died is dead, even when its successor has the same region and configuration.
    pub fn of_new_process(region: &Region) -> Self {
        let id = uuid::Uuid::new_v4().simple().to_string();
        Self(format!("{region}-{}", &id[..8]))
    }

    /// The region's name.
    pub fn region(&self) -> &str {
        self.0.rsplit_once('-').map_or(self.0.as_str(), |(region, _)| region)
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// How a run ended. Every claimed incident gets exactly one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A recovery ran and its verify passed.
    Resolved,
    /// The first check found nothing to repair.
    RecoveredItself,
    /// The scenario ends with people by design (facts were gathered for them).
    HandedOff,
    /// The scenario, or AMS itself, failed: people were paged.
    Escalated,
    /// A person took over, or the incident ended meanwhile.
    StoodDown,
    /// A suspension (対応停止) covers the incident.
    Suspended,
    /// AMS said what it would do and did not do it.
    Shadowed,
    /// No scenario is meant for this title; people have it as before.
    Unmatched,
}

impl Outcome {
    pub const ALL: [Self; 8] = [
        Self::Resolved,
        Self::RecoveredItself,
        Self::HandedOff,
        Self::Escalated,
        Self::StoodDown,
        Self::Suspended,
        Self::Shadowed,
        Self::Unmatched,
    ];

    /// The word used in stores, metrics and machine-readable output.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Resolved => "resolved",
            Self::RecoveredItself => "recovered_itself",
            Self::HandedOff => "handed_off",
            Self::Escalated => "escalated",
            Self::StoodDown => "stood_down",
            Self::Suspended => "suspended",
            Self::Shadowed => "shadowed",
            Self::Unmatched => "unmatched",
        }
    }

    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|outcome| outcome.word() == word)
    }
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

/// An incident's state in PagerDuty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Triggered,
    Acknowledged,
    Resolved,
}

impl Status {
    pub fn parse(word: &str) -> Option<Self> {
        match word {
            "triggered" => Some(Self::Triggered),
            "acknowledged" => Some(Self::Acknowledged),
            "resolved" => Some(Self::Resolved),
            _ => None,
        }
    }

    pub const fn word(self) -> &'static str {
        match self {
            Self::Triggered => "triggered",
            Self::Acknowledged => "acknowledged",
            Self::Resolved => "resolved",
        }
    }
}

/// Whether PagerDuty wakes people for it. Low-urgency incidents cannot be escalated to a level.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Urgency {
    High,
    Low,
}

impl Urgency {
    pub const fn word(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Low => "low",
        }
    }
}

/// What AMS knows of an incident at one moment, from a webhook or from the REST API.
///
/// Only what the stages use; both sources name these fields differently (`number` and
/// `incident_number`, `assignees` and `assignments`) and may leave any of them out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    pub id: IncidentId,
    /// As PagerDuty shows it, our own prefix included; [`crate::report::title`] takes it off.
    pub title: String,
    pub status: Status,
    pub urgency: Urgency,
    /// PagerDuty's running number, for people.
    pub number: Option<u64>,
    pub service: Option<Named>,
    /// Id of the escalation policy in force.
    pub escalation_policy: Option<String>,
    /// When it began, in whole seconds, where PagerDuty says so.
    pub created_at: Option<jiff::Timestamp>,
    /// Who brought it into its status, where PagerDuty says so.
    pub status_by: Option<String>,
    /// When a user brought it back to triggered, where that was its last change of status.
    pub reopened_at: Option<jiff::Timestamp>,
    /// User ids the incident is assigned to now.
    pub assignees: Vec<String>,
    /// User ids of those who have acknowledged it, as far as the source says so: webhooks do not.
    pub acknowledged_by: Vec<String>,
    /// Where people open it. Shown, never fetched: URLs of ours come from configuration.
    pub html_url: Option<String>,
    /// When this was true.
    pub seen_at: jiff::Timestamp,
}

impl Incident {
    /// Acknowledged, and not by us alone. Whoever acknowledges becomes the assignee.
    pub fn is_with_people(&self, bot_user: &str) -> bool {
        let is_person = |user: &String| user != bot_user;
        self.status == Status::Acknowledged
            && match self.acknowledged_by.as_slice() {
                [] => self.assignees.iter().all(is_person),
                users => users.iter().any(is_person),
            }
    }

    /// Our own acknowledgement keeps PagerDuty from paging anybody.
    pub fn is_with_us_alone(&self, bot_user: &str) -> bool {
        self.status == Status::Acknowledged && !self.is_with_people(bot_user)
    }
}

/// An id with the name people know it by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Named {
    pub id: String,
    pub name: String,
}
