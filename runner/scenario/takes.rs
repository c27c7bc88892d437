//! Reads `values` (what is taken from a step's output) and how often a step looks.

use std::time::Duration;

use regex::RegexBuilder;

use crate::fields::{Fields, text};
use crate::scenario::action::ROOTS;
use crate::scenario::capture::CaptureKind;
use crate::scenario::flow::count;
use crate::scenario::match_rule::bad_pattern;
use crate::scenario::model::{From, Look, Take};
use crate::scenario::parameters::{default_value, read_type, type_or_list};
use crate::scenario::reading::{Reading, bad_name, is_name};
use crate::scenario::value::Type;
use crate::yaml::{Kind, Node};

/// How a step looks where its author says nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Default {
    Once,
    UntilWell,
}

/// How long a verify waits for things to get well.
const VERIFY_WITHIN: Duration = Duration::from_mins(1);

/// Looks of one step; more is a deadline.
const MOST_LOOKS: i64 = 1_000;

/// Bytes of a compiled pattern; one that needs more is a mistake.
const PATTERN_BYTES: usize = 256 * 1024;

/// Names a step has without taking them.
pub const BUILT_IN: [(&str, Type); 6] = [
    ("result", Type::One(CaptureKind::Word)),
    ("began", Type::Bool),
    ("exit_code", Type::NUMBER),
    ("status", Type::NUMBER),
    ("no_answer", Type::One(CaptureKind::Word)),
    ("output", Type::TEXT),
];

pub(super) fn read_look(
    fields: &Fields<'_>,
    default: Default,
    reading: &mut Reading<'_>,
) -> Option<Look> {
    let said = |key: &&'static str| fields.get(key).is_some();
    let in_a_row = count(fields, "in_a_row", 1, MOST_LOOKS, reading)?;
    let within = fields.duration("within", reading.findings);
    reading.times.extend(within.as_ref().map(|at| (at.place, "within", at.value)));
    let within = within.map(|at| at.value);
    let every = fields.duration("every", reading.findings);
    let repeats = default == Default::UntilWell || ["tries", "within", "in_a_row"].iter().any(said);
    if let Some(at) = every.as_ref().filter(|_| !repeats) {
        reading.findings.warn(
            "looks-once",
            at.place,
            "the step looks only once, so 'every' changes nothing",
            "say how long or how often it looks (within: 5m, or tries: 3), or remove 'every'",
        );
    }
    let every = every.map_or(Look::EVERY, |at| at.value);
    let tries = count(fields, "tries", 1, MOST_LOOKS, reading)?;
    let limit = |number| u32::try_from(number).unwrap_or(u32::MAX);
    let rest = every.saturating_mul(limit(in_a_row) - 1);
    let (tries, within) = match (said(&"tries"), within, default) {
        (true, within, _) => (Some(limit(tries.max(in_a_row))), within),
        (false, Some(within), _) => (None, Some(within)),
        // All looks that must be met, once.
        (false, None, Default::Once) => (Some(limit(in_a_row)), None),
        (false, None, Default::UntilWell) => (None, Some(VERIFY_WITHIN.max(rest + VERIFY_WITHIN))),
    };
    if let Some(within) = within.filter(|within| *within < rest) {
        reading.findings.add(
            "never-in-a-row",
            fields.place(),
            format!("{in_a_row} looks with {every:?} between them do not fit into {within:?}"),
            "lengthen 'within', or look more often",
        );
    }
    Some(Look { tries, within, every, in_a_row: limit(in_a_row) })
}

pub(super) fn read_takes(node: &Node, reading: &mut Reading<'_>) -> Vec<Take> {
    let Some(own) = Fields::of(node, "values", reading.findings) else { return Vec::new() };
    let mut takes = Vec::new();
    for (key, value) in own.all() {
        // Such a value could not be told from what every scenario knows by this name.
        let is_taken = BUILT_IN.iter().any(|(name, _)| *name == key.name)
            || ROOTS.contains(&key.name.as_str())
            || key.name == "previous";
        if !is_name(&key.name) || is_taken {
            bad_name(&key.name, key.place, reading.findings);
            continue;
        }
        let Some((from, kind, default)) = read_take(&key.name, value, reading) else { continue };
        takes.push(Take { name: key.name.clone(), from, kind, default, place: key.place });
    }
    takes
}

type Taken = (From, Type, Option<serde_json::Value>);

/// `used: number`, or `used: {pattern: '(\d+)%', type: number}`.
fn read_take(name: &str, node: &Node, reading: &mut Reading<'_>) -> Option<Taken> {
    if let Kind::Text(_) = node.kind {
        let word = text(node, name, reading.findings)?;
        return Some((From::Output, read_type(&word, reading.findings)?, None));
    }
    let fields = Fields::of(node, name, reading.findings)?;
    let pattern = fields.text("pattern", reading.findings);
    let json = fields.text("json", reading.findings);
    let calc = reading.expression(&fields, "calc");
    let kind = type_or_list(&fields, reading.findings);
    let sources = [pattern.is_some(), json.is_some(), fields.get("calc").is_some()];
    if sources.iter().filter(|given| **given).count() > 1 {
        reading.findings.add(
            "several-sources",
            node.place,
            "a value comes from one of 'pattern', 'json' and 'calc'",
            "make it several values",
        );
        return None;
    }
    let kind = match kind {
        Some(kind) => kind?,
        None if calc.is_some() => Type::NUMBER,
        None => Type::TEXT,
    };
    let default = match fields.get("default") {
        Some(node) => Some(default_value(node, kind, reading.findings)?),
        None => None,
    };
    fields.finish(reading.findings);
    let from = if let Some(written) = pattern {
        let regex = RegexBuilder::new(&written.value)
            .multi_line(true)
            .size_limit(PATTERN_BYTES)
            .build()
            .map_err(|error| bad_pattern(&written, &error.to_string(), reading.findings))
            .ok()?;
        From::Pattern(regex)
    } else if let Some(pointer) = json {
        if !pointer.value.starts_with('/') {
            reading.findings.add(
                "bad-json-pointer",
                pointer.place,
                format!("'{}' does not lead into JSON", pointer.value),
                "write the keys with '/' before each: /pools/0/state; '*' is every entry of a list",
            );
            return None;
        }
        From::Json(pointer.value)
    } else if fields_has_calc(sources) {
        From::Calc(calc?)
    } else {
        From::Output
    };
    Some((from, kind, default))
}

const fn fields_has_calc(sources: [bool; 3]) -> bool {
    sources[2]
}
