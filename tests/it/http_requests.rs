use std::collections::BTreeMap;
use std::fs;
use std::time::Duration;

use ams::aws::signed::Signed;
use ams::clock::SystemClock;
use ams::execute::actuator::{
    Action, Actuator as _, Command, Ending, HttpMethod, HttpRequest, Observation, Order, Program,
};
use ams::execute::aws_api::AwsCalls;
use ams::execute::dispatch::Actuators;
use ams::execute::host_program::Places;
use ams::execute::http::HttpRequests;
use ams::execute::local::LocalCommands;
use ams::execute::ssh::SshCommands;
use ams::execute::ssm::{SsmCommands, Terms};
use ams::execute::tcp::TcpConnections;
use ams::incident::{IncidentId, RunId};
use ams::limits;
use axum::Router;
use axum::http::{HeaderMap, StatusCode, header};
use axum::routing::{any, get};
use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

use crate::harness::commands::detached;

/// Never reached by a test that passes.
const LONG: Duration = Duration::from_mins(1);

const LARGE: usize = 3 * 1024 * 1024;

struct Bench {
    dir: TempDir,
    actuators: Actuators,
    cancel: CancellationToken,
}

impl Bench {
    fn new() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let evidence = dir.path().join("evidence");
        let http = HttpRequests::new(evidence.clone()).expect("a client");
        let ssh = SshCommands::open(
            evidence.clone(),
            dir.path().join("ssh"),
            BTreeMap::new(),
            Places::default(),
            std::sync::Arc::new(SystemClock),
        )
        .expect("a folder for ssh");
        let ssm = SsmCommands::new(
            evidence.clone(),
            (None, reqwest::Client::new()),
            Places::default(),
            std::sync::Arc::new(SystemClock),
            Terms::default(),
        );
        let aws = AwsCalls {
            evidence_dir: evidence.clone(),
            sessions: None,
            signed: Signed::new(std::sync::Arc::new(SystemClock)).expect("a client"),
            endpoint: None,
        };
        let local = LocalCommands::new(evidence, detached(dir.path()), BTreeMap::new());
        let platform = std::sync::Arc::new(LocalCommands::new(
            dir.path().join("no"),
            detached(dir.path()),
            BTreeMap::new(),
        ));
        let actuators = Actuators { local, ssh, ssm, http, tcp: TcpConnections, aws, platform };
        Self { dir, actuators, cancel: CancellationToken::new() }
    }

    async fn act(&self, order: &Order) -> Observation {
        self.actuators.act(order, &self.cancel).await
    }

    async fn get(&self, url: impl Into<String>) -> Observation {
        self.act(&request(HttpMethod::Get, url)).await
    }
}

fn order(action: Action) -> Order {
    Order {
        run: RunId { incident: IncidentId::parse("PT4KHLK").expect("an incident id"), number: 1 },
        step: 0,
        entry: None,
        nonce: "0a".to_owned(),
        attempt: None,
        announced_at: None,
        permission: None,
        action,
        host: None,
        timeout: LONG,
    }
}

fn request(method: HttpMethod, url: impl Into<String>) -> Order {
    order(Action::Http(HttpRequest {
        method,
        url: url.into(),
        headers: BTreeMap::new(),
        body: None,
    }))
}

/// What a checked service may do; gives its address.
async fn service() -> String {
    let echo = async |headers: HeaderMap, body: String| {
        let header = |name: &str| {
            let value = headers.get(name).map(|value| value.to_str().expect("text"));
            value.unwrap_or("-").to_owned()
        };
        let (agent, check) = (header("user-agent"), header("x-check"));
        format!("user-agent: {agent}\nx-check: {check}\n{body}")
    };
    let moved = (StatusCode::FOUND, [(header::LOCATION, "/health")]);
    let down = (StatusCode::SERVICE_UNAVAILABLE, "接続プールが枯渇しています");
    let router = Router::new()
        .route("/health", any(echo))
        .route("/down", get(async move || down))
        .route("/moved", get(async move || moved))
        .route("/large", get(async || "あ".repeat(LARGE / 3)))
        .route("/hanging", get(std::future::pending::<()>));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}

/// A server that sends these bytes to whoever asks, and then closes or hangs.
async fn raw(answer: &'static str, then_close: bool) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    tokio::spawn(async move {
        let (mut peer, _) = listener.accept().await.expect("a client");
        let mut head = [0; 1024];
        assert!(peer.read(&mut head).await.expect("a request") > 0);
        peer.write_all(answer.as_bytes()).await.expect("sent");
        if !then_close {
            std::future::pending::<()>().await;
        }
    });
    format!("http://{address}/")
}

fn no_answer(observation: &Observation) -> &str {
    match &observation.ending {
        Ending::NoAnswer { reason } => reason,
        other => panic!("expected no answer: {other:?}"),
    }
}

#[tokio::test]
async fn an_answer_is_its_status_and_body() {
    let (bench, url) = (Bench::new(), service().await);
    let seen = bench.get(format!("{url}/health")).await;
    assert_eq!(seen.ending, Ending::Answered { status: 200 });
    assert_eq!(seen.stdout.head, "user-agent: ams/0.1.0\nx-check: -\n");

    let seen = bench.get(format!("{url}/down")).await;
    assert_eq!(seen.ending, Ending::Answered { status: 503 });
    assert_eq!(seen.stdout.head, "接続プールが枯渇しています");

    let seen = bench.act(&request(HttpMethod::Head, format!("{url}/large"))).await;
    assert_eq!(seen.ending, Ending::Answered { status: 200 });
    assert_eq!(seen.stdout.total_bytes, 0);
}

#[tokio::test]
async fn headers_and_body_arrive_as_given() {
    let (bench, url) = (Bench::new(), service().await);
    for method in [HttpMethod::Post, HttpMethod::Put] {
        let action = Action::Http(HttpRequest {
            method,
            url: format!("{url}/health"),
            headers: BTreeMap::from([("X-Check".to_owned(), "7; $(id)".to_owned())]),
            body: Some("{\"再起動\":true}".to_owned()),
        });
        let seen = bench.act(&order(action)).await;
        let expected = "user-agent: ams/0.1.0\nx-check: 7; $(id)\n{\"再起動\":true}";
        assert_eq!(seen.stdout.head, expected);
    }
}

#[tokio::test]
async fn a_redirect_is_what_the_check_sees() {
    let (bench, url) = (Bench::new(), service().await);
    let seen = bench.get(format!("{url}/moved")).await;
    assert_eq!(seen.ending, Ending::Answered { status: 302 });
}

#[tokio::test]
async fn silence_is_a_timeout() {
    let (bench, url) = (Bench::new(), service().await);
    let mut order = request(HttpMethod::Get, format!("{url}/hanging"));
    order.timeout = Duration::from_millis(200);
    let seen = bench.act(&order).await;
    assert_eq!(seen.ending, Ending::TimedOut);
    assert!(seen.took >= order.timeout && seen.took < LONG / 2);
}

#[tokio::test]
async fn a_cancelled_request_is_dropped() {
    let (bench, url) = (Bench::new(), service().await);
    let (seen, ()) = tokio::join!(bench.get(format!("{url}/hanging")), async {
        bench.cancel.cancel();
    });
    assert_eq!(seen.ending, Ending::Cancelled);
}

#[tokio::test]
async fn a_body_that_hangs_keeps_what_came() {
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf";
    let mut order = request(HttpMethod::Get, raw(answer, false).await);
    order.timeout = Duration::from_secs(1);
    let seen = Bench::new().act(&order).await;
    assert_eq!(seen.ending, Ending::TimedOut);
    assert_eq!(seen.stdout.head, "half");
}

#[tokio::test]
async fn half_an_answer_is_none() {
    let answer = "HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nhalf";
    let seen = Bench::new().get(raw(answer, true).await).await;
    let reason = no_answer(&seen);
    assert!(reason.starts_with("the answer (status 200) broke off after 4 bytes: "), "{reason}");
    assert_eq!(seen.stdout.head, "half");
}

#[tokio::test]
async fn no_answer_has_a_plain_reason() {
    let bench = Bench::new();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let free = listener.local_addr().unwrap();
    drop(listener);
    let seen = bench.get(format!("http://{free}/?token=abc")).await;
    assert_eq!(no_answer(&seen), "connection refused");

    // A label of 64 characters is refused by every resolver without asking the network.
    let seen = bench.get(format!("http://{}.test/?token=abc", "a".repeat(64))).await;
    assert!(no_answer(&seen).starts_with("name not found: "), "{seen:?}");

    let url = service().await.replace("http:", "https:");
    let seen = bench.get(format!("{url}/health?token=abc")).await;
    assert!(no_answer(&seen).starts_with("TLS: "), "{seen:?}");

    let seen = bench.get(raw("", true).await).await;
    assert_eq!(no_answer(&seen), "connection closed before message completed");
}

#[tokio::test]
async fn what_is_no_request_is_not_started() {
    let bench = Bench::new();
    let mut bad_header = request(HttpMethod::Get, "http://127.0.0.1/");
    if let Action::Http(wanted) = &mut bad_header.action {
        wanted.headers.insert("X-Title".to_owned(), "a\r\nX-Forged: b".to_owned());
    }
    for order in [
        bad_header,
        request(HttpMethod::Get, "not a url"),
        request(HttpMethod::Get, "file:///etc/passwd"),
    ] {
        let seen = bench.act(&order).await;
        assert!(matches!(seen.ending, Ending::NotStarted { .. }), "{seen:?}");
    }
}

#[tokio::test]
async fn a_large_body_is_read_up_to_the_limit() {
    let (bench, url) = (Bench::new(), service().await);
    let seen = bench.get(format!("{url}/large")).await;
    assert_eq!(seen.ending, Ending::Answered { status: 200 });
    let body = seen.stdout;
    assert_eq!(body.total_bytes, LARGE as u64);
    assert!(!body.is_whole());
    assert!(body.head.chars().all(|c| c == 'あ'));
    let evidence = body.evidence.unwrap();
    assert_eq!(evidence, bench.dir.path().join("evidence/PT4KHLK/1-0-0a-body.txt"));
    let read = fs::metadata(evidence).unwrap().len();
    assert_eq!(read, limits::HTTP_BODY_BYTES as u64);
}

#[tokio::test]
async fn each_order_goes_to_the_adapter_of_its_kind() {
    let bench = Bench::new();
    let command = Action::Command(Command {
        program: Program::Script("echo here".to_owned()),
        env: BTreeMap::new(),
    });
    let seen = bench.act(&order(command.clone())).await;
    assert_eq!(seen.stdout.head, "here\n");

    let seen = bench.actuators.http.act(&order(command), &bench.cancel).await;
    assert!(matches!(seen.ending, Ending::NotStarted { .. }));
}
