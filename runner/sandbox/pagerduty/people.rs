//! What people, monitoring and PagerDuty itself do to an incident while AMS works on it.

use serde_json::Value;

use super::StandIn;
use super::change::Change;
use super::refusal::Refusal;
use super::state::{Agent, Joined};
use super::trigger::NewIncident;
use crate::incident::{IncidentId, Status};

impl StandIn {
    /// A new incident; every subscription is told.
    pub fn trigger(&self, new: NewIncident) -> Result<IncidentId, Refusal> {
        self.shared.act(|state, now| state.trigger(new, now))
    }

    pub fn acknowledge_as(&self, user: &str, incident: &IncidentId) -> Result<(), Refusal> {
        self.set_status(user, incident, Status::Acknowledged)
    }

    pub fn resolve_as(&self, user: &str, incident: &IncidentId) -> Result<(), Refusal> {
        self.set_status(user, incident, Status::Resolved)
    }

    pub fn reopen_as(&self, user: &str, incident: &IncidentId) -> Result<(), Refusal> {
        self.set_status(user, incident, Status::Triggered)
    }

    pub fn reassign_as(&self, user: &str, incident: &IncidentId, to: &str) -> Result<(), Refusal> {
        let change = Change { assignees: Some(vec![to.to_owned()]), ..Change::default() };
        self.change(Agent::User(user.to_owned()), incident, change)
    }

    pub fn escalate_as(&self, user: &str, incident: &IncidentId, to: usize) -> Result<(), Refusal> {
        let change = Change { level: Some(to), ..Change::default() };
        self.change(Agent::User(user.to_owned()), incident, change)
    }

    /// To another escalation policy.
    pub fn delegate_as(&self, user: &str, incident: &IncidentId, to: &str) -> Result<(), Refusal> {
        let change = Change { policy: Some(to.to_owned()), ..Change::default() };
        self.change(Agent::User(user.to_owned()), incident, change)
    }

    pub fn retitle_as(
        &self,
        user: &str,
        incident: &IncidentId,
        title: &str,
    ) -> Result<(), Refusal> {
        let change = Change { title: Some(title.to_owned()), ..Change::default() };
        self.change(Agent::User(user.to_owned()), incident, change)
    }

    /// Returns the note's id.
    pub fn annotate_as(
        &self,
        user: &str,
        incident: &IncidentId,
        content: &str,
    ) -> Result<String, Refusal> {
        let by = Agent::User(user.to_owned());
        self.shared.act(|state, now| {
            let (note, events) = state.turn(incident, by, now)?.annotate(content)?;
            Ok((note.id, events))
        })
    }

    /// The source ends as resolved; only the target goes on.
    pub fn merge_as(
        &self,
        user: &str,
        source: &IncidentId,
        target: &IncidentId,
    ) -> Result<(), Refusal> {
        let by = Agent::User(user.to_owned());
        self.shared.act(|state, now| {
            state.incident(target).ok_or_else(Refusal::not_found)?;
            Ok(((), state.turn(source, by, now)?.merge(target)?))
        })
    }

    /// The alert cleared.
    pub fn monitoring_resolves(&self, incident: &IncidentId) -> Result<(), Refusal> {
        let change = Change { status: Some(Status::Resolved), ..Change::default() };
        self.change(Agent::Monitoring, incident, change)
    }

    /// One more alert is put into an incident that is open. No webhook tells of it.
    pub fn alert_joins(
        &self,
        incident: &IncidentId,
        summary: &str,
        details: Value,
    ) -> Result<(), Refusal> {
        self.shared.act(|state, now| {
            let turn = state.turn(incident, Agent::Monitoring, now)?;
            turn.incident.joined.push(Joined { summary: summary.to_owned(), details, at: now });
            Ok(((), turn.events))
        })
    }

    /// The level's time is up and nobody acknowledged: PagerDuty pages the next level.
    pub fn level_times_out(&self, incident: &IncidentId) -> Result<(), Refusal> {
        self.shared.act(|state, now| {
            let turn = state.turn(incident, Agent::PagerDuty, now)?;
            Ok(((), turn.time_out()?))
        })
    }

    /// How long an acknowledgement of the service's incidents lasts, in seconds.
    pub fn set_acknowledgement_timeout(&self, seconds: Option<u32>) {
        self.shared.update(|state| state.directory.service.acknowledgement_timeout = seconds);
    }

    /// That time is over: the incident is triggered again, and whoever has it is paged.
    pub fn acknowledgement_times_out(&self, incident: &IncidentId) -> Result<(), Refusal> {
        self.shared.act(|state, now| {
            let turn = state.turn(incident, Agent::PagerDuty, now)?;
            Ok(((), turn.acknowledgement_ends()))
        })
    }

    fn set_status(&self, user: &str, incident: &IncidentId, to: Status) -> Result<(), Refusal> {
        let change = Change { status: Some(to), ..Change::default() };
        self.change(Agent::User(user.to_owned()), incident, change)
    }

    fn change(&self, by: Agent, incident: &IncidentId, change: Change) -> Result<(), Refusal> {
        self.shared.act(|state, now| {
            let events = state.turn(incident, by, now)?.change(change)?;
            Ok(((), events))
        })
    }
}
