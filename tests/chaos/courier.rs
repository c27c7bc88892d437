//! Brings the stand-in's webhooks to both regions: signed as they came, two to four times, late,
//! and out of order.
//!
//! One copy per region is PagerDuty's own: in order per incident, and tried until it is taken. The
//! others are strays: they may come before or after it, each by itself.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ams::incident::IncidentId;
use ams::sandbox::pagerduty::StandIn;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use tokio::sync::oneshot;

use crate::dice::Dice;

/// What PagerDuty gives a receiver.
pub(crate) const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// Before a copy that was not taken is sent again.
const AGAIN: Duration = Duration::from_millis(400);

/// Attempts of a stray copy.
const STRAY_ATTEMPTS: usize = 3;

pub(crate) const SIGNATURE: &str = "X-PagerDuty-Signature";

#[derive(Clone)]
pub(crate) struct Courier {
    shared: Arc<Shared>,
    pub(crate) url: String,
}

struct Shared {
    seed: u64,
    pagerduty: StandIn,
    /// Where each region takes webhooks.
    regions: Vec<String>,
    http: reqwest::Client,
    held: AtomicBool,
    /// The end of each queue: incident and region.
    tails: Mutex<HashMap<(IncidentId, usize), oneshot::Receiver<()>>>,
    /// Webhooks that make AMS do something, for a last round when everything is over.
    kept: Mutex<Vec<Webhook>>,
    under_way: AtomicU64,
    counts: Counts,
}

#[derive(Default)]
struct Counts {
    webhooks: AtomicU64,
    sent: AtomicU64,
    taken: AtomicU64,
    refused: AtomicU64,
    put_off: AtomicU64,
    unanswered: AtomicU64,
}

/// What became of all that was sent.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Delivered {
    /// Different ones.
    pub(crate) webhooks: u64,
    /// Requests.
    pub(crate) sent: u64,
    /// 2xx.
    pub(crate) taken: u64,
    /// 4xx, which a signed webhook must never get.
    pub(crate) refused: u64,
    /// 5xx.
    pub(crate) put_off: u64,
    /// No answer in time, or no connection.
    pub(crate) unanswered: u64,
}

#[derive(Clone)]
struct Webhook {
    incident: IncidentId,
    signature: String,
    body: Bytes,
}

impl Courier {
    /// Takes webhooks on a free port from now on.
    pub(crate) async fn start(
        seed: u64,
        pagerduty: StandIn,
        regions: Vec<String>,
    ) -> std::io::Result<Self> {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
        let url = format!("http://{}/", listener.local_addr()?);
        let http = reqwest::Client::builder()
            .no_proxy()
            .timeout(ANSWER_WITHIN)
            .build()
            .map_err(std::io::Error::other)?;
        let shared = Arc::new(Shared {
            seed,
            pagerduty,
            regions,
            http,
            held: AtomicBool::new(false),
            tails: Mutex::default(),
            kept: Mutex::default(),
            under_way: AtomicU64::new(0),
            counts: Counts::default(),
        });
        let router = Router::new().route("/", post(take)).with_state(Arc::clone(&shared));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Ok(Self { shared, url })
    }

    /// Nothing is brought anywhere while webhooks are held.
    pub(crate) fn hold(&self, held: bool) {
        self.shared.held.store(held, Ordering::SeqCst);
    }

    pub(crate) fn under_way(&self) -> u64 {
        self.shared.under_way.load(Ordering::SeqCst)
    }

    pub(crate) fn delivered(&self) -> Delivered {
        let Counts { webhooks, sent, taken, refused, put_off, unanswered } = &self.shared.counts;
        let read = |count: &AtomicU64| count.load(Ordering::SeqCst);
        Delivered {
            webhooks: read(webhooks),
            sent: read(sent),
            taken: read(taken),
            refused: read(refused),
            put_off: read(put_off),
            unanswered: read(unanswered),
        }
    }

    /// One more copy of everything to each region, one after the other, as after a long outage of
    /// PagerDuty's own. Answers with their number.
    pub(crate) async fn repeat_all(&self) -> usize {
        let kept = self.shared.kept.lock().unwrap_or_else(PoisonError::into_inner).clone();
        for webhook in &kept {
            for region in 0..self.shared.regions.len() {
                self.shared.bring(webhook, region, STRAY_ATTEMPTS).await;
            }
        }
        kept.len() * self.shared.regions.len()
    }
}

/// Which incident a webhook is about: some are about a note or a responder of it.
pub(crate) fn incident_of(webhook: &serde_json::Value) -> Option<IncidentId> {
    let data = &webhook["event"]["data"];
    let named = data["incident"]["id"].as_str().or_else(|| data["id"].as_str());
    named.and_then(IncidentId::parse)
}

async fn take(
    State(shared): State<Arc<Shared>>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, &'static str) {
    let signature = headers.get(SIGNATURE).and_then(|value| value.to_str().ok());
    let json: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
    let (Some(signature), Some(incident)) = (signature, incident_of(&json)) else {
        return (StatusCode::BAD_REQUEST, "that is no webhook of the stand-in's");
    };
    let webhook = Webhook { incident, signature: signature.to_owned(), body };
    let ours = json["event"]["agent"]["id"] == ams::sandbox::pagerduty::BOT;
    let event = json["event"]["event_type"].as_str().unwrap_or_default();
    shared.send(&webhook, ours, event);
    (StatusCode::ACCEPTED, "")
}

impl Shared {
    fn send(self: &Arc<Self>, webhook: &Webhook, ours: bool, event: &str) {
        self.counts.webhooks.fetch_add(1, Ordering::SeqCst);
        let number = self.pagerduty.incident(&webhook.incident).map_or(0, |it| it.number);
        for region in 0..self.regions.len() {
            let mut dice = Dice::of(self.seed, &format!("{event} of {number} to {region}"));
            self.send_in_order(webhook, region, delay(&mut dice));
            // What AMS did itself is news to nobody; people's and the monitoring's counts.
            let strays = if ours { u64::from(dice.one_in(8)) } else { 1 + dice.below(3) };
            for _ in 0..strays {
                self.send_stray(webhook, region, delay(&mut dice));
            }
        }
        if !ours {
            self.kept.lock().unwrap_or_else(PoisonError::into_inner).push(webhook.clone());
        }
    }

    /// Behind what was sent of this incident to this region before.
    fn send_in_order(self: &Arc<Self>, webhook: &Webhook, region: usize, after: Duration) {
        let (done, tail) = oneshot::channel();
        let key = (webhook.incident.clone(), region);
        let before = self.tails.lock().unwrap_or_else(PoisonError::into_inner).insert(key, tail);
        let (shared, webhook) = (Arc::clone(self), webhook.clone());
        self.under_way.fetch_add(1, Ordering::SeqCst);
        tokio::spawn(async move {
            if let Some(before) = before {
                // A sender that is gone has delivered too.
                drop(before.await);
            }
            tokio::time::sleep(after).await;
            shared.bring(&webhook, region, usize::MAX).await;
            // Nobody waits behind the last one.
            done.send(()).unwrap_or(());
            shared.under_way.fetch_sub(1, Ordering::SeqCst);
        });
    }

    fn send_stray(self: &Arc<Self>, webhook: &Webhook, region: usize, after: Duration) {
        let (shared, webhook) = (Arc::clone(self), webhook.clone());
        self.under_way.fetch_add(1, Ordering::SeqCst);
        tokio::spawn(async move {
            tokio::time::sleep(after).await;
            shared.bring(&webhook, region, STRAY_ATTEMPTS).await;
            shared.under_way.fetch_sub(1, Ordering::SeqCst);
        });
    }

    /// Until it is taken or refused, at most so many times.
    async fn bring(&self, webhook: &Webhook, region: usize, attempts: usize) {
        for _ in 0..attempts {
            while self.held.load(Ordering::SeqCst) {
                tokio::time::sleep(AGAIN / 4).await;
            }
            self.counts.sent.fetch_add(1, Ordering::SeqCst);
            let request = self
                .http
                .post(&self.regions[region])
                .header("Content-Type", "application/json")
                .header(SIGNATURE, &webhook.signature)
                .body(webhook.body.clone());
            let status = request.send().await.ok().map(|answer| answer.status());
            let (count, settled) = match status {
                Some(status) if status.is_success() => (&self.counts.taken, true),
                Some(status) if status.is_server_error() => (&self.counts.put_off, false),
                Some(_) => (&self.counts.refused, true),
                None => (&self.counts.unanswered, false),
            };
            count.fetch_add(1, Ordering::SeqCst);
            if settled {
                return;
            }
            tokio::time::sleep(AGAIN).await;
        }
    }
}

/// Most come at once, some late, a few after the run is over.
fn delay(dice: &mut Dice) -> Duration {
    match dice.below(100) {
        0..55 => dice.millis(0, 30),
        55..80 => dice.millis(100, 2_500),
        80..95 => dice.millis(2_500, 8_000),
        _ => dice.millis(8_000, 20_000),
    }
}
