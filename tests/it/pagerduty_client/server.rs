//! A server that answers as scripted per route and remembers every request. It stands for one
//! exchange at a time and keeps no incidents.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use ams::incident::{IncidentId, Status};
use ams::report::pagerduty::{PagerDuty, Settings};
use ams::report::{Escalation, IncidentChange};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Response};
use serde_json::{Value, json};
use tokio::sync::{Semaphore, watch};

pub(super) const TOKEN: &str = "t0ken-that-nobody-may-see";
pub(super) const GET: &str = "GET /incidents/Q1";
pub(super) const PUT: &str = "PUT /incidents/Q1";
pub(super) const GET_NOTES: &str = "GET /incidents/Q1/notes";
pub(super) const POST_NOTES: &str = "POST /incidents/Q1/notes";

pub(super) struct Reply {
    status: u16,
    headers: Vec<(&'static str, &'static str)>,
    body: Vec<u8>,
    held: bool,
    hangs: bool,
}

pub(super) fn text(status: u16, body: impl Into<Vec<u8>>) -> Reply {
    Reply { status, headers: Vec::new(), body: body.into(), held: false, hangs: false }
}

pub(super) fn json(status: u16, body: &Value) -> Reply {
    text(status, body.to_string())
}

pub(super) fn incident(status: &str) -> Reply {
    json(200, &json!({ "incident": { "id": "Q1", "status": status, "title": "disk" } }))
}

pub(super) fn code(status: u16, code: u32) -> Reply {
    json(status, &json!({ "error": { "message": "No", "code": code, "errors": ["Why"] } }))
}

/// Received, perhaps carried out, never answered.
pub(super) fn hang() -> Reply {
    Reply { hangs: true, ..text(200, "") }
}

impl Reply {
    pub(super) fn with(mut self, name: &'static str, value: &'static str) -> Self {
        self.headers.push((name, value));
        self
    }

    /// Waits until the test lets one go.
    pub(super) fn held(mut self) -> Self {
        self.held = true;
        self
    }
}

#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) route: String,
    pub(super) query: String,
    pub(super) headers: HeaderMap,
    pub(super) body: Value,
}

pub(super) struct Script {
    replies: Mutex<HashMap<String, VecDeque<Reply>>>,
    seen: Mutex<Vec<Seen>>,
    arrived: watch::Sender<usize>,
    pub(super) under_way: watch::Sender<usize>,
    pub(super) release: Semaphore,
}

pub(super) struct Server {
    pub(super) script: Arc<Script>,
    pub(super) url: String,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect("no test panics while it holds it")
}

async fn answer(State(script): State<Arc<Script>>, request: Request) -> Response<Body> {
    let (head, body) = request.into_parts();
    let body = axum::body::to_bytes(body, 1 << 20).await.expect("a small body");
    let route = format!("{} {}", head.method, head.uri.path());
    lock(&script.seen).push(Seen {
        route: route.clone(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers: head.headers,
        body: serde_json::from_slice(&body).unwrap_or_default(),
    });
    let reply = lock(&script.replies)
        .get_mut(&route)
        .and_then(VecDeque::pop_front)
        .unwrap_or_else(|| text(418, format!("not scripted: {route}")));
    script.under_way.send_modify(|n| *n += 1);
    script.arrived.send_modify(|n| *n += 1);
    if reply.hangs {
        std::future::pending::<()>().await;
    }
    if reply.held {
        script.release.acquire().await.expect("never closed").forget();
    }
    script.under_way.send_modify(|n| *n -= 1);
    let mut response = Response::builder().status(reply.status);
    for (name, value) in reply.headers {
        response = response.header(name, value);
    }
    response.body(Body::from(reply.body)).expect("a valid reply")
}

impl Server {
    pub(super) async fn start() -> Self {
        let script = Arc::new(Script {
            replies: Mutex::default(),
            seen: Mutex::default(),
            arrived: watch::Sender::new(0),
            under_way: watch::Sender::new(0),
            release: Semaphore::new(0),
        });
        let app = Router::new().fallback(answer).with_state(Arc::clone(&script));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a free port");
        let address = listener.local_addr().expect("a bound address");
        tokio::spawn(async move { axum::serve(listener, app).await });
        let url = format!("http://{address}");
        Self { script, url }
    }

    pub(super) fn on(&self, route: &str, replies: impl IntoIterator<Item = Reply>) -> &Self {
        lock(&self.script.replies).entry(route.to_owned()).or_default().extend(replies);
        self
    }

    /// Quick enough for tests; everything else as in production.
    pub(super) fn settings(&self) -> Settings {
        let mut settings = Settings::new(&self.url, TOKEN.to_owned().into(), "ams@example.com");
        settings.request_timeout = Duration::from_secs(5);
        settings.pace.first_wait = Duration::from_millis(1);
        settings.pace.longest_wait = Duration::from_millis(4);
        settings
    }

    pub(super) fn client(&self) -> PagerDuty {
        PagerDuty::new(self.settings()).expect("settings are valid")
    }

    /// For scripts with [`hang`]: gives an attempt up soon.
    pub(super) fn hasty_client(&self) -> PagerDuty {
        let mut settings = self.settings();
        settings.request_timeout = Duration::from_secs(1);
        PagerDuty::new(settings).expect("settings are valid")
    }

    pub(super) fn seen(&self) -> Vec<Seen> {
        lock(&self.script.seen).clone()
    }

    pub(super) fn routes(&self) -> Vec<String> {
        self.seen().into_iter().map(|seen| seen.route).collect()
    }

    pub(super) async fn until_arrived(&self, requests: usize) {
        let mut arrived = self.script.arrived.subscribe();
        let all = arrived.wait_for(|n| *n >= requests);
        let all = tokio::time::timeout(Duration::from_secs(10), all).await;
        all.expect("requests arrive").expect("the server lives");
    }
}

pub(super) fn q1() -> IncidentId {
    IncidentId::parse("Q1").expect("an id")
}

pub(super) fn title(text: &str) -> IncidentChange {
    IncidentChange { title: Some(text.to_owned()), ..IncidentChange::default() }
}

pub(super) fn status(status: Status) -> IncidentChange {
    IncidentChange { status: Some(status), ..IncidentChange::default() }
}

pub(super) fn escalate(escalation: Escalation) -> IncidentChange {
    IncidentChange { escalation: Some(escalation), ..IncidentChange::default() }
}
