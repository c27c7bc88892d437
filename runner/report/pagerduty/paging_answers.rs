//! What PagerDuty's answers say about pages, responders and services. Pure.

use std::time::Duration;

use jiff::Timestamp;
use serde_json::Value;

use super::answer::{inner, list, number, reference, text};

/// Log entries by which an incident goes to somebody (PagerDuty OpenAPI, `LogEntry`).
const HAND_OVERS: [&str; 3] = ["escalate_log_entry", "delegate_log_entry", "assign_log_entry"];

/// Has this user given the incident to somebody since then?
pub(super) fn hands_over(answer: &Value, by: &str, since: Timestamp) -> bool {
    list(answer, "log_entries").iter().any(|entry| {
        let kind = text(entry, "type").unwrap_or_default();
        let at = text(entry, "created_at").and_then(|at| at.parse::<Timestamp>().ok());
        HAND_OVERS.iter().any(|it| kind.starts_with(it))
            && entry.get("agent").and_then(reference).as_deref() == Some(by)
            && at.is_some_and(|at| at >= since)
    })
}

/// Does the answer to a responder request name somebody who is notified? PagerDuty names the
/// people behind each target, by two names in its own description; where it names neither, what was
/// accepted counts.
pub(super) fn asks_somebody(answer: &Value) -> bool {
    let targets = list(inner(answer, "responder_request"), "responder_request_targets");
    let people = |target: &Value| {
        let target = inner(target, "responder_request_target");
        let named =
            target.get("incidents_responders").or_else(|| target.get("incident_responders"));
        named.and_then(Value::as_array).map(Vec::len)
    };
    targets.is_empty() || targets.iter().any(|target| people(target) != Some(0))
}

/// Of a service; PagerDuty writes null where there is none, and knows no timeout of nothing.
pub(super) fn acknowledgement_timeout(answer: &Value) -> Option<Duration> {
    let seconds = number(inner(answer, "service"), "acknowledgement_timeout")?;
    (seconds > 0).then(|| Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_hand_over_is_ours_and_recent() {
        let at: Timestamp = "2026-03-01T00:00:10Z".parse().unwrap();
        let entry = |kind: &str, by: &str, at: &str| json!({ "log_entries": [{ "type": kind, "agent": { "id": by }, "created_at": at }] });
        let later = "2026-03-01T09:00:11+09:00";
        assert!(hands_over(&entry("escalate_log_entry", "PBOT", later), "PBOT", at));
        assert!(hands_over(&entry("assign_log_entry_reference", "PBOT", later), "PBOT", at));
        assert!(!hands_over(&entry("escalate_log_entry", "PENG", later), "PBOT", at));
        assert!(!hands_over(&entry("notify_log_entry", "PBOT", later), "PBOT", at));
        assert!(!hands_over(
            &entry("escalate_log_entry", "PBOT", "2026-03-01T00:00:09Z"),
            "PBOT",
            at
        ));
        assert!(!hands_over(&json!({ "log_entries": [null, {}] }), "PBOT", at));
    }

    #[test]
    fn a_request_that_names_nobody_asks_nobody() {
        let answer = |responders: Value| {
            json!({ "responder_request": { "responder_request_targets": [
                { "responder_request_target": { "id": "P1", "incidents_responders": responders } }] } })
        };
        assert!(asks_somebody(&answer(json!([{ "state": "pending" }]))));
        assert!(!asks_somebody(&answer(json!([]))));
        assert!(asks_somebody(&answer(Value::Null)));
        assert!(asks_somebody(&json!({})), "it was accepted, and the body is damaged");
    }

    #[test]
    fn a_service_without_timeout_has_none() {
        let read = |timeout: Value| {
            acknowledgement_timeout(&json!({ "service": { "acknowledgement_timeout": timeout } }))
        };
        assert_eq!(read(json!(600)), Some(Duration::from_mins(10)));
        for none in [json!(null), json!(0), json!("never"), json!({})] {
            assert_eq!(read(none), None);
        }
    }
}
