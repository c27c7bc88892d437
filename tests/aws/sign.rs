//! Signature Version 4, checked: whose key was it, and did this very request carry it.
//!
//! Written after the page "Create a signed AWS API request" of the IAM User Guide, and without the
//! crate that signs in the product: what both misunderstand in the same way would never show.

use axum::body::Bytes;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest as _, Sha256};

use super::form::{Form, encoded};

/// "Requests must reach AWS within five minutes of the time stamp in the request."
const SKEW: SignedDuration = SignedDuration::from_mins(5);

/// What a request says about its signature.
#[derive(Clone, Debug)]
pub(super) struct Claim {
    pub(super) key_id: String,
    pub(super) region: String,
    pub(super) service: String,
    day: String,
    headers: Vec<String>,
    signature: String,
}

impl Claim {
    /// Of the header `Authorization`.
    pub(super) fn read(headers: &HeaderMap) -> Option<Self> {
        let text = text(headers, "authorization")?.strip_prefix("AWS4-HMAC-SHA256 ")?;
        let part = |name: &str| {
            let parts = text.split(',').map(str::trim);
            parts.filter_map(|part| part.split_once('=')).find(|(known, _)| *known == name)
        };
        let scope: Vec<&str> = part("Credential")?.1.split('/').collect();
        let [key_id, day, region, service, "aws4_request"] = scope.as_slice() else { return None };
        Some(Self {
            key_id: (*key_id).to_owned(),
            region: (*region).to_owned(),
            service: (*service).to_owned(),
            day: (*day).to_owned(),
            headers: part("SignedHeaders")?.1.split(';').map(str::to_owned).collect(),
            signature: part("Signature")?.1.to_owned(),
        })
    }

    /// Why the signature does not hold.
    pub(super) fn check(
        &self,
        parts: &Parts,
        body: &Bytes,
        secret: &str,
        now: Timestamp,
    ) -> Result<(), &'static str> {
        let time = text(&parts.headers, "x-amz-date").ok_or("there is no x-amz-date")?;
        let at = jiff::civil::DateTime::strptime("%Y%m%dT%H%M%SZ", time);
        let at = at.and_then(|at| at.to_zoned(jiff::tz::TimeZone::UTC));
        let at = at.map_err(|_| "x-amz-date cannot be read")?.timestamp();
        if now.duration_since(at).abs() > SKEW {
            return Err("Signature expired or not yet current");
        }
        if !time.starts_with(&self.day) {
            return Err("Date in Credential scope does not match");
        }
        if !self.headers.iter().any(|name| name == "host") {
            return Err("'Host' must be a 'SignedHeader' in the AWS Authorization");
        }
        let sent = text(&parts.headers, "x-amz-content-sha256");
        let payload = hex(&Sha256::digest(body));
        if sent.is_some_and(|sent| sent != "UNSIGNED-PAYLOAD" && sent != payload) {
            return Err("The provided 'x-amz-content-sha256' header does not match");
        }
        let canonical = self.canonical(parts, sent.unwrap_or(&payload));
        let scope = format!("{}/{}/{}/aws4_request", self.day, self.region, self.service);
        let digest = hex(&Sha256::digest(&canonical));
        let to_sign = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{digest}");
        let mut key = format!("AWS4{secret}").into_bytes();
        for part in [&self.day, &self.region, &self.service, "aws4_request"] {
            key = authenticated(&key, part);
        }
        if hex(&authenticated(&key, &to_sign)) == self.signature {
            Ok(())
        } else {
            Err("The request signature we calculated does not match the signature you provided")
        }
    }

    fn canonical(&self, parts: &Parts, payload: &str) -> String {
        // Paths are encoded once more for every service but S3.
        let path = match (self.service.as_str(), parts.uri.path()) {
            ("s3", path) => path.to_owned(),
            (_, path) => encoded(path, "/"),
        };
        let query = Form::canonical(parts.uri.query().unwrap_or_default());
        let header = |name: &String| {
            let values = parts.headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
            let words = |value: &str| value.split_whitespace().collect::<Vec<_>>().join(" ");
            let values: Vec<String> = values.map(words).collect();
            format!("{name}:{}\n", values.join(","))
        };
        let headers: String = self.headers.iter().map(header).collect();
        let names = self.headers.join(";");
        format!("{}\n{path}\n{query}\n{headers}\n{names}\n{payload}", parts.method)
    }
}

/// A header's text.
pub(super) fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn authenticated(key: &[u8], text: &str) -> Vec<u8> {
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key) else {
        unreachable!("HMAC takes keys of any length")
    };
    mac.update(text.as_bytes());
    mac.finalize().into_bytes().to_vec()
}

pub(super) fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from(b"0123456789abcdef"[usize::from(nibble)]);
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}
