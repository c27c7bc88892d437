//! Messages in Slack: one per hand-off, an incident's in one thread.
//!
//! `chat.postMessage` has no key that makes it safe to repeat. A message carries its marker as
//! metadata; after a lost answer it is looked for, which needs the scope `channels:history`
//! (`groups:history` for private channels). <https://docs.slack.dev/reference/methods/chat.postMessage>

pub mod blocks;

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use reqwest::{Client, Url};
use secrecy::ExposeSecret as _;
use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::http::{self, Answer};
use super::once::{Attempt, Found, Way};
use crate::limits;
use crate::report::packet::Sent;
use crate::secret::Secret;

/// How Slack is reached.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `https://slack.com/api`.
    pub url: String,
    /// Of a bot.
    pub token: Secret,
}

/// One workspace.
pub struct Slack {
    http: Client,
    base: Url,
    token: Secret,
    turns: Semaphore,
}

/// A message that a run wants.
#[derive(Clone, Debug)]
pub struct Order {
    /// By its id.
    pub channel: String,
    /// The first message of the incident's thread.
    pub thread: Option<String>,
    /// For notifications, and where blocks are not shown.
    pub text: String,
    pub blocks: Value,
    /// Of this run's message alone.
    pub marker: String,
    /// Nothing of the run is older.
    pub since: Timestamp,
}

/// A run's message, and where it goes.
pub struct Message {
    pub slack: Arc<Slack>,
    pub order: Order,
}

impl Slack {
    /// What is under way; [`limits::PACKET_AT_ONCE`] at most.
    pub fn busy(&self) -> usize {
        limits::PACKET_AT_ONCE.saturating_sub(self.turns.available_permits())
    }

    pub fn open(settings: &Settings) -> Result<Self, String> {
        let base = Url::parse(&settings.url).map_err(|error| format!("slack.url: {error}"))?;
        let http = http::client().map_err(|error| error.to_string())?;
        let turns = Semaphore::new(limits::PACKET_AT_ONCE);
        Ok(Self { http, base, token: settings.token.clone(), turns })
    }

    fn address(&self, method: &str) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push(method);
        }
        url
    }

    async fn post(&self, body: &Value) -> Answer {
        let request = self.http.post(self.address("chat.postMessage"));
        http::ask(request.bearer_auth(self.token.now().expose_secret()).json(body)).await
    }

    /// The messages of a channel, or of a thread, the newest first.
    async fn messages(&self, order: &Order) -> Answer {
        let mut url = self.address(match order.thread {
            Some(_) => "conversations.replies",
            None => "conversations.history",
        });
        // Slack's clock and ours may differ.
        let oldest = order.since.as_second() - 60;
        url.query_pairs_mut()
            .append_pair("channel", &order.channel)
            .append_pair("oldest", &oldest.to_string())
            .append_pair("limit", &limits::SLACK_MESSAGES.to_string())
            .append_pair("include_all_metadata", "true")
            .extend_pairs(order.thread.iter().map(|thread| ("ts", thread)));
        http::ask(self.http.get(url).bearer_auth(self.token.now().expose_secret())).await
    }
}

impl Message {
    fn body(&self) -> Value {
        let Order { channel, thread, text, blocks, marker, .. } = &self.order;
        let metadata = json!({"event_type": EVENT, "event_payload": {"marker": marker}});
        let mut body = json!({
            "channel": channel, "text": text, "blocks": blocks, "metadata": metadata,
            "unfurl_links": false, "unfurl_media": false,
        });
        if let Some(thread) = thread {
            body["thread_ts"] = json!(thread);
        }
        body
    }

    fn sent(&self, posted: &Value) -> Sent {
        Sent {
            shown: self.order.channel.clone(),
            reference: posted["ts"].as_str().map(str::to_owned),
            appended: self.order.thread.is_some(),
        }
    }
}

/// Slack's name for what the metadata is about.
const EVENT: &str = "ams_hand_off";

/// Errors after which the message may be there all the same.
const IN_DOUBT: [&str; 4] =
    ["internal_error", "fatal_error", "request_timeout", "service_unavailable"];

#[async_trait]
impl Way for Message {
    fn turns(&self) -> &Semaphore {
        &self.slack.turns
    }

    async fn look(&self) -> Found {
        let answer = match self.slack.messages(&self.order).await {
            Answer::Done(answer) => answer,
            Answer::NotSent(why) | Answer::Lost(why) => return Found::Later(why),
            Answer::Said { status, .. } => return Found::Later(format!("Slack: {status}")),
        };
        if answer["ok"] == json!(true) {
            let mut messages = answer["messages"].as_array().into_iter().flatten();
            let marker = json!(self.order.marker);
            let mine = |it: &&Value| it["metadata"]["event_payload"]["marker"] == marker;
            return match messages.find(mine) {
                Some(posted) => Found::There(self.sent(posted)),
                None => Found::Not,
            };
        }
        match answer["error"].as_str().unwrap_or_default() {
            "ratelimited" => Found::Later("Slack: ratelimited".to_owned()),
            error if IN_DOUBT.contains(&error) => Found::Later(format!("Slack: {error}")),
            error => Found::Cannot(remedy(error)),
        }
    }

    async fn send(&self) -> Attempt {
        let mut answer = self.slack.post(&self.body()).await;
        // Somebody has deleted the thread's first message.
        if matches!(&answer, Answer::Done(said) if said["error"] == "thread_not_found") {
            let mut body = self.body();
            if let Some(fields) = body.as_object_mut() {
                fields.remove("thread_ts");
            }
            answer = self.slack.post(&body).await;
        }
        let answer = match answer {
            Answer::Done(answer) => answer,
            Answer::NotSent(why) => return Attempt::Later { why, after: None },
            Answer::Lost(why) => return Attempt::Lost(why),
            Answer::Said { status, after, .. } if http::is_too_many(status) => {
                return Attempt::Later { why: format!("Slack: {status}"), after };
            }
            Answer::Said { status, .. } if status >= 500 => {
                return Attempt::Lost(format!("Slack: {status}"));
            }
            Answer::Said { status, .. } => return Attempt::Refused(format!("Slack: {status}")),
        };
        if answer["ok"] == json!(true) {
            return Attempt::Sent(self.sent(&answer));
        }
        match answer["error"].as_str().unwrap_or_default() {
            "ratelimited" => Attempt::Later { why: "Slack: ratelimited".to_owned(), after: None },
            error if IN_DOUBT.contains(&error) => Attempt::Lost(format!("Slack: {error}")),
            error => Attempt::Refused(remedy(error)),
        }
    }
}

/// Slack's word for what is wrong, and what to do where that is known.
fn remedy(error: &str) -> String {
    let remedy = match error {
        "not_in_channel" => ": invite AMS's bot to the channel",
        "channel_not_found" | "is_archived" => ": change 'slack.channel' in the customer's file",
        "invalid_auth" | "not_authed" | "account_inactive" | "token_revoked" => {
            ": renew 'slack.token' in the settings"
        }
        "missing_scope" => ": give the bot chat:write and channels:history",
        _ => "",
    };
    format!("Slack: {error}{remedy}")
}
