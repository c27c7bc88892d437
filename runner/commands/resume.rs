//! `ams resume`: ends what `ams pause` has begun.

use std::process::ExitCode;

use crate::claim::pauses::Pause;
use crate::commands::pause::{Desk, Place, What, finish, pick, tell};
use crate::commands::{exit, print};
use crate::history::pause::PauseWords;
use crate::pausing::pause_of;

/// End pauses: those with these ids, those that name exactly this, or all of them.
///
/// Waits until every region that shows life goes by it. Runs that have been handed off stay with
/// people.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ams resume p1a2b3c4d --config /etc/ams/ams.yaml
  ams resume --customer example-shop --host web01
  ams resume --all

Exit codes: 0 ended in every region that shows life, 1 not in every one, or there was no such pause,
2 could not run (configuration, store).")]
pub struct Args {
    /// Ids of pauses, as `ams pause --list` has them
    #[arg(value_name = "PAUSE")]
    ids: Vec<String>,
    /// `--all` ends every pause
    #[command(flatten)]
    what: What,
    #[command(flatten)]
    place: Place,
}

pub async fn run(args: Args) -> ExitCode {
    if args.ids.is_empty() && args.what.names_nothing() {
        print::err("error: say which pause to end: its id, --all, or what it names");
        return ExitCode::from(exit::CANNOT);
    }
    finish(resume(&args).await)
}

async fn resume(args: &Args) -> Result<u8, Box<dyn std::error::Error>> {
    let desk = Desk::open(&args.place).await?;
    let (lang, now) = (desk.records.lang, desk.clock.now());
    let list = desk.switch.list(now).await?;
    let ended: Vec<(String, Option<PauseWords>)> = list
        .into_iter()
        .filter(|(pause, _)| is_meant(args, pause))
        .map(|(pause, words)| (pause.id, words))
        .collect();
    if ended.is_empty() {
        print::err(pick(lang, "該当する一時停止はありません", "there is no such pause"));
        return Ok(exit::FINDINGS);
    }
    let changed = desk.switch.resume(&ended, (&desk.by, now)).await?;
    for (id, words) in &ended {
        print::out(tell::resumed(lang, id, words.as_ref()));
    }
    desk.until_in_force(&changed).await
}

fn is_meant(args: &Args, pause: &Pause) -> bool {
    if args.ids.contains(&pause.id) {
        return true;
    }
    if args.what.names_nothing() {
        return false;
    }
    let What { all, customer, group, host, scenario } = args.what.clone();
    let words = PauseWords { customer, group, host, scenario, ..PauseWords::default() };
    let named = pause_of("", &words);
    all || (&named.customer, &named.group, &named.host, &named.scenario)
        == (&pause.customer, &pause.group, &pause.host, &pause.scenario)
}
