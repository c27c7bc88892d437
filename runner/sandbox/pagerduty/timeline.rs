//! What people would see of an incident in PagerDuty, in sentences.

use jiff::Timestamp;

use super::directory::Directory;
use super::state::{Agent, Entry, IncidentView, LogEntry};
use crate::incident::Urgency;

/// One line of an incident's timeline.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TimelineEntry {
    pub at: Timestamp,
    /// The name of who did it.
    pub agent: String,
    pub kind: Kind,
    pub text: String,
}

/// What sort of line it is, so that a reader can pick or colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Status,
    Assignment,
    Page,
    Title,
    Note,
    Urgency,
    Priority,
}

pub(super) fn timeline(directory: &Directory, incident: &IncidentView) -> Vec<TimelineEntry> {
    let line = |entry: &LogEntry| TimelineEntry {
        at: entry.at,
        agent: agent_name(directory, &entry.by),
        kind: kind(&entry.what),
        text: sentence(directory, &entry.what),
    };
    incident.log.iter().map(line).collect()
}

pub(super) fn agent_name(directory: &Directory, agent: &Agent) -> String {
    match agent {
        Agent::User(id) => directory.user_name(id).to_owned(),
        Agent::Monitoring => "Monitoring".to_owned(),
        Agent::PagerDuty => "PagerDuty".to_owned(),
    }
}

fn kind(entry: &Entry) -> Kind {
    match entry {
        Entry::Triggered
        | Entry::Acknowledged
        | Entry::Unacknowledged
        | Entry::Resolved { .. }
        | Entry::Merged { .. }
        | Entry::Reopened => Kind::Status,
        Entry::Assigned { .. } | Entry::Escalated { .. } | Entry::Delegated { .. } => {
            Kind::Assignment
        }
        Entry::Paged { .. } | Entry::ResponderAsked { .. } => Kind::Page,
        Entry::Retitled { .. } => Kind::Title,
        Entry::Noted { .. }
        | Entry::NoteEdited { .. }
        | Entry::NoteDeleted
        | Entry::Published { .. }
        | Entry::FieldsSet { .. } => Kind::Note,
        Entry::Urgency(_) => Kind::Urgency,
        Entry::Priority(_) => Kind::Priority,
    }
}

pub(super) fn sentence(directory: &Directory, entry: &Entry) -> String {
    match entry {
        Entry::Triggered => "triggered".to_owned(),
        Entry::Assigned { users } => format!("assigned to {}", names(directory, users)),
        Entry::Paged { user, level, urgency } => {
            let verb = match urgency {
                Urgency::High => "paged",
                Urgency::Low => "notified (low urgency)",
            };
            let name = directory.user_name(user);
            level.map_or_else(
                || format!("{verb}: {name}"),
                |level| format!("{verb}: {name}, level {level}"),
            )
        }
        Entry::Acknowledged => "acknowledged".to_owned(),
        Entry::Unacknowledged => "no longer acknowledged".to_owned(),
        Entry::Escalated { level, users } => {
            format!("escalated to level {level}: {}", names(directory, users))
        }
        Entry::Delegated { policy, users } => {
            let name = directory.policy(policy).map_or(&**policy, |known| known.name);
            format!("handed to policy \"{name}\": {}", names(directory, users))
        }
        Entry::Retitled { title } => format!("title is now: {title}"),
        Entry::Urgency(urgency) => format!("urgency is now {}", urgency.word()),
        Entry::Priority(name) => format!("priority is now {name}"),
        Entry::Noted { content } => format!("note: {content}"),
        Entry::NoteEdited { content } => format!("note edited: {content}"),
        Entry::NoteDeleted => "note deleted".to_owned(),
        Entry::Published { message } => format!("told stakeholders: {message}"),
        Entry::FieldsSet { fields } => {
            let fields = fields.iter().map(|(name, value)| format!("{name} = {value}"));
            format!("fields: {}", fields.collect::<Vec<_>>().join(", "))
        }
        Entry::Resolved { resolution: None } => "resolved".to_owned(),
        Entry::Resolved { resolution: Some(text) } => format!("resolved: {text}"),
        Entry::Merged { into } => format!("merged into {into}"),
        Entry::Reopened => "reopened".to_owned(),
        Entry::ResponderAsked { user } => {
            format!("asked to join: {}", directory.user_name(user))
        }
    }
}

fn names(directory: &Directory, users: &[String]) -> String {
    let names: Vec<&str> = users.iter().map(|id| directory.user_name(id)).collect();
    names.join(", ")
}
