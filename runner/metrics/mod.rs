//! What is counted, by name. Served as Prometheus text on `/metrics`.

pub mod measures;
pub mod pagerduty;
pub mod vitals;

use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue, LabelValueEncoder};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

use self::measures::Measures;
use self::pagerduty::PagerDutyMetrics;
use self::vitals::Vitals;
use crate::incident::Outcome;

/// How a delivery came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Way {
    /// From PagerDuty itself.
    Webhook,
    /// By an API destination of Amazon EventBridge.
    ApiDestination,
    /// By a queue.
    Queue,
}

impl Way {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::ApiDestination => "api_destination",
            Self::Queue => "queue",
        }
    }
}

/// What became of a delivery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Delivered {
    /// Began a run here.
    Claimed,
    /// Another region has it, or it was handled before.
    TakenElsewhere,
    /// No scenario is meant for the title.
    Unmatched,
    /// Asked a run to stand down.
    StandDown,
    /// Valid and of no consequence.
    Ignored,
    /// Or a wrong key.
    BadSignature,
    /// A valid signature on something that is no webhook, or a message that is no event.
    Malformed,
    TooLarge,
    /// Answered 503, so that PagerDuty retries; or left in the queue.
    Unavailable,
}

impl Delivered {
    const ALL: [Self; 9] = [
        Self::Claimed,
        Self::TakenElsewhere,
        Self::Unmatched,
        Self::StandDown,
        Self::Ignored,
        Self::BadSignature,
        Self::Malformed,
        Self::TooLarge,
        Self::Unavailable,
    ];

    pub const fn word(self) -> &'static str {
        match self {
            Self::Claimed => "claimed",
            Self::TakenElsewhere => "taken_elsewhere",
            Self::Unmatched => "unmatched",
            Self::StandDown => "stand_down",
            Self::Ignored => "ignored",
            Self::BadSignature => "bad_signature",
            Self::Malformed => "malformed",
            Self::TooLarge => "too_large",
            Self::Unavailable => "unavailable",
        }
    }
}

impl EncodeLabelValue for Delivered {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        EncodeLabelValue::encode(&self.word(), encoder)
    }
}

impl EncodeLabelValue for Outcome {
    fn encode(&self, encoder: &mut LabelValueEncoder<'_>) -> Result<(), std::fmt::Error> {
        EncodeLabelValue::encode(&self.word(), encoder)
    }
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ResultLabel {
    result: Delivered,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WayLabels {
    way: &'static str,
    result: Delivered,
}

/// Every word of [`Metrics::guard_refused`].
const GUARDS: [&str; 7] =
    ["budget", "cool_down", "breaker", "turn", "storm", "record_full", "pause"];

/// Every word of [`Metrics::told`].
const TOLD: [&str; 4] = ["ticket", "follow_up", "chat", "mail"];
const TOLD_RESULTS: [&str; 4] = ["sent", "refused", "unknown", "given_up"];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct GuardLabel {
    guard: &'static str,
}

/// Every word of [`Metrics::paged`].
const WAYS: [&str; 4] = ["level", "policy", "users", "responders"];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WayLabel {
    way: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct LastResortLabel {
    way: &'static str,
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ToldLabel {
    what: &'static str,
    result: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OutcomeLabel {
    outcome: Outcome,
}

/// Every metric of a process. Clones count into the same numbers.
#[derive(Clone, Default)]
pub struct Metrics {
    webhooks: Family<ResultLabel, Counter>,
    eventbridge: Family<WayLabels, Counter>,
    /// Requests to the queue that failed.
    pub queue_failures: Counter,
    pub measures: Measures,
    pub vitals: Vitals,
    runs: Family<OutcomeLabel, Counter>,
    guard_refusals: Family<GuardLabel, Counter>,
    pages: Family<WayLabel, Counter>,
    last_resorts: Family<LastResortLabel, Counter>,
    told: Family<ToldLabel, Counter>,
    pub runs_open: Gauge,
    pub take_overs: Counter,
    /// Runs begun because their webhooks were lost.
    pub reconciled: Counter,
    pub reconcile_failures: Counter,
    /// Secrets that were exchanged while the process ran.
    pub secrets_changed: Counter,
    /// Looks at a secret that could not be read, or that could not be one.
    pub secret_failures: Counter,
    /// A page that could not be sent; it is tried again until it can.
    pub escalation_failures: Counter,
    /// A note or title that could not be written.
    pub report_failures: Counter,
    pub store_errors: Counter,
    /// Evidence files that were older than they are to be kept.
    pub evidence_removed: Counter,
    pub evidence_uploads: Counter,
    /// Attempts; a file that failed is tried again.
    pub evidence_upload_failures: Counter,
    /// 1 while a changed set of scenarios is refused and an older one is in force.
    pub rules_refused: Gauge,
    pub reload_failures: Counter,
    pub reloads: Counter,
    /// Scenarios in force.
    pub rules_loaded: Gauge,
    pub pagerduty: PagerDutyMetrics,
}

impl Metrics {
    /// `took` is the time from a delivery's arrival to its answer.
    pub fn delivered(&self, way: Way, result: Delivered, took: Duration) {
        self.measures.delivered(way, took);
        match way {
            Way::Webhook => self.webhooks.get_or_create(&ResultLabel { result }).inc(),
            Way::ApiDestination | Way::Queue => {
                self.eventbridge.get_or_create(&WayLabels { way: way.word(), result }).inc()
            }
        };
    }

    /// By the guard's word.
    pub fn guard_refused(&self, guard: &'static str) {
        self.guard_refusals.get_or_create(&GuardLabel { guard }).inc();
    }

    /// By the way's word.
    pub fn paged(&self, way: &'static str) {
        self.pages.get_or_create(&WayLabel { way }).inc();
    }

    /// People were to be told by a last resort.
    pub fn last_resort(&self, way: &'static str, was_told: bool) {
        self.vitals.last_resorts.inc();
        let result = if was_told { "told" } else { "failed" };
        self.last_resorts.get_or_create(&LastResortLabel { way, result }).inc();
    }

    /// A last resort that there is, from the start of the process.
    pub fn has_last_resort(&self, way: &'static str) {
        for result in ["told", "failed"] {
            drop(self.last_resorts.get_or_create(&LastResortLabel { way, result }));
        }
    }

    /// What came of telling people beside PagerDuty, by its words.
    pub fn told(&self, what: &'static str, result: &'static str) {
        self.told.get_or_create(&ToldLabel { what, result }).inc();
    }

    pub fn run_ended(&self, outcome: Outcome) {
        self.runs.get_or_create(&OutcomeLabel { outcome }).inc();
    }

    fn of_hand_offs(&self, registry: &mut Registry) {
        registry.register(
            "told_beside",
            "Tickets, messages and mails of hand-offs by what came of them",
            self.told.clone(),
        );
    }

    fn of_eventbridge(&self, registry: &mut Registry) {
        registry.register(
            "eventbridge_events",
            "Events by Amazon EventBridge, by their way in and what became of them",
            self.eventbridge.clone(),
        );
        registry.register(
            "queue_failures",
            "Requests to the queue of EventBridge's events that failed; each is made again",
            self.queue_failures.clone(),
        );
    }

    fn of_evidence(&self, registry: &mut Registry) {
        registry.register(
            "evidence_removed",
            "Evidence files removed because their time was over",
            self.evidence_removed.clone(),
        );
        registry.register(
            "evidence_uploads",
            "Evidence files written to the bucket",
            self.evidence_uploads.clone(),
        );
        registry.register(
            "evidence_upload_failures",
            "Evidence files that the bucket did not take; each is tried again every hour",
            self.evidence_upload_failures.clone(),
        );
    }

    fn of_secrets(&self, registry: &mut Registry) {
        registry.register(
            "secrets_changed",
            "Secrets that were exchanged while the process ran",
            self.secrets_changed.clone(),
        );
        registry.register(
            "secret_failures",
            "Looks at a secret that left the value before in force",
            self.secret_failures.clone(),
        );
    }

    fn of_paging(&self, registry: &mut Registry) {
        registry.register(
            "escalation_failures",
            "Rounds in which no way to page people worked; another region or a last resort follows",
            self.escalation_failures.clone(),
        );
        registry.register("pages", "Incidents people were paged for, by way", self.pages.clone());
        registry.register(
            "last_resort",
            "Last resorts used because nobody could be paged, by way and result",
            self.last_resorts.clone(),
        );
    }

    fn begin_at_zero(&self) {
        // A counter that appears with its first event hides that event from `increase()`.
        for result in Delivered::ALL {
            drop(self.webhooks.get_or_create(&ResultLabel { result }));
            for way in [Way::ApiDestination, Way::Queue].map(Way::word) {
                drop(self.eventbridge.get_or_create(&WayLabels { way, result }));
            }
        }
        for guard in GUARDS {
            drop(self.guard_refusals.get_or_create(&GuardLabel { guard }));
        }
        for way in WAYS {
            drop(self.pages.get_or_create(&WayLabel { way }));
        }
        for (what, result) in TOLD.iter().flat_map(|what| TOLD_RESULTS.map(|it| (*what, it))) {
            drop(self.told.get_or_create(&ToldLabel { what, result }));
        }
        for outcome in Outcome::ALL {
            drop(self.runs.get_or_create(&OutcomeLabel { outcome }));
        }
    }

    /// All of it as Prometheus text.
    pub fn render(&self) -> String {
        self.begin_at_zero();
        let mut registry = Registry::with_prefix("ams");
        registry.register(
            "webhooks",
            "Webhook deliveries by what became of them",
            self.webhooks.clone(),
        );
        self.of_eventbridge(&mut registry);
        registry.register("runs", "Runs ended by this process, by outcome", self.runs.clone());
        registry.register("runs_open", "Runs this process is carrying out", self.runs_open.clone());
        registry.register(
            "guard_refusals",
            "Runs that a guard stopped before a recovery, by guard",
            self.guard_refusals.clone(),
        );
        registry.register(
            "take_overs",
            "Runs taken over from a runner that died or released them",
            self.take_overs.clone(),
        );
        registry.register(
            "reconciled",
            "Runs begun for open incidents whose webhooks were lost",
            self.reconciled.clone(),
        );
        registry.register(
            "reconcile_failures",
            "Rounds in which open incidents could not be compared with the claims",
            self.reconcile_failures.clone(),
        );
        self.of_secrets(&mut registry);
        self.vitals.register(&mut registry);
        self.of_paging(&mut registry);
        registry.register(
            "report_failures",
            "Titles and notes that could not be written",
            self.report_failures.clone(),
        );
        registry.register(
            "store_errors",
            "Claim store requests without an answer",
            self.store_errors.clone(),
        );
        self.of_evidence(&mut registry);
        self.pagerduty.register(&mut registry);
        self.of_hand_offs(&mut registry);
        registry.register(
            "rules_refused",
            "1 while changed scenarios are refused and the set before is in force",
            self.rules_refused.clone(),
        );
        registry.register(
            "reload_failures",
            "Changes of scenarios or customers that were refused",
            self.reload_failures.clone(),
        );
        registry.register(
            "reloads",
            "Changes of scenarios or customers that came into force",
            self.reloads.clone(),
        );
        registry.register("rules_loaded", "Scenarios in force", self.rules_loaded.clone());
        self.measures.register(&mut registry);
        let mut text = String::new();
        match encode(&mut text, &registry) {
            Ok(()) => text,
            Err(error) => format!("# metrics could not be written: {error}\n"),
        }
    }
}
