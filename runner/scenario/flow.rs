//! Reads the steps that hold other steps: `branch`, `parallel`, `each`, `ladder`.

use crate::fields::{At, Fields, wrong_type};
use crate::scenario::model::{Case, Each, Rung, Step, StepKind};
use crate::scenario::reading::{Reading, bad_name, is_name};
use crate::scenario::steps::read_steps;
use crate::yaml::{Kind, Node, Place};

/// Entries of a list that are worked on one after the other, unless the author says otherwise.
const AT_ONCE: i64 = 1;

/// Entries of a list worked on at all, unless the author says otherwise.
const AT_MOST: i64 = 20;

/// More than this is not a first response any more.
const MOST: i64 = 1_000;

/// Tries of one rung.
const MOST_TRIES: i64 = 10;

/// `- branch:` with a list of cases below it, or with `cases:` beside other fields.
pub(super) fn read_branch(
    fields: &Fields<'_>,
    whole: Option<&Node>,
    depth: usize,
    reading: &mut Reading<'_>,
) -> Option<StepKind> {
    let node = match whole {
        Some(node) => node,
        None => fields.required("cases", "[{when: used > 90, steps: []}]", reading.findings)?,
    };
    let Kind::List(items) = &node.kind else {
        wrong_type(reading.findings, node.place, "branch", "a list (`- when:` …)", &node.kind);
        return None;
    };
    let mut cases = Vec::new();
    let mut otherwise = None;
    for item in items {
        let own = Fields::of(item, "a case of branch", reading.findings)?;
        if otherwise.is_some() {
            reading.findings.add(
                "case-after-otherwise",
                item.place,
                "nothing reaches a case behind 'otherwise'",
                "move 'otherwise' to the end",
            );
        }
        if let Some(node) = own.get("otherwise") {
            otherwise = Some(read_otherwise(node, depth, reading));
        } else {
            let when = own
                .required("when", "used > 90", reading.findings)
                .and_then(|node| reading.expression_at(node, "when"));
            let steps = own
                .required("steps", "[{gather: {run: uptime}}]", reading.findings)
                .map(|node| read_steps(node, "steps", depth + 1, reading));
            match (when, steps) {
                (Some(when), Some(steps)) => cases.push(Case { when, steps }),
                _ => reading.incomplete = true,
            }
        }
        own.finish(reading.findings);
    }
    let Some(otherwise) = otherwise else {
        reading.findings.add(
            "branch-without-otherwise",
            node.place,
            "nothing is said for the case that no condition holds",
            "add '- otherwise: continue', or '- otherwise:' with steps",
        );
        return None;
    };
    Some(StepKind::Branch { cases, otherwise })
}

/// Steps, or the word `continue`.
fn read_otherwise(node: &Node, depth: usize, reading: &mut Reading<'_>) -> Vec<Step> {
    match &node.kind {
        Kind::Text(word) if word == "continue" => Vec::new(),
        _ => read_steps(node, "otherwise", depth + 1, reading),
    }
}

pub(super) fn read_parallel(
    fields: &Fields<'_>,
    whole: Option<&Node>,
    depth: usize,
    reading: &mut Reading<'_>,
) -> Option<StepKind> {
    let node = match whole {
        Some(node) => node,
        None => fields.required("steps", "[{check: {run: 'true'}}]", reading.findings)?,
    };
    let steps = read_steps(node, "parallel", depth + 1, reading);
    for step in &steps {
        if !matches!(step.kind, StepKind::Check { .. } | StepKind::Gather { .. }) {
            reading.findings.add(
                "parallel-changes",
                step.place,
                format!("a {} step cannot run side by side with others", step.kind.word()),
                "put only check and gather steps into parallel",
            );
        }
    }
    Some(StepKind::Parallel { steps })
}

pub(super) fn read_each(
    fields: &Fields<'_>,
    depth: usize,
    reading: &mut Reading<'_>,
) -> Option<StepKind> {
    let item = fields.required_text("item", "host", reading.findings);
    if let Some(At { place, value }) = item.as_ref().filter(|at| !is_name(&at.value)) {
        bad_name(value, *place, reading.findings);
    }
    let of = fields
        .required("of", "target.hosts", reading.findings)
        .and_then(|node| reading.expression_at(node, "of"));
    let at_once = count(fields, "at_once", AT_ONCE, MOST, reading);
    let at_most = count(fields, "at_most", AT_MOST, MOST, reading);
    let steps = fields
        .required("steps", "[{check: {run: 'true'}}]", reading.findings)
        .map(|node| read_steps(node, "steps", depth + 1, reading));
    let (item, of, steps) = (item?.value, of?, steps?);
    Some(StepKind::Each(Each { item, of, at_once: at_once?, at_most: at_most?, steps }))
}

pub(super) fn read_ladder(
    fields: &Fields<'_>,
    depth: usize,
    reading: &mut Reading<'_>,
) -> Option<StepKind> {
    let tries = match fields.get("tries") {
        Some(_) => Some(count(fields, "tries", 1, MOST_TRIES, reading)?),
        None => None,
    };
    let node = fields.required("rungs", "[{name: restart, steps: []}]", reading.findings)?;
    let Kind::List(items) = &node.kind else {
        wrong_type(reading.findings, node.place, "rungs", "a list (`- name:` …)", &node.kind);
        return None;
    };
    let rungs: Vec<Rung> =
        items.iter().filter_map(|item| read_rung(item, depth, reading)).collect();
    if rungs.len() < items.len() {
        reading.incomplete = true;
    }
    for (rung, item) in rungs.iter().zip(items) {
        let verifies = rung.steps.iter().any(|step| step.kind.word() == "verify");
        if !verifies && !reading.incomplete {
            reading.findings.add(
                "rung-without-verify",
                item.place,
                format!(
                    "nothing looks whether '{}' helped, so no further rung is tried",
                    rung.name
                ),
                "end the rung with a '- verify:' step",
            );
        }
    }
    let tries = tries.and_then(|tries| u32::try_from(tries).ok());
    Some(StepKind::Ladder { rungs, tries })
}

fn read_rung(node: &Node, depth: usize, reading: &mut Reading<'_>) -> Option<Rung> {
    let fields = Fields::of(node, "a rung", reading.findings)?;
    let name = fields.required_text("name", "再起動", reading.findings);
    let tries = count(&fields, "tries", 1, MOST_TRIES, reading);
    let steps = fields
        .required("steps", "[{recover: {run: reboot}}]", reading.findings)
        .map(|node| read_steps(node, "steps", depth + 1, reading));
    fields.finish(reading.findings);
    let tries = u32::try_from(tries?).ok()?;
    Some(Rung { name: name?.value, tries, steps: steps? })
}

/// A number of things from 1 to `most`.
pub(super) fn count(
    fields: &Fields<'_>,
    key: &'static str,
    default: i64,
    most: i64,
    reading: &mut Reading<'_>,
) -> Option<usize> {
    let (place, number) = match fields.get(key) {
        Some(_) => fields.number(key, reading.findings).map(|at| (at.place, at.value))?,
        None => (Place::default(), default),
    };
    if !(1..=most).contains(&number) {
        reading.findings.add(
            "out-of-range",
            place,
            format!("'{key}: {number}' is not between 1 and {most}"),
            format!("write a number from 1 to {most}"),
        );
        return None;
    }
    usize::try_from(number).ok()
}
