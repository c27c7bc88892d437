//! Reads `expect`: when a step's result counts as met.

use std::ops::RangeInclusive;

use crate::fields::{Fields, wrong_type};
use crate::finding::Findings;
use crate::scenario::model::{ActionTemplate, Expect};
use crate::scenario::reading::Reading;
use crate::yaml::{Kind, Node, Place};

pub(super) fn read_expect(
    node: &Node,
    action: Option<&ActionTemplate>,
    reading: &mut Reading<'_>,
) -> Option<Expect> {
    let gives = action.map(gives);
    let fields = Fields::of(node, "expect", reading.findings)?;
    let that = match fields.get("that") {
        None => Vec::new(),
        Some(Node { kind: Kind::List(items), .. }) => {
            let read = items.iter().map(|item| reading.expression_at(item, "that"));
            read.collect::<Option<_>>()?
        }
        Some(node) => vec![reading.expression_at(node, "that")?],
    };
    let findings = &mut *reading.findings;
    let mut expect = Expect { that, ..Expect::default() };
    if let Some(node) = fields.get("exit_code") {
        expect.codes_said = true;
        expect.exit_codes = numbers(node, "exit_code", findings)
            .into_iter()
            .flat_map(|range| range.map(i32::from))
            .collect();
        misplaced(gives, node, "exit_code", findings);
    }
    if let Some(node) = fields.get("status") {
        expect.codes_said = true;
        expect.statuses = numbers(node, "status", findings);
        misplaced(gives, node, "status", findings);
    }
    if let Some(node) = fields.get("unclear") {
        expect.unclear = numbers(node, "unclear", findings);
        met_and_unclear(&expect, gives, node, findings);
    }
    let mut some_text = |key| {
        let at = fields.text(key, findings)?;
        if at.value.is_empty() {
            impossible(at.place, key, findings);
        }
        Some(at.value)
    };
    expect.contains = some_text("contains");
    expect.lacks = some_text("lacks");
    fields.finish(findings);
    Some(expect)
}

/// What says nothing is neither met nor not met.
fn met_and_unclear(expect: &Expect, gives: Option<&str>, node: &Node, findings: &mut Findings) {
    let says_nothing = |number: u16| expect.unclear.iter().any(|range| range.contains(&number));
    let met = match gives {
        Some("exit_code") => expect
            .exit_codes
            .iter()
            .filter_map(|it| u16::try_from(*it).ok())
            .find(|it| says_nothing(*it)),
        Some("status") => expect.statuses.iter().cloned().flatten().find(|it| says_nothing(*it)),
        Some(_) => return misplaced(gives, node, "exit_code or status", findings),
        None => None,
    };
    if let Some(number) = met {
        findings.add(
            "met-and-unclear",
            node.place,
            format!("{number} counts as met, so it cannot be unclear as well"),
            "remove it here, or say with 'exit_code' or 'status' what counts as met",
        );
    }
}

fn impossible(place: Place, key: &str, findings: &mut Findings) {
    findings.add(
        "empty-expectation",
        place,
        format!("'{key}' is empty, so it says nothing about the result"),
        "write what is expected, or remove the line",
    );
}

/// What an action's result is told by.
const fn gives(action: &ActionTemplate) -> &'static str {
    match action {
        ActionTemplate::Script { .. } | ActionTemplate::Exec { .. } => "exit_code",
        ActionTemplate::Http { .. } => "status",
        ActionTemplate::Tcp { .. } | ActionTemplate::Aws(_) | ActionTemplate::Ask(_) => "that",
    }
}

fn misplaced(gives: Option<&str>, node: &Node, key: &str, findings: &mut Findings) {
    if let Some(instead) = gives.filter(|gives| *gives != key) {
        findings.add(
            "expectation-of-other-action",
            node.place,
            format!("this step's action gives no {key}"),
            format!("use '{instead}'"),
        );
    }
}

/// `200`, `200..299`, or a list of both.
fn numbers(node: &Node, key: &str, findings: &mut Findings) -> Vec<RangeInclusive<u16>> {
    let single = std::slice::from_ref(node);
    let items = if let Kind::List(items) = &node.kind { items.as_slice() } else { single };
    if items.is_empty() {
        impossible(node.place, key, findings);
    }
    items.iter().filter_map(|item| number_range(item, key, findings)).collect()
}

fn number_range(node: &Node, key: &str, findings: &mut Findings) -> Option<RangeInclusive<u16>> {
    let range = match &node.kind {
        Kind::Int(number) => u16::try_from(*number).ok().map(|n| n..=n),
        Kind::Text(text) => text.split_once("..").and_then(|(from, to)| {
            let (from, to) = (from.trim().parse().ok()?, to.trim().parse().ok()?);
            (from <= to).then_some(from..=to)
        }),
        _ => None,
    };
    if range.is_none() {
        wrong_type(
            findings,
            node.place,
            key,
            "a number, a range such as 200..299, or a list",
            &node.kind,
        );
    }
    range
}
