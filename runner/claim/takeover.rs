//! Which runs have lost their owner, judged by watching heartbeats with a local monotonic clock.
//!
//! Wall clocks of two machines are never compared: an owner is dead when its number stood still
//! for a whole lease *of the watcher's own time*, counted from when the watcher first saw it.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use crate::claim::protocol::RunItem;
use crate::incident::Owner;

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
    pub fn look(&mut self, beats: &[(Owner, u64)], open: &[RunItem], now: Instant) {
        let numbers: HashMap<&Owner, u64> = beats.iter().map(|(owner, n)| (owner, *n)).collect();
        let owners = open.iter().map(|item| &item.owner).chain(numbers.keys().copied());
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

    /// The open runs that `me` may take over: released ones at once, others when their owner is
    /// dead.
    pub fn orphans<'a>(
        &self,
        open: &'a [RunItem],
        me: &Owner,
        now: Instant,
    ) -> impl Iterator<Item = &'a RunItem> {
        open.iter()
            .filter(move |item| item.owner != *me || item.released)
            .filter(move |item| item.released || self.is_dead(&item.owner, now))
    }
}
