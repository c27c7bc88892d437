//! What PagerDuty's answers say of an account's set-up. Pure, and lenient like `answer.rs`.

use std::time::Duration;

use serde_json::{Value, json};

use super::answer::{inner, list, named, number, reference, text};
use crate::report::account::{Level, OnCall, Policy, Scope, Service, Subscription, User};

/// In the account's list of subscriptions, so that people know whose it is.
const DESCRIPTION: &str = "AMS";

/// One page of `GET /webhook_subscriptions`, or the one that was made.
pub(super) fn subscription(holder: &Value) -> Option<Subscription> {
    let method = &holder["delivery_method"];
    let events = list(holder, "events").iter();
    Some(Subscription {
        id: text(holder, "id")?,
        url: text(method, "url").unwrap_or_default(),
        // Documented default.
        active: holder["active"] != false,
        is_disabled: method["temporarily_disabled"] == true,
        events: events.filter_map(|event| event.as_str().map(str::to_owned)).collect(),
        scope: scope(&holder["filter"]),
    })
}

fn scope(filter: &Value) -> Scope {
    match (text(filter, "type").as_deref(), text(filter, "id")) {
        (Some("account_reference"), _) => Scope::Account,
        (Some("service_reference"), Some(id)) => Scope::Service(id),
        (Some("team_reference"), Some(id)) => Scope::Team(id),
        _ => Scope::Other,
    }
}

pub(super) fn service(holder: &Value) -> Option<Service> {
    // PagerDuty REST docs, Services: null, 0 and absent all mean that there is none.
    let timeout = number(holder, "acknowledgement_timeout").filter(|seconds| *seconds > 0);
    Some(Service {
        name: named(holder)?,
        is_disabled: text(holder, "status").as_deref() == Some("disabled"),
        policy: holder.get("escalation_policy").and_then(reference),
        acknowledgement_timeout: timeout.map(Duration::from_secs),
        teams: list(holder, "teams").iter().filter_map(reference).collect(),
    })
}

pub(super) fn policy(holder: &Value) -> Option<Policy> {
    let level = |rule: &Value| {
        let minutes = number(rule, "escalation_delay_in_minutes").unwrap_or_default();
        let kind = |target: &&Value, wanted: &str| {
            text(target, "type").is_some_and(|kind| kind.starts_with(wanted))
        };
        let targets = || list(rule, "targets").iter();
        Level {
            wait: Duration::from_secs(minutes.saturating_mul(60)),
            users: targets().filter(|it| kind(it, "user")).filter_map(reference).collect(),
            schedules: targets().filter(|it| kind(it, "schedule")).count(),
        }
    };
    let levels = list(holder, "escalation_rules").iter().map(level).collect();
    Some(Policy { name: named(holder)?, levels })
}

pub(super) fn on_call(entry: &Value) -> Option<OnCall> {
    Some(OnCall {
        policy: entry.get("escalation_policy").and_then(reference)?,
        level: usize::try_from(number(entry, "escalation_level")?).ok()?,
        user: entry.get("user").and_then(reference)?,
    })
}

pub(super) fn user(answer: &Value) -> Option<User> {
    let holder = inner(answer, "user");
    Some(User { name: named(holder)?, email: text(holder, "email").unwrap_or_default() })
}

/// The body that makes a subscription.
pub(super) fn new_subscription(url: &str, scope: &Scope, events: &[&str]) -> Option<Value> {
    let filter = match scope {
        Scope::Account => json!({ "type": "account_reference" }),
        Scope::Service(id) => json!({ "type": "service_reference", "id": id }),
        Scope::Team(id) => json!({ "type": "team_reference", "id": id }),
        Scope::Other => return None,
    };
    Some(json!({ "webhook_subscription": {
        "type": "webhook_subscription",
        "delivery_method": { "type": "http_delivery_method", "url": url },
        "description": DESCRIPTION,
        "events": events,
        "filter": filter,
    }}))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_or_odd_makes_nothing_unreadable() {
        let bare = subscription(&json!({ "id": "P1", "events": [1, "incident.triggered"] }));
        let bare = bare.unwrap();
        assert_eq!((bare.active, bare.is_disabled, bare.scope), (true, false, Scope::Other));
        assert_eq!(bare.events, ["incident.triggered"]);
        for timeout in [json!(null), json!(0), json!("soon")] {
            let read = service(&json!({ "id": "P1", "acknowledgement_timeout": timeout }));
            assert_eq!(read.unwrap().acknowledgement_timeout, None);
        }
        assert_eq!(policy(&json!({ "id": "P1" })).unwrap().levels, []);
        assert_eq!((service(&json!({})), policy(&json!([]))), (None, None));
    }
}
