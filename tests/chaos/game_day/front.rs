//! A region as PagerDuty sees it: a door that a failure can shut, and behind it a load balancer that
//! gives each webhook to one of the region's processes.

use std::net::Ipv4Addr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use ams::clock::{Clock as _, SystemClock};
use ams::incident::IncidentId;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use jiff::Timestamp;
use tokio::task::JoinHandle;

use super::watch::Process;
use crate::courier::{ANSWER_WITHIN, SIGNATURE, incident_of};
use crate::fault_proxy::FaultProxy;

pub(crate) struct Front {
    pub(crate) door: FaultProxy,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

struct Shared {
    processes: Vec<Process>,
    turn: AtomicUsize,
    http: reqwest::Client,
    /// An incident whose webhooks get lost, by a word of its title.
    lost: Option<String>,
    answers: Mutex<Vec<Answer>>,
}

/// What a webhook was answered.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) at: Timestamp,
    pub(crate) incident: Option<IncidentId>,
    /// The one that makes AMS begin.
    pub(crate) begins: bool,
    /// `None`: no process answered in time.
    pub(crate) status: Option<u16>,
}

impl Answer {
    pub(crate) fn is_taken(&self) -> bool {
        self.status.is_some_and(|status| (200..300).contains(&status))
    }
}

impl Front {
    pub(crate) async fn open(
        processes: Vec<Process>,
        lost: Option<String>,
    ) -> std::io::Result<Self> {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let door = FaultProxy::start(&format!("http://{}", listener.local_addr()?), 0).await?;
        let http = reqwest::Client::builder()
            .no_proxy()
            .timeout(ANSWER_WITHIN)
            .build()
            .map_err(std::io::Error::other)?;
        let (turn, answers) = (AtomicUsize::new(0), Mutex::default());
        let shared = Arc::new(Shared { processes, turn, http, lost, answers });
        let router = Router::new().fallback(take).with_state(Arc::clone(&shared));
        let server = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "a load balancer has ended");
            }
        });
        Ok(Self { door, shared, server })
    }

    pub(crate) fn answers(&self) -> Vec<Answer> {
        self.shared.answers.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        self.server.abort();
    }
}

async fn take(State(shared): State<Arc<Shared>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let json: serde_json::Value = serde_json::from_slice(&body).unwrap_or_default();
    let data = &json["event"]["data"];
    let title = data["title"].as_str().or_else(|| data["incident"]["summary"].as_str());
    if let (Some(lost), Some(title)) = (&shared.lost, title)
        && title.contains(lost.as_str())
    {
        return StatusCode::ACCEPTED;
    }
    let status = shared.pass_on(&headers, body).await;
    let answer = Answer {
        at: SystemClock.now(),
        incident: incident_of(&json),
        begins: json["event"]["event_type"] == "incident.triggered",
        status: status.map(|status| status.as_u16()),
    };
    shared.answers.lock().unwrap_or_else(PoisonError::into_inner).push(answer);
    status.unwrap_or(StatusCode::GATEWAY_TIMEOUT)
}

impl Shared {
    async fn pass_on(&self, headers: &HeaderMap, body: Bytes) -> Option<StatusCode> {
        let process = self.next()?;
        let mut request = self.http.post(&process.webhooks).body(body);
        for name in ["Content-Type", SIGNATURE] {
            if let Some(value) = headers.get(name) {
                request = request.header(name, value);
            }
        }
        Some(request.send().await.ok()?.status())
    }

    /// In turn, whoever is ready. Where nobody is, all of them, as AWS's load balancers do: AMS itself
    /// must then refuse.
    fn next(&self) -> Option<&Process> {
        let ready: Vec<&Process> = self.processes.iter().filter(|it| it.is_ready()).collect();
        let all = if ready.is_empty() { self.processes.iter().collect() } else { ready };
        let turn = self.turn.fetch_add(1, Ordering::SeqCst);
        all.get(turn % all.len().max(1)).copied()
    }
}
