//! `ams shadow`: what runs in shadow would have done, beside what people did.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use crate::app::stores;
use crate::clock::{Clock, SystemClock};
use crate::commands::{exit, print};
use crate::config::{Records, StoreConfig, environment};
use crate::history::shadow::{Comparison, Shadow, compare};

mod tell;

/// Compare what AMS would have done in shadow with what became of the incidents without it.
///
/// For each scenario: how many incidents, how many of them people and monitoring resolved and within
/// how long (half of them, nine tenths), when AMS would have acted, and case by case what it would
/// have done beside what people wrote. Figures to decide by; it changes nothing and needs no secret.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ams shadow --config /etc/ams/ams.yaml
  ams shadow --scenario restart-web --customer example-shop --months 1
  ams shadow --format json

Exit codes: 0 told, 1 nothing ran in shadow in that time, 2 could not run (configuration, store).")]
pub struct Args {
    /// Only this scenario, by id
    #[arg(long, value_name = "ID")]
    scenario: Option<String>,
    /// Only this customer, by id
    #[arg(long, value_name = "ID")]
    customer: Option<String>,
    /// This month and the ones before it, so many together
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(i32).range(1..=13))]
    months: i32,
    /// Settings of a region (docs/operations/configuration.md)
    #[arg(long, value_name = "FILE", default_value = "ams.yaml")]
    config: PathBuf,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Text,
    Json,
}

pub async fn run(args: Args) -> ExitCode {
    let records = match Records::load(&args.config, &environment()) {
        Ok(records) => records,
        Err(findings) => {
            findings.iter().for_each(print::err);
            return ExitCode::from(exit::CANNOT);
        }
    };
    match shadow(&args, &records).await {
        Ok(all) if all.is_empty() => {
            print::err(tell::nothing(records.lang));
            ExitCode::from(exit::FINDINGS)
        }
        Ok(all) => {
            match args.format {
                Format::Json => print::out(serde_json::to_string_pretty(&all).unwrap_or_default()),
                Format::Text => print::out(tell::text(records.lang, &records.zone, &all)),
            }
            ExitCode::from(exit::OK)
        }
        Err(error) => {
            print::error(&*error);
            ExitCode::from(exit::CANNOT)
        }
    }
}

async fn shadow(
    args: &Args,
    records: &Records,
) -> Result<Vec<Comparison>, Box<dyn std::error::Error>> {
    if let StoreConfig::Sqlite(path) = &records.store
        && !path.exists()
    {
        // Opening would make an empty one.
        return Err(format!("there is no claim store at {}", path.display()).into());
    }
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let now = clock.now();
    let history = stores(&records.store, &clock).await?.history?;
    let is_meant = |shadow: &Shadow| {
        args.scenario.as_ref().is_none_or(|id| shadow.scenario == *id)
            && args.customer.as_ref().is_none_or(|id| shadow.customer.as_ref() == Some(id))
    };
    let mut all = Vec::new();
    for shelf in Shadow::shelves(now, args.months) {
        let pages = history.pages(&shelf).await?;
        let shadows = pages.iter().filter_map(|(_, text)| Shadow::of_text(text));
        all.extend(shadows.filter(is_meant));
    }
    Ok(compare(all))
}
