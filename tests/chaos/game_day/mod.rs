//! A game day: a region fails and comes back, as a plan has it. No chance is in it but the order of
//! the incidents, and what comes of it is told for people (docs/RELIABILITY.md).
//!
//! ```text
//!              ┌─▶ door ─▶ load balancer ─▶ ams serve (tokyo-1, tokyo-2) ─▶ proxy ─┐
//! stand-in ────┤                                                                   ├─▶ store
//! PagerDuty    └─▶ door ─▶ load balancer ─▶ ams serve (osaka-1, osaka-2) ─▶ proxy ─┘
//! ```

// What it is told, and its pace.
mod options;
// The incidents.
mod load;
// How webhooks come to a region.
mod front;
// Who is ready, and whose heart beats.
mod watch;
// From the start to the report.
mod course;
// All that is known at the end.
mod facts;
// What must hold.
mod proof;
// That it can fail.
mod falsify;
// What is made wrong on purpose.
mod sabotage;
// Everything against everything.
mod judge;
// What happened when.
mod timeline;
// Tables.
mod tell;
// Both languages.
mod words;

use std::cell::Cell;
use std::io;
use std::process::ExitCode;

pub(crate) use options::Args;
use options::Options;

/// What came of a game day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Held,
    Violated,
    /// What was done wrong on purpose was not found, or not it alone.
    NotFound,
}

pub(crate) fn run(options: &Options) -> io::Result<ExitCode> {
    let verdict = Cell::new(Verdict::Violated);
    crate::carry_out(options.place.folder.as_deref(), options.bound(), async |folder| {
        verdict.set(course::run(options, folder).await?);
        // What was made wrong on purpose and found needs no looking at.
        Ok(verdict.get() == Verdict::Held
            || verdict.get() == Verdict::Violated && !options.sabotage.is_empty())
    })?;
    Ok(match verdict.get() {
        Verdict::Held => ExitCode::SUCCESS,
        Verdict::Violated => ExitCode::from(1),
        Verdict::NotFound => ExitCode::from(3),
    })
}
