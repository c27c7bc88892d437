//! Requests that are signed by the crate that signs in the product, over plain HTTP.

use std::time::SystemTime;

use ams::clock::{Clock as _, SystemClock};
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use aws_smithy_xml::decode::{Document, try_data};
use reqwest::Method;

use super::{TOKYO, credentials};
use crate::aws::{Aws, Keys};

/// Somebody who asks with a key.
pub(super) struct Client {
    url: String,
    keys: Keys,
    http: reqwest::Client,
}

/// Status and text.
pub(super) type Answer = (u16, String);

impl Client {
    pub(super) fn new(aws: &Aws, keys: Keys) -> Self {
        Self { url: aws.url().to_owned(), keys, http: reqwest::Client::new() }
    }

    /// `ec2 DescribeInstances` with these names and values.
    pub(super) async fn ask(&self, service: &str, action: &str, form: &[(&str, &str)]) -> Answer {
        let version = match service {
            "ec2" => "2016-11-15",
            "rds" => "2014-10-31",
            "elasticloadbalancing" => "2015-12-01",
            _ => "2011-01-01",
        };
        let fixed = [("Action", action), ("Version", version)];
        let pairs = fixed.iter().chain(form);
        let body: Vec<String> = pairs.map(|(name, value)| format!("{name}={value}")).collect();
        let kind = [("content-type", "application/x-www-form-urlencoded")];
        self.send((Method::POST, "/", service), &kind, body.join("&").into_bytes()).await
    }

    pub(super) async fn send(
        &self,
        (method, path, service): (Method, &str, &str),
        headers: &[(&str, &str)],
        body: Vec<u8>,
    ) -> Answer {
        let url = format!("{}{path}", self.url);
        let identity = credentials(&self.keys).into();
        let mut settings = SigningSettings::default();
        if service == "s3" {
            settings.percent_encoding_mode = PercentEncodingMode::Single;
            settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
            settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        }
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(TOKYO)
            .name(service)
            .time(SystemTime::from(SystemClock.now()))
            .settings(settings)
            .build()
            .unwrap();
        let signable = SignableRequest::new(
            method.as_str(),
            &url,
            headers.iter().copied(),
            SignableBody::Bytes(&body),
        );
        let signed = sign(signable.unwrap(), &parameters.into()).unwrap();
        let (instructions, _) = signed.into_parts();
        let mut request = self.http.request(method, &url).body(body);
        for (name, value) in headers.iter().copied().chain(instructions.headers()) {
            request = request.header(name, value);
        }
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.text().await.unwrap())
    }
}

/// The texts of all elements of this name, read by the parser that the product uses.
pub(super) fn texts(xml: &str, name: &str) -> Vec<String> {
    if let Some(Err(error)) = Document::new(xml).find(Result::is_err) {
        panic!("{error}: {xml}");
    }
    let (mut document, mut texts) = (Document::new(xml), Vec::new());
    while let Some(start) = document.next_start_element() {
        if start.local() == name {
            texts.push(try_data(&mut document.scoped_to(start)).unwrap().into_owned());
        }
    }
    texts
}
