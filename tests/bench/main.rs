//! What AMS costs beside the least that any such receiver must do (docs/BENCHMARKS.md).
//!
//! ```text
//! load ──signed webhooks──▶ ams serve | floor ──PUT, POST──▶ sink
//!  └───────────────── this process, one thread ───────────────┘
//! ```
//!
//! `cargo bench --bench throughput`, with `-- --quick` for a look and `-- --only ams` for one of
//! them. Everything stays on 127.0.0.1 and ends by itself. Floor and ams are processes of their
//! own with folders of their own on the disk that holds the target folder.

// What a server's process uses, from /proc.
mod usage;
// HTTP/1.1 just good enough for both sides, so that this process takes little from two cores.
mod http;
// The stand-in for PagerDuty: notes when each incident reaches its end.
mod sink;
// Signed webhooks at a fixed rate or as fast as they are taken.
mod load;
// The least a receiver must do: this binary again, as a server.
mod floor;
// Starts and ends one server.
mod server;
// What is measured, in order.
mod measure;
// The best of the rounds, as a table.
mod report;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser as _;

use measure::Plan;
use server::Kind;

/// The runner against the least any such receiver must do, in the same run.
#[derive(clap::Parser)]
struct Args {
    /// A look: one round, short loads
    #[arg(long)]
    quick: bool,
    /// Measure one of the servers only
    #[arg(long, value_enum)]
    only: Option<Kind>,
    /// Incidents at full speed
    #[arg(long)]
    burst: Option<usize>,
    /// How often each server is measured
    #[arg(long)]
    rounds: Option<usize>,
    /// Another build of ams, to compare the two
    #[arg(long, default_value = env!("CARGO_BIN_EXE_ams"))]
    ams: PathBuf,
    /// Cargo says so to every benchmark
    #[arg(long, hide = true)]
    bench: bool,
    #[command(subcommand)]
    role: Option<Role>,
}

#[derive(clap::Subcommand)]
enum Role {
    /// Serve as the floor; the benchmark starts itself this way
    #[command(hide = true)]
    Serve(floor::Args),
}

fn main() -> ExitCode {
    let args = Args::parse();
    let done = match args.role {
        Some(Role::Serve(floor)) => floor::serve(&floor),
        None => run(&args),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            report::failure(&error);
            ExitCode::FAILURE
        }
    }
}

/// Rounds go through all servers in turn, so that a slow minute of the machine hits all of them.
fn run(args: &Args) -> io::Result<()> {
    let usual = if args.quick { Plan::quick() } else { Plan::full() };
    let plan = Plan {
        burst: args.burst.unwrap_or(usual.burst),
        rounds: args.rounds.unwrap_or(usual.rounds),
        ..usual
    };
    let kinds: Vec<Kind> =
        Kind::ALL.into_iter().filter(|kind| args.only.is_none_or(|only| only == *kind)).collect();
    // One thread: the servers shall have the cores.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let rounds = runtime.block_on(async {
        let sink = sink::Sink::start().await?;
        let mut bench = measure::Bench::new(&plan, &sink, &args.ams);
        let mut rounds = Vec::new();
        for number in 1..=plan.rounds {
            for kind in &kinds {
                report::progress(number, plan.rounds, *kind);
                rounds.push((*kind, bench.round(*kind).await?));
            }
        }
        io::Result::Ok(rounds)
    })?;
    report::print(&plan, &rounds);
    Ok(())
}
