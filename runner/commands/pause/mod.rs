//! `ams pause`: the kill switch. `ams resume` is its other half.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;

use crate::app::{Stores, stores};
use crate::claim::heartbeat::LeaseTerms;
use crate::clock::{Clock, SystemClock};
use crate::commands::{exit, print};
use crate::config::{Records, StoreConfig, environment};
use crate::fields::parse_duration;
use crate::history::pause::PauseWords;
use crate::lang::Lang;
use crate::pausing::{Changed, KillSwitch, News};

mod names;
pub(super) mod tell;

/// Stop AMS from changing anything, everywhere or for one customer, group, host or scenario.
///
/// Comes into force in every region within about two seconds, and is waited for: each region is named
/// as soon as it goes by it. Runs go on checking and gathering, and hand off where they would
/// change something, with who paused AMS and why. What has begun is not stopped. Holds over
/// restarts, until `ams resume` or the time given with --for.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ams pause --all --reason 'wrong restarts since 10:00' --config /etc/ams/ams.yaml
  ams pause --customer example-shop --host web01 --for 2h --reason 'disk is being changed'
  ams pause --list

Exit codes: 0 in force in every region that shows life, 1 not in every one (the others are named),
2 could not run (configuration, store, a name that nobody has).")]
pub struct Args {
    /// List what is paused, and change nothing
    #[arg(long, conflicts_with_all = ["all", "customer", "group", "host", "scenario", "reason"])]
    list: bool,
    #[command(flatten)]
    what: What,
    /// Pause this long, such as 2h or 1d; without it until `ams resume`
    #[arg(long = "for", value_name = "TIME", value_parser = duration)]
    during: Option<Duration>,
    /// Why; people read it in the notes of incidents that AMS leaves to them
    #[arg(long, value_name = "TEXT", required_unless_present = "list")]
    reason: Option<String>,
    /// Pause a name too that no file has
    #[arg(long)]
    anyway: bool,
    #[command(flatten)]
    place: Place,
}

/// What is meant: what meets all that is named.
#[derive(Clone, Debug, Default, clap::Args)]
pub(super) struct What {
    /// Everything
    #[arg(long, conflicts_with_all = ["customer", "group", "host", "scenario"])]
    pub(super) all: bool,
    /// Id of a customer
    #[arg(long, value_name = "ID")]
    pub(super) customer: Option<String>,
    /// A group of hosts, by its name in customer files
    #[arg(long, value_name = "NAME")]
    pub(super) group: Option<String>,
    /// A host, by its name, alias or address
    #[arg(long, value_name = "NAME")]
    pub(super) host: Option<String>,
    /// Id of a scenario
    #[arg(long, value_name = "ID")]
    pub(super) scenario: Option<String>,
}

impl What {
    pub(super) const fn names_nothing(&self) -> bool {
        let Self { all, customer, group, host, scenario } = self;
        !*all && customer.is_none() && group.is_none() && host.is_none() && scenario.is_none()
    }
}

/// Which store, and how it is told.
#[derive(Debug, clap::Args)]
pub(super) struct Place {
    /// Who does it; the user of this shell where it is not given
    #[arg(long, value_name = "NAME")]
    by: Option<String>,
    /// Settings of a region (docs/operations/configuration.md)
    #[arg(long, value_name = "FILE", default_value = "ams.yaml")]
    config: PathBuf,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub(super) format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    Text,
    Json,
}

fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text).ok_or_else(|| "write a time such as 30m, 2h or 1d".to_owned())
}

pub async fn run(args: Args) -> ExitCode {
    if !args.list && args.what.names_nothing() {
        print::err(
            "error: say what to pause: --all, or --customer, --group, --host and --scenario",
        );
        return ExitCode::from(exit::CANNOT);
    }
    finish(pause(&args).await)
}

pub(super) fn finish(done: Result<u8, Box<dyn std::error::Error>>) -> ExitCode {
    done.map_or_else(
        |error| {
            print::error(&*error);
            ExitCode::from(exit::CANNOT)
        },
        ExitCode::from,
    )
}

async fn pause(args: &Args) -> Result<u8, Box<dyn std::error::Error>> {
    let desk = Desk::open(&args.place).await?;
    let now = desk.clock.now();
    if args.list {
        let list = desk.switch.list(now).await?;
        print::out(tell::list(desk.records.lang, &desk.records.zone, &list, args.place.format)?);
        return Ok(exit::OK);
    }
    let What { customer, group, host, scenario, .. } = args.what.clone();
    if !args.anyway {
        names::check(&args.what, &desk.records)?;
    }
    let during = args.during.and_then(|during| SignedDuration::try_from(during).ok());
    let words = PauseWords {
        by: desk.by.clone(),
        reason: args.reason.clone().unwrap_or_default(),
        customer,
        group,
        host,
        scenario,
        at: Some(now),
        until: during.map(|during| now + during),
        ..PauseWords::default()
    };
    let id = format!("p{}", &uuid::Uuid::new_v4().simple().to_string()[..8]);
    let changed = desk.switch.pause(&id, &words).await?;
    print::out(tell::paused(desk.records.lang, &id, &words));
    desk.until_in_force(&changed).await
}

/// The store with what is paused, and who stands before it.
pub(super) struct Desk {
    pub(super) records: Records,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) switch: KillSwitch,
    pub(super) by: String,
}

impl Desk {
    pub(super) async fn open(place: &Place) -> Result<Self, Box<dyn std::error::Error>> {
        let environment = environment();
        let records = Records::load(&place.config, &environment).map_err(|findings| {
            findings.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
        })?;
        if let StoreConfig::Sqlite(path) = &records.store {
            exists(path)?;
        }
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let Stores { claims, ledger, history } = stores(&records.store, &clock).await?;
        let user = ["SUDO_USER", "USER", "LOGNAME"].iter().find_map(|it| environment.get(*it));
        let by = place.by.clone().or_else(|| user.cloned());
        let by = by.unwrap_or_else(|| "unknown".to_owned());
        Ok(Self { records, clock, switch: KillSwitch { claims, ledger, history }, by })
    }

    /// Waits until every living region goes by what was changed, and tells of each.
    pub(super) async fn until_in_force(
        &self,
        changed: &Changed,
    ) -> Result<u8, Box<dyn std::error::Error>> {
        let lang = self.records.lang;
        if let Some(why) = &changed.unkept {
            print::err(tell::unkept(lang, why));
        }
        let terms: LeaseTerms = self.records.lease;
        let mut regions = 0;
        let tell = |news: &News| {
            regions += usize::from(matches!(news, News::InForce { .. }));
            print::out(tell::news(lang, news));
        };
        let everywhere = self.switch.in_force(changed.serial, &terms, tell).await?;
        if regions == 0 && everywhere {
            print::out(tell::nobody(lang));
        }
        Ok(if everywhere { exit::OK } else { exit::FINDINGS })
    }
}

/// Opening would make an empty one, in which nothing would be paused for anybody.
fn exists(path: &Path) -> Result<(), String> {
    if path.exists() {
        return Ok(());
    }
    Err(format!("there is no claim store at {}", path.display()))
}

/// Used by the sentences of both halves.
pub(super) const fn pick(lang: Lang, ja: &'static str, en: &'static str) -> &'static str {
    match lang {
        Lang::Ja => ja,
        Lang::En => en,
    }
}
