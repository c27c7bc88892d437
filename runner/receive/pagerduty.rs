//! PagerDuty's V3 webhook body to a closed event. Pure, and lenient: what is missing, null or of
//! another type than documented is taken for absent, because a refusal would cost the whole
//! subscription (three 4xx in a row silence it for 24 h).

use jiff::Timestamp;
use serde_json::Value;

use crate::claim::protocol::{Opening, StandDownReason};
use crate::incident::{Incident, IncidentId, Named, Status, Urgency};
use crate::receive::{Delivery, Event, Ignored};

/// Signed, but no webhook. `event_id` where one could be read.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{reason}")]
pub struct Malformed {
    pub event_id: Option<String>,
    pub reason: String,
}

/// The event types that are acted on: what a subscription must have.
pub const EVENTS: [&str; 8] = [
    "incident.triggered",
    "incident.reopened",
    "incident.acknowledged",
    "incident.reassigned",
    "incident.escalated",
    "incident.delegated",
    "incident.resolved",
    "incident.annotated",
];

/// What a person writes in a note to stop AMS.
const STOP_COMMAND: &str = "ams stop";
/// The same in Japanese, where no space is needed before it, and what makes it say something else
/// behind it: "do not stop", "stopping", "stopped".
const STOP_WORD: &str = "停止";
const NO_STOP: [&str; 7] = ["しない", "せず", "しません", "中", "済", "した", "され"];

/// What a person writes to allow what a run has asked about, or to forbid it.
const APPROVE_COMMAND: &str = "ams approve";
const DENY_COMMAND: &str = "ams deny";

/// Reads one body. `bot_user` is AMS's own PagerDuty user: what it did is no news.
pub fn parse(body: &[u8], bot_user: &str) -> Result<Delivery, Malformed> {
    let json: Value = serde_json::from_slice(body).map_err(|error| Malformed {
        event_id: None,
        reason: format!("the body is not JSON: {error}"),
    })?;
    read(&json["event"], bot_user)
}

/// The event itself, whatever brought it.
pub(super) fn read(event: &Value, bot_user: &str) -> Result<Delivery, Malformed> {
    let event_id = text(&event["id"]);
    let malformed =
        |reason: &str| Malformed { event_id: event_id.clone(), reason: reason.to_owned() };
    let event_type = text(&event["event_type"]).ok_or_else(|| malformed("it has no event_type"))?;
    let meaning = meaning(&event_type, event, bot_user)
        .ok_or_else(|| malformed("it names no incident that could be one of PagerDuty's"))?;
    let event_id = event_id.unwrap_or_else(|| "unknown".to_owned());
    Ok(Delivery { event_id, event_type, event: meaning })
}

/// `None` when an event that concerns an incident does not say which.
fn meaning(event_type: &str, event: &Value, bot_user: &str) -> Option<Event> {
    let agent = Agent::of(&event["agent"], bot_user);
    let data = &event["data"];
    let by = agent.id.clone();
    let taken_from = |incident: Option<IncidentId>, reason| {
        let at = text(&event["occurred_at"]).and_then(|at| at.parse().ok());
        Some(Event::TakenFromUs { incident: incident?, reason, by: by.clone(), at })
    };
    let taken = |reason| taken_from(own_id(data), reason);
    match event_type {
        "incident.triggered" => opened(event, Opening::Triggered),
        // An acknowledgement of ours that arrived after the end opens an incident, too; the run that
        // sent it sets that right.
        "incident.reopened" if !agent.is_bot => {
            let at = text(&data["reopened_at"]).or_else(|| text(&event["occurred_at"]));
            opened(event, Opening::Reopened { at: at.unwrap_or_default() })
        }
        "pagey.ping" => Some(Event::Ignored(Ignored::Ping)),
        _ if agent.is_bot => Some(Event::Ignored(Ignored::OurOwn)),
        "incident.resolved" => taken(resolved_by(data, &agent)),
        "incident.acknowledged" if agent.is_person => taken(StandDownReason::Acknowledged),
        "incident.reassigned" | "incident.escalated" | "incident.delegated" if agent.is_person => {
            taken(StandDownReason::Reassigned)
        }
        "incident.annotated" if agent.is_person => {
            let content = crate::folding::fold(&text(&data["content"]).unwrap_or_default());
            let at = occurred_at(event);
            let answered = |approved| {
                let by = by.clone();
                Some(Event::Answered { incident: parent_id(data)?, approved, by, at })
            };
            if is_command(&content, STOP_COMMAND) || is_stop_in_japanese(&content) {
                taken_from(parent_id(data), StandDownReason::StopNote)
            } else if is_command(&content, APPROVE_COMMAND) {
                answered(true)
            } else if is_command(&content, DENY_COMMAND) {
                answered(false)
            } else {
                Some(Event::Ignored(Ignored::OrdinaryNote))
            }
        }
        _ => Some(Event::Ignored(Ignored::NotActedOn)),
    }
}

struct Agent {
    id: Option<String>,
    is_person: bool,
    is_bot: bool,
}

impl Agent {
    /// A null agent is automation, an integration is a machine; only users are people.
    fn of(agent: &Value, bot_user: &str) -> Self {
        let id = text(&agent["id"]);
        let is_bot = id.as_deref() == Some(bot_user);
        let is_user = text(&agent["type"]).is_some_and(|kind| kind.starts_with("user"));
        Self { id, is_person: is_user && !is_bot, is_bot }
    }
}

fn resolved_by(data: &Value, agent: &Agent) -> StandDownReason {
    let merged =
        text(&data["resolve_reason"]["type"]).is_some_and(|kind| kind.starts_with("merge"));
    match agent.is_person {
        _ if merged => StandDownReason::Merged,
        true => StandDownReason::ResolvedByPerson,
        false => StandDownReason::ResolvedByMonitoring,
    }
}

fn is_command(folded: &str, command: &str) -> bool {
    // "ams stop.", "ams stop: …" and "ams stopしてください" mean it; "ams stopped …" does not.
    folded
        .strip_prefix(command)
        .is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphanumeric()))
}

/// "ams 停止", "ams停止してください".
fn is_stop_in_japanese(folded: &str) -> bool {
    let behind =
        folded.strip_prefix("ams").and_then(|rest| rest.trim_start().strip_prefix(STOP_WORD));
    behind.is_some_and(|rest| {
        let rest = rest.trim_start();
        !NO_STOP.iter().any(|word| rest.starts_with(word))
    })
}

fn opened(event: &Value, opening: Opening) -> Option<Event> {
    let data = &event["data"];
    let references = |list: &Value| -> Vec<String> {
        list.as_array().into_iter().flatten().filter_map(|item| text(&item["id"])).collect()
    };
    let incident = Incident {
        id: own_id(data)?,
        title: text(&data["title"]).unwrap_or_default(),
        status: text(&data["status"]).and_then(|s| Status::parse(&s)).unwrap_or(Status::Triggered),
        urgency: match text(&data["urgency"]).as_deref() {
            Some("low") => Urgency::Low,
            _ => Urgency::High,
        },
        number: data["number"].as_u64(),
        service: text(&data["service"]["id"]).map(|id| {
            let name = text(&data["service"]["summary"]).unwrap_or_else(|| id.clone());
            Named { id, name }
        }),
        escalation_policy: text(&data["escalation_policy"]["id"]),
        created_at: text(&data["created_at"]).and_then(|at| at.parse().ok()),
        status_by: text(&event["agent"]["id"]),
        reopened_at: text(&data["reopened_at"]).and_then(|at| at.parse().ok()),
        acknowledged_by: Vec::new(),
        assignees: references(&data["assignees"]),
        html_url: text(&data["html_url"]),
        seen_at: occurred_at(event),
    };
    Some(Event::Opened { incident: Box::new(incident), opening })
}

/// Without a time it may be arbitrarily old, which means: ask PagerDuty before acting.
fn occurred_at(event: &Value) -> Timestamp {
    text(&event["occurred_at"]).and_then(|at| at.parse().ok()).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// Of an event about the incident itself. A missing type is no reason to miss an incident.
fn own_id(data: &Value) -> Option<IncidentId> {
    match text(&data["type"]).as_deref() {
        Some("incident") | None => IncidentId::parse(&text(&data["id"])?),
        Some(_) => parent_id(data),
    }
}

/// Of an event about what hangs on an incident: `data.id` is its own there.
fn parent_id(data: &Value) -> Option<IncidentId> {
    IncidentId::parse(&text(&data["incident"]["id"])?)
}

/// Text, or a number where PagerDuty has sent both; not longer than a name is.
pub(super) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if text.chars().count() <= crate::limits::TITLE_CHARS => {
            Some(text.clone())
        }
        Value::String(text) => Some(text.chars().take(crate::limits::TITLE_CHARS).collect()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}
