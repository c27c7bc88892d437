//! Figures for scripts.

use serde_json::{Value, json};

use super::Told;
use crate::figures::{Group, Section};

pub(super) fn json(told: &Told) -> String {
    let Told { report, terms, open_now, unreadable } = told;
    let wanted = &terms.wanted;
    let answer = json!({
        "from": terms.period.first.to_string(),
        "to": terms.period.last.to_string(),
        "time_zone": terms.zone.iana_name(),
        "customer": wanted.customer,
        "service": wanted.service,
        "scenario": wanted.scenario,
        "by_hand_minutes": terms.by_hand.as_secs_f64() / 60.0,
        "open_now": open_now,
        "unreadable": unreadable,
        "total": group(&report.total),
        "sections": report.sections.iter().map(section).collect::<Vec<Value>>(),
    });
    format!("{answer:#}")
}

fn section(section: &Section) -> Value {
    let groups: Vec<Value> = section.groups.iter().map(group).collect();
    json!({ "by": section.by, "groups": groups })
}

fn group(group: &Group) -> Value {
    let mut value = json!(group);
    // As exact as an analyst needs it.
    value["handled_rate"] = json!((group.rate() * 10_000.0).round() / 10_000.0);
    value
}
