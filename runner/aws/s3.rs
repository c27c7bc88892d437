//! Objects in a bucket: `PutObject`, `GetObject` and `ListObjectsV2` of the Amazon S3 API reference.

use aws_sdk_ssm::config::Credentials;
use reqwest::Method;

use super::failure::Failure;
use super::own::Own;
use super::query::encoded;
use super::signed::{Ask, Kind, Signed};
use super::xml::Xml;
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

/// An object as it is listed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Listed {
    /// Whole, with the prefix.
    pub key: String,
    /// Another one when the content is another.
    pub tag: String,
    pub size: usize,
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

    /// Every object below the prefix; more than `most` are a failure, not a shorter list.
    pub async fn list(
        &self,
        signed: &Signed,
        own: &Own,
        most: usize,
    ) -> Result<Vec<Listed>, Failure> {
        let wrong = |message: String| Failure::Refused { code: "BadAnswer".to_owned(), message };
        let prefix =
            if self.prefix.is_empty() { String::new() } else { format!("{}/", self.prefix) };
        let mut listed = Vec::new();
        let mut token: Option<String> = None;
        for _ in 0..limits::S3_PAGES {
            // Sorted, as the signature wants them.
            let next = token.iter().map(|it| format!("continuation-token={}&", encoded(it)));
            let next: String = next.collect();
            let query = format!("?{next}list-type=2&prefix={}", encoded(&prefix));
            let body = self.get(signed, own, &self.url(&query)).await?;
            let page = Xml::parse(&String::from_utf8_lossy(&body)).map_err(wrong)?;
            for entry in page.all("Contents") {
                let text = |path: &str| entry.text(path).map(str::to_owned);
                let (Some(key), Some(tag)) = (text("Key"), text("ETag")) else {
                    return Err(wrong("an object without a key or a tag".to_owned()));
                };
                let size = text("Size").and_then(|size| size.parse().ok()).unwrap_or(usize::MAX);
                listed.push(Listed { key, tag, size });
            }
            if listed.len() > most {
                return Err(wrong(format!("there are more than {most} objects")));
            }
            token = page.text("NextContinuationToken").map(str::to_owned);
            if token.is_none() {
                return Ok(listed);
            }
        }
        Err(wrong(format!("the list does not end after {} pages", limits::S3_PAGES)))
    }

    /// The content of an object.
    pub async fn fetch(&self, signed: &Signed, own: &Own, key: &str) -> Result<Vec<u8>, Failure> {
        let path: Vec<String> = key.split('/').map(encoded).collect();
        self.get(signed, own, &self.url(&path.join("/"))).await
    }

    async fn get(&self, signed: &Signed, own: &Own, url: &str) -> Result<Vec<u8>, Failure> {
        let ask = Ask {
            method: Method::GET,
            url: url.to_owned(),
            region: &self.region,
            service: "s3",
            content_type: None,
            target: None,
            body: Vec::new(),
            kind: Kind::Repeatable,
            within: limits::AWS_REQUEST_SIGNED,
        };
        own.ask(signed, &ask).await
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
