//! Requests that are signed here: what is asked of AWS beside Systems Manager and STS.

use std::time::SystemTime;

use aws_sdk_ssm::config::Credentials;
use aws_sigv4::http_request::{
    PayloadChecksumKind, PercentEncodingMode, SignableBody, SignableRequest, SigningSettings,
    UriPathNormalizationMode, sign,
};
use aws_sigv4::sign::v4;
use jiff::Timestamp;

/// Characters of AWS's own message that people are told.
const MESSAGE_BYTES: usize = 300;

/// Fetches something, for example an object of a bucket.
pub struct Get<'a> {
    pub url: &'a str,
    pub region: &'a str,
    /// As it stands in signatures: `s3`.
    pub service: &'a str,
    pub now: Timestamp,
}

/// What comes, piece by piece.
pub struct Body(reqwest::Response);

impl Body {
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, String> {
        let piece = self.0.chunk().await.map_err(|error| error.without_url().to_string())?;
        Ok(piece.map(|bytes| bytes.to_vec()))
    }
}

impl Get<'_> {
    /// The answer, when it is a good one; otherwise what AWS says.
    pub async fn send(
        &self,
        http: &reqwest::Client,
        credentials: &Credentials,
    ) -> Result<Body, String> {
        let mut request = http.get(self.url);
        for (name, value) in self.signature(credentials)? {
            request = request.header(name, value);
        }
        let answer = request.send().await.map_err(|error| error.without_url().to_string())?;
        if answer.status().is_success() {
            return Ok(Body(answer));
        }
        let status = answer.status().as_u16();
        let mut body = Body(answer);
        let said = body.next().await.ok().flatten().unwrap_or_default();
        let said = String::from_utf8_lossy(&said[..said.len().min(MESSAGE_BYTES)]).into_owned();
        Err(format!("HTTP {status}: {said}"))
    }

    fn signature(&self, credentials: &Credentials) -> Result<Vec<(String, String)>, String> {
        let identity = credentials.clone().into();
        let mut settings = SigningSettings::default();
        settings.percent_encoding_mode = PercentEncodingMode::Single;
        settings.uri_path_normalization_mode = UriPathNormalizationMode::Disabled;
        settings.payload_checksum_kind = PayloadChecksumKind::XAmzSha256;
        let parameters = v4::SigningParams::builder()
            .identity(&identity)
            .region(self.region)
            .name(self.service)
            .time(SystemTime::from(self.now))
            .settings(settings)
            .build()
            .map_err(|error| error.to_string())?;
        let body = SignableBody::Bytes(&[]);
        let request = SignableRequest::new("GET", self.url, std::iter::empty(), body)
            .map_err(|error| error.to_string())?;
        let (instructions, _) =
            sign(request, &parameters.into()).map_err(|error| error.to_string())?.into_parts();
        let headers = instructions.headers();
        Ok(headers.map(|(name, value)| (name.to_owned(), value.to_owned())).collect())
    }
}
