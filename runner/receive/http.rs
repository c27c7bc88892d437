//! The HTTP side of the receiver: what is answered to whom.
//!
//! PagerDuty drops a delivery on any 4xx but 429 and goes silent for 24 h after three in a row.
//! So: 401 only for a signature that is not PagerDuty's, 413 only above what PagerDuty sends,
//! 5xx for every fault of ours (it retries for 48 h), 2xx for everything else. EventBridge's API
//! destinations get the same answers, which are what they understand, too.

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use serde_json::{Value, json};
use tokio::time::Instant;
use tracing::{Instrument as _, Span};

use crate::limits;
use crate::metrics::{Delivered, Metrics, Way};
use crate::receive::{Delivery, eventbridge, pagerduty, signature};
use crate::secret::{Secret, lines};
use crate::spans;

/// What happens with a delivery that is understood. Returns once the answer is durable.
#[async_trait]
pub trait Intake: Send + Sync {
    async fn take(&self, delivery: Delivery) -> Taken;

    /// `Err` says why this process should get no traffic.
    fn readiness(&self) -> Result<(), String>;

    /// What people should know though it is ready.
    fn remark(&self) -> Option<String> {
        None
    }
}

/// What became of a delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Taken {
    Claimed {
        run: String,
    },
    Elsewhere {
        why: String,
    },
    Unmatched,
    StandDown,
    Ignored,
    /// Not durable: PagerDuty shall deliver it again.
    TryAgain {
        why: String,
    },
}

impl Taken {
    /// In the words of who counts.
    pub const fn delivered(&self) -> Delivered {
        match self {
            Self::Claimed { .. } => Delivered::Claimed,
            Self::Elsewhere { .. } => Delivered::TakenElsewhere,
            Self::Unmatched => Delivered::Unmatched,
            Self::StandDown => Delivered::StandDown,
            Self::Ignored => Delivered::Ignored,
            Self::TryAgain { .. } => Delivered::Unavailable,
        }
    }
}

#[derive(Clone)]
pub struct Receiver {
    pub intake: Arc<dyn Intake>,
    pub secrets: Arc<[Secret]>,
    /// Of EventBridge's API destinations; without one there is no such way in.
    pub keys: Arc<[Secret]>,
    /// Events come by a queue as well, so it takes incidents without a secret, too.
    pub has_queue: bool,
    /// AMS's own PagerDuty user.
    pub bot_user: Arc<str>,
    pub metrics: Metrics,
}

const SIGNATURE_HEADER: &str = "x-pagerduty-signature";

/// The name of an API destination's key, in the settings of its connection.
const KEY_HEADER: &str = "x-ams-key";

struct Answer {
    status: StatusCode,
    result: Delivered,
    body: Value,
}

impl Answer {
    const fn accepted(result: Delivered, body: Value) -> Self {
        Self { status: StatusCode::ACCEPTED, result, body }
    }

    fn refused(status: StatusCode, result: Delivered, why: &str) -> Self {
        Self { status, result, body: json!({ "status": "refused", "why": why }) }
    }

    fn try_again(why: &str) -> Self {
        let body = json!({ "status": "try again", "why": why });
        Self { status: StatusCode::SERVICE_UNAVAILABLE, result: Delivered::Unavailable, body }
    }
}

impl Receiver {
    pub fn router(self) -> Router {
        let mut router = Router::new()
            .route(limits::WEBHOOK_PATH, post(webhook))
            .route("/healthz", get(|| async { "ok\n" }))
            .route("/readyz", get(readyz))
            .route("/metrics", get(metrics));
        if !self.keys.is_empty() {
            router = router.route(limits::EVENTBRIDGE_PATH, post(event));
        }
        router.with_state(self)
    }

    async fn receive(&self, way: Way, request: Request) -> Response {
        let began = Instant::now();
        // One deadline for reading and claiming together: PagerDuty counts from its first byte, and
        // EventBridge waits as long as PagerDuty does.
        let span = spans::receive(way);
        let answer = self.answer(way, request, began + limits::WEBHOOK_ANSWER);
        let answer = answer.instrument(span.clone()).await;
        span.record("result", answer.result.word());
        self.metrics.delivered(way, answer.result, began.elapsed());
        (answer.status, axum::Json(answer.body)).into_response()
    }

    async fn answer(&self, way: Way, request: Request, by: Instant) -> Answer {
        let (parts, body) = request.into_parts();
        let body = match read_body(body, by).await {
            Ok(body) => body,
            Err(Unread::TooLarge) => {
                let why = format!("a webhook has at most {} bytes", limits::WEBHOOK_BODY_BYTES);
                let status = StatusCode::PAYLOAD_TOO_LARGE;
                return Answer::refused(status, Delivered::TooLarge, &why);
            }
            Err(Unread::Broken) => return Answer::try_again("the request did not arrive whole"),
        };
        let delivery = match self.open(way, &parts.headers, &body) {
            Ok(delivery) => delivery,
            Err(answer) => return answer,
        };
        delivery.show_in(&Span::current());
        let event_id = delivery.event_id.clone();
        let taken = tokio::time::timeout_at(by, self.intake.take(delivery)).await;
        let taken = taken.unwrap_or(Taken::TryAgain { why: "the claim store is slow".to_owned() });
        let result = taken.delivered();
        let body = match taken {
            Taken::Claimed { run } => json!({ "status": "claimed", "run": run }),
            Taken::Elsewhere { why } => json!({ "status": "taken elsewhere", "why": why }),
            Taken::Unmatched => json!({ "status": "unmatched" }),
            Taken::StandDown => json!({ "status": "standing down" }),
            Taken::Ignored => json!({ "status": "ignored" }),
            Taken::TryAgain { why } => {
                tracing::warn!(event.id = event_id, "event {event_id} is answered 503: {why}");
                return Answer::try_again(&why);
            }
        };
        Answer::accepted(result, body)
    }

    /// The genuine delivery, or the answer to what is none.
    fn open(&self, way: Way, headers: &HeaderMap, body: &[u8]) -> Result<Delivery, Answer> {
        let read = match way {
            Way::Webhook => {
                self.check_signature(headers, body)?;
                pagerduty::parse(body, &self.bot_user)
            }
            Way::ApiDestination | Way::Queue => {
                self.check_key(headers)?;
                eventbridge::parse(body, &self.bot_user)
            }
        };
        read.map_err(|malformed| {
            let event_id = malformed.event_id.as_deref().unwrap_or("unknown");
            tracing::warn!(
                event.id = event_id,
                "event {event_id} is genuine but cannot be read: {malformed}",
            );
            let body = json!({ "status": "ignored", "why": malformed.to_string() });
            Answer::accepted(Delivered::Malformed, body)
        })
    }

    fn check_signature(&self, headers: &HeaderMap, body: &[u8]) -> Result<(), Answer> {
        if self.secrets.is_empty() {
            tracing::error!("a webhook came and no webhook secret is configured: answered 503");
            return Err(Answer::try_again("no webhook secret is configured"));
        }
        // Headers may be split over several lines of the same name.
        let given: Vec<&str> =
            headers.get_all(SIGNATURE_HEADER).iter().filter_map(|h| h.to_str().ok()).collect();
        if signature::is_genuine(&given.join(","), body, &lines(&self.secrets)) {
            return Ok(());
        }
        tracing::warn!(bytes = body.len(), "a webhook with a missing or wrong signature");
        let (status, result) = (StatusCode::UNAUTHORIZED, Delivered::BadSignature);
        Err(Answer::refused(status, result, "the signature is missing or wrong"))
    }

    fn check_key(&self, headers: &HeaderMap) -> Result<(), Answer> {
        let given = headers.get(KEY_HEADER).map(HeaderValue::as_bytes).unwrap_or_default();
        if signature::is_key(given, &lines(&self.keys)) {
            return Ok(());
        }
        tracing::warn!("an event of an API destination with a missing or wrong key");
        let (status, result) = (StatusCode::UNAUTHORIZED, Delivered::BadSignature);
        Err(Answer::refused(status, result, "the key is missing or wrong"))
    }
}

async fn webhook(State(receiver): State<Receiver>, request: Request) -> Response {
    receiver.receive(Way::Webhook, request).await
}

async fn event(State(receiver): State<Receiver>, request: Request) -> Response {
    receiver.receive(Way::ApiDestination, request).await
}

enum Unread {
    TooLarge,
    Broken,
}

async fn read_body(body: Body, by: Instant) -> Result<axum::body::Bytes, Unread> {
    let read = axum::body::to_bytes(body, limits::WEBHOOK_BODY_BYTES);
    match tokio::time::timeout_at(by, read).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(error)) => {
            // The limit is an error type of a crate below axum; its text is stable.
            let too_large = error.to_string().contains("length limit");
            Err(if too_large { Unread::TooLarge } else { Unread::Broken })
        }
        Err(_) => Err(Unread::Broken),
    }
}

async fn readyz(State(receiver): State<Receiver>) -> Response {
    let is_open = receiver.has_queue || !receiver.secrets.is_empty() || !receiver.keys.is_empty();
    let way_in = if is_open { Ok(()) } else { Err("no webhook secret is configured".to_owned()) };
    match way_in.and_then(|()| receiver.intake.readiness()) {
        Ok(()) => match receiver.intake.remark() {
            Some(remark) => format!("ready, but {remark}\n").into_response(),
            None => "ready\n".into_response(),
        },
        Err(why) => {
            (StatusCode::SERVICE_UNAVAILABLE, format!("not ready: {why}\n")).into_response()
        }
    }
}

async fn metrics(State(receiver): State<Receiver>) -> Response {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(axum::http::header::CONTENT_TYPE, kind)], receiver.metrics.render()).into_response()
}
