//! What losing a runner costs, what a run costs at the store, and what waiting runs cost a process
//! (docs/BENCHMARKS.md).
//!
//! `cargo bench --bench takeover`, or with one of `killed`, `stopped`, `stand-down`, `cost`,
//! `guards`, `waiting` behind `--`.
//! Real processes, the default lease, everything on this machine.

#[expect(clippy::unwrap_used, reason = "made for tests, which use all of it")]
#[path = "../it/harness/engine.rs"]
mod engine;
#[expect(dead_code, reason = "made for tests, which use all of it")]
#[path = "../fault_proxy/mod.rs"]
mod fault_proxy;
#[path = "../bench/usage.rs"]
mod usage;

mod cost;
mod failover;
mod ground;
mod guards;
mod stand_down;
mod waiting;

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser as _;

#[derive(Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Part {
    /// From `kill -9` of the owner to the next step by the other region.
    Killed,
    /// From SIGTERM.
    Stopped,
    /// From a person's wish, heard by the other region.
    StandDown,
    /// Writes and reads of an ordinary recovery in DynamoDB.
    Cost,
    /// Questions of the guards while ten thousand recoveries are remembered.
    Guards,
    /// Runs that wait, all in one process.
    Waiting,
}

/// What losing a runner, an ordinary run and a waiting one cost.
#[derive(clap::Parser)]
struct Options {
    /// Which measurements; all without
    parts: Vec<Part>,
    /// Runs lost per measurement
    #[arg(long, default_value_t = 200)]
    runs: usize,
    /// Runs that wait at once
    #[arg(long, default_value_t = 10_000)]
    waiting: usize,
    /// Given by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

#[tokio::main]
async fn main() -> ExitCode {
    let options = Options::parse();
    let wants = |part| options.parts.is_empty() || options.parts.contains(&part);
    let measured = async {
        if wants(Part::Killed) {
            failover::measure(failover::Loss::Killed, options.runs).await?;
        }
        if wants(Part::Stopped) {
            failover::measure(failover::Loss::Stopped, options.runs).await?;
        }
        if wants(Part::StandDown) {
            stand_down::measure(options.runs).await?;
        }
        if wants(Part::Cost) {
            cost::measure().await?;
        }
        if wants(Part::Guards) {
            guards::measure().await?;
        }
        if wants(Part::Waiting) {
            waiting::measure(options.waiting).await?;
        }
        Ok::<(), std::io::Error>(())
    };
    match measured.await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(format_args!("error: {error}"));
            ExitCode::from(2)
        }
    }
}

/// Nobody reads what cannot be written.
fn say(line: std::fmt::Arguments<'_>) {
    drop(writeln!(std::io::stdout(), "{line}"));
}
