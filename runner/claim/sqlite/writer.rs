//! The one thread that writes: whatever waits is carried out in one transaction, and everybody is
//! answered after its commit.

use jiff::Timestamp;
use rusqlite::{Connection, Transaction, TransactionBehavior};
use tokio::sync::{mpsc, oneshot};

use super::rows::{self, failed};
use crate::claim::ledger::{LedgerName, Reviser, Revision, check_length};
use crate::claim::protocol::{Event, Refusal, RunItem, Verdict, judge};
use crate::claim::{Beat, StoreError};
use crate::clock::Clock;
use crate::incident::{IncidentId, Owner};
use crate::limits;

pub(super) type Answer<T> = oneshot::Sender<Result<T, StoreError>>;
pub(super) type Judged = Result<RunItem, Refusal>;

/// One request to the writer thread.
pub(super) enum Work {
    Apply { incident: IncidentId, event: Event, answer: Answer<Judged> },
    Beat { beat: Beat, answer: Answer<()> },
    Sweep { before: Timestamp, alive: Vec<Owner>, answer: Answer<u64> },
    Revise { name: LedgerName, reviser: Reviser, answer: Answer<Option<String>> },
}

/// Whom to tell what after the commit; the argument says whether and why it failed.
type Tell = Box<dyn FnOnce(Option<&str>)>;

pub(super) fn write_until_closed(
    connection: &mut Connection,
    mut queue: mpsc::Receiver<Work>,
    clock: &dyn Clock,
) {
    while let Some(first) = queue.blocking_recv() {
        let mut group = vec![first];
        while group.len() < limits::COMMIT_GROUP
            && let Ok(next) = queue.try_recv()
        {
            group.push(next);
        }
        commit_group(connection, group, clock);
    }
}

/// Carries out a group in one transaction and answers everybody after its commit. A failure is
/// everybody's failure: nothing of the group was written.
fn commit_group(connection: &mut Connection, group: Vec<Work>, clock: &dyn Clock) {
    let mut tells: Vec<Tell> = Vec::with_capacity(group.len());
    let outcome = match connection.transaction_with_behavior(TransactionBehavior::Immediate) {
        Ok(transaction) => {
            // Not before: another process may have held the file, and times go with the order.
            let at = clock.now();
            // Everybody is carried out even after a failure, so that everybody is told.
            let mut all = Ok(());
            for work in group {
                let (tell, done) = carry_out(&transaction, work, at);
                tells.push(tell);
                all = all.and(done);
            }
            all.and_then(|()| transaction.commit().map_err(failed))
        }
        Err(error) => {
            tells.extend(group.into_iter().map(give_up));
            Err(failed(error))
        }
    };
    let failure = outcome.err().map(|error| error.to_string());
    for tell in tells {
        tell(failure.as_deref());
    }
}

/// Carries one request out inside the transaction. What is told to its caller waits for the
/// commit; an `Err` beside it fails the whole group.
fn carry_out(
    transaction: &Transaction<'_>,
    work: Work,
    at: Timestamp,
) -> (Tell, Result<(), StoreError>) {
    match work {
        Work::Apply { incident, event, answer } => {
            after_commit(answer, apply_event(transaction, &incident, &event, at))
        }
        Work::Revise { name, reviser, answer } => {
            after_commit(answer, revise(transaction, &name, &reviser, at))
        }
        Work::Beat { beat, answer } => after_commit(answer, rows::write_beat(transaction, &beat)),
        Work::Sweep { before, alive, answer } => {
            after_commit(answer, rows::forget(transaction, before, &alive))
        }
    }
}

/// For when there is not even a transaction: another process holds the file.
fn give_up(work: Work) -> Tell {
    match work {
        Work::Apply { answer, .. } => tell(answer, None),
        Work::Beat { answer, .. } => tell(answer, None),
        Work::Sweep { answer, .. } => tell(answer, None),
        Work::Revise { answer, .. } => tell(answer, None),
    }
}

fn after_commit<T: 'static>(
    answer: Answer<T>,
    result: Result<T, StoreError>,
) -> (Tell, Result<(), StoreError>) {
    match result {
        Ok(value) => (tell(answer, Some(value)), Ok(())),
        // One item that cannot be read or kept concerns its own incident or record only.
        Err(error @ (StoreError::Unreadable { .. } | StoreError::Refused { .. })) => {
            (Box::new(|_| drop(answer.send(Err(error)))), Ok(()))
        }
        Err(error) => (tell(answer, None), Err(error)),
    }
}

/// The value counts only if the commit did not fail.
fn tell<T: 'static>(answer: Answer<T>, value: Option<T>) -> Tell {
    Box::new(move |failure| {
        let told = match (failure, value) {
            (None, Some(value)) => Ok(value),
            (reason, _) => {
                Err(StoreError::Unreachable { reason: reason.unwrap_or_default().to_owned() })
            }
        };
        // The caller may have stopped waiting; then nobody is there to tell.
        drop(answer.send(told));
    })
}

fn apply_event(
    transaction: &Transaction<'_>,
    incident: &IncidentId,
    event: &Event,
    at: Timestamp,
) -> Result<Judged, StoreError> {
    let item = rows::item(transaction, incident)?;
    Ok(match judge(incident, item.as_ref(), event, at) {
        Verdict::Write(item) => {
            rows::write_item(transaction, &item)?;
            Ok(item)
        }
        Verdict::AlreadySo(item) => Ok(item),
        Verdict::Refuse(refusal) => Err(refusal),
    })
}

fn revise(
    transaction: &Transaction<'_>,
    name: &LedgerName,
    reviser: &Reviser,
    at: Timestamp,
) -> Result<Option<String>, StoreError> {
    let known = rows::ledger(transaction, name)?;
    match reviser(known.as_deref(), at) {
        Revision::Leave => Ok(known),
        Revision::Write(text) => {
            check_length(name, &text)?;
            rows::write_ledger(transaction, name, &text, at)?;
            Ok(Some(text))
        }
    }
}
