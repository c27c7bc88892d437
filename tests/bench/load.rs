//! Webhooks of distinct incidents, signed as PagerDuty signs them.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use ams::clock::{Clock as _, SystemClock};
use ams::receive::signature;
use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use crate::http::Connection;
use crate::sink::incident_id;

pub(crate) const SECRET: &str = "bench-webhook-secret";

/// Kept connections. PagerDuty's own number is not known; this is more than a storm of a few
/// hundred incidents would open.
pub(crate) const CONNECTIONS: usize = 64;

/// How the load goes in.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pace {
    /// This many per second, whether the server keeps up or not.
    Fixed(u32),
    /// Every connection sends its next one when the last one is answered.
    Unbounded,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    pub(crate) sent: Instant,
    pub(crate) acknowledged: Instant,
    pub(crate) accepted: bool,
}

/// Whole requests, made and signed beforehand: a generator that signs takes the server's time.
pub(crate) fn requests(load: u32, count: usize) -> Vec<Vec<u8>> {
    (0..count)
        .map(|index| {
            let body = body(&incident_id(load, index), index);
            let signature = signature::sign(body.as_bytes(), SECRET);
            let length = body.len();
            let head = format!(
                "POST /webhooks/pagerduty HTTP/1.1\r\nhost: bench\r\naccept: application/json\r\n\
                 content-type: application/json\r\nuser-agent: PagerDuty-Webhook/V3.0\r\n\
                 x-pagerduty-signature: {signature}\r\ncontent-length: {length}\r\n\r\n"
            );
            (head + &body).into_bytes()
        })
        .collect()
}

/// A body with every field of PagerDuty's example, so that reading it costs what it does there.
fn body(id: &str, number: usize) -> String {
    let reference = |id: &str, kind: &str| {
        json!({
            "id": id,
            "type": kind,
            "self": format!("https://api.bench.example/{kind}/{id}"),
            "html_url": format!("https://web.bench.example/{kind}/{id}"),
            "summary": "A tiny bit of everything",
        })
    };
    let now = SystemClock.now();
    let body = json!({ "event": {
        "id": format!("E{id}"),
        "event_type": "incident.triggered",
        "resource_type": "incident",
        "occurred_at": now,
        "agent": reference("PAGENT1", "inbound_integration_reference"),
        "client": { "name": "Monitoring Service" },
        "data": {
            "id": id,
            "type": "incident",
            "self": format!("https://api.bench.example/incidents/{id}"),
            "html_url": format!("https://web.bench.example/incidents/{id}"),
            "number": number,
            "status": "triggered",
            "incident_key": id,
            "created_at": now,
            "title": "bench: the site is not answering",
            "service": reference("PSERV01", "service_reference"),
            "assignees": [reference("PUSER01", "user_reference")],
            "escalation_policy": reference("PPOL001", "escalation_policy_reference"),
            "teams": [reference("PTEAM01", "team_reference")],
            "priority": reference("PPRIO01", "priority_reference"),
            "urgency": "high",
            "conference_bridge": null,
            "resolve_reason": null,
        },
    }});
    body.to_string()
}

/// Sends everything, each request once, and answers with one sample per request, in order.
pub(crate) async fn run(
    target: SocketAddr,
    requests: Vec<Vec<u8>>,
    pace: Pace,
) -> io::Result<Vec<Sample>> {
    let count = requests.len();
    let (requests, next) = (Arc::new(requests), Arc::new(AtomicUsize::new(0)));
    let mut connections = Vec::new();
    for _ in 0..CONNECTIONS.min(count) {
        connections.push(Connection::open(target).await?);
    }
    let start = Instant::now();
    let mut senders = JoinSet::new();
    for connection in connections {
        senders.spawn(send(connection, Arc::clone(&requests), Arc::clone(&next), (pace, start)));
    }
    let mut samples = Vec::with_capacity(count);
    while let Some(sent) = senders.join_next().await {
        samples.extend(sent??);
    }
    samples.sort_unstable_by_key(|(index, _)| *index);
    Ok(samples.into_iter().map(|(_, sample)| sample).collect())
}

async fn send(
    mut connection: Connection,
    requests: Arc<Vec<Vec<u8>>>,
    next: Arc<AtomicUsize>,
    (pace, start): (Pace, Instant),
) -> io::Result<Vec<(usize, Sample)>> {
    let mut samples = Vec::new();
    loop {
        let index = next.fetch_add(1, Ordering::Relaxed);
        let Some(request) = requests.get(index) else { return Ok(samples) };
        let sent = turn(pace, start, index).await;
        let status = connection.ask(request).await?;
        let sample = Sample { sent, acknowledged: Instant::now(), accepted: status == 202 };
        samples.push((index, sample));
    }
}

/// Waits for the request's turn. One that is late because every connection waits for the server
/// counts from when it was due, or a slow server would look fast by being asked less; the timer's
/// own lateness is not the server's.
async fn turn(pace: Pace, start: Instant, index: usize) -> Instant {
    let Pace::Fixed(per_second) = pace else { return Instant::now() };
    let place = u32::try_from(index).unwrap_or(u32::MAX);
    let due = start + Duration::from_secs(1) * place / per_second;
    if Instant::now() >= due {
        return due;
    }
    sleep_until(due).await;
    Instant::now()
}
