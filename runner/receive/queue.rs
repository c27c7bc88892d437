//! Events that Amazon EventBridge has put into a queue of SQS.
//!
//! A message is removed only after its claim, or the knowledge that somebody else has it, is durable;
//! one that was removed in vain comes again and finds its incident claimed. What cannot be read or
//! taken stays in the queue, whose own rules decide when people shall look at it.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, Span};

use crate::aws::failure::Failure;
use crate::aws::sqs::{Message, OpenError, Place, Sqs};
use crate::clock::Clock;
use crate::limits;
use crate::metrics::{Delivered, Metrics, Way};
use crate::receive::eventbridge;
use crate::receive::http::{Intake, Receiver, Taken};
use crate::spans;

/// Of the errors that are counted.
const PART: &str = "queue";

/// A queue that this process takes events from.
pub struct Queue {
    sqs: Sqs,
    intake: Arc<dyn Intake>,
    /// AMS's own PagerDuty user.
    bot_user: Arc<str>,
    metrics: Metrics,
}

/// What becomes of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Removed,
    /// Somebody sees it again after this.
    Again(Duration),
}

impl Queue {
    /// A way in beside the receiver's own, to the same intake; where the operator has a queue.
    pub async fn open(
        place: Option<Place>,
        receiver: &Receiver,
        clock: &Arc<dyn Clock>,
    ) -> Result<Option<Self>, OpenError> {
        let Some(place) = place else { return Ok(None) };
        Ok(Some(Self::of(Sqs::open(place, clock).await?, receiver)))
    }

    pub fn of(sqs: Sqs, receiver: &Receiver) -> Self {
        let Receiver { intake, bot_user, metrics, .. } = receiver.clone();
        metrics.measures.may_fail(PART, &Failure::CLASSES);
        Self { sqs, intake, bot_user, metrics }
    }

    /// Takes messages until it is stopped.
    pub async fn take_until(self, stop: CancellationToken) {
        let mut failures = 0;
        while !stop.is_cancelled() {
            let wait = match self.round(failures, &stop).await {
                Ok(wait) => {
                    failures = 0;
                    wait
                }
                Err(failure) => {
                    failures += 1;
                    self.failed(&failure);
                    let (reason, url) = (failure.reason(), &self.sqs.place.url);
                    tracing::warn!(reason, "the queue {url} cannot be read");
                    Some(wait_after(failures))
                }
            };
            if let Some(wait) = wait {
                tokio::select! {
                    () = stop.cancelled() => return,
                    () = sleep(wait) => {}
                }
            }
        }
    }

    /// One answer of the queue and all that follows from it.
    async fn round(
        &self,
        failures: u32,
        stop: &CancellationToken,
    ) -> Result<Option<Duration>, Failure> {
        // Each look at a message counts towards its being given up, and another process may begin it.
        if self.intake.readiness().is_err() {
            return Ok(Some(limits::QUEUE_UNREADY));
        }
        // Ten large messages may be more than one answer can hold.
        let most = if failures == 0 { limits::QUEUE_MESSAGES } else { 1 };
        let received = tokio::select! {
            () = stop.cancelled() => return Ok(None),
            received = self.sqs.receive(most) => received?,
        };
        let fates = join_all(received.iter().map(|message| self.take(message))).await;
        let (mut removed, mut again) = (Vec::new(), Vec::new());
        for (message, fate) in received.iter().zip(fates) {
            match fate {
                Fate::Removed => removed.push(message.receipt.as_str()),
                Fate::Again(wait) => again.push((message.receipt.as_str(), wait)),
            }
        }
        let (removed, put_back) =
            tokio::join!(self.sqs.delete(&removed), self.sqs.put_back(&again));
        for answer in [removed, put_back] {
            match answer {
                Ok(0) => {}
                // They come again by themselves, and are known then.
                Ok(left) => tracing::info!(left, "messages of the queue will be seen once more"),
                Err(failure) => {
                    self.failed(&failure);
                    let reason = failure.reason();
                    tracing::warn!(reason, "messages of the queue will be seen once more");
                }
            }
        }
        Ok(None)
    }

    fn failed(&self, failure: &Failure) {
        self.metrics.queue_failures.inc();
        self.metrics.measures.failed(PART, failure.class());
    }

    async fn take(&self, message: &Message) -> Fate {
        let began = Instant::now();
        let span = spans::receive(Way::Queue);
        let (result, fate) = self.judge(message).instrument(span.clone()).await;
        span.record("result", result.word());
        self.metrics.delivered(Way::Queue, result, began.elapsed());
        fate
    }

    async fn judge(&self, message: &Message) -> (Delivered, Fate) {
        let again = Fate::Again(wait_after(message.receives));
        let delivery = match eventbridge::parse(message.body.as_bytes(), &self.bot_user) {
            Ok(delivery) => delivery,
            Err(malformed) => {
                let event_id = malformed.event_id.as_deref().unwrap_or("unknown");
                let receives = message.receives;
                tracing::warn!(
                    event.id = event_id,
                    receives,
                    "event {event_id} of the queue cannot be read and stays there: {malformed}",
                );
                return (Delivered::Malformed, again);
            }
        };
        delivery.show_in(&Span::current());
        let event_id = delivery.event_id.clone();
        let taken = timeout(limits::QUEUE_TAKE, self.intake.take(delivery)).await;
        let taken = taken.unwrap_or(Taken::TryAgain { why: "the claim store is slow".to_owned() });
        if let Taken::TryAgain { why } = &taken {
            tracing::warn!(event.id = event_id, "event {event_id} stays in the queue: {why}");
            return (Delivered::Unavailable, again);
        }
        (taken.delivered(), Fate::Removed)
    }
}

/// After so many vain attempts.
fn wait_after(attempts: u32) -> Duration {
    let doubled = 2_u32.saturating_pow(attempts.saturating_sub(1));
    limits::QUEUE_FIRST_WAIT.saturating_mul(doubled).min(limits::QUEUE_LONGEST_WAIT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_that_cannot_be_taken_comes_again_later_and_later() {
        let waits = [0, 1, 2, 3, 6, 7, 100, u32::MAX].map(|it| wait_after(it).as_secs());
        assert_eq!(waits, [1, 1, 2, 4, 32, 60, 60, 60]);
    }
}
