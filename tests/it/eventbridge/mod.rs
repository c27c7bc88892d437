//! PagerDuty's events by Amazon EventBridge: what they mean, and how they come in.

use serde_json::{Value, json};

// What they mean, sentence by sentence.
mod meaning;
// From a queue: what is removed from it, and when.
mod queue;
// By an API destination, over HTTP.
mod destination;
// Incidents that come by several ways.
mod stories;

fn person() -> Value {
    json!({"id": "PLH1HKV", "type": "user_reference", "summary": "佐藤"})
}

/// An event as EventBridge carries it: the message of a V2 webhook inside its own envelope.
fn event(kind: &str, incident: &Value, agent: &Value, channel: &Value) -> Value {
    let entry = json!({
        "id": "R14IXGBPNZ2NA2FWILBOPJ9X0X", "created_at": "2026-03-02T12:00:00Z",
        "agent": agent, "channel": channel,
        "incident": {"id": incident["id"], "type": "incident_reference"},
    });
    json!({
        "version": "0", "id": "c17d2ca8-cfc0-5a5a-65b1-5fcf202845b2",
        "detail-type": "PagerDuty Webhook", "source": "aws.partner/pagerduty.com/example-ams",
        "account": "999900001111", "time": "2026-03-02T12:00:02Z", "region": "ap-northeast-1",
        "resources": ["pagerduty"],
        "detail": {
            "event": kind, "id": "56812fe0-a5c8-11e9-9e74-0632db1b4ce2",
            "created_on": "2026-03-02T12:00:01Z", "log_entries": [entry], "incident": incident,
        },
    })
}

/// The incident of such an event.
fn incident(id: &str, title: &str) -> Value {
    json!({
        "id": id, "type": "incident", "incident_number": 2618, "title": title,
        "description": title, "status": "triggered", "urgency": "low", "resolve_reason": null,
        "service": {"id": "P6MZ15N", "name": "web", "summary": "web"},
        "escalation_policy": {"id": "PYIM1C5", "type": "escalation_policy_reference"},
        "assignments": [{"at": "2026-03-02T12:00:00Z", "assignee": {"id": "P0H8W5I"}}],
        "html_url": "https://example.pagerduty.com/incidents/P8E12U3",
    })
}

fn triggered(id: &str, title: &str) -> String {
    event("incident.trigger", &incident(id, title), &person(), &Value::Null).to_string()
}
