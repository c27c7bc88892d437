//! A queue of SQS, by its JSON protocol: `ReceiveMessage`, `DeleteMessageBatch` and
//! `ChangeMessageVisibilityBatch` of the Amazon SQS API reference.

use std::sync::Arc;
use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::failure::Failure;
use super::own::Own;
use super::signed::{Ask, Kind, Signed};
use crate::clock::Clock;
use crate::limits;

/// Which queue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// As SQS names it: `https://sqs.ap-northeast-1.amazonaws.com/111122223333/ams`.
    pub url: String,
    /// AWS's name of the queue's region.
    pub region: String,
    /// In place of the address in `url`, for what is compatible with it.
    pub endpoint: Option<String>,
}

impl Place {
    /// Where requests go: the address of the service, without the queue's path.
    fn host(&self) -> String {
        if let Some(endpoint) = &self.endpoint {
            return format!("{}/", endpoint.trim_end_matches('/'));
        }
        let (scheme, rest) = self.url.split_once("://").unwrap_or(("https", &self.url));
        format!("{scheme}://{}/", rest.split('/').next().unwrap_or(rest))
    }
}

/// A message that was handed out to us, and to nobody else for as long as was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    pub body: String,
    /// Of this hand-out; SQS gives another one with the next.
    pub receipt: String,
    /// How often it was handed out, this time included.
    pub receives: u32,
}

/// Why a queue cannot be asked.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    #[error("events come from the queue {url}, and AWS's tools find no credentials for it")]
    NoCredentials { url: String },
    #[error("cannot make an HTTP client for the queue: {0}")]
    HttpClient(#[from] reqwest::Error),
}

/// A queue, and who asks it.
#[derive(Clone)]
pub struct Sqs {
    pub place: Place,
    pub signed: Signed,
    pub own: Own,
}

impl Sqs {
    /// With AMS's own credentials, as AWS's tools find them.
    pub async fn open(place: Place, clock: &Arc<dyn Clock>) -> Result<Self, OpenError> {
        let own = Own::find(&place.region, Arc::clone(clock)).await;
        let own = own.ok_or_else(|| OpenError::NoCredentials { url: place.url.clone() })?;
        Ok(Self { place, signed: Signed::new(Arc::clone(clock))?, own })
    }

    /// Waits for messages, `most` of them at the most (1 to 10), for as long as SQS allows; each is
    /// hidden from others for [`limits::QUEUE_HIDDEN`].
    pub async fn receive(&self, most: usize) -> Result<Vec<Message>, Failure> {
        let body = json!({
            "QueueUrl": self.place.url,
            "MaxNumberOfMessages": most,
            "WaitTimeSeconds": limits::QUEUE_WAIT.as_secs(),
            "VisibilityTimeout": limits::QUEUE_HIDDEN.as_secs(),
            "MessageSystemAttributeNames": ["ApproximateReceiveCount"],
        });
        // Asked again, SQS would hide further messages from everybody.
        let answer = self.call("AmazonSQS.ReceiveMessage", &body, Kind::Change).await?;
        let messages = answer["Messages"].as_array().into_iter().flatten();
        Ok(messages.filter_map(message).collect())
    }

    /// Removes messages for good; those that stay after all come again. Answers with their number.
    pub async fn delete(&self, receipts: &[&str]) -> Result<usize, Failure> {
        let entry = |(id, receipt)| json!({ "Id": format!("m{id}"), "ReceiptHandle": receipt });
        let entries: Vec<Value> = receipts.iter().enumerate().map(entry).collect();
        self.batch("AmazonSQS.DeleteMessageBatch", entries).await
    }

    /// Hands messages out again after their wait. Answers with the number that SQS would not.
    pub async fn put_back(&self, messages: &[(&str, Duration)]) -> Result<usize, Failure> {
        let entry = |(id, (receipt, wait)): (usize, &(&str, Duration))| {
            let seconds = wait.as_secs();
            json!({ "Id": format!("m{id}"), "ReceiptHandle": receipt, "VisibilityTimeout": seconds })
        };
        let entries: Vec<Value> = messages.iter().enumerate().map(entry).collect();
        self.batch("AmazonSQS.ChangeMessageVisibilityBatch", entries).await
    }

    async fn batch(&self, target: &'static str, entries: Vec<Value>) -> Result<usize, Failure> {
        if entries.is_empty() {
            return Ok(0);
        }
        let body = json!({ "QueueUrl": self.place.url, "Entries": entries });
        let answer = self.call(target, &body, Kind::Repeatable).await?;
        Ok(answer["Failed"].as_array().map_or(0, Vec::len))
    }

    /// Credentials may be over though they did not say when.
    async fn call(&self, target: &'static str, body: &Value, kind: Kind) -> Result<Value, Failure> {
        let answer = match self.once(target, body, kind).await {
            Err(Failure::Expired(_)) => {
                self.own.forget().await;
                self.once(target, body, kind).await
            }
            other => other,
        }?;
        serde_json::from_slice(&answer)
            .map_err(|error| Failure::Uncertain(format!("an answer that is not JSON: {error}")))
    }

    async fn once(
        &self,
        target: &'static str,
        body: &Value,
        kind: Kind,
    ) -> Result<Vec<u8>, Failure> {
        let ask = Ask {
            method: Method::POST,
            url: self.place.host(),
            region: &self.place.region,
            service: "sqs",
            content_type: Some("application/x-amz-json-1.0"),
            target: Some(target),
            body: body.to_string().into_bytes(),
            kind,
            within: limits::AWS_REQUEST_SIGNED,
        };
        self.signed.ask(&ask, &self.own.credentials().await?).await
    }
}

/// One without a receipt cannot be removed, and one without a body says nothing.
fn message(message: &Value) -> Option<Message> {
    let receives = message["Attributes"]["ApproximateReceiveCount"].as_str();
    Some(Message {
        body: message["Body"].as_str()?.to_owned(),
        receipt: message["ReceiptHandle"].as_str()?.to_owned(),
        receives: receives.and_then(|count| count.parse().ok()).unwrap_or(1),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn requests_go_to_the_service_and_name_the_queue() {
        let url = "https://sqs.ap-northeast-1.amazonaws.com/111122223333/ams".to_owned();
        let mut place = Place { url, region: "ap-northeast-1".to_owned(), endpoint: None };
        assert_eq!(place.host(), "https://sqs.ap-northeast-1.amazonaws.com/");
        place.endpoint = Some("https://vpce-1.example.com/".to_owned());
        assert_eq!(place.host(), "https://vpce-1.example.com/");
    }
}
