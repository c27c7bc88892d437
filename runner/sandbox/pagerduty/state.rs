//! Everything the stand-in holds. No I/O, no clock: time is an argument.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use serde_json::Value;

use super::directory::Directory;
use super::events::AlertEvent;
use super::faults::Faults;
use super::requests::RequestLog;
use super::subscriptions::Subscription;
use crate::incident::{IncidentId, Status, Urgency};

/// The stand-in's account at one moment; what [`super::StandIn::wait_for`] looks at.
pub struct State {
    pub(super) directory: Directory,
    pub(super) incidents: Vec<IncidentView>,
    pub(super) places: HashMap<IncidentId, usize>,
    pub(super) subscriptions: Vec<Subscription>,
    pub(super) requests: RequestLog,
    pub(super) faults: Faults,
    pub(super) ids: Ids,
    /// Of the Events API; as many as tests send.
    pub(super) alert_events: Vec<AlertEvent>,
}

impl State {
    pub(super) fn seeded(bot_email: &str) -> Self {
        Self {
            directory: Directory::seeded(bot_email),
            incidents: Vec::new(),
            places: HashMap::new(),
            subscriptions: Vec::new(),
            requests: RequestLog::default(),
            faults: Faults::default(),
            ids: Ids::default(),
            alert_events: Vec::new(),
        }
    }

    pub fn incident(&self, id: &IncidentId) -> Option<&IncidentView> {
        self.places.get(id).map(|place| &self.incidents[*place])
    }

    /// All of them, oldest first.
    pub fn incidents(&self) -> &[IncidentView] {
        &self.incidents
    }

    pub fn subscriptions(&self) -> &[Subscription] {
        &self.subscriptions
    }

    pub fn requests(&self) -> &RequestLog {
        &self.requests
    }

    /// Webhooks that are still to be delivered, over all subscriptions.
    pub fn undelivered(&self) -> usize {
        self.subscriptions.iter().map(Subscription::waiting).sum()
    }
}

/// An incident as the stand-in holds it.
#[derive(Clone, Debug)]
pub struct IncidentView {
    pub id: IncidentId,
    pub number: u64,
    pub title: String,
    /// Of the alert it began with: it stays, whatever becomes of the title.
    pub summary: String,
    pub status: Status,
    pub urgency: Urgency,
    /// By name (`P1`).
    pub priority: Option<String>,
    /// Id of the escalation policy in force.
    pub policy: String,
    /// From 1. PagerDuty knows it and does not show it.
    pub level: usize,
    /// User ids.
    pub assignees: Vec<String>,
    /// Assigned to users by hand: it does not escalate by itself.
    pub direct: bool,
    /// Ids of the users who acknowledged, with the time.
    pub acknowledged_by: Vec<(String, Timestamp)>,
    pub notes: Vec<Note>,
    /// The account's own fields that were set.
    pub fields: BTreeMap<String, Value>,
    pub log: Vec<LogEntry>,
    /// What the monitoring sent with its alert; null if a person made the incident.
    pub details: Value,
    /// Alerts that were put into it after the first one.
    pub joined: Vec<Joined>,
    pub created_at: Timestamp,
    pub updated_at: Timestamp,
    pub assigned_at: Timestamp,
    pub status_changed_at: Timestamp,
    pub status_changed_by: Agent,
    pub resolved_at: Option<Timestamp>,
    pub reopened_at: Option<Timestamp>,
    pub merged_into: Option<IncidentId>,
}

impl IncidentView {
    /// The users that were asked to join, oldest first.
    pub fn responders(&self) -> impl Iterator<Item = &str> {
        self.log.iter().filter_map(|entry| match &entry.what {
            Entry::ResponderAsked { user } => Some(user.as_str()),
            _ => None,
        })
    }

    /// The users that were paged, one entry per page, oldest first.
    pub fn paged(&self) -> impl Iterator<Item = &str> {
        self.log.iter().filter_map(|entry| match &entry.what {
            Entry::Paged { user, .. } => Some(user.as_str()),
            _ => None,
        })
    }

    /// What stakeholders were told, oldest first.
    pub fn published(&self) -> impl Iterator<Item = &str> {
        self.log.iter().filter_map(|entry| match &entry.what {
            Entry::Published { message } => Some(message.as_str()),
            _ => None,
        })
    }
}

#[derive(Clone, Debug)]
pub struct Joined {
    pub summary: String,
    pub details: Value,
    pub at: Timestamp,
}

#[derive(Clone, Debug)]
pub struct Note {
    pub id: String,
    pub user: String,
    pub content: String,
    pub at: Timestamp,
    pub edited_at: Timestamp,
}

/// Who did it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Agent {
    /// By id.
    User(String),
    /// The integration that the alerts come in by.
    Monitoring,
    /// PagerDuty itself, for example when a level's time is up.
    PagerDuty,
}

#[derive(Clone, Debug)]
pub struct LogEntry {
    pub id: String,
    pub at: Timestamp,
    pub by: Agent,
    pub what: Entry,
}

/// What a log entry says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    Triggered,
    Assigned {
        users: Vec<String>,
    },
    Paged {
        user: String,
        /// `None`: assigned by hand.
        level: Option<usize>,
        urgency: Urgency,
    },
    Acknowledged,
    Unacknowledged,
    Escalated {
        level: usize,
        users: Vec<String>,
    },
    Delegated {
        policy: String,
        users: Vec<String>,
    },
    Retitled {
        title: String,
    },
    Urgency(Urgency),
    Priority(String),
    Noted {
        content: String,
    },
    NoteEdited {
        content: String,
    },
    NoteDeleted,
    /// To stakeholders.
    Published {
        message: String,
    },
    FieldsSet {
        fields: Vec<(String, Value)>,
    },
    Resolved {
        resolution: Option<String>,
    },
    Merged {
        into: IncidentId,
    },
    Reopened,
    /// Asked to join, and notified.
    ResponderAsked {
        user: String,
    },
}

/// Something that subscriptions are told: one envelope, the same for all of them.
#[derive(Clone, Debug)]
pub(super) struct Event {
    pub(super) incident: IncidentId,
    pub(super) envelope: Value,
    /// The only subscription that is told, by id.
    pub(super) only: Option<String>,
}

/// Ids in PagerDuty's shapes. Counted, so that a run of the stand-in can be repeated.
#[derive(Debug, Default)]
pub(super) struct Ids(u64);

impl Ids {
    /// `Q` and 13 letters or digits, as incidents and notes have.
    pub(super) fn long(&mut self) -> String {
        // An odd factor permutes the 64-bit numbers: it spreads the ids and repeats none.
        let spread = self.next().wrapping_mul(0x9E37_79B9_7F4A_7C15);
        format!("Q{:0>13}", base36(spread))
    }

    /// In the manner of a ULID, as events have.
    pub(super) fn event(&mut self) -> String {
        format!("01{:0>24}", base36(self.next()))
    }

    /// `X-Webhook-Id`.
    pub(super) fn webhook(&mut self) -> String {
        format!("{:032x}", self.next())
    }

    /// `P` and a word that tells the kind.
    pub(super) fn short(&mut self, kind: &str) -> String {
        format!("P{kind}{:0>3}", base36(self.next()))
    }

    fn next(&mut self) -> u64 {
        self.0 += 1;
        self.0
    }
}

fn base36(mut number: u64) -> String {
    const DIGITS: [char; 36] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F', 'G', 'H',
        'I', 'J', 'K', 'L', 'M', 'N', 'O', 'P', 'Q', 'R', 'S', 'T', 'U', 'V', 'W', 'X', 'Y', 'Z',
    ];
    let mut digits = Vec::new();
    while number > 0 {
        digits.extend(usize::try_from(number % 36).ok().map(|digit| DIGITS[digit]));
        number /= 36;
    }
    digits.iter().rev().collect()
}
