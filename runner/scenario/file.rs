//! One scenario file: text in, findings and, when there are none, a checked scenario out.

use std::collections::BTreeMap;
use std::path::Path;

use crate::digest;
use crate::fields::{At, Fields, read_file};
use crate::finding::{Finding, Findings};
use crate::guard::file::{Level, read_limits};
use crate::limits;
use crate::scenario::ending::{read_hand_off, read_progress, read_resolved};
use crate::scenario::match_rule::read_match;
use crate::scenario::model::{Mode, Scenario, Step, WhenSuspended};
use crate::scenario::parameters::{read_lookups, read_parameters};
use crate::scenario::reading::Reading;
use crate::scenario::steps::{read_always, read_main};
use crate::scenario::target::read_target;
use crate::scenario::{safety, scope};
use crate::yaml::Node;

const WHEN_SUSPENDED: [(&str, WhenSuspended); 2] =
    [("leave", WhenSuspended::Leave), ("wait", WhenSuspended::Wait)];

/// Reads a scenario file. `vars` are the variables the configuration defines; `None` when there
/// is no configuration at hand, and then their names are not checked. A file that can be used may
/// have warnings.
pub fn read(
    path: &Path,
    content: &str,
    vars: Option<&BTreeMap<String, String>>,
) -> Result<(Scenario, Vec<Finding>), Vec<Finding>> {
    read_file(path, content, |node, findings| read_scenario(path, content, node, vars, findings))
}

fn read_scenario(
    path: &Path,
    content: &str,
    node: &Node,
    vars: Option<&BTreeMap<String, String>>,
    findings: &mut Findings,
) -> Option<Scenario> {
    let fields = Fields::of(node, "the file", findings)?;
    let mut reading = Reading::of(findings, content);
    let id = fields.required_text("scenario", "web-service-down", reading.findings);
    if let Some(id) = &id {
        check_id(id, reading.findings);
    }
    let about =
        fields.required_text("about", "Webサービスの停止を再起動で復旧する", reading.findings);
    let mode = fields.word("mode", &Mode::WORDS, reading.findings);
    let rule = fields
        .required("match", "{all: [HTTP, CRITICAL]}", reading.findings)
        .and_then(|node| read_match(node, reading.findings));
    let target = fields.get("target");
    let whole = Scenario {
        id: id.as_ref().map(|id| id.value.clone()).unwrap_or_default(),
        hash: digest::short(content),
        about: about.as_ref().map(|at| at.value.trim().to_owned()).unwrap_or_default(),
        file: path.to_owned(),
        place: id.as_ref().map(|id| id.place).unwrap_or_default(),
        mode: mode.map_or(Mode::default(), |at| at.value),
        rule: rule.clone().unwrap_or_default(),
        parameters: fields
            .get("parameters")
            .map(|node| read_parameters(node, &mut reading))
            .unwrap_or_default(),
        lookups: fields
            .get("lookup")
            .map(|node| read_lookups(node, &mut reading))
            .unwrap_or_default(),
        target: target.and_then(|node| read_target(node, &mut reading)),
        when_suspended: fields
            .word("when_suspended", &WHEN_SUSPENDED, reading.findings)
            .map_or(WhenSuspended::default(), |at| at.value),
        limits: fields
            .get("limits")
            .map(|node| read_limits(node, Level::Scenario, reading.findings))
            .unwrap_or_default(),
        deadline: fields
            .duration("deadline", reading.findings)
            .map_or(limits::RUN_DEADLINE, |at| at.value),
        by_hand: fields.duration("by_hand", reading.findings).map(|at| at.value),
        progress: read_progress(&fields, &mut reading),
        steps: fields
            .required("steps", "[{check: {run: 'true'}}]", reading.findings)
            .map(|node| read_main(node, &mut reading))
            .unwrap_or_default(),
        always: fields
            .get("always")
            .map(|node| read_always(node, &mut reading))
            .unwrap_or_default(),
        hand_off: fields
            .get("hand_off")
            .and_then(|node| read_hand_off(node, &mut reading))
            .unwrap_or_default(),
        when_resolved: fields.get("resolved").and_then(|node| read_resolved(node, &mut reading)),
    };
    // Names of what could not be read look undefined everywhere; their own findings come first.
    if rule.is_none() {
        reading.unread.push("capture".to_owned());
    }
    if target.is_some() && whole.target.is_none() {
        reading.unread.push("target".to_owned());
    }
    fields.finish(reading.findings);
    let whole = numbered(whole);
    let pattern = node.below(&["match", "pattern"]).map_or(node.place, |node| node.place);
    scope::check(&whole, vars, pattern, &mut reading);
    safety::check(&whole, node.below(&["deadline"]).unwrap_or(node).place, &mut reading);
    id.and(about).and(rule).map(|_| whole)
}

/// Counts the steps in reading order.
fn numbered(mut scenario: Scenario) -> Scenario {
    use crate::scenario::model::StepKind;
    fn number(steps: &mut [Step], next: &mut usize) {
        for step in steps {
            step.number = *next;
            *next += 1;
            match &mut step.kind {
                StepKind::Branch { cases, otherwise } => {
                    for case in cases.iter_mut() {
                        number(&mut case.steps, next);
                    }
                    number(otherwise, next);
                }
                StepKind::Parallel { steps } => number(steps, next),
                StepKind::Each(each) => number(&mut each.steps, next),
                StepKind::Ladder { rungs, .. } => {
                    for rung in rungs.iter_mut() {
                        number(&mut rung.steps, next);
                    }
                }
                _ => {}
            }
        }
    }
    let mut next = 0;
    number(&mut scenario.steps, &mut next);
    number(&mut scenario.always, &mut next);
    scenario
}

fn check_id(id: &At<String>, findings: &mut Findings) {
    let well_formed = id.value.len() <= 80
        && id.value.starts_with(|c: char| c.is_ascii_lowercase())
        && id.value.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if !well_formed {
        findings.add(
            "bad-scenario-id",
            id.place,
            format!("'{}' cannot be a scenario's id", id.value),
            "use small letters, digits and '-', beginning with a letter, at most 80 characters",
        );
    }
}
