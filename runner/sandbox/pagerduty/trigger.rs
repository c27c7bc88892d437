//! How an incident begins.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::Value;

use super::refusal::Refusal;
use super::state::{Agent, Entry, Event, IncidentView, State};
use crate::incident::{IncidentId, Status, Urgency};

/// An incident to come.
#[derive(Clone, Debug)]
pub struct NewIncident {
    pub title: String,
    pub urgency: Urgency,
    /// The policy it starts with; `None`: the service's.
    pub policy: Option<String>,
    /// What the monitoring says in its alert; null: no alert, a person made the incident.
    pub details: Value,
}

impl NewIncident {
    /// Of high urgency, from an alert.
    pub fn titled(title: &str) -> Self {
        Self {
            title: title.to_owned(),
            urgency: Urgency::High,
            policy: None,
            details: serde_json::json!({ "message": title }),
        }
    }
}

impl State {
    /// Monitoring reports a fault: a new incident at level 1 of its policy.
    pub(super) fn trigger(
        &mut self,
        new: NewIncident,
        now: Timestamp,
    ) -> Result<(IncidentId, Vec<Event>), Refusal> {
        let wanted = new.policy.as_deref().unwrap_or(self.directory.service.policy);
        let policy = self.directory.policy(wanted);
        let policy = policy.ok_or_else(Refusal::no_such_level)?.id.to_owned();
        let id = IncidentId::parse(&self.ids.long()).ok_or_else(Refusal::not_found)?;
        let place = self.incidents.len();
        self.incidents.push(IncidentView {
            id: id.clone(),
            number: place as u64 + 1,
            summary: new.title.clone(),
            title: new.title,
            status: Status::Triggered,
            urgency: new.urgency,
            priority: None,
            policy,
            level: 1,
            assignees: Vec::new(),
            direct: false,
            acknowledged_by: Vec::new(),
            notes: Vec::new(),
            fields: BTreeMap::new(),
            log: Vec::new(),
            details: new.details,
            joined: Vec::new(),
            created_at: now,
            updated_at: now,
            assigned_at: now,
            status_changed_at: now,
            status_changed_by: Agent::Monitoring,
            resolved_at: None,
            reopened_at: None,
            merged_into: None,
        });
        self.places.insert(id.clone(), place);
        let mut turn = self.turn(&id, Agent::Monitoring, now)?;
        turn.log(Entry::Triggered);
        turn.assign_level(1);
        let users = turn.incident.assignees.clone();
        turn.log_by(Agent::PagerDuty, Entry::Assigned { users });
        turn.emit("incident.triggered");
        turn.page();
        Ok((id, turn.events))
    }
}
