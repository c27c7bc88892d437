//! A stand-in for PagerDuty: the other system's state, its REST API and its webhooks.
//!
//! It behaves as PagerDuty does as far as AMS can tell, and where PagerDuty's behaviour is not
//! documented it takes the variant that is harder on AMS. State is in memory and ends with it.

mod arrange;
mod call;
mod change;
mod deliver;
mod directory;
mod events;
mod faults;
mod json;
mod lists;
mod log;
mod notes;
mod people;
mod refusal;
mod requests;
mod responders;
mod rest;
mod serve;
mod state;
mod subscriptions;
mod timeline;
mod told;
mod trigger;
mod wish;

use std::net::{Ipv4Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::net::TcpListener;
use tokio::runtime::Handle;
use tokio::sync::{Semaphore, watch};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

pub use directory::{BOT, BOT_ONLY, ENGINEER, GAP, MANAGER, NOBODY, PEOPLE_ONLY, POLICY, SERVICE};
pub use events::AlertEvent;
pub use faults::Fault;
pub use refusal::Refusal;
pub use requests::{RecordedRequest, RequestLog};
pub use state::{Agent, Entry, IncidentView, LogEntry, Note, State};
pub use subscriptions::{DeliveryStats, Scope, Subscription};
pub use timeline::{Kind, TimelineEntry};
pub use trigger::NewIncident;

use crate::clock::Clock;
use state::Event;

/// Open connections get this long to end when the stand-in stops.
const STOP_WITHIN: Duration = Duration::from_secs(2);

/// How a stand-in is set up.
#[derive(Clone, Debug)]
pub struct Settings {
    pub listen: SocketAddr,
    /// The account's API key.
    pub token: String,
    pub webhook_secret: String,
    /// The e-mail address of the AMS bot user.
    pub bot_email: String,
    /// Pause before a webhook is sent again.
    pub retry_every: Duration,
    /// How long a receiver of webhooks may take to answer.
    pub answer_within: Duration,
    /// REST requests the key may send in any `rate_window`; PagerDuty allows 960. `None`: any number.
    pub requests_per_minute: Option<u32>,
    /// PagerDuty's is a minute; shorter for tests.
    pub rate_window: Duration,
    /// Of the service that takes events.
    pub routing_key: String,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            token: "sandbox-token".to_owned(),
            webhook_secret: "sandbox-webhook-secret".to_owned(),
            bot_email: "ams-bot@sandbox.example".to_owned(),
            retry_every: Duration::from_secs(5),
            answer_within: Duration::from_secs(5),
            requests_per_minute: None,
            rate_window: Duration::from_mins(1),
            routing_key: "sandbox-routing-key-0123456789abc".to_owned(),
        }
    }
}

/// A handle on a running stand-in; clones are the same stand-in.
#[derive(Clone)]
pub struct StandIn {
    shared: Arc<Shared>,
    address: SocketAddr,
}

struct Shared {
    settings: Settings,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    /// Counts changes, for those who wait for one.
    changed: watch::Sender<u64>,
    http: reqwest::Client,
    deliveries: Semaphore,
    stop: CancellationToken,
    tasks: TaskTracker,
    runtime: Handle,
}

impl StandIn {
    pub async fn start(settings: Settings, clock: Arc<dyn Clock>) -> std::io::Result<Self> {
        let listener = TcpListener::bind(settings.listen).await?;
        let address = listener.local_addr()?;
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .build()
            .map_err(std::io::Error::other)?;
        let shared = Arc::new(Shared {
            state: Mutex::new(State::seeded(&settings.bot_email)),
            settings,
            clock,
            changed: watch::Sender::new(0),
            http,
            deliveries: Semaphore::new(deliver::DELIVERIES_AT_ONCE),
            stop: CancellationToken::new(),
            tasks: TaskTracker::new(),
            runtime: Handle::current(),
        });
        shared.tasks.spawn(serve::run(Arc::clone(&shared), listener));
        Ok(Self { shared, address })
    }

    /// Base of the REST API.
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Where events for [`Settings::routing_key`] go.
    pub fn events_url(&self) -> String {
        format!("{}/v2/enqueue", self.url())
    }

    /// Events that were accepted, oldest first.
    pub fn alert_events(&self) -> Vec<AlertEvent> {
        self.look(|state| state.alert_events.clone())
    }

    /// One more receiver of all events; returns the subscription's id.
    pub fn subscribe(&self, receiver_url: &str) -> String {
        self.shared.update(|state| state.subscribe(receiver_url, None))
    }

    pub fn incident(&self, id: &crate::incident::IncidentId) -> Option<IncidentView> {
        self.look(|state| state.incident(id).cloned())
    }

    /// All of them, oldest first.
    pub fn incidents(&self) -> Vec<IncidentView> {
        self.look(|state| state.incidents().to_vec())
    }

    /// What people see of an incident, oldest first; empty for one that does not exist.
    pub fn timeline(&self, id: &crate::incident::IncidentId) -> Vec<TimelineEntry> {
        self.look(|state| {
            let found = state.incident(id);
            found.map_or_else(Vec::new, |one| timeline::timeline(&state.directory, one))
        })
    }

    pub fn look<R>(&self, at: impl FnOnce(&State) -> R) -> R {
        let state = self.shared.state.lock();
        at(&state.unwrap_or_else(PoisonError::into_inner))
    }

    /// True as soon as the state is so; false if it is not within the time.
    pub async fn wait_for(&self, within: Duration, what: impl Fn(&State) -> bool) -> bool {
        let mut changes = self.shared.changed.subscribe();
        let wait = async {
            while !self.look(&what) {
                if changes.changed().await.is_err() {
                    return false;
                }
            }
            true
        };
        tokio::time::timeout(within, wait).await.unwrap_or(false)
    }

    /// True as soon as no webhook waits for delivery.
    pub async fn deliveries_settled(&self, within: Duration) -> bool {
        self.wait_for(within, |state| state.undelivered() == 0).await
    }

    pub fn undelivered(&self) -> usize {
        self.look(State::undelivered)
    }

    /// How a subscription's deliveries went so far.
    pub fn deliveries(&self, subscription: &str) -> Option<DeliveryStats> {
        self.look(|state| {
            let mut all = state.subscriptions().iter();
            all.find(|one| one.id == subscription).map(|one| one.stats)
        })
    }

    /// The last 20,000 REST requests, oldest first.
    pub fn recorded_requests(&self) -> Vec<RecordedRequest> {
        self.look(|state| state.requests().recent().cloned().collect())
    }

    /// How many REST requests came in for a method and a path template.
    pub fn request_count(&self, method: &str, template: &str) -> u64 {
        self.look(|state| state.requests().count(method, template))
    }

    /// The next `n` REST requests meet this fault.
    pub fn fail_next(&self, n: usize, fault: Fault) {
        self.shared.update(|state| state.faults.plan(n, fault, None));
    }

    /// As `fail_next`, for one method and path template (`PUT`, `/incidents/{id}`).
    pub fn fail_next_of(&self, n: usize, fault: Fault, method: &str, template: &str) {
        let only = Some((method, template));
        self.shared.update(|state| state.faults.plan(n, fault, only));
    }

    /// Whether events of from now on reach nobody, as when a subscription was switched off.
    pub fn lose_webhooks(&self, lose: bool) {
        self.shared.update(|state| state.faults.loses_webhooks = lose);
    }

    /// Forgets all planned faults.
    pub fn heal(&self) {
        self.shared.update(|state| state.faults.clear());
    }

    /// Ends serving and delivering. Webhooks that still wait are lost.
    pub async fn stop(self) {
        self.shared.stop.cancel();
        self.shared.tasks.close();
        let ended = tokio::time::timeout(STOP_WITHIN, self.shared.tasks.wait()).await;
        if ended.is_err() {
            tracing::warn!("the PagerDuty stand-in stopped with connections still open");
        }
    }
}

impl Shared {
    fn update<R>(&self, change: impl FnOnce(&mut State) -> R) -> R {
        let result = {
            let state = self.state.lock();
            change(&mut state.unwrap_or_else(PoisonError::into_inner))
        };
        self.changed.send_modify(|count| *count += 1);
        result
    }

    /// Lets something happen now and sends the events it causes.
    fn act<R>(
        self: &Arc<Self>,
        what: impl FnOnce(&mut State, Timestamp) -> Result<(R, Vec<Event>), Refusal>,
    ) -> Result<R, Refusal> {
        let now = self.clock.now();
        let (result, queues) = self.update(|state| {
            let (result, events) = what(state, now)?;
            Ok((result, state.enqueue(&events, now)))
        })?;
        for queue in queues {
            deliver::start(self, queue);
        }
        Ok(result)
    }
}
