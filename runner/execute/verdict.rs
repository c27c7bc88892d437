//! What an observation means against what was expected. Pure.

use crate::claim::journal::DoneResult;
use crate::execute::actuator::{Ending, Observation, Output};
use crate::execute::end::Lack;
use crate::mask::Mask;
use crate::scenario::expression::{Expression, NoResult};
use crate::scenario::model::Expect;
use crate::scenario::value::{Values, written};

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    Met,
    NotMet(Why),
    /// It could not be found out; never taken for "broken", never for "healthy".
    Unclear(Why),
}

/// What stood against it, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    ExitCode(i32),
    Status(u16),
    /// The expected text is not in the output.
    TextMissing(String),
    /// A text that must not be there is in the output.
    TextPresent(String),
    NoAnswer(String),
    TimedOut,
    Killed(i32),
    NotStarted(String),
    /// It was sent; whether it ran is unknown.
    Unknown(String),
    Cancelled,
    /// The output is too long to be searched as a whole.
    OutputTooLong,
    /// A condition of `expect.that` does not hold.
    Condition(String),
    /// A value that decides is not there.
    NoValue(String),
    /// A value could not be read from the output.
    BadValue {
        name: String,
        reason: String,
    },
    /// It was well, but not as many times one after the other as wanted.
    NotInARow(u32),
    /// It was not even begun.
    Lacks(Lack),
    /// People said no.
    Denied,
    /// Nobody answered in time.
    NotAnswered,
    /// Another owner saw it; the journal keeps the result without the reason.
    RecordedOnly,
}

impl Verdict {
    /// For who counts.
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Met => "met",
            Self::NotMet(_) => "not_met",
            Self::Unclear(_) => "unclear",
        }
    }

    pub const fn result(&self) -> DoneResult {
        match self {
            Self::Met => DoneResult::Met,
            Self::NotMet(_) => DoneResult::NotMet,
            Self::Unclear(_) => DoneResult::Unclear,
        }
    }
}

/// Exit codes by which a shell says that the command itself could not be run: it says nothing
/// about the thing that was to be looked at.
const COULD_NOT_RUN: [i32; 2] = [126, 127];

pub fn judge(expect: &Expect, seen: &Observation) -> Verdict {
    match &seen.ending {
        Ending::Exited(code) if says_nothing(expect, u16::try_from(*code).ok()) => {
            Verdict::Unclear(Why::ExitCode(*code))
        }
        Ending::Answered { status } if says_nothing(expect, Some(*status)) => {
            Verdict::Unclear(Why::Status(*status))
        }
        Ending::Exited(code) if expect.exit_codes.contains(code) => {
            judge_text(expect, &seen.stdout)
        }
        Ending::Exited(code) if COULD_NOT_RUN.contains(code) => {
            Verdict::Unclear(Why::ExitCode(*code))
        }
        // A measurement that failed says nothing about what it was to measure.
        Ending::Exited(code) if expect.measures() => Verdict::Unclear(Why::ExitCode(*code)),
        Ending::Exited(code) => Verdict::NotMet(Why::ExitCode(*code)),
        Ending::Answered { status } => {
            if expect.statuses.iter().any(|range| range.contains(status)) {
                judge_text(expect, &seen.stdout)
            } else {
                Verdict::NotMet(Why::Status(*status))
            }
        }
        Ending::Connected => judge_text(expect, &seen.stdout),
        Ending::NoAnswer { reason } => Verdict::NotMet(Why::NoAnswer(reason.clone())),
        Ending::TimedOut => Verdict::Unclear(Why::TimedOut),
        Ending::Killed { signal } => Verdict::Unclear(Why::Killed(*signal)),
        Ending::Cancelled => Verdict::Unclear(Why::Cancelled),
        Ending::NotStarted { reason } => Verdict::Unclear(Why::NotStarted(reason.clone())),
        Ending::Unknown { reason } => Verdict::Unclear(Why::Unknown(reason.clone())),
    }
}

/// The author says so: Nagios's 3, a proxy's 502.
fn says_nothing(expect: &Expect, number: Option<u16>) -> bool {
    number.is_some_and(|number| expect.unclear.iter().any(|range| range.contains(&number)))
}

/// A request that gets no answer in time is an answer about the service; a command that hangs is
/// not one about what it looked at. The caller says which it was.
pub fn judge_http(expect: &Expect, seen: &Observation) -> Verdict {
    match seen.ending {
        Ending::TimedOut => Verdict::NotMet(Why::TimedOut),
        _ => judge(expect, seen),
    }
}

/// The conditions over values, where the result itself is as expected.
pub fn judge_values(
    expect: &Expect,
    values: &Values,
    unreadable: Option<Why>,
    mask: &Mask,
) -> Verdict {
    if let Some(why) = unreadable {
        return Verdict::Unclear(why);
    }
    for condition in &expect.that {
        match condition.holds(values) {
            Ok(true) => {}
            Ok(false) => {
                return Verdict::NotMet(Why::Condition(with_values(condition, values, mask)));
            }
            // The first reading has no earlier one to be compared with: not yet.
            Err(NoResult::Missing(name)) if name.starts_with("previous.") => {
                return Verdict::NotMet(Why::NoValue(name));
            }
            Err(NoResult::Missing(name)) => return Verdict::Unclear(Why::NoValue(name)),
            Err(NoResult::Failed(reason)) => {
                let name = condition.source().to_owned();
                return Verdict::Unclear(Why::BadValue { name, reason });
            }
        }
    }
    Verdict::Met
}

/// `used < 90 (used: 93)`.
fn with_values(condition: &Expression, values: &Values, mask: &Mask) -> String {
    const CHARS: usize = 60;
    let known = condition.names().filter_map(|name| {
        let value = mask.apply(&written(values.get(name)?, ", "));
        let value: String = value.chars().take(CHARS).collect();
        Some(format!("{name}: {value}"))
    });
    let known: Vec<String> = known.collect();
    format!("{} ({})", condition.source(), known.join(", "))
}

fn judge_text(expect: &Expect, output: &Output) -> Verdict {
    let has =
        |text: &String| output.head.contains(text.as_str()) || output.tail.contains(text.as_str());
    if let Some(text) = expect.lacks.as_ref().filter(|text| has(text)) {
        return Verdict::NotMet(Why::TextPresent(text.clone()));
    }
    if let Some(text) = expect.contains.as_ref().filter(|text| !has(text)) {
        return if output.is_whole() {
            Verdict::NotMet(Why::TextMissing(text.clone()))
        } else {
            Verdict::Unclear(Why::OutputTooLong)
        };
    }
    // Absence can only be told of what was read whole.
    if expect.lacks.is_some() && !output.is_whole() {
        return Verdict::Unclear(Why::OutputTooLong);
    }
    Verdict::Met
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn seen(ending: Ending, stdout: &str) -> Observation {
        Observation {
            ending,
            stdout: Output { head: stdout.to_owned(), ..Output::default() },
            stderr: Output::default(),
            took: Duration::ZERO,
        }
    }

    #[test]
    fn the_default_expects_success() {
        let expect = Expect::default();
        assert_eq!(judge(&expect, &seen(Ending::Exited(0), "")), Verdict::Met);
        let one = Verdict::NotMet(Why::ExitCode(1));
        assert_eq!(judge(&expect, &seen(Ending::Exited(1), "")), one);
        assert_eq!(judge(&expect, &seen(Ending::Answered { status: 204 }, "")), Verdict::Met);
        let unavailable = Verdict::NotMet(Why::Status(503));
        assert_eq!(judge(&expect, &seen(Ending::Answered { status: 503 }, "")), unavailable);
    }

    #[test]
    fn what_could_not_be_found_out_is_neither_healthy_nor_broken() {
        let expect = Expect::default();
        for ending in [
            Ending::Exited(127),
            Ending::Exited(126),
            Ending::TimedOut,
            Ending::Killed { signal: 9 },
            Ending::Cancelled,
            Ending::NotStarted { reason: "no such program".to_owned() },
            Ending::Unknown { reason: "its answer was lost".to_owned() },
        ] {
            assert_eq!(judge(&expect, &seen(ending, "")).result(), DoneResult::Unclear);
        }
    }

    #[test]
    fn codes_of_which_the_author_says_so_are_unclear() {
        let expect = Expect { unclear: vec![3..=3, 500..=599], ..Expect::default() };
        let judged = |ending| judge(&expect, &seen(ending, ""));
        assert_eq!(judged(Ending::Exited(3)), Verdict::Unclear(Why::ExitCode(3)));
        assert_eq!(judged(Ending::Exited(2)), Verdict::NotMet(Why::ExitCode(2)));
        let bad_gateway = Ending::Answered { status: 502 };
        assert_eq!(judged(bad_gateway), Verdict::Unclear(Why::Status(502)));
        assert_eq!(judged(Ending::Exited(0)), Verdict::Met);
    }

    #[test]
    fn an_http_service_that_does_not_answer_is_broken() {
        let expect = Expect::default();
        let refused = Ending::NoAnswer { reason: "connection refused".to_owned() };
        assert_eq!(judge_http(&expect, &seen(refused, "")).result(), DoneResult::NotMet);
        assert_eq!(judge_http(&expect, &seen(Ending::TimedOut, "")).result(), DoneResult::NotMet);
    }

    #[test]
    fn texts_are_looked_for_in_what_was_read() {
        let expect = |contains: Option<&str>, lacks: Option<&str>| Expect {
            contains: contains.map(str::to_owned),
            lacks: lacks.map(str::to_owned),
            ..Expect::default()
        };
        let ok = seen(Ending::Exited(0), "active (running)");
        assert_eq!(judge(&expect(Some("running"), Some("failed")), &ok), Verdict::Met);
        assert_eq!(judge(&expect(Some("dead"), None), &ok).result(), DoneResult::NotMet);
        assert_eq!(judge(&expect(None, Some("active")), &ok).result(), DoneResult::NotMet);
        let mut long = ok.clone();
        long.stdout.tail = "the end".to_owned();
        assert_eq!(judge(&expect(Some("the end"), None), &long), Verdict::Met);
        assert_eq!(judge(&expect(None, Some("x")), &long).result(), DoneResult::Unclear);
        let mut cut = ok.clone();
        cut.stdout.cut = true;
        assert_eq!(judge(&expect(None, Some("x")), &cut).result(), DoneResult::Unclear);
        assert_eq!(judge(&expect(Some("x"), None), &cut).result(), DoneResult::Unclear);
    }
}
