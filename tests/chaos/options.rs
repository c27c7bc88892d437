//! What the program is told to do.

use std::path::PathBuf;
use std::time::Duration;

use crate::game_day;

/// Breaks everything around two regions while they handle incidents, then checks what came of it.
///
/// The same seed gives the same schedule: which incidents, what people do to them, what goes wrong
/// and when. How the processes interleave with it is the machine's.
#[derive(clap::Parser)]
#[command(name = "chaos", after_help = EXAMPLES, args_conflicts_with_subcommands = true)]
pub(crate) struct Program {
    #[command(subcommand)]
    pub(crate) play: Option<Play>,
    #[command(flatten)]
    pub(crate) chaos: Args,
}

#[derive(clap::Subcommand)]
pub(crate) enum Play {
    GameDay(game_day::Args),
}

#[derive(clap::Args)]
pub(crate) struct Args {
    /// Incidents to fire [default: 500, with --quick 60]
    #[arg(long)]
    incidents: Option<u64>,
    /// What the schedule is made from [default: another one each time]
    #[arg(long)]
    seed: Option<u64>,
    /// Where the claims are
    #[arg(long, value_enum, default_value = "sqlite")]
    store: Store,
    /// Incidents per second, on average
    #[arg(long, default_value_t = 4.0)]
    rate: f64,
    /// Give up after so many minutes [default: what the schedule takes, and ten more]
    #[arg(long)]
    minutes: Option<f64>,
    /// A short form that takes less than a minute
    #[arg(long)]
    quick: bool,
    /// Print the schedule and do nothing
    #[arg(long)]
    schedule: bool,
    /// Print the results as a row of the table in docs/RELIABILITY.md
    #[arg(long)]
    markdown: bool,
    #[command(flatten)]
    place: Place,
}

/// What is run, and where its files are.
#[derive(Clone, Debug, clap::Args)]
pub(crate) struct Place {
    /// Another build of ams, with ams-test-engine beside it
    #[arg(long, value_name = "PROGRAM", default_value = env!("CARGO_BIN_EXE_ams"))]
    pub(crate) ams: PathBuf,
    /// Keep everything in this folder; without it, a temporary one is kept only after a failure
    #[arg(long, value_name = "FOLDER")]
    pub(crate) folder: Option<PathBuf>,
}

/// The seed that was given, or another one each time.
pub(crate) fn seed(given: Option<u64>) -> u64 {
    given.unwrap_or_else(|| u64::from(uuid::Uuid::new_v4().as_fields().0 % 1_000_000))
}

const EXAMPLES: &str = "\
Examples:
  cargo test --test chaos -- --quick
  cargo test --test chaos -- --incidents 500 --seed 7 --store dynamodb
  cargo test --test chaos -- --incidents 10000 --seed 1 --rate 6
  cargo test --test chaos -- --seed 7 --schedule
  cargo test --test chaos -- game-day --quick --lang en

Exit codes: 0 everything held, 1 something was violated, 2 could not run.";

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Store {
    /// One file for both regions
    Sqlite,
    /// A DynamoDB-compatible engine behind one fault proxy per region
    Dynamodb,
}

impl Store {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Dynamodb => "dynamodb",
        }
    }
}

/// What was said, with the defaults filled in.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) incidents: u64,
    pub(crate) seed: u64,
    pub(crate) store: Store,
    pub(crate) rate: f64,
    pub(crate) minutes: Option<f64>,
    pub(crate) schedule: bool,
    pub(crate) markdown: bool,
    pub(crate) place: Place,
}

impl Args {
    pub(crate) fn options(self) -> Options {
        Options {
            incidents: self.incidents.unwrap_or(if self.quick { 60 } else { 500 }).max(1),
            seed: seed(self.seed),
            store: self.store,
            rate: self.rate.clamp(0.01, 1_000.0),
            minutes: self.minutes,
            schedule: self.schedule,
            markdown: self.markdown,
            place: self.place,
        }
    }
}

impl Options {
    /// What replays this run.
    pub(crate) fn command(&self) -> String {
        let rate = if (self.rate - 4.0).abs() < f64::EPSILON {
            String::new()
        } else {
            format!(" --rate {}", self.rate)
        };
        format!(
            "cargo test --test chaos -- --incidents {} --seed {} --store {}{rate}",
            self.incidents,
            self.seed,
            self.store.word(),
        )
    }

    /// Until when everything must be over.
    pub(crate) fn bound(&self, schedule: Duration) -> Duration {
        let minutes = self.minutes.filter(|minutes| minutes.is_finite() && *minutes > 0.0);
        minutes.map_or(schedule + Duration::from_mins(10), |minutes| {
            Duration::from_secs_f64(minutes * 60.0)
        })
    }
}
