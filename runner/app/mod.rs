//! The composition root: configuration in, a running region out. The only file that knows every
//! adapter.

mod rules;
mod stores;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::aws::Aws;
use crate::aws::own::Own;
use crate::aws::secrets::Vault;
use crate::aws::sessions::Sessions;
use crate::aws::signed::Signed;
use crate::claim::heartbeat::Pulse;
use crate::claim::ledger::Ledger;
use crate::claim::measured::Measured;
use crate::claim::{ClaimStore, Claims, StoreError};
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, EvidenceConfig, LastResortConfig, PagerDutyConfig, PagingConfig};
use crate::early::EarlyEnds;
use crate::evidence::{Evidence, Keeping, Store};
use crate::execute::aws_api::AwsCalls;
use crate::execute::detached::Detached;
use crate::execute::dispatch::Actuators;
use crate::execute::http::HttpRequests;
use crate::execute::instances::Instances;
use crate::execute::local::LocalCommands;
use crate::execute::run::Executor;
use crate::execute::sources::{LookUp, NoLookUp, Sources};
use crate::execute::ssh::SshCommands;
use crate::execute::ssm::{SsmCommands, Terms};
use crate::execute::tcp::TcpConnections;
use crate::finding::Finding;
use crate::guard::Guards;
use crate::handoff::Paging;
use crate::handoff::last_resort::LastResort;
use crate::handoff::last_resort::events::Events;
use crate::handoff::last_resort::message::{Channel, Mailbox};
use crate::handoff::ways::Ways;
use crate::history::HistoryError;
use crate::incident::Owner;
use crate::limits;
use crate::metrics::Metrics;
use crate::metrics::vitals::Line;
use crate::mirror::{Mirror, MirrorError};
use crate::pipeline::{Pipeline, PipelineIntake};
use crate::receive::http::Receiver;
use crate::receive::queue::Queue;
use crate::reconcile::reconcile_until;
use crate::reload::{Print, Reload};
use crate::report::note::Style;
use crate::report::pagerduty::{self, PagerDuty};
use crate::report::questions::PlatformQuestions;
use crate::report::reporter::Reporter;
use crate::rotate::Rotation;
use crate::rules::Rules;
use crate::runs::Runs;
use crate::scenario::catalog::CatalogError;
use crate::shadow;
use crate::sweep::sweep_until;
use crate::watched;

pub use stores::{Stores, stores};

/// Why a region did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    #[error(transparent)]
    Scenarios(#[from] CatalogError),
    #[error("there is no scenario file (*.yaml) in {}", path.display())]
    NoScenarioFile { path: PathBuf },
    #[error("none of the scenario files in {} can be used", path.display())]
    NoScenario { path: PathBuf, findings: Vec<Finding> },
    #[error("scenarios cannot be fetched: {0}")]
    Mirror(#[from] MirrorError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    History(#[from] HistoryError),
    #[error("the customers in {} cannot be read: {source}", path.display())]
    Customers { path: PathBuf, source: std::io::Error },
    #[error("cannot make an HTTP client: {0}")]
    HttpClient(#[from] reqwest::Error),
    #[error("cannot listen on {address}: {source}")]
    Listen { address: SocketAddr, source: std::io::Error },
    #[error("cannot create {}: {source}", path.display())]
    Folder { path: PathBuf, source: std::io::Error },
    #[error("evidence goes to a bucket, and AWS's tools find no credentials for it")]
    NoCredentials,
    #[error("cannot tell people beside PagerDuty: {0}")]
    Ways(String),
    #[error(transparent)]
    Queue(#[from] crate::aws::sqs::OpenError),
    #[error("cannot make the PagerDuty client: {0}")]
    PagerDuty(String),
}

/// A region that is listening.
pub struct App {
    pub address: SocketAddr,
    pub pipeline: Arc<Pipeline>,
    config: Config,
    listener: TcpListener,
    receiver: Receiver,
    queue: Option<Queue>,
    vault: Option<Vault>,
    mirrors: Vec<Mirror>,
    print: Print,
}

impl App {
    /// Loads, connects and listens; takes no webhook before [`Self::run`].
    pub async fn start(config: Config, vault: Option<Vault>) -> Result<Self, StartError> {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let mirrors = rules::mirrors(&config, &clock).await?;
        let print = Print::of(&config.scenarios, config.customers.as_deref());
        let set = rules::load(&config)?;
        let loaded = set.catalog.scenarios.len();
        make_folder(&config.evidence.directory)?;
        let Stores { claims: store, ledger, history } = stores(&config.store, &clock).await?;
        let metrics = Metrics::default();
        let store: Arc<dyn ClaimStore> = Arc::new(Measured::new(store, &metrics.measures));
        let ledger: Arc<dyn Ledger> = Arc::new(Measured::new(ledger, &metrics.measures));
        let history = history?;
        let owner = Owner::of_new_process(&config.region);
        let claims = Claims::new(store, owner, Arc::clone(&clock));
        let pulse = Pulse::new(config.lease);
        // Without a first sign of life nothing may be claimed, and readiness says so.
        pulse.goes_by(set.version());
        pulse.beat(&claims, 1).await;

        metrics.rules_loaded.set(i64::try_from(loaded).unwrap_or(i64::MAX));
        let reporter = reporter(&config, &metrics)?;
        let evidence = evidence(&config, &metrics, &clock).await?;
        let actuator = actuators(&config, &reporter).await?;
        let sources = sources(&reporter, actuator.ssm.sessions(), &clock)?;
        let kept = Arc::clone(&actuator);
        let actuator = Arc::new(Keeping { actuator, evidence: evidence.clone() });
        let ways = Ways::open(&config.ways).map_err(StartError::Ways)?;
        let pipeline = Arc::new(Pipeline {
            region: config.region.clone(),
            vars: config.vars.clone(),
            executor: Executor {
                guards: Guards::new(ledger, Arc::clone(claims.store())),
                limits: config.limits.clone(),
                rules: Rules::new(set),
                claims,
                pulse,
                actuator,
                clock,
                history,
                sources,
            },
            reporter,
            paging: paging(&config, &ways, &metrics)?,
            bot_user: config.pagerduty.bot_user.clone(),
            runs: Runs::new(metrics.clone()),
            early_ends: EarlyEnds::default(),
            evidence,
            ways,
            metrics: metrics.clone(),
            witness: None,
        });
        watched::watch(&pipeline, &kept);
        let listener = TcpListener::bind(config.listen)
            .await
            .map_err(|source| StartError::Listen { address: config.listen, source })?;
        let address = listener
            .local_addr()
            .map_err(|source| StartError::Listen { address: config.listen, source })?;
        let receiver = Receiver {
            intake: Arc::new(PipelineIntake(Arc::clone(&pipeline))),
            secrets: config.webhook_secrets.clone().into(),
            keys: config.eventbridge.keys.clone().into(),
            has_queue: config.eventbridge.queue.is_some(),
            bot_user: config.pagerduty.bot_user.as_str().into(),
            metrics,
        };
        let queue = config.eventbridge.queue.clone();
        let queue = Queue::open(queue, &receiver, &pipeline.executor.clock).await?;
        Ok(Self { address, pipeline, config, listener, receiver, queue, vault, mirrors, print })
    }

    /// Serves until `shutdown` resolves; then finishes or releases what it holds.
    ///
    /// The heartbeat outlives everything else: while runs are being finished they must not be
    /// taken over.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> std::io::Result<()> {
        let Self { pipeline, config, listener, receiver, queue, vault, mirrors, print, .. } = self;
        let (stop_sweep, stop_server, stop_heart) =
            (CancellationToken::new(), CancellationToken::new(), CancellationToken::new());
        let claims = pipeline.claims().clone();
        let heart = pipeline.executor.pulse.clone().beat_until(claims, stop_heart.clone());
        let heart = tokio::spawn(heart);
        let sweep = tokio::spawn(sweep_until(Arc::clone(&pipeline), stop_sweep.clone()));
        let reload = Reload {
            scenarios: config.scenarios.clone(),
            customers: config.customers.clone(),
            vars: config.vars.clone(),
            variables: config.variables.clone(),
            every: config.reload_every,
            loaded: print,
            rules: pipeline.rules().clone(),
            metrics: pipeline.metrics.clone(),
        };
        let reload = tokio::spawn(reload.look_until(stop_sweep.clone()));
        let (every, metrics) = (config.reload_every * limits::MIRROR_LOOKS, &pipeline.metrics);
        for mirror in mirrors {
            // Nobody waits for it: a copy that is cut off is not in place.
            tokio::spawn(mirror.look_until(every, metrics.clone(), stop_sweep.clone()));
        }
        let rotation = Rotation {
            secrets: config.secrets(),
            vault,
            every: config.secrets_every,
            learned: config.learned.clone(),
            metrics: pipeline.metrics.clone(),
        };
        let rotation = tokio::spawn(rotation.look_until(stop_sweep.clone()));
        let every = config.reconcile_every;
        let reconcile = reconcile_until(Arc::clone(&pipeline), every, stop_sweep.clone());
        let reconcile = tokio::spawn(reconcile);
        tokio::spawn(tell_figures(pipeline.metrics.clone(), stop_sweep.clone()));
        let shadow = shadow::look_until(Arc::clone(&pipeline), every * 3, stop_sweep.clone());
        let shadow = tokio::spawn(shadow);
        let queue = queue.map(|queue| tokio::spawn(queue.take_until(stop_sweep.clone())));
        let server = axum::serve(listener, receiver.router())
            .with_graceful_shutdown(stop_server.clone().cancelled_owned());
        let mut server = tokio::spawn(server.into_future());

        tokio::select! {
            () = shutdown => {}
            ended = &mut server => return ended.unwrap_or_else(|error| Err(std::io::Error::other(error))),
        }
        tracing::info!("stopping: no further webhooks are taken; open runs end or are released");
        stop_sweep.cancel();
        if let Some(queue) = queue {
            finish("the queue", queue).await;
        }
        pipeline.runs.drain(config.shutdown_grace).await;
        stop_server.cancel();
        finish("the server", server).await;
        finish("the sweep", sweep).await;
        finish("the reload", reload).await;
        finish("the look for exchanged secrets", rotation).await;
        finish("the reconciliation", reconcile).await;
        finish("the look for ends of runs in shadow", shadow).await;
        stop_heart.cancel();
        finish("the heartbeat", heart).await;
        Ok(())
    }
}

/// The first line when it is known who else is alive.
async fn tell_figures(metrics: Metrics, stop: CancellationToken) {
    let mut line = Line::new(metrics);
    while stop.run_until_cancelled(tokio::time::sleep(limits::FIGURES_EVERY)).await.is_some() {
        line.write();
    }
}

/// Waits for a task that was told to stop, but not for ever: a client may hold a connection open.
async fn finish<T>(what: &str, task: JoinHandle<T>) {
    const PATIENCE: std::time::Duration = std::time::Duration::from_secs(2);
    let abort = task.abort_handle();
    if tokio::time::timeout(PATIENCE, task).await.is_err() {
        tracing::debug!("{what} did not stop by itself");
        abort.abort();
    }
}

fn make_folder(path: &Path) -> Result<(), StartError> {
    std::fs::create_dir_all(path)
        .map_err(|source| StartError::Folder { path: path.to_owned(), source })
}

async fn actuators(config: &Config, reporter: &Reporter) -> Result<Arc<Actuators>, StartError> {
    let detached = Detached::open(&config.commands)
        .map_err(|source| StartError::Folder { path: config.commands.clone(), source })?;
    let (evidence, inherited) = (config.evidence.directory.clone(), config.inherited.clone());
    let folder = config.commands.join("ssh");
    let ssh = SshCommands::open(
        evidence.clone(),
        folder.clone(),
        inherited.clone(),
        config.host_markers.clone(),
        Arc::new(SystemClock),
    )
    .map_err(|source| StartError::Folder { path: folder, source })?;
    let aws = match &config.aws {
        Some(settings) => Some(Aws::connect(settings).await),
        None => None,
    };
    let http = reqwest::Client::builder().redirect(reqwest::redirect::Policy::none()).build()?;
    let (places, clock) = (config.host_markers.clone(), Arc::new(SystemClock));
    let endpoint = config.aws.as_ref().and_then(|settings| settings.endpoint.clone());
    let ssm = SsmCommands::new(evidence.clone(), (aws, http), places, clock, Terms::default());
    let aws = AwsCalls {
        evidence_dir: evidence.clone(),
        sessions: ssm.sessions(),
        signed: Signed::new(Arc::new(SystemClock))?,
        endpoint,
    };
    Ok(Arc::new(Actuators {
        aws,
        local: LocalCommands::new(evidence, detached, inherited),
        ssh,
        ssm,
        http: HttpRequests::new(config.evidence.directory.clone())?,
        tcp: TcpConnections,
        platform: Arc::new(PlatformQuestions(Arc::clone(&reporter.platform))),
    }))
}

/// Whom runs ask which hosts they are about.
fn sources(
    reporter: &Reporter,
    sessions: Option<Arc<Sessions>>,
    clock: &Arc<dyn Clock>,
) -> Result<Sources, StartError> {
    let alerts = PlatformQuestions(Arc::clone(&reporter.platform));
    let look_up: Arc<dyn LookUp> = match sessions {
        Some(sessions) => Arc::new(Instances::new(sessions, Signed::new(Arc::clone(clock))?)),
        None => Arc::new(NoLookUp),
    };
    Ok(Sources { alerts: Arc::new(alerts), look_up })
}

/// Outputs stay where they are written, or go on to a bucket.
async fn evidence(
    config: &Config,
    metrics: &Metrics,
    clock: &Arc<dyn Clock>,
) -> Result<Evidence, StartError> {
    let EvidenceConfig { directory, kept, bucket } = config.evidence.clone();
    let evidence = Evidence::new(directory, kept, metrics.clone());
    let Some(bucket) = bucket else { return Ok(evidence) };
    let own =
        Own::find(&bucket.region, Arc::clone(clock)).await.ok_or(StartError::NoCredentials)?;
    let signed = Signed::new(Arc::clone(clock))?;
    Ok(evidence.stored_in(Store { bucket, signed, own }))
}

/// Whom to page beside the incident's own people, and how they are told where none can be paged.
fn paging(config: &Config, ways: &Ways, metrics: &Metrics) -> Result<Paging, StartError> {
    let PagingConfig { fallback, within, .. } = config.pagerduty.paging.clone();
    let LastResortConfig { events, channel, mail } = config.last_resort.clone();
    let mut last_resorts: Vec<Arc<dyn LastResort>> = Vec::new();
    if let Some(events) = events {
        last_resorts.push(Arc::new(Events::new(events)?));
    }
    if let (Some(slack), Some(id)) = (ways.slack.clone(), channel) {
        last_resorts.push(Arc::new(Channel { slack, id, clock: Arc::new(SystemClock) }));
    }
    if let Some(email) = ways.email.clone().filter(|_| !mail.is_empty()) {
        last_resorts.push(Arc::new(Mailbox { email, to: mail }));
    }
    for way in &last_resorts {
        metrics.has_last_resort(way.way());
    }
    Ok(Paging { fallback, within, last_resorts })
}

fn reporter(config: &Config, metrics: &Metrics) -> Result<Reporter, StartError> {
    let PagerDutyConfig { url, token, from, requests_per_minute: requests, .. } = &config.pagerduty;
    let settings = pagerduty::Settings::new(url.clone(), token.clone(), from.clone());
    let settings =
        pagerduty::Settings { requests: *requests, metrics: metrics.clone(), ..settings };
    let platform =
        PagerDuty::new(settings).map_err(|error| StartError::PagerDuty(error.to_string()))?;
    let platform = Arc::new(platform);
    let waiting = Arc::clone(&platform);
    let queue = limits::PAGERDUTY_QUEUE;
    metrics.measures.bound("pagerduty_requests", queue, move || waiting.waiting());
    let mask = config.masks();
    let style = Style { lang: config.lang, zone: config.zone.clone(), mask };
    Ok(Reporter {
        platform,
        style: Arc::new(style),
        metrics: metrics.clone(),
        acknowledge: config.pagerduty.paging.acknowledge,
        fields: Arc::new(config.pagerduty.custom_fields.clone()),
    })
}
