//! `ams report`: figures of what AMS has done, out of the history.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use crate::app::{Stores, stores};
use crate::claim::Which;
use crate::clock::{Clock, SystemClock};
use crate::commands::progress::Progress;
use crate::commands::{LangArg, TableFormat, exit, print};
use crate::config::{Records, StoreConfig, environment};
use crate::figures::{By, Period, Report, Terms, Wanted};
use crate::lang::Lang;

mod csv;
mod json;
mod read;
mod table;
mod words;

/// Count what AMS has done: alerts, how many it handled by itself, how long that took.
///
/// Of all runs that began in a time: how many alerts came, matched a scenario and were handled by AMS
/// (AMS対応率), recovered, or went to people; mean and ninth decile of the times from the incident's
/// beginning until AMS had it, began, had recovered it, or had told people; and the time saved
/// against doing it by hand. For all of them and by customer, service, scenario, week or month.
/// Reads the store that the configuration names, changes nothing and needs no secret.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ams report --config /etc/ams/ams.yaml
  ams report --from 2026-10 --to 2026-10 --by customer --format csv > october.csv
  ams report --customer example-shop --by week,scenario --lang en

Exit codes: 0 told, 1 no run began in that time, 2 could not run (configuration, store, dates).")]
pub struct Args {
    /// First day (2026-10-01), or a month (2026-10); without it the 30 days until --to
    #[arg(long, value_name = "DAY")]
    from: Option<String>,
    /// Last day, which belongs to it, or a month; without it today
    #[arg(long, value_name = "DAY")]
    to: Option<String>,
    /// Group runs by this; several with commas between
    #[arg(long, value_enum, value_delimiter = ',', default_value = "week,scenario")]
    by: Vec<ByArg>,
    /// Only this customer, by id
    #[arg(long, value_name = "ID")]
    customer: Option<String>,
    /// Only this service of PagerDuty, by id or name
    #[arg(long, value_name = "NAME")]
    service: Option<String>,
    /// Only this scenario, by id
    #[arg(long, value_name = "ID")]
    scenario: Option<String>,
    /// Rows of each part of the table; CSV and JSON have all
    #[arg(long, value_name = "N", default_value_t = 20)]
    top: usize,
    /// Settings of a region (docs/operations/configuration.md)
    #[arg(long, value_name = "FILE", default_value = "ams.yaml")]
    config: PathBuf,
    #[arg(long, value_enum, default_value_t = TableFormat::Table)]
    format: TableFormat,
    /// Language of the table, in place of the configuration's
    #[arg(long, value_enum)]
    lang: Option<LangArg>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum ByArg {
    Customer,
    Service,
    Scenario,
    Week,
    Month,
}

impl ByArg {
    const fn by(self) -> By {
        match self {
            Self::Customer => By::Customer,
            Self::Service => By::Service,
            Self::Scenario => By::Scenario,
            Self::Week => By::Week,
            Self::Month => By::Month,
        }
    }
}

/// A report with what it is about.
struct Told {
    report: Report,
    terms: Terms,
    /// Runs that have no outcome yet, whenever they began.
    open_now: usize,
    /// Written by a newer version, or damaged.
    unreadable: usize,
}

pub async fn run(args: Args) -> ExitCode {
    let records = match Records::load(&args.config, &environment()) {
        Ok(records) => records,
        Err(findings) => {
            findings.iter().for_each(print::err);
            return ExitCode::from(exit::CANNOT);
        }
    };
    let by_hand = match &records.by_hand {
        Ok(by_hand) => *by_hand,
        Err(findings) => {
            findings.iter().for_each(print::err);
            return ExitCode::from(exit::CANNOT);
        }
    };
    let lang = args.lang.map_or(records.lang, LangArg::lang);
    match report(&args, &records, by_hand).await {
        Ok(told) => {
            tell(&args, lang, &told);
            ExitCode::from(if told.report.total.alerts == 0 { exit::FINDINGS } else { exit::OK })
        }
        Err(error) => {
            print::error(&*error);
            ExitCode::from(exit::CANNOT)
        }
    }
}

fn tell(args: &Args, lang: Lang, told: &Told) {
    if told.unreadable > 0 {
        print::err(words::unreadable(lang, told.unreadable));
    }
    if told.report.total.alerts == 0 {
        print::err(words::nothing(lang, &told.terms.period));
    }
    match args.format {
        TableFormat::Json => print::out(json::json(told)),
        TableFormat::Csv => print::out(csv::csv(&told.report)),
        TableFormat::Table if told.report.total.alerts == 0 => {}
        TableFormat::Table => print::out(table::table(lang, told, args.top)),
    }
}

async fn report(
    args: &Args,
    records: &Records,
    by_hand: Duration,
) -> Result<Told, Box<dyn std::error::Error>> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let now = clock.now();
    let period = Period::of(args.from.as_deref(), args.to.as_deref(), (now, &records.zone))?;
    if let StoreConfig::Sqlite(path) = &records.store
        && !path.exists()
    {
        // Opening would make an empty one.
        return Err(format!("there is no claim store at {}", path.display()).into());
    }
    let Stores { claims, history, .. } = stores(&records.store, &clock).await?;
    let mut progress = Progress::default();
    let kept = read::figures(&*history?, &period, now, &mut progress).await?;
    progress.end();
    let open_now = claims.open_runs(&Which::All).await?.len();
    let wanted = Wanted {
        customer: args.customer.clone(),
        service: args.service.clone(),
        scenario: args.scenario.clone(),
    };
    let zone = records.zone.clone();
    let terms = Terms { period, wanted, zone, by_hand };
    let mut by: Vec<By> = Vec::new();
    for one in args.by.iter().map(|it| it.by()) {
        if !by.contains(&one) {
            by.push(one);
        }
    }
    let report = Report::of(&kept.figures, &terms, &by);
    Ok(Told { report, terms, open_now, unreadable: kept.unreadable })
}
