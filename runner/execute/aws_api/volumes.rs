//! EBS volumes, and how they grow (EC2's API reference, version 2016-11-15).

use serde_json::{Value, json};

use super::instances::EC2;
use super::{Given, number, query, text};
use crate::aws::query::Query;
use crate::aws::signed::Kind;
use crate::aws::xml::Xml;

/// EC2's code for a volume of which there is no modification to tell.
pub(super) const NEVER_CHANGED: &str = "InvalidVolumeModification.NotFound";

pub(super) fn look(given: &Given<'_>) -> Vec<Query> {
    let id = given.as_field("VolumeId.1", "id");
    vec![query(EC2, "DescribeVolumes", Kind::Repeatable, [id])]
}

pub(super) fn extend(given: &Given<'_>) -> Vec<Query> {
    let fields = [given.as_field("VolumeId", "id"), given.as_field("Size", "size")];
    vec![query(EC2, "ModifyVolume", Kind::Change, fields)]
}

pub(super) fn look_at_change(given: &Given<'_>) -> Vec<Query> {
    let id = given.as_field("VolumeId.1", "id");
    vec![query(EC2, "DescribeVolumesModifications", Kind::Repeatable, [id])]
}

pub(super) fn read(answers: &[Xml], given: &Given<'_>) -> Result<Value, String> {
    let found = answers.first().and_then(|it| it.at("volumeSet/item"));
    let volume = found.ok_or_else(|| format!("AWS knows no volume {}", given.get("id")))?;
    Ok(json!({
        "id": text(volume, "volumeId"),
        "size": number(volume, "size"),
        "state": text(volume, "status"),
        "type": text(volume, "volumeType"),
        "zone": text(volume, "availabilityZone"),
        "instance": text(volume, "attachmentSet/item/instanceId"),
        "device": text(volume, "attachmentSet/item/device"),
    }))
}

pub(super) fn extended(answers: &[Xml], given: &Given<'_>) -> Result<Value, String> {
    let found = answers.first().and_then(|it| it.at("volumeModification"));
    found.map(modification).ok_or_else(|| format!("it does not name {}", given.get("id")))
}

/// The newest one; `none` for a volume that was never changed.
pub(super) fn change(answers: &[Xml], given: &Given<'_>) -> Result<Value, String> {
    let answer = answers.first().ok_or("there is no answer")?;
    let all = answer.all("volumeModificationSet/item").into_iter();
    // Times as AWS writes them are in the order of their texts.
    let newest = all.max_by_key(|it| it.text("startTime").unwrap_or_default().to_owned());
    Ok(newest.map_or_else(|| json!({ "id": given.get("id"), "state": "none" }), modification))
}

fn modification(xml: &Xml) -> Value {
    json!({
        "id": text(xml, "volumeId"),
        "state": text(xml, "modificationState"),
        "size": number(xml, "targetSize"),
        "before": number(xml, "originalSize"),
        "progress": number(xml, "progress"),
        "began_at": text(xml, "startTime"),
        "message": text(xml, "statusMessage"),
    })
}
