//! `ams serve`: the runner of one region.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};

use crate::app::{App, StartError};
use crate::aws::secrets::Vault;
use crate::commands::traces::Traces;
use crate::commands::{exit, log, print};
use crate::config::{Config, environment};
use crate::finding::Finding;
use crate::rotate;

/// Run one region: receive webhooks, claim incidents, carry out scenarios.
///
/// Takes SIGTERM and SIGINT: runs that wait or look are released to the other region at once; a
/// recovery that is under way gets `shutdown_grace`. A SIGINT after that stops at once.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  AMS_PAGERDUTY_TOKEN=… AMS_WEBHOOK_SECRET=… ams serve --config /etc/ams/ams.yaml

Exit codes: 0 stopped in good order, 2 could not start (every problem of the configuration is listed).")]
pub struct Args {
    /// Settings; the environment can override most of them (docs/operations/configuration.md)
    #[arg(long, value_name = "FILE")]
    config: PathBuf,
}

pub async fn run(args: Args) -> ExitCode {
    let (config, vault) = match load(&args.config).await {
        Ok(loaded) => loaded,
        Err(findings) => {
            let problems = if findings.len() == 1 { "problem" } else { "problems" };
            print::err(format_args!("{} {problems} with the configuration:", findings.len()));
            findings.iter().for_each(print::err);
            return ExitCode::from(exit::CANNOT);
        }
    };
    let traces = match config.traces.as_ref().map(|it| Traces::start(it, &config.region)) {
        Some(Ok(traces)) => Some(traces),
        // Nobody is to go without a first response for want of a trace.
        Some(Err(reason)) => {
            print::err(format_args!("warning: no traces are sent: {reason}"));
            None
        }
        None => None,
    };
    log::start(&config.log, config.masks(), traces.as_ref());
    let code = Box::pin(serve(config, vault)).await;
    if let Some(traces) = traces {
        traces.stop().await;
    }
    code
}

async fn load(path: &Path) -> Result<(Config, Option<Vault>), Vec<Finding>> {
    let config = Config::load(path, &environment())?;
    let vault = rotate::fetch(path, &config.secrets(), config.aws.as_ref()).await?;
    Ok((config, vault))
}

async fn serve(config: Config, vault: Option<Vault>) -> ExitCode {
    let region = config.region.clone();
    let app = match Box::pin(App::start(config, vault)).await {
        Ok(app) => app,
        Err(error) => {
            print::error(&error);
            if let StartError::NoScenario { findings, .. } = &error {
                findings.iter().for_each(print::err);
            }
            return ExitCode::from(exit::CANNOT);
        }
    };
    let shutdown = match shutdown_signal() {
        Ok(signal) => signal,
        Err(error) => {
            print::error(&error);
            return ExitCode::from(exit::CANNOT);
        }
    };
    // The first line of standard output tells scripts where it listens; logs go to standard error.
    print::out(format_args!("ams {region} listening on http://{}", app.address));
    let rules = app.pipeline.rules().current();
    let scenarios = rules.catalog.scenarios.len();
    tracing::info!(
        region = %region, address = %app.address, scenarios, rules = rules.version(),
        owner = %app.pipeline.claims().owner(),
        "region {region} is ready with {scenarios} scenarios",
    );
    match app.run(shutdown).await {
        Ok(()) => ExitCode::from(exit::OK),
        Err(error) => {
            print::error(&error);
            ExitCode::from(exit::CANNOT)
        }
    }
}

/// Resolves at the first SIGTERM or SIGINT. After that a SIGINT stops the process at once; a
/// SIGTERM does not, because a terminal and a supervisor may each send one for the same stop.
fn shutdown_signal() -> std::io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tokio::spawn(async move {
            interrupt.recv().await;
            print::err("stopped at once; open runs are taken over when their lease ends");
            std::process::abort();
        });
    })
}
