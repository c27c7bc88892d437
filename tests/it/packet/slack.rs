//! A double of Slack's Web API: messages are checked against Block Kit's limits and kept, threads are
//! threads, and it fails as it is told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderName};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use futures_util::stream;
use serde_json::{Value, json};
use tokio::task::JoinHandle;

pub(super) const TOKEN: &str = "xoxb-0123456789-slack-token";

pub(super) const CHANNEL: &str = "C0SHOP0001";

/// What happens to the next message.
#[derive(Clone, Copy)]
pub(super) enum Fault {
    /// It is posted, and the answer breaks off.
    AnswerLost,
    /// It is posted, and nobody ever answers.
    NeverAnswered,
    /// It is not posted: 429, come again in a second.
    RateLimited,
}

#[derive(Default)]
struct Inside {
    /// As they were posted, with `ts`.
    messages: Vec<Value>,
    faults: VecDeque<Fault>,
    problems: Vec<String>,
    /// May AMS's bot read the channel?
    hides_history: bool,
}

type Shared = Arc<Mutex<Inside>>;

pub(super) struct Slack {
    url: String,
    inside: Shared,
    server: JoinHandle<()>,
}

impl Slack {
    pub(super) async fn start() -> Self {
        let inside = Shared::default();
        let routes = Router::new()
            .route("/api/chat.postMessage", post(post_message))
            .route("/api/conversations.history", get(history))
            .route("/api/conversations.replies", get(history))
            .with_state(Arc::clone(&inside));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/api", listener.local_addr().unwrap());
        let server = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { url, inside, server }
    }

    /// Lines for the settings.
    pub(super) fn settings(&self) -> String {
        format!("slack: {{url: \"{}\", token: \"env:SLACK_TOKEN\"}}\n", self.url)
    }

    pub(super) fn fail(&self, fault: Fault) {
        lock(&self.inside).faults.push_back(fault);
    }

    pub(super) fn hide_history(&self) {
        lock(&self.inside).hides_history = true;
    }

    /// Somebody deletes everything.
    pub(super) fn delete_all(&self) {
        lock(&self.inside).messages.clear();
    }

    pub(super) fn messages(&self) -> Vec<Value> {
        lock(&self.inside).messages.clone()
    }

    /// What was posted that Slack would not take.
    pub(super) fn problems(&self) -> Vec<String> {
        lock(&self.inside).problems.clone()
    }
}

impl Drop for Slack {
    fn drop(&mut self) {
        self.server.abort();
    }
}

fn lock(inside: &Shared) -> MutexGuard<'_, Inside> {
    inside.lock().unwrap_or_else(PoisonError::into_inner)
}

fn no(error: &str) -> Response {
    Json(json!({"ok": false, "error": error})).into_response()
}

fn is_allowed(headers: &HeaderMap) -> bool {
    let bearer = headers.get("authorization").and_then(|it| it.to_str().ok());
    bearer == Some(&format!("Bearer {TOKEN}"))
}

async fn post_message(State(inside): State<Shared>, headers: HeaderMap, body: Bytes) -> Response {
    if !is_allowed(&headers) {
        return no("invalid_auth");
    }
    let mut message: Value = serde_json::from_slice(&body).unwrap();
    if let Some(problem) = problem(&message) {
        lock(&inside).problems.push(format!("{problem}: {message}"));
        return no("invalid_blocks");
    }
    if message["channel"] != CHANNEL {
        return no("channel_not_found");
    }
    let fault = lock(&inside).faults.pop_front();
    if let Some(Fault::RateLimited) = fault {
        let wait = (HeaderName::from_static("retry-after"), "1");
        let body = Json(json!({"ok": false, "error": "ratelimited"}));
        return (axum::http::StatusCode::TOO_MANY_REQUESTS, [wait], body).into_response();
    }
    let ts = {
        let mut inside = lock(&inside);
        let ts = format!("1503435956.{:06}", inside.messages.len());
        let thread = &message["thread_ts"];
        if !thread.is_null() && inside.messages.iter().all(|it| it["ts"] != *thread) {
            return no("thread_not_found");
        }
        message["ts"] = json!(ts);
        inside.messages.push(message);
        ts
    };
    match fault {
        Some(Fault::AnswerLost) => {
            let broken = stream::once(async { Err::<Bytes, _>(std::io::Error::other("lost")) });
            Body::from_stream(broken).into_response()
        }
        Some(Fault::NeverAnswered) => std::future::pending().await,
        _ => Json(json!({"ok": true, "channel": CHANNEL, "ts": ts})).into_response(),
    }
}

/// Block Kit's limits, as Slack documents them.
fn problem(message: &Value) -> Option<&'static str> {
    let blocks = message["blocks"].as_array()?;
    let chars = |text: &Value| text.as_str().map_or(0, |text| text.chars().count());
    if blocks.is_empty() || blocks.len() > 50 || chars(&message["text"]) == 0 {
        return Some("blocks or text");
    }
    blocks.iter().find_map(|block| match block["type"].as_str() {
        Some("header") => {
            let fits = block["text"]["type"] == "plain_text"
                && (1..=150).contains(&chars(&block["text"]["text"]));
            (!fits).then_some("header")
        }
        Some("section") => {
            let fields = block["fields"].as_array();
            let few = fields.is_none_or(|all| {
                all.len() <= 10 && all.iter().all(|it| (1..=2_000).contains(&chars(&it["text"])))
            });
            let text = &block["text"];
            let fits = (text.is_null() && fields.is_some())
                || (text["type"] == "mrkdwn" && (1..=3_000).contains(&chars(&text["text"])));
            (!few || !fits).then_some("section")
        }
        Some("context") => {
            let few = block["elements"].as_array().is_some_and(|all| (1..=10).contains(&all.len()));
            (!few).then_some("context")
        }
        _ => Some("a block of no known type"),
    })
}

#[derive(serde::Deserialize)]
struct Asked {
    channel: String,
    ts: Option<String>,
    include_all_metadata: bool,
    oldest: i64,
    limit: usize,
}

async fn history(
    State(inside): State<Shared>,
    headers: HeaderMap,
    Query(asked): Query<Asked>,
) -> Response {
    let inside = lock(&inside);
    if !is_allowed(&headers) {
        return no("invalid_auth");
    }
    if inside.hides_history {
        return no("missing_scope");
    }
    if asked.channel != CHANNEL || !asked.include_all_metadata || asked.oldest <= 0 {
        return no("invalid_arguments");
    }
    let wanted = |message: &&Value| match &asked.ts {
        Some(ts) => message["thread_ts"] == **ts || message["ts"] == **ts,
        None => message["thread_ts"].is_null(),
    };
    let found: Vec<&Value> =
        inside.messages.iter().rev().filter(wanted).take(asked.limit).collect();
    Json(json!({"ok": true, "messages": found})).into_response()
}
