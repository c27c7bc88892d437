//! What is counted of requests to PagerDuty.

use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::{Family, MetricConstructor};
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::Registry;

/// The lanes of requests, the most urgent first.
pub const LANES: [&str; 5] = ["escalate", "resolve", "title", "note", "look"];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LaneLabel {
    lane: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct AnswerLabel {
    lane: &'static str,
    /// Of the answer; `none` without one.
    status: String,
}

/// Seconds: from what nobody notices to the longest wait for a turn.
const WAITS: [f64; 9] = [0.01, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 120.0];

#[derive(Clone, Copy)]
struct NewHistogram;

impl MetricConstructor<Histogram> for NewHistogram {
    fn new_metric(&self) -> Histogram {
        Histogram::new(WAITS)
    }
}

#[derive(Clone)]
pub struct PagerDutyMetrics {
    requests: Family<AnswerLabel, Counter>,
    queue: Family<LaneLabel, Gauge>,
    waits: Family<LaneLabel, Histogram, NewHistogram>,
    /// Pauses of everything but pages after a 429.
    pub limited: Counter,
    /// 1 while notes are thinned.
    pub storm: Gauge,
    pub storms: Counter,
    /// Starts of runs that were not told in storms.
    pub thinned: Counter,
}

impl Default for PagerDutyMetrics {
    fn default() -> Self {
        Self {
            requests: Family::default(),
            queue: Family::default(),
            waits: Family::new_with_constructor(NewHistogram),
            limited: Counter::default(),
            storm: Gauge::default(),
            storms: Counter::default(),
            thinned: Counter::default(),
        }
    }
}

impl PagerDutyMetrics {
    pub fn request(&self, lane: &'static str, status: Option<u16>) {
        let status = status.map_or_else(|| "none".to_owned(), |status| status.to_string());
        self.requests.get_or_create(&AnswerLabel { lane, status }).inc();
    }

    pub fn waiting(&self, lane: &'static str, count: usize) {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        self.queue.get_or_create(&LaneLabel { lane }).set(count);
    }

    pub fn waited(&self, lane: &'static str, time: Duration) {
        self.waits.get_or_create(&LaneLabel { lane }).observe(time.as_secs_f64());
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        for lane in LANES {
            drop(self.queue.get_or_create(&LaneLabel { lane }));
            drop(self.waits.get_or_create(&LaneLabel { lane }));
        }
        registry.register(
            "pagerduty_requests",
            "Requests to PagerDuty by lane and status of the answer",
            self.requests.clone(),
        );
        registry.register(
            "pagerduty_queue",
            "Requests that wait for their turn, by lane",
            self.queue.clone(),
        );
        registry.register(
            "pagerduty_wait_seconds",
            "How long requests waited for their turn, by lane",
            self.waits.clone(),
        );
        registry.register(
            "pagerduty_limited",
            "Times that PagerDuty's rate limit stopped everything but pages for a while",
            self.limited.clone(),
        );
        registry.register(
            "pagerduty_storm",
            "1 while runs tell their end only, because requests to PagerDuty wait",
            self.storm.clone(),
        );
        registry.register("pagerduty_storms", "How often that began", self.storms.clone());
        registry.register(
            "pagerduty_starts_thinned",
            "Starts of runs that were not told in such a time",
            self.thinned.clone(),
        );
    }
}
