//! How PagerDuty writes its objects, in webhooks and in REST answers.
//!
//! The two differ in names (`number` and `incident_number`, `assignees` and `assignments`) and in
//! what is absent: webhooks say null, the REST description allows that for few fields only.

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::directory::{Directory, Policy, Priority, Service, User};
use super::lists::Query;
use super::state::{Agent, IncidentView, Note};
use super::subscriptions::{Scope, Subscription};

/// Hosts that exist nowhere: whoever follows an address out of a payload is found out.
const API: &str = "https://api.sandbox.example";
const WEB: &str = "https://web.sandbox.example";

/// Webhook times carry milliseconds.
pub(super) fn millis(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// REST times do not.
pub(super) fn seconds(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

// --- webhooks ----------------------------------------------------------------------------------

pub(super) fn envelope(id: &str, kind: &str, at: &str, agent: &Value, data: &Value) -> Value {
    let resource = kind.split('.').next();
    json!({ "event": {
        "id": id,
        "event_type": kind,
        "resource_type": resource,
        "occurred_at": at,
        "agent": agent,
        "client": null,
        "data": data,
    }})
}

pub(super) fn webhook_agent(directory: &Directory, agent: &Agent) -> Value {
    match agent {
        Agent::User(id) => user_reference(directory, id),
        Agent::Monitoring => {
            let kind = "inbound_integration_reference";
            reference("PINT001", kind, "services", "Sandbox monitoring")
        }
        Agent::PagerDuty => Value::Null,
    }
}

pub(super) fn webhook_incident(directory: &Directory, incident: &IncidentView) -> Value {
    let id = incident.id.as_str();
    let priority = incident.priority.as_deref();
    let priority = priority.and_then(|name| directory.priority(name));
    let priority =
        priority.map(|found| reference(found.id, "priority_reference", "priorities", found.name));
    let merged = incident.merged_into.as_ref().map(|target| {
        let target = reference(target.as_str(), "incident_reference", "incidents", "");
        json!({ "type": "merge_resolve_reason", "incident": target })
    });
    json!({
        "id": id,
        "type": "incident",
        "self": format!("{API}/incidents/{id}"),
        "html_url": format!("{WEB}/incidents/{id}"),
        "number": incident.number,
        "status": incident.status.word(),
        "incident_key": incident_key(incident),
        "created_at": seconds(incident.created_at),
        "reopened_at": incident.reopened_at.map(seconds),
        "title": incident.title,
        "incident_type": { "name": "incident_default" },
        "service": service_reference(&directory.service),
        "assignees": user_references(directory, &incident.assignees),
        "escalation_policy": policy_reference(directory, &incident.policy),
        "teams": [],
        "priority": priority,
        "urgency": incident.urgency.word(),
        "conference_bridge": null,
        "resolve_reason": merged,
    })
}

pub(super) fn webhook_note(incident: &IncidentView, note: &Note) -> Value {
    json!({
        "incident": incident_reference(incident),
        "id": note.id,
        "content": note.content,
        "trimmed": false,
        "type": "incident_note",
    })
}

// --- REST --------------------------------------------------------------------------------------

pub(super) fn incident(directory: &Directory, incident: &IncidentView) -> Value {
    let id = incident.id.as_str();
    let assignment = |user: &String| json!({ "at": seconds(incident.assigned_at), "assignee": user_reference(directory, user) });
    let acknowledgement = |(user, at): &(String, Timestamp)| json!({ "at": seconds(*at), "acknowledger": user_reference(directory, user) });
    let first = incident.log.first();
    let alerts = usize::from(!incident.details.is_null()) + incident.joined.len();
    let open = usize::from(incident.resolved_at.is_none());
    let priority = incident.priority.as_deref();
    let priority = priority.and_then(|name| directory.priority(name));
    let via = if incident.direct { "direct_assignment" } else { "escalation_policy" };
    let mut answer = json!({
        "id": id,
        "type": "incident",
        "summary": format!("[#{}] {}", incident.number, incident.title),
        "self": format!("{API}/incidents/{id}"),
        "html_url": format!("{WEB}/incidents/{id}"),
        "incident_number": incident.number,
        "title": incident.title,
        "created_at": seconds(incident.created_at),
        "updated_at": seconds(incident.updated_at),
        "status": incident.status.word(),
        "service": service_reference(&directory.service),
        "assignments": incident.assignees.iter().map(assignment).collect::<Vec<_>>(),
        "assigned_via": via,
        "last_status_change_at": seconds(incident.status_changed_at),
        "last_status_change_by": rest_agent(directory, &incident.status_changed_by),
        "alert_counts": {
            "triggered": alerts * open, "resolved": alerts * (1 - open), "all": alerts,
        },
        "is_mergeable": incident.resolved_at.is_none(),
        "incident_type": { "name": "incident_default" },
        "escalation_policy": policy_reference(directory, &incident.policy),
        "teams": [],
        "pending_actions": [],
        "acknowledgements": incident.acknowledged_by.iter().map(acknowledgement).collect::<Vec<_>>(),
        "urgency": incident.urgency.word(),
    });
    add(&mut answer, "resolved_at", incident.resolved_at.map(seconds).map(Value::from));
    add(&mut answer, "priority", priority.map(self::priority));
    add(&mut answer, "incident_key", incident_key(incident).map(Value::from));
    add(
        &mut answer,
        "first_trigger_log_entry",
        first.map(|entry| {
            reference(&entry.id, "trigger_log_entry_reference", "log_entries", "Triggered")
        }),
    );
    answer
}

pub(super) fn note(directory: &Directory, note: &Note) -> Value {
    json!({
        "id": note.id,
        "user": user_reference(directory, &note.user),
        "channel": { "summary": "The PagerDuty website or APIs" },
        "content": note.content,
        "created_at": seconds(note.at),
        "updated_at": seconds(note.edited_at),
    })
}

/// The one alert an incident of the stand-in has, if monitoring made it.
/// Newest first.
pub(super) fn alerts(directory: &Directory, incident: &IncidentView) -> Vec<Value> {
    let joined = incident.joined.iter().map(|it| (&it.summary, &it.details, it.at));
    let first = (&incident.summary, &incident.details, incident.created_at);
    let first = (!incident.details.is_null()).then_some(first);
    let open = incident.resolved_at.is_none();
    let alert = |(number, (summary, details, at)): (usize, (&String, &Value, Timestamp))| {
        let id = format!("A{}{number}", incident.id);
        json!({
            "id": id,
            "type": "alert",
            "summary": summary,
            "self": format!("{API}/alerts/{id}"),
            "html_url": format!("{WEB}/alerts/{id}"),
            "created_at": seconds(at),
            "status": if open { "triggered" } else { "resolved" },
            "alert_key": format!("sandbox-{}-{number}", incident.number),
            "service": service_reference(&directory.service),
            "incident": incident_reference(incident),
            "suppressed": false,
            "severity": "critical",
            "body": { "type": "alert_body", "contexts": [], "details": details },
        })
    };
    let mut alerts: Vec<Value> = first.into_iter().chain(joined).enumerate().map(alert).collect();
    alerts.reverse();
    alerts
}

pub(super) fn policy(directory: &Directory, policy: &Policy) -> Value {
    let rule = |(place, users): (usize, &Vec<&'static str>)| {
        let users = users.iter().map(|id| user_reference(directory, id));
        json!({
            "id": format!("{}R{}", policy.id, place + 1),
            "escalation_delay_in_minutes": policy.minutes,
            "targets": users.collect::<Vec<_>>(),
        })
    };
    let mut answer = reference(policy.id, "escalation_policy", "escalation_policies", policy.name);
    let rules: Vec<Value> = policy.levels.iter().enumerate().map(rule).collect();
    let used =
        (directory.service.policy == policy.id).then(|| service_reference(&directory.service));
    add(&mut answer, "name", Some(policy.name.into()));
    add(&mut answer, "num_loops", Some(0.into()));
    add(&mut answer, "on_call_handoff_notifications", Some("if_has_services".into()));
    add(&mut answer, "escalation_rules", Some(rules.into()));
    add(&mut answer, "services", Some(used.into_iter().collect::<Vec<_>>().into()));
    add(&mut answer, "teams", Some(json!([])));
    answer
}

pub(super) fn priority(priority: &Priority) -> Value {
    let mut answer = reference(priority.id, "priority", "priorities", priority.name);
    add(&mut answer, "name", Some(priority.name.into()));
    add(&mut answer, "description", Some("".into()));
    answer
}

pub(super) fn user(user: &User) -> Value {
    let mut answer = reference(user.id, "user", "users", user.name);
    add(&mut answer, "name", Some(user.name.into()));
    add(&mut answer, "email", Some(user.email.as_str().into()));
    add(&mut answer, "time_zone", Some("Asia/Tokyo".into()));
    add(&mut answer, "role", Some("user".into()));
    add(&mut answer, "teams", Some(json!([])));
    answer
}

pub(super) fn service(directory: &Directory, service: &Service) -> Value {
    let mut answer = reference(service.id, "service", "services", service.name);
    let policy = policy_reference(directory, service.policy);
    add(&mut answer, "name", Some(service.name.into()));
    add(&mut answer, "status", Some("active".into()));
    add(&mut answer, "escalation_policy", Some(policy));
    add(&mut answer, "acknowledgement_timeout", Some(service.acknowledgement_timeout.into()));
    add(&mut answer, "auto_resolve_timeout", Some(Value::Null));
    add(&mut answer, "teams", Some(json!([])));
    answer
}

/// Everybody on a policy is on call, unless off duty.
pub(super) fn oncalls(directory: &Directory, query: &Query) -> Vec<Value> {
    let mut rows = Vec::new();
    let wanted = |policy: &&Policy| query.allows("escalation_policy_ids[]", policy.id);
    for policy in directory.policies.iter().filter(wanted) {
        for (place, users) in policy.levels.iter().enumerate() {
            let on_call = users.iter().filter(|user| !directory.off_duty.contains(user));
            rows.extend(on_call.map(|user| {
                json!({
                    "escalation_policy": policy_reference(directory, policy.id),
                    "user": user_reference(directory, user),
                    "escalation_level": place + 1,
                })
            }));
        }
    }
    rows
}

/// The secret is told once, in the answer to the request that made the subscription.
pub(super) fn subscription(subscription: &Subscription, secret: Option<&str>) -> Value {
    json!({
        "id": subscription.id,
        "type": "webhook_subscription",
        "active": subscription.active,
        "delivery_method": {
            "id": format!("D{}", subscription.id),
            "type": "http_delivery_method",
            "url": subscription.url,
            "secret": secret,
            "temporarily_disabled": subscription.is_disabled(),
            "custom_headers": [],
        },
        "description": subscription.description,
        "events": subscription.events,
        "filter": filter(&subscription.scope),
    })
}

fn filter(scope: &Scope) -> Value {
    match scope {
        Scope::Account => json!({ "type": "account_reference" }),
        Scope::Service(id) => json!({ "type": "service_reference", "id": id }),
        Scope::Team(id) => json!({ "type": "team_reference", "id": id }),
    }
}

// --- references --------------------------------------------------------------------------------

pub(super) fn rest_agent(directory: &Directory, agent: &Agent) -> Value {
    match agent {
        Agent::User(id) => user_reference(directory, id),
        Agent::Monitoring | Agent::PagerDuty => service_reference(&directory.service),
    }
}

pub(super) fn user_references(directory: &Directory, ids: &[String]) -> Vec<Value> {
    let one = |id: &String| user_reference(directory, id);
    ids.iter().map(one).collect()
}

pub(super) fn user_reference(directory: &Directory, id: &str) -> Value {
    reference(id, "user_reference", "users", directory.user_name(id))
}

pub(super) fn service_reference(service: &Service) -> Value {
    reference(service.id, "service_reference", "services", service.name)
}

fn policy_reference(directory: &Directory, id: &str) -> Value {
    let name = directory.policy(id).map_or(id, |policy| policy.name);
    reference(id, "escalation_policy_reference", "escalation_policies", name)
}

pub(super) fn incident_reference(incident: &IncidentView) -> Value {
    reference(incident.id.as_str(), "incident_reference", "incidents", &incident.title)
}

pub(super) fn reference(id: &str, kind: &str, plural: &str, summary: &str) -> Value {
    json!({
        "id": id,
        "type": kind,
        "summary": summary,
        "self": format!("{API}/{plural}/{id}"),
        "html_url": format!("{WEB}/{plural}/{id}"),
    })
}

/// Incidents that came from an alert have none.
fn incident_key(incident: &IncidentView) -> Option<String> {
    incident.details.is_null().then(|| format!("key-{}", incident.number))
}

pub(super) fn add(object: &mut Value, name: &str, value: Option<Value>) {
    if let Some(value) = value {
        object.as_object_mut().unwrap_or(&mut Map::new()).insert(name.to_owned(), value);
    }
}
