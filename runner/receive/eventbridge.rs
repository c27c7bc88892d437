//! PagerDuty's events as Amazon EventBridge carries them, to the same closed events. Pure, and as
//! lenient as `pagerduty.rs`.
//!
//! What stands in `detail` is the message of PagerDuty's V2 webhooks ("Amazon EventBridge
//! Integration Guide"): other names for the same things. They are renamed here and read there, so
//! that an incident means the same whichever way it came.

use serde_json::{Value, json};

use crate::receive::Delivery;
use crate::receive::pagerduty::{Malformed, read, text};

/// How PagerDuty's event sources begin. Nobody but AWS's partners may send under such a name.
const SOURCE: &str = "aws.partner/pagerduty.com/";

/// Names of V2 and V3. Others stay as they are, which is nothing to act on.
const TYPES: [(&str, &str); 8] = [
    ("incident.trigger", "incident.triggered"),
    ("incident.acknowledge", "incident.acknowledged"),
    ("incident.unacknowledge", "incident.unacknowledged"),
    ("incident.resolve", "incident.resolved"),
    ("incident.assign", "incident.reassigned"),
    ("incident.escalate", "incident.escalated"),
    ("incident.delegate", "incident.delegated"),
    ("incident.annotate", "incident.annotated"),
];

/// Channels of what PagerDuty does by itself, whoever its log names beside it.
const BY_ITSELF: [&str; 2] = ["auto", "timeout"];

/// Reads one body: the event whole, or its `detail` alone. `bot_user` is AMS's own PagerDuty user.
pub fn parse(body: &[u8], bot_user: &str) -> Result<Delivery, Malformed> {
    let json: Value = serde_json::from_slice(body).map_err(|error| Malformed {
        event_id: None,
        reason: format!("the body is not JSON: {error}"),
    })?;
    let detail = if json["detail"].is_object() { &json["detail"] } else { &json };
    let event_id = text(&detail["id"]).or_else(|| text(&json["id"]));
    let malformed =
        |reason: &str| Malformed { event_id: event_id.clone(), reason: reason.to_owned() };
    if text(&json["source"]).is_some_and(|source| !source.starts_with(SOURCE)) {
        return Err(malformed("it comes from another event source than PagerDuty's"));
    }
    let named = text(&detail["event"]).ok_or_else(|| malformed("it names no event"))?;
    read(&renamed(&named, detail, event_id.as_deref()), bot_user)
}

/// The event as a V3 webhook has it.
fn renamed(named: &str, detail: &Value, event_id: Option<&str>) -> Value {
    let entry = &detail["log_entries"][0];
    let channel = &entry["channel"];
    let by_itself = text(&channel["type"]).is_some_and(|kind| BY_ITSELF.contains(&kind.as_str()));
    let incident = id_of(&detail["incident"]).or_else(|| id_of(&entry["incident"]));
    let data = if named == "incident.annotate" {
        let content = [&channel["content"], &channel["summary"], &entry["summary"]];
        let content = content.into_iter().find_map(text);
        json!({ "type": "incident_note", "content": content, "incident": { "id": incident } })
    } else {
        about(&detail["incident"], incident.as_deref())
    };
    // A reopening is known by its time, which both ways must name alike or it would be two.
    let reopened = named == "incident.reopen" && !data["reopened_at"].is_null();
    let event_type = match TYPES.iter().find(|(v2, _)| *v2 == named) {
        _ if reopened => "incident.reopened",
        Some((_, v3)) => v3,
        None => named,
    };
    json!({
        "id": event_id,
        "event_type": event_type,
        "occurred_at": text(&detail["created_on"]).or_else(|| text(&entry["created_at"])),
        "agent": if by_itself { &Value::Null } else { &entry["agent"] },
        "data": data,
    })
}

/// The incident in the words of V3.
fn about(incident: &Value, id: Option<&str>) -> Value {
    let title = text(&incident["title"]).filter(|title| !title.is_empty());
    let service = &incident["service"];
    let assignees = incident["assignments"].as_array().into_iter().flatten();
    let assignees: Vec<Value> =
        assignees.map(|assignment| json!({ "id": assignment["assignee"]["id"] })).collect();
    // V2 writes a word where V3 has an object.
    let resolve_reason = match &incident["resolve_reason"] {
        Value::String(word) => json!({ "type": word }),
        other => other.clone(),
    };
    json!({
        "type": "incident",
        "id": id,
        "title": title.or_else(|| text(&incident["description"])),
        "status": incident["status"],
        "urgency": incident["urgency"],
        "number": incident["incident_number"],
        "service": {
            "id": service["id"],
            "summary": text(&service["name"]).or_else(|| text(&service["summary"])),
        },
        "escalation_policy": { "id": incident["escalation_policy"]["id"] },
        "assignees": assignees,
        "reopened_at": incident["reopened_at"],
        "resolve_reason": resolve_reason,
        "html_url": incident["html_url"],
    })
}

fn id_of(incident: &Value) -> Option<String> {
    text(&incident["id"])
}
