//! The body of a change, and what a refused change still allows. Pure.

use serde_json::{Map, Value, json};

use super::answer::Refusal;
use crate::incident::Status;
use crate::report::{Escalation, IncidentChange};

/// The body of `PUT /incidents/{id}`; `None` when nothing is to be changed.
pub(super) fn body(change: &IncidentChange) -> Option<Value> {
    let mut fields = Map::new();
    let mut set = |name: &str, value: Value| {
        fields.insert(name.to_owned(), value);
    };
    if let Some(title) = &change.title {
        set("title", json!(title));
    }
    if let Some(status) = change.status {
        set("status", json!(status.word()));
    }
    if let (Some(resolution), Some(Status::Resolved)) = (&change.resolution, change.status) {
        set("resolution", json!(resolution));
    }
    if let Some(urgency) = change.urgency {
        set("urgency", json!(urgency.word()));
    }
    // PagerDuty OpenAPI, updateIncident: a plain string is a priority's name, the highest one that
    // has it. No id has to be looked up.
    if let Some(name) = &change.priority {
        set("priority", json!(name));
    }
    match &change.escalation {
        Some(Escalation::Level(level)) => set("escalation_level", json!(level)),
        Some(Escalation::Policy(id)) => {
            set("escalation_policy", json!({ "id": id, "type": "escalation_policy_reference" }));
        }
        Some(Escalation::Users(ids)) => {
            let one = |id| json!({ "assignee": { "id": id, "type": "user_reference" } });
            set("assignments", ids.iter().map(one).collect());
        }
        None => {}
    }
    if fields.is_empty() {
        return None;
    }
    fields.insert("type".to_owned(), json!("incident_reference"));
    Some(json!({ "incident": fields }))
}

/// How to go on after a refused change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reaction {
    /// An earlier attempt of ours did it and its answer was lost.
    WasOurs,
    /// The incident has this status already: send the rest.
    WithoutStatus,
    /// The account's plan has no priorities, or none of this name: send the rest. A priority is
    /// never worth the escalation or the resolve it travels with.
    WithoutPriority,
    GiveUp,
}

pub(super) fn reaction(
    change: &IncidentChange,
    refusal: &Refusal,
    may_have_worked: bool,
) -> Reaction {
    if change.status == Some(Status::Resolved) && may_have_worked && refusal.says_ended() {
        Reaction::WasOurs
    } else if change.status == Some(Status::Acknowledged) && refusal.says_acknowledged() {
        Reaction::WithoutStatus
    } else if change.priority.is_some() && refusal.may_be_about_priority() {
        Reaction::WithoutPriority
    } else {
        Reaction::GiveUp
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal(status: u16, code: u32) -> Refusal {
        Refusal { status, code: Some(code), message: String::new() }
    }

    #[test]
    fn nothing_to_change_has_no_body() {
        assert_eq!(body(&IncidentChange::default()), None);
        let lonely =
            IncidentChange { resolution: Some("done".to_owned()), ..IncidentChange::default() };
        assert_eq!(body(&lonely), None, "only with `status: resolved`");
    }

    #[test]
    fn only_a_lost_resolve_of_ours_explains_an_ended_incident() {
        let resolve =
            IncidentChange { status: Some(Status::Resolved), ..IncidentChange::default() };
        for code in [1001, 1019, 2018] {
            let ended = refusal(400, code);
            assert_eq!(reaction(&resolve, &ended, true), Reaction::WasOurs);
            assert_eq!(reaction(&resolve, &ended, false), Reaction::GiveUp);
            let title = IncidentChange { title: Some("t".to_owned()), ..IncidentChange::default() };
            assert_eq!(reaction(&title, &ended, true), Reaction::GiveUp);
        }
    }

    #[test]
    fn a_change_goes_on_without_the_part_that_is_refused() {
        let change = IncidentChange {
            status: Some(Status::Acknowledged),
            priority: Some("P1".to_owned()),
            ..IncidentChange::default()
        };
        let react = |status, code| reaction(&change, &refusal(status, code), false);
        assert_eq!(react(400, 1002), Reaction::WithoutStatus);
        assert_eq!(react(402, 2014), Reaction::WithoutPriority);
        assert_eq!(react(403, 2010), Reaction::WithoutPriority);
        assert_eq!(react(400, 1020), Reaction::WithoutPriority);
        assert_eq!(react(400, 2001), Reaction::GiveUp);
    }
}
