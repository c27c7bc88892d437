//! What SSM says of a command, and what that means for what was to be done. Pure.
//!
//! The words are those of "Understanding command statuses" in the Systems Manager user guide. None of
//! them proves that a script ran, or that it did not: its own first line does, or the host itself.

use crate::execute::actuator::Ending;
use crate::execute::host_program::{BEGIN, EXIT, refusal};
use crate::limits::{SSM_STDERR_CHARS, SSM_STDOUT_CHARS};

/// One command on one host, as `GetCommandInvocation` tells it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Invocation {
    /// `StatusDetails`.
    pub(super) status: String,
    pub(super) code: i32,
    pub(super) stdout: String,
    pub(super) stderr: String,
}

/// What it means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Says {
    /// It may still begin, or end.
    Waiting,
    /// It ran, and this is how it ended.
    Ended(Ending),
    /// It never came to the host. With what people can do about it.
    NotSent(&'static str),
    /// SSM has too much to do and did not send it.
    Again,
    /// Only the host knows. A refusal of our own program's is as good as its word.
    Doubt { why: String, refused: bool },
}

/// `Delivery Timed Out`, `DeliveryTimedOut` and `DELIVERYTIMEDOUT` are one.
fn word(status: &str) -> String {
    status.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
}

/// Nothing more comes of it.
pub(super) fn is_over(status: &str) -> bool {
    let open = ["pending", "delayed", "inprogress", "cancelling", ""];
    !open.contains(&word(status).as_str())
}

impl Invocation {
    pub(super) fn says(&self, nonce: &str) -> Says {
        let begun = begin(&self.stdout, nonce).is_some();
        match word(&self.status).as_str() {
            "pending" | "delayed" | "inprogress" | "cancelling" | "" => Says::Waiting,
            "success" if begun => Says::Ended(Ending::Exited(0)),
            "success" => doubt("SSM says that it succeeded, and it did not report that it began"),
            "failed" if begun => Says::Ended(Ending::Exited(self.told_code(nonce))),
            "failed" => self.refused(),
            "executiontimedout" | "timedout" if begun => Says::Ended(Ending::TimedOut),
            "executiontimedout" | "timedout" => {
                doubt("its time was over, and it did not report that it began")
            }
            "deliverytimedout" => doubt("its agent did not take it in time"),
            "cancelled" => doubt("somebody cancelled it"),
            "undeliverable" => Says::NotSent(
                "SSM cannot deliver it: the agent is not there, or does not answer; check that the \
                 host runs and that its agent reaches SSM",
            ),
            "invalidplatform" => Says::NotSent(
                "its platform does not take such commands; correct `platform` of the host, or the step",
            ),
            "accessdenied" => Says::NotSent(
                "the role may not send it there; allow it ssm:SendCommand on this instance and document",
            ),
            "terminated" | "rateexceeded" => Says::Again,
            _ => {
                let status: String = self.status.chars().take(60).collect();
                doubt(&format!("SSM says '{status}' of it"))
            }
        }
    }

    /// An agent has a meaning of its own for some codes: the program tells them in words.
    fn told_code(&self, nonce: &str) -> i32 {
        let mark = format!("{EXIT} {nonce} ");
        let told = self.stderr.lines().rev().find_map(|line| line.strip_prefix(&mark));
        told.and_then(|code| code.trim().parse().ok()).unwrap_or(self.code)
    }

    fn refused(&self) -> Says {
        if let Some(refusal) = refusal(self.code) {
            return Says::Doubt { why: refusal.to_owned(), refused: true };
        }
        let line = self.stderr.lines().map(str::trim).find(|line| !line.is_empty());
        let line: String = line.unwrap_or_default().chars().take(200).collect();
        doubt(&format!(
            "it failed ({}) and did not report that it began{}",
            self.code,
            if line.is_empty() { line } else { format!(" ({line})") }
        ))
    }

    /// What the command printed, without what is ours; and whether SSM cut it.
    pub(super) fn stdout(&self, nonce: &str) -> (&str, bool) {
        let own = begin(&self.stdout, nonce).map_or(self.stdout.as_str(), |at| &self.stdout[at..]);
        (without_cut(own), is_cut(&self.stdout, SSM_STDOUT_CHARS))
    }

    pub(super) fn stderr(&self, nonce: &str) -> (String, bool) {
        let mark = format!("{EXIT} {nonce} ");
        let text = without_cut(&self.stderr);
        let own = text.split_inclusive('\n').filter(|line| !line.starts_with(&mark));
        (own.collect(), is_cut(&self.stderr, SSM_STDERR_CHARS))
    }
}

/// Where the command's own output begins.
pub(super) fn begin(stdout: &str, nonce: &str) -> Option<usize> {
    let mark = format!("{BEGIN} {nonce}");
    let mut at = 0;
    for line in stdout.split_inclusive('\n') {
        at += line.len();
        if line.trim_end() == mark {
            return Some(at);
        }
    }
    None
}

/// The agent's own last words on what it cut (its constant `OutputTruncatedSuffix`, in all spellings).
const CUT: [&str; 3] = ["---Output truncated---", "--output truncated--", "---Error truncated----"];

fn without_cut(text: &str) -> &str {
    let trimmed = text.trim_end();
    CUT.iter().find_map(|mark| trimmed.strip_suffix(mark)).unwrap_or(text)
}

fn is_cut(text: &str, most: usize) -> bool {
    without_cut(text).len() != text.len() || text.chars().count() >= most || text.len() >= most
}

fn doubt(why: &str) -> Says {
    Says::Doubt { why: why.to_owned(), refused: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(status: &str, code: i32, stdout: &str, stderr: &str) -> Says {
        let text = str::to_owned;
        let (stdout, stderr) = (text(stdout), text(stderr));
        Invocation { status: text(status), code, stdout, stderr }.says("00ff")
    }

    const BEGUN: &str = "AMS-BEGIN 00ff\nout\n";

    #[test]
    fn every_status_has_a_meaning_in_every_spelling() {
        for status in ["Pending", "Delayed", "In Progress", "InProgress", "Cancelling", ""] {
            assert_eq!(said(status, -1, "", ""), Says::Waiting, "{status}");
            assert!(!is_over(status), "{status}");
        }
        assert_eq!(said("Success", 0, BEGUN, ""), Says::Ended(Ending::Exited(0)));
        assert_eq!(said("Failed", 3, BEGUN, ""), Says::Ended(Ending::Exited(3)));
        for status in ["Execution Timed Out", "ExecutionTimedOut", "TimedOut"] {
            assert_eq!(said(status, -1, BEGUN, ""), Says::Ended(Ending::TimedOut), "{status}");
            assert!(matches!(said(status, -1, "", ""), Says::Doubt { .. }), "{status}");
        }
        for status in ["Undeliverable", "Invalid Platform", "AccessDenied"] {
            assert!(matches!(said(status, -1, "", ""), Says::NotSent(_)), "{status}");
        }
        for status in ["Terminated", "Rate Exceeded"] {
            assert_eq!(said(status, -1, "", ""), Says::Again, "{status}");
        }
        for status in [
            "Delivery Timed Out",
            "DeliveryTimedOut",
            "Cancelled",
            "Incomplete",
            "NoInstancesInTag",
            "Something New",
        ] {
            assert!(matches!(said(status, -1, BEGUN, ""), Says::Doubt { .. }), "{status}");
            assert!(is_over(status), "{status}");
        }
    }

    #[test]
    fn success_without_a_first_line_proves_nothing() {
        for stdout in ["", "out\n", "AMS-BEGIN 11aa\nout\n", "x AMS-BEGIN 00ff\n"] {
            assert!(matches!(said("Success", 0, stdout, ""), Says::Doubt { .. }), "{stdout:?}");
        }
    }

    #[test]
    fn codes_that_an_agent_keeps_for_itself_are_told_in_words() {
        let killed = said("Failed", 1, BEGUN, "oops\nAMS-EXIT 00ff 137\n");
        assert_eq!(killed, Says::Ended(Ending::Exited(137)));
        let other = said("Failed", 1, BEGUN, "AMS-EXIT 11aa 137\n");
        assert_eq!(other, Says::Ended(Ending::Exited(1)));
    }

    #[test]
    fn a_program_that_refused_says_why() {
        for code in 95..=98 {
            let Says::Doubt { why, refused } = said("Failed", code, "", "") else { panic!() };
            assert!(refused && !why.is_empty(), "{code}");
        }
        let Says::Doubt { why, refused } = said("Failed", 2, "", "\nsh: not found\nx\n") else {
            panic!()
        };
        assert!(!refused && why.ends_with("(sh: not found)"), "{why}");
    }

    #[test]
    fn what_is_ours_is_no_output() {
        let text = str::to_owned;
        let invocation = Invocation {
            stdout: text("greeting\nAMS-BEGIN 00ff\n一\nAMS-BEGIN 00ff\n"),
            stderr: text("oops\nAMS-EXIT 00ff 194\n"),
            ..Invocation::default()
        };
        assert_eq!(invocation.stdout("00ff"), ("一\nAMS-BEGIN 00ff\n", false));
        assert_eq!(invocation.stderr("00ff"), (text("oops\n"), false));
    }

    #[test]
    fn what_ssm_cut_is_told_so() {
        let cut = |stdout: String| Invocation { stdout, ..Invocation::default() }.stdout("00ff").1;
        assert!(!cut("x".repeat(23_999)));
        assert!(cut("x".repeat(24_000)) && cut("あ".repeat(8_000)));
        assert!(cut("x\n---Output truncated---".to_owned()));
    }
}
