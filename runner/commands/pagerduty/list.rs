//! `ams pagerduty subscriptions`: what there is.

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::commands::pause::Format;
use crate::commands::{exit, print};
use crate::config::RegionAddress;
use crate::doctor::subscriptions::{missing, of};
use crate::lang::Lang;
use crate::report::account::{Scope, Subscription};

/// List the account's webhook subscriptions, and which region each leads to.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  ams pagerduty subscriptions --config /etc/ams/ams.yaml

Exit codes: 0 listed, 2 could not ask (settings, PagerDuty). Whether they are right says `ams doctor`.")]
pub(super) struct Args {
    /// Settings of a region (docs/operations/configuration.md)
    #[arg(long, value_name = "FILE", default_value = "ams.yaml")]
    config: PathBuf,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

pub(super) async fn run(args: &Args) -> Result<u8, Box<dyn std::error::Error>> {
    let (set_up, account) = super::open(&args.config).await?;
    let all = account.subscriptions().await?;
    let region = |one: &Subscription| {
        let leads = |it: &&RegionAddress| of(it, std::slice::from_ref(one)).next().is_some();
        set_up.regions.iter().find(leads).map(|it| it.name.as_str().to_owned())
    };
    match args.format {
        Format::Json => {
            let each: Vec<Value> =
                all.iter().map(|one| json(one, region(one).as_deref())).collect();
            print::out(serde_json::to_string_pretty(&each)?);
        }
        Format::Text if all.is_empty() => print::out(match set_up.lang {
            Lang::Ja => "サブスクリプションはありません（`ams pagerduty subscribe` で作成）",
            Lang::En => "there are no subscriptions (`ams pagerduty subscribe` makes them)",
        }),
        Format::Text => {
            for one in &all {
                print::out(line(set_up.lang, one, region(one)));
            }
        }
    }
    Ok(exit::OK)
}

fn json(one: &Subscription, region: Option<&str>) -> Value {
    json!({
        "id": one.id,
        "region": region,
        "url": one.url,
        "active": one.active,
        "temporarily_disabled": one.is_disabled,
        "scope": scope(&one.scope),
        "events": one.events,
        "events_missing": missing(one),
    })
}

fn line(lang: Lang, one: &Subscription, region: Option<String>) -> String {
    let ja = lang == Lang::Ja;
    let state = match (one.active, one.is_disabled) {
        (false, _) if ja => "無効",
        (false, _) => "off",
        (true, true) if ja => "停止中（24 時間）",
        (true, true) => "stopped for 24 h",
        (true, false) if ja => "有効",
        (true, false) => "in use",
    };
    let lacks = missing(one);
    let lacks = match lacks.len() {
        0 => String::new(),
        count if ja => format!("  不足イベント {count}"),
        count => format!("  lacks {count} events"),
    };
    let (scope, region) = (scope(&one.scope), region.unwrap_or_else(|| "-".to_owned()));
    format!("{}  {region}  {state}  {scope}  {}{lacks}", one.id, printable(&one.url))
}

/// As it is written in `--service` and the like.
fn scope(scope: &Scope) -> String {
    match scope {
        Scope::Account => "account".to_owned(),
        Scope::Service(id) => format!("service:{id}"),
        Scope::Team(id) => format!("team:{id}"),
        Scope::Other => "?".to_owned(),
    }
}

/// Anybody may make a subscription in the account.
fn printable(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).collect()
}
