//! `eventbridge:`, the second way in for PagerDuty's events.

use super::source::Source;
use crate::aws::sqs::Place;
use crate::fields::At;
use crate::finding::Findings;
use crate::limits;
use crate::secret::{Form, Secret};

/// By which ways events of Amazon EventBridge come; by none if nothing is said.
#[derive(Clone, Debug, Default)]
pub struct EventBridgeConfig {
    /// A queue that they are taken from.
    pub queue: Option<Place>,
    /// What an API destination must know to deliver them.
    pub keys: Vec<Secret>,
}

/// `None` after a finding.
pub(super) fn read(source: &Source<'_>, findings: &mut Findings) -> Option<EventBridgeConfig> {
    if !source.says("eventbridge") {
        return Some(EventBridgeConfig::default());
    }
    source.section("eventbridge", "EVENTBRIDGE_", findings, |own, findings| {
        let mut queue = None;
        if own.says("sqs") {
            queue = Some(own.section("sqs", "EVENTBRIDGE_SQS_", findings, place)?);
        }
        let written = own.fields.texts("keys", findings);
        let keys = written.iter().map(|at| key(own, at, findings));
        let keys = keys.collect::<Option<Vec<_>>>()?;
        Some(EventBridgeConfig { queue, keys })
    })
}

fn place(source: &Source<'_>, findings: &mut Findings) -> Option<Place> {
    let example = "https://sqs.ap-northeast-1.amazonaws.com/111122223333/ams";
    let At { place, value: url } = source.required("queue", example, findings)?;
    let path = url.split_once("://").and_then(|(_, rest)| rest.split_once('/'));
    let is_queue = ["https://", "http://"].iter().any(|scheme| url.starts_with(scheme))
        && path.is_some_and(|(host, path)| !host.is_empty() && path.len() > 1);
    if !is_queue {
        let message = format!("is '{url}', which is no queue's URL");
        let remedy = format!("write it as SQS shows it: {example}");
        source.bad((place, "queue"), &message, &remedy, findings);
    }
    let region = source.required("region", "ap-northeast-1", findings);
    let endpoint = source.address("endpoint", findings).map(|at| at.value);
    let region = region?.value;
    is_queue.then_some(Place { url, region, endpoint })
}

/// A key is made up by people, so it may be one that can be guessed.
fn key(source: &Source<'_>, at: &At<String>, findings: &mut Findings) -> Option<Secret> {
    let form = Form::Lines { shortest: limits::EVENTBRIDGE_KEY_CHARS };
    source.secret("keys", at, form, findings)
}
