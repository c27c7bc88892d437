//! When an incident was resolved, and by whom. Pure.

use jiff::Timestamp;
use serde_json::Value;

use crate::report::Resolution;

/// `None` while it is open, and where the answer does not say when that changed.
pub(super) fn resolution(answer: &Value) -> Option<Resolution> {
    let incident = answer.get("incident").unwrap_or(answer);
    if incident["status"] != "resolved" {
        return None;
    }
    let at: Timestamp = incident["last_status_change_at"].as_str()?.parse().ok()?;
    // A service, an integration or nobody: monitoring has cleared it.
    let kind = incident["last_status_change_by"]["type"].as_str().unwrap_or_default();
    Some(Resolution { at, by_person: kind.starts_with("user") })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn users_are_people_and_everything_else_is_monitoring() {
        let at = "2026-03-02T12:00:00Z";
        let of = |status: &str, kind: &str| {
            resolution(&json!({ "incident": {
                "status": status, "last_status_change_at": at,
                "last_status_change_by": { "id": "P1", "type": kind } } }))
        };
        let at: Timestamp = at.parse().unwrap();
        assert_eq!(of("resolved", "user_reference"), Some(Resolution { at, by_person: true }));
        assert_eq!(of("resolved", "service_reference"), Some(Resolution { at, by_person: false }));
        assert_eq!(of("acknowledged", "user_reference"), None);
        assert_eq!(resolution(&json!({ "status": "resolved" })), None);
    }
}
