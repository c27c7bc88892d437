//! Reads `parameters` and `lookup`: what differs between customers and hosts.

use std::collections::BTreeMap;

use crate::fields::{At, Fields, text};
use crate::finding::Findings;
use crate::scenario::match_rule::kind_word;
use crate::scenario::model::{Lookup, Parameter};
use crate::scenario::reading::{Reading, bad_name, is_name};
use crate::scenario::value::{Type, typed_json};
use crate::yaml::{Kind, Node};

pub(super) fn read_parameters(
    node: &Node,
    reading: &mut Reading<'_>,
) -> BTreeMap<String, Parameter> {
    let Some(own) = Fields::of(node, "parameters", reading.findings) else {
        return BTreeMap::new();
    };
    let mut parameters = BTreeMap::new();
    for (key, value) in own.all() {
        if !is_name(&key.name) {
            bad_name(&key.name, key.place, reading.findings);
            continue;
        }
        if let Some((kind, default)) = read_typed(value, &key.name, reading.findings) {
            parameters.insert(key.name.clone(), Parameter { kind, default, place: key.place });
        }
    }
    parameters
}

/// `number`, or `{type: number, default: 90}`, or `{list: word}`.
fn read_typed(
    node: &Node,
    name: &str,
    findings: &mut Findings,
) -> Option<(Type, Option<serde_json::Value>)> {
    if let Kind::Text(_) = node.kind {
        return Some((read_type(&text(node, name, findings)?, findings)?, None));
    }
    let fields = Fields::of(node, name, findings)?;
    // For the people who give the value; nothing here uses it.
    fields.text("about", findings);
    let kind = type_or_list(&fields, findings);
    let default = fields.get("default");
    let kind = kind.flatten();
    let default = match (default, kind) {
        (Some(node), Some(kind)) => default_value(node, kind, findings),
        _ => None,
    };
    if fields.get("type").is_none() && fields.get("list").is_none() {
        fields.missing("type", "number", findings);
    }
    fields.finish(findings);
    Some((kind?, default))
}

/// Outer `None`: neither `type` nor `list` stands there.
#[expect(clippy::option_option, reason = "no type and a wrong type differ")]
pub(super) fn type_or_list(fields: &Fields<'_>, findings: &mut Findings) -> Option<Option<Type>> {
    let one = fields.text("type", findings);
    let list = fields.text("list", findings);
    match (one, list) {
        (None, None) => None,
        (Some(one), None) => Some(read_type(&one, findings)),
        (None, Some(list)) => Some(kind_word(&list, findings).map(Type::List)),
        (Some(_), Some(list)) => {
            findings.add(
                "type-and-list",
                list.place,
                "a value has either a 'type' or is a 'list' of a type",
                "remove one of the two",
            );
            Some(None)
        }
    }
}

pub(super) fn read_type(written: &At<String>, findings: &mut Findings) -> Option<Type> {
    match written.value.as_str() {
        "bool" => Some(Type::Bool),
        "any" => Some(Type::Any),
        "table" => Some(Type::Table),
        _ => kind_word(written, findings).map(Type::One),
    }
}

/// A default must be what its type says.
pub(super) fn default_value(
    node: &Node,
    kind: Type,
    findings: &mut Findings,
) -> Option<serde_json::Value> {
    if kind == Type::Table {
        return Some(node.to_json());
    }
    typed_json(&node.to_json(), kind)
        .map_err(|error| {
            findings.add(
                "bad-default",
                node.place,
                format!("the default does not fit the type: {error}"),
                "change the default or the type",
            );
        })
        .ok()
}

pub(super) fn read_lookups(node: &Node, reading: &mut Reading<'_>) -> BTreeMap<String, Lookup> {
    let Some(own) = Fields::of(node, "lookup", reading.findings) else {
        return BTreeMap::new();
    };
    let mut lookups = BTreeMap::new();
    for (key, value) in own.all() {
        if !is_name(&key.name) {
            bad_name(&key.name, key.place, reading.findings);
            continue;
        }
        let Some(fields) = Fields::of(value, &key.name, reading.findings) else { continue };
        let table = fields.required_text("in", "applications", reading.findings);
        let by = fields
            .required("by", "\"{{ capture.rule }}\"", reading.findings)
            .and_then(|node| reading.template_at(node, "by"));
        fields.finish(reading.findings);
        if let (Some(table), Some(by)) = (table, by) {
            let lookup = Lookup { table: table.value, by, place: table.place };
            lookups.insert(key.name.clone(), lookup);
        }
    }
    lookups
}
