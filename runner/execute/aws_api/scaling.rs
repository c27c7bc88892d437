//! Scaling groups and how many instances they want (API reference, version 2011-01-01).

use serde_json::{Value, json};

use super::{Given, number, query, taken, text};
use crate::aws::query::{Query, Service};
use crate::aws::signed::Kind;
use crate::aws::xml::Xml;

const SCALING: Service = Service { name: "autoscaling", version: "2011-01-01" };

pub(super) fn look(given: &Given<'_>) -> Vec<Query> {
    let name = given.as_field("AutoScalingGroupNames.member.1", "name");
    vec![query(SCALING, "DescribeAutoScalingGroups", Kind::Repeatable, [name])]
}

pub(super) fn set(given: &Given<'_>) -> Vec<Query> {
    let fields =
        [given.as_field("AutoScalingGroupName", "name"), given.as_field("DesiredCapacity", "size")];
    vec![query(SCALING, "SetDesiredCapacity", Kind::Change, fields)]
}

/// A group that is not there is left out of the answer, without a word.
pub(super) fn read(answers: &[Xml], given: &Given<'_>) -> Result<Value, String> {
    let path = "DescribeAutoScalingGroupsResult/AutoScalingGroups/member";
    let found = answers.first().and_then(|it| it.at(path));
    let group = found.ok_or_else(|| format!("AWS knows no scaling group {}", given.get("name")))?;
    let instances = group.all("Instances/member");
    let is = |xml: &Xml, path, word| xml.text(path) == Some(word);
    let in_service = instances.iter().filter(|it| is(it, "LifecycleState", "InService")).count();
    let healthy = instances.iter().filter(|it| is(it, "HealthStatus", "Healthy")).count();
    let each = instances.iter().map(|it| {
        json!({
            "id": text(it, "InstanceId"),
            "state": text(it, "LifecycleState"),
            "health": text(it, "HealthStatus"),
        })
    });
    Ok(json!({
        "name": text(group, "AutoScalingGroupName"),
        "size": number(group, "DesiredCapacity"),
        "smallest": number(group, "MinSize"),
        "largest": number(group, "MaxSize"),
        "in_service": in_service,
        "healthy": healthy,
        "instances": each.collect::<Vec<_>>(),
    }))
}

pub(super) fn changed(answers: &[Xml], given: &Given<'_>) -> Result<Value, String> {
    taken(answers)?;
    let size = given.get("size").parse::<i64>().map_or(Value::Null, Value::from);
    Ok(json!({ "name": given.get("name"), "size": size }))
}
