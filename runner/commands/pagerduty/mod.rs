//! `ams pagerduty`: webhook subscriptions, made and listed.

use std::path::Path;
use std::process::ExitCode;

use crate::commands::{exit, listed, print};
use crate::config::{SetUp, environment};
use crate::doctor;
use crate::report::pagerduty::PagerDuty;
use crate::rotate;

mod list;
mod secret;
mod subscribe;
mod tell;

/// Set up PagerDuty's account for AMS.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    Subscribe(subscribe::Args),
    Subscriptions(list::Args),
}

pub async fn run(args: Args) -> ExitCode {
    let done = match args.command {
        Command::Subscribe(args) => subscribe::run(&args).await,
        Command::Subscriptions(args) => list::run(&args).await,
    };
    match done {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            print::error(&*error);
            ExitCode::from(exit::CANNOT)
        }
    }
}

/// Settings and a client for them.
async fn open(config: &Path) -> Result<(SetUp, PagerDuty), Box<dyn std::error::Error>> {
    let set_up = SetUp::load(config, &environment()).map_err(|it| listed(&it))?;
    let token = [set_up.pagerduty.token.clone()];
    rotate::fetch(config, &token, set_up.aws.as_ref()).await.map_err(|it| listed(&it))?;
    let account = doctor::client(&set_up.pagerduty)?;
    Ok((set_up, account))
}
