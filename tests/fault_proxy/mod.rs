//! A proxy that stands between one process and a store or another service, and misbehaves as told.
//!
//! It speaks plain HTTP and knows DynamoDB's way of naming operations and errors, so that it can
//! answer in DynamoDB's name and count by operation. Anything else (a stand-in PagerDuty) passes
//! as well; faults of DynamoDB's own kind do not happen to it. For tests and for the chaos
//! program, each of which includes this folder.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::{Request, State};
use axum::http::header::{CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING};
use axum::http::{HeaderMap, StatusCode, request};
use axum::response::Response;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

mod plan;

pub(crate) use plan::{Counts, Cut, Fault, Faults};
use plan::{Dice, Planned};

/// A request body; DynamoDB's limit is 16 MiB.
const BODY_BYTES: usize = 16 * 1024 * 1024;

/// How long upstream may take before its answer counts as lost.
const UPSTREAM: Duration = Duration::from_secs(30);

/// Stops when dropped.
pub(crate) struct FaultProxy {
    url: String,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

struct Shared {
    upstream: String,
    client: reqwest::Client,
    state: Mutex<Told>,
}

/// What the proxy was told and what it has seen.
struct Told {
    faults: Faults,
    planned: Vec<Planned>,
    dice: Dice,
    counts: Counts,
}

impl FaultProxy {
    /// Listens on a free port of this machine and passes everything on until told otherwise.
    /// The same seed meets the same requests with the same faults.
    pub(crate) async fn start(upstream: &str, seed: u64) -> std::io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let url = format!("http://{}", listener.local_addr()?);
        let client = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(UPSTREAM)
            .build()
            .map_err(std::io::Error::other)?;
        let told = Told {
            faults: Faults::default(),
            planned: Vec::new(),
            dice: Dice::new(seed),
            counts: Counts::default(),
        };
        let upstream = upstream.trim_end_matches('/').to_owned();
        let shared = Arc::new(Shared { upstream, client, state: Mutex::new(told) });
        let router = Router::new().fallback(take).with_state(Arc::clone(&shared));
        let server = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "the fault proxy has ended");
            }
        });
        Ok(Self { url, shared, server })
    }

    /// What to give to a client in place of the upstream's address.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// From now on, for every request.
    pub(crate) fn set(&self, faults: Faults) {
        self.shared.told().faults = faults;
    }

    pub(crate) fn cut(&self, cut: Option<Cut>) {
        self.shared.told().faults.cut = cut;
    }

    /// Requests with this operation meet this fault, `times` times, before any chance decides.
    pub(crate) fn plan(&self, times: usize, operation: &str, fault: Fault) {
        let planned = Planned { left: times, operation: operation.to_owned(), fault };
        self.shared.told().planned.push(planned);
    }

    /// Since the start, or since the last [`Self::reset_counts`].
    pub(crate) fn counts(&self) -> Counts {
        self.shared.told().counts.clone()
    }

    pub(crate) fn reset_counts(&self) {
        self.shared.told().counts = Counts::default();
    }
}

impl Drop for FaultProxy {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Shared {
    fn told(&self) -> MutexGuard<'_, Told> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a request that came and says what shall happen to it.
    fn meet(&self, operation: &str) -> (Option<Fault>, Faults) {
        let mut told = self.told();
        *told.counts.asked.entry(operation.to_owned()).or_default() += 1;
        let faults = told.faults.clone();
        let planned =
            told.planned.iter_mut().find(|plan| plan.left > 0 && plan.operation == operation);
        let fault = match planned {
            _ if faults.cut.is_some() => Some(Fault::Cut),
            Some(plan) => {
                plan.left -= 1;
                Some(plan.fault)
            }
            None => faults.pick(told.dice.roll(), operation),
        };
        if let Some(fault) = fault {
            *told.counts.faults.entry(fault).or_default() += 1;
        }
        (fault, faults)
    }

    fn count_answer(&self, operation: &str, (table, bytes): (String, usize), answer: &Answer) {
        let mut told = self.told();
        let carried = told.counts.tables.entry((table, operation.to_owned())).or_default();
        carried.requests += 1;
        carried.kib += u64::try_from(bytes.div_ceil(1024)).unwrap_or(u64::MAX);
        *told.counts.carried_out.entry(operation.to_owned()).or_default() += 1;
        if answer.says("ConditionalCheckFailedException") {
            *told.counts.conditions_failed.entry(operation.to_owned()).or_default() += 1;
        }
    }

    async fn forward(&self, head: &request::Parts, body: Bytes) -> Option<Answer> {
        let path = head.uri.path_and_query().map_or("/", |path| path.as_str());
        let request = self
            .client
            .request(head.method.clone(), format!("{}{path}", self.upstream))
            .headers(end_to_end(&head.headers))
            .body(body);
        let answer = request.send().await.ok()?;
        let (status, headers) = (answer.status(), end_to_end(answer.headers()));
        Some(Answer { status, headers, body: answer.bytes().await.ok()? })
    }
}

/// An answer as it came from upstream, or as we make it in its name.
struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
}

impl Answer {
    /// As DynamoDB words its errors.
    fn error(status: StatusCode, kind: &str) -> Self {
        let body = format!(
            r#"{{"__type":"com.amazonaws.dynamodb.v20120810#{kind}","message":"planned by a test"}}"#
        );
        Self { status, headers: HeaderMap::new(), body: Bytes::from(body) }
    }

    fn says(&self, error: &str) -> bool {
        let named = |part: &[u8]| part.windows(error.len()).any(|it| it == error.as_bytes());
        // The error's name stands in front; an item that is sent back comes after it.
        self.status == StatusCode::BAD_REQUEST && named(&self.body[..self.body.len().min(200)])
    }

    fn into_response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}

/// The operation as DynamoDB's clients name it (`PutItem`); the method for everything else.
fn operation(head: &request::Parts) -> String {
    let target = head.headers.get("x-amz-target").and_then(|value| value.to_str().ok());
    match target.and_then(|target| target.rsplit_once('.')) {
        Some((_, operation)) => operation.to_owned(),
        None => head.method.to_string(),
    }
}

/// Empty where none is named.
fn table(body: &[u8]) -> String {
    let body: Result<serde_json::Value, _> = serde_json::from_slice(body);
    let name = body.ok().and_then(|body| Some(body.get("TableName")?.as_str()?.to_owned()));
    name.unwrap_or_default()
}

async fn take(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (head, body) = request.into_parts();
    let operation = operation(&head);
    let Ok(body) = axum::body::to_bytes(body, BODY_BYTES).await else { hang_up() };
    let (fault, faults) = shared.meet(&operation);
    match fault {
        Some(Fault::Cut) if faults.cut == Some(Cut::Silent) => std::future::pending().await,
        Some(Fault::Cut | Fault::LoseRequest) => hang_up(),
        Some(Fault::Conflict) => return refused("ReplicatedWriteConflictException"),
        Some(Fault::Throttle) => return refused("ProvisionedThroughputExceededException"),
        Some(Fault::Deny) => return refused("AccessDeniedException"),
        Some(Fault::ErrorBefore) => return internal_error(),
        Some(Fault::ErrorAfter | Fault::LoseAnswer) | None => {}
    }
    // In a task of its own: what was slow on its way takes effect although nobody waits any more.
    let carried_out = tokio::spawn({
        let (shared, slow) = (Arc::clone(&shared), faults.slow_request);
        async move {
            tokio::time::sleep(slow).await;
            let asked = (table(&body), body.len());
            let answer = shared.forward(&head, body).await?;
            shared.count_answer(&operation, asked, &answer);
            Some(answer)
        }
    });
    let answer = carried_out.await.ok().flatten();
    tokio::time::sleep(faults.slow_answer).await;
    let cut_meanwhile = shared.told().faults.cut.is_some();
    match (fault, answer) {
        (Some(Fault::ErrorAfter), _) => internal_error(),
        (None, Some(answer)) if !cut_meanwhile => answer.into_response(),
        _ => hang_up(),
    }
}

fn refused(kind: &str) -> Response {
    Answer::error(StatusCode::BAD_REQUEST, kind).into_response()
}

fn internal_error() -> Response {
    Answer::error(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError").into_response()
}

/// Closes the connection without an answer. A handler has no other way to do so than to unwind
/// its connection's task, and `resume_unwind`, unlike a panic, says nothing about it.
fn hang_up() -> ! {
    std::panic::resume_unwind(Box::new("the connection is closed as planned"));
}

/// Without what belongs to one connection only.
fn end_to_end(headers: &HeaderMap) -> HeaderMap {
    let mut headers = headers.clone();
    for own in [CONNECTION, CONTENT_LENGTH, HOST, TRANSFER_ENCODING] {
        headers.remove(own);
    }
    headers
}
