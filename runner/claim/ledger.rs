//! Small records that several runs share, kept beside the claims: what guards count, what is paused.
//!
//! A [`Ledger`] knows nothing of what stands in them. Whoever changes one hands in a pure function
//! from the text as it is to the text as it shall be, and the store calls it under its own
//! exclusion, again after every lost race. So a limit holds for all processes and regions, and
//! there is one place only that decides about it.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::StoreError;
use crate::limits;

/// Where records are kept. An adapter adds no rule; every adapter passes the same contract tests.
#[async_trait]
pub trait Ledger: Send + Sync {
    /// Changes the record, durably before it answers with the text as the function left it. `Err`
    /// means that it is not known whether the change took effect, except for
    /// [`StoreError::Refused`]: then it did not.
    async fn revise(
        &self,
        name: &LedgerName,
        reviser: Reviser,
    ) -> Result<Option<String>, StoreError>;

    /// The record as last durably written.
    async fn read(&self, name: &LedgerName) -> Result<Option<String>, StoreError>;
}

/// Says what becomes of a record at this time; `None` where nobody has written it yet.
///
/// It is called again when somebody else was faster and when an answer was lost, so it must
/// recognise in the record what it has written already.
pub type Reviser = Arc<dyn Fn(Option<&str>, Timestamp) -> Revision + Send + Sync>;

/// What becomes of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Revision {
    /// No customer's text, for the witness of a table may lie abroad; [`limits::LEDGER_BYTES`] at
    /// most.
    Write(String),
    Leave,
}

/// Which record.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum LedgerName {
    /// What guards count for one customer. Forgotten with the claims when it was not changed for
    /// as long.
    Guards(Mark),
    /// What operators have paused; never forgotten.
    Pauses,
}

impl LedgerName {
    /// Incidents that are nobody's have a record together.
    pub fn guards_of(customer: Option<&str>) -> Self {
        Self::Guards(Mark::of(&["customer", customer.unwrap_or_default()]))
    }
}

impl fmt::Display for LedgerName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Guards(mark) => write!(f, "guard#{}", mark.as_str()),
            Self::Pauses => f.write_str("pauses"),
        }
    }
}

/// Stands for something of a customer's without saying what: 16 digits of a hash, the same in
/// every region.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mark(String);

impl Mark {
    /// `parts` say what it is, whose, and its name.
    pub fn of(parts: &[&str]) -> Self {
        let digest = Sha256::digest(parts.join("\0"));
        let start =
            digest.iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        Self(format!("{start:016x}"))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Asks for a decision that a record bears: `judge` says what it decides and what becomes of the
/// record. The answer is the decision that counted, after all lost races.
pub async fn decide<T: Send + 'static>(
    ledger: &dyn Ledger,
    name: &LedgerName,
    judge: impl Fn(Option<&str>, Timestamp) -> (T, Revision) + Send + Sync + 'static,
) -> Result<T, StoreError> {
    let last = Arc::new(Mutex::new(None));
    let decided = Arc::clone(&last);
    let reviser = move |text: Option<&str>, at| {
        let (decision, revision) = judge(text, at);
        *decided.lock().unwrap_or_else(PoisonError::into_inner) = Some(decision);
        revision
    };
    ledger.revise(name, Arc::new(reviser)).await?;
    let decision = last.lock().unwrap_or_else(PoisonError::into_inner).take();
    decision.ok_or_else(|| StoreError::Unreachable { reason: "nothing was decided".to_owned() })
}

/// Whether a store takes the text.
pub(super) fn check_length(name: &LedgerName, text: &str) -> Result<(), StoreError> {
    if text.len() <= limits::LEDGER_BYTES {
        return Ok(());
    }
    let (bytes, most) = (text.len(), limits::LEDGER_BYTES);
    Err(StoreError::Refused { reason: format!("{name} has {bytes} bytes, {most} are the most") })
}
