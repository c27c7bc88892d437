//! HTTP requests from this machine.

use std::error::Error;
use std::io;
use std::path::PathBuf;

use async_trait::async_trait;
use reqwest::redirect::Policy;
use reqwest::{Client, Method, Request, Response};
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::actuator::{
    Action, Actuator, Ending, HttpMethod, HttpRequest, Observation, Order, Output,
};
use super::output::{Capture, Stream};
use crate::limits::HTTP_BODY_BYTES;

const USER_AGENT: &str = concat!("ams/", env!("CARGO_PKG_VERSION"));

pub struct HttpRequests {
    client: Client,
    evidence_dir: PathBuf,
}

impl HttpRequests {
    pub fn new(evidence_dir: PathBuf) -> Result<Self, reqwest::Error> {
        let client = Client::builder()
            .user_agent(USER_AGENT)
            // A check judges the answer it got, not the one of wherever that points.
            .redirect(Policy::none())
            // A proxy from the environment would answer in place of what is checked.
            .no_proxy()
            // A connection kept from before would hide that no new one can be made.
            .pool_max_idle_per_host(0)
            // One order is one request: whether to repeat it is the plan's decision.
            .retry(reqwest::retry::never())
            .build()?;
        Ok(Self { client, evidence_dir })
    }

    async fn carry_out(
        &self,
        order: &Order,
        cancel: &CancellationToken,
        body: &mut Capture<'_>,
    ) -> Ending {
        let Action::Http(wanted) = &order.action else {
            return Ending::NotStarted {
                reason: "a command cannot be carried out as a request".to_owned(),
            };
        };
        let request = match self.prepare(wanted) {
            Ok(request) => request,
            Err(error) => {
                let reason = format!("not a request that can be sent: {}", reason(error));
                return Ending::NotStarted { reason };
            }
        };
        tokio::select! {
            biased;
            () = cancel.cancelled() => Ending::Cancelled,
            ending = self.exchange(request, body) => ending,
            () = sleep(order.timeout) => Ending::TimedOut,
        }
    }

    fn prepare(&self, wanted: &HttpRequest) -> Result<Request, reqwest::Error> {
        let method = match wanted.method {
            HttpMethod::Get => Method::GET,
            HttpMethod::Head => Method::HEAD,
            HttpMethod::Post => Method::POST,
            HttpMethod::Put => Method::PUT,
        };
        let mut request = self.client.request(method, &wanted.url);
        for (name, value) in &wanted.headers {
            request = request.header(name, value);
        }
        if let Some(body) = &wanted.body {
            request = request.body(body.clone());
        }
        request.build()
    }

    async fn exchange(&self, request: Request, body: &mut Capture<'_>) -> Ending {
        let mut answer = match self.client.execute(request).await {
            Ok(answer) => answer,
            Err(error) => {
                let reason = reason(error);
                return Ending::NoAnswer { reason };
            }
        };
        let status = answer.status().as_u16();
        match read_body(&mut answer, body).await {
            Ok(()) => Ending::Answered { status },
            // Half an answer proves as little as none, whatever its status promised.
            Err(error) => Ending::NoAnswer {
                reason: format!(
                    "the answer (status {status}) broke off after {} bytes: {}",
                    body.total_bytes(),
                    reason(error)
                ),
            },
        }
    }
}

#[async_trait]
impl Actuator for HttpRequests {
    async fn act(&self, order: &Order, cancel: &CancellationToken) -> Observation {
        let started = Instant::now();
        let mut body = Capture::new(&self.evidence_dir, order, Stream::Body);
        let ending = self.carry_out(order, cancel, &mut body).await;
        let took = started.elapsed();
        Observation { ending, stdout: body.finish().await, stderr: Output::default(), took }
    }
}

/// Reads up to the limit. What is beyond is counted as far as the server said how much it is.
async fn read_body(answer: &mut Response, body: &mut Capture<'_>) -> Result<(), reqwest::Error> {
    let announced = answer.content_length();
    let mut room = HTTP_BODY_BYTES;
    while let Some(chunk) = answer.chunk().await? {
        let read = chunk.len().min(room);
        body.add(&chunk[..read]).await;
        room -= read;
        if read < chunk.len() {
            let known = body.total_bytes() + (chunk.len() - read) as u64;
            let all = announced.unwrap_or(known).max(known);
            body.count_unread(all - body.total_bytes());
            break;
        }
    }
    Ok(())
}

/// The plain reason of a failure, without the URL: that may carry a token.
fn reason(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut innermost = error.to_string();
    let mut name_lookup = false;
    let mut next: Option<&(dyn Error + 'static)> = Some(&error);
    while let Some(cause) = next {
        innermost = cause.to_string();
        name_lookup |= innermost == "dns error";
        let io = cause.downcast_ref::<io::Error>();
        if let Some(plain) = io.and_then(|io| plain_words(io.kind())) {
            return plain.to_owned();
        }
        if io.is_some_and(|io| io.kind() == io::ErrorKind::InvalidData) && error.is_connect() {
            return format!("TLS: {innermost}");
        }
        // An I/O error that wraps another reports the wrapped one's source, skipping it itself.
        let wrapped = io.and_then(io::Error::get_ref);
        next = wrapped.map_or_else(|| cause.source(), |inner| Some(inner));
    }
    if name_lookup {
        return format!("name not found: {innermost}");
    }
    innermost
}

fn plain_words(kind: io::ErrorKind) -> Option<&'static str> {
    match kind {
        io::ErrorKind::ConnectionRefused => Some("connection refused"),
        io::ErrorKind::ConnectionReset => Some("connection reset"),
        io::ErrorKind::TimedOut => Some("connection timed out"),
        io::ErrorKind::HostUnreachable => Some("host unreachable"),
        io::ErrorKind::NetworkUnreachable => Some("network unreachable"),
        _ => None,
    }
}
