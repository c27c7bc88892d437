//! Asking the guards: one question to the store before a recovery, one word after the run.

use std::sync::Arc;

use super::judge::judge;
use super::record::{Ended, Record};
use super::{Answer, Ask};
use crate::claim::ledger::{Ledger, LedgerName, Revision, decide};
use crate::claim::{ClaimStore, StoreError};
use crate::incident::RunId;
use crate::limits;

/// Questions asked for one ask. More than one is needed only where runs are in the way whose end
/// nobody has told.
const QUESTIONS: usize = 3;

/// The guards of all customers. While the store does not answer, nothing is granted.
#[derive(Clone)]
pub struct Guards {
    ledger: Arc<dyn Ledger>,
    claims: Arc<dyn ClaimStore>,
}

impl Guards {
    /// `ledger` and `claims` are the same store.
    pub fn new(ledger: Arc<dyn Ledger>, claims: Arc<dyn ClaimStore>) -> Self {
        Self { ledger, claims }
    }

    /// May the recovery happen now? A yes is counted, durably, before it is told; asking again after
    /// an error, or after a take-over, is counted once. Without any rule the store is not asked.
    ///
    /// Where another run is in the way, its claim is read: one that is over is in nobody's way,
    /// even if it ended without a word.
    pub async fn ask(&self, mut ask: Ask) -> Result<Answer, StoreError> {
        if ask.rules.is_empty() {
            return Ok(Answer::Granted(Vec::new()));
        }
        for _ in 1..QUESTIONS {
            let answer = self.decide(&ask).await?;
            let Answer::Busy { holders, .. } = &answer else { return Ok(answer) };
            let over = self.over(holders).await?;
            if over.is_empty() {
                return Ok(answer);
            }
            ask.over.extend(over);
        }
        self.decide(&ask).await
    }

    /// Tells how a run ended that was granted a recovery. Should that be lost, the next ask that it is
    /// in the way of finds out; so nobody need wait for it.
    pub async fn settle(
        &self,
        customer: Option<&str>,
        run: &RunId,
        ended: Ended,
    ) -> Result<(), StoreError> {
        let name = LedgerName::guards_of(customer);
        let run = run.clone();
        let settle = move |text: Option<&str>, _| {
            revise(text, |known| {
                let mut record = known.clone();
                record.settle(&run, ended);
                ((), (record != *known).then_some(record))
            })
        };
        let settled = decide(&*self.ledger, &name, settle).await?;
        settled.map_err(|reason| unreadable(&name, reason))
    }

    async fn decide(&self, ask: &Ask) -> Result<Answer, StoreError> {
        let name = LedgerName::guards_of(ask.customer.as_deref());
        let ask = ask.clone();
        let decided = decide(&*self.ledger, &name, move |text, at| {
            revise(text, |known| judge(&ask, known, at))
        });
        decided.await?.map_err(|reason| unreadable(&name, reason))
    }

    /// Which of these runs are over, and how they ended.
    async fn over(&self, holders: &[RunId]) -> Result<Vec<(RunId, Ended)>, StoreError> {
        let mut over = Vec::new();
        for holder in holders.iter().take(limits::GUARD_HOLDERS) {
            let ended = match self.claims.read(&holder.incident).await? {
                Some(item) if item.run == *holder => item.outcome.map(Ended::of),
                // Forgotten, or a later run of the incident goes on.
                _ => Some(Ended::Unclear),
            };
            over.extend(ended.map(|ended| (holder.clone(), ended)));
        }
        Ok(over)
    }
}

/// A record that cannot be read is left alone, and nothing is decided.
fn revise<T>(
    text: Option<&str>,
    judge: impl FnOnce(&Record) -> (T, Option<Record>),
) -> (Result<T, String>, Revision) {
    let known = match Record::parse(text) {
        Ok(known) => known,
        Err(reason) => return (Err(reason), Revision::Leave),
    };
    let (told, record) = judge(&known);
    match record.map(|record| record.text()) {
        None => (Ok(told), Revision::Leave),
        Some(Ok(text)) => (Ok(told), Revision::Write(text)),
        Some(Err(reason)) => (Err(reason), Revision::Leave),
    }
}

fn unreadable(name: &LedgerName, reason: String) -> StoreError {
    StoreError::Unreadable { what: format!("the record {name}"), reason }
}
