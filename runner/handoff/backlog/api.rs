//! One request to Backlog, and what its answer means.

use std::time::Duration;

use reqwest::{Method, Url};
use secrecy::ExposeSecret as _;
use serde_json::Value;

use super::Backlog;
use crate::handoff::http::{self, Answer};

/// Why a request gave nothing.
#[derive(Debug)]
pub(super) enum Failure {
    Refused(String),
    /// Not carried out.
    Later {
        why: String,
        after: Option<Duration>,
    },
    /// It may have been carried out.
    Lost(String),
}

impl Failure {
    /// Of a request that only asked, before anything was to be changed.
    pub(super) fn before(self) -> Self {
        match self {
            Self::Lost(why) => Self::Later { why, after: None },
            other => other,
        }
    }
}

impl Backlog {
    pub(super) async fn get(
        &self,
        path: &[&str],
        query: &[(&str, String)],
    ) -> Result<Value, Failure> {
        self.ask(Method::GET, self.address(path, query), None).await
    }

    pub(super) async fn post(
        &self,
        path: &[&str],
        form: &[(&str, String)],
    ) -> Result<Value, Failure> {
        self.ask(Method::POST, self.address(path, &[]), Some(encode(form))).await
    }

    fn address(&self, path: &[&str], query: &[(&str, String)]) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(["api", "v2"]).extend(path);
        }
        url.query_pairs_mut()
            .append_pair("apiKey", self.key.now().expose_secret())
            .extend_pairs(query.iter().map(|(key, value)| (key, value)));
        url
    }

    async fn ask(&self, method: Method, url: Url, form: Option<String>) -> Result<Value, Failure> {
        let mut request = self.http.request(method, url);
        if let Some(form) = form {
            let kind = "application/x-www-form-urlencoded";
            request = request.header(reqwest::header::CONTENT_TYPE, kind).body(form);
        }
        match http::ask(request).await {
            Answer::Done(value) => Ok(value),
            Answer::NotSent(why) => Err(Failure::Later { why, after: None }),
            Answer::Lost(why) => Err(Failure::Lost(why)),
            Answer::Said { status, body, after } if http::is_too_many(status) => {
                Err(Failure::Later { why: said(status, &body), after })
            }
            Answer::Said { status, body, .. } if status >= 500 => {
                Err(Failure::Lost(said(status, &body)))
            }
            Answer::Said { status, body, .. } => Err(Failure::Refused(said(status, &body))),
        }
    }
}

pub(super) fn list(value: Value) -> Vec<Value> {
    match value {
        Value::Array(items) => items,
        _ => Vec::new(),
    }
}

/// `{"errors": [{"message": "No project.", "code": 6, "moreInfo": ""}]}`.
fn said(status: u16, body: &Value) -> String {
    let errors = body["errors"].as_array().into_iter().flatten();
    let words: Vec<String> = errors
        .filter_map(|error| Some(format!("{} ({})", error["message"].as_str()?, error["code"])))
        .collect();
    format!("Backlog: {status} {}", words.join(", ")).trim_end().to_owned()
}

fn encode(form: &[(&str, String)]) -> String {
    // An address knows how a form is written; only its query is used.
    let Ok(mut url) = Url::parse("http://localhost") else { return String::new() };
    url.query_pairs_mut().extend_pairs(form.iter().map(|(key, value)| (key, value)));
    url.query().unwrap_or_default().to_owned()
}
