//! What is measured beside the counts: how full every bound is, how long things take,
//! what went wrong, and the age of the oldest run.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::encoding::EncodeLabelSet;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};

use super::Way;

/// Seconds. A store over three regions takes tens of milliseconds, a webhook may take four seconds.
const SECONDS: [f64; 12] = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct WayLabel {
    way: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct OperationLabel {
    operation: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ErrorLabels {
    part: &'static str,
    class: &'static str,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct BoundLabel {
    bound: &'static str,
}

/// Bounds of fewer places are not among the fullest.
const SMALLEST_TOLD: u64 = 16;

type Look = Box<dyn Fn() -> u64 + Send + Sync>;

/// Something bounded, looked at whenever somebody asks for the metrics.
struct Bound {
    name: &'static str,
    size: u64,
    used: Look,
}

type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

/// Clones measure into the same numbers.
#[derive(Clone)]
pub struct Measures {
    deliveries: Histograms<WayLabel>,
    store: Histograms<OperationLabel>,
    errors: Family<ErrorLabels, Counter>,
    bounds: Arc<Mutex<Vec<Bound>>>,
    oldest_run: Arc<Mutex<Option<Look>>>,
    runs_listed: Gauge,
    oldest_listed: Gauge,
}

impl Default for Measures {
    fn default() -> Self {
        let histogram: fn() -> Histogram = || Histogram::new(SECONDS);
        Self {
            deliveries: Family::new_with_constructor(histogram),
            store: Family::new_with_constructor(histogram),
            errors: Family::default(),
            bounds: Arc::default(),
            oldest_run: Arc::default(),
            runs_listed: Gauge::default(),
            oldest_listed: Gauge::default(),
        }
    }
}

impl Measures {
    pub(crate) fn delivered(&self, way: Way, took: Duration) {
        let label = WayLabel { way: way.word() };
        self.deliveries.get_or_create(&label).observe(took.as_secs_f64());
    }

    /// One question to the claim store, all its attempts together.
    pub fn stored(&self, operation: &'static str, took: Duration) {
        self.store.get_or_create(&OperationLabel { operation }).observe(took.as_secs_f64());
    }

    /// Something failed: in which part, and how.
    pub fn failed(&self, part: &'static str, class: &'static str) {
        self.errors.get_or_create(&ErrorLabels { part, class }).inc();
    }

    /// Every error that may come, at zero: one that appears with its first event hides that event
    /// from `increase()`.
    pub fn may_fail(&self, part: &'static str, classes: &[&'static str]) {
        for class in classes {
            drop(self.errors.get_or_create(&ErrorLabels { part, class }));
        }
    }

    /// Something that holds `size` of something at most, and how to see how many it holds.
    pub fn bound(
        &self,
        name: &'static str,
        size: usize,
        used: impl Fn() -> usize + Send + Sync + 'static,
    ) {
        let used = Box::new(move || u64::try_from(used()).unwrap_or(u64::MAX));
        let size = u64::try_from(size).unwrap_or(u64::MAX);
        let mut bounds = self.bounds.lock().unwrap_or_else(PoisonError::into_inner);
        bounds.retain(|bound| bound.name != name);
        bounds.push(Bound { name, size, used });
    }

    /// How to see the age in seconds of the oldest run that this process carries out; 0 without one.
    pub fn oldest_run(&self, age: impl Fn() -> u64 + Send + Sync + 'static) {
        *self.oldest_run.lock().unwrap_or_else(PoisonError::into_inner) = Some(Box::new(age));
    }

    /// Open runs of all processes, and the time since the oldest of them was first seen here.
    pub fn listed(&self, runs: usize, oldest: Duration) {
        self.runs_listed.set(i64::try_from(runs).unwrap_or(i64::MAX));
        self.oldest_listed.set(whole(oldest.as_secs()));
    }

    pub(super) fn oldest_run_seconds(&self) -> u64 {
        let look = self.oldest_run.lock().unwrap_or_else(PoisonError::into_inner);
        look.as_ref().map_or(0, |age| age())
    }

    pub(super) fn oldest_listed_seconds(&self) -> i64 {
        self.oldest_listed.get()
    }

    /// Its name, and how much of it is used, in percent.
    pub(super) fn fullest_bound(&self) -> (&'static str, u64) {
        let bounds = self.bounds.lock().unwrap_or_else(PoisonError::into_inner);
        let percent = |bound: &Bound| (bound.used)().saturating_mul(100) / bound.size.max(1);
        // A few places that are taken for seconds say nothing of a process.
        let told = bounds.iter().filter(|bound| bound.size >= SMALLEST_TOLD);
        let each = told.map(|bound| (bound.name, percent(bound)));
        each.max_by_key(|(_, percent)| *percent).unwrap_or(("none", 0))
    }

    pub(crate) fn register(&self, registry: &mut Registry) {
        let seconds = || Unit::Seconds;
        registry.register_with_unit(
            "delivery",
            "From a delivery's arrival to its answer, by its way in",
            seconds(),
            self.deliveries.clone(),
        );
        registry.register_with_unit(
            "store",
            "Questions to the claim store with all their attempts, by operation",
            seconds(),
            self.store.clone(),
        );
        registry.register("errors", "What failed, by part and class", self.errors.clone());
        let (used, size) = (Family::default(), Family::default());
        for bound in self.bounds.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            let label = BoundLabel { bound: bound.name };
            gauge(&used, &label).set(whole((bound.used)()));
            gauge(&size, &label).set(whole(bound.size));
        }
        registry.register("bound_used", "How much a bounded thing holds now", used);
        registry.register("bound_size", "The most that it may hold", size);
        let oldest: Gauge = Gauge::default();
        oldest.set(whole(self.oldest_run_seconds()));
        registry.register_with_unit(
            "oldest_open_run",
            "Age of the oldest run that this process carries out",
            seconds(),
            oldest,
        );
        registry.register(
            "runs_listed",
            "Open runs of all processes, as last listed",
            self.runs_listed.clone(),
        );
        registry.register_with_unit(
            "oldest_listed_run",
            "Since this process first saw the oldest open run of all processes",
            seconds(),
            self.oldest_listed.clone(),
        );
    }
}

fn gauge(family: &Family<BoundLabel, Gauge>, label: &BoundLabel) -> Gauge {
    family.get_or_create(label).clone()
}

fn whole(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
