//! Webhook delivery: in order per subscription and incident, signed, retried.

use std::sync::Arc;
use std::time::Duration;

use super::Shared;
use super::subscriptions::{Attempt, QueueKey, Webhook};
use crate::receive::signature;

/// Deliveries under way at once, so that a storm does not use up the machine's sockets.
pub(super) const DELIVERIES_AT_ONCE: usize = 64;

/// Starts a task that lives as long as the queue has something in it.
pub(super) fn start(shared: &Arc<Shared>, key: QueueKey) {
    let work = run(Arc::clone(shared), key);
    let stop = shared.stop.clone();
    let until_stopped = async move {
        // A delivery that stop cuts off is lost, as everything the stand-in holds.
        stop.run_until_cancelled(work).await;
    };
    shared.tasks.spawn_on(until_stopped, &shared.runtime);
}

async fn run(shared: Arc<Shared>, key: QueueKey) {
    while let Some(webhook) = shared.update(|state| state.next_webhook(&key)) {
        let attempt = deliver(&shared, &key, &webhook).await;
        let now = shared.clock.now();
        let again = shared.update(|state| state.settle(&key, &webhook.id, attempt, now));
        if again {
            tokio::time::sleep(shared.settings.retry_every).await;
        }
    }
}

/// One attempt. The wait for a free place is not part of the receiver's time.
async fn deliver(shared: &Shared, key: &QueueKey, webhook: &Webhook) -> Attempt {
    let Ok(_place) = shared.deliveries.acquire().await else {
        return Attempt::Failed;
    };
    let body = webhook.body.as_bytes().to_vec();
    let secret = webhook.secret.as_ref().unwrap_or(&shared.settings.webhook_secret);
    let signature = signature::sign(&body, secret);
    let request = shared
        .http
        .post(&webhook.url)
        .header("Accept", "application/json")
        .header("Content-Type", "application/json")
        .header("User-Agent", "PagerDuty-Webhook/V3.0")
        .header("X-PagerDuty-Signature", signature)
        .header("X-Webhook-Id", &webhook.id)
        .header("X-Webhook-Subscription", &key.subscription)
        .body(body);
    within(shared.settings.answer_within, request).await
}

async fn within(limit: Duration, request: reqwest::RequestBuilder) -> Attempt {
    let Ok(Ok(answer)) = tokio::time::timeout(limit, request.send()).await else {
        return Attempt::Failed;
    };
    let status = answer.status();
    if status.is_success() {
        Attempt::Delivered
    } else if status.is_server_error() || status == reqwest::StatusCode::TOO_MANY_REQUESTS {
        Attempt::Failed
    } else {
        // What PagerDuty does with 3xx is not documented; dropping is the worse of the two.
        Attempt::Refused
    }
}
