//! Last resorts that are a message: in a channel of Slack, or by mail.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::{SignedDuration, Timestamp};

use super::{Alarm, LastResort, NotTold};
use crate::clock::Clock;
use crate::handoff::once::{Attempt, Found, Way};
use crate::handoff::slack::blocks::{Content, escape, own_words};
use crate::handoff::{email, slack};
use crate::limits;

/// A channel that people watch, in the operator's own workspace.
pub struct Channel {
    pub slack: Arc<slack::Slack>,
    /// The channel's.
    pub id: String,
    pub clock: Arc<dyn Clock>,
}

#[async_trait]
impl LastResort for Channel {
    fn way(&self) -> &'static str {
        "slack"
    }

    async fn alarm(&self, alarm: &Alarm) -> Result<(), NotTold> {
        let order = order(alarm, &self.id, self.clock.now());
        tell(&slack::Message { slack: Arc::clone(&self.slack), order }).await
    }
}

/// Everybody in the channel is notified (<https://docs.slack.dev/messaging/formatting-message-text#special-mentions>).
const CALL: &str = "<!channel>";

fn order(alarm: &Alarm, channel: &str, now: Timestamp) -> slack::Order {
    let url = alarm.url.iter().filter(|url| url.starts_with("https://"));
    let content = Content {
        headline: alarm.summary.clone(),
        sections: vec![alarm.message.clone(), alarm.facts()],
        links: url.map(|url| ("PagerDuty".to_owned(), url.clone())).collect(),
        foot: alarm.key.clone(),
        ..Content::default()
    };
    let mut blocks = content.blocks();
    if let (Some(blocks), Some(call)) = (blocks.as_array_mut(), own_words(CALL).get(0)) {
        blocks.insert(1, call.clone());
    }
    slack::Order {
        channel: channel.to_owned(),
        thread: None,
        text: escape(&alarm.summary),
        blocks,
        marker: alarm.key.clone(),
        since: now - SignedDuration::try_from(limits::RUN_DEADLINE).unwrap_or_default(),
    }
}

/// Mail to addresses that somebody reads at any hour.
pub struct Mailbox {
    pub email: Arc<email::Email>,
    pub to: Vec<String>,
}

#[async_trait]
impl LastResort for Mailbox {
    fn way(&self) -> &'static str {
        "email"
    }

    async fn alarm(&self, alarm: &Alarm) -> Result<(), NotTold> {
        let url = alarm.url.as_deref().unwrap_or_default();
        let order = email::Order {
            run: alarm.run.clone(),
            part: "unpaged",
            to: self.to.clone(),
            subject: alarm.summary.clone(),
            body: format!("{}\n\n{}\n{url}\n\n{}\n", alarm.message, alarm.facts(), alarm.key),
        };
        tell(&email::Mail { email: Arc::clone(&self.email), order }).await
    }
}

/// Until it is there, or the attempts are used up. Twice is better than never: a mail of which nobody
/// knows is sent again, with the same id.
async fn tell(way: &dyn Way) -> Result<(), NotTold> {
    let mut why = String::new();
    for attempt in 1..=limits::LAST_RESORT_ATTEMPTS {
        if let Found::There(_) = way.look().await {
            return Ok(());
        }
        match way.send().await {
            Attempt::Sent(_) => return Ok(()),
            Attempt::Refused(said) => return Err(NotTold(said)),
            Attempt::Later { why: said, .. } | Attempt::Lost(said) => why = said,
        }
        let wait: Duration = limits::LAST_RESORT_WAIT * attempt;
        tokio::time::sleep(wait).await;
    }
    Err(NotTold(format!("{why}, {} times", limits::LAST_RESORT_ATTEMPTS)))
}
