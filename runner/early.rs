//! Ends of incidents that were heard of before their beginnings: webhooks overtake each other.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

use crate::claim::protocol::StandDown;
use crate::incident::IncidentId;
use crate::limits::{EARLY_END_KEPT, EARLY_ENDS};

#[derive(Default)]
pub struct EarlyEnds(Mutex<HashMap<IncidentId, Early>>);

struct Early {
    heard: Instant,
    wish: StandDown,
}

impl EarlyEnds {
    /// Somebody took the incident, or it ended, and nobody has begun it.
    pub fn note(&self, incident: &IncidentId, wish: StandDown) {
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if heard.len() >= EARLY_ENDS {
            heard.retain(|_, early| early.heard.elapsed() < EARLY_END_KEPT);
        }
        // In a flood the incident's own state in PagerDuty still decides before people are told.
        if heard.len() < EARLY_ENDS {
            heard.insert(incident.clone(), Early { heard: Instant::now(), wish });
        }
    }

    /// Was its end heard of? Then its beginning is old news.
    pub fn take(&self, incident: &IncidentId) -> Option<StandDown> {
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let early = heard.remove(incident).filter(|it| it.heard.elapsed() < EARLY_END_KEPT)?;
        Some(early.wish)
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
    async fn an_end_is_remembered_once_and_for_a_while() {
        let (ends, early) = (EarlyEnds::default(), IncidentId::parse("PEARLY").unwrap());
        let acknowledged = wish(StandDownReason::Acknowledged);
        assert_eq!(ends.take(&early), None);
        ends.note(&early, acknowledged.clone());
        assert_eq!(ends.take(&early), Some(acknowledged.clone()));
        assert_eq!(ends.take(&early), None, "the next opening is another one");
        ends.note(&early, acknowledged);
        tokio::time::advance(EARLY_END_KEPT + Duration::from_secs(1)).await;
        assert_eq!(ends.take(&early), None);
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
