//! The HTTP side of the receiver: what is answered to whom.
//!
//! PagerDuty drops a delivery on any 4xx but 429 and goes silent for 24 h after three in a row.
//! So: 401 only for a signature that is not PagerDuty's, 413 only above what PagerDuty sends,
//! 5xx for every fault of ours (it retries for 48 h), 2xx for everything else.

use std::sync::Arc;

use async_trait::async_trait;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use secrecy::SecretString;
use serde_json::json;
use tokio::time::Instant;

use crate::limits;
use crate::metrics::{Metrics, Webhook};
use crate::receive::{Delivery, pagerduty, signature};

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

#[derive(Clone)]
pub struct Receiver {
    pub intake: Arc<dyn Intake>,
    pub secrets: Arc<[SecretString]>,
    /// AMS's own PagerDuty user.
    pub bot_user: Arc<str>,
    pub metrics: Metrics,
}

const SIGNATURE_HEADER: &str = "x-pagerduty-signature";

impl Receiver {
    pub fn router(self) -> Router {
        Router::new()
            .route(limits::WEBHOOK_PATH, post(webhook))
            .route("/healthz", get(|| async { "ok\n" }))
            .route("/readyz", get(readyz))
            .route("/metrics", get(metrics))
            .with_state(self)
    }

    fn answer(&self, status: StatusCode, result: Webhook, body: &serde_json::Value) -> Response {
        self.metrics.webhook(result);
        (status, axum::Json(body.clone())).into_response()
    }

    fn try_again(&self, why: &str) -> Response {
        let body = json!({ "status": "try again", "why": why });
        self.answer(StatusCode::SERVICE_UNAVAILABLE, Webhook::Unavailable, &body)
    }

    /// The signed delivery, or the answer to what is none.
    fn open(&self, headers: &HeaderMap, body: &[u8]) -> Result<Delivery, Box<Response>> {
        if self.secrets.is_empty() {
            tracing::error!("a webhook came and no webhook secret is configured: answered 503");
            return Err(Box::new(self.try_again("no webhook secret is configured")));
        }
        // Headers may be split over several lines of the same name.
        let given: Vec<&str> =
            headers.get_all(SIGNATURE_HEADER).iter().filter_map(|h| h.to_str().ok()).collect();
        if !signature::is_genuine(&given.join(","), body, &self.secrets) {
            tracing::warn!(bytes = body.len(), "a webhook with a missing or wrong signature");
            let body = json!({ "status": "refused", "why": "the signature is missing or wrong" });
            let answer = self.answer(StatusCode::UNAUTHORIZED, Webhook::BadSignature, &body);
            return Err(Box::new(answer));
        }
        pagerduty::parse(body, &self.bot_user).map_err(|malformed| {
            let event_id = malformed.event_id.as_deref().unwrap_or("unknown");
            tracing::warn!(
                event.id = event_id,
                "event {event_id} is signed but cannot be read: {malformed}",
            );
            let body = json!({ "status": "ignored", "why": malformed.to_string() });
            Box::new(self.answer(StatusCode::ACCEPTED, Webhook::Malformed, &body))
        })
    }
}

async fn webhook(State(receiver): State<Receiver>, request: Request) -> Response {
    // One deadline for reading and claiming together: PagerDuty counts from its first byte.
    let answer_by = Instant::now() + limits::WEBHOOK_ANSWER;
    let (parts, body) = request.into_parts();
    let body = match read_body(body, answer_by).await {
        Ok(body) => body,
        Err(Unread::TooLarge) => {
            let why = format!("a webhook has at most {} bytes", limits::WEBHOOK_BODY_BYTES);
            let body = json!({ "status": "refused", "why": why });
            return receiver.answer(StatusCode::PAYLOAD_TOO_LARGE, Webhook::TooLarge, &body);
        }
        Err(Unread::Broken) => return receiver.try_again("the request did not arrive whole"),
    };
    let delivery = match receiver.open(&parts.headers, &body) {
        Ok(delivery) => delivery,
        Err(answer) => return *answer,
    };
    let event_id = delivery.event_id.clone();
    let taken = tokio::time::timeout_at(answer_by, receiver.intake.take(delivery)).await;
    let taken = taken.unwrap_or(Taken::TryAgain { why: "the claim store is slow".to_owned() });
    let accepted = |result, body| receiver.answer(StatusCode::ACCEPTED, result, &body);
    match taken {
        Taken::Claimed { run } => {
            accepted(Webhook::Claimed, json!({ "status": "claimed", "run": run }))
        }
        Taken::Elsewhere { why } => {
            accepted(Webhook::TakenElsewhere, json!({ "status": "taken elsewhere", "why": why }))
        }
        Taken::Unmatched => accepted(Webhook::Unmatched, json!({ "status": "unmatched" })),
        Taken::StandDown => accepted(Webhook::StandDown, json!({ "status": "standing down" })),
        Taken::Ignored => accepted(Webhook::Ignored, json!({ "status": "ignored" })),
        Taken::TryAgain { why } => {
            tracing::warn!(event.id = event_id, "event {event_id} is answered 503: {why}");
            receiver.try_again(&why)
        }
    }
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
    let secrets = if receiver.secrets.is_empty() {
        Err("no webhook secret is configured".to_owned())
    } else {
        Ok(())
    };
    match secrets.and_then(|()| receiver.intake.readiness()) {
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
