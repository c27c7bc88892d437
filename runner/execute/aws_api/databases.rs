//! RDS instances and their storage (API reference, version 2014-10-31).

use serde_json::{Value, json};

use super::{Given, number, query, text};
use crate::aws::query::{Query, Service};
use crate::aws::signed::Kind;
use crate::aws::xml::Xml;

const RDS: Service = Service { name: "rds", version: "2014-10-31" };

const ID: &str = "DBInstanceIdentifier";

pub(super) fn look(given: &Given<'_>) -> Vec<Query> {
    vec![query(RDS, "DescribeDBInstances", Kind::Repeatable, [given.as_field(ID, "id")])]
}

/// At once: what waits for the maintenance window helps nobody tonight.
pub(super) fn extend(given: &Given<'_>) -> Vec<Query> {
    let now = Some(("ApplyImmediately".to_owned(), "true".to_owned()));
    let fields = [given.as_field(ID, "id"), given.as_field("AllocatedStorage", "size"), now];
    vec![query(RDS, "ModifyDBInstance", Kind::Change, fields)]
}

pub(super) fn read(answers: &[Xml], given: &Given<'_>) -> Result<Value, String> {
    let path = "DescribeDBInstancesResult/DBInstances/DBInstance";
    let found = answers.first().and_then(|it| it.at(path));
    found.map(database).ok_or_else(|| format!("AWS knows no database {}", given.get("id")))
}

pub(super) fn extended(answers: &[Xml], given: &Given<'_>) -> Result<Value, String> {
    let found = answers.first().and_then(|it| it.at("ModifyDBInstanceResult/DBInstance"));
    found.map(database).ok_or_else(|| format!("it does not name {}", given.get("id")))
}

fn database(xml: &Xml) -> Value {
    let states = xml.all("StatusInfos/DBInstanceStatusInfo");
    let replication = states.iter().find(|it| it.text("StatusType") == Some("read replication"));
    let of_replication = |path: &str| replication.map_or(Value::Null, |status| text(status, path));
    json!({
        "id": text(xml, ID),
        "state": text(xml, "DBInstanceStatus"),
        "size": number(xml, "AllocatedStorage"),
        "pending_size": number(xml, "PendingModifiedValues/AllocatedStorage"),
        "largest": number(xml, "MaxAllocatedStorage"),
        "engine": text(xml, "Engine"),
        "class": text(xml, "DBInstanceClass"),
        "address": text(xml, "Endpoint/Address"),
        "replica_of": text(xml, "ReadReplicaSourceDBInstanceIdentifier"),
        "replication": of_replication("Status"),
        "replication_message": of_replication("Message"),
    })
}
