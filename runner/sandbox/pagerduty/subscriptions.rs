//! Webhook subscriptions and what waits for them: one queue per subscription and incident.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json as object};

use super::json;
use super::state::{Event, State};
use crate::incident::IncidentId;

/// The events a subscription gets: all that the stand-in sends.
pub(super) const EVENTS: [&str; 11] = [
    "incident.triggered",
    "incident.acknowledged",
    "incident.unacknowledged",
    "incident.resolved",
    "incident.reopened",
    "incident.escalated",
    "incident.delegated",
    "incident.reassigned",
    "incident.priority_updated",
    "incident.annotated",
    "incident.responder.added",
];

/// Drops in a row after which PagerDuty stops using a subscription.
const DROPS_IN_A_ROW: u32 = 3;

/// How long it then stays off.
const DISABLED_FOR: SignedDuration = SignedDuration::from_hours(24);

/// How long PagerDuty tries to deliver one webhook.
const RETRY_FOR: SignedDuration = SignedDuration::from_hours(48);

/// Webhooks waiting for one subscription. PagerDuty's own bound is time; this one keeps a storm
/// against a dead receiver from filling the memory. What is over it counts as dropped.
const WAITING_AT_MOST: usize = 100_000;

/// Subscriptions of one service, of one team or of the account (PagerDuty's product limit).
pub(super) const AT_MOST: usize = 10;

/// What a test event is called.
const PING: &str = "pagey.ping";

/// Whose events a subscription gets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scope {
    Account,
    /// By id.
    Service(String),
    /// By id. Nothing in the stand-in belongs to a team.
    Team(String),
}

/// A change of a subscription; only what is `Some` changes.
#[derive(Clone, Debug, Default)]
pub(super) struct SubscriptionChange {
    pub(super) active: Option<bool>,
    pub(super) description: Option<String>,
    pub(super) events: Option<Vec<String>>,
    pub(super) scope: Option<Scope>,
}

/// One receiver of webhooks.
#[derive(Clone, Debug)]
pub struct Subscription {
    pub id: String,
    pub url: String,
    /// Its operators' switch.
    pub active: bool,
    pub description: String,
    pub events: Vec<String>,
    pub scope: Scope,
    /// `None`: the one in the stand-in's settings.
    pub(super) secret: Option<String>,
    pub stats: DeliveryStats,
    drops_in_a_row: u32,
    disabled_until: Option<Timestamp>,
    /// An entry exists exactly as long as a task works on it, so it may be empty for a moment.
    queues: HashMap<IncidentId, VecDeque<Webhook>>,
    waiting: usize,
}

/// How a subscription's deliveries went so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DeliveryStats {
    /// Requests sent, retries included.
    pub attempts: u64,
    /// Webhooks answered with 2xx.
    pub delivered: u64,
    /// Webhooks given up: refused with 4xx, or too old.
    pub dropped: u64,
    /// Webhooks never tried because the subscription was disabled.
    pub discarded: u64,
}

/// One event for one subscription.
#[derive(Clone, Debug)]
pub(super) struct Webhook {
    /// The same on every attempt.
    pub(super) id: String,
    pub(super) body: Arc<str>,
    pub(super) url: String,
    pub(super) secret: Option<String>,
    queued_at: Timestamp,
}

/// The queue that one delivery task works on.
#[derive(Clone, Debug)]
pub(super) struct QueueKey {
    pub(super) subscription: String,
    pub(super) incident: IncidentId,
}

/// What one delivery attempt came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Attempt {
    Delivered,
    /// Worth another attempt later.
    Failed,
    Refused,
}

impl Subscription {
    pub(super) fn new(id: String, url: &str) -> Self {
        Self {
            id,
            url: url.to_owned(),
            active: true,
            description: String::new(),
            events: EVENTS.map(str::to_owned).to_vec(),
            scope: Scope::Account,
            secret: None,
            stats: DeliveryStats::default(),
            drops_in_a_row: 0,
            disabled_until: None,
            queues: HashMap::new(),
            waiting: 0,
        }
    }

    /// PagerDuty gave up on it for a day.
    pub const fn is_disabled(&self) -> bool {
        self.disabled_until.is_some()
    }

    pub const fn waiting(&self) -> usize {
        self.waiting
    }

    pub(super) fn change(&mut self, change: SubscriptionChange) {
        let SubscriptionChange { active, description, events, scope } = change;
        self.active = active.unwrap_or(self.active);
        self.description = description.unwrap_or_else(|| std::mem::take(&mut self.description));
        self.events = events.unwrap_or_else(|| std::mem::take(&mut self.events));
        self.scope = scope.unwrap_or_else(|| self.scope.clone());
    }

    /// Is it told of this event of this service?
    fn wants(&self, event: &Event, service: &str) -> bool {
        if let Some(only) = &event.only {
            return *only == self.id;
        }
        let kind = event.envelope["event"]["event_type"].as_str();
        let is_in_scope = match &self.scope {
            Scope::Account => true,
            Scope::Service(id) => id == service,
            Scope::Team(_) => false,
        };
        self.active
            && is_in_scope
            && kind.is_some_and(|kind| self.events.iter().any(|it| it == kind))
    }

    /// As after three drops in a row.
    pub(super) fn disable(&mut self, now: Timestamp) {
        self.disabled_until = Some(now + DISABLED_FOR);
    }

    pub(super) const fn enable(&mut self) {
        self.disabled_until = None;
        self.drops_in_a_row = 0;
    }

    /// True if the incident's queue has no task at work yet.
    fn push(&mut self, incident: &IncidentId, webhook: Webhook) -> bool {
        if self.disabled_until.is_some_and(|until| until <= webhook.queued_at) {
            self.enable();
        }
        if self.is_disabled() {
            self.stats.discarded += 1;
            return false;
        }
        if self.waiting >= WAITING_AT_MOST {
            self.stats.dropped += 1;
            return false;
        }
        self.waiting += 1;
        let starts = !self.queues.contains_key(incident);
        self.queues.entry(incident.clone()).or_default().push_back(webhook);
        starts
    }

    fn drop_one(&mut self, now: Timestamp) {
        self.stats.dropped += 1;
        self.drops_in_a_row += 1;
        if self.drops_in_a_row >= DROPS_IN_A_ROW {
            self.disabled_until = Some(now + DISABLED_FOR);
            self.stats.discarded += self.waiting as u64;
            self.queues.values_mut().for_each(VecDeque::clear);
            self.waiting = 0;
        }
    }
}

impl State {
    pub(super) fn subscribe(&mut self, url: &str, scope: Option<Scope>) -> String {
        let id = self.ids.short("SUB");
        let mut subscription = Subscription::new(id.clone(), url);
        subscription.scope = scope.unwrap_or(Scope::Account);
        self.subscriptions.push(subscription);
        id
    }

    /// A test event for one subscription; it waits in a line of its own.
    pub(super) fn ping(&mut self, id: &str, now: Timestamp) -> Option<Event> {
        let id = self.subscription_mut(id)?.id.clone();
        let data = object!({ "message": "Hello from your friend Pagey!", "type": "ping" });
        let event = self.ids.event();
        let envelope = json::envelope(&event, PING, &json::millis(now), &Value::Null, &data);
        Some(Event { incident: IncidentId::parse(&id)?, envelope, only: Some(id) })
    }

    pub(super) fn subscription_mut(&mut self, id: &str) -> Option<&mut Subscription> {
        self.subscriptions.iter_mut().find(|one| one.id == id)
    }

    /// Queues the events for every subscription; returns the queues that need a task now.
    pub(super) fn enqueue(&mut self, events: &[Event], now: Timestamp) -> Vec<QueueKey> {
        let mut starting = Vec::new();
        for event in events.iter().filter(|_| !self.faults.loses_webhooks) {
            let body: Arc<str> = event.envelope.to_string().into();
            let service = self.directory.service.id;
            let told = self.subscriptions.iter_mut().filter(|it| it.wants(event, service));
            for subscription in told {
                let webhook = Webhook {
                    id: self.ids.webhook(),
                    body: Arc::clone(&body),
                    url: subscription.url.clone(),
                    secret: subscription.secret.clone(),
                    queued_at: now,
                };
                if subscription.push(&event.incident, webhook) {
                    starting.push(QueueKey {
                        subscription: subscription.id.clone(),
                        incident: event.incident.clone(),
                    });
                }
            }
        }
        starting
    }

    /// The first webhook of a queue. An empty queue goes away, and its task with it.
    pub(super) fn next_webhook(&mut self, key: &QueueKey) -> Option<Webhook> {
        let subscription = self.subscription_mut(&key.subscription)?;
        let first = subscription.queues.get(&key.incident)?.front().cloned();
        if first.is_none() {
            subscription.queues.remove(&key.incident);
        }
        first
    }

    /// Notes what an attempt came to. True if the same webhook is to be tried again.
    pub(super) fn settle(
        &mut self,
        key: &QueueKey,
        id: &str,
        attempt: Attempt,
        now: Timestamp,
    ) -> bool {
        let Some(subscription) = self.subscription_mut(&key.subscription) else {
            return false;
        };
        subscription.stats.attempts += 1;
        // A drop on another incident may have thrown this queue away meanwhile.
        let queue = subscription.queues.get_mut(&key.incident);
        let Some(queue) = queue.filter(|queue| queue.front().is_some_and(|one| one.id == id))
        else {
            return false;
        };
        let too_old =
            queue.front().is_some_and(|one| now.duration_since(one.queued_at) > RETRY_FOR);
        if attempt == Attempt::Failed && !too_old {
            return true;
        }
        queue.pop_front();
        subscription.waiting -= 1;
        if attempt == Attempt::Delivered {
            subscription.stats.delivered += 1;
            subscription.drops_in_a_row = 0;
        } else {
            subscription.drop_one(now);
        }
        false
    }
}
