//! One sign of life per process, and what its absence means for the process itself.
//!
//! A runner that could not renew its heartbeat for `lease - margin` must assume that others will
//! soon take its runs over: it starts no effect and says so on `/readyz`.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::claim::in_force::InForce;
use crate::claim::{Beat, Claims};

/// The lease as configured.
#[derive(Clone, Copy, Debug)]
pub struct LeaseTerms {
    /// One heartbeat per interval.
    pub beat_every: Duration,
    /// How long a claim is honoured without one.
    pub lease: Duration,
    /// How much earlier than that an owner stops by itself.
    pub margin: Duration,
}

impl Default for LeaseTerms {
    fn default() -> Self {
        Self {
            beat_every: crate::limits::HEARTBEAT_EVERY,
            lease: crate::limits::LEASE,
            margin: crate::limits::LEASE_MARGIN,
        }
    }
}

/// This process's own view of its lease.
#[derive(Clone, Debug)]
pub struct Pulse {
    terms: LeaseTerms,
    beats: Arc<Mutex<Beats>>,
    in_force: InForce,
    /// Version of the scenarios and customers that this process goes by.
    rules: Arc<Mutex<String>>,
}

#[derive(Debug, Default)]
struct Beats {
    /// When the last good heartbeat was *sent*: its answer may have taken long.
    last_good: Option<Instant>,
    /// How often others may have taken this process for dead.
    breaks: u64,
    /// When the last break was over.
    recovered: Option<Instant>,
}

impl Pulse {
    pub fn new(terms: LeaseTerms) -> Self {
        let in_force = InForce::new(terms.lease.saturating_sub(terms.margin));
        Self { terms, beats: Arc::default(), in_force, rules: Arc::default() }
    }

    /// May this process start an effect now?
    pub fn is_good(&self) -> bool {
        self.beats().last_good.is_some_and(|sent| sent.elapsed() < self.patience())
    }

    /// How often the pulse was not good for a while, and then good again. What was known of runs
    /// before is to be asked again after each.
    pub fn breaks(&self) -> u64 {
        self.beats().breaks
    }

    /// Good, and for so long that nobody can still be taking over what was lost in the last break:
    /// who does that has seen the break at most a margin ago (sweep.rs).
    pub fn is_steady(&self) -> bool {
        let recovered = self.beats().recovered;
        self.is_good() && recovered.is_none_or(|at| at.elapsed() >= self.terms.margin)
    }

    /// Without a heartbeat for this long the process must not rely on its runs.
    fn patience(&self) -> Duration {
        self.terms.lease.saturating_sub(self.terms.margin)
    }

    /// What this process must not do, as it heard last.
    pub const fn in_force(&self) -> &InForce {
        &self.in_force
    }

    pub const fn terms(&self) -> LeaseTerms {
        self.terms
    }

    /// Any durable write of ours that was sent at `sent` and succeeded proves no more than a
    /// heartbeat does, so only heartbeats count.
    pub(super) fn beat_well(&self, sent: Instant) {
        let patience = self.patience();
        let mut beats = self.beats();
        // Counted when the answer is there: others see the beat when it is written, not when it was sent.
        if beats.last_good.is_some_and(|last| last.elapsed() >= patience) {
            beats.breaks += 1;
            beats.recovered = Some(Instant::now());
        }
        beats.last_good = Some(sent);
    }

    fn beats(&self) -> MutexGuard<'_, Beats> {
        self.beats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Others are shown this version of the rules from the next beat on.
    pub fn goes_by(&self, rules: &str) {
        rules.clone_into(&mut self.rules());
    }

    fn rules(&self) -> MutexGuard<'_, String> {
        self.rules.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Beats once. `number` must grow.
    pub async fn beat(&self, claims: &Claims, number: u64) -> bool {
        let sent = Instant::now();
        let pauses = self.in_force.serial();
        let rules = self.rules().clone();
        let beat = Beat { owner: claims.owner().clone(), number, pauses, rules };
        match claims.store().beat(&beat).await {
            Ok(()) => {
                self.beat_well(sent);
                true
            }
            Err(error) => {
                tracing::warn!(%error, owner = %claims.owner(), "heartbeat not written");
                false
            }
        }
    }

    /// Beats until cancelled, beginning with number 2 (the start-up beat is number 1).
    pub async fn beat_until(self, claims: Claims, stop: CancellationToken) {
        let mut ticks = tokio::time::interval(self.terms.beat_every);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        ticks.tick().await;
        let mut number = 1;
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = ticks.tick() => {}
            }
            number += 1;
            self.beat(&claims, number).await;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_beat_that_is_late_on_its_way_breaks_the_pulse() {
        let pulse = Pulse::new(LeaseTerms::default());
        let patience = pulse.patience();
        let beat_taking = async |took| {
            let sent = Instant::now();
            tokio::time::advance(took).await;
            pulse.beat_well(sent);
        };
        beat_taking(Duration::ZERO).await;
        beat_taking(patience / 2).await;
        assert_eq!((pulse.breaks(), pulse.is_good()), (0, true));
        // Sent in time, written too late: others may have taken over between.
        beat_taking(patience).await;
        assert_eq!((pulse.breaks(), pulse.is_good()), (1, false));
        beat_taking(Duration::ZERO).await;
        assert_eq!((pulse.breaks(), pulse.is_good()), (2, true));
    }
}
