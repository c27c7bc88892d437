//! Asks another machine what became of a change (`host_program.rs`). Pure.
//!
//! Asking is fencing: the question makes the marker of what never began, so it cannot begin any more.

use std::time::Duration;

use super::host_program::{
    FOLLOW, MARKER, POWERSHELL, Places, WINDOWS_PLACES, braced, nonce, without_comments,
};

/// The answer: the nonce, the attempt, then a [`Word`].
pub const PROBE: &str = "AMS-PROBE";

const ASK: &str = include_str!("probe.sh");

/// Which change is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Sought<'a> {
    pub nonce: &'a str,
    /// The last one that was begun, where it is not given.
    pub attempt: Option<u32>,
    /// Since its intent was written. A host that was started since may have lost the marker.
    pub announced_ago: Option<Duration>,
}

impl Sought<'_> {
    fn words(&self) -> String {
        let quoted = |word: Option<String>| word.unwrap_or_else(|| "''".to_owned());
        let attempt = quoted(self.attempt.map(|attempt| attempt.to_string()));
        let ago = quoted(self.announced_ago.map(|ago| ago.as_secs().to_string()));
        format!("{} {attempt} {ago}", nonce(self.nonce))
    }

    /// A text for `/bin/sh` that finds out what became of the change. What never began cannot
    /// begin any more once this has run.
    pub fn probe(&self, places: &Places) -> String {
        let (marker, ask) = (without_comments(MARKER), without_comments(ASK));
        braced(&format!("{}{marker}{ask}ams_probe {}\n", places.shell(), self.words()))
    }

    /// The same, and then what the change prints, to its end; without the bytes of standard output
    /// and standard error that are known already.
    pub fn attach(&self, places: &Places, (stdout, stderr): (u64, u64)) -> String {
        let parts = [MARKER, FOLLOW, ASK].map(without_comments).concat();
        let words = self.words();
        braced(&format!("{}{parts}ams_attach {words} {stdout} {stderr}\n", places.shell()))
    }

    /// The probe for an agent's PowerShell.
    pub fn powershell_probe(&self) -> String {
        let (nonce, attempt) = (nonce(self.nonce), self.attempt.unwrap_or(0));
        let parts = without_comments(POWERSHELL);
        format!("& {{\n{WINDOWS_PLACES}{parts}Invoke-AmsProbe '{nonce}' {attempt}\n}}\n")
    }
}

/// What a host says of a change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    Exited(i32),
    /// Its time was over; it was stopped on the host.
    TimedOut,
    Running,
    /// It began, it does not run any more, and it left no exit code.
    Lost,
    /// The host was started anew since; what it had begun then is not known.
    Rebooted,
    /// It never began, and cannot begin any more.
    Fenced,
    /// No place takes a marker, so nothing can be said.
    NoRoom,
}

impl Word {
    pub fn read(text: &str) -> Option<Self> {
        let mut words = text.split_ascii_whitespace();
        let word = match words.next()? {
            "EXIT" => Self::Exited(words.next()?.parse().ok()?),
            "TIMEOUT" => Self::TimedOut,
            "RUNNING" | "STARTING" => Self::Running,
            "LOST" => Self::Lost,
            "REBOOTED" => Self::Rebooted,
            "FENCED" => Self::Fenced,
            "NOROOM" => Self::NoRoom,
            _ => return None,
        };
        words.next().is_none().then_some(word)
    }
}

/// What a probe has said: the attempt it found, and how that is.
pub fn read_probe(stdout: &str, nonce: &str) -> Option<(u32, Word)> {
    stdout.lines().find_map(|line| {
        let said = line.strip_prefix(PROBE)?.trim_start().strip_prefix(nonce)?;
        let (attempt, word) = said.trim_start().split_once(' ')?;
        Some((attempt.parse().ok()?, Word::read(word)?))
    })
}
