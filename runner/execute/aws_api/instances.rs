//! EC2 instances (API reference, version 2016-11-15).

use serde_json::{Value, json};

use super::{Given, query, taken, text};
use crate::aws::query::{Query, Service};
use crate::aws::signed::Kind;
use crate::aws::xml::Xml;

pub(super) const EC2: Service = Service { name: "ec2", version: "2016-11-15" };

fn one(action: &'static str, kind: Kind, given: &Given<'_>) -> Vec<Query> {
    vec![query(EC2, action, kind, [given.as_field("InstanceId.1", "id")])]
}

pub(super) fn look(given: &Given<'_>) -> Vec<Query> {
    let all = Some(("IncludeAllInstances".to_owned(), "true".to_owned()));
    let id = given.as_field("InstanceId.1", "id");
    let mut queries = one("DescribeInstances", Kind::Repeatable, given);
    queries.push(query(EC2, "DescribeInstanceStatus", Kind::Repeatable, [id, all]));
    queries
}

pub(super) fn start(given: &Given<'_>) -> Vec<Query> {
    one("StartInstances", Kind::Change, given)
}

pub(super) fn stop(given: &Given<'_>) -> Vec<Query> {
    one("StopInstances", Kind::Change, given)
}

pub(super) fn reboot(given: &Given<'_>) -> Vec<Query> {
    one("RebootInstances", Kind::Change, given)
}

pub(super) fn read(answers: &[Xml], given: &Given<'_>) -> Result<Value, String> {
    let found = answers.first().and_then(|it| it.at("reservationSet/item/instancesSet/item"));
    let instance = found.ok_or_else(|| format!("AWS knows no instance {}", given.get("id")))?;
    let none = Xml::default();
    let status = answers.get(1).and_then(|it| it.at("instanceStatusSet/item")).unwrap_or(&none);
    let tags = instance.all("tagSet/item");
    let name = tags.iter().find(|tag| tag.text("key") == Some("Name"));
    Ok(json!({
        "id": text(instance, "instanceId"),
        "name": name.map_or(Value::Null, |tag| text(tag, "value")),
        "state": text(instance, "instanceState/name"),
        "type": text(instance, "instanceType"),
        "zone": text(instance, "placement/availabilityZone"),
        "address": text(instance, "privateIpAddress"),
        "launched_at": text(instance, "launchTime"),
        "system_check": text(status, "systemStatus/status"),
        "instance_check": text(status, "instanceStatus/status"),
    }))
}

pub(super) fn changed(answers: &[Xml], given: &Given<'_>) -> Result<Value, String> {
    let found = answers.first().and_then(|it| it.at("instancesSet/item"));
    let instance = found.ok_or_else(|| format!("it does not name {}", given.get("id")))?;
    Ok(json!({
        "id": text(instance, "instanceId"),
        "state": text(instance, "currentState/name"),
        "before": text(instance, "previousState/name"),
    }))
}

pub(super) fn rebooted(answers: &[Xml], given: &Given<'_>) -> Result<Value, String> {
    taken(answers)?;
    Ok(json!({ "id": given.get("id") }))
}
