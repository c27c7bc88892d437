//! One call to PagerDuty: its turn, attempts, waits, bounded reading.

use std::error::Error as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, FROM, HeaderMap, HeaderValue};
use reqwest::{Method, Response, Url};
use secrecy::ExposeSecret as _;
use serde_json::Value;
use tokio::time::Instant;

use super::answer::Refusal;
use super::body::{Body, End};
use super::budget::{Budget, Lane, Places, Terms, Turn};
use super::retry::{Pace, Verdict, judge, rate_limit};
use super::{Credential, Settings};
use crate::claim::hold::{Doubt, Permission};
use crate::claim::protocol;
use crate::limits;
use crate::secret::Secret;

pub(super) struct Call<'a> {
    pub(super) method: Method,
    /// The path with placeholders, for logs and errors.
    pub(super) route: &'static str,
    /// The path itself; every segment is percent-encoded on its own.
    pub(super) path: Vec<&'a str>,
    pub(super) query: Vec<(&'static str, String)>,
    pub(super) body: Option<Value>,
    pub(super) lane: Lane,
    /// Nothing tells whether it took effect: not sent again once it may have.
    pub(super) at_most_once: bool,
    /// Of the run a write is for.
    pub(super) permission: Option<Permission>,
    /// Set when its first attempt is sent.
    pub(super) sent: Option<&'a AtomicBool>,
}

impl<'a> Call<'a> {
    pub(super) fn new(method: Method, route: &'static str, path: Vec<&'a str>) -> Self {
        Self {
            method,
            route,
            path,
            query: Vec::new(),
            body: None,
            lane: Lane::Look,
            at_most_once: false,
            permission: None,
            sent: None,
        }
    }

    pub(super) fn get(route: &'static str, path: Vec<&'a str>) -> Self {
        Self::new(Method::GET, route, path)
    }

    pub(super) fn is_write(&self) -> bool {
        self.method != Method::GET
    }

    /// What its turns are shared between: runs, by their incidents.
    fn subject(&self) -> &str {
        self.path.get(1).copied().unwrap_or(self.route)
    }

    pub(super) fn name(&self) -> String {
        format!("{} {}", self.method, self.route)
    }

    /// Whose run it is must be known for what ends an incident; for the rest, and for a page above all,
    /// a claim store that does not answer is no reason to leave people untold: `false`.
    async fn may_send(&self) -> Result<bool, Failure> {
        let Some(permission) = &self.permission else { return Ok(true) };
        match permission.ask().await {
            // Telling people is nothing that a pause stops.
            Ok(()) | Err(Doubt::Paused(_)) => Ok(true),
            Err(Doubt::Refused(refusal)) => Err(Failure::NotOurs(refusal)),
            Err(Doubt::Unknown(why)) if permission.consent && self.lane != Lane::Escalate => {
                Err(Failure::passing(why, false))
            }
            Err(Doubt::Unknown(why)) => {
                tracing::warn!(why, "{} is sent without knowing whose run it is", self.name());
                Ok(false)
            }
        }
    }

    fn is_sure(&self) -> bool {
        self.permission.as_ref().is_none_or(Permission::is_sure)
    }
}

/// Why one attempt gave nothing.
#[derive(Debug)]
pub(super) enum Failure {
    Passing {
        /// In our words: this may be logged.
        reason: String,
        /// PagerDuty's words, for people: these may not.
        said: Option<String>,
        /// A write may have taken effect all the same.
        may_have_worked: bool,
        /// 429: the next attempt waits for its turn, and uses up none of those there are.
        is_limited: bool,
    },
    Refused(Refusal),
    /// Not sent: the run it was for is another's.
    NotOurs(protocol::Refusal),
}

impl Failure {
    pub(super) const fn passing(reason: String, may_have_worked: bool) -> Self {
        Self::Passing { reason, said: None, may_have_worked, is_limited: false }
    }

    /// What may be logged of it.
    pub(super) fn cause(&self) -> String {
        match self {
            Self::Passing { reason, .. } => reason.clone(),
            Self::Refused(refusal) => format!("refused with {}", refusal.status),
            Self::NotOurs(refusal) => refusal.to_string(),
        }
    }

    pub(super) fn may_have_worked(&self) -> bool {
        matches!(self, Self::Passing { may_have_worked: true, .. })
    }
}

/// Why a call gave nothing, over all its attempts.
#[derive(Debug)]
pub(super) struct GaveUp {
    pub(super) failure: Failure,
    pub(super) attempts: usize,
    /// Some attempt, not necessarily the last one, may have taken effect.
    pub(super) may_have_worked: bool,
}

pub(super) struct Transport {
    http: reqwest::Client,
    base: Url,
    headers: HeaderMap,
    token: Secret,
    credential: Credential,
    pub(super) pace: Pace,
    timeout: Duration,
    pub(super) budget: Arc<Budget>,
}

impl Transport {
    pub(super) fn new(settings: Settings) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .user_agent(settings.user_agent)
            .timeout(settings.request_timeout)
            // A redirect would carry the token to a host that was never configured.
            .redirect(reqwest::redirect::Policy::none())
            // Attempts are counted here, and a note must not be sent twice behind our back.
            .retry(reqwest::retry::never())
            .build()?;
        // Building a request checks the URL and the header values at start-up.
        let mut probe = http
            .get(&settings.base_url)
            .header(AUTHORIZATION, settings.credential.header(&settings.token))
            .header(ACCEPT, "application/vnd.pagerduty+json;version=2")
            .header(FROM, settings.from)
            .build()
            .map_err(reqwest::Error::without_url)?;
        // Written anew for each request: a token may be exchanged.
        probe.headers_mut().remove(AUTHORIZATION);
        let Settings { pace, requests, window, .. } = settings;
        let terms = Terms {
            limit: requests,
            window,
            first_wait: pace.first_wait,
            longest_wait: pace.longest_wait,
            reset_most: pace.rate_limit_wait,
        };
        let places = Places { all: settings.at_once, pages: settings.escalations_at_once };
        Ok(Self {
            base: probe.url().clone(),
            headers: probe.headers().clone(),
            http,
            token: settings.token,
            credential: settings.credential,
            pace,
            timeout: settings.request_timeout,
            budget: Budget::new(terms, places, settings.metrics),
        })
    }

    /// Where requests go, for people.
    pub(super) fn origin(&self) -> String {
        self.base.origin().ascii_serialization()
    }

    /// Attempts until one is answered for good or none is left.
    pub(super) async fn call(&self, call: &Call<'_>) -> Result<Value, GaveUp> {
        self.call_looking(call, false, |_| std::future::ready(Ok(None))).await
    }

    /// The same for what must not happen twice: once an attempt may have worked, and the next one is not
    /// sent before `look` has said that it has not. `look` gives the answer otherwise.
    pub(super) async fn call_looking<F>(
        &self,
        call: &Call<'_>,
        mut may_have_worked: bool,
        look: impl Fn(usize) -> F + Send + Sync,
    ) -> Result<Value, GaveUp>
    where
        F: Future<Output = Result<Option<Value>, Failure>> + Send,
    {
        let (mut waits, began) = (self.pace.waits(), Instant::now());
        let mut attempt = 1;
        loop {
            let looked = if may_have_worked { look(attempt).await } else { Ok(None) };
            let tried = match looked {
                Ok(Some(answer)) => return Ok(answer),
                Ok(None) => self.once(call, attempt).await,
                Err(failure) => Err(failure),
            };
            let failure = match tried {
                Ok(answer) => return Ok(answer),
                Err(failure) => failure,
            };
            may_have_worked |= failure.may_have_worked();
            let is_limited = matches!(failure, Failure::Passing { is_limited: true, .. })
                && began.elapsed() < call.lane.limited_for();
            if !is_limited && !self.wait_for_next(call, attempt, &failure, &mut waits).await {
                if may_have_worked && let Ok(Some(answer)) = look(attempt).await {
                    return Ok(answer);
                }
                return Err(GaveUp { failure, attempts: attempt, may_have_worked });
            }
            attempt += 1;
        }
    }

    /// Waits before the attempt after `attempt`; false when there is to be none.
    async fn wait_for_next(
        &self,
        call: &Call<'_>,
        attempt: usize,
        failure: &Failure,
        waits: &mut (impl Iterator<Item = Duration> + Send),
    ) -> bool {
        if !matches!(failure, Failure::Passing { .. })
            || call.at_most_once && failure.may_have_worked()
        {
            return false;
        }
        let Some(wait) = waits.next() else {
            return false;
        };
        tracing::warn!(
            method = %call.method,
            route = call.route,
            attempt,
            reason = failure.cause(),
            wait_ms = wait.as_millis(),
            "PagerDuty call failed in passing, trying again"
        );
        tokio::time::sleep(wait).await;
        true
    }

    /// One request. A write's 2xx says that it took effect, so that a damaged body (null here) must
    /// not make anybody send it again.
    pub(super) async fn once(&self, call: &Call<'_>, attempt: usize) -> Result<Value, Failure> {
        let mut turn = self.turn(call).await?;
        let started = Instant::now();
        turn.used();
        if let Some(sent) = call.sent {
            sent.store(true, Ordering::Relaxed);
        }
        let sent = self.request(call).send().await;
        let status = sent.as_ref().ok().map(|answer| answer.status().as_u16());
        let said = sent.as_ref().map(|answer| rate_limit(answer.headers())).unwrap_or_default();
        turn.heard(status, said, self.pace.spread());
        let result = match sent {
            Ok(answer) => self.understand(call, answer).await,
            Err(error) => Err(self.unanswered(&error)),
        };
        tracing::debug!(
            method = %call.method,
            route = call.route,
            status,
            attempt,
            duration_ms = started.elapsed().as_millis(),
            "PagerDuty call"
        );
        result
    }

    fn request(&self, call: &Call<'_>) -> reqwest::RequestBuilder {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(&call.path);
        }
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(&call.query);
        }
        let mut headers = self.headers.clone();
        // A token that no header can hold was refused before it came here.
        if let Ok(mut value) = HeaderValue::from_str(&self.credential.header(&self.token)) {
            value.set_sensitive(true);
            headers.insert(AUTHORIZATION, value);
        }
        let request = self.http.request(call.method.clone(), url).headers(headers);
        match &call.body {
            Some(body) => request.json(body),
            None => request,
        }
    }

    /// A turn, for a call that may be sent now. Nobody holds one while the claim store is asked.
    async fn turn(&self, call: &Call<'_>) -> Result<Turn, Failure> {
        loop {
            let known = call.may_send().await?;
            let turn = self.budget.turn(call.lane, call.subject()).await;
            let turn = turn.map_err(|error| Failure::passing(error.to_string(), false))?;
            if !known || call.is_sure() {
                return Ok(turn);
            }
        }
    }

    async fn understand(&self, call: &Call<'_>, answer: Response) -> Result<Value, Failure> {
        let status = answer.status().as_u16();
        let body = Body::read(answer).await;
        match judge(status) {
            Verdict::Done if call.is_write() => {
                Ok(serde_json::from_slice(&body.bytes).unwrap_or_default())
            }
            Verdict::Done => self.parse(status, &body),
            Verdict::Later { may_have_worked } => {
                let message = self.refusal(status, &body.bytes).message;
                Err(Failure::Passing {
                    reason: status.to_string(),
                    said: Some(message),
                    may_have_worked,
                    is_limited: status == 429,
                })
            }
            Verdict::Never => Err(Failure::Refused(self.refusal(status, &body.bytes))),
        }
    }

    fn parse(&self, status: u16, body: &Body) -> Result<Value, Failure> {
        match &body.end {
            End::Whole => serde_json::from_slice(&body.bytes)
                .map_err(|_| Failure::passing(format!("{status} whose body is not JSON"), false)),
            End::Broken(error) => Err(self.unanswered(error)),
            // It would be as long the next time.
            End::TooLong => Err(Failure::Refused(Refusal {
                status,
                code: None,
                message: format!(
                    "the answer is longer than {} bytes",
                    limits::PAGERDUTY_ANSWER_BYTES
                ),
            })),
        }
    }

    /// What an error answer says. A service that repeats the token in its message must not get it
    /// into notes and logs this way.
    fn refusal(&self, status: u16, body: &[u8]) -> Refusal {
        let mut refusal = Refusal::read(status, body);
        let token = self.token.now();
        let token = token.expose_secret();
        if !token.is_empty() {
            refusal.message = refusal.message.replace(token, "[token]");
        }
        refusal
    }

    fn unanswered(&self, error: &reqwest::Error) -> Failure {
        let reason = if error.is_timeout() {
            format!("no answer within {:?}", self.timeout)
        } else if error.is_connect() {
            format!("no connection ({})", innermost(error))
        } else {
            format!("the connection broke ({})", innermost(error))
        };
        // Without a connection nothing was sent.
        Failure::passing(reason, !error.is_connect())
    }
}

/// The last cause, in its own words; the ones above it repeat the URL.
fn innermost(error: &reqwest::Error) -> String {
    let mut cause = error.source();
    while let Some(next) = cause.and_then(std::error::Error::source) {
        cause = Some(next);
    }
    cause.map_or_else(|| "no cause given".to_owned(), ToString::to_string)
}
