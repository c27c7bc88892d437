//! The HTTP side of the REST API: token, `From`, planned faults, the record of requests.

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Query as QueryOf, Request, State as Of};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::Shared;
use super::call::Call;
use super::faults::{Fault, Rate};
use super::lists::Query;
use super::refusal::Refusal;
use super::requests::RecordedRequest;
use super::rest::{self, Ask, Reply};

/// Serves until the stand-in stops.
pub(super) async fn run(shared: Arc<Shared>, listener: TcpListener) {
    let stop = shared.stop.clone();
    let routes = Router::new().fallback(serve).with_state(Arc::clone(&shared));
    let routes = routes.layer(axum::middleware::from_fn_with_state(shared, dated));
    let server = axum::serve(listener, routes);
    let ended = server.with_graceful_shutdown(stop.cancelled_owned()).await;
    if let Err(error) = ended {
        tracing::error!(%error, "the PagerDuty stand-in no longer serves its REST API");
    }
}

/// Answers carry the stand-in's own time.
async fn dated(Of(shared): Of<Arc<Shared>>, request: Request, next: Next) -> Response {
    let mut answer = next.run(request).await;
    let date = shared.clock.now().strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
    if let Ok(date) = date.parse() {
        answer.headers_mut().insert(header::DATE, date);
    }
    answer
}

async fn serve(
    Of(shared): Of<Arc<Shared>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let parsed = Call::parse(method.as_str(), uri.path());
    let template = parsed.as_ref().map_or("", |(_, template)| template);
    let json = serde_json::from_slice(&body).unwrap_or_default();
    let request = RecordedRequest {
        method: method.as_str().to_owned(),
        path: uri.path().to_owned(),
        template: template.to_owned(),
        from: text(&headers, "From").map(str::to_owned),
        body: json,
    };
    let call = parsed.map(|(call, _)| call);
    let fault = shared.update(|state| {
        state.requests.record(request.clone());
        state.faults.take(method.as_str(), template)
    });
    match fault {
        Some(Fault::Status(status)) => return failure(status),
        Some(Fault::RateLimit { headers }) => return too_many(headers.then_some(EXHAUSTED)),
        Some(Fault::Hang(time)) => {
            let wait = tokio::time::sleep(time);
            if shared.stop.run_until_cancelled(wait).await.is_none() {
                return failure(503);
            }
        }
        Some(Fault::Late(time)) => return late(&shared, time, (call, uri, headers, request)).await,
        Some(Fault::DropAnswerAfterEffect) | None => {}
    }
    let rate = rate(&shared);
    if rate.is_some_and(|rate| rate.is_over) {
        return too_many(rate);
    }
    let answer = carry_out(&shared, call, &uri, &headers, &request);
    if fault == Some(Fault::DropAnswerAfterEffect) {
        // Unwinding the connection's task closes its socket before a byte of the answer is out,
        // and `resume_unwind`, unlike a panic, says nothing about it on the console.
        std::panic::resume_unwind(Box::new("the answer is dropped as planned"));
    }
    match rate {
        Some(rate) => (rate_headers(rate), answered(answer)).into_response(),
        None => answered(answer),
    }
}

/// A request as it came.
type Asked = (Option<Call>, Uri, HeaderMap, RecordedRequest);

/// In a task of its own, which lives on when nobody waits for the answer any more.
async fn late(shared: &Arc<Shared>, time: Duration, asked: Asked) -> Response {
    let held = Arc::clone(shared);
    let carried_out = shared.tasks.spawn(async move {
        let stop = held.stop.clone();
        stop.run_until_cancelled(tokio::time::sleep(time)).await?;
        let (call, uri, headers, request) = asked;
        Some(carry_out(&held, call, &uri, &headers, &request))
    });
    match carried_out.await {
        Ok(Some(answer)) => answered(answer),
        _ => failure(503),
    }
}

fn answered(answer: Result<Reply, Refusal>) -> Response {
    match answer {
        Ok(reply) => respond(reply),
        Err(refusal) => respond(refused(&refusal)),
    }
}

fn carry_out(
    shared: &Arc<Shared>,
    call: Option<Call>,
    uri: &Uri,
    headers: &HeaderMap,
    request: &RecordedRequest,
) -> Result<Reply, Refusal> {
    let expected = format!("Token token={}", shared.settings.token);
    let is_event = matches!(call, Some(Call::Enqueue));
    if !is_event && text(headers, header::AUTHORIZATION.as_str()) != Some(expected.as_str()) {
        return Err(Refusal::unauthorized());
    }
    let call = call.ok_or_else(Refusal::not_found)?;
    let pairs = QueryOf::<Vec<(String, String)>>::try_from_uri(uri);
    let pairs = pairs.map_err(|_| Refusal::invalid("The query cannot be read"))?;
    shared.act(|state, now| {
        let from = request.from.as_deref();
        let user = from.map(|email| state.directory.user_by_email(email));
        let user = match user {
            None if call.needs_from() => return Err(Refusal::no_from()),
            Some(None) => return Err(Refusal::unknown_from()),
            None => None,
            Some(Some(user)) => Some(user.id.to_owned()),
        };
        let ask = Ask {
            call,
            from: user,
            query: Query(pairs.0),
            body: &request.body,
            secret: &shared.settings.webhook_secret,
            routing_key: &shared.settings.routing_key,
            now,
        };
        rest::answer(state, &ask)
    })
}

/// `None`: the account may send as much as it likes.
fn rate(shared: &Shared) -> Option<Rate> {
    let (now, window) = (shared.clock.now(), shared.settings.rate_window);
    let limit = shared.settings.requests_per_minute?;
    Some(shared.update(|state| state.faults.rate(limit, window, now)))
}

fn refused(refusal: &Refusal) -> Reply {
    let error = json!({
        "message": refusal.message,
        "code": refusal.code,
        "errors": refusal.errors,
    });
    Reply { status: refusal.status, body: json!({ "error": error }) }
}

fn failure(status: u16) -> Response {
    let error = json!({ "message": "Planned fault", "code": 2000, "errors": ["Planned fault"] });
    let body = json!({ "error": error });
    respond(Reply { status, body })
}

/// What a planned 429 says.
const EXHAUSTED: Rate =
    Rate { limit: 960, is_over: true, remaining: 0, reset: Duration::from_secs(1) };

fn too_many(rate: Option<Rate>) -> Response {
    let Some(rate) = rate else { return StatusCode::TOO_MANY_REQUESTS.into_response() };
    let body = json!({ "error": { "message": "Rate Limit Exceeded", "code": 2020 } });
    (rate_headers(rate), respond(Reply { status: 429, body })).into_response()
}

fn rate_headers(rate: Rate) -> [(&'static str, String); 3] {
    let reset = rate.reset.as_secs_f64().ceil();
    [
        ("ratelimit-limit", rate.limit.to_string()),
        ("ratelimit-remaining", rate.remaining.to_string()),
        ("ratelimit-reset", reset.to_string()),
    ]
}

fn respond(reply: Reply) -> Response {
    let status = StatusCode::from_u16(reply.status);
    let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    if reply.body == Value::Null {
        status.into_response()
    } else {
        (status, axum::Json(reply.body)).into_response()
    }
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}
