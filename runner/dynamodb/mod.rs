//! Asking DynamoDB: how a client is made, and what its errors mean for us.
//!
//! The SDK retries nothing. It would repeat a write whose answer was lost without looking, where
//! a store has to look first; and it knows nothing of the time a webhook may take.

use std::collections::HashMap;
use std::error::Error;
use std::time::Duration;

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::config::retry::RetryConfig;
use aws_sdk_dynamodb::config::timeout::TimeoutConfig;
use aws_sdk_dynamodb::config::{BehaviorVersion, Builder, Region, SharedCredentialsProvider};
use aws_sdk_dynamodb::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_dynamodb::types::AttributeValue;
use backon::{BackoffBuilder as _, ExponentialBuilder};
use tokio::time::{sleep, timeout};

use crate::limits;

pub(crate) mod sweep;

/// An item, or the key of one.
pub(crate) type Attributes = HashMap<String, AttributeValue>;

/// Where the tables are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Location {
    /// AWS's name of the region: `ap-northeast-1`.
    pub region: String,
    /// In place of the region's own address: an engine on this machine, a VPC endpoint.
    pub endpoint: Option<String>,
}

/// A client with the credentials of the process's environment, as AWS's tools find them.
pub async fn connect(location: &Location) -> Client {
    let region = Region::new(location.region.clone());
    let found = aws_config::defaults(BehaviorVersion::v2026_01_12()).region(region).load().await;
    Client::from_conf(bounded(Builder::from(&found), location))
}

/// A client with these credentials.
pub fn connect_as(location: &Location, credentials: SharedCredentialsProvider) -> Client {
    let builder = Builder::new()
        .behavior_version(BehaviorVersion::v2026_01_12())
        .region(Region::new(location.region.clone()))
        .credentials_provider(credentials);
    Client::from_conf(bounded(builder, location))
}

fn bounded(mut builder: Builder, location: &Location) -> aws_sdk_dynamodb::Config {
    builder.set_retry_config(Some(RetryConfig::disabled()));
    builder.set_timeout_config(Some(
        TimeoutConfig::builder()
            .connect_timeout(limits::DYNAMODB_CONNECT)
            // Of the request alone: an attempt's time would count in that of fetching credentials.
            .read_timeout(limits::DYNAMODB_REQUEST)
            .build(),
    ));
    if let Some(endpoint) = &location.endpoint {
        builder.set_endpoint_url(Some(endpoint.clone()));
    }
    builder.build()
}

/// Why a request has no good answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// Throttled, or another region is writing the same item: not carried out, and worth another
    /// try.
    Busy(String),
    /// No answer, or one that leaves it open whether the request was carried out.
    Uncertain(String),
    /// Not carried out, and no further try helps.
    Refused { code: String, message: String },
}

impl Failure {
    pub(crate) fn of<E>(error: &SdkError<E>) -> Self
    where
        E: Error + ProvideErrorMetadata + 'static,
    {
        let SdkError::ServiceError(told) = error else {
            return Self::Uncertain(chain(error));
        };
        let code = told.err().code().unwrap_or("an error without a name").to_owned();
        let message = told.err().message().unwrap_or_default().to_owned();
        match code.as_str() {
            "ReplicatedWriteConflictException"
            | "ProvisionedThroughputExceededException"
            | "ThrottlingException"
            | "RequestLimitExceeded"
            | "TransactionConflictException" => Self::Busy(format!("{code}: {message}")),
            // AWS: "the operation may have succeeded or failed".
            _ if told.raw().status().is_server_error() => {
                Self::Uncertain(format!("{code}: {message}"))
            }
            _ => Self::Refused { code, message },
        }
    }

    pub(crate) fn reason(&self) -> String {
        match self {
            Self::Busy(reason) | Self::Uncertain(reason) => reason.clone(),
            Self::Refused { code, message } => format!("{code}: {message}"),
        }
    }
}

/// An error with its causes, each once: the SDK's own words leave them out or show its insides.
fn chain(error: &dyn Error) -> String {
    let mut told = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        let text = error.to_string();
        if !told.contains(&text) {
            told = format!("{told}: {text}");
        }
        cause = error.source();
    }
    told
}

/// The waits between attempts. Whoever is sent away at the same moment comes back at another.
pub(crate) fn waits() -> impl Iterator<Item = Duration> + Send {
    ExponentialBuilder::new()
        .with_min_delay(limits::DYNAMODB_FIRST_WAIT)
        // The series adds up to the same amount again as jitter, after its own bound.
        .with_max_delay(limits::DYNAMODB_LONGEST_WAIT / 2)
        .with_max_times(limits::DYNAMODB_ATTEMPTS - 1)
        .with_jitter()
        .build()
}

/// Repeats what does no harm when it is carried out twice, until it is answered or refused, for
/// [`limits::DYNAMODB_ANSWER`] at most.
pub(crate) async fn patiently<T, F>(request: impl Fn() -> F) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Failure>>,
{
    let mut last = Failure::Uncertain("DynamoDB did not answer in time".to_owned());
    let repeat = async {
        let mut waits = waits();
        loop {
            match request().await {
                Err(failure @ (Failure::Busy(_) | Failure::Uncertain(_))) => last = failure,
                settled => return Some(settled),
            }
            sleep(waits.next()?).await;
        }
    };
    let settled = timeout(limits::DYNAMODB_ANSWER, repeat).await.ok().flatten();
    settled.unwrap_or(Err(last))
}

/// One page of an answer, and where the next one begins.
pub(crate) struct Page {
    pub(crate) items: Vec<Attributes>,
    pub(crate) next: Option<Attributes>,
}

/// All pages, each asked for patiently, [`limits::DYNAMODB_PAGES`] at most.
pub(crate) async fn all_pages<F>(
    request: impl Fn(Option<Attributes>) -> F,
) -> Result<Vec<Attributes>, Failure>
where
    F: Future<Output = Result<Page, Failure>>,
{
    let (mut all, mut from) = (Vec::new(), None);
    for _ in 0..limits::DYNAMODB_PAGES {
        let page = patiently(|| request(from.clone())).await?;
        all.extend(page.items);
        match page.next {
            Some(next) => from = Some(next),
            None => return Ok(all),
        }
    }
    tracing::warn!("an answer of DynamoDB has more than {} pages", limits::DYNAMODB_PAGES);
    Ok(all)
}

pub(crate) fn text(value: impl Into<String>) -> AttributeValue {
    AttributeValue::S(value.into())
}

pub(crate) fn number(value: &impl ToString) -> AttributeValue {
    AttributeValue::N(value.to_string())
}

/// An attribute that is text.
pub(crate) fn text_of<'a>(item: &'a Attributes, name: &str) -> Option<&'a str> {
    item.get(name)?.as_s().ok().map(String::as_str)
}

/// An attribute that is a whole number.
pub(crate) fn number_of<T: std::str::FromStr>(item: &Attributes, name: &str) -> Option<T> {
    item.get(name)?.as_n().ok()?.parse().ok()
}

/// The key of an item.
pub(crate) fn key(pk: impl Into<String>, sk: impl Into<String>) -> Attributes {
    Attributes::from([("pk".to_owned(), text(pk)), ("sk".to_owned(), text(sk))])
}
