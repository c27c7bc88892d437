//! Webhooks over real HTTP: what is answered to whom, and what each delivery means.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use ams::metrics::Metrics;
use ams::receive::Delivery;
use ams::receive::http::{Intake, Receiver, Taken};
use ams::receive::signature::sign;
use ams::secret::Secret;
use async_trait::async_trait;
use reqwest::{Response, StatusCode};
use serde_json::Value;
use tokio::task::JoinHandle;

// Which answer for which delivery: PagerDuty goes silent for 24 h after three wrong ones.
mod answers;
// What a delivery means, sentence by sentence.
mod meaning;
// Recorded and documented deliveries, where this machine has them.
mod samples;

pub(crate) const SECRET: &str = "current-secret";
/// Of EventBridge's API destinations.
pub(crate) const KEY: &str = "a key of an API destination";
pub(crate) const BOT: &str = "PAMSBOT";

/// A receiver on a port of its own.
pub(crate) struct Door {
    url: String,
    client: reqwest::Client,
    intake: Arc<Script>,
    server: JoinHandle<()>,
}

/// Answers as it is told, and keeps what it was given.
pub(crate) struct Script {
    /// Used up first; then everything is ignored.
    answers: Mutex<VecDeque<Answer>>,
    readiness: Result<(), String>,
    taken: Mutex<Vec<Delivery>>,
}

pub(crate) enum Answer {
    Say(Taken),
    /// The store hangs.
    Never,
}

#[async_trait]
impl Intake for Script {
    async fn take(&self, delivery: Delivery) -> Taken {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).push(delivery);
        let answer = self.answers.lock().unwrap_or_else(PoisonError::into_inner).pop_front();
        match answer {
            Some(Answer::Say(taken)) => taken,
            Some(Answer::Never) => std::future::pending().await,
            None => Taken::Ignored,
        }
    }

    fn readiness(&self) -> Result<(), String> {
        self.readiness.clone()
    }
}

impl Door {
    pub(crate) async fn open() -> Self {
        Self::build(&[SECRET], Ok(()), []).await
    }

    pub(crate) async fn with_secrets(secrets: &[&str]) -> Self {
        Self::with_keys(secrets, &[], (Ok(()), [])).await
    }

    pub(crate) async fn answering(answers: impl IntoIterator<Item = Answer>) -> Self {
        Self::build(&[SECRET], Ok(()), answers).await
    }

    /// No API destination of EventBridge delivers here.
    pub(crate) async fn without_keys() -> Self {
        Self::with_keys(&[SECRET], &[], (Ok(()), [])).await
    }

    pub(crate) async fn build(
        secrets: &[&str],
        readiness: Result<(), String>,
        answers: impl IntoIterator<Item = Answer>,
    ) -> Self {
        Self::with_keys(secrets, &[KEY], (readiness, answers)).await
    }

    async fn with_keys(
        secrets: &[&str],
        keys: &[&str],
        (readiness, answers): (Result<(), String>, impl IntoIterator<Item = Answer>),
    ) -> Self {
        let answers = Mutex::new(answers.into_iter().collect());
        let intake = Arc::new(Script { answers, readiness, taken: Mutex::default() });
        let receiver = Receiver {
            intake: Arc::clone(&intake) as Arc<dyn Intake>,
            secrets: secrets.iter().map(|secret| Secret::from(*secret)).collect(),
            keys: keys.iter().map(|key| Secret::from(*key)).collect(),
            has_queue: false,
            bot_user: BOT.into(),
            metrics: Metrics::default(),
        };
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server =
            tokio::spawn(async move { axum::serve(listener, receiver.router()).await.unwrap() });
        Self { url, client: reqwest::Client::new(), intake, server }
    }

    /// A delivery with the signature headers given.
    pub(crate) async fn deliver(&self, body: impl Into<Vec<u8>>, signatures: &[&str]) -> Response {
        let mut request = self.client.post(format!("{}/webhooks/pagerduty", self.url));
        for signature in signatures {
            request = request.header("X-PagerDuty-Signature", *signature);
        }
        request.body(body.into()).send().await.unwrap()
    }

    /// A delivery as PagerDuty makes it; answers with status and body.
    pub(crate) async fn deliver_signed(&self, body: impl Into<Vec<u8>>) -> (StatusCode, Value) {
        let body = body.into();
        let signature = sign(&body, SECRET);
        let answer = self.deliver(body, &[&signature]).await;
        (answer.status(), answer.json().await.unwrap())
    }

    /// As an API destination of EventBridge delivers.
    pub(crate) async fn event(&self, body: impl Into<Vec<u8>>, key: Option<&str>) -> Response {
        let mut request = self.client.post(format!("{}/webhooks/eventbridge", self.url));
        if let Some(key) = key {
            request = request.header("X-AMS-Key", key);
        }
        request.body(body.into()).send().await.unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, String) {
        let answer = self.client.get(format!("{}{path}", self.url)).send().await.unwrap();
        (answer.status(), answer.text().await.unwrap())
    }

    /// How often deliveries ended like this.
    pub(crate) async fn counted(&self, result: &str) -> u64 {
        self.number(&format!("ams_webhooks_total{{result=\"{result}\"}} ")).await
    }

    /// How often events of EventBridge ended like this.
    pub(crate) async fn counted_event(&self, way: &str, result: &str) -> u64 {
        let labels = format!("way=\"{way}\",result=\"{result}\"");
        self.number(&format!("ams_eventbridge_events_total{{{labels}}} ")).await
    }

    async fn number(&self, line: &str) -> u64 {
        let (_, text) = self.get("/metrics").await;
        text.lines().find_map(|it| it.strip_prefix(line)).map_or(0, |n| n.parse().unwrap())
    }

    /// What the intake was given.
    pub(crate) fn taken(&self) -> Vec<Delivery> {
        self.intake.taken.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        self.server.abort();
    }
}
