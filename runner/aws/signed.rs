//! Requests that are signed here: S3, SQS, and the services with the Query protocol (EC2, RDS, load
//! balancers, scaling groups).
//!
//! They are few and plain, and an SDK for each would cost more to build than all of AMS
//! (docs/decisions/0015-aws.md). What may have been carried out is never sent again on its own.

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use aws_sdk_ssm::config::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use jiff::Timestamp;
use reqwest::redirect::Policy;
use reqwest::{Client, Method, Response};
use serde_json::Value;
use tokio::time::{Instant, sleep, timeout_at};

use super::failure::Failure;
use crate::clock::Clock;
use crate::limits;
use crate::mask;

/// Characters of AWS's own message that people are told.
const MESSAGE_CHARS: usize = 300;

/// Codes by which S3 and the Query services say "not now", beside those of Systems Manager: "Common
/// errors" of each API reference, S3's list of error codes.
const BUSY: [&str; 9] = [
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "BandwidthLimitExceeded",
    "TooManyRequestsException",
    "RequestThrottledException",
];

const EXPIRED: [&str; 7] = [
    "ExpiredToken",
    "ExpiredTokenException",
    "RequestExpired",
    "InvalidClientTokenId",
    "InvalidAccessKeyId",
    "UnrecognizedClientException",
    "AuthFailure",
];

/// Names the action in the JSON protocol; it must be signed.
const TARGET: &str = "x-amz-target";

/// What a request does, which says when it may be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// As often as one likes: it only reads, or writes the same once more.
    Repeatable,
    /// Only where it was surely not carried out.
    Change,
}

/// One request.
pub struct Ask<'a> {
    pub method: Method,
    /// Encoded.
    pub url: String,
    pub region: &'a str,
    /// As it stands in signatures: `s3`, `ec2`.
    pub service: &'a str,
    pub content_type: Option<&'static str>,
    /// `X-Amz-Target` of the JSON protocol: service and action.
    pub target: Option<&'static str>,
    pub body: Vec<u8>,
    pub kind: Kind,
    /// All attempts together.
    pub within: Duration,
}

/// Fetches something that may be long, for example an object of a bucket.
pub struct Get<'a> {
    pub url: &'a str,
    pub region: &'a str,
    /// As it stands in signatures: `s3`.
    pub service: &'a str,
    pub now: Timestamp,
}

/// What comes, piece by piece.
pub struct Body(Response);

impl Body {
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, String> {
        let piece = self.0.chunk().await.map_err(|error| error.without_url().to_string())?;
        Ok(piece.map(|bytes| bytes.to_vec()))
    }
}

impl Get<'_> {
    /// The answer, when it is a good one; otherwise what AWS says.
    pub async fn send(&self, http: &Client, credentials: &Credentials) -> Result<Body, String> {
        let ask = Ask {
            method: Method::GET,
            url: self.url.to_owned(),
            region: self.region,
            service: self.service,
            content_type: None,
            target: None,
            body: Vec::new(),
            kind: Kind::Repeatable,
            within: limits::AWS_REQUEST_SIGNED,
        };
        let mut request = http.get(self.url);
        for (name, value) in signature(&ask, credentials, self.now)? {
            request = request.header(name, value);
        }
        let answer = request.send().await.map_err(|error| error.without_url().to_string())?;
        if answer.status().is_success() {
            return Ok(Body(answer));
        }
        let status = answer.status().as_u16();
        let said = read(answer).await.unwrap_or_default();
        let reason = failure(status, &String::from_utf8_lossy(&said)).reason();
        Err(format!("HTTP {status}: {reason}"))
    }
}

/// Connections, and the time that stands in signatures. Clones share the connections.
#[derive(Clone)]
pub struct Signed {
    http: Client,
    clock: Arc<dyn Clock>,
}

impl Signed {
    pub fn new(clock: Arc<dyn Clock>) -> Result<Self, reqwest::Error> {
        let http = Client::builder()
            .connect_timeout(limits::AWS_CONNECT)
            // A signature is for one address; a proxy of the environment is for other programs.
            .redirect(Policy::none())
            .no_proxy()
            // Whether to repeat is decided here.
            .retry(reqwest::retry::never())
            .build()?;
        Ok(Self { http, clock })
    }

    /// The body of a good answer. Tries again within the time it has, as far as that is safe.
    pub async fn ask(&self, ask: &Ask<'_>, credentials: &Credentials) -> Result<Vec<u8>, Failure> {
        let until = Instant::now() + ask.within;
        let mut wait = limits::AWS_FIRST_WAIT;
        for attempt in 1.. {
            let failure = match timeout_at(until, self.once(ask, credentials)).await {
                Ok(Ok(body)) => return Ok(body),
                Ok(Err(failure)) => failure,
                Err(_) => {
                    let told = format!("no answer of {} within {:?}", ask.service, ask.within);
                    return Err(Failure::Uncertain(told));
                }
            };
            let again = match failure {
                Failure::Busy(_) | Failure::NotSent(_) => true,
                Failure::Uncertain(_) => ask.kind == Kind::Repeatable,
                Failure::Expired(_) | Failure::Refused { .. } => false,
            };
            if !again || attempt >= limits::AWS_ATTEMPTS || Instant::now() + wait >= until {
                return Err(failure);
            }
            sleep(wait).await;
            wait *= 2;
        }
        unreachable!("the attempts are bounded")
    }

    async fn once(&self, ask: &Ask<'_>, credentials: &Credentials) -> Result<Vec<u8>, Failure> {
        let refused = |message: String| Failure::Refused { code: "NotSent".to_owned(), message };
        let mut request = self.http.request(ask.method.clone(), &ask.url);
        for (name, value) in signature(ask, credentials, self.clock.now()).map_err(refused)? {
            request = request.header(name, value);
        }
        if let Some(kind) = ask.content_type {
            request = request.header("content-type", kind);
        }
        if let Some(target) = ask.target {
            request = request.header(TARGET, target);
        }
        let request = request.body(ask.body.clone()).timeout(limits::AWS_REQUEST_SIGNED);
        let answer = request.send().await.map_err(|error| {
            let error = error.without_url();
            let told = super::failure::chain(&error);
            if error.is_connect() { Failure::NotSent(told) } else { Failure::Uncertain(told) }
        })?;
        let status = answer.status();
        let body = read(answer).await.map_err(Failure::Uncertain)?;
        if status.is_success() {
            return Ok(body);
        }
        Err(failure(status.as_u16(), &String::from_utf8_lossy(&body)))
    }
}

/// Up to the limit; an answer that is longer is not one of ours.
async fn read(mut answer: Response) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    loop {
        match answer.chunk().await {
            Ok(None) => return Ok(body),
            Ok(Some(chunk)) if body.len() + chunk.len() > limits::AWS_ANSWER_BYTES => {
                return Err(format!("an answer of more than {} bytes", limits::AWS_ANSWER_BYTES));
            }
            Ok(Some(chunk)) => body.extend_from_slice(&chunk),
            Err(error) => return Err(super::failure::chain(&error.without_url())),
        }
    }
}

/// What an answer means that is no success. These services write `<Code>` and `<Message>`; those of
/// the JSON protocol `__type`, behind a `#`, and `message`.
fn failure(status: u16, body: &str) -> Failure {
    let between = |tag: &str| {
        let (_, rest) = body.split_once(&format!("<{tag}>"))?;
        rest.split_once(&format!("</{tag}>")).map(|(text, _)| text.trim().to_owned())
    };
    let json: Value = serde_json::from_str(body).unwrap_or_default();
    let typed = json["__type"].as_str().map(|it| it.rsplit('#').next().unwrap_or(it).to_owned());
    let said = json["message"].as_str().map(str::to_owned);
    let code = typed.or_else(|| between("Code")).unwrap_or_else(|| format!("HTTP {status}"));
    let message = said.or_else(|| between("Message")).unwrap_or_default();
    let message = mask::first_chars(&mask::plain(&message), MESSAGE_CHARS).to_owned();
    let text = format!("{code}: {message}");
    if BUSY.contains(&code.as_str()) || status == 429 {
        Failure::Busy(text)
    } else if EXPIRED.contains(&code.as_str()) {
        Failure::Expired(text)
    } else if status >= 500 {
        Failure::Uncertain(text)
    } else {
        Failure::Refused { code, message }
    }
}

/// The headers that sign it. S3 wants the body's hash among them and a path that is encoded once.
fn signature(
    ask: &Ask<'_>,
    credentials: &Credentials,
    now: Timestamp,
) -> Result<Vec<(String, String)>, String> {
    let identity = credentials.clone().into();
    let mut settings = SigningSettings::default();
    if ask.service == "s3" {
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
    }
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(ask.region)
        .name(ask.service)
        .time(SystemTime::from(now))
        .settings(settings)
        .build()
        .map_err(|error| error.to_string())?;
    let body = SignableBody::Bytes(&ask.body);
    let headers = ask.target.iter().map(|target| (TARGET, *target));
    let request = SignableRequest::new(ask.method.as_str(), &ask.url, headers, body)
        .map_err(|error| error.to_string())?;
    let (instructions, _) =
        sign(request, &parameters.into()).map_err(|error| error.to_string())?.into_parts();
    let headers = instructions.headers();
    Ok(headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_says_whether_anything_was_done() {
        let error =
            |code: &str| format!("<Error><Code>{code}</Code><Message>why</Message></Error>");
        assert_eq!(failure(503, &error("SlowDown")), Failure::Busy("SlowDown: why".to_owned()));
        assert_eq!(failure(400, &error("Throttling")), Failure::Busy("Throttling: why".to_owned()));
        let over = failure(400, &error("ExpiredToken"));
        assert_eq!(over, Failure::Expired("ExpiredToken: why".to_owned()));
        let internal = failure(500, &error("InternalError"));
        assert_eq!(internal, Failure::Uncertain("InternalError: why".to_owned()));
        let json = r#"{"__type": "com.amazonaws.sqs#QueueDoesNotExist", "message": "why"}"#;
        assert_eq!(failure(400, json).reason(), "QueueDoesNotExist: why");
        assert_eq!(failure(502, "<html>"), Failure::Uncertain("HTTP 502: ".to_owned()));
        assert!(failure(403, &error("UnauthorizedOperation")).is_denied());
        let (code, message) = ("InvalidVolume.NotFound".to_owned(), "why".to_owned());
        assert_eq!(failure(400, &error(&code)), Failure::Refused { code, message });
    }

    #[test]
    fn a_message_of_aws_keeps_no_secret() {
        let body = "<Error><Code>X</Code><Message>token=abcdef0123 is bad</Message></Error>";
        assert_eq!(failure(400, body).reason(), "X: token=**** is bad");
    }
}
