//! `ams doctor`: looks at a deployment from outside and says what to change.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use crate::clock::SystemClock;
use crate::commands::pause::Format;
use crate::commands::{exit, listed, print};
use crate::config::{Config, environment};
use crate::doctor::{Level, Options, Section, examine};
use crate::mirror::Mirror;
use crate::rotate;
use crate::sandbox::cluster::ScratchFolder;

mod tell;

/// Check a deployment from outside: settings, store, regions, PagerDuty's account, and the way between.
///
/// Looks whether the token may do what AMS needs and whose name it writes in; whether webhooks of all
/// events reach every region and are taken there; whether people are paged when AMS cannot go on or
/// is not there; whether services have customers and scenarios. Each line that is not ✔ says what to
/// change. Nothing is changed, but for --enable.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ams doctor --config /etc/ams/ams.yaml
  ams doctor --enable
  ams doctor --no-receivers --format json

Marks: ✔ fine, ! works and should be somebody's decision, ✘ to be changed.

Exit codes: 0 nothing has to change, 1 something has to, 2 could not look (settings).")]
pub struct Args {
    /// Have PagerDuty use subscriptions again that it has stopped using for 24 hours
    #[arg(long)]
    enable: bool,
    /// Do not send test events to the receivers, where they are out of reach from here
    #[arg(long)]
    no_receivers: bool,
    /// What is marked ! counts for the exit code too
    #[arg(long)]
    strict: bool,
    /// Settings of a region (docs/operations/configuration.md)
    #[arg(long, value_name = "FILE", default_value = "ams.yaml")]
    config: PathBuf,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

pub async fn run(args: &Args) -> ExitCode {
    match look(args).await {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            print::error(&*error);
            ExitCode::from(exit::CANNOT)
        }
    }
}

async fn look(args: &Args) -> Result<u8, Box<dyn std::error::Error>> {
    let mut config = Config::load(&args.config, &environment()).map_err(|it| listed(&it))?;
    rotate::fetch(&args.config, &config.secrets(), config.aws.as_ref())
        .await
        .map_err(|it| listed(&it))?;
    let copies = ScratchFolder::create(None)?;
    config.copy_rules_to(copies.path());
    for mirror in config.mirrors.clone() {
        Mirror::start(mirror, Arc::new(SystemClock)).await?;
    }
    let options = Options { enable: args.enable, no_receivers: args.no_receivers };
    let lang = config.lang;
    // Looking takes some seconds: what is known is told at once.
    let sections = examine(&config, options, |section| {
        if args.format == Format::Text {
            tell::section(lang, section);
        }
    })
    .await?;
    let (wrong, weak) = (count(&sections, Level::Wrong), count(&sections, Level::Weak));
    match args.format {
        Format::Text => tell::sum(lang, wrong, weak),
        Format::Json => print::out(tell::json(lang, &sections)?),
    }
    let to_change = if args.strict { wrong + weak } else { wrong };
    Ok(if to_change == 0 { exit::OK } else { exit::FINDINGS })
}

fn count(sections: &[Section], level: Level) -> usize {
    sections.iter().flat_map(|it| &it.matters).filter(|it| it.level() == level).count()
}
