//! Ends of incidents that were heard of before their beginnings: webhooks overtake each other.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

use crate::incident::IncidentId;
use crate::limits::{EARLY_END_KEPT, EARLY_ENDS};

#[derive(Default)]
pub struct EarlyEnds(Mutex<HashMap<IncidentId, Instant>>);

impl EarlyEnds {
    /// Somebody took the incident, or it ended, and nobody here has begun it.
    pub fn note(&self, incident: &IncidentId) {
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if heard.len() >= EARLY_ENDS {
            heard.retain(|_, at| at.elapsed() < EARLY_END_KEPT);
        }
        // In a flood the incident's own state in PagerDuty still decides before people are told.
        if heard.len() < EARLY_ENDS {
            heard.insert(incident.clone(), Instant::now());
        }
    }

    /// Was its end heard of? Then its beginning is old news.
    pub fn heard_of(&self, incident: &IncidentId) -> bool {
        let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        heard.remove(incident).is_some_and(|at| at.elapsed() < EARLY_END_KEPT)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn an_end_is_remembered_once_and_for_a_while() {
        let (ends, early) = (EarlyEnds::default(), IncidentId::parse("PEARLY").unwrap());
        assert!(!ends.heard_of(&early));
        ends.note(&early);
        assert!(ends.heard_of(&early));
        assert!(!ends.heard_of(&early), "the next opening is another one");
        ends.note(&early);
        tokio::time::advance(EARLY_END_KEPT + Duration::from_secs(1)).await;
        assert!(!ends.heard_of(&early));
    }

    #[tokio::test(start_paused = true)]
    async fn a_flood_does_not_fill_the_memory() {
        let ends = EarlyEnds::default();
        for number in 0..EARLY_ENDS + 100 {
            ends.note(&IncidentId::parse(&format!("P{number}")).unwrap());
        }
        assert_eq!(ends.0.lock().unwrap().len(), EARLY_ENDS);
    }
}
