//! Asking people to join an incident: it stays with whoever has it.

use serde_json::{Value, json};

use super::change::Turn;
use super::json::{incident_reference, user_reference};
use super::refusal::Refusal;
use super::state::Entry;

/// What a responder request asks for.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) requester: String,
    pub(super) message: String,
    /// (id, `user_reference` or `escalation_policy_reference`).
    pub(super) targets: Vec<(String, String)>,
}

impl Turn<'_> {
    /// Notifies by high-urgency rules. Answers with the request as PagerDuty shows it.
    pub(super) fn ask_responders(&mut self, request: &Request) -> Result<Value, Refusal> {
        let requester = self.directory.user(&request.requester);
        let requester = requester.ok_or_else(Refusal::unknown_from)?.id;
        let mut shown = Vec::new();
        for (id, kind) in &request.targets {
            let users: Vec<String> = if kind.starts_with("user") {
                let user = self.directory.user(id).ok_or_else(Refusal::unknown_assignee)?;
                vec![user.id.to_owned()]
            } else {
                let policy = self.directory.policy(id).ok_or_else(Refusal::no_such_level)?;
                policy.levels.first().into_iter().flatten().map(|&it| it.to_owned()).collect()
            };
            let people: Vec<Value> = users.iter().map(|user| self.joined(user, request)).collect();
            shown.push(json!({ "responder_request_target": {
                "type": kind.trim_end_matches("_reference"),
                "id": id,
                "incidents_responders": people,
            }}));
            for user in users {
                self.responder(&user, request);
            }
        }
        Ok(json!({
            "incident": incident_reference(self.incident),
            "requester": user_reference(self.directory, requester),
            "requested_at": super::json::seconds(self.now),
            "message": request.message,
            "responder_request_targets": shown,
        }))
    }

    fn joined(&self, user: &str, request: &Request) -> Value {
        json!({
            "state": "pending",
            "user": user_reference(self.directory, user),
            "incident": incident_reference(self.incident),
            "updated_at": super::json::seconds(self.now),
            "message": request.message,
            "requester": user_reference(self.directory, &request.requester),
        })
    }

    fn responder(&mut self, user: &str, request: &Request) {
        self.log(Entry::ResponderAsked { user: user.to_owned() });
        let data = json!({
            "incident": incident_reference(self.incident),
            "user": user_reference(self.directory, user),
            "escalation_policy": null,
            "message": request.message,
            "state": "pending",
            "type": "incident_responder",
        });
        self.emit_data("incident.responder.added", &data);
    }
}
