//! Whether a run is still this process's own, asked right before what cannot be taken back.
//!
//! A process may be paused at any point, for longer than its lease, and goes on where it was: past
//! every look it had taken. Its heart must have missed a beat then, and that is what is looked at;
//! the claim store is asked only after such a break.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::time::sleep;

use super::heartbeat::Pulse;
use super::protocol::Refusal;
use super::{Claim, Claims, StoreError};

/// One run, held by this process.
pub struct Hold {
    claims: Claims,
    pulse: Pulse,
    claim: Claim,
    /// Breaks of the pulse after which the claim is known to have been in force.
    breaks: AtomicU64,
}

/// Of a run whose owner lost touch with the claim store.
#[derive(Debug)]
pub enum Doubt {
    /// The claim is not in force any more, or somebody asked to stand down.
    Refused(Refusal),
    /// It cannot be known now.
    Unknown(String),
}

impl Hold {
    /// `breaks` are those of the pulse *before* the claim was made or taken over.
    pub fn new(claims: Claims, pulse: Pulse, claim: Claim, breaks: u64) -> Self {
        Self { claims, pulse, claim, breaks: breaks.into() }
    }

    pub const fn claim(&self) -> &Claim {
        &self.claim
    }

    /// Nothing has happened that could have cost the run. Costs nothing.
    pub fn is_sure(&self) -> bool {
        self.pulse.is_good() && self.pulse.breaks() == self.breaks.load(Ordering::Acquire)
    }

    /// Asks the store whether the run is still this process's. Waits for the next good heartbeat
    /// first, because without one the answer may be out of date as soon as it is there; not for longer
    /// than the margin.
    pub async fn check(&self) -> Result<(), Doubt> {
        if self.is_sure() {
            return Ok(());
        }
        let terms = self.pulse.terms();
        for _ in 0..LOOKS {
            if self.pulse.is_good() {
                break;
            }
            sleep(terms.margin / LOOKS).await;
        }
        let breaks = self.pulse.breaks();
        let answer = self.confirm().await.map_err(|error| Doubt::Unknown(error.to_string()))?;
        if !self.pulse.is_good() {
            return Err(Doubt::Unknown("no heartbeat of ours was written".to_owned()));
        }
        // Whoever is asked to stand down has the run still.
        if matches!(answer, Ok(()) | Err(Refusal::StandDown { .. })) {
            self.breaks.store(breaks, Ordering::Release);
        }
        answer.map_err(Doubt::Refused)
    }

    /// May the run still act, as the store has it now? Costs a read.
    pub async fn confirm(&self) -> Result<Result<(), Refusal>, StoreError> {
        self.claims.confirm(&self.claim).await
    }
}

/// Looks for a heartbeat within the margin.
const LOOKS: u32 = 20;
