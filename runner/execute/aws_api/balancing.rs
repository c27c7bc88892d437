//! Targets of load balancers (Elastic Load Balancing's API reference, version 2015-12-01).

use serde_json::{Value, json};

use super::{Given, number, query, taken, text};
use crate::aws::query::{Query, Service};
use crate::aws::signed::Kind;
use crate::aws::xml::Xml;

const BALANCING: Service = Service { name: "elasticloadbalancing", version: "2015-12-01" };

const GROUP: &str = "TargetGroupArn";

pub(super) fn look(given: &Given<'_>) -> Vec<Query> {
    let group = given.as_field(GROUP, "group");
    vec![query(BALANCING, "DescribeTargetHealth", Kind::Repeatable, [group])]
}

pub(super) fn add(given: &Given<'_>) -> Vec<Query> {
    change("RegisterTargets", given)
}

pub(super) fn remove(given: &Given<'_>) -> Vec<Query> {
    change("DeregisterTargets", given)
}

fn change(action: &'static str, given: &Given<'_>) -> Vec<Query> {
    let fields = [
        given.as_field(GROUP, "group"),
        given.as_field("Targets.member.1.Id", "id"),
        given.as_field("Targets.member.1.Port", "port"),
    ];
    vec![query(BALANCING, action, Kind::Change, fields)]
}

pub(super) fn read(answers: &[Xml], given: &Given<'_>) -> Result<Value, String> {
    let answer = answers.first().ok_or("there is no answer")?;
    let all = answer.all("DescribeTargetHealthResult/TargetHealthDescriptions/member");
    let targets = all.iter().map(|it| {
        json!({
            "id": text(it, "Target/Id"),
            "port": number(it, "Target/Port"),
            "state": text(it, "TargetHealth/State"),
            "reason": text(it, "TargetHealth/Reason"),
            "description": text(it, "TargetHealth/Description"),
        })
    });
    let healthy = all.iter().filter(|it| it.text("TargetHealth/State") == Some("healthy")).count();
    Ok(json!({
        "group": given.get("group"),
        "total": all.len(),
        "healthy": healthy,
        "targets": targets.collect::<Vec<_>>(),
    }))
}

pub(super) fn changed(answers: &[Xml], given: &Given<'_>) -> Result<Value, String> {
    taken(answers)?;
    Ok(json!({ "group": given.get("group"), "id": given.get("id") }))
}
