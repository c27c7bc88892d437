//! The fault proxy does what it is told, and counts what it did.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::http::{HeaderMap, StatusCode};
use tokio::time::Instant;

use super::fault_proxy::{Cut, Fault, FaultProxy, Faults};
use super::harness::wait;

/// A service that counts what reaches it, behind a proxy.
struct Path {
    proxy: FaultProxy,
    reached: Arc<AtomicU64>,
    client: reqwest::Client,
}

impl Path {
    async fn new(seed: u64) -> Self {
        let reached = Arc::new(AtomicU64::new(0));
        let count = Arc::clone(&reached);
        let router = Router::new().fallback(move |headers: HeaderMap, body: String| async move {
            count.fetch_add(1, Ordering::SeqCst);
            match headers.get("x-wants") {
                Some(_) => (
                    StatusCode::BAD_REQUEST,
                    r#"{"__type":"x#ConditionalCheckFailedException"}"#.to_owned(),
                ),
                None => (StatusCode::OK, format!("got {body}")),
            }
        });
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let upstream = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        let proxy = FaultProxy::start(&upstream, seed).await.unwrap();
        Self { proxy, reached, client: reqwest::Client::new() }
    }

    fn put_item(&self) -> reqwest::RequestBuilder {
        self.client
            .post(self.proxy.url())
            .header("x-amz-target", "DynamoDB_20120810.PutItem")
            .body("an item")
    }

    /// Status and text, or none without an answer.
    async fn ask(&self) -> Option<(u16, String)> {
        let answer = self.put_item().send().await.ok()?;
        Some((answer.status().as_u16(), answer.text().await.ok()?))
    }

    fn reached(&self) -> u64 {
        self.reached.load(Ordering::SeqCst)
    }
}

#[tokio::test]
async fn without_faults_everything_passes_and_is_counted_by_operation() {
    let path = Path::new(1).await;
    assert_eq!(path.ask().await, Some((200, "got an item".to_owned())));
    let plain = path.client.get(format!("{}/x?y=1", path.proxy.url())).send().await.unwrap();
    assert_eq!(plain.status(), 200);
    let refused = path.put_item().header("x-wants", "no").send().await.unwrap();
    assert_eq!(refused.status(), 400);
    let counts = path.proxy.counts();
    assert_eq!((counts.carried_out("PutItem"), counts.carried_out("GET")), (2, 1));
    assert_eq!((counts.conditions_failed("PutItem"), counts.conditions_failed("GET")), (1, 0));
    path.proxy.reset_counts();
    assert_eq!(path.proxy.counts().carried_out("PutItem"), 0);
}

#[tokio::test]
async fn each_fault_is_as_planned_before_or_after_the_effect() {
    let path = Path::new(1).await;
    let refused = |kind: &str| {
        let name = format!("com.amazonaws.dynamodb.v20120810#{kind}");
        format!(r#"{{"__type":"{name}","message":"planned by a test"}}"#)
    };
    let internal = Some((500, refused("InternalServerError")));
    let throttled = Some((400, refused("ProvisionedThroughputExceededException")));
    let denied = Some((400, refused("AccessDeniedException")));
    let conflict = Some((400, refused("ReplicatedWriteConflictException")));
    for (fault, answer, effects) in [
        (Fault::LoseRequest, None, 0),
        (Fault::LoseAnswer, None, 1),
        (Fault::Conflict, conflict, 0),
        (Fault::Throttle, throttled, 0),
        (Fault::Deny, denied, 0),
        (Fault::ErrorBefore, internal.clone(), 0),
        (Fault::ErrorAfter, internal, 1),
    ] {
        let before = path.reached();
        path.proxy.plan(1, "PutItem", fault);
        assert_eq!(path.ask().await, answer, "{fault:?}");
        assert_eq!(path.reached() - before, effects, "{fault:?}");
        assert_eq!(path.proxy.counts().faults(fault), 1, "{fault:?}");
        assert_eq!(path.ask().await.map(|it| it.0), Some(200), "only once: {fault:?}");
    }
}

#[tokio::test]
async fn a_cut_path_is_closed_or_silent_until_it_is_mended() {
    let path = Path::new(1).await;
    path.proxy.cut(Some(Cut::Closed));
    assert_eq!(path.ask().await, None);
    path.proxy.cut(Some(Cut::Silent));
    let waited = path.put_item().timeout(Duration::from_millis(100)).send().await;
    assert!(waited.unwrap_err().is_timeout());
    assert_eq!((path.reached(), path.proxy.counts().faults(Fault::Cut)), (0, 2));
    path.proxy.cut(None);
    assert_eq!(path.ask().await.map(|it| it.0), Some(200));
}

#[tokio::test]
async fn what_was_slow_takes_effect_after_its_client_has_gone() {
    let path = Path::new(1).await;
    let slow = Duration::from_millis(150);
    path.proxy.set(Faults { slow_request: slow, ..Faults::default() });
    let gone = path.put_item().timeout(slow / 5).send().await;
    assert!(gone.unwrap_err().is_timeout());
    assert_eq!(path.reached(), 0);
    wait::until("the request to take effect", || path.reached() == 1).await;
    path.proxy.set(Faults { slow_answer: slow, ..Faults::default() });
    let began = Instant::now();
    assert_eq!(path.ask().await.map(|it| it.0), Some(200));
    assert!(began.elapsed() >= slow);
}

#[tokio::test]
async fn chances_come_out_as_set_and_the_same_for_the_same_seed() {
    let mut seen = Vec::new();
    for seed in [7, 7, 8] {
        let path = Path::new(seed).await;
        path.proxy.set(Faults { conflict: 0.2, error_before: 0.3, ..Faults::default() });
        for _ in 0..400 {
            path.ask().await;
        }
        let counts = path.proxy.counts();
        let faults = [Fault::Conflict, Fault::ErrorBefore].map(|fault| counts.faults(fault));
        assert!((50..=110).contains(&faults[0]) && (85..=155).contains(&faults[1]), "{faults:?}");
        assert_eq!(path.reached(), 400 - faults[0] - faults[1]);
        seen.push(faults);
        // No fault of DynamoDB's own happens to others.
        path.proxy.set(Faults { conflict: 0.5, throttle: 0.5, ..Faults::default() });
        let plain = path.client.get(path.proxy.url()).send().await.unwrap();
        assert_eq!(plain.status(), 200);
    }
    assert!(seen[0] == seen[1] && seen[0] != seen[2], "{seen:?}");
}
