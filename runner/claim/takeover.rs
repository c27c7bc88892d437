//! Which runs have lost their owner, judged by watching heartbeats with a local monotonic clock.
//!
//! Wall clocks of two machines are never compared: an owner is dead when its number stood still
//! for a whole lease *of the watcher's own time*, counted from when the watcher first saw it.

use std::collections::HashMap;
use std::time::Duration;

use sha2::Digest as _;
use tokio::time::Instant;

use crate::claim::OpenRun;
use crate::incident::{IncidentId, Owner};

/// What this process has seen of the others' heartbeats.
#[derive(Debug)]
pub struct Watcher {
    lease: Duration,
    seen: HashMap<Owner, (u64, Instant)>,
}

impl Watcher {
    pub fn new(lease: Duration) -> Self {
        Self { lease, seen: HashMap::new() }
    }

    /// Takes note of all heartbeats as they are now. An owner of an open run without any
    /// heartbeat counts from now, like one whose number was just seen.
    pub fn look(&mut self, beats: &[(Owner, u64)], open: &[OpenRun], now: Instant) {
        let numbers: HashMap<&Owner, u64> = beats.iter().map(|(owner, n)| (owner, *n)).collect();
        let owners = open.iter().map(|open| &open.owner).chain(numbers.keys().copied());
        let mut seen = HashMap::new();
        for owner in owners {
            let number = numbers.get(owner).copied().unwrap_or(0);
            let since = match self.seen.get(owner) {
                Some((before, since)) if *before == number => *since,
                _ => now,
            };
            seen.insert(owner.clone(), (number, since));
        }
        self.seen = seen;
    }

    /// Has this owner shown no life for a whole lease?
    pub fn is_dead(&self, owner: &Owner, now: Instant) -> bool {
        self.seen.get(owner).is_some_and(|(_, since)| now.duration_since(*since) >= self.lease)
    }

    /// Owners that showed life within the lease.
    pub fn alive(&self, now: Instant) -> Vec<Owner> {
        self.seen.keys().filter(|owner| !self.is_dead(owner, now)).cloned().collect()
    }

    /// Owners that showed none.
    pub fn dead(&self, now: Instant) -> Vec<Owner> {
        self.seen.keys().filter(|owner| self.is_dead(owner, now)).cloned().collect()
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
