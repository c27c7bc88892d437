//! Hand-offs told beside PagerDuty: tickets, messages, mails; each once, whatever breaks.

mod backlog;
mod last_resorts;
mod mails;
mod messages;
mod recorded;
mod slack;
mod smtp;
mod tickets;

use ams::claim::journal::Entry;
use ams::claim::protocol::RunItem;
use ams::claim::told::{ToldResult, ToldWhat};

use crate::harness::world::{World, WorldBuilder};

/// The check finds it broken, and the recovery does not help.
const BROKEN: &str = "\
scenario: service-down
about: サービスの停止を起動で復旧する
match: {all: [service, down]}
deadline: 2m
steps:
  - gather: {name: ログ, run: 'printf \"DB_PASS\\\\033[1mWORD=hunter2hunter2\"'}
hand_off:
  message: 起動しても応答が戻りません
  manual: |
    1. ログを見る
    2. 担当チームへ電話する
";

const SHOP: &str = "customer: shop\nname: サンプル商店\ncontact: 情報システム部 03-0000-0000\n\
    services: [Sandbox web shop]\n";

fn world(scenario: &str, customer: &str, settings: &str) -> WorldBuilder {
    of(scenario, &format!("{SHOP}{customer}"), settings)
}

fn of(scenario: &str, customer: &str, settings: &str) -> WorldBuilder {
    World::with(scenario)
        .customer(customer)
        .settings(settings)
        .environment("BACKLOG_KEY", backlog::KEY)
        .environment("SLACK_TOKEN", slack::TOKEN)
        .environment("MAIL_PASSWORD", smtp::PASSWORD)
}

/// What the journal says was told, in its order.
fn told(run: &RunItem) -> Vec<(ToldWhat, ToldResult, bool)> {
    let told = run.journal.entries().iter().filter_map(|entry| match entry {
        Entry::Told { what, result, reference, .. } => Some((*what, *result, reference.is_some())),
        _ => None,
    });
    told.collect()
}
