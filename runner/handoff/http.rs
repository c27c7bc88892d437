//! A request to a ticket system or chat: bounded in time and size, without redirects, and without its
//! address in errors, because that may hold a key.

use std::time::Duration;

use reqwest::header::RETRY_AFTER;
use reqwest::redirect::Policy;
use reqwest::{Client, RequestBuilder, Response, StatusCode};
use serde_json::Value;

use crate::limits;

/// What came of a request.
pub(super) enum Answer {
    /// 2xx.
    Done(Value),
    /// Anything else that was answered.
    Said { status: u16, body: Value, after: Option<Duration> },
    /// It never left.
    NotSent(String),
    /// It may have been carried out.
    Lost(String),
}

pub(super) fn client() -> Result<Client, reqwest::Error> {
    Client::builder()
        .redirect(Policy::none())
        .timeout(limits::PACKET_REQUEST)
        .user_agent(concat!("ams/", env!("CARGO_PKG_VERSION")))
        .build()
}

pub(super) async fn ask(request: RequestBuilder) -> Answer {
    let response = match request.send().await {
        Ok(response) => response,
        Err(error) if error.is_connect() || error.is_builder() => {
            return Answer::NotSent(words(error));
        }
        Err(error) => return Answer::Lost(words(error)),
    };
    let (status, after) = (response.status(), retry_after(&response));
    let body = match read(response).await {
        Ok(body) => body,
        Err(why) if status.is_success() => return Answer::Lost(why),
        Err(_) => Value::Null,
    };
    if status.is_success() {
        return Answer::Done(body);
    }
    Answer::Said { status: status.as_u16(), body, after }
}

/// It may work later, and was not carried out.
pub(super) const fn is_too_many(status: u16) -> bool {
    status == StatusCode::TOO_MANY_REQUESTS.as_u16()
}

async fn read(mut response: Response) -> Result<Value, String> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(words)? {
        if bytes.len() + chunk.len() > limits::PACKET_ANSWER_BYTES {
            return Err("the answer is too long".to_owned());
        }
        bytes.extend_from_slice(&chunk);
    }
    serde_json::from_slice(&bytes).map_err(|_| "the answer is no JSON".to_owned())
}

/// No longer than anything here waits, whatever is asked for.
fn retry_after(response: &Response) -> Option<Duration> {
    let seconds = response.headers().get(RETRY_AFTER)?.to_str().ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds).min(limits::PACKET_LATEST))
}

/// Without the address, and with the cause.
fn words(error: reqwest::Error) -> String {
    let error = error.without_url();
    let cause = std::error::Error::source(&error).map(|cause| format!(": {cause}"));
    format!("{error}{}", cause.unwrap_or_default())
}
