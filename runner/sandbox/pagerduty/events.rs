//! The Events API v2: alerts of another service, by which AMS tells people when it can page nobody.

use serde_json::{Value, json};

use super::directory::PEOPLE_ONLY;
use super::refusal::Refusal;
use super::rest::{Answer, Ask, Reply};
use super::state::State;
use super::trigger::NewIncident;
use crate::incident::{IncidentId, Status};

/// Characters of a summary, and of a key (PagerDuty Events API v2, Send an Alert Event).
const SUMMARY_CHARS: usize = 1_024;
const KEY_CHARS: usize = 255;

/// A trigger that was accepted.
#[derive(Clone, Debug)]
pub struct AlertEvent {
    pub key: String,
    pub body: Value,
    /// What it has become part of.
    pub incident: IncidentId,
}

/// The same key joins the alert that is open, without a further page.
pub(super) fn enqueue(state: &mut State, ask: &Ask<'_>) -> Answer {
    let body = ask.body;
    let text = |place: &str| body.pointer(place).and_then(Value::as_str);
    if text("/routing_key") != Some(ask.routing_key) {
        return Err(Refusal::invalid("Invalid routing key"));
    }
    let summary = text("/payload/summary").unwrap_or_default();
    let severity = text("/payload/severity").unwrap_or_default();
    let key = text("/dedup_key").unwrap_or_default();
    let is_whole = text("/event_action") == Some("trigger")
        && (1..=SUMMARY_CHARS).contains(&summary.chars().count())
        && text("/payload/source").is_some_and(|source| !source.is_empty())
        && ["critical", "error", "warning", "info"].contains(&severity)
        && (1..=KEY_CHARS).contains(&key.chars().count());
    if !is_whole {
        return Err(Refusal::invalid("Event object is invalid"));
    }
    let is_open = |event: &&AlertEvent| {
        let incident = state.incident(&event.incident);
        event.key == key && incident.is_some_and(|it| it.status != Status::Resolved)
    };
    let open = state.alert_events.iter().find(is_open).map(|event| event.incident.clone());
    let (incident, events) = if let Some(incident) = open {
        (incident, Vec::new())
    } else {
        let new = NewIncident {
            policy: Some(PEOPLE_ONLY.to_owned()),
            details: body["payload"]["custom_details"].clone(),
            ..NewIncident::titled(summary)
        };
        state.trigger(new, ask.now)?
    };
    state.alert_events.push(AlertEvent { key: key.to_owned(), body: body.clone(), incident });
    let said = json!({ "status": "success", "message": "Event processed", "dedup_key": key });
    Ok((Reply { status: 202, body: said }, events))
}
