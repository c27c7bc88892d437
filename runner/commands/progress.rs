//! Signs of life of what takes longer than a moment, on standard error.

use std::io::IsTerminal as _;
use std::time::Duration;

use tokio::time::Instant;

use crate::commands::print;

/// How long nobody wonders yet, and between two signs to a terminal.
const MOMENT: Duration = Duration::from_secs(1);
/// Between two lines of a log.
const SELDOM: Duration = Duration::from_secs(10);

pub(super) struct Progress {
    last: Instant,
    to_terminal: bool,
    is_shown: bool,
}

impl Default for Progress {
    fn default() -> Self {
        let to_terminal = std::io::stderr().is_terminal();
        Self { last: Instant::now(), to_terminal, is_shown: false }
    }
}

impl Progress {
    /// At most once in a while, whatever it is called.
    pub(super) fn tell(&mut self, what: impl FnOnce() -> String) {
        let every = if self.to_terminal { MOMENT } else { SELDOM };
        if self.last.elapsed() < every {
            return;
        }
        self.last = Instant::now();
        self.is_shown = true;
        if self.to_terminal {
            print::over(what());
        } else {
            print::err(what());
        }
    }

    /// What comes next begins on a line of its own.
    pub(super) fn end(&mut self) {
        if self.to_terminal && self.is_shown {
            print::over("");
        }
        self.is_shown = false;
    }
}
