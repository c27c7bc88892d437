//! What is paused, as this process heard last. It comes with the heartbeats, twice a second.
//!
//! A process that has not heard for as long as it may go without a heartbeat of its own begins no
//! recovery: somebody may have pulled the kill switch, and whoever pulled it counts on that.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use super::pauses::{Concern, Pause, Pauses};

/// Clones share everything.
#[derive(Clone, Debug)]
pub struct InForce {
    patience: Duration,
    heard: Arc<Mutex<Option<Heard>>>,
}

#[derive(Debug)]
struct Heard {
    /// When it was asked for: the answer may have taken long.
    asked: Instant,
    pauses: Result<Pauses, String>,
}

/// Why a recovery does not begin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Stopped {
    By(Pause),
    /// It is not known what is paused.
    Unknown(String),
}

impl InForce {
    pub fn new(patience: Duration) -> Self {
        Self { patience, heard: Arc::default() }
    }

    /// Takes note of the record as the store had it after `asked`.
    pub fn hear(&self, text: Result<Option<&str>, String>, asked: Instant) {
        let pauses = text.and_then(Pauses::parse);
        let mut heard = self.heard();
        let was_read = heard.as_ref().is_none_or(|before| before.pauses.is_ok());
        // Twice a second would be too often.
        if let Err(reason) = pauses.as_ref()
            && was_read
        {
            tracing::error!("nothing is recovered: what is paused cannot be read: {reason}");
        }
        *heard = Some(Heard { asked, pauses });
    }

    /// Of the record this process goes by; 0 for none, and for one it cannot read.
    pub fn serial(&self) -> u64 {
        let heard = self.heard();
        let read = heard.as_ref().and_then(|heard| heard.pauses.as_ref().ok());
        read.map_or(0, |pauses| pauses.serial)
    }

    /// Why what is concerned must not begin now, if so. Costs nothing.
    pub fn stops(&self, concern: &Concern, now: Timestamp) -> Option<Stopped> {
        let heard = self.heard();
        let Some(heard) = heard.as_ref().filter(|it| it.asked.elapsed() < self.patience) else {
            let what = "the claim store has not said for a while what is paused".to_owned();
            return Some(Stopped::Unknown(what));
        };
        match &heard.pauses {
            Ok(pauses) => pauses.covering(concern, now).cloned().map(Stopped::By),
            Err(reason) => {
                Some(Stopped::Unknown(format!("what is paused cannot be read: {reason}")))
            }
        }
    }

    fn heard(&self) -> MutexGuard<'_, Option<Heard>> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn who_has_not_heard_lately_begins_nothing() {
        let in_force = InForce::new(Duration::from_secs(4));
        let (concern, now) = (Concern::default(), Timestamp::UNIX_EPOCH);
        let unknown = || matches!(in_force.stops(&concern, now), Some(Stopped::Unknown(_)));
        assert!(unknown(), "nothing was heard yet");
        in_force.hear(Ok(None), Instant::now());
        assert!(!unknown());
        tokio::time::advance(Duration::from_millis(3_999)).await;
        assert!(!unknown());
        tokio::time::advance(Duration::from_millis(1)).await;
        assert!(unknown());
        in_force.hear(Ok(Some("{\"v\":9}")), Instant::now());
        assert!(unknown(), "a newer version has written it");
        assert_eq!(in_force.serial(), 0);
        // Asked for in time, and a long time on its way.
        let asked = Instant::now();
        tokio::time::advance(Duration::from_secs(4)).await;
        in_force.hear(Ok(None), asked);
        assert!(unknown());
    }
}
