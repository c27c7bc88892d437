//! What a scenario must not do, seen over all its steps.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::scenario::action::Method;
use crate::scenario::expression::Expression;
use crate::scenario::model::{
    ActionTemplate, Effect, On, Scenario, Step, StepKind, Wait, WhenHealthy, WhenSeveral,
};
use crate::scenario::reading::Reading;
use crate::yaml::Place;

pub(super) fn check(scenario: &Scenario, deadline: Place, reading: &mut Reading<'_>) {
    for step in scenario.walk() {
        each_step(step, reading);
    }
    hosts(scenario, reading);
    unreachable_steps(&scenario.steps, reading);
    // What is missing may stand in a step that could not be read.
    if !reading.incomplete {
        let end = follow(&scenario.steps, Path::default(), reading);
        end.report_unverified(reading);
        long_enough(scenario, deadline, reading);
    }
    longer_than_deadline(scenario, reading);
    let mut named = BTreeMap::new();
    same_names(&scenario.steps, &mut named, reading);
    same_names(&scenario.always, &mut named, reading);
}

fn each_step(step: &Step, reading: &mut Reading<'_>) {
    let Some(probe) = step.kind.probe() else { return };
    let word = step.kind.word();
    let sends =
        matches!(probe.action, ActionTemplate::Http { method: Method::Post | Method::Put, .. });
    if sends && step.kind.effect() == Effect::Read {
        reading.findings.add(
            "change-outside-recover",
            step.place,
            format!("a {word} step sends POST or PUT, which may change something"),
            "use GET or HEAD, or make it a recover or notify step",
        );
    }
    if let ActionTemplate::Aws(call) = &probe.action
        && call.word.changes
        && step.kind.word() != "recover"
    {
        reading.findings.add(
            "change-outside-recover",
            step.place,
            format!("a {word} step asks AWS for '{}', which changes something", call.word.word),
            "make it a recover step",
        );
    }
    let repeated = probe.look.tries != Some(1);
    if repeated && step.kind.effect() == Effect::Once {
        reading.findings.add(
            "once-with-retry",
            step.place,
            format!("this {word} step would be tried again, but its effect is 'once'"),
            "say 'effect: idempotent' if doing it twice is the same as doing it once, or remove \
             tries and within",
        );
    }
    if let ActionTemplate::Script { text, env, .. } = &probe.action {
        runs_a_value(step, text, env.keys().map(String::as_str), reading);
    }
}

/// `eval "$NAME"`: the value would be run as a command after all.
fn runs_a_value<'a>(
    step: &Step,
    script: &str,
    names: impl Iterator<Item = &'a str>,
    reading: &mut Reading<'_>,
) {
    const RUNNERS: [&str; 7] =
        ["eval ", "sh -c ", "bash -c ", "Invoke-Expression ", "iex ", "python -c ", "perl -e "];
    for name in names {
        let executed = script.lines().any(|line| {
            let behind = RUNNERS.iter().filter_map(|runner| line.split_once(runner)).map(|it| it.1);
            let forms = [format!("${name}"), format!("${{{name}"), format!("$env:{name}")];
            behind.into_iter().any(|rest| {
                // Inside '…' the shell leaves it alone, and the inner shell reads it as data.
                let rest = rest.trim_start();
                !rest.starts_with('\'') && forms.iter().any(|form| rest.contains(form.as_str()))
            })
        });
        if executed {
            reading.findings.add(
                "value-is-executed",
                step.place,
                format!("the script of '{}' runs what {name} holds as a command", step.name),
                format!("use the value as an argument only: \"${name}\""),
            );
        }
    }
}

/// With several hosts, every command says which one it is for.
fn hosts(scenario: &Scenario, reading: &mut Reading<'_>) {
    let Some(target) = &scenario.target else { return };
    if target.when_several != WhenSeveral::All {
        return;
    }
    for step in scenario.walk() {
        let Some(probe) = step.kind.probe() else { continue };
        let runs =
            matches!(probe.action, ActionTemplate::Script { .. } | ActionTemplate::Exec { .. });
        if runs && probe.on == On::Target {
            reading.findings.add(
                "step-without-host",
                step.place,
                "the target may be several hosts, and this command does not say which one",
                "put it into '- each: {item: host, of: target.hosts}' with on: \"{{ each.host }}\", \
                 or say 'on: runner'",
            );
        }
    }
}

fn ends(step: &Step) -> bool {
    step.when.is_none() && matches!(step.kind, StepKind::Resolve { .. } | StepKind::HandOff(_))
}

fn unreachable_steps(steps: &[Step], reading: &mut Reading<'_>) {
    let end = steps.iter().position(ends);
    if let Some(step) = end.and_then(|end| steps.get(end + 1)) {
        reading.findings.add(
            "unreachable-step",
            step.place,
            "nothing reaches this step, since the run has ended before it",
            "move it up, or remove it",
        );
    }
    for step in steps {
        for block in step.kind.blocks() {
            unreachable_steps(block, reading);
        }
    }
}

/// What has happened on the way to a place in the file.
#[derive(Clone, Default)]
struct Path {
    /// Recoveries nobody has looked at yet, with the condition they stand under.
    pending: Vec<(Place, Option<String>)>,
    recovered: bool,
    /// The run has ended on every way here.
    ended: bool,
}

impl Path {
    /// No verified recovery, no resolve.
    fn report_unverified(&self, reading: &mut Reading<'_>) {
        for (place, _) in self.pending.iter().filter(|_| !self.ended) {
            reading.findings.add(
                "recover-without-verify",
                *place,
                "nothing looks whether this recovery helped",
                "add a '- verify:' step after it",
            );
        }
    }

    fn joined(mut self, other: Self) -> Self {
        match (self.ended, other.ended) {
            (true, _) => other,
            (false, true) => self,
            (false, false) => {
                self.pending.extend(other.pending);
                self.pending.sort_by_key(|(place, _)| *place);
                self.pending.dedup();
                self.recovered |= other.recovered;
                self
            }
        }
    }
}

/// The state behind these steps.
fn follow(steps: &[Step], mut path: Path, reading: &mut Reading<'_>) -> Path {
    for step in steps {
        let before = path.clone();
        path = follow_one(step, path, reading);
        if step.when.is_some() && !matches!(step.kind, StepKind::Verify { .. }) {
            path = path.joined(before);
        }
    }
    path
}

fn follow_one(step: &Step, mut path: Path, reading: &mut Reading<'_>) -> Path {
    let when = step.when.as_ref().map(|when| when.source().to_owned());
    match &step.kind {
        StepKind::Recover { .. } => {
            path.pending.push((step.place, when));
            path.recovered = true;
        }
        StepKind::Verify { .. } => {
            path.pending.retain(|(_, under)| when.is_some() && *under != when);
        }
        StepKind::Check { when_healthy: WhenHealthy::Resolve, .. } if path.recovered => {
            reading.findings.add(
                "check-resolves-after-recover",
                step.place,
                "this check would resolve the incident as recovered by itself, after a recovery",
                "use a verify step to see whether the recovery helped",
            );
        }
        StepKind::Resolve { .. } => {
            path.report_unverified(reading);
            path.pending.clear();
            path.ended = true;
        }
        StepKind::HandOff(_) => path.ended = true,
        StepKind::Branch { cases, otherwise } => {
            let start = path;
            path = follow(otherwise, start.clone(), reading);
            for case in cases {
                path = path.joined(follow(&case.steps, start.clone(), reading));
            }
        }
        StepKind::Each(each) => path = follow(&each.steps, path, reading),
        StepKind::Ladder { rungs, .. } => {
            let start = path;
            path = Path { ended: true, ..Path::default() };
            for rung in rungs {
                path = path.joined(follow(&rung.steps, start.clone(), reading));
            }
        }
        _ => {}
    }
    path
}

/// The deadline must hold what the scenario waits for by design.
fn long_enough(scenario: &Scenario, place: Place, reading: &mut Reading<'_>) {
    let least = waits(&scenario.steps);
    if least >= scenario.deadline {
        reading.findings.add(
            "deadline-too-short",
            place,
            format!(
                "the steps wait for {} in all, but the deadline is {}",
                crate::fields::duration_words(least),
                crate::fields::duration_words(scenario.deadline),
            ),
            "lengthen 'deadline', or shorten the waits",
        );
    }
}

/// A step that may take longer than the whole run is ended by the deadline.
fn longer_than_deadline(scenario: &Scenario, reading: &mut Reading<'_>) {
    for (place, field, time) in std::mem::take(&mut reading.times) {
        if time > scenario.deadline {
            reading.findings.warn(
                "longer-than-deadline",
                place,
                format!(
                    "'{field}' is {}, but the whole run ends after {}",
                    crate::fields::duration_words(time),
                    crate::fields::duration_words(scenario.deadline),
                ),
                format!(
                    "shorten it, or add a longer 'deadline' at the top, such as {}",
                    twice(time)
                ),
            );
        }
    }
}

/// Room for the step and for the others.
fn twice(time: Duration) -> String {
    crate::fields::duration_words(time.saturating_mul(2))
}

/// Names of the steps that may have run so far, with their place and condition.
type Named<'a> = BTreeMap<&'a str, (Place, Option<&'a str>)>;

/// Notes and tests tell steps apart by their names. True where the run has ended on every way.
fn same_names<'a>(steps: &'a [Step], named: &mut Named<'a>, reading: &mut Reading<'_>) -> bool {
    for step in steps {
        let when = step.when.as_ref().map(Expression::source);
        let own_name = step.kind.probe().is_some() && step.name != step.kind.word();
        if own_name && let Some((first, under)) = named.insert(&step.name, (step.place, when)) {
            // Under two conditions it may be one or the other.
            if under.is_none() || when.is_none() || under == when {
                reading.findings.warn(
                    "same-name-twice",
                    step.place,
                    format!("'{}' is also the name of the step in line {}", step.name, first.line),
                    "say in the name what is different, such as 再起動後の…",
                );
            }
        }
        if ends(step) {
            return true;
        }
        if let StepKind::Branch { cases, otherwise } = &step.kind {
            let before = named.clone();
            let blocks = cases.iter().map(|case| case.steps.as_slice());
            let mut all_ended = true;
            for block in blocks.chain([otherwise.as_slice()]) {
                let mut inside = before.clone();
                if !same_names(block, &mut inside, reading) {
                    all_ended = false;
                    named.extend(inside);
                }
            }
            if all_ended {
                return true;
            }
        } else {
            for block in step.kind.blocks() {
                same_names(block, named, reading);
            }
        }
    }
    false
}

/// What the longest way waits for, whatever happens.
fn waits(steps: &[Step]) -> Duration {
    steps.iter().map(wait_of).sum()
}

fn wait_of(step: &Step) -> Duration {
    const DAY: Duration = Duration::from_hours(24);
    let longest = |blocks: Vec<&[Step]>| blocks.into_iter().map(waits).max().unwrap_or_default();
    match &step.kind {
        StepKind::Wait(Wait::For(duration)) => *duration,
        StepKind::Wait(Wait::Until { days, .. }) => {
            // The longest stretch of days on which it does not happen, and one more.
            let free =
                (0..7_usize).map(|from| (0..7).take_while(|day| !days[(from + day) % 7]).count());
            DAY * u32::try_from(free.max().unwrap_or(0)).unwrap_or(0) + DAY
        }
        StepKind::Approve { within, .. } => *within,
        StepKind::Ladder { rungs, .. } => rungs.iter().map(|rung| waits(&rung.steps)).sum(),
        _ => match step.kind.probe() {
            Some(probe) => probe.look.every.saturating_mul(probe.look.in_a_row - 1),
            None => longest(step.kind.blocks()),
        },
    }
}
