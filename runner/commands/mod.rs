//! The command line. Each subcommand is a file that parses, calls and prints; nothing else.

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::finding::Finding;
use crate::lang::Lang;

pub mod backtest;
mod beside;
mod columns;
pub mod doctor;
pub mod explain;
mod findings_json;
mod findings_text;
mod log;
pub mod match_title;
pub mod pagerduty;
pub mod pause;
pub mod plan;
mod print;
mod progress;
pub mod report;
pub mod resume;
pub mod sandbox;
pub mod schema;
pub mod serve;
pub mod shadow;
pub mod test;
mod traces;
pub mod validate;

/// Exit codes of every subcommand.
pub mod exit {
    /// Done, and nothing to complain about.
    pub const OK: u8 = 0;
    /// Done, and there are findings or failures.
    pub const FINDINGS: u8 = 1;
    /// Could not run: bad configuration, unreadable files, no store.
    pub const CANNOT: u8 = 2;
}

/// First response to PagerDuty incidents: AMS checks, collects facts, recovers, verifies, and
/// hands over to people when it cannot.
#[derive(Debug, Parser)]
#[command(name = "ams", version = VERSION, max_term_width = 100)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Backtest(backtest::Args),
    Doctor(doctor::Args),
    Explain(explain::Args),
    Match(match_title::Args),
    #[command(name = "pagerduty")]
    PagerDuty(pagerduty::Args),
    Pause(pause::Args),
    Plan(plan::Args),
    Report(report::Args),
    Resume(resume::Args),
    Sandbox(sandbox::Args),
    Schema(schema::Args),
    Serve(serve::Args),
    Shadow(shadow::Args),
    Test(test::Args),
    Validate(validate::Args),
    #[command(hide = true)]
    DemoService(crate::sandbox::demo_service::Args),
}

/// What is wrong with a configuration, for an error.
fn listed(findings: &[Finding]) -> String {
    findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// `--format` of figures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum TableFormat {
    Table,
    Csv,
    Json,
}

/// `--lang`, in place of the configuration's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum LangArg {
    Ja,
    En,
}

impl LangArg {
    const fn lang(self) -> Lang {
        match self {
            Self::Ja => Lang::Ja,
            Self::En => Lang::En,
        }
    }
}

/// With the commit, where whoever built it gave it: `0.1.0 (0123456789ab)`, as the image's build does.
const VERSION: &str = match option_env!("AMS_VERSION") {
    Some(version) => version,
    None => env!("CARGO_PKG_VERSION"),
};

impl Cli {
    pub async fn run(self) -> ExitCode {
        match self.command {
            Command::Backtest(args) => backtest::run(args).await,
            Command::Doctor(args) => doctor::run(&args).await,
            Command::Explain(args) => explain::run(args).await,
            Command::Match(args) => match_title::run(&args),
            Command::PagerDuty(args) => pagerduty::run(args).await,
            Command::Pause(args) => pause::run(args).await,
            Command::Plan(args) => plan::run(&args),
            Command::Report(args) => report::run(args).await,
            Command::Resume(args) => resume::run(args).await,
            Command::Sandbox(args) => sandbox::run(args).await,
            Command::Schema(args) => schema::run(&args),
            Command::Serve(args) => Box::pin(serve::run(args)).await,
            Command::Shadow(args) => shadow::run(args).await,
            Command::Test(args) => test::run(&args),
            Command::Validate(args) => validate::run(&args),
            Command::DemoService(args) => crate::sandbox::demo_service::run(args).await,
        }
    }
}

/// For what fails before there is anything to run a command with.
pub fn cannot_run(error: &dyn std::error::Error) {
    print::error(error);
}
