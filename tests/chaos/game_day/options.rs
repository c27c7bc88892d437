//! What the game day is told, and its pace.

use std::time::Duration;

use ams::lang::Lang;

use crate::options::{Place, Store, seed};

/// Plays the failure of a region: two regions of two processes each, a load of incidents, region
/// tokyo lost and back. Prints the timeline, the recovery times and the proof that nothing was lost
/// or done twice.
#[derive(clap::Args)]
#[command(after_help = EXAMPLES, override_usage = "infra/game-day [OPTIONS]")]
pub(crate) struct Args {
    /// Where the claims are. Tokyo is cut off from DynamoDB and from PagerDuty; with SQLite, a file that
    /// nobody can be cut off from, its processes lose power
    #[arg(long, value_enum, default_value = "dynamodb")]
    store: Store,
    /// A short form that takes less than a minute
    #[arg(long)]
    quick: bool,
    /// The language of what is printed
    #[arg(long, value_enum, default_value = "ja")]
    lang: Words,
    /// What the order of the incidents is made from [default: another one each time]
    #[arg(long)]
    seed: Option<u64>,
    /// Make something wrong that the proof must find; the exit code is then 1 if it does, and 3 if
    /// it finds anything else
    #[arg(long, value_enum, value_delimiter = ',')]
    sabotage: Vec<Sabotage>,
    #[command(flatten)]
    place: Place,
}

const EXAMPLES: &str = "\
Examples:
  infra/game-day
  infra/game-day --quick --lang en
  infra/game-day --quick --sabotage webhook,recovery

Exit codes: 0 everything held, 1 something was violated, 2 could not run, 3 a sabotage was not found.";

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Words {
    Ja,
    En,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Sabotage {
    /// The webhooks of one incident reach no region, and nobody asks PagerDuty for it
    Webhook,
    /// One recovery is carried out a second time
    Recovery,
}

pub(crate) struct Options {
    pub(crate) store: Store,
    pub(crate) lang: Lang,
    pub(crate) seed: u64,
    pub(crate) sabotage: Vec<Sabotage>,
    pub(crate) place: Place,
    pub(crate) pace: Pace,
}

/// How long each part lasts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pace {
    pub(crate) calm: Duration,
    /// Tokyo reaches neither store nor PagerDuty; webhooks still reach it.
    pub(crate) cut: Duration,
    /// Nothing reaches it either.
    pub(crate) shut: Duration,
    pub(crate) back: Duration,
    /// Between two incidents.
    pub(crate) every: Duration,
    /// Everything must be over so long after the last incident.
    pub(crate) settles_within: Duration,
}

impl Pace {
    const FULL: Self = Self {
        calm: Duration::from_secs(30),
        cut: Duration::from_secs(25),
        shut: Duration::from_secs(20),
        back: Duration::from_secs(45),
        every: Duration::from_millis(400),
        settles_within: Duration::from_mins(2),
    };

    const QUICK: Self = Self {
        calm: Duration::from_secs(8),
        cut: Duration::from_secs(8),
        shut: Duration::from_secs(4),
        back: Duration::from_secs(7),
        every: Duration::from_millis(450),
        settles_within: Duration::from_mins(1),
    };

    /// Just long enough for take-overs: what is looked for does not need more.
    const SABOTAGED: Self = Self {
        calm: Duration::from_secs(3),
        cut: Duration::from_secs(8),
        shut: Duration::from_secs(1),
        back: Duration::from_secs(2),
        ..Self::QUICK
    };

    /// As long as incidents come.
    pub(crate) fn load(&self) -> Duration {
        self.calm + self.cut + self.shut + self.back
    }
}

impl Args {
    pub(crate) fn options(self) -> Options {
        Options {
            store: self.store,
            lang: match self.lang {
                Words::Ja => Lang::Ja,
                Words::En => Lang::En,
            },
            seed: seed(self.seed),
            pace: match (self.quick, self.sabotage.is_empty()) {
                (false, _) => Pace::FULL,
                (true, true) => Pace::QUICK,
                (true, false) => Pace::SABOTAGED,
            },
            sabotage: self.sabotage,
            place: self.place,
        }
    }
}

impl Options {
    /// Starting, ending and a machine that is busy aside, it is over by then.
    pub(crate) fn bound(&self) -> Duration {
        self.pace.load() + self.pace.settles_within + Duration::from_mins(3)
    }

    pub(crate) fn has(&self, sabotage: Sabotage) -> bool {
        self.sabotage.contains(&sabotage)
    }

    /// One file cannot be cut off from one region alone.
    pub(crate) fn loses_power(&self) -> bool {
        self.store == Store::Sqlite
    }
}
