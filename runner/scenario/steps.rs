//! Reads the list of steps.

use std::time::Duration;

use crate::fields::{Fields, remedy_for_word, wrong_type};
use crate::finding::Findings;
use crate::scenario::action::{Method, read_probe};
use crate::scenario::model::{ActionTemplate, Effect, Step, StepKind, WhenBroken, WhenHealthy};
use crate::yaml::{Key, Kind, Node, Place};

const STEP_WORDS: [&str; 5] = ["check", "gather", "recover", "verify", "wait"];

const WHEN_HEALTHY: [(&str, WhenHealthy); 3] = [
    ("resolve", WhenHealthy::Resolve),
    ("hand_off", WhenHealthy::HandOff),
    ("continue", WhenHealthy::Continue),
];

const WHEN_BROKEN: [(&str, WhenBroken); 2] =
    [("continue", WhenBroken::Continue), ("hand_off", WhenBroken::HandOff)];

const EFFECTS: [(&str, Effect); 2] = [("once", Effect::Once), ("idempotent", Effect::Idempotent)];

/// Steps of one scenario; more is a procedure that should be several scenarios.
const MAX_STEPS: usize = 100;

/// Defaults of a verify: how long it may take to get well, and how often to look.
const VERIFY_WITHIN: Duration = Duration::from_mins(1);
const VERIFY_EVERY: Duration = Duration::from_secs(5);

/// One entry per step of the file; `None` for a step with a finding.
pub fn read_steps(node: &Node, findings: &mut Findings) -> Vec<Option<Step>> {
    let Kind::List(items) = &node.kind else {
        wrong_type(findings, node.place, "steps", "a list (`- check:` …)", &node.kind);
        return Vec::new();
    };
    if items.is_empty() {
        findings.add("no-steps", node.place, "the scenario does nothing", "add steps");
    }
    if items.len() > MAX_STEPS {
        findings.add(
            "too-many-steps",
            node.place,
            format!("the scenario has {} steps; the limit is {MAX_STEPS}", items.len()),
            "split it into several scenarios",
        );
        return Vec::new();
    }
    let steps: Vec<(Place, Option<Step>)> =
        items.iter().map(|item| (item.place, read_step(item, findings))).collect();
    require_verify(&steps, findings);
    forbid_hidden_changes(&steps, findings);
    steps.into_iter().map(|(_, step)| step).collect()
}

/// A step is a mapping with one key, which says what kind of step it is.
fn read_step(node: &Node, findings: &mut Findings) -> Option<Step> {
    let Kind::Map(entries) = &node.kind else {
        wrong_type(findings, node.place, "step", "`check:`, `gather:` …", &node.kind);
        return None;
    };
    let [(key, body)] = entries.as_slice() else {
        findings.add(
            "step-with-several-kinds",
            node.place,
            "a step must have exactly one of check, gather, recover, verify, wait",
            "begin each step with its own '- ', and indent its fields below the word",
        );
        return None;
    };
    if !STEP_WORDS.contains(&key.name.as_str()) {
        let message = format!("there is no step '{}'", key.name);
        let remedy = remedy_for_word(&key.name, &STEP_WORDS);
        findings.add("unknown-step", key.place, message, remedy);
        return None;
    }
    let fields = Fields::of(body, &key.name, findings)?;
    let name = fields.text("name", findings).map(|at| at.value);
    let kind = read_kind(key, &fields, findings);
    fields.finish(findings);
    let name = name.unwrap_or_else(|| key.name.clone());
    Some(Step { name, kind: kind? })
}

fn read_kind(key: &Key, fields: &Fields<'_>, findings: &mut Findings) -> Option<StepKind> {
    match key.name.as_str() {
        "check" => {
            let healthy = fields.word("when_healthy", &WHEN_HEALTHY, findings);
            let broken = fields.word("when_broken", &WHEN_BROKEN, findings);
            let probe = read_probe(fields, findings)?;
            let when_healthy = healthy.map_or(WhenHealthy::Continue, |at| at.value);
            let when_broken = broken.map_or(WhenBroken::Continue, |at| at.value);
            Some(StepKind::Check { probe, when_healthy, when_broken })
        }
        "gather" => read_probe(fields, findings).map(|probe| StepKind::Gather { probe }),
        "recover" => {
            let effect = fields.word("effect", &EFFECTS, findings);
            let probe = read_probe(fields, findings)?;
            let effect = effect.map_or(Effect::Once, |at| at.value);
            Some(StepKind::Recover { probe, effect })
        }
        "verify" => {
            let within = fields.duration("within", findings).map_or(VERIFY_WITHIN, |at| at.value);
            let every = fields.duration("every", findings).map_or(VERIFY_EVERY, |at| at.value);
            let probe = read_probe(fields, findings)?;
            Some(StepKind::Verify { probe, within, every })
        }
        "wait" => {
            let duration = fields.duration("for", findings);
            if fields.get("for").is_none() {
                fields.missing("for", "30s", findings);
            }
            Some(StepKind::Wait { duration: duration?.value })
        }
        // `read_step` has reported it.
        _ => None,
    }
}

/// A look must change nothing, since it may be repeated; and once something was changed, "healthy"
/// is not "nothing was done".
fn forbid_hidden_changes(steps: &[(Place, Option<Step>)], findings: &mut Findings) {
    let mut recovered = false;
    for (place, step) in steps {
        let Some(Step { kind, .. }) = step else { continue };
        recovered |= matches!(kind, StepKind::Recover { .. });
        let sends = matches!(
            kind.probe().map(|probe| &probe.action),
            Some(ActionTemplate::Http { method: Method::Post | Method::Put, .. })
        );
        if sends && !matches!(kind, StepKind::Recover { .. }) {
            findings.add(
                "change-outside-recover",
                *place,
                format!("a {} step sends POST or PUT, which may change something", kind.word()),
                "use GET or HEAD, or make it a recover step",
            );
        }
        if recovered && matches!(kind, StepKind::Check { when_healthy: WhenHealthy::Resolve, .. }) {
            findings.add(
                "check-resolves-after-recover",
                *place,
                "this check would resolve the incident as recovered by itself, after a recovery",
                "use a verify step to see whether the recovery helped",
            );
        }
    }
}

/// No verified recovery, no resolve: a recovery nobody looks at afterwards is a mistake.
fn require_verify(steps: &[(Place, Option<Step>)], findings: &mut Findings) {
    let is = |step: &Option<Step>, word: &str| {
        step.as_ref().is_some_and(|step| step.kind.word() == word)
    };
    for (index, (place, step)) in steps.iter().enumerate() {
        let verified = steps[index + 1..].iter().any(|(_, later)| is(later, "verify"));
        // A step that could not be read may be the verify; its own finding comes first.
        let unread = steps[index + 1..].iter().any(|(_, later)| later.is_none());
        if is(step, "recover") && !verified && !unread {
            findings.add(
                "recover-without-verify",
                *place,
                "nothing looks whether this recovery helped",
                "add a '- verify:' step after it",
            );
        }
    }
}
