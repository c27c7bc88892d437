//! Whether a run is still this process's own, asked right before what cannot be taken back.
//!
//! A process may be paused at any point, for longer than its lease, and goes on where it was: past
//! every look it had taken. Its heart must have missed a beat then, and that is what is looked at;
//! the claim store is asked only after such a break.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::watch;
use tokio::time::sleep;

use super::heartbeat::Pulse;
use super::protocol::{Refusal, StandDown};
use super::{Claim, Claims, StoreError};

/// One run, held by this process.
pub struct Hold {
    claims: Claims,
    pulse: Pulse,
    claim: Claim,
    /// Breaks of the pulse after which the claim is known to have been in force.
    breaks: AtomicU64,
    /// What has come to this process of wishes to stand down.
    stand_down: watch::Receiver<Option<StandDown>>,
}

/// Why a run may not go on as if it were ours.
#[derive(Debug, thiserror::Error)]
pub enum Doubt {
    /// The claim is not in force any more, or somebody asked to stand down.
    #[error("{0}")]
    Refused(Refusal),
    /// It cannot be known now.
    #[error("this process lost touch with the claim store ({0})")]
    Unknown(String),
}

impl Hold {
    /// `breaks` are those of the pulse *before* the claim was made or taken over.
    pub fn new(
        claims: Claims,
        pulse: Pulse,
        claim: Claim,
        breaks: u64,
        stand_down: watch::Receiver<Option<StandDown>>,
    ) -> Self {
        Self { claims, pulse, claim, breaks: breaks.into(), stand_down }
    }

    pub const fn claim(&self) -> &Claim {
        &self.claim
    }

    /// Nothing has happened that could have cost the run. Costs nothing.
    fn is_sure(&self) -> bool {
        self.pulse.is_good() && self.pulse.breaks() == self.breaks.load(Ordering::Acquire)
    }

    /// Asks the store, where needed, whether the run is still this process's. What it says counts only
    /// with a good pulse, which is waited for, for the margin at most; but a claim that is lost stays
    /// lost.
    async fn check(&self) -> Result<(), Doubt> {
        if self.is_sure() {
            return Ok(());
        }
        for _ in 0..2 {
            let breaks = self.pulse.breaks();
            let answer = self.confirm().await.map_err(|error| Doubt::Unknown(error.to_string()))?;
            let is_ours = matches!(answer, Ok(()) | Err(Refusal::StandDown { .. }));
            if is_ours && !self.pulse.is_good() {
                self.await_heartbeat().await;
                continue;
            }
            if is_ours {
                self.breaks.store(breaks, Ordering::Release);
            }
            return answer.map_err(Doubt::Refused);
        }
        Err(Doubt::Unknown("no heartbeat of ours was written".to_owned()))
    }

    async fn await_heartbeat(&self) {
        const LOOKS: u32 = 20;
        for _ in 0..LOOKS {
            if self.pulse.is_good() {
                return;
            }
            sleep(self.pulse.terms().margin / LOOKS).await;
        }
    }

    /// May the run still act, as the store has it now? Costs a read.
    pub async fn confirm(&self) -> Result<Result<(), Refusal>, StoreError> {
        self.claims.confirm(&self.claim).await
    }

    fn wish(&self) -> Option<Refusal> {
        let stand_down = self.stand_down.borrow().clone()?;
        Some(Refusal::StandDown { run: self.claim.run().clone(), stand_down })
    }
}

impl fmt::Debug for Hold {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hold").field("claim", &self.claim).finish_non_exhaustive()
    }
}

/// Asked by whoever acts for the run, after every queue and wait of their own.
#[derive(Clone, Debug)]
pub struct Permission {
    pub hold: Arc<Hold>,
    /// Only while nobody has asked to stand down.
    pub consent: bool,
}

impl Permission {
    pub async fn ask(&self) -> Result<(), Doubt> {
        match self.hold.check().await {
            Ok(()) => {}
            Err(Doubt::Refused(Refusal::StandDown { .. })) if !self.consent => {}
            Err(doubt) => return Err(doubt),
        }
        self.wish().map_or(Ok(()), |wish| Err(Doubt::Refused(wish)))
    }

    /// Asking would be answered with yes, without asking the store.
    pub fn is_sure(&self) -> bool {
        self.hold.is_sure() && self.wish().is_none()
    }

    fn wish(&self) -> Option<Refusal> {
        self.hold.wish().filter(|_| self.consent)
    }
}
