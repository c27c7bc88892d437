//! Log entries as REST shows them.

use serde_json::{Value, json};

use super::directory::Directory;
use super::json::{
    add, incident_reference, reference, rest_agent, seconds, service_reference, user_reference,
    user_references,
};
use super::state::{Entry, IncidentView, LogEntry};
use super::timeline;

/// `None` for what PagerDuty's log has no type for.
pub(super) fn log_entry(
    directory: &Directory,
    incident: &IncidentView,
    entry: &LogEntry,
) -> Option<Value> {
    let kind = log_type(&entry.what)?;
    let mut answer =
        reference(&entry.id, kind, "log_entries", &timeline::sentence(directory, &entry.what));
    add(&mut answer, "created_at", Some(seconds(entry.at).into()));
    add(&mut answer, "agent", Some(rest_agent(directory, &entry.by)));
    let mut channel = json!({ "type": "auto" });
    if kind == "trigger_log_entry" && !incident.details.is_null() {
        channel = json!({ "type": "api", "summary": incident.title, "details": incident.details });
    }
    add(&mut answer, "channel", Some(channel));
    add(&mut answer, "incident", Some(incident_reference(incident)));
    add(&mut answer, "service", Some(service_reference(&directory.service)));
    add(&mut answer, "teams", Some(json!([])));
    add(&mut answer, "contexts", Some(json!([])));
    let paged = paged_user(&entry.what);
    add(&mut answer, "user", paged.map(|id| user_reference(directory, id)));
    let assignees = new_assignees(&entry.what);
    add(&mut answer, "assignees", assignees.map(|users| user_references(directory, users).into()));
    Some(answer)
}

pub(super) fn is_field_change(entry: &Entry) -> bool {
    log_type(entry) == Some("field_value_change_log_entry")
}

/// PagerDuty's name for such a log entry; `None` where its log has no entry of that sort.
fn log_type(entry: &Entry) -> Option<&'static str> {
    Some(match entry {
        Entry::Triggered => "trigger_log_entry",
        // The log has no type of its own for a reopening.
        Entry::Assigned { .. } | Entry::Reopened => "assign_log_entry",
        Entry::Paged { .. } => "notify_log_entry",
        Entry::Acknowledged => "acknowledge_log_entry",
        Entry::Unacknowledged => "unacknowledge_log_entry",
        Entry::Escalated { .. } => "escalate_log_entry",
        Entry::Delegated { .. } => "delegate_log_entry",
        Entry::Retitled { .. } | Entry::Priority(_) => "field_value_change_log_entry",
        Entry::Urgency(_) => "urgency_change_log_entry",
        Entry::Noted { .. } => "annotate_log_entry",
        Entry::Resolved { .. } => "resolve_log_entry",
        Entry::NoteEdited { .. }
        | Entry::NoteDeleted
        | Entry::Published { .. }
        | Entry::FieldsSet { .. }
        | Entry::Merged { .. }
        | Entry::ResponderAsked { .. } => return None,
    })
}

fn paged_user(entry: &Entry) -> Option<&str> {
    match entry {
        Entry::Paged { user, .. } => Some(user),
        _ => None,
    }
}

fn new_assignees(entry: &Entry) -> Option<&[String]> {
    match entry {
        Entry::Assigned { users }
        | Entry::Escalated { users, .. }
        | Entry::Delegated { users, .. } => Some(users),
        _ => None,
    }
}
