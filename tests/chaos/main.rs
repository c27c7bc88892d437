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

use std::io;
use std::process::ExitCode;

use ams::sandbox::cluster::ScratchFolder;
use clap::Parser as _;

use options::{Args, Options};
use schedule::Schedule;

fn main() -> ExitCode {
    let options = Args::parse().options();
    match run(&options) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            report::progress(&format!("chaos could not run: {error}"));
            ExitCode::from(2)
        }
    }
}

/// Did everything hold?
fn run(options: &Options) -> io::Result<bool> {
    let schedule = Schedule::of(options);
    if options.schedule {
        report::print(&schedule.lines().join("\n"));
        return Ok(true);
    }
    report::progress(&format!("seed {}; to replay: {}", options.seed, options.command()));
    let mut scratch = ScratchFolder::create(options.folder.as_deref())?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let bound = options.bound(schedule.lasts);
    let held = runtime.block_on(async {
        let course = course::run(options, &schedule, scratch.path());
        // Dropped in the middle, it takes its processes along, paused ones too.
        tokio::select! {
            held = course => held,
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
