//! Whether a run is still this process's own, asked right before what cannot be taken back.
//!
//! A process may be paused at any point, for longer than its lease, and goes on where it was: past
//! every look it had taken. Its heart must have missed a beat then, and that is what is looked at;
//! the claim store is asked only after such a break, for as long as somebody may still be taking over.

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
        self.pulse.is_steady() && self.pulse.breaks() == self.breaks.load(Ordering::Acquire)
    }

    /// Asks the store, where needed, whether the run is still this process's. What it says counts only
    /// with a good pulse, which is waited for, for the margin at most; but a claim that is lost stays
    /// lost.
    async fn check(&self) -> Result<(), Doubt> {
        if self.is_sure() {
            return Ok(());
        }
        let mut has_waited = false;
        loop {
            let breaks = self.pulse.breaks();
            let answer = self.confirm().await.map_err(|error| Doubt::Unknown(error.to_string()))?;
            let is_ours = matches!(answer, Ok(()) | Err(Refusal::StandDown { .. }));
            if is_ours && !self.pulse.is_good() {
                if has_waited {
                    return Err(Doubt::Unknown("no heartbeat of ours was written".to_owned()));
                }
                self.await_heartbeat().await;
                has_waited = true;
                continue;
            }
            if is_ours {
                self.breaks.store(breaks, Ordering::Release);
            }
            return answer.map_err(Doubt::Refused);
        }
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

    /// Returns when somebody has asked to stand down; never where that changes nothing.
    pub async fn recalled(&self) {
        let mut wishes = self.hold.stand_down.clone();
        if !self.consent || wishes.wait_for(Option::is_some).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    fn wish(&self) -> Option<Refusal> {
        self.hold.wish().filter(|_| self.consent)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::claim::heartbeat::LeaseTerms;
    use crate::claim::memory::MemoryClaims;
    use crate::claim::protocol::Opening;
    use crate::claim::{ClaimAnswer, OpenRun};
    use crate::clock::{Clock, SystemClock};
    use crate::incident::{IncidentId, Owner};

    fn runner(store: &Arc<MemoryClaims>, owner: &str) -> Claims {
        Claims::new(Arc::clone(store) as Arc<_>, Owner::new(owner), Arc::new(SystemClock))
    }

    /// A run of tokyo's, and osaka beside it.
    async fn held(pulse: &Pulse) -> (Permission, Claims) {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let store = Arc::new(MemoryClaims::new(clock));
        let (tokyo, osaka) = (runner(&store, "tokyo-1"), runner(&store, "osaka-1"));
        let incident = IncidentId::parse("PT4KHLK").unwrap();
        let answer = tokyo.claim(&incident, Opening::Triggered, None, None).await.unwrap();
        let ClaimAnswer::Won(claim) = answer else { panic!("{answer:?}") };
        let (_, nobody) = watch::channel(None);
        let hold = Hold::new(tokyo, pulse.clone(), claim, pulse.breaks(), nobody);
        (Permission { hold: Arc::new(hold), consent: true }, osaka)
    }

    #[tokio::test(start_paused = true)]
    async fn a_run_that_another_has_is_refused_though_no_heartbeat_can_be_written() {
        let (permission, osaka) = held(&Pulse::new(LeaseTerms::default())).await;
        let doubt = permission.ask().await.unwrap_err();
        assert!(matches!(doubt, Doubt::Unknown(_)), "ours as far as the store knows: {doubt}");

        let run = permission.hold.claim().run().clone();
        let seen = OpenRun { run, owner: Owner::new("tokyo-1"), epoch: 1, released: false };
        osaka.take_over(&seen).await.unwrap().unwrap();
        let doubt = permission.ask().await.unwrap_err();
        assert!(matches!(doubt, Doubt::Refused(Refusal::NotOwner { epoch: 2, .. })), "{doubt}");
    }

    #[tokio::test(start_paused = true)]
    async fn after_a_break_the_store_is_asked_until_nobody_can_be_taking_over() {
        let pulse = Pulse::new(LeaseTerms::default());
        let (permission, osaka) = held(&pulse).await;
        assert!(!permission.is_sure(), "there was no heartbeat yet");
        assert!(pulse.beat(&osaka, 1).await);
        permission.ask().await.unwrap();
        assert!(permission.is_sure());
        tokio::time::advance(pulse.terms().lease).await;
        assert!(pulse.beat(&osaka, 2).await);
        assert!(!permission.is_sure(), "somebody may have taken it over meanwhile");
        permission.ask().await.unwrap();
        assert!(!permission.is_sure(), "somebody may be about to");
        tokio::time::advance(pulse.terms().margin).await;
        assert!(permission.is_sure());
    }
}
