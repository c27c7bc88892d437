//! What the body of a write asks for. Fields PagerDuty does not know are ignored, not refused.

use serde_json::Value;

use super::change::Change;
use super::refusal::Refusal;
use super::responders::Request;
use super::subscriptions::{Scope, SubscriptionChange};
use crate::incident::{Status, Urgency};

pub(super) fn change(body: &Value) -> Result<Change, Refusal> {
    let wish = &body["incident"];
    if !matches!(text(wish, "type")?, Some("incident" | "incident_reference")) {
        return Err(Refusal::invalid("Incident type is missing"));
    }
    let status =
        text(wish, "status")?.map(|word| Status::parse(word).ok_or_else(Refusal::invalid_status));
    let title = text(wish, "title")?;
    if title.is_some_and(|title| title.trim().is_empty()) {
        return Err(Refusal::invalid("Title cannot be empty"));
    }
    Ok(Change {
        title: title.map(str::to_owned),
        status: status.transpose()?,
        resolution: text(wish, "resolution")?.map(str::to_owned),
        urgency: urgency(wish)?,
        priority: priority(wish)?,
        level: level(wish),
        policy: policy(wish)?,
        assignees: assignees(wish)?,
    })
}

pub(super) fn note(body: &Value) -> Result<&str, Refusal> {
    let content = text(&body["note"], "content")?;
    content.ok_or_else(|| Refusal::invalid("Content cannot be empty"))
}

pub(super) fn status_update(body: &Value) -> Result<&str, Refusal> {
    text(body, "message")?.ok_or_else(|| Refusal::invalid("Message cannot be empty"))
}

pub(super) fn fields(body: &Value) -> Result<Vec<(String, Value)>, Refusal> {
    let list = body["custom_fields"].as_array();
    let list = list.ok_or_else(|| Refusal::invalid("custom_fields must be a list"))?;
    let one = |field: &Value| {
        let name = text(field, "name")?.ok_or_else(|| Refusal::invalid("A field has no name"))?;
        Ok((name.to_owned(), field["value"].clone()))
    };
    list.iter().map(one).collect()
}

pub(super) fn receiver(body: &Value) -> Result<&str, Refusal> {
    let method = &body["webhook_subscription"]["delivery_method"];
    text(method, "url")?.ok_or_else(|| Refusal::invalid("Delivery method has no URL"))
}

/// What a new subscription is to be, or a known one from now on.
pub(super) fn subscription(wish: &Value) -> Result<SubscriptionChange, Refusal> {
    let events = match &wish["events"] {
        Value::Null => None,
        Value::Array(events) if !events.is_empty() => {
            let word = |event: &Value| event.as_str().map(str::to_owned);
            let events: Option<Vec<String>> = events.iter().map(word).collect();
            Some(events.ok_or_else(|| Refusal::invalid("Events must be strings"))?)
        }
        _ => return Err(Refusal::invalid("Events must be a list with at least one")),
    };
    let filter = &wish["filter"];
    let id = || text(filter, "id")?.map(str::to_owned).ok_or_else(|| Refusal::invalid("Filter id"));
    let scope = match text(filter, "type")? {
        None => None,
        Some("account_reference") => Some(Scope::Account),
        Some("service_reference") => Some(Scope::Service(id()?)),
        Some("team_reference") => Some(Scope::Team(id()?)),
        Some(_) => return Err(Refusal::invalid("Filter type is not known")),
    };
    let description = text(wish, "description")?.map(str::to_owned);
    Ok(SubscriptionChange { active: wish["active"].as_bool(), description, events, scope })
}

pub(super) fn responders(body: &Value) -> Result<Request, Refusal> {
    let requester = text(body, "requester_id")?;
    let message = text(body, "message")?;
    let targets = body["responder_request_targets"].as_array().into_iter().flatten();
    let targets = targets.map(|target| {
        let target = &target["responder_request_target"];
        let (id, kind) = (text(target, "id")?, text(target, "type")?);
        let known = |kind: &&str| ["user_reference", "escalation_policy_reference"].contains(kind);
        match (id, kind.filter(known)) {
            (Some(id), Some(kind)) => Ok((id.to_owned(), kind.to_owned())),
            _ => Err(Refusal::invalid("A target has no id or type")),
        }
    });
    let targets: Vec<(String, String)> = targets.collect::<Result<_, _>>()?;
    match (requester, message) {
        (Some(requester), Some(message)) if !targets.is_empty() => {
            let (requester, message) = (requester.to_owned(), message.to_owned());
            Ok(Request { requester, message, targets })
        }
        _ => Err(Refusal::invalid("Requester, message and targets are required")),
    }
}

fn urgency(wish: &Value) -> Result<Option<Urgency>, Refusal> {
    match text(wish, "urgency")? {
        None => Ok(None),
        Some("high") => Ok(Some(Urgency::High)),
        Some("low") => Ok(Some(Urgency::Low)),
        Some(_) => Err(Refusal::invalid("Urgency must be high or low")),
    }
}

/// An object with the id, or a name.
fn priority(wish: &Value) -> Result<Option<String>, Refusal> {
    match &wish["priority"] {
        Value::Null => Ok(None),
        Value::String(name) => Ok(Some(name.clone())),
        object => {
            let id = text(object, "id")?;
            Ok(Some(id.ok_or_else(Refusal::unknown_priority)?.to_owned()))
        }
    }
}

/// Anything but a positive whole number is a level that no policy has.
fn level(wish: &Value) -> Option<usize> {
    let wanted = &wish["escalation_level"];
    let level = || usize::try_from(wanted.as_u64()?).ok();
    (!wanted.is_null()).then(|| level().unwrap_or(0))
}

fn policy(wish: &Value) -> Result<Option<String>, Refusal> {
    let policy = &wish["escalation_policy"];
    if policy.is_null() {
        return Ok(None);
    }
    let id = text(policy, "id")?.ok_or_else(Refusal::no_such_level)?;
    Ok(Some(id.to_owned()))
}

fn assignees(wish: &Value) -> Result<Option<Vec<String>>, Refusal> {
    let Some(list) = wish["assignments"].as_array() else {
        return Ok(None);
    };
    let one = |assignment: &Value| {
        let id = text(&assignment["assignee"], "id")?;
        Ok(id.ok_or_else(Refusal::unknown_assignee)?.to_owned())
    };
    let ids: Vec<String> = list.iter().map(one).collect::<Result<_, _>>()?;
    Ok((!ids.is_empty()).then_some(ids))
}

fn text<'a>(object: &'a Value, field: &str) -> Result<Option<&'a str>, Refusal> {
    match &object[field] {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        _ => Err(Refusal::invalid(&format!("{field} must be a string"))),
    }
}
