//! Stands in for everything outside while a test runs: servers, requests, PagerDuty, the clock.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::clock::Clock;
use crate::execute::actuator::{Action, Actuator, Ending, Observation, Order, Output, Program};
use crate::incident::{Incident, IncidentId, Status};
use crate::rehearse::result::Given;
use crate::report::questions::PlatformQuestions;
use crate::report::{
    EscalationPolicy, IncidentChange, IncidentPlatform, Note, OpenIncident, PlatformError, Watched,
};
use crate::scenario::model::Scenario;

/// Wall-clock time that moves with the paused time of the runtime.
pub(super) struct PausedClock {
    from: Timestamp,
    began: Instant,
}

impl PausedClock {
    pub(super) fn at(from: Timestamp) -> Self {
        Self { from, began: Instant::now() }
    }
}

impl Clock for PausedClock {
    fn now(&self) -> Timestamp {
        self.from + SignedDuration::try_from(self.began.elapsed()).unwrap_or_default()
    }
}

/// Gives each step the result its author wrote down.
pub(super) struct Script {
    pub(super) scenario: Arc<Scenario>,
    pub(super) platform: Arc<RecordedPlatform>,
    pub(super) kept: Mutex<Kept>,
}

pub(super) struct Kept {
    pub(super) results: BTreeMap<String, Vec<Given>>,
    pub(super) looks: BTreeMap<String, usize>,
    /// What each step was given last: dotted name → text.
    pub(super) given: BTreeMap<String, BTreeMap<String, String>>,
    /// Steps that ran and have no result in the test.
    pub(super) without_result: Vec<String>,
    /// Names under `results` that were used.
    pub(super) used: Vec<String>,
}

impl Script {
    pub(super) fn kept(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// By `name (entry)`, name, `id (entry)` and id, in this order.
    fn result(&self, order: &Order) -> Option<Given> {
        let step = self.scenario.step(order.step)?;
        let names = std::iter::once(&step.name).chain(&step.id);
        let keys = names.flat_map(|name| {
            let at_entry = order.entry.as_ref().map(|entry| format!("{name} ({entry})"));
            at_entry.into_iter().chain([name.clone()])
        });
        let mut kept = self.kept();
        let shown = match &order.entry {
            Some(entry) => format!("{} ({entry})", step.name),
            None => step.name.clone(),
        };
        kept.given.insert(shown.clone(), given(order));
        let Some(key) = keys.into_iter().find(|key| kept.results.contains_key(key)) else {
            if !matches!(order.action, Action::Ask { .. }) {
                kept.without_result.push(shown);
            }
            return None;
        };
        // Entries of a loop count their looks apart, also where they share a list of results.
        let look = kept.looks.entry(shown).or_default();
        let index = *look;
        *look += 1;
        kept.used.push(key.clone());
        let results = &kept.results[&key];
        results.get(index).or_else(|| results.last()).cloned()
    }
}

/// What the author may compare: `env.NAME`, `on`, `url`, `body`, `address`, `aws` and its fields.
fn given(order: &Order) -> BTreeMap<String, String> {
    let mut given = BTreeMap::new();
    let mut set = |name: String, value: &str| given.insert(name, value.to_owned());
    if let Some(host) = &order.host {
        set("on".to_owned(), &host.name);
    }
    match &order.action {
        Action::Command(command) => {
            for (name, value) in &command.env {
                set(format!("env.{name}"), value);
            }
            if let Program::Exec(argv) = &command.program {
                set("exec".to_owned(), &argv.join(" "));
            }
        }
        Action::Http(request) => {
            set("url".to_owned(), &request.url);
            request.headers.iter().for_each(|(name, value)| {
                set(format!("headers.{name}"), value);
            });
            if let Some(body) = &request.body {
                set("body".to_owned(), body);
            }
        }
        Action::Tcp(address) => {
            set("address".to_owned(), address);
        }
        Action::Aws(call) => {
            set("aws".to_owned(), call.word.word);
            set("account".to_owned(), &call.account.words().account);
            set("region".to_owned(), &call.region);
            for (name, value) in &call.fields {
                set((*name).to_owned(), value);
            }
        }
        Action::Ask { .. } => {}
    }
    given
}

#[async_trait]
impl Actuator for Script {
    async fn act(&self, order: &Order, cancel: &CancellationToken) -> Observation {
        let Some(result) = self.result(order) else {
            if let Action::Ask { .. } = order.action {
                let platform: Arc<dyn IncidentPlatform> = self.platform.clone();
                return PlatformQuestions(platform).act(order, cancel).await;
            }
            return Observation {
                ending: Ending::NotStarted { reason: "the test gives it no result".to_owned() },
                stdout: Output::default(),
                stderr: Output::default(),
                took: Duration::ZERO,
            };
        };
        let took = match result.took {
            _ if result.never_ends() => order.timeout,
            Some(took) => took.min(order.timeout),
            None => Duration::ZERO,
        };
        tokio::time::sleep(took).await;
        result.observation(took)
    }
}

/// PagerDuty as far as one run sees it; remembers what was written.
pub(super) struct RecordedPlatform {
    pub(super) incident: Mutex<Incident>,
    pub(super) alerts: Vec<serde_json::Value>,
    pub(super) open_incidents: Vec<String>,
    pub(super) notes: Mutex<Vec<Note>>,
}

impl RecordedPlatform {
    pub(super) fn incident(&self) -> MutexGuard<'_, Incident> {
        self.incident.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn notes(&self) -> MutexGuard<'_, Vec<Note>> {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who is on call, whatever the policy.
const ON_CALL: &str = "PONCALL";

#[async_trait]
impl IncidentPlatform for RecordedPlatform {
    async fn incident(&self, _id: &IncidentId) -> Result<Incident, PlatformError> {
        Ok(self.incident().clone())
    }

    async fn change(
        &self,
        _id: &IncidentId,
        change: &IncidentChange,
    ) -> Result<Incident, PlatformError> {
        let mut incident = self.incident();
        if let Some(title) = &change.title {
            incident.title.clone_from(title);
        }
        incident.status = change.status.unwrap_or(incident.status);
        incident.urgency = change.urgency.unwrap_or(incident.urgency);
        if change.escalation.is_some() {
            incident.status = Status::Triggered;
            incident.assignees = vec![ON_CALL.to_owned()];
        }
        Ok(incident.clone())
    }

    async fn escalation_policy(&self, id: &str) -> Result<EscalationPolicy, PlatformError> {
        let levels = vec![vec!["PAMS".to_owned()], vec![ON_CALL.to_owned()]];
        Ok(EscalationPolicy { id: id.to_owned(), name: "rehearsal".to_owned(), levels })
    }

    async fn notes(&self, _id: &IncidentId) -> Result<Vec<Note>, PlatformError> {
        Ok(self.notes().clone())
    }

    async fn add_note(
        &self,
        _id: &IncidentId,
        content: &str,
        _marker: &str,
    ) -> Result<(), PlatformError> {
        let mut notes = self.notes();
        let id = format!("NOTE{}", notes.len());
        notes.push(Note { id, content: content.to_owned(), by: None });
        Ok(())
    }

    async fn alerts(&self, _id: &IncidentId) -> Result<Vec<serde_json::Value>, PlatformError> {
        Ok(self.alerts.clone())
    }

    async fn open_incidents(&self) -> Result<Vec<OpenIncident>, PlatformError> {
        let ids = (0..).filter_map(|number| IncidentId::parse(&format!("POPEN{number}")));
        // They are of the same customer; that others' are left out is the product's business.
        let service = self.incident().service.clone();
        let open = ids.zip(&self.open_incidents);
        Ok(open
            .map(|(id, title)| OpenIncident {
                id,
                title: title.clone(),
                service: service.clone(),
                status: Status::Triggered,
                teams: Vec::new(),
                created_at: None,
                reopened_at: None,
                acknowledged_by: Vec::new(),
            })
            .collect())
    }

    async fn watched(&self) -> Result<Watched, PlatformError> {
        Ok(Watched::default())
    }
}
