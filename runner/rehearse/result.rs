//! Reads what a step is given as its result.

use std::time::Duration;

use crate::execute::actuator::{Ending, Observation, Output};
use crate::fields::Fields;
use crate::finding::Findings;
use crate::yaml::{Kind, Node};

/// A result before it is given.
#[derive(Clone, Debug)]
pub struct Given {
    ending: Ending,
    output: String,
    error: String,
    /// How long it takes; the whole timeout where it does not end.
    pub took: Option<Duration>,
}

impl Given {
    pub fn observation(&self, took: Duration) -> Observation {
        let output = |text: &str| Output {
            head: text.to_owned(),
            total_bytes: text.len() as u64,
            ..Output::default()
        };
        Observation {
            ending: self.ending.clone(),
            stdout: output(&self.output),
            stderr: output(&self.error),
            took,
        }
    }

    pub const fn never_ends(&self) -> bool {
        matches!(self.ending, Ending::TimedOut)
    }
}

/// What each word of silence stands for in the words of the adapters.
const SILENCES: [(&str, &str); 7] = [
    ("dns", "name not found: no such host"),
    ("tls", "TLS: certificate refused"),
    ("refused", "connection refused"),
    ("timeout", "connection timed out"),
    ("unreachable", "host unreachable"),
    ("reset", "connection reset"),
    ("other", "something else"),
];

/// One result, or a list of them: one per look, the last one again and again.
pub(super) fn read_results(node: &Node, step: &str, findings: &mut Findings) -> Vec<Given> {
    match &node.kind {
        Kind::List(items) => {
            items.iter().filter_map(|item| read_result(item, step, findings)).collect()
        }
        _ => read_result(node, step, findings).into_iter().collect(),
    }
}

fn read_result(node: &Node, step: &str, findings: &mut Findings) -> Option<Given> {
    let fields = Fields::of(node, &format!("the result of '{step}'"), findings)?;
    let exit_code = fields.number("exit_code", findings);
    let status = fields.number("status", findings);
    let connected = fields.text("connected", findings);
    let silence = fields.word("no_answer", &SILENCES, findings);
    let timed_out = fields.get("timed_out").is_some_and(|node| node.kind != Kind::Bool(false));
    let not_started = fields.text("not_started", findings);
    let unknown = fields.text("unknown", findings);
    let json = fields.get("json");
    let output = fields.text("output", findings).map(|at| at.value).unwrap_or_default();
    let error = fields.text("error", findings).map(|at| at.value).unwrap_or_default();
    let took = fields.duration("took", findings).map(|at| at.value);
    fields.finish(findings);
    let code = |number: i64| i32::try_from(number).unwrap_or(i32::MAX);
    let given = [
        exit_code.map(|at| Ending::Exited(code(at.value))),
        status.map(|at| Ending::Answered { status: u16::try_from(at.value).unwrap_or(u16::MAX) }),
        connected.as_ref().map(|_| Ending::Connected),
        silence.map(|at| Ending::NoAnswer { reason: at.value.to_owned() }),
        timed_out.then_some(Ending::TimedOut),
        not_started.map(|at| Ending::NotStarted { reason: at.value }),
        unknown.map(|at| Ending::Unknown { reason: at.value }),
    ];
    let mut given = given.into_iter().flatten();
    let ending = match (given.next(), given.next()) {
        (None, _) => Ending::Exited(0),
        (Some(ending), None) => ending,
        _ => {
            findings.add(
                "several-results",
                node.place,
                "a result is one of exit_code, status, connected, no_answer, timed_out, not_started, \
                 unknown",
                "give a list to have one result per look",
            );
            return None;
        }
    };
    let output = match (json, connected) {
        (Some(json), _) => json.to_json().to_string(),
        (None, Some(greeting)) => greeting.value,
        (None, None) => output,
    };
    Some(Given { ending, output, error, took })
}
