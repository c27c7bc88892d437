//! `ams sandbox`: the whole thing on one machine.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::time::Instant;

use crate::claim::sqlite::SqliteClaims;
use crate::clock::SystemClock;
use crate::commands::{exit, print};
use crate::lang::Lang;
use crate::report::title;
use crate::sandbox::cases::Case;
use crate::sandbox::cluster::{Cluster, Plan, ScratchFolder};
use crate::sandbox::control::Control;
use crate::sandbox::judge::{Fired, Judged, judge};
use crate::sandbox::pagerduty::{ENGINEER, NewIncident, Settings};
use crate::sandbox::patients::Patients;
use crate::sandbox::story;

/// Show the whole of AMS on this machine: a stand-in PagerDuty, two regions, real services that
/// break.
///
/// Without --once it keeps running and prints how to fire incidents.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ams sandbox --once             fire every sample incident, print each timeline, exit
  ams sandbox                    keep running; fire incidents with curl

Exit codes: 0 every incident ended as it should, 1 some did not, 2 could not run.")]
pub struct Args {
    /// Fire every sample incident once, print each timeline and exit
    #[arg(long)]
    once: bool,
    /// Keep everything the sandbox writes in this folder
    #[arg(long, value_name = "FOLDER")]
    folder: Option<PathBuf>,
    /// Language of titles, notes and this output: ja or en (default: from LANG)
    #[arg(long, value_name = "LANG", value_parser = parse_lang)]
    lang: Option<Lang>,
}

/// A sample incident must have ended by then.
const CASE_WITHIN: Duration = Duration::from_mins(1);

fn parse_lang(word: &str) -> Result<Lang, String> {
    let found = Lang::WORDS.iter().find(|(known, _)| *known == word);
    found.map(|(_, lang)| *lang).ok_or_else(|| "write ja or en".to_owned())
}

pub async fn run(args: Args) -> ExitCode {
    let lang = args.lang.unwrap_or_else(|| {
        let env = crate::config::environment();
        let said = ["LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(|name| env.get(*name));
        if said.is_some_and(|lang| lang.starts_with("ja")) { Lang::Ja } else { Lang::En }
    });
    match sandbox(&args, lang).await {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            print::error(&error);
            ExitCode::from(exit::CANNOT)
        }
    }
}

async fn sandbox(args: &Args, lang: Lang) -> std::io::Result<u8> {
    let mut scratch = ScratchFolder::create(args.folder.as_deref())?;
    let exe = std::env::current_exe()?;
    let patients = Arc::new(Patients::admit(scratch.path(), &exe)?);
    let cluster = Cluster::start(Plan {
        exe,
        folder: scratch.path().to_owned(),
        scenarios: patients.scenarios(),
        regions: vec!["tokyo".to_owned(), "osaka".to_owned()],
        vars: patients.vars(),
        lang: Lang::WORDS[story::index(lang)].0.to_owned(),
        settings: String::new(),
        environment: BTreeMap::new(),
        stores: BTreeMap::new(),
        subscribes: true,
        pagerduty: Settings::default(),
        clock: Arc::new(SystemClock),
    })
    .await?;
    let code = if args.once {
        // Interrupted, it still stops the services it started.
        tokio::select! {
            code = once(&cluster, &patients, lang) => code,
            _ = tokio::signal::ctrl_c() => Ok(exit::CANNOT),
        }
    } else {
        keep_running(&cluster, &patients, scratch.path()).await
    };
    patients.discharge().await;
    let code = code?;
    let died = cluster.stop().await;
    for region in &died {
        print::err(format_args!("error: region {region} had died or did not stop well"));
    }
    let code = if died.is_empty() { code } else { exit::FINDINGS };
    if code != exit::OK {
        scratch.keep = true;
        print::err(format_args!("logs and stores are kept in {}", scratch.path().display()));
    }
    Ok(code)
}

/// Fires every case at once, then tells each story in order.
async fn once(cluster: &Cluster, patients: &Arc<Patients>, lang: Lang) -> std::io::Result<u8> {
    let began = Instant::now();
    let store = SqliteClaims::open(&cluster.claims(), Arc::new(SystemClock))
        .map_err(std::io::Error::other)?;
    let mut fired = Vec::new();
    for case in Case::ALL {
        let title = case.break_it(patients).await?;
        let incident = cluster.pagerduty.trigger(NewIncident::titled(&title));
        let incident = incident.map_err(|refusal| std::io::Error::other(refusal.message))?;
        fired.push(Fired { case, incident });
    }
    take_over_as_a_person(cluster, &fired).await;
    let mut all: Vec<Judged> = Vec::new();
    for (number, fired) in (1..).zip(fired) {
        let terms = (story::index(lang), CASE_WITHIN);
        let Some(judged) = judge(cluster, &store, patients, fired, terms).await else { continue };
        print::out(story::timeline(&cluster.pagerduty, &judged, number, lang));
        all.push(judged);
    }
    cluster.pagerduty.deliveries_settled(CASE_WITHIN).await;
    print::out(story::summary(&all, began.elapsed().as_secs_f64(), lang));
    let good = all.len() == Case::ALL.len() && all.iter().all(|judged| judged.wrong.is_empty());
    Ok(if good { exit::OK } else { exit::FINDINGS })
}

/// Somebody sees in the title that AMS is at it, and acknowledges.
async fn take_over_as_a_person(cluster: &Cluster, fired: &[Fired]) {
    let Some(Fired { incident, .. }) =
        fired.iter().find(|fired| fired.case == Case::PersonTakesOver)
    else {
        return;
    };
    let is_at_it =
        |view: &crate::sandbox::pagerduty::IncidentView| title::original(&view.title) != view.title;
    let seen = cluster
        .pagerduty
        .wait_for(CASE_WITHIN, |state| state.incident(incident).is_some_and(is_at_it))
        .await;
    if seen && let Err(refusal) = cluster.pagerduty.acknowledge_as(ENGINEER, incident) {
        print::err(format_args!("the acknowledgement was refused: {}", refusal.message));
    }
}

async fn keep_running(
    cluster: &Cluster,
    patients: &Arc<Patients>,
    folder: &std::path::Path,
) -> std::io::Result<u8> {
    let control = Control { pagerduty: cluster.pagerduty.clone(), patients: Arc::clone(patients) };
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let address = listener.local_addr()?;
    print::out(format_args!("stand-in PagerDuty   {}", cluster.pagerduty.url()));
    for region in &cluster.regions {
        print::out(format_args!("region {:<13} {}", region.name, region.url("/metrics")));
    }
    print::out(format_args!("scenarios            {}", patients.scenarios().display()));
    print::out(format_args!("everything written   {}\n", folder.display()));
    print::out("Fire a sample incident:");
    for case in Case::ALL {
        print::out(format_args!("  curl -X POST http://{address}/fire/{}", case.name()));
    }
    print::out("\nOr one of your own, act as the engineer on call, and look:");
    print::out(format_args!("  curl -X POST http://{address}/trigger -d 'CPU is high on db01'"));
    print::out(format_args!("  curl -X POST http://{address}/acknowledge/INCIDENT"));
    print::out(format_args!("  curl http://{address}/"));
    print::out(format_args!("  curl http://{address}/timeline/INCIDENT"));
    print::out("\nStop with Ctrl-C.");
    control.serve(listener, async { drop(tokio::signal::ctrl_c().await) }).await?;
    Ok(exit::OK)
}
