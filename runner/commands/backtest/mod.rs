//! `ams backtest`: what today's scenarios would have covered of past incidents.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use crate::backtest::Backtest;
use crate::clock::{Clock as _, SystemClock};
use crate::commands::{LangArg, TableFormat, exit, print};
use crate::config::{Rulebook, environment};
use crate::customer::catalog::Customers;
use crate::limits;
use crate::mask::Mask;
use crate::report::PastIncident;
use crate::rotate;
use crate::rules::RuleSet;
use crate::scenario::catalog::Catalog;

mod csv;
mod source;
mod table;
mod time;

/// Hold past incidents against today's scenarios: what they cover, and which kinds of titles have none.
///
/// Fetches the incidents of a time from PagerDuty, or reads them from a file, and chooses a scenario
/// for each as `ams serve` would: customers, services, urgency and modes included. Tells what is
/// covered by which scenario, and the largest groups of similar titles without one, with how
/// often and how long people had them and how far each would raise the coverage. Nothing is executed
/// and nothing is written to PagerDuty; three quarters of the key's requests a minute are left to
/// the regions.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ams backtest --config /etc/ams/ams.yaml
  ams backtest --since 180d --save incidents.jsonl
  ams backtest --file incidents.jsonl --scenarios ./scenarios --top 30 --format csv

Exit codes: 0 told, 1 there was no incident in that time, 2 could not run (configuration, scenarios,
file, PagerDuty).")]
pub struct Args {
    /// From then on: so many days back (90d), or a day (2026-10-01); 90d if left out and no file is given
    #[arg(long, value_name = "WHEN")]
    since: Option<String>,
    /// Until the end of this day; today if left out
    #[arg(long, value_name = "DAY")]
    until: Option<String>,
    /// Incidents from a file in place of PagerDuty: --save's, a list, or PagerDuty's answers; - is
    /// standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["save", "service"])]
    file: Option<PathBuf>,
    /// Keep what is fetched for --file, one incident per line, secrets covered
    #[arg(long, value_name = "FILE")]
    save: Option<PathBuf>,
    /// Only this service of PagerDuty, by id; may be given several times
    #[arg(long, value_name = "ID")]
    service: Vec<String>,
    /// Requests a minute to PagerDuty; a key has 960 for everything, and the regions need the rest
    #[arg(long, value_name = "N", default_value_t = limits::BACKTEST_PAGES_PER_MINUTE, value_parser = clap::value_parser!(u32).range(1..=960))]
    requests_per_minute: u32,
    /// Scenario file or directory, in place of the configuration's
    #[arg(long, value_name = "PATH")]
    scenarios: Option<PathBuf>,
    /// Customer file or directory, in place of the configuration's
    #[arg(long, value_name = "PATH")]
    customers: Option<PathBuf>,
    /// Kinds of titles and scenarios in the table; CSV and JSON have all
    #[arg(long, value_name = "N", default_value_t = 20)]
    top: usize,
    /// Settings of a region (docs/operations/configuration.md); ams.yaml if left out and it is needed
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    #[arg(long, value_enum, default_value_t = TableFormat::Table)]
    format: TableFormat,
    /// Language of the table, in place of the configuration's
    #[arg(long, value_enum)]
    lang: Option<LangArg>,
}

pub async fn run(args: Args) -> ExitCode {
    let rulebook = match rulebook(&args).await {
        Ok(rulebook) => rulebook,
        Err(findings) => {
            findings.iter().for_each(print::err);
            return ExitCode::from(exit::CANNOT);
        }
    };
    match backtest(&args, &rulebook).await {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            print::error(&*error);
            ExitCode::from(exit::CANNOT)
        }
    }
}

/// Somebody with a file and scenarios needs no configuration.
async fn rulebook(args: &Args) -> Result<Rulebook, Vec<crate::finding::Finding>> {
    let usual = PathBuf::from("ams.yaml");
    let path = args.config.as_ref().unwrap_or(&usual);
    let is_enough = args.file.is_some() && args.scenarios.is_some();
    if is_enough && args.config.is_none() && !path.exists() {
        return Ok(Rulebook::default());
    }
    let rulebook = Rulebook::load(path, &environment(), args.file.is_none())?;
    let token: Vec<_> = rulebook.pagerduty.iter().map(|account| account.token.clone()).collect();
    rotate::fetch(path, &token, rulebook.aws.as_ref()).await?;
    Ok(rulebook)
}

async fn backtest(args: &Args, rulebook: &Rulebook) -> Result<u8, Box<dyn std::error::Error>> {
    let lang = args.lang.map_or(rulebook.lang, LangArg::lang);
    let times = (args.since.as_deref(), args.until.as_deref());
    let span = time::span(times, args.file.is_some(), (SystemClock.now(), &rulebook.zone))?;
    // A mistake in the rules is known before a quarter of an hour is spent.
    let rules = rules(args, rulebook)?;
    let past = source::incidents(args, rulebook, span).await?;
    past.remarks.iter().for_each(print::err);
    if past.incidents.is_empty() {
        print::err(table::nothing(lang));
        return Ok(exit::FINDINGS);
    }
    let mut told = Backtest::of(&past.incidents, &rules, rulebook.by_hand);
    cover(&mut told, &rulebook.mask);
    match args.format {
        TableFormat::Json => print::out(serde_json::to_string_pretty(&told)?),
        TableFormat::Csv => print::out(csv::csv(&told)),
        TableFormat::Table => print::out(table::table(lang, &told, (args.top, &rulebook.zone))),
    }
    Ok(exit::OK)
}

/// Titles may have secrets in them.
fn cover(told: &mut Backtest, mask: &Mask) {
    for kind in &mut told.kinds {
        (kind.form, kind.example) = (mask.apply(&kind.form), mask.apply(&kind.example));
    }
    told.by_tie.iter_mut().for_each(|tie| tie.example = mask.apply(&tie.example));
}

fn rules(args: &Args, rulebook: &Rulebook) -> Result<RuleSet, Box<dyn std::error::Error>> {
    let named = args.scenarios.as_ref().or(rulebook.scenarios.as_ref());
    let path = named.ok_or("there are no scenarios: name them with --scenarios")?;
    let catalog = Catalog::load(path, None)?;
    if catalog.scenarios.is_empty() {
        let path = path.display();
        return Err(format!("no scenario in {path} can be used; `ams validate` says why").into());
    }
    unusable(catalog.files - catalog.scenarios.len(), catalog.files, path);
    let path = args.customers.as_ref().or(rulebook.customers.as_ref());
    let Some(path) = path else { return Ok(RuleSet::new(catalog, Customers::default())) };
    let customers = Customers::load(path)
        .map_err(|error| format!("cannot read the customers in {}: {error}", path.display()))?;
    unusable(customers.files - customers.all().len(), customers.files, path);
    Ok(RuleSet::new(catalog, customers))
}

/// Past incidents do without what is wrong; whoever reads the figures should know.
fn unusable(left_out: usize, files: usize, path: &Path) {
    if left_out > 0 {
        let path = path.display();
        print::err(format_args!(
            "note: {left_out} of {files} files in {path} cannot be used; `ams validate` says why"
        ));
    }
}

/// What is looked at, and what has to be said of it.
struct Past {
    incidents: Vec<PastIncident>,
    remarks: Vec<String>,
}

fn page_every(requests_per_minute: u32) -> Duration {
    (Duration::from_mins(1) / requests_per_minute.max(1)).max(limits::BACKTEST_PAGE_LEAST)
}
