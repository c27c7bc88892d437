//! The Query protocol: a form goes there, XML comes back. EC2, RDS, load balancers, scaling groups.

use std::time::Duration;

use aws_sdk_ssm::config::Credentials;
use reqwest::Method;

use super::failure::Failure;
use super::signed::{Ask, Kind, Signed};

/// A service of this kind, as its reference names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Service {
    /// In addresses and in signatures: `ec2`.
    pub name: &'static str,
    /// Of its API.
    pub version: &'static str,
}

/// One call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    pub service: Service,
    pub action: &'static str,
    /// Beside `Action` and `Version`.
    pub fields: Vec<(String, String)>,
    pub kind: Kind,
}

/// The service's own address in a region.
pub fn address(service: &str, region: &str) -> String {
    let partition = if region.starts_with("cn-") { ".cn" } else { "" };
    format!("https://{service}.{region}.amazonaws.com{partition}")
}

impl Query {
    /// The XML of a good answer.
    pub async fn send(
        &self,
        (signed, endpoint): (&Signed, Option<&str>),
        region: &str,
        credentials: &Credentials,
        within: Duration,
    ) -> Result<String, Failure> {
        let host = match endpoint {
            Some(endpoint) => endpoint.trim_end_matches('/').to_owned(),
            None => address(self.service.name, region),
        };
        let ask = Ask {
            method: Method::POST,
            url: format!("{host}/"),
            region,
            service: self.service.name,
            content_type: Some("application/x-www-form-urlencoded; charset=utf-8"),
            target: None,
            body: self.form().into_bytes(),
            kind: self.kind,
            within,
        };
        let body = signed.ask(&ask, credentials).await?;
        String::from_utf8(body).map_err(|_| Failure::Uncertain("an answer that is no text".into()))
    }

    fn form(&self) -> String {
        let fixed = [("Action", self.action), ("Version", self.service.version)];
        let own = self.fields.iter().map(|(name, value)| (name.as_str(), value.as_str()));
        let pairs = fixed
            .into_iter()
            .chain(own)
            .map(|(name, value)| format!("{}={}", encoded(name), encoded(value)));
        pairs.collect::<Vec<_>>().join("&")
    }
}

/// Everything but RFC 3986's unreserved characters.
pub(super) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let digit = |it: u8| char::from(b"0123456789ABCDEF"[usize::from(it)]);
            out.extend(['%', digit(byte >> 4), digit(byte & 15)]);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_comes_from_outside_stays_one_value_of_a_form() {
        let query = Query {
            service: Service { name: "ec2", version: "2016-11-15" },
            action: "DescribeVolumes",
            fields: vec![("VolumeId.1".to_owned(), "vol-1&Action=Delete 日".to_owned())],
            kind: Kind::Repeatable,
        };
        assert_eq!(
            query.form(),
            "Action=DescribeVolumes&Version=2016-11-15&\
             VolumeId.1=vol-1%26Action%3DDelete%20%E6%97%A5"
        );
    }

    #[test]
    fn regions_of_china_have_addresses_of_their_own() {
        assert_eq!(address("ec2", "ap-northeast-1"), "https://ec2.ap-northeast-1.amazonaws.com");
        assert_eq!(address("ec2", "cn-north-1"), "https://ec2.cn-north-1.amazonaws.com.cn");
    }
}
