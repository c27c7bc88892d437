//! The PagerDuty REST API v2 as an [`IncidentPlatform`].
//!
//! URLs are built from the configured base and from ids; the `self` links of answers are never
//! followed. Titles, notes and tokens never reach the log.

mod account;
mod answer;
mod beside;
mod body;
mod budget;
mod change;
mod gates;
mod look;
mod outcome;
mod pages;
mod paging;
mod paging_answers;
mod past;
mod policies;
mod resolution;
mod retry;
mod service;
mod set_up;
mod settings;
mod transport;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};

use self::budget::Lane;
use self::change::Reaction;
use self::gates::{Feature, Gates};
use self::outcome::{about_incident, react};
use self::policies::Policies;
pub use self::retry::Pace;
use self::service::Timeouts;
pub use self::settings::{Credential, Settings};
use self::transport::{Call, Failure, Transport};
use super::{
    EscalationPolicy, IncidentChange, IncidentPlatform, Note, OpenIncident, PlatformError,
    Resolution, ResponderRequest, Watched,
};
use crate::claim::hold::{Hold, Permission};
use crate::clock::Clock;
use crate::incident::{Incident, IncidentId, Status, Urgency};
use crate::limits::{self, WEBHOOK_PATH};

const INCIDENT: &str = "/incidents/{id}";
const INCIDENTS: &str = "/incidents";
const ALERTS: &str = "/incidents/{id}/alerts";
const NOTES: &str = "/incidents/{id}/notes";
const SUBSCRIPTIONS: &str = "/webhook_subscriptions";

const PAGE: usize = limits::PAGERDUTY_PAGE;

/// A client for one account. Shared by all runs of a process: its bounds hold over all of them.
#[derive(Clone)]
pub struct PagerDuty {
    transport: Arc<Transport>,
    policies: Arc<Policies>,
    clock: Arc<dyn Clock>,
    timeouts: Arc<Timeouts>,
    gates: Arc<Gates>,
    /// Of the run it writes for.
    hold: Option<Arc<Hold>>,
}

impl fmt::Debug for PagerDuty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PagerDuty")
            .field("origin", &self.transport.origin())
            .finish_non_exhaustive()
    }
}

impl PagerDuty {
    /// Fails when the base URL is none, or the token or the address cannot stand in a header.
    pub fn new(settings: Settings) -> Result<Self, reqwest::Error> {
        let clock = Arc::clone(&settings.clock);
        let transport = Arc::new(Transport::new(settings)?);
        Ok(Self {
            transport,
            policies: Arc::default(),
            clock,
            timeouts: Arc::default(),
            gates: Arc::default(),
            hold: None,
        })
    }

    /// Requests that wait for their turn, in the fullest lane; [`limits::PAGERDUTY_QUEUE`] at most.
    pub fn waiting(&self) -> usize {
        self.transport.budget.waiting()
    }

    fn permission(&self, consent: bool) -> Option<Permission> {
        self.hold.clone().map(|hold| Permission { hold, consent, concern: None })
    }

    async fn get(&self, id: &IncidentId, lane: Lane) -> Result<Incident, PlatformError> {
        let mut call = Call::get(INCIDENT, vec!["incidents", id.as_str()]);
        call.lane = lane;
        let answer = self.transport.call(&call).await;
        let answer = answer.map_err(|gave_up| about_incident(&call, id, gave_up))?;
        self.read_incident(&answer).ok_or_else(|| PlatformError::Unavailable {
            call: call.name(),
            attempts: 1,
            reason: "the answer holds no incident".to_owned(),
        })
    }

    fn read_incident(&self, answer: &Value) -> Option<Incident> {
        answer::incident(answer, self.clock.now())
    }

    /// One PUT; another one when PagerDuty refuses a part that the rest can do without.
    async fn put(
        &self,
        id: &IncidentId,
        change: &IncidentChange,
        sent: Option<&AtomicBool>,
    ) -> Result<Incident, PlatformError> {
        let mut rest = change.clone();
        rest.priority = rest.priority.filter(|_| !self.gates.is_closed(Feature::Priorities));
        loop {
            let mut call = Call::new(Method::PUT, INCIDENT, vec!["incidents", id.as_str()]);
            call.body = change::body(&rest);
            // A person who took the incident meanwhile must not be overruled.
            let decides = rest.status.is_some() || rest.escalation.is_some();
            call.permission = self.permission(decides && !rest.gives_back);
            call.lane = lane(&rest);
            call.sent = sent;
            if call.body.is_none() {
                return self.get(id, call.lane).await;
            }
            let answer = if rest.status == Some(Status::Resolved) {
                let look = |attempt| self.resolved_before(id, change.reopened_at, attempt);
                self.transport.call_looking(&call, change.again, look).await
            } else if let (Some(_), Some(before)) = (&rest.escalation, &rest.before) {
                let look = |attempt| self.paged_before(id, (before, rest.gives_back), attempt);
                self.transport.call_looking(&call, change.again, look).await
            } else {
                self.transport.call(&call).await
            };
            let gave_up = match answer {
                Ok(answer) => match self.read_incident(&answer) {
                    Some(incident) => return Ok(incident),
                    None => return self.get(id, call.lane).await,
                },
                Err(gave_up) => gave_up,
            };
            // Each round takes a part off the change, so that the loop ends.
            match react(&rest, &gave_up) {
                Reaction::WasOurs => return self.incident(id).await,
                Reaction::WithoutStatus => rest.status = None,
                Reaction::WithoutPriority => {
                    tracing::warn!(incident.id = %id, "PagerDuty refused the priority, leaving it out");
                    if let Failure::Refused(refusal) = &gave_up.failure {
                        self.gates.hear(Feature::Priorities, refusal.status);
                    }
                    rest.priority = None;
                }
                Reaction::GiveUp => return Err(about_incident(&call, id, gave_up)),
            }
        }
    }
}

#[async_trait]
impl IncidentPlatform for PagerDuty {
    fn held_by(&self, hold: &Arc<Hold>) -> Option<Arc<dyn IncidentPlatform>> {
        Some(Arc::new(Self { hold: Some(Arc::clone(hold)), ..self.clone() }))
    }

    fn share_with(&self, processes: usize) {
        self.transport.budget.share_with(processes);
    }

    fn is_storm(&self) -> bool {
        self.transport.budget.is_storm()
    }

    async fn incident(&self, id: &IncidentId) -> Result<Incident, PlatformError> {
        self.get(id, Lane::Resolve).await
    }

    async fn incident_to_page(
        &self,
        known: &Incident,
        fresh: bool,
    ) -> Result<Incident, PlatformError> {
        // Both ways: a clock that is wrong is no reason to trust an old event.
        let age = self.clock.now().duration_since(known.seen_at).unsigned_abs();
        let will_do = age < limits::KNOWLEDGE_WHEN_SCARCE && self.transport.budget.is_scarce();
        if will_do && !fresh {
            return Ok(known.clone());
        }
        self.get(&known.id, Lane::Escalate).await
    }

    async fn change(
        &self,
        id: &IncidentId,
        change: &IncidentChange,
    ) -> Result<Incident, PlatformError> {
        self.put(id, change, None).await
    }

    async fn change_or_drop(
        &self,
        id: &IncidentId,
        change: &IncidentChange,
        sent: &AtomicBool,
    ) -> Result<Incident, PlatformError> {
        self.put(id, change, Some(sent)).await
    }

    async fn escalation_policy(&self, id: &str) -> Result<EscalationPolicy, PlatformError> {
        self.policies.get(&self.transport, id).await
    }

    async fn ask_responders(
        &self,
        id: &IncidentId,
        request: ResponderRequest<'_>,
    ) -> Result<bool, PlatformError> {
        self.request_responders(id, request).await
    }

    async fn handed_over_since(
        &self,
        id: &IncidentId,
        by: &str,
        since: Timestamp,
    ) -> Result<bool, PlatformError> {
        self.log_says_handed_over(id, by, since).await
    }

    async fn acknowledgement_timeout(
        &self,
        service: &str,
    ) -> Result<Option<Duration>, PlatformError> {
        self.service_timeout(service).await
    }

    async fn notes(&self, id: &IncidentId) -> Result<Vec<Note>, PlatformError> {
        let mut call = Call::get(NOTES, vec!["incidents", id.as_str(), "notes"]);
        call.lane = Lane::Resolve;
        let answer = self.transport.call(&call).await;
        let answer = answer.map_err(|gave_up| about_incident(&call, id, gave_up))?;
        Ok(answer::notes(&answer))
    }

    async fn alerts(&self, id: &IncidentId) -> Result<Vec<Value>, PlatformError> {
        let mut call = Call::get(ALERTS, vec!["incidents", id.as_str(), "alerts"]);
        call.lane = Lane::Resolve;
        call.query = vec![("limit", "100".to_owned())];
        let answer = self.transport.call(&call).await;
        let answer = answer.map_err(|gave_up| about_incident(&call, id, gave_up))?;
        Ok(answer["alerts"].as_array().cloned().unwrap_or_default())
    }

    async fn open_incidents(&self) -> Result<Vec<OpenIncident>, PlatformError> {
        // Of more than the limit, the newest matter.
        let open = ["triggered", "acknowledged"].map(|it| ("statuses[]", it.to_owned()));
        let query = [&open[..], &[("sort_by", "created_at:desc".to_owned())]].concat();
        let mut all = Vec::new();
        self.pages((INCIDENTS, "incidents"), &query, limits::OPEN_INCIDENTS, |answer| {
            all.extend(answer::open_incidents(answer));
        })
        .await?;
        Ok(all)
    }

    async fn watched(&self) -> Result<Watched, PlatformError> {
        let mut watched = Watched::default();
        let list = (SUBSCRIPTIONS, "webhook_subscriptions");
        self.pages(list, &[], limits::SUBSCRIPTIONS, |answer| {
            answer::watched(answer, WEBHOOK_PATH, &mut watched);
        })
        .await?;
        Ok(watched)
    }

    /// A request that PagerDuty carries out after our look for the marker still makes a second
    /// note; the wait before the look makes that unlikely, nothing in the API makes it impossible.
    async fn resolution(&self, id: &IncidentId) -> Result<Option<Resolution>, PlatformError> {
        let call = Call::get(INCIDENT, vec!["incidents", id.as_str()]);
        let answer = self.transport.call(&call).await;
        let answer = answer.map_err(|gave_up| about_incident(&call, id, gave_up))?;
        Ok(resolution::resolution(&answer))
    }

    async fn add_note(
        &self,
        id: &IncidentId,
        content: &str,
        marker: &str,
    ) -> Result<(), PlatformError> {
        // An empty or absent marker would be "found" in any note, or never.
        let carried = !marker.is_empty() && content.contains(marker);
        let needle = if carried { marker } else { content };
        let mut call = Call::new(Method::POST, NOTES, vec!["incidents", id.as_str(), "notes"]);
        call.body = Some(json!({ "note": { "content": content } }));
        call.permission = self.permission(false);
        call.lane = Lane::Note;

        let is_there = |attempt| async move {
            Ok(self.has_note(id, needle, attempt).await?.then_some(Value::Null))
        };
        let sent = self.transport.call_looking(&call, false, is_there).await;
        sent.map(drop).map_err(|gave_up| about_incident(&call, id, gave_up))
    }

    async fn edit_note(
        &self,
        id: &IncidentId,
        note: &str,
        text: &str,
    ) -> Result<(), PlatformError> {
        self.put_note(id, note, text).await
    }

    async fn tell_stakeholders(&self, id: &IncidentId, text: &str) -> Result<(), PlatformError> {
        self.post_status_update(id, text).await
    }

    async fn set_fields(
        &self,
        id: &IncidentId,
        values: &[(String, Value)],
    ) -> Result<(), PlatformError> {
        self.put_fields(id, values).await
    }
}

/// What a change is for. An urgency is raised because a page needs it; one that leaves an incident to
/// people without waking them ends the run, as a resolve does.
fn lane(change: &IncidentChange) -> Lane {
    match change {
        IncidentChange { escalation: Some(_), .. }
        | IncidentChange { urgency: Some(Urgency::High), status: None, .. } => Lane::Escalate,
        IncidentChange { status: Some(Status::Resolved), .. }
        | IncidentChange { urgency: Some(_), .. }
        | IncidentChange { priority: Some(_), .. } => Lane::Resolve,
        _ => Lane::Title,
    }
}

/// Ids come from other systems and become path segments; what cannot be one is never sent.
fn is_id(text: &str) -> bool {
    let fits = !text.is_empty() && text.len() <= IncidentId::MAX_LEN;
    fits && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}
