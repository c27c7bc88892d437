//! Knocking at a receiver as PagerDuty does, and asking a server for the time.

use std::error::Error as _;
use std::time::Duration;

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;
use tokio::time::Instant;

use crate::limits::RECEIVER_ANSWER;
use crate::receive::signature;

/// Characters of a receiver's answer that people are told.
const SAID: usize = 160;

pub(super) struct Http {
    client: reqwest::Client,
}

/// What a receiver did with a test event.
#[derive(Debug)]
pub(super) enum Knock {
    Answered { status: u16, said: String, took: Duration },
    Silent { why: String },
}

impl Http {
    pub(super) fn new() -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .timeout(RECEIVER_ANSWER)
            // PagerDuty sends webhooks by TLS 1.2 only (developer docs, Webhooks, Mutual TLS): a
            // receiver that wants more is out of its reach, and must be out of ours.
            .tls_version_max(reqwest::tls::Version::TLS_1_2)
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .build()?;
        Ok(Self { client })
    }

    /// A test event as PagerDuty's own, which AMS takes and does nothing about. Signed with each of the
    /// secrets: the header has room for several.
    pub(super) async fn knock(&self, url: &str, secrets: &[SecretString], now: Timestamp) -> Knock {
        let body = json!({ "event": {
            "id": format!("ams-doctor-{}", now.as_millisecond()),
            "event_type": "pagey.ping",
            "resource_type": "pagey",
            "occurred_at": now.to_string(),
            "agent": null,
            "client": null,
            "data": { "type": "ping", "message": "ams doctor" },
        }})
        .to_string();
        let signed =
            |secret: &SecretString| signature::sign(body.as_bytes(), secret.expose_secret());
        let signature = secrets.iter().map(signed).collect::<Vec<_>>().join(",");
        let request = self
            .client
            .post(url)
            .header("Content-Type", "application/json")
            .header("User-Agent", concat!("ams-doctor/", env!("CARGO_PKG_VERSION")))
            .header("X-PagerDuty-Signature", signature)
            .body(body);
        let began = Instant::now();
        match request.send().await {
            Ok(answer) => {
                let (status, took) = (answer.status().as_u16(), began.elapsed());
                let said = answer.text().await.unwrap_or_default();
                Knock::Answered { status, said: one_line(&said), took }
            }
            Err(error) => Knock::Silent { why: cause(&error) },
        }
    }

    /// The server's time, to the second. Any answer has it, so none of the account's is asked for.
    pub(super) async fn time(&self, url: &str) -> Result<Timestamp, String> {
        let answer = self.client.get(url).send().await.map_err(|error| cause(&error))?;
        let date = answer.headers().get("date").and_then(|date| date.to_str().ok());
        let date = date.ok_or("its answer has no Date")?;
        let parsed = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(date);
        parsed.map_err(|error| error.to_string())
    }
}

fn one_line(text: &str) -> String {
    let words: Vec<&str> = text
        .split(|c: char| c.is_whitespace() || c.is_control())
        .filter(|it| !it.is_empty())
        .collect();
    words.join(" ").chars().take(SAID).collect()
}

/// In the words of the last cause; those above it repeat the address.
fn cause(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return format!("no answer within {} s", RECEIVER_ANSWER.as_secs());
    }
    let mut cause = error.source();
    while let Some(next) = cause.and_then(std::error::Error::source) {
        cause = Some(next);
    }
    cause.map_or_else(|| "no connection".to_owned(), ToString::to_string)
}
