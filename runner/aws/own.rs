//! AMS's own credentials at AWS, as AWS's tools find them: environment, profile, container, instance.

use std::sync::Arc;

use aws_sdk_ssm::config::SharedCredentialsProvider;
use aws_sdk_ssm::config::{BehaviorVersion, Credentials, ProvideCredentials as _, Region};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::Mutex;

use super::failure::{Failure, chain};
use super::signed::{Ask, Signed};
use crate::clock::Clock;

/// Looked up again this long before their end, or after this long where they have none: a profile may
/// be changed while AMS runs.
const MARGIN: SignedDuration = SignedDuration::from_mins(5);

/// Credentials that are kept until shortly before their end.
#[derive(Clone)]
pub struct Own {
    provider: SharedCredentialsProvider,
    kept: Arc<Mutex<Option<(Credentials, Timestamp)>>>,
    clock: Arc<dyn Clock>,
}

impl Own {
    /// As the process finds them.
    pub async fn find(region: &str, clock: Arc<dyn Clock>) -> Option<Self> {
        let region = Region::new(region.to_owned());
        let config = aws_config::defaults(BehaviorVersion::latest()).region(region).load().await;
        config.credentials_provider().map(|provider| Self::of(provider, clock))
    }

    /// From a provider of the caller's.
    pub fn of(provider: SharedCredentialsProvider, clock: Arc<dyn Clock>) -> Self {
        Self { provider, kept: Arc::default(), clock }
    }

    pub async fn credentials(&self) -> Result<Credentials, Failure> {
        let mut kept = self.kept.lock().await;
        let now = self.clock.now();
        if let Some((credentials, until)) = &*kept
            && now < *until
        {
            return Ok(credentials.clone());
        }
        let found = self.provider.provide_credentials().await.map_err(|error| {
            Failure::Refused { code: "NoCredentials".to_owned(), message: chain(&error) }
        })?;
        let ends = found.expiry().and_then(|ends| Timestamp::try_from(ends).ok());
        let until = ends.map_or(now + MARGIN, |ends| ends - MARGIN);
        *kept = Some((found.clone(), until));
        Ok(found)
    }

    /// The body of a good answer. Credentials may be over though they did not say when: then once more,
    /// with others.
    pub async fn ask(&self, signed: &Signed, ask: &Ask<'_>) -> Result<Vec<u8>, Failure> {
        match signed.ask(ask, &self.credentials().await?).await {
            Err(Failure::Expired(_)) => {
                self.forget().await;
                signed.ask(ask, &self.credentials().await?).await
            }
            other => other,
        }
    }

    /// AWS says that they are over.
    pub async fn forget(&self) {
        *self.kept.lock().await = None;
    }
}
