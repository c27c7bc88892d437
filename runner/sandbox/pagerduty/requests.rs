//! What came in over REST, for tests that ask how often and with what.

use std::collections::{BTreeMap, VecDeque};

use serde_json::Value;

/// Requests kept whole. A sandbox may run for days; the counts go on.
const KEPT: usize = 20_000;

/// One request as it came in.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordedRequest {
    pub method: String,
    pub path: String,
    /// As in PagerDuty's API description: `/incidents/{id}/notes`; empty for an unknown path.
    pub template: String,
    /// The `From` header.
    pub from: Option<String>,
    /// Null if there was no JSON.
    pub body: Value,
}

/// All requests since the start.
#[derive(Debug, Default)]
pub struct RequestLog {
    recent: VecDeque<RecordedRequest>,
    counts: BTreeMap<(String, String), u64>,
}

impl RequestLog {
    /// How many came in for a method and a path template.
    pub fn count(&self, method: &str, template: &str) -> u64 {
        let key = (method.to_owned(), template.to_owned());
        self.counts.get(&key).copied().unwrap_or_default()
    }

    /// Per method and path template.
    pub fn counts(&self) -> &BTreeMap<(String, String), u64> {
        &self.counts
    }

    /// The last 20,000, oldest first.
    pub fn recent(&self) -> impl Iterator<Item = &RecordedRequest> {
        self.recent.iter()
    }

    pub(super) fn record(&mut self, request: RecordedRequest) {
        let key = (request.method.clone(), request.template.clone());
        *self.counts.entry(key).or_default() += 1;
        if self.recent.len() == KEPT {
            self.recent.pop_front();
        }
        self.recent.push_back(request);
    }
}
