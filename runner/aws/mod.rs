//! Customers' accounts at AWS: who AMS is there, and what AWS's errors mean.
//!
//! AMS has credentials of its own, as AWS's tools find them, and with them takes on the role that a
//! customer made for it (`sessions.rs`). The SDK retries nothing: it would send a command twice.

pub mod failure;
pub mod own;
pub mod query;
pub mod s3;
pub mod secrets;
pub mod sessions;
pub mod signed;
pub mod sqs;
pub mod xml;

use std::time::Duration;

use aws_config::SdkConfig;
use aws_sdk_ssm::config::retry::RetryConfig;
use aws_sdk_ssm::config::timeout::TimeoutConfig;
use aws_sdk_ssm::config::{
    BehaviorVersion, Credentials, IdentityCache, Region, SharedCredentialsProvider,
    StalledStreamProtectionConfig,
};

use crate::limits;

/// Where AMS itself is at AWS.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Its own region, whose STS it asks: another region's troubles are not its own.
    pub region: String,
    /// In place of the services' own addresses, for what is compatible with them.
    pub endpoint: Option<String>,
}

/// AMS at AWS: its own credentials, and connections that are shared.
#[derive(Clone, Debug)]
pub struct Aws {
    config: SdkConfig,
    endpoint: Option<String>,
}

impl Aws {
    /// With the credentials of the process's environment, as AWS's tools find them.
    pub async fn connect(settings: &Settings) -> Self {
        let region = Region::new(settings.region.clone());
        let config =
            aws_config::defaults(BehaviorVersion::v2026_01_12()).region(region).load().await;
        Self { config, endpoint: settings.endpoint.clone() }
    }

    /// With these credentials.
    pub async fn connect_as(settings: &Settings, credentials: SharedCredentialsProvider) -> Self {
        let config = aws_config::defaults(BehaviorVersion::v2026_01_12())
            .region(Region::new(settings.region.clone()))
            .credentials_provider(credentials)
            .load()
            .await;
        Self { config, endpoint: settings.endpoint.clone() }
    }

    fn sts(&self) -> aws_sdk_sts::Client {
        let mut builder = aws_sdk_sts::config::Builder::from(&self.config);
        builder.set_retry_config(Some(RetryConfig::disabled()));
        builder.set_timeout_config(Some(within(limits::AWS_REQUEST)));
        builder.set_stalled_stream_protection(Some(StalledStreamProtectionConfig::disabled()));
        if let Some(endpoint) = &self.endpoint {
            builder.set_endpoint_url(Some(endpoint.clone()));
        }
        aws_sdk_sts::Client::from_conf(builder.build())
    }

    /// Systems Manager of a region, as somebody else. A request that sends a command has longer than
    /// one that reads: giving up on it costs more.
    fn ssm(&self, region: &str, credentials: Credentials) -> aws_sdk_ssm::Client {
        let mut builder = aws_sdk_ssm::config::Builder::from(&self.config)
            .region(Region::new(region.to_owned()))
            .credentials_provider(credentials)
            .identity_cache(IdentityCache::no_cache());
        builder.set_retry_config(Some(RetryConfig::disabled()));
        builder.set_timeout_config(Some(within(limits::SSM_SEND)));
        // It would give up on an answer that is late after a time of its own.
        builder.set_stalled_stream_protection(Some(StalledStreamProtectionConfig::disabled()));
        if let Some(endpoint) = &self.endpoint {
            builder.set_endpoint_url(Some(endpoint.clone()));
        }
        aws_sdk_ssm::Client::from_conf(builder.build())
    }

    /// What stands in the place of the services' own addresses.
    pub fn endpoint(&self) -> Option<&str> {
        self.endpoint.as_deref()
    }

    /// The address of a bucket in a region, without a slash at its end.
    pub fn bucket(&self, bucket: &str, region: &str) -> String {
        match &self.endpoint {
            Some(endpoint) => format!("{}/{bucket}", endpoint.trim_end_matches('/')),
            None => format!("https://s3.{region}.amazonaws.com/{bucket}"),
        }
    }
}

fn within(request: Duration) -> TimeoutConfig {
    TimeoutConfig::builder().connect_timeout(limits::AWS_CONNECT).read_timeout(request).build()
}
