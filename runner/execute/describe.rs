//! What a step will do, for people who are to allow it. Pure.

use crate::execute::actuator::{Action, Program};
use crate::execute::end::End;
use crate::execute::plan::Ready;
use crate::execute::prepare::{Moment, Prepared};
use crate::scenario::model::{Step, StepKind};

/// Lines and characters of a command that people see before they allow it.
const LINES: usize = 40;
const LINE_CHARS: usize = 300;

/// What the step does, where, and the command with its values.
pub(super) fn describe(moment: &Moment<'_>, ready: &Ready) -> Result<Vec<String>, End> {
    let Some(step) = moment.scenario.step(ready.at.step) else { return Ok(Vec::new()) };
    let Some(probe) = step.kind.probe() else { return Ok(vec![named(step)]) };
    let prepared = moment.prepare(step.number, probe, &ready.frame)?;
    let mut hosts = moment.hosts(ready);
    hosts.dedup();
    Ok(lines(step, &prepared, &hosts))
}

/// The first recovery behind an `approve` step, as far as its values are known already.
pub(super) fn next_recovery(moment: &Moment<'_>, asked: &Ready) -> Vec<String> {
    let steps = moment.scenario.walk();
    let behind = steps.into_iter().filter(|step| step.number > asked.at.step);
    let mut until_next = behind.take_while(|step| !matches!(step.kind, StepKind::Approve { .. }));
    let Some(step) = until_next.find(|step| matches!(step.kind, StepKind::Recover { .. })) else {
        return Vec::new();
    };
    let at = crate::claim::journal::StepAt { step: step.number, turn: asked.at.turn.clone() };
    let ready = Ready { at, frame: asked.frame.clone() };
    describe(moment, &ready).unwrap_or_else(|_| vec![named(step)])
}

fn named(step: &Step) -> String {
    format!("{}. [{}] {}", step.number + 1, step.kind.word(), step.name)
}

fn lines(step: &Step, prepared: &Prepared, hosts: &[String]) -> Vec<String> {
    let host = prepared.host.as_ref().map(|host| host.name.clone());
    let place = host.into_iter().chain(hosts.iter().cloned()).next();
    let head = place.map_or_else(|| named(step), |host| format!("{} → {host}", named(step)));
    let mut body: Vec<String> = match &prepared.action {
        Action::Command(command) => {
            let values = command.env.iter().map(|(name, value)| format!("{name}={value}"));
            let program = match &command.program {
                Program::Exec(words) => vec![words.join(" ")],
                Program::Script(text) | Program::PowerShell(text) => {
                    text.trim().lines().map(str::to_owned).collect()
                }
            };
            values.chain(program).collect()
        }
        Action::Http(request) => vec![format!("{} {}", request.method.word(), request.url)],
        Action::Aws(call) => {
            vec![format!("aws {} ({}, {})", call.told(), call.account.words().account, call.region)]
        }
        Action::Tcp(_) | Action::Ask { .. } => Vec::new(),
    };
    let left_out = body.len().saturating_sub(LINES);
    body.truncate(LINES);
    let cut = |line: String| line.chars().take(LINE_CHARS).collect::<String>();
    let mut all: Vec<String> = vec![head];
    all.extend(body.into_iter().map(|line| format!("    {}", cut(line))));
    if left_out > 0 {
        all.push(format!("    … (+{left_out})"));
    }
    all
}
