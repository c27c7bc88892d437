//! What the living processes show each other by their heartbeats: that another region lives, and whether
//! all go by the same scenarios and customers.

use tokio::time::Instant;

use crate::claim::Beat;
use crate::incident::Owner;
use crate::limits;
use crate::metrics::vitals::Vitals;

/// As one process sees the others.
pub struct Peers {
    me: Owner,
    /// Since when others have gone by other rules.
    differ: Option<Instant>,
    told: bool,
}

impl Peers {
    pub const fn of(me: Owner) -> Self {
        Self { me, differ: None, told: false }
    }

    /// `alive` are the owners whose heartbeats move, `rules` is this process's own version.
    pub fn look(&mut self, beats: &[Beat], alive: &[Owner], rules: &str, vitals: &Vitals) {
        let others =
            beats.iter().filter(|beat| beat.owner != self.me && alive.contains(&beat.owner));
        let mut other_rules = None;
        for beat in others {
            if beat.owner.region() != self.me.region() {
                vitals.other_region_lives();
            }
            if !beat.rules.is_empty() && beat.rules != rules {
                other_rules = Some(beat);
            }
        }
        let Some(beat) = other_rules else {
            (self.differ, self.told) = (None, false);
            vitals.rules_differ.set(0);
            return;
        };
        // A release reaches one process after the other.
        if self.differ.get_or_insert_with(Instant::now).elapsed() < limits::RULES_DIFFER {
            return;
        }
        vitals.rules_differ.set(1);
        if !self.told {
            self.told = true;
            let Beat { owner, rules: theirs, .. } = beat;
            tracing::warn!(
                "scenarios and customers differ: {rules} here, {theirs} at {owner}; release the same to both",
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beat(owner: &str, rules: &str) -> Beat {
        Beat { owner: Owner::new(owner), number: 1, pauses: 0, rules: rules.to_owned() }
    }

    #[tokio::test(start_paused = true)]
    async fn a_release_may_take_its_time_and_no_more() {
        let vitals = Vitals::default();
        let mut peers = Peers::of(Owner::new("tokyo-1"));
        let beats = [beat("tokyo-1", "a"), beat("osaka-1", "b"), beat("osaka-dead", "c")];
        let alive = [Owner::new("tokyo-1"), Owner::new("osaka-1")];
        peers.look(&beats, &alive, "a", &vitals);
        tokio::time::advance(limits::RULES_DIFFER).await;
        assert_eq!(vitals.rules_differ.get(), 0, "not told yet");
        peers.look(&beats, &alive, "a", &vitals);
        assert_eq!(vitals.rules_differ.get(), 1);
        peers.look(&beats, &alive, "b", &vitals);
        assert_eq!(vitals.rules_differ.get(), 0);
        let silent = [beat("osaka-1", "")];
        tokio::time::advance(limits::RULES_DIFFER * 2).await;
        peers.look(&silent, &alive, "b", &vitals);
        assert_eq!(vitals.rules_differ.get(), 0, "an ams that does not tell is none that differs");
    }
}
