//! Ends of incidents that were heard of before their beginnings: webhooks overtake each other.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::time::Instant;

use crate::claim::protocol::StandDown;
use crate::incident::IncidentId;
use crate::limits::{EARLY_END_KEPT, EARLY_ENDS};

/// Clones remember the same.
#[derive(Clone, Default)]
pub struct EarlyEnds(Arc<Mutex<HashMap<IncidentId, Early>>>);

struct Early {
    heard: Instant,
    wish: StandDown,
}

impl EarlyEnds {
    /// Ends that are remembered, also those that are too old by now.
    pub fn count(&self) -> usize {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Somebody took the incident, or it ended, and nobody has begun it.
    pub fn note(&self, incident: &IncidentId, wish: StandDown) {
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if heard.len() >= EARLY_ENDS {
            heard.retain(|_, early| early.is_fresh());
        }
        if heard.len() >= EARLY_ENDS {
            // What shows in PagerDuty is found there all the same.
            return;
        }
        let early = heard.entry(incident.clone()).or_insert_with(|| Early::of(wish.clone()));
        // Those that PagerDuty cannot tell when it is asked are kept.
        if early.wish.reason.shows_in_status() {
            *early = Early::of(wish);
        }
    }

    /// Was its end heard of? Then its beginning is old news.
    pub fn heard_of(&self, incident: &IncidentId) -> bool {
        let heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        heard.get(incident).is_some_and(Early::is_fresh)
    }

    /// For the run that has begun all the same: what PagerDuty could not tell it. Asked once.
    pub fn take(&self, incident: &IncidentId) -> Option<StandDown> {
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let early = heard.remove(incident).filter(Early::is_fresh)?;
        Some(early.wish).filter(|wish| !wish.reason.shows_in_status())
    }
}

impl Early {
    fn of(wish: StandDown) -> Self {
        Self { heard: Instant::now(), wish }
    }

    fn is_fresh(&self) -> bool {
        self.heard.elapsed() < EARLY_END_KEPT
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::claim::protocol::StandDownReason;

    fn wish(reason: StandDownReason) -> StandDown {
        StandDown { reason, by: None, at: jiff::Timestamp::UNIX_EPOCH }
    }

    #[tokio::test(start_paused = true)]
    async fn an_end_is_remembered_for_a_while() {
        let (ends, early) = (EarlyEnds::default(), IncidentId::parse("PEARLY").unwrap());
        assert!(!ends.heard_of(&early));
        ends.note(&early, wish(StandDownReason::Acknowledged));
        assert!(ends.heard_of(&early));
        tokio::time::advance(EARLY_END_KEPT + Duration::from_secs(1)).await;
        assert!(!ends.heard_of(&early));
    }

    #[tokio::test(start_paused = true)]
    async fn what_pagerduty_cannot_tell_is_given_once() {
        let (ends, early) = (EarlyEnds::default(), IncidentId::parse("PEARLY").unwrap());
        let stop = wish(StandDownReason::StopNote);
        ends.note(&early, wish(StandDownReason::Acknowledged));
        ends.note(&early, stop.clone());
        ends.note(&early, wish(StandDownReason::Acknowledged));
        assert_eq!(ends.take(&early), Some(stop));
        assert_eq!(ends.take(&early), None, "the next run is another one");
        ends.note(&early, wish(StandDownReason::Acknowledged));
        assert_eq!(ends.take(&early), None, "PagerDuty is asked for that");
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_does_not_fill_the_memory() {
        let ends = EarlyEnds::default();
        for number in 0..EARLY_ENDS + 100 {
            let incident = IncidentId::parse(&format!("P{number}")).unwrap();
            ends.note(&incident, wish(StandDownReason::Merged));
        }
        assert_eq!(ends.0.lock().unwrap().len(), EARLY_ENDS);
    }
}
