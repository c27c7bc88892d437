//! What may happen to an incident, and which events PagerDuty sends for it.
//!
//! A change is checked whole before any of it is made: PagerDuty takes all of a request or none.

use jiff::Timestamp;
use serde_json::Value;

use super::directory::Directory;
use super::json;
use super::refusal::Refusal;
use super::state::{Agent, Entry, Event, Ids, IncidentView, LogEntry, State};
use crate::incident::{IncidentId, Status, Urgency};

/// What a PUT asks for; only what is `Some` changes.
#[derive(Clone, Debug, Default)]
pub(super) struct Change {
    pub(super) title: Option<String>,
    pub(super) status: Option<Status>,
    pub(super) resolution: Option<String>,
    pub(super) urgency: Option<Urgency>,
    /// By id or name.
    pub(super) priority: Option<String>,
    pub(super) level: Option<usize>,
    pub(super) policy: Option<String>,
    pub(super) assignees: Option<Vec<String>>,
}

/// One change of one incident by one agent at one time.
pub(super) struct Turn<'a> {
    pub(super) directory: &'a Directory,
    pub(super) incident: &'a mut IncidentView,
    pub(super) ids: &'a mut Ids,
    pub(super) by: Agent,
    pub(super) now: Timestamp,
    pub(super) events: Vec<Event>,
}

impl State {
    pub(super) fn turn(
        &mut self,
        id: &IncidentId,
        by: Agent,
        now: Timestamp,
    ) -> Result<Turn<'_>, Refusal> {
        let place = *self.places.get(id).ok_or_else(Refusal::not_found)?;
        if let Agent::User(user) = &by
            && self.directory.user(user).is_none()
        {
            return Err(Refusal::unknown_from());
        }
        Ok(Turn {
            directory: &self.directory,
            incident: &mut self.incidents[place],
            ids: &mut self.ids,
            by,
            now,
            events: Vec::new(),
        })
    }
}

impl Turn<'_> {
    /// Makes the whole change, or none of it.
    pub(super) fn change(mut self, change: Change) -> Result<Vec<Event>, Refusal> {
        self.check(&change)?;
        if self.incident.status == Status::Resolved {
            self.reopen(&change);
            return Ok(self.events);
        }
        self.describe(&change);
        self.hand_over(&change);
        match change.status {
            Some(Status::Acknowledged) => self.acknowledge(),
            Some(Status::Resolved) => self.resolve(change.resolution),
            // Alone it does not take an acknowledgement back: a level, policy or user does.
            Some(Status::Triggered) | None => {}
        }
        Ok(self.events)
    }

    /// PagerDuty's own escalation: the level's time is up and nobody acknowledged.
    pub(super) fn time_out(mut self) -> Result<Vec<Event>, Refusal> {
        let next = self.incident.level + 1;
        let change = Change { level: Some(next), ..Change::default() };
        if self.incident.status != Status::Triggered || self.incident.direct {
            return Err(Refusal::no_such_level());
        }
        self.check(&change)?;
        self.hand_over(&change);
        Ok(self.events)
    }

    /// The service's acknowledgement timeout is over.
    pub(super) fn acknowledgement_ends(mut self) -> Vec<Event> {
        if self.incident.status == Status::Acknowledged {
            self.unacknowledge();
            self.page();
        }
        self.events
    }

    /// The incident becomes part of another one, which PagerDuty tells as a resolve.
    pub(super) fn merge(mut self, into: &IncidentId) -> Result<Vec<Event>, Refusal> {
        if self.incident.status == Status::Resolved {
            return Err(Refusal::already_merged());
        }
        self.incident.merged_into = Some(into.clone());
        self.log(Entry::Merged { into: into.clone() });
        self.resolve(None);
        Ok(self.events)
    }

    pub(super) fn log(&mut self, what: Entry) {
        self.log_by(self.by.clone(), what);
    }

    /// The webhook shows the incident as it is at this moment.
    pub(super) fn emit(&mut self, event_type: &'static str) {
        let data = json::webhook_incident(self.directory, self.incident);
        self.emit_data(event_type, &data);
    }

    pub(super) fn emit_data(&mut self, event_type: &'static str, data: &Value) {
        let id = self.ids.event();
        let agent = json::webhook_agent(self.directory, &self.by);
        let at = json::millis(self.now);
        self.events.push(Event {
            incident: self.incident.id.clone(),
            envelope: json::envelope(&id, event_type, &at, &agent, data),
            only: None,
        });
    }

    fn check(&self, change: &Change) -> Result<(), Refusal> {
        self.check_status(change)?;
        let wanted = change.policy.as_deref().unwrap_or(&self.incident.policy);
        let policy = self.directory.policy(wanted);
        let policy = policy.ok_or_else(Refusal::no_such_level)?;
        if let Some(level) = change.level {
            if change.urgency.unwrap_or(self.incident.urgency) == Urgency::Low {
                return Err(Refusal::cannot_escalate_low());
            }
            if level == 0 || level > policy.levels.len() {
                return Err(Refusal::no_such_level());
            }
        }
        let moves = change.level.is_some() || change.policy.is_some();
        let level = change.level.unwrap_or(1);
        if moves && policy.levels.get(level - 1).is_none_or(Vec::is_empty) {
            return Err(Refusal::nobody_on_call());
        }
        let unknown = |user: &String| self.directory.user(user).is_none();
        if change.assignees.iter().flatten().any(unknown) {
            return Err(Refusal::unknown_assignee());
        }
        let priority = change.priority.as_deref();
        if priority.is_some_and(|wanted| self.directory.priority(wanted).is_none()) {
            return Err(Refusal::unknown_priority());
        }
        Ok(())
    }

    fn check_status(&self, change: &Change) -> Result<(), Refusal> {
        if self.incident.status == Status::Resolved {
            let reopens = matches!(change.status, Some(Status::Triggered | Status::Acknowledged));
            return if self.incident.merged_into.is_some() {
                Err(Refusal::already_merged())
            } else if reopens {
                Ok(())
            } else {
                Err(Refusal::already_resolved())
            };
        }
        if change.status == Some(Status::Acknowledged)
            && let Agent::User(user) = &self.by
            && self.incident.acknowledged_by.iter().any(|(id, _)| id == user)
        {
            return Err(Refusal::already_acknowledged());
        }
        Ok(())
    }

    /// Title and urgency change without an event; a priority has one.
    fn describe(&mut self, change: &Change) {
        if let Some(title) = change.title.clone()
            && title != self.incident.title
        {
            self.incident.title.clone_from(&title);
            self.log(Entry::Retitled { title });
        }
        if let Some(urgency) = change.urgency
            && urgency != self.incident.urgency
        {
            self.incident.urgency = urgency;
            self.log(Entry::Urgency(urgency));
            if urgency == Urgency::High {
                self.unacknowledge();
                self.page();
            }
        }
        let wanted = change.priority.as_deref();
        if let Some(priority) = wanted.and_then(|wanted| self.directory.priority(wanted))
            && self.incident.priority.as_deref() != Some(priority.name)
        {
            self.incident.priority = Some(priority.name.to_owned());
            self.log(Entry::Priority(priority.name.to_owned()));
            self.emit("incident.priority_updated");
        }
    }

    /// To a policy, a level or users: all of them take an acknowledgement back and page.
    fn hand_over(&mut self, change: &Change) {
        if let Some(policy) = change.policy.clone() {
            self.unacknowledge();
            self.incident.policy.clone_from(&policy);
            // The policy it already has starts again as well.
            self.assign_level(change.level.unwrap_or(1));
            let users = self.incident.assignees.clone();
            self.log(Entry::Delegated { policy, users });
            self.emit("incident.delegated");
            self.page();
        } else if let Some(level) = change.level {
            self.unacknowledge();
            self.assign_level(level);
            let users = self.incident.assignees.clone();
            self.log(Entry::Escalated { level, users });
            self.emit("incident.escalated");
            self.page();
        }
        if let Some(users) = change.assignees.clone() {
            self.unacknowledge();
            self.incident.direct = true;
            self.assign(users.clone());
            self.log(Entry::Assigned { users });
            self.emit("incident.reassigned");
            self.page();
        }
    }

    /// Takes the incident over: whoever acknowledges becomes the assignee.
    fn acknowledge(&mut self) {
        if let Agent::User(user) = self.by.clone() {
            self.incident.acknowledged_by.push((user.clone(), self.now));
            self.assign(vec![user]);
        }
        self.set_status(Status::Acknowledged);
        self.log(Entry::Acknowledged);
        self.emit("incident.acknowledged");
    }

    fn unacknowledge(&mut self) {
        if self.incident.status == Status::Acknowledged {
            self.incident.acknowledged_by.clear();
            self.set_status(Status::Triggered);
            self.log(Entry::Unacknowledged);
            self.emit("incident.unacknowledged");
        }
    }

    fn resolve(&mut self, resolution: Option<String>) {
        self.incident.acknowledged_by.clear();
        self.assign(Vec::new());
        self.incident.resolved_at = Some(self.now);
        self.set_status(Status::Resolved);
        self.log(Entry::Resolved { resolution });
        self.emit("incident.resolved");
    }

    fn reopen(&mut self, change: &Change) {
        self.incident.resolved_at = None;
        self.incident.reopened_at = Some(self.now);
        self.set_status(Status::Triggered);
        self.log(Entry::Reopened);
        // Nobody is assigned yet, so a raised urgency pages nobody here.
        self.describe(change);
        if let Some(policy) = &change.policy {
            self.incident.policy.clone_from(policy);
        }
        if let Some(users) = change.assignees.clone() {
            self.incident.direct = true;
            self.assign(users);
        } else {
            self.assign_level(change.level.unwrap_or(1));
        }
        self.emit("incident.reopened");
        if change.status == Some(Status::Acknowledged) {
            self.acknowledge();
        } else {
            self.page();
        }
    }

    fn set_status(&mut self, status: Status) {
        self.incident.status = status;
        self.incident.status_changed_at = self.now;
        self.incident.status_changed_by = self.by.clone();
    }

    fn assign(&mut self, users: Vec<String>) {
        self.incident.assignees = users;
        self.incident.assigned_at = self.now;
    }

    pub(super) fn assign_level(&mut self, level: usize) {
        let policy = self.directory.policy(&self.incident.policy);
        let targets = policy.and_then(|policy| policy.levels.get(level - 1));
        let users = targets.into_iter().flatten().map(|user| (*user).to_owned());
        let users = users.collect();
        self.incident.level = level;
        self.incident.direct = false;
        self.assign(users);
    }

    pub(super) fn page(&mut self) {
        let level = (!self.incident.direct).then_some(self.incident.level);
        let urgency = self.incident.urgency;
        for user in self.incident.assignees.clone() {
            let paged = Entry::Paged { user, level, urgency };
            self.log_by(Agent::PagerDuty, paged);
        }
    }

    pub(super) fn log_by(&mut self, by: Agent, what: Entry) {
        let id = self.ids.long();
        let at = self.now;
        self.incident.updated_at = at;
        self.incident.log.push(LogEntry { id, at, by, what });
    }
}
