//! A receiver of webhooks that keeps what it got and answers as it is told.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use serde_json::Value;
use tokio::sync::watch;
use tokio::task::JoinHandle;

/// How one delivery is answered.
#[derive(Clone, Copy)]
pub(crate) enum Reaction {
    Status(u16),
    /// Not within any limit.
    Never,
}

/// One delivery as it came in.
#[derive(Clone)]
pub(crate) struct Delivery {
    pub(crate) headers: HeaderMap,
    pub(crate) raw: Bytes,
    pub(crate) event: Value,
}

impl Delivery {
    pub(crate) fn kind(&self) -> &str {
        self.event["event_type"].as_str().unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }
}

pub(crate) struct Receiver {
    pub(crate) url: String,
    inside: Arc<Inside>,
    server: JoinHandle<()>,
}

struct Inside {
    /// Used up first; then everything is accepted.
    script: Mutex<VecDeque<Reaction>>,
    got: watch::Sender<Vec<Delivery>>,
}

impl Receiver {
    pub(crate) async fn start(script: &[Reaction]) -> Self {
        Self::at("/webhook", script).await
    }

    pub(crate) async fn at(path: &str, script: &[Reaction]) -> Self {
        let inside = Arc::new(Inside {
            script: Mutex::new(script.iter().copied().collect()),
            got: watch::Sender::new(Vec::new()),
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}{path}", listener.local_addr().unwrap());
        let routes = Router::new().route(path, post(receive));
        let routes = routes.with_state(Arc::clone(&inside));
        let server = tokio::spawn(async move { axum::serve(listener, routes).await.unwrap() });
        Self { url, inside, server }
    }

    /// Waits until this many deliveries, repeated ones included, have come in.
    pub(crate) async fn first(&self, n: usize) -> Vec<Delivery> {
        let mut got = self.inside.got.subscribe();
        let enough = got.wait_for(|got| got.len() >= n);
        let found = tokio::time::timeout(Duration::from_secs(20), enough).await;
        found.unwrap().unwrap().clone()
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn receive(State(inside): State<Arc<Inside>>, headers: HeaderMap, raw: Bytes) -> StatusCode {
    let body: Value = serde_json::from_slice(&raw).unwrap();
    let event = body["event"].clone();
    let delivery = Delivery { headers, raw, event };
    inside.got.send_modify(|got| got.push(delivery));
    let script = || inside.script.lock().unwrap_or_else(PoisonError::into_inner);
    let reaction = script().pop_front().unwrap_or(Reaction::Status(202));
    match reaction {
        Reaction::Status(status) => StatusCode::from_u16(status).unwrap(),
        Reaction::Never => std::future::pending().await,
    }
}
