//! The least that carries an incident safely: check the HMAC, write it down durably before the
//! 202, run one command, send one PUT. No claim, no journal, no note, no retry.
//!
//! Its bounds on commands and requests are the runner's own, so that the two differ in what they
//! do and not in how much of it they do at once.

use std::fs::File;
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};

use ams::limits::{COMMANDS_AT_ONCE, PAGERDUTY_AT_ONCE};
use ams::receive::signature;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post};
use secrecy::SecretString;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, mpsc, oneshot};

use crate::load::SECRET;

#[derive(clap::Args)]
pub(crate) struct Args {
    #[arg(long)]
    file: PathBuf,
    #[arg(long)]
    sink: SocketAddr,
    /// One fdatasync for all that wait, instead of one each
    #[arg(long)]
    grouped: bool,
}

struct Floor {
    log: Log,
    secrets: [SecretString; 1],
    sink: SocketAddr,
    http: reqwest::Client,
    commands: Semaphore,
    requests: Semaphore,
}

enum Log {
    OneByOne(Arc<Mutex<File>>),
    Grouped(mpsc::Sender<Line>),
}

/// What is to be written, and whom to tell when it is on the disk.
type Line = (Bytes, oneshot::Sender<bool>);

/// Lines waiting for the disk; there are never more than connections.
const QUEUE: usize = 4_096;

pub(crate) fn serve(args: &Args) -> io::Result<()> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(async {
        let log = Log::open(&args.file, args.grouped)?;
        let http = reqwest::Client::builder().build().map_err(io::Error::other)?;
        let floor = Floor {
            log,
            secrets: [SecretString::from(SECRET)],
            sink: args.sink,
            http,
            commands: Semaphore::new(COMMANDS_AT_ONCE),
            requests: Semaphore::new(PAGERDUTY_AT_ONCE),
        };
        let routes = Router::new()
            .route("/webhooks/pagerduty", post(webhook))
            .route("/readyz", get(|| async { "ready\n" }))
            .with_state(Arc::new(floor));
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        announce(listener.local_addr()?);
        axum::serve(listener, routes).await
    })
}

#[expect(clippy::print_stdout, reason = "the benchmark reads the address from the first line")]
fn announce(address: SocketAddr) {
    println!("floor listening on http://{address}");
}

async fn webhook(
    State(floor): State<Arc<Floor>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<StatusCode, StatusCode> {
    let signature = headers.get("x-pagerduty-signature").and_then(|value| value.to_str().ok());
    if !signature::is_genuine(signature.unwrap_or_default(), &body, &floor.secrets) {
        return Err(StatusCode::UNAUTHORIZED);
    }
    let event: Value = serde_json::from_slice(&body).map_err(|_| StatusCode::BAD_REQUEST)?;
    let id = event["event"]["data"]["id"].as_str().ok_or(StatusCode::BAD_REQUEST)?.to_owned();
    if !floor.log.append(body).await {
        return Err(StatusCode::SERVICE_UNAVAILABLE);
    }
    tokio::spawn(async move { floor.carry_out(&id).await });
    Ok(StatusCode::ACCEPTED)
}

impl Floor {
    /// A failure shows as an incident that never reaches its end.
    async fn carry_out(&self, id: &str) -> Option<()> {
        let slot = self.commands.acquire().await.ok()?;
        let mut command = tokio::process::Command::new("/bin/true");
        let command = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let well = command.status().await.ok()?.success();
        drop(slot);
        let _slot = self.requests.acquire().await.ok()?;
        let url = format!("http://{}/incidents/{id}", self.sink);
        let body = json!({ "incident": { "type": "incident_reference", "status": "resolved" } });
        let answer = self.http.put(url).json(&body).send().await.ok()?;
        (well && answer.bytes().await.is_ok()).then_some(())
    }
}

impl Log {
    fn open(path: &Path, grouped: bool) -> io::Result<Self> {
        let mut file = File::options().create(true).append(true).open(path)?;
        if !grouped {
            return Ok(Self::OneByOne(Arc::new(Mutex::new(file))));
        }
        let (sender, mut queue) = mpsc::channel::<Line>(QUEUE);
        std::thread::Builder::new().name("floor-log".to_owned()).spawn(move || {
            let mut group = Vec::new();
            while queue.blocking_recv_many(&mut group, QUEUE) > 0 {
                let lines: Vec<u8> = group.iter().flat_map(|(line, _)| line.to_vec()).collect();
                let durable = write_durably(&mut file, &lines).is_ok();
                for (_, told) in group.drain(..) {
                    told.send(durable).ok();
                }
            }
        })?;
        Ok(Self::Grouped(sender))
    }

    /// Whether the line is on the disk.
    async fn append(&self, line: Bytes) -> bool {
        match self {
            Self::OneByOne(file) => {
                let file = Arc::clone(file);
                let written = tokio::task::spawn_blocking(move || {
                    let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                    write_durably(&mut file, &line)
                });
                matches!(written.await, Ok(Ok(())))
            }
            Self::Grouped(queue) => {
                let (tell, told) = oneshot::channel();
                queue.send((line, tell)).await.is_ok() && told.await.unwrap_or(false)
            }
        }
    }
}

fn write_durably(file: &mut File, lines: &[u8]) -> io::Result<()> {
    file.write_all(lines)?;
    file.sync_data()
}
