//! Reads lists of steps.

use crate::fields::{At, Fields, remedy_for_word, wrong_type};
use crate::scenario::action::read_probe;
use crate::scenario::ending::{
    read_approve, read_hand_off, read_resolve, read_severity, read_wait,
};
use crate::scenario::flow::{read_branch, read_each, read_ladder, read_parallel};
use crate::scenario::model::{Effect, Step, StepKind, Then, WhenHealthy};
use crate::scenario::reading::{Reading, bad_name, is_name};
use crate::scenario::script;
use crate::scenario::step::Severity;
use crate::scenario::takes::Default as LookDefault;
use crate::yaml::{Key, Kind, Node};

const WHEN_HEALTHY: [(&str, WhenHealthy); 3] = [
    ("resolve", WhenHealthy::Resolve),
    ("hand_off", WhenHealthy::HandOff),
    ("continue", WhenHealthy::Continue),
];

pub(super) const THEN: [(&str, Then); 2] =
    [("continue", Then::Continue), ("hand_off", Then::HandOff)];

const EFFECTS: [(&str, Effect); 2] = [("once", Effect::Once), ("idempotent", Effect::Idempotent)];

/// Steps of one scenario; more is a procedure that should be several scenarios.
const MAX_STEPS: usize = 100;

/// Steps inside steps inside steps; deeper is a procedure nobody follows at night.
const MAX_DEPTH: usize = 6;

pub(super) fn read_main(node: &Node, reading: &mut Reading<'_>) -> Vec<Step> {
    let before = reading.findings.len();
    let steps = read_steps(node, "steps", 0, reading);
    if steps.is_empty() && reading.findings.len() == before {
        reading.findings.add("no-steps", node.place, "the scenario does nothing", "add steps");
    }
    steps
}

pub(super) fn read_always(node: &Node, reading: &mut Reading<'_>) -> Vec<Step> {
    let steps = read_steps(node, "always", 0, reading);
    for step in &steps {
        let fits = match &step.kind {
            StepKind::Gather { .. } | StepKind::Notify { .. } => true,
            StepKind::Recover { effect, .. } => *effect == Effect::Idempotent,
            _ => false,
        };
        if !fits {
            reading.findings.add(
                "always-not-repeatable",
                step.place,
                "what always runs must be able to run again after a crash, and decides nothing",
                "use gather, notify, or recover with 'effect: idempotent'",
            );
        }
    }
    steps
}

/// The steps that could be read.
pub(super) fn read_steps(
    node: &Node,
    what: &str,
    depth: usize,
    reading: &mut Reading<'_>,
) -> Vec<Step> {
    let Kind::List(items) = &node.kind else {
        wrong_type(reading.findings, node.place, what, "a list (`- check:` …)", &node.kind);
        reading.incomplete = true;
        return Vec::new();
    };
    if items.len() > MAX_STEPS || depth > MAX_DEPTH {
        reading.findings.add(
            "too-many-steps",
            node.place,
            format!(
                "here are {} steps, {depth} levels deep; the limits are {MAX_STEPS} and {MAX_DEPTH}",
                items.len(),
            ),
            "split it into several scenarios",
        );
        reading.incomplete = true;
        return Vec::new();
    }
    items.iter().filter_map(|item| read_step(item, depth, reading)).collect()
}

/// A step is a mapping with one key, which says what kind of step it is.
fn read_step(node: &Node, depth: usize, reading: &mut Reading<'_>) -> Option<Step> {
    let step =
        step_word(node, reading).and_then(|(key, body)| read_body(key, body, depth, reading));
    if step.is_none() {
        reading.incomplete = true;
    }
    step
}

fn step_word<'a>(node: &'a Node, reading: &mut Reading<'_>) -> Option<(&'a Key, &'a Node)> {
    let Kind::Map(entries) = &node.kind else {
        wrong_type(reading.findings, node.place, "step", "`check:`, `gather:` …", &node.kind);
        return None;
    };
    let [(key, body)] = entries.as_slice() else {
        let words: Vec<&str> = entries.iter().map(|(key, _)| key.name.as_str()).collect();
        reading.findings.add(
            "step-with-several-kinds",
            node.place,
            format!("a step has one word, but here are {}: {}", words.len(), words.join(", ")),
            "begin each step with its own '- ', and indent its fields below the word",
        );
        return None;
    };
    if !StepKind::WORDS.contains(&key.name.as_str()) {
        let message = format!("there is no step '{}'", key.name);
        let remedy = remedy_for_word(&key.name, &StepKind::WORDS);
        reading.findings.add("unknown-step", key.place, message, remedy);
        return None;
    }
    Some((key, body))
}

fn read_body(key: &Key, body: &Node, depth: usize, reading: &mut Reading<'_>) -> Option<Step> {
    // `- resolve: it is well again`, `- branch: [...]`, `- parallel: [...]`.
    let plain = Node { place: body.place, kind: Kind::Null };
    let is_list =
        matches!(body.kind, Kind::List(_)) && ["branch", "parallel"].contains(&&*key.name);
    let is_text =
        matches!(body.kind, Kind::Text(_)) && ["resolve", "hand_off"].contains(&&*key.name);
    let fields =
        Fields::of(if is_list || is_text { &plain } else { body }, &key.name, reading.findings)?;
    let name = fields.text("name", reading.findings).map(|at| at.value);
    let id = fields.text("id", reading.findings).and_then(|at| read_id(at, reading));
    let before = reading.findings.len();
    let when = reading.expression(&fields, "when");
    let whole = (is_list || is_text).then_some(body);
    let judges = ["check", "verify"].contains(&&*key.name);
    let if_broken = if judges { read_severity(&fields, reading) } else { Severity::default() };
    let kind = read_kind(&key.name, &fields, whole, depth, reading);
    if kind.is_some() || reading.findings.len() == before {
        fields.finish(reading.findings);
    }
    if kind.is_none()
        && let Some(id) = &id
    {
        reading.unread.push(format!("steps.{id}"));
    }
    let name = name.unwrap_or_else(|| key.name.clone());
    Some(Step { number: 0, id, name, when, if_broken, kind: kind?, place: key.place })
}

fn read_id(at: At<String>, reading: &mut Reading<'_>) -> Option<String> {
    if is_name(&at.value) {
        return Some(at.value);
    }
    bad_name(&at.value, at.place, reading.findings);
    None
}

fn read_kind(
    word: &str,
    fields: &Fields<'_>,
    whole: Option<&Node>,
    depth: usize,
    reading: &mut Reading<'_>,
) -> Option<StepKind> {
    match word {
        "check" => read_check(fields, reading),
        "gather" => {
            let probe = read_probe(fields, LookDefault::Once, reading)?;
            Some(StepKind::Gather { probe })
        }
        "recover" => {
            let effect = fields.word("effect", &EFFECTS, reading.findings);
            let failed = fields.word("when_failed", &THEN, reading.findings);
            let unclear = fields.word("when_unclear", &THEN, reading.findings);
            let probe = read_probe(fields, LookDefault::Once, reading)?;
            let effect = effect.map_or(Effect::Once, |at| at.value);
            let when_failed = failed.map_or(Then::HandOff, |at| at.value);
            let when_unclear = unclear.map_or(Then::HandOff, |at| at.value);
            Some(StepKind::Recover { probe, effect, when_failed, when_unclear })
        }
        "verify" => {
            let broken = fields.word("when_broken", &THEN, reading.findings);
            let probe = read_probe(fields, LookDefault::UntilWell, reading)?;
            let when_broken = broken.map_or(Then::HandOff, |at| at.value);
            Some(StepKind::Verify { probe, when_broken })
        }
        "notify" => {
            let effect = fields.word("effect", &EFFECTS, reading.findings);
            let probe = read_probe(fields, LookDefault::Once, reading)?;
            Some(StepKind::Notify { probe, effect: effect.map_or(Effect::Once, |at| at.value) })
        }
        "wait" => read_wait(fields, reading).map(StepKind::Wait),
        "approve" => read_approve(fields, reading),
        "branch" => read_branch(fields, whole, depth, reading),
        "parallel" => read_parallel(fields, whole, depth, reading),
        "each" => read_each(fields, depth, reading),
        "ladder" => read_ladder(fields, depth, reading),
        "resolve" => read_resolve(fields, whole, reading),
        "hand_off" => match whole {
            Some(node) => read_hand_off(node, reading).map(StepKind::HandOff),
            None => {
                crate::scenario::ending::hand_off_fields(fields, reading).map(StepKind::HandOff)
            }
        },
        // `step_word` has reported it.
        _ => None,
    }
}

fn read_check(fields: &Fields<'_>, reading: &mut Reading<'_>) -> Option<StepKind> {
    let healthy = fields.word("when_healthy", &WHEN_HEALTHY, reading.findings);
    let broken = fields.word("when_broken", &THEN, reading.findings);
    let unclear = fields.word("when_unclear", &THEN, reading.findings);
    let probe = read_probe(fields, LookDefault::Once, reading)?;
    if healthy.as_ref().is_some_and(|at| at.value == WhenHealthy::Resolve) {
        script::hidden_failure(fields, &probe, reading);
    }
    Some(StepKind::Check {
        probe,
        when_healthy: healthy.map_or(WhenHealthy::Continue, |at| at.value),
        when_broken: broken.map_or(Then::Continue, |at| at.value),
        when_unclear: unclear.map_or(Then::HandOff, |at| at.value),
    })
}
