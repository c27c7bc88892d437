//! What alarms go by: a few numbers of a process in one line, for who watches logs and not metrics.

use std::sync::{Arc, Mutex, PoisonError};

use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::{Registry, Unit};
use tokio::time::Instant;

use super::{Delivered, Metrics, ResultLabel, Way, WayLabels};

/// Clones show the same numbers.
#[derive(Clone)]
pub struct Vitals {
    /// Open incidents that nobody has claimed, as the last reconciliation saw them.
    pub unclaimed: Gauge,
    /// Webhook subscriptions leading here that PagerDuty has switched off for a while.
    pub subscriptions_disabled: Gauge,
    /// 1 while living processes have gone by different scenarios or customers for some time.
    pub rules_differ: Gauge,
    /// When a process of another region showed life last; at first, when this process began.
    other_region: Arc<Mutex<Instant>>,
    /// People were to be told by a last resort, whether it worked or not.
    pub(super) last_resorts: Counter,
}

impl Default for Vitals {
    fn default() -> Self {
        Self {
            unclaimed: Gauge::default(),
            subscriptions_disabled: Gauge::default(),
            rules_differ: Gauge::default(),
            other_region: Arc::new(Mutex::new(Instant::now())),
            last_resorts: Counter::default(),
        }
    }
}

impl Vitals {
    pub fn other_region_lives(&self) {
        *self.other_region.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
    }

    fn other_region_seconds(&self) -> u64 {
        self.other_region.lock().unwrap_or_else(PoisonError::into_inner).elapsed().as_secs()
    }

    pub(super) fn register(&self, registry: &mut Registry) {
        let gauges = [
            (
                "unclaimed",
                "Open incidents that nobody had claimed at the last look",
                &self.unclaimed,
            ),
            (
                "subscriptions_disabled",
                "Webhook subscriptions leading here that PagerDuty has switched off",
                &self.subscriptions_disabled,
            ),
            (
                "rules_differ",
                "1 while living processes go by different scenarios or customers",
                &self.rules_differ,
            ),
        ];
        for (name, help, gauge) in gauges {
            registry.register(name, help, gauge.clone());
        }
        let silence: Gauge = Gauge::default();
        silence.set(i64::try_from(self.other_region_seconds()).unwrap_or(i64::MAX));
        let help = "Since a process of another region showed life";
        registry.register_with_unit("other_region", help, Unit::Seconds, silence);
    }
}

/// Counts that only grow.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Counts {
    store_errors: u64,
    escalation_failures: u64,
    last_resort: u64,
    bad_signatures: u64,
    secret_failures: u64,
}

/// Writes the line: gauges as they are, counts since the line before.
pub struct Line {
    metrics: Metrics,
    before: Counts,
}

impl Line {
    pub fn new(metrics: Metrics) -> Self {
        Self { metrics, before: Counts::default() }
    }

    pub fn write(&mut self) {
        let Metrics { measures, vitals, .. } = &self.metrics;
        let (before, now) = (self.before, self.metrics.counts());
        let fullest = measures.fullest_bound();
        tracing::info!(
            target: "ams::figures",
            runs_open = self.metrics.runs_open.get(),
            oldest_open_run_seconds = measures.oldest_run_seconds(),
            oldest_listed_run_seconds = measures.oldest_listed_seconds(),
            unclaimed = vitals.unclaimed.get(),
            subscriptions_disabled = vitals.subscriptions_disabled.get(),
            other_region_seconds = vitals.other_region_seconds(),
            rules_differ = vitals.rules_differ.get(),
            rules_refused = self.metrics.rules_refused.get(),
            fullest_bound = fullest.1,
            fullest = fullest.0,
            store_errors = now.store_errors - before.store_errors,
            escalation_failures = now.escalation_failures - before.escalation_failures,
            last_resort = now.last_resort - before.last_resort,
            bad_signatures = now.bad_signatures - before.bad_signatures,
            secret_failures = now.secret_failures - before.secret_failures,
            "figures",
        );
        self.before = now;
    }
}

impl Metrics {
    fn counts(&self) -> Counts {
        let result = Delivered::BadSignature;
        let webhooks = self.webhooks.get_or_create(&ResultLabel { result }).get();
        let way = Way::ApiDestination.word();
        let events = self.eventbridge.get_or_create(&WayLabels { way, result }).get();
        Counts {
            store_errors: self.store_errors.get(),
            escalation_failures: self.escalation_failures.get(),
            last_resort: self.vitals.last_resorts.get(),
            bad_signatures: webhooks + events,
            secret_failures: self.secret_failures.get(),
        }
    }
}
