//! The PagerDuty REST API v2 as an [`IncidentPlatform`].
//!
//! URLs are built from the configured base and from ids; the `self` links of answers are never
//! followed. Titles, notes and tokens never reach the log.

mod answer;
mod beside;
mod body;
mod change;
mod gates;
mod look;
mod outcome;
mod resolution;
mod retry;
mod transport;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use reqwest::Method;
use secrecy::SecretString;
use serde_json::{Value, json};

use self::change::Reaction;
use self::gates::{Feature, Gates};
use self::outcome::{about_incident, error, react};
pub use self::retry::Pace;
use self::transport::{Call, Failure, GaveUp, Lane, Transport};
use super::{
    EscalationPolicy, IncidentChange, IncidentPlatform, Note, OpenIncident, PlatformError,
    Resolution, Watched,
};
use crate::claim::hold::{Hold, Permission};
use crate::clock::{Clock, SystemClock};
use crate::incident::{Incident, IncidentId, Status};
use crate::limits::{self, WEBHOOK_PATH};

const INCIDENT: &str = "/incidents/{id}";
const INCIDENTS: &str = "/incidents";
const ALERTS: &str = "/incidents/{id}/alerts";
const NOTES: &str = "/incidents/{id}/notes";
const POLICY: &str = "/escalation_policies/{id}";
const ON_CALLS: &str = "/oncalls";
const SUBSCRIPTIONS: &str = "/webhook_subscriptions";

/// Entries of a page, the most PagerDuty gives (PagerDuty REST docs, Pagination).
const PAGE: usize = 100;

/// What kind of token it is; PagerDuty wants another word before each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Credential {
    /// An account's or a user's REST API key.
    #[default]
    ApiKey,
    /// A token of a scoped OAuth app.
    OAuth,
}

/// How to reach an account. [`Settings::new`] fills in everything but the account itself.
pub struct Settings {
    /// `https://api.pagerduty.com`, `https://api.eu.pagerduty.com` or a stand-in.
    pub base_url: String,
    pub token: SecretString,
    pub credential: Credential,
    /// E-mail address of the PagerDuty user in whose name AMS writes.
    pub from: String,
    pub user_agent: String,
    /// One request, connection included.
    pub request_timeout: Duration,
    pub pace: Pace,
    /// Requests under way at once.
    pub at_once: usize,
    /// Further ones, for escalations only.
    pub escalations_at_once: usize,
    /// Says when an answer was read.
    pub clock: Arc<dyn Clock>,
}

impl Settings {
    pub fn new(base_url: impl Into<String>, token: SecretString, from: impl Into<String>) -> Self {
        Self {
            base_url: base_url.into(),
            token,
            credential: Credential::default(),
            from: from.into(),
            user_agent: concat!("ams/", env!("CARGO_PKG_VERSION")).to_owned(),
            request_timeout: limits::PAGERDUTY_REQUEST,
            pace: Pace::default(),
            at_once: limits::PAGERDUTY_AT_ONCE,
            escalations_at_once: limits::PAGERDUTY_ESCALATIONS_AT_ONCE,
            clock: Arc::new(SystemClock),
        }
    }
}

/// A client for one account. Shared by all runs of a process: its bounds hold over all of them.
#[derive(Clone)]
pub struct PagerDuty {
    transport: Arc<Transport>,
    clock: Arc<dyn Clock>,
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
        Ok(Self { transport, clock, gates: Arc::default(), hold: None })
    }

    fn permission(&self, consent: bool) -> Option<Permission> {
        self.hold.clone().map(|hold| Permission { hold, consent, concern: None })
    }

    fn read_incident(&self, answer: &Value) -> Option<Incident> {
        answer::incident(answer, self.clock.now())
    }

    /// Every page of a list, up to `most` entries.
    async fn pages(
        &self,
        (template, name): (&'static str, &'static str),
        query: &[(&'static str, String)],
        most: usize,
        mut take: impl FnMut(&Value) + Send,
    ) -> Result<(), PlatformError> {
        for offset in (0..most).step_by(PAGE) {
            let mut call = Call::get(template, vec![name]);
            let page = [("limit", PAGE.to_string()), ("offset", offset.to_string())];
            call.query = query.iter().cloned().chain(page).collect();
            let answer = self.transport.call(&call).await;
            let answer = answer.map_err(|gave_up| error(&call, name.to_owned(), gave_up))?;
            take(&answer);
            if answer["more"] != true {
                break;
            }
        }
        Ok(())
    }

    /// Who is on call per level; levels without anybody stay empty.
    async fn on_calls(&self, policy: &str, levels: usize) -> Result<Vec<Vec<String>>, GaveUp> {
        let mut users = vec![Vec::new(); levels];
        for page in 0..limits::PAGERDUTY_ON_CALL_PAGES {
            let mut call = Call::get(ON_CALLS, vec!["oncalls"]);
            call.lane = Lane::Escalation;
            call.query = vec![
                ("escalation_policy_ids[]", policy.to_owned()),
                ("limit", PAGE.to_string()),
                ("offset", (page * PAGE).to_string()),
            ];
            let (entries, more) = answer::on_calls(&self.transport.call(&call).await?);
            for (level, user) in entries {
                let level = level.checked_sub(1).and_then(|index| users.get_mut(index));
                if let Some(known) = level.filter(|known| !known.contains(&user)) {
                    known.push(user);
                }
            }
            if !more {
                break;
            }
        }
        Ok(users)
    }
}

#[async_trait]
impl IncidentPlatform for PagerDuty {
    fn held_by(&self, hold: &Arc<Hold>) -> Option<Arc<dyn IncidentPlatform>> {
        Some(Arc::new(Self { hold: Some(Arc::clone(hold)), ..self.clone() }))
    }

    async fn incident(&self, id: &IncidentId) -> Result<Incident, PlatformError> {
        let call = Call::get(INCIDENT, vec!["incidents", id.as_str()]);
        let answer = self.transport.call(&call).await;
        let answer = answer.map_err(|gave_up| about_incident(&call, id, gave_up))?;
        self.read_incident(&answer).ok_or_else(|| PlatformError::Unavailable {
            call: call.name(),
            attempts: 1,
            reason: "the answer holds no incident".to_owned(),
        })
    }

    /// One PUT; another one when PagerDuty refuses a part that the rest can do without.
    async fn change(
        &self,
        id: &IncidentId,
        change: &IncidentChange,
    ) -> Result<Incident, PlatformError> {
        let mut rest = change.clone();
        rest.priority = rest.priority.filter(|_| !self.gates.is_closed(Feature::Priorities));
        loop {
            let mut call = Call::new(Method::PUT, INCIDENT, vec!["incidents", id.as_str()]);
            call.body = change::body(&rest);
            // A person who took the incident meanwhile must not be overruled.
            let decides = rest.status.is_some() || rest.escalation.is_some();
            call.permission = self.permission(decides);
            if rest.escalation.is_some() {
                call.lane = Lane::Escalation;
            }
            if call.body.is_none() {
                return self.incident(id).await;
            }
            let sent = if rest.status == Some(Status::Resolved) {
                let look = |attempt| self.resolved_before(id, change.reopened_at, attempt);
                self.transport.call_looking(&call, change.again, look).await
            } else {
                self.transport.call(&call).await
            };
            let gave_up = match sent {
                Ok(answer) => match self.read_incident(&answer) {
                    Some(incident) => return Ok(incident),
                    None => return self.incident(id).await,
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

    async fn escalation_policy(&self, id: &str) -> Result<EscalationPolicy, PlatformError> {
        let what = || format!("escalation policy {:?}", id.chars().take(40).collect::<String>());
        if !is_id(id) {
            return Err(PlatformError::NotFound { what: what() });
        }
        let mut call = Call::get(POLICY, vec!["escalation_policies", id]);
        call.lane = Lane::Escalation;
        let answer = self.transport.call(&call).await;
        let answer = answer.map_err(|gave_up| error(&call, what(), gave_up))?;
        let (name, named_users) = answer::policy(&answer);
        let levels = match self.on_calls(id, named_users.len()).await {
            Ok(users) => users,
            Err(gave_up) => {
                // The number of levels is worth more than who is behind them: go on with it.
                let reason = gave_up.failure.cause();
                tracing::warn!(reason, "on-calls cannot be read, taking the policy's own users");
                named_users
            }
        };
        Ok(EscalationPolicy { id: id.to_owned(), name, levels })
    }

    async fn notes(&self, id: &IncidentId) -> Result<Vec<Note>, PlatformError> {
        let call = Call::get(NOTES, vec!["incidents", id.as_str(), "notes"]);
        let answer = self.transport.call(&call).await;
        let answer = answer.map_err(|gave_up| about_incident(&call, id, gave_up))?;
        Ok(answer::notes(&answer))
    }

    async fn alerts(&self, id: &IncidentId) -> Result<Vec<Value>, PlatformError> {
        let mut call = Call::get(ALERTS, vec!["incidents", id.as_str(), "alerts"]);
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

/// Ids come from other systems and become path segments; what cannot be one is never sent.
fn is_id(text: &str) -> bool {
    let fits = !text.is_empty() && text.len() <= IncidentId::MAX_LEN;
    fits && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_')
}
