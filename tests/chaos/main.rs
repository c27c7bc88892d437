//! Breaks everything around two regions on purpose and checks what came of it (docs/RELIABILITY.md).
//!
//! ```text
//!              ┌── courier: late, doubled, out of order ──▶ ams serve (tokyo) ──▶ proxy ─┐
//! stand-in ────┤                                             kill -9, SIGSTOP, SIGTERM    ├─▶ store
//! PagerDuty ◀──┼───────────────── proxy ◀─────────────────── ams serve (osaka) ──▶ proxy ─┘
//!              └── people: acknowledge, resolve, reopen      │
//!                                                             └─▶ recoveries ─▶ witness
//! ```

// Chance that a seed repeats.
mod dice;
// What the program is told.
mod options;
// Scenarios, and what may come of their incidents.
mod kinds;
// What will happen and when.
mod schedule;
// A proxy that misbehaves as told.
#[path = "../fault_proxy/mod.rs"]
#[expect(dead_code, reason = "shared with the tests, which use all of it")]
mod fault_proxy;
// The engine that stands in for DynamoDB.
#[path = "../it/harness/engine.rs"]
#[expect(clippy::unwrap_used, reason = "shared with the tests, which may")]
mod engine;
// Its tables.
mod tables;
// Regions, store, stand-in and proxies.
mod ground;
// Brings webhooks, often and late.
mod courier;
// What people and the monitoring do meanwhile.
mod people;
// Kills, cuts, locks, and ends all that again.
mod trouble;
// Watches the store.
mod observer;
// What the recoveries say that they did.
mod witness;
// All that is known at the end.
mod evidence;
// What must hold.
mod checks;
// What guards must have kept, over all incidents.
mod budget;
// From the start to the report.
mod course;
// Tables and stories.
mod report;
// A region fails and comes back: no chance in it, and told for people.
mod game_day;

use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use ams::sandbox::cluster::ScratchFolder;
use clap::Parser as _;

use options::{Options, Program};
use schedule::Schedule;

fn main() -> ExitCode {
    let program = Program::parse();
    let held = match program.play {
        Some(options::Play::GameDay(args)) => game_day::run(&args.options()),
        None => run(&program.chaos.options())
            .map(|held| if held { ExitCode::SUCCESS } else { ExitCode::from(1) }),
    };
    held.unwrap_or_else(|error| {
        report::progress(&format!("chaos could not run: {error}"));
        ExitCode::from(2)
    })
}

/// Did everything hold?
fn run(options: &Options) -> io::Result<bool> {
    let schedule = Schedule::of(options);
    if options.schedule {
        report::print(&schedule.lines().join("\n"));
        return Ok(true);
    }
    report::progress(&format!("seed {}; to replay: {}", options.seed, options.command()));
    let bound = options.bound(schedule.lasts);
    carry_out(options.place.folder.as_deref(), bound, async |folder| {
        course::run(options, &schedule, folder).await
    })
}

/// Until it is over, takes too long, or is interrupted. Its folder stays unless everything held.
fn carry_out(
    folder: Option<&Path>,
    bound: Duration,
    course: impl AsyncFnOnce(&Path) -> io::Result<bool>,
) -> io::Result<bool> {
    let mut scratch = ScratchFolder::create(folder)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let held = runtime.block_on(async {
        // Dropped in the middle, it takes its processes along, paused ones too.
        tokio::select! {
            held = course(scratch.path()) => held,
            () = tokio::time::sleep(bound) => {
                Err(io::Error::other(format!("it is not over after {} s", bound.as_secs())))
            }
            _ = tokio::signal::ctrl_c() => Err(io::Error::other("it was interrupted")),
        }
    });
    if !matches!(held, Ok(true)) {
        scratch.keep = true;
        report::progress(&format!("everything is in {}", scratch.path().display()));
    }
    held
}
