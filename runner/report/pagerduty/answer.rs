//! What PagerDuty's answers say. Pure.
//!
//! Only an id is required of a thing. PagerDuty REST docs, Types: any other field may be null, and
//! new ones may appear at any time; a field that is missing, null or of another type than expected
//! never makes an answer unreadable.

use jiff::Timestamp;
use serde_json::Value;

use crate::incident::{Incident, IncidentId, Named, Status, Urgency};
use crate::limits;
use crate::report::{Note, OpenIncident, Watched};

// PagerDuty REST docs, Errors: the codes that mean "somebody got there first".
const ALREADY_RESOLVED: u32 = 1001;
const ALREADY_ACKNOWLEDGED: u32 = 1002;
const ALREADY_MERGED: u32 = 1019;
const ACCESS_LOST_BY_RESOLVE: u32 = 2018;

const INVALID_PRIORITY: u32 = 1020;

/// Levels of nesting looked through for the message of an error.
const ERROR_DEPTH: usize = 6;

/// An answer that said no.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) code: Option<u32>,
    pub(super) message: String,
}

impl Refusal {
    /// Reads an error body, whatever it holds. Seen: `errors` as a list, a string or a map of
    /// field to messages, `error` as an object, a list or a string, HTML of a proxy, nothing.
    pub(super) fn read(status: u16, body: &[u8]) -> Self {
        let mut parts = Vec::new();
        let mut code = None;
        if let Ok(value) = serde_json::from_slice::<Value>(body) {
            code = [value.get("error"), Some(&value)]
                .into_iter()
                .flatten()
                .find_map(|holder| number(holder, "code"))
                .and_then(|code| u32::try_from(code).ok());
            collect(&value, ERROR_DEPTH, &mut parts);
        } else {
            push(&without_tags(&String::from_utf8_lossy(body)), &mut parts);
        }
        let message = if parts.is_empty() {
            "without an explanation".to_owned()
        } else {
            shortened(&parts.join("; "))
        };
        Self { status, code, message }
    }

    pub(super) fn says_ended(&self) -> bool {
        let ended = [ALREADY_RESOLVED, ALREADY_MERGED, ACCESS_LOST_BY_RESOLVE];
        self.code.is_some_and(|code| ended.contains(&code))
    }

    pub(super) fn says_acknowledged(&self) -> bool {
        self.code == Some(ALREADY_ACKNOWLEDGED)
    }

    /// 402 and 403 are what a plan without priorities answers; they may mean other things too.
    pub(super) fn may_be_about_priority(&self) -> bool {
        matches!(self.status, 402 | 403) || self.code == Some(INVALID_PRIORITY)
    }
}

/// `None` when the answer holds no incident with an id.
pub(super) fn incident(answer: &Value, seen_at: Timestamp) -> Option<Incident> {
    let holder = inner(answer, "incident");
    Some(Incident {
        id: IncidentId::parse(&text(holder, "id")?)?,
        title: text(holder, "title").or_else(|| text(holder, "summary")).unwrap_or_default(),
        // Unknown means open and urgent: people are told once too often rather than not at all.
        status: text(holder, "status")
            .and_then(|word| Status::parse(&word))
            .unwrap_or(Status::Triggered),
        urgency: match text(holder, "urgency").as_deref() {
            Some("low") => Urgency::Low,
            _ => Urgency::High,
        },
        number: number(holder, "incident_number").or_else(|| number(holder, "number")),
        service: holder.get("service").and_then(named),
        escalation_policy: holder.get("escalation_policy").and_then(reference),
        created_at: text(holder, "created_at").and_then(|at| at.parse().ok()),
        status_by: holder.get("last_status_change_by").and_then(reference),
        reopened_at: reopened_at(holder),
        assignees: assignees(holder),
        acknowledged_by: acknowledged_by(holder),
        html_url: text(holder, "html_url"),
        seen_at,
    })
}

fn acknowledged_by(incident: &Value) -> Vec<String> {
    let acknowledgements = list(incident, "acknowledgements").iter();
    acknowledgements.filter_map(|it| it.get("acknowledger").and_then(reference)).collect()
}

/// When a user brought it back to triggered. REST has no `reopened_at`, as webhooks have, only the last
/// change of status.
fn reopened_at(incident: &Value) -> Option<Timestamp> {
    let time = |name| text(incident, name)?.parse::<Timestamp>().ok();
    let kind = text(&incident["last_status_change_by"], "type")?;
    let (created, changed) = (time("created_at")?, time("last_status_change_at")?);
    let is_triggered = text(incident, "status").as_deref() == Some("triggered");
    (is_triggered && kind.starts_with("user") && changed > created).then_some(changed)
}

/// REST has `assignments[].assignee`, webhooks `assignees[]`.
fn assignees(incident: &Value) -> Vec<String> {
    let assigned =
        list(incident, "assignments").iter().filter_map(|assignment| assignment.get("assignee"));
    let direct = list(incident, "assignees").iter();
    let mut ids = Vec::new();
    for id in assigned.chain(direct).filter_map(reference) {
        if !ids.contains(&id) {
            ids.push(id);
        }
    }
    ids
}

/// Oldest first. The order of PagerDuty's list is not documented; one without times is left as is.
pub(super) fn notes(answer: &Value) -> Vec<Note> {
    let mut dated: Vec<(Option<Timestamp>, Note)> = list(answer, "notes")
        .iter()
        .map(|note| {
            let at = text(note, "created_at").and_then(|at| at.parse().ok());
            let id = text(note, "id").unwrap_or_default();
            let content = text(note, "content").unwrap_or_default();
            let by = note.get("user").and_then(reference);
            (at, Note { id, content, by })
        })
        .collect();
    if dated.iter().all(|(at, _)| at.is_some()) {
        dated.sort_by_key(|(at, _)| *at);
    }
    dated.into_iter().map(|(_, note)| note).collect()
}

/// A list of incidents; one without an id is left out.
pub(super) fn open_incidents(answer: &Value) -> Vec<OpenIncident> {
    list(answer, "incidents")
        .iter()
        .filter_map(|incident| {
            let id = IncidentId::parse(&text(incident, "id")?)?;
            Some(OpenIncident {
                id,
                title: text(incident, "title").unwrap_or_default(),
                service: named(&incident["service"]),
                // Unknown is what nobody acts on without asking again.
                status: text(incident, "status")
                    .and_then(|word| Status::parse(&word))
                    .unwrap_or(Status::Acknowledged),
                teams: list(incident, "teams").iter().filter_map(reference).collect(),
                created_at: text(incident, "created_at").and_then(|at| at.parse().ok()),
                reopened_at: reopened_at(incident),
                acknowledged_by: acknowledged_by(incident),
            })
        })
        .collect()
}

/// What subscriptions cover that are in use and lead to `path` of some host.
pub(super) fn watched(answer: &Value, path: &str, watched: &mut Watched) {
    let in_use = list(answer, "webhook_subscriptions").iter().filter(|subscription| {
        let url = subscription["delivery_method"]["url"].as_str().unwrap_or_default();
        let url = url.split(['?', '#']).next().unwrap_or_default();
        subscription["active"] == true && url.ends_with(path)
    });
    for subscription in in_use {
        let method = &subscription["delivery_method"];
        watched.silenced += usize::from(method["temporarily_disabled"] == true);
        let filter = &subscription["filter"];
        let id = text(filter, "id");
        match (filter["type"].as_str(), id) {
            (Some("account_reference"), _) => watched.account = true,
            (Some("service_reference"), Some(id)) => drop(watched.services.insert(id)),
            (Some("team_reference"), Some(id)) => drop(watched.teams.insert(id)),
            _ => {}
        }
    }
}

/// An escalation policy as it stands in `GET /escalation_policies/{id}`: name, and per level the
/// users its rule names. Whom a schedule stands for is not said there.
pub(super) fn policy(answer: &Value) -> (String, Vec<Vec<String>>) {
    let holder = inner(answer, "escalation_policy");
    let name = text(holder, "name").or_else(|| text(holder, "summary")).unwrap_or_default();
    let users = |rule: &Value| {
        list(rule, "targets")
            .iter()
            .filter(|target| text(target, "type").is_some_and(|kind| kind.starts_with("user")))
            .filter_map(reference)
            .collect()
    };
    let levels = list(holder, "escalation_rules").iter().map(users).collect();
    (name, levels)
}

/// One page of `GET /oncalls`: (level from 1, user id), and whether there is another page.
pub(super) fn on_calls(answer: &Value) -> (Vec<(usize, String)>, bool) {
    let entry = |entry: &Value| {
        let level = usize::try_from(number(entry, "escalation_level")?).ok()?;
        Some((level, reference(entry.get("user")?)?))
    };
    let entries = list(answer, "oncalls").iter().filter_map(entry).collect();
    (entries, answer.get("more") == Some(&Value::Bool(true)))
}

pub(super) fn inner<'a>(answer: &'a Value, key: &str) -> &'a Value {
    answer.get(key).filter(|v| v.is_object()).unwrap_or(answer)
}

pub(super) fn text(holder: &Value, key: &str) -> Option<String> {
    plain(holder.get(key)?)
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

pub(super) fn number(holder: &Value, key: &str) -> Option<u64> {
    let value = holder.get(key)?;
    value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())
}

pub(super) fn list<'a>(holder: &'a Value, key: &str) -> &'a [Value] {
    holder.get(key).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

/// The id of a reference object, or a bare id.
pub(super) fn reference(value: &Value) -> Option<String> {
    text(value, "id").or_else(|| plain(value))
}

pub(super) fn named(value: &Value) -> Option<Named> {
    let id = reference(value)?;
    let name = text(value, "name").or_else(|| text(value, "summary"));
    Some(Named { name: name.unwrap_or_else(|| id.clone()), id })
}

/// Every sentence of an error body, the main message first.
fn collect(value: &Value, depth: usize, parts: &mut Vec<String>) {
    let Some(depth) = depth.checked_sub(1) else {
        return;
    };
    match value {
        Value::String(text) => push(text, parts),
        Value::Array(items) => items.iter().for_each(|item| collect(item, depth, parts)),
        Value::Object(fields) => {
            let mut fields: Vec<_> = fields.iter().collect();
            fields.sort_by_key(|(name, _)| name.as_str() != "message");
            for (name, value) in fields {
                match name.as_str() {
                    "code" | "status" | "id" | "type" | "self" => {}
                    "message" | "error" | "errors" => collect(value, depth, parts),
                    // With a list behind it, it is the name of a refused field instead.
                    "detail" | "title" if value.is_string() => collect(value, depth, parts),
                    field => {
                        let mut inner = Vec::new();
                        collect(value, depth, &mut inner);
                        if !inner.is_empty() {
                            push(&format!("{field}: {}", inner.join(", ")), parts);
                        }
                    }
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Adds a sentence that is not there yet, on one line and without control characters.
fn push(text: &str, parts: &mut Vec<String>) {
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|word| !word.is_empty())
        .collect();
    let line = words.join(" ");
    if !line.is_empty() && !parts.contains(&line) {
        parts.push(line);
    }
}

/// The readable part of the page a proxy answers with.
fn without_tags(text: &str) -> String {
    if !text.trim_start().starts_with('<') {
        return text.to_owned();
    }
    let mut readable = String::new();
    for piece in text.split('<') {
        readable.push_str(piece.split_once('>').map_or(piece, |(_, after)| after));
        readable.push(' ');
    }
    readable
}

fn shortened(text: &str) -> String {
    if text.chars().count() <= limits::PAGERDUTY_MESSAGE_CHARS {
        return text.to_owned();
    }
    let mut short: String = text.chars().take(limits::PAGERDUTY_MESSAGE_CHARS - 1).collect();
    short.push('…');
    short
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn read(answer: &Value) -> Option<Incident> {
        incident(answer, Timestamp::UNIX_EPOCH)
    }

    #[test]
    fn an_incident_needs_only_its_id() {
        for holder in [
            json!({ "id": "Q1" }),
            json!({ "incident": { "id": "Q1" } }),
            json!({ "incident": { "id": "Q1", "title": null, "status": 4, "urgency": [],
                "service": null, "escalation_policy": {}, "assignments": "none",
                "assignees": [null, {}, 7.5e300], "incident_number": {}, "html_url": false } }),
        ] {
            let incident = read(&holder).unwrap();
            assert_eq!(incident.id.as_str(), "Q1");
            assert_eq!(incident.status, Status::Triggered);
            assert_eq!(incident.urgency, Urgency::High);
            assert_eq!((incident.number, incident.service), (None, None));
        }
        for holder in [json!({}), json!([]), json!({ "incident": { "id": "../x" } })] {
            assert_eq!(read(&holder), None);
        }
    }

    #[test]
    fn rest_names_and_webhook_names_are_read() {
        let rest = read(&json!({ "incident": {
            "id": "Q1", "incident_number": "17", "status": "acknowledged", "urgency": "low",
            "service": { "id": "S1", "summary": "web" }, "escalation_policy": { "id": "E1" },
            "assignments": [{ "assignee": { "id": "U1" } }, { "assignee": { "id": "U1" } }] } }))
        .unwrap();
        assert_eq!(rest.number, Some(17));
        assert_eq!(rest.status, Status::Acknowledged);
        assert_eq!(rest.urgency, Urgency::Low);
        assert_eq!(rest.service.unwrap().name, "web");
        assert_eq!(rest.escalation_policy.as_deref(), Some("E1"));
        assert_eq!(rest.assignees, ["U1"]);
        let hook =
            read(&json!({ "id": "Q1", "number": 17, "assignees": [{ "id": "U2" }] })).unwrap();
        assert_eq!((hook.number, hook.assignees), (Some(17), vec!["U2".to_owned()]));
    }

    #[test]
    fn notes_are_ordered_by_time_where_all_have_one() {
        let ids = |answer: Value| -> Vec<String> {
            notes(&answer).into_iter().map(|note| note.id).collect()
        };
        let newer = json!({ "id": "B", "created_at": "2026-01-02T09:00:00+09:00" });
        let older = json!({ "id": "A", "created_at": "2026-01-01T23:00:00Z" });
        assert_eq!(ids(json!({ "notes": [newer, older] })), ["A", "B"]);
        assert_eq!(ids(json!({ "notes": [newer, { "id": "C" }] })), ["B", "C"]);
        assert_eq!(ids(json!({ "notes": null })), Vec::<String>::new());
    }

    #[test]
    fn a_long_message_is_shortened_and_kept_on_one_line() {
        let body = json!({ "error": { "message": format!("a\n\u{1b}[31m{}", "長".repeat(900)) } });
        let refusal = Refusal::read(400, body.to_string().as_bytes());
        assert_eq!(refusal.message.chars().count(), limits::PAGERDUTY_MESSAGE_CHARS);
        assert!(!refusal.message.contains(char::is_control));
    }
}
