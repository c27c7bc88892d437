//! Objects in a bucket.

use aws_sdk_ssm::config::Credentials;
use reqwest::Method;

use super::failure::Failure;
use super::signed::{Ask, Kind, Signed};
use crate::limits;

/// A bucket, and where in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bucket {
    pub name: String,
    pub region: String,
    /// Before every key; empty, or without a slash at its ends.
    pub prefix: String,
    /// In place of the region's own address.
    pub endpoint: Option<String>,
}

impl Bucket {
    /// The key of what is called so. Names are ours: letters, digits and `._/-` only.
    pub fn key(&self, name: &str) -> String {
        match self.prefix.as_str() {
            "" => name.to_owned(),
            prefix => format!("{prefix}/{name}"),
        }
    }

    /// Where people with access to the account find it in the browser.
    pub fn link(&self, key: &str) -> String {
        let (name, region) = (&self.name, &self.region);
        format!(
            "https://{region}.console.aws.amazon.com/s3/object/{name}?region={region}&prefix={key}"
        )
    }

    /// Writes an object, as often as it takes: the same bytes under the same key.
    pub async fn put(
        &self,
        signed: &Signed,
        credentials: &Credentials,
        key: &str,
        body: Vec<u8>,
    ) -> Result<(), Failure> {
        let ask = Ask {
            method: Method::PUT,
            url: self.url(key),
            region: &self.region,
            service: "s3",
            content_type: Some("text/plain; charset=utf-8"),
            target: None,
            body,
            kind: Kind::Repeatable,
            within: limits::EVIDENCE_UPLOAD,
        };
        signed.ask(&ask, credentials).await.map(drop)
    }

    /// With the bucket in the path: names with dots have no certificate as part of a host.
    fn url(&self, key: &str) -> String {
        let host = match &self.endpoint {
            Some(endpoint) => endpoint.trim_end_matches('/').to_owned(),
            None => super::query::address("s3", &self.region),
        };
        format!("{host}/{}/{key}", self.name)
    }
}
