//! `ams explain`: the story of an incident's run, out of the store.

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use crate::app::{Stores, stores};
use crate::claim::protocol::RunItem;
use crate::claim::{ClaimStore, StoreError};
use crate::clock::{Clock, SystemClock};
use crate::commands::{LangArg, exit, print};
use crate::config::{Records, StoreConfig, environment};
use crate::explain::text::Style;
use crate::explain::{Account, Evidence, Heartbeat, InFiles};
use crate::history::story::{RunStory, ScenarioKnown};
use crate::history::{History, HistoryError};
use crate::incident::{IncidentId, Owner, RunId};
use crate::lang::Lang;
use crate::mask::Mask;
use crate::scenario::catalog::Catalog;

/// Tell the story of an incident's run: what it was, why this scenario, what was seen and done, who
/// carried it out, how it ended and who was told; of an open run, where it stands.
///
/// Reads the claim store and the history that the configuration names, and the scenario files for
/// what the history lacks. Needs neither PagerDuty's token nor a webhook secret, and changes nothing.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ams explain Q1ABCDEFGHIJKL --config /etc/ams/ams.yaml
  ams explain https://example.pagerduty.com/incidents/Q1ABCDEFGHIJKL --lang en
  ams explain Q1ABCDEFGHIJKL --run 1 --format json

Exit codes: 0 told, 1 the store knows no such incident or run, 2 could not run (configuration, store).")]
pub struct Args {
    /// Id of the incident in PagerDuty, or its address there
    #[arg(value_name = "INCIDENT", value_parser = incident)]
    incident: IncidentId,
    /// Settings of the region (docs/operations/configuration.md)
    #[arg(long, value_name = "FILE", default_value = "ams.yaml")]
    config: PathBuf,
    /// A run before the latest one, counted from 1
    #[arg(long, value_name = "N")]
    run: Option<u32>,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Language of what people read, in place of the configuration's
    #[arg(long, value_enum)]
    lang: Option<LangArg>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Text,
    Json,
}

/// An id, or what the browser's address bar has.
fn incident(text: &str) -> Result<IncidentId, String> {
    let id = match text.rsplit_once("/incidents/") {
        Some((_, behind)) => behind.split(['/', '?', '#']).next().unwrap_or(behind),
        None => text.trim(),
    };
    IncidentId::parse(id).ok_or_else(|| "an incident id has letters and digits only".to_owned())
}

/// Between two looks at the owner's heartbeat, at least; twice its interval if that is longer.
const LOOK_AGAIN: Duration = Duration::from_millis(1_200);
const LOOK_LONGEST: Duration = Duration::from_secs(5);

pub async fn run(args: Args) -> ExitCode {
    let records = match Records::load(&args.config, &environment()) {
        Ok(records) => records,
        Err(findings) => {
            findings.iter().for_each(print::err);
            return ExitCode::from(exit::CANNOT);
        }
    };
    let lang = args.lang.map_or(records.lang, LangArg::lang);
    match explain(&args, &records, lang).await {
        Ok(Some(text)) => {
            print::out(text);
            ExitCode::from(exit::OK)
        }
        Ok(None) => {
            print::err(unknown(lang, &args));
            ExitCode::from(exit::FINDINGS)
        }
        Err(error) => {
            print::error(&*error);
            ExitCode::from(exit::CANNOT)
        }
    }
}

async fn explain(
    args: &Args,
    records: &Records,
    lang: Lang,
) -> Result<Option<String>, Box<dyn std::error::Error>> {
    if let StoreConfig::Sqlite(path) = &records.store
        && !path.exists()
    {
        // Opening would make an empty one.
        return Err(format!("there is no claim store at {}", path.display()).into());
    }
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let Stores { claims, history, .. } = stores(&records.store, &clock).await?;
    let latest = claims.read(&args.incident).await?;
    let run = args.run.or(latest.as_ref().map(|item| item.run.number)).unwrap_or(1);
    let item = latest.filter(|item| item.run.number == run);
    let id = RunId { incident: args.incident.clone(), number: run };
    let (story, unread) = match story(history, &id).await {
        Ok(story) => (story, None),
        Err(why) => (None, Some(why)),
    };
    let (heartbeat, anyone_alive) = match item.as_ref().filter(|item| item.outcome.is_none()) {
        Some(item) => watch(&*claims, &item.owner, records).await?,
        None => (None, true),
    };
    let files = item.as_ref().and_then(|item| in_files(records, item));
    let evidence = Evidence { item, story, unread, files, heartbeat };
    let Some(account) = Account::of(&evidence, lang, &args.incident, run) else { return Ok(None) };
    // What was kept was masked as the settings were then.
    Ok(Some(match args.format {
        Format::Json => {
            let mut json = serde_json::to_value(&account)?;
            mask_texts(&mut json, &records.mask);
            serde_json::to_string_pretty(&json)?
        }
        Format::Text => {
            let (zone, lease_seconds) = (records.zone.clone(), records.lease.lease.as_secs());
            let style = Style { lang, zone, lease_seconds, anyone_alive };
            records.mask.apply(&style.write(&account))
        }
    }))
}

fn mask_texts(json: &mut Value, mask: &Mask) {
    match json {
        Value::String(text) => *text = mask.apply(text),
        Value::Array(items) => items.iter_mut().for_each(|item| mask_texts(item, mask)),
        Value::Object(fields) => fields.values_mut().for_each(|value| mask_texts(value, mask)),
        _ => {}
    }
}

/// What the history has of it; `Err` says why that is not known.
async fn story(
    history: Result<Arc<dyn History>, HistoryError>,
    run: &RunId,
) -> Result<Option<RunStory>, String> {
    let history = history.map_err(|error| error.to_string())?;
    let text = history.read_story(run).await.map_err(|error| error.to_string())?;
    text.map(|text| RunStory::of_text(&text).map_err(|error| error.to_string())).transpose()
}

/// Does its owner show life, and does anybody?
async fn watch(
    claims: &dyn ClaimStore,
    owner: &Owner,
    records: &Records,
) -> Result<(Option<Heartbeat>, bool), StoreError> {
    let first = claims.heartbeats().await?;
    let pause = (records.lease.beat_every * 2).clamp(LOOK_AGAIN, LOOK_LONGEST);
    tokio::time::sleep(pause).await;
    let then = claims.heartbeats().await?;
    let number = |beats: &[(Owner, u64)], owner: &Owner| {
        beats.iter().find(|(it, _)| it == owner).map(|(_, number)| *number)
    };
    let is_alive = |owner: &Owner| number(&first, owner) != number(&then, owner);
    let beat = match number(&then, owner) {
        None => Heartbeat::Gone,
        Some(_) if is_alive(owner) => Heartbeat::Alive,
        Some(_) => Heartbeat::Still,
    };
    Ok((Some(beat), then.iter().any(|(owner, _)| is_alive(owner))))
}

/// The run's scenario as the files have it now. Files that cannot be read are as good as none.
fn in_files(records: &Records, item: &RunItem) -> Option<InFiles> {
    let named = item.scenario.as_ref()?;
    let catalog = Catalog::load(records.scenarios.as_ref()?, None).ok()?;
    let scenario = catalog.by_id(&named.id)?;
    Some(InFiles { hash: scenario.hash.clone(), known: ScenarioKnown::of(scenario) })
}

fn unknown(lang: Lang, args: &Args) -> String {
    let incident = &args.incident;
    match (lang, args.run) {
        (Lang::Ja, Some(run)) => {
            format!("インシデント {incident} の対応 {run} 回目の記録はありません。")
        }
        (Lang::En, Some(run)) => {
            format!("Nothing is recorded of run {run} of incident {incident}.")
        }
        (Lang::Ja, None) => format!(
            "インシデント {incident} の記録はありません。考えられるのは次のいずれかです。\n\
             - Webhook が AMS に届いていない（PagerDuty の Webhook 設定を確認してください）\n\
             - 人が先に対応したため、AMS は手を付けていない\n\
             - 終了から 96 時間を過ぎて削除された\n\
             - この設定の store が、対応したリージョンのものと違う"
        ),
        (Lang::En, None) => format!(
            "Nothing is recorded of incident {incident}. It may be that\n\
             - its webhook never came to AMS (see the webhook subscription in PagerDuty)\n\
             - people had it before AMS did, so AMS left it alone\n\
             - it ended more than 96 hours ago and was swept\n\
             - this configuration names another store than the regions that had it"
        ),
    }
}
