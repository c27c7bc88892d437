//! The one address of all services: who asks whom for what, what goes wrong on the way, and the
//! answer.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use axum::response::{IntoResponse as _, Response};
use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::faults::{Asked, Fault};
use super::form::Form;
use super::refusal::{Why, Wording};
use super::sign::{Claim, text};
use super::world::{Caller, Holder, Shared};
use super::{query, s3, secrets, sqs, ssm};

/// Objects are the largest thing that is sent here.
const BODY_BYTES: usize = 128 * 1024 * 1024;

/// A request as its service understands it.
struct Call {
    service: String,
    region: String,
    action: String,
    asks: Asks,
}

enum Asks {
    Json(Value),
    Form(Form),
    Object(s3::Wish),
}

impl Call {
    fn read(parts: &Parts, body: &Bytes, claim: Option<&Claim>) -> Self {
        let region = claim.map(|claim| claim.region.clone()).unwrap_or_default();
        if let Some((_, action)) =
            text(&parts.headers, "x-amz-target").and_then(|target| target.split_once('.'))
        {
            let asks = Asks::Json(serde_json::from_slice(body).unwrap_or_default());
            let service = match claim.map(|claim| claim.service.as_str()) {
                _ if action_of_sqs(parts) => "sqs",
                Some("secretsmanager") => "secretsmanager",
                _ => "ssm",
            };
            return Self { service: service.to_owned(), region, action: action.to_owned(), asks };
        }
        if claim.is_some_and(|claim| claim.service == "s3") {
            let wish = s3::Wish::read(parts, body);
            let (service, action) = ("s3".to_owned(), wish.action().to_owned());
            return Self { service, region, action, asks: Asks::Object(wish) };
        }
        let form = Form::read(&String::from_utf8_lossy(body));
        let action = form.get("Action").unwrap_or_default().to_owned();
        let service = claim.map_or_else(|| "sts".to_owned(), |claim| claim.service.clone());
        Self { service, region, action, asks: Asks::Form(form) }
    }

    /// Hosts and roles.
    fn about(&self) -> Vec<String> {
        match &self.asks {
            Asks::Json(body) => ssm::instances(body),
            Asks::Form(form) => {
                let entries = form.entries("InstanceId");
                let named = entries.iter().filter_map(|it| form.get(it));
                named.chain(form.get("RoleArn")).map(str::to_owned).collect()
            }
            Asks::Object(_) => Vec::new(),
        }
    }

    fn answer(&self, shared: &Arc<Shared>, caller: &Caller) -> Result<Response, Why> {
        match &self.asks {
            Asks::Json(body) if self.service == "sqs" => {
                let told = sqs::answer(shared, caller, &self.action, body)?;
                let kind = [(CONTENT_TYPE, "application/x-amz-json-1.0")];
                Ok((kind, told.to_string()).into_response())
            }
            Asks::Json(body) => {
                let is_secret = ["GetSecretValue", "GetParameter"].contains(&self.action.as_str());
                let told = if is_secret {
                    secrets::answer(shared, caller, &self.action, body)?
                } else {
                    ssm::answer(shared, caller, &self.action, body)?
                };
                let kind = [(CONTENT_TYPE, "application/x-amz-json-1.1")];
                Ok((kind, told.to_string()).into_response())
            }
            Asks::Object(wish) => wish.answer(shared, caller),
            Asks::Form(form) => query::answer(shared, caller, (&self.service, &self.action), form),
        }
    }
}

pub(super) async fn take(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, BODY_BYTES).await else { hang_up() };
    let claim = Claim::read(&parts.headers);
    let call = Call::read(&parts, &body, claim.as_ref());
    let wording = Wording::of(&call.service);
    let holder = holder(&shared, claim.as_ref(), &parts, &body);
    let asked = Asked {
        at: Instant::now(),
        account: holder.as_ref().map(|holder| holder.account.clone()).unwrap_or_default(),
        region: call.region.clone(),
        service: call.service.clone(),
        action: call.action.clone(),
        about: call.about(),
        caller: holder.as_ref().map(|holder| holder.arn.clone()).unwrap_or_default(),
    };
    let fault = shared.world().meet(asked);
    let refused = match fault {
        Some(Fault::LoseRequest) => hang_up(),
        Some(Fault::ErrorBefore) => Some(Why::Internal),
        Some(Fault::Throttle) => Some(Why::Throttled),
        Some(Fault::Expire) => Some(Why::Expired),
        Some(Fault::Deny) => Some(Why::Denied("planned by a test".to_owned())),
        Some(Fault::Refuse(code)) => Some(Why::stated(code, "planned by a test")),
        Some(Fault::LoseAnswer | Fault::Hang | Fault::ErrorAfter | Fault::Slow(_)) | None => None,
    };
    if let Some(why) = refused {
        return wording.refuse(why);
    }
    if let (Ok(_), Asks::Json(body), "sqs") = (&holder, &call.asks, call.service.as_str()) {
        sqs::wait(&shared, &call.action, body).await;
    }
    let answer = holder.and_then(|holder| allowed(&shared, &holder, &call));
    let answer = answer.and_then(|caller| call.answer(&shared, &caller));
    match fault {
        Some(Fault::LoseAnswer) => hang_up(),
        Some(Fault::Hang) => std::future::pending().await,
        Some(Fault::ErrorAfter) => return wording.refuse(Why::Internal),
        Some(Fault::Slow(time)) => sleep(time).await,
        _ => {}
    }
    answer.unwrap_or_else(|why| wording.refuse(why))
}

/// Queues take another version of JSON than commands, and nothing that says otherwise.
fn action_of_sqs(parts: &Parts) -> bool {
    let is =
        |name, begins: &str| text(&parts.headers, name).is_some_and(|it| it.starts_with(begins));
    is("x-amz-target", "AmazonSQS.") && is("content-type", "application/x-amz-json-1.0")
}

/// Whose signature it is.
fn holder(
    shared: &Shared,
    claim: Option<&Claim>,
    parts: &Parts,
    body: &Bytes,
) -> Result<Holder, Why> {
    let claim = claim.ok_or(Why::Unsigned)?;
    let holder = shared.world().holders.get(&claim.key_id).cloned().ok_or(Why::UnknownKey)?;
    if text(&parts.headers, "x-amz-security-token") != holder.keys.token.as_deref() {
        return Err(Why::UnknownKey);
    }
    let now = shared.clock.now();
    claim.check(parts, body, &holder.keys.secret, now).map_err(Why::Signature)?;
    match holder.expires {
        Some(expires) if expires <= now => Err(Why::Expired),
        _ => Ok(holder),
    }
}

/// What the policies of its role leave to a session.
fn allowed(shared: &Shared, holder: &Holder, call: &Call) -> Result<Caller, Why> {
    let world = shared.world();
    let account = world.accounts.get(&holder.account);
    let role = holder.role.as_ref().and_then(|role| account?.roles.get(role));
    let action = format!("{}:{}", call.service, call.action);
    if role.is_some_and(|role| role.denied.contains(&action)) {
        let resource = format!("arn:aws:{}:{}:{}:*", call.service, call.region, holder.account);
        return Err(Why::denied(&holder.arn, &action, &resource));
    }
    let (account, arn) = (holder.account.clone(), holder.arn.clone());
    Ok(Caller { account, region: call.region.clone(), arn })
}

/// Closes the connection without an answer. A handler has no other way to do so than to unwind
/// its connection's task, and `resume_unwind`, unlike a panic, says nothing about it.
fn hang_up() -> ! {
    std::panic::resume_unwind(Box::new("the connection is closed as planned"));
}
