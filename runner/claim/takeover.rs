//! Which runs have lost their owner, judged by watching heartbeats with a local monotonic clock.
//!
//! Wall clocks of two machines are never compared: an owner is dead when its number stood still
//! for a whole lease *of the watcher's own time*. Time counts only while the watcher's own heartbeat
//! was written: when the store takes nobody's, or the watcher itself was paused, the others' silence
//! says nothing.

use std::collections::HashMap;
use std::time::Duration;

use sha2::Digest as _;
use tokio::time::Instant;

use crate::claim::OpenRun;
use crate::claim::heartbeat::Pulse;
use crate::incident::{IncidentId, Owner};

/// What this process has seen of the others' heartbeats.
#[derive(Debug)]
pub struct Watcher {
    lease: Duration,
    seen: HashMap<Owner, Seen>,
    /// Breaks of our own pulse up to the last look.
    breaks: u64,
}

#[derive(Clone, Copy, Debug)]
struct Seen {
    number: u64,
    /// For how long it has stood still under our eyes, up to `until`.
    still: Duration,
    until: Instant,
}

impl Watcher {
    pub fn new(lease: Duration) -> Self {
        Self { lease, seen: HashMap::new(), breaks: 0 }
    }

    /// Takes note of all heartbeats, which were asked for at `asked`. An owner of an open run without
    /// any heartbeat counts from now, like one whose number was just seen.
    pub fn look(
        &mut self,
        (beats, asked): (&[(Owner, u64)], Instant),
        open: &[OpenRun],
        ours: &Pulse,
    ) {
        let breaks = ours.breaks();
        let counts = ours.is_good() && breaks == self.breaks;
        self.breaks = breaks;
        let numbers: HashMap<&Owner, u64> = beats.iter().map(|(owner, n)| (owner, *n)).collect();
        let owners = open.iter().map(|open| &open.owner).chain(numbers.keys().copied());
        let mut seen = HashMap::new();
        for owner in owners {
            let number = numbers.get(owner).copied().unwrap_or(0);
            let now = match self.seen.get(owner).filter(|before| before.number == number) {
                Some(before) if counts => {
                    let still = before.still + asked.duration_since(before.until);
                    Seen { still, until: asked, ..*before }
                }
                Some(before) => Seen { until: asked, ..*before },
                // It may have been written at any time until the answer came.
                None => Seen { number, still: Duration::ZERO, until: Instant::now() },
            };
            seen.insert(owner.clone(), now);
        }
        self.seen = seen;
    }

    /// The number that was seen last; 0 for none.
    pub fn number(&self, owner: &Owner) -> u64 {
        self.seen.get(owner).map_or(0, |seen| seen.number)
    }

    /// Has this owner shown no life for a whole lease?
    pub fn is_dead(&self, owner: &Owner) -> bool {
        self.seen.get(owner).is_some_and(|seen| seen.still >= self.lease)
    }

    /// Owners that showed life within the lease.
    pub fn alive(&self) -> Vec<Owner> {
        self.seen.keys().filter(|owner| !self.is_dead(owner)).cloned().collect()
    }

    /// Owners that showed none.
    pub fn dead(&self) -> Vec<Owner> {
        self.seen.keys().filter(|owner| self.is_dead(owner)).cloned().collect()
    }
}

/// Which of these processes looks after this incident first, so that they do not all do the same
/// at once: the same answer everywhere, and spread evenly. Only a matter of cost; the claim decides.
pub fn first_to_act<'a>(alive: &'a [Owner], incident: &IncidentId) -> Option<&'a Owner> {
    alive.iter().max_by_key(|owner| {
        let mut hash = sha2::Sha256::new();
        hash.update(owner.as_str());
        hash.update([0]);
        hash.update(incident.as_str());
        hash.finalize()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claim::heartbeat::LeaseTerms;

    /// A watcher with a pulse of its own, and one other process to watch.
    struct Watched {
        watcher: Watcher,
        pulse: Pulse,
        other: Owner,
    }

    impl Watched {
        fn new() -> Self {
            let terms = LeaseTerms::default();
            let (watcher, pulse) = (Watcher::new(terms.lease), Pulse::new(terms));
            Self { watcher, pulse, other: Owner::new("osaka-1") }
        }

        fn look(&mut self, number: u64) -> bool {
            let beats = [(self.other.clone(), number)];
            self.watcher.look((&beats, Instant::now()), &[], &self.pulse);
            self.watcher.is_dead(&self.other)
        }

        /// Half a second each; with a heartbeat of our own, if that works.
        async fn look_on(&mut self, number: u64, looks: u32, beats: bool) -> bool {
            for _ in 0..looks {
                tokio::time::advance(Duration::from_millis(500)).await;
                if beats {
                    self.pulse.beat_well(Instant::now());
                }
                self.look(number);
            }
            self.watcher.is_dead(&self.other)
        }
    }

    #[tokio::test(start_paused = true)]
    async fn an_owner_whose_number_stands_still_for_a_lease_is_dead() {
        let mut watched = Watched::new();
        watched.pulse.beat_well(Instant::now());
        watched.look(1);
        assert!(!watched.look_on(1, 11, true).await);
        assert!(watched.look_on(1, 1, true).await);
        assert!(!watched.look(2), "it lives");
    }

    #[tokio::test(start_paused = true)]
    async fn when_nobody_can_write_nobody_is_dead() {
        let mut watched = Watched::new();
        watched.pulse.beat_well(Instant::now());
        watched.look(1);
        assert!(!watched.look_on(1, 60, false).await);
        // From then on it has what is left of its lease to show life.
        assert!(!watched.look_on(1, 3, true).await);
        assert!(watched.look_on(1, 10, true).await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_watcher_that_was_paused_has_not_watched() {
        let mut watched = Watched::new();
        watched.pulse.beat_well(Instant::now());
        watched.look(1);
        tokio::time::advance(Duration::from_mins(1)).await;
        watched.pulse.beat_well(Instant::now());
        assert!(!watched.look(1));
        assert!(!watched.look_on(1, 11, true).await);
        assert!(watched.look_on(1, 1, true).await);
    }
}
