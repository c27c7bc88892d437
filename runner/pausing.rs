//! The kill switch as operators use it: pause, resume, and see where it is in force.
//!
//! The claim store has what is paused, as marks; the history has who paused what and why.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::{Instant, sleep};

use crate::claim::heartbeat::LeaseTerms;
use crate::claim::ledger::{Ledger, LedgerName, Mark, Revision, decide};
use crate::claim::pauses::{Pause, Pauses, group_mark, host_mark};
use crate::claim::{Beat, ClaimStore, StoreError};
use crate::history::pause::{PauseWords, SHELF};
use crate::history::{History, HistoryError};
use crate::incident::Owner;

/// Between two looks at who has heard of it.
const LOOK: Duration = Duration::from_millis(100);

/// How long regions that show life are waited for, after the others must be dead.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a pause's words are kept after its end.
const WORDS_KEPT: SignedDuration = SignedDuration::from_hours(24 * 90);

pub struct KillSwitch {
    pub claims: Arc<dyn ClaimStore>,
    /// The same store.
    pub ledger: Arc<dyn Ledger>,
    /// It may be missing: a pause is worth more than its words.
    pub history: Result<Arc<dyn History>, HistoryError>,
}

/// What became of a change of the pauses.
#[derive(Debug)]
pub struct Changed {
    /// Of the record as it is now.
    pub serial: u64,
    /// Why the words are not kept, if so.
    pub unkept: Option<String>,
}

/// What is learned of one region while a change comes into force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    InForce {
        owner: Owner,
        after: Duration,
    },
    /// It shows no life, and so begins no recovery.
    Silent(Owner),
    /// It lives and goes by an older record.
    NotYet(Owner),
}

impl KillSwitch {
    /// Pauses what the words name. `id` names this pause; said again under the same id, it is one.
    pub async fn pause(&self, id: &str, words: &PauseWords) -> Result<Changed, Trouble> {
        // First, so that nobody meets a pause without its words.
        let until = words.until.map(|until| until.saturating_add(WORDS_KEPT).unwrap_or(until));
        let unkept = self.keep(id, words, until).await;
        let pause = pause_of(id, words);
        let add = move |record: &Pauses, now| record.with(&pause, now);
        Ok(Changed { serial: self.change(add).await?.serial, unkept })
    }

    /// Ends these pauses. Ended twice, it is ended.
    pub async fn resume(
        &self,
        ended: &[(String, Option<PauseWords>)],
        (by, at): (&str, Timestamp),
    ) -> Result<Changed, Trouble> {
        let ids: Vec<String> = ended.iter().map(|(id, _)| id.clone()).collect();
        let record = self.change(move |record, now| Ok(record.without(&ids, now))).await?;
        let mut unkept = None;
        for (id, words) in ended {
            let Some(words) = words else { continue };
            let (ended_by, ended_at) = (Some(by.to_owned()), Some(at));
            let words = PauseWords { ended_by, ended_at, ..words.clone() };
            let until = at.saturating_add(WORDS_KEPT).unwrap_or(at);
            unkept = self.keep(id, &words, Some(until)).await.or(unkept);
        }
        Ok(Changed { serial: record.serial, unkept })
    }

    /// What is paused at this time, with its words where the history has them.
    pub async fn list(&self, now: Timestamp) -> Result<Vec<(Pause, Option<PauseWords>)>, Trouble> {
        let text = self.ledger.read(&LedgerName::Pauses).await?;
        let record = Pauses::parse(text.as_deref()).map_err(Trouble::Unusable)?;
        let mut list = Vec::new();
        for pause in record.list.into_iter().filter(|pause| pause.is_in_force(now)) {
            let words = match &self.history {
                Ok(history) => history.read_page(SHELF, &pause.id).await.ok().flatten(),
                Err(_) => None,
            };
            list.push((pause, words.and_then(|text| PauseWords::of_text(&text))));
        }
        Ok(list)
    }

    /// Waits until every region that shows life goes by this record or a later one, and tells of each
    /// as soon as it is known. `false`: some region lives and does not.
    pub async fn in_force(
        &self,
        serial: u64,
        terms: &LeaseTerms,
        mut tell: impl FnMut(&News),
    ) -> Result<bool, StoreError> {
        let began = Instant::now();
        let mut watched: BTreeMap<Owner, Watched> = BTreeMap::new();
        loop {
            for Beat { owner, number, pauses, .. } in self.claims.signs().await?.beats {
                let now = Instant::now();
                let seen = watched.entry(owner.clone()).or_insert(Watched {
                    number,
                    since: now,
                    is_told: false,
                });
                if seen.number != number {
                    (seen.number, seen.since) = (number, now);
                }
                let news = if pauses >= serial {
                    News::InForce { owner, after: began.elapsed() }
                } else if now.duration_since(seen.since) >= terms.lease {
                    News::Silent(owner)
                } else {
                    continue;
                };
                if !std::mem::replace(&mut seen.is_told, true) {
                    tell(&news);
                }
            }
            if watched.values().all(|seen| seen.is_told) {
                return Ok(true);
            }
            if began.elapsed() >= terms.lease + PATIENCE {
                for (owner, _) in watched.into_iter().filter(|(_, seen)| !seen.is_told) {
                    tell(&News::NotYet(owner));
                }
                return Ok(false);
            }
            sleep(LOOK).await;
        }
    }

    async fn change(
        &self,
        change: impl Fn(&Pauses, Timestamp) -> Result<Pauses, String> + Send + Sync + 'static,
    ) -> Result<Pauses, Trouble> {
        let judge = move |text: Option<&str>, now| {
            let known = match Pauses::parse(text) {
                Ok(known) => known,
                Err(reason) => return (Err(reason), Revision::Leave),
            };
            match change(&known, now) {
                Ok(next) if next == known => (Ok(next), Revision::Leave),
                Ok(next) => match next.text() {
                    Ok(text) => (Ok(next), Revision::Write(text)),
                    Err(reason) => (Err(reason), Revision::Leave),
                },
                Err(reason) => (Err(reason), Revision::Leave),
            }
        };
        decide(&*self.ledger, &LedgerName::Pauses, judge).await?.map_err(Trouble::Unusable)
    }

    async fn keep(&self, id: &str, words: &PauseWords, until: Option<Timestamp>) -> Option<String> {
        let history = match &self.history {
            Ok(history) => history,
            Err(error) => return Some(error.to_string()),
        };
        let kept = history.put_page(SHELF, id, words.to_text(), until).await;
        kept.err().map(|error| error.to_string())
    }
}

/// Why nothing was changed, or why that is not known.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the record of what is paused cannot be changed: {0}")]
    Unusable(String),
}

/// A region while it is waited for.
struct Watched {
    number: u64,
    /// When its number was first seen so.
    since: Instant,
    is_told: bool,
}

/// As the claim store may have it.
pub fn pause_of(id: &str, words: &PauseWords) -> Pause {
    Pause {
        id: id.to_owned(),
        customer: words.customer.as_ref().map(|id| Mark::of(&["customer", id])),
        group: words.group.as_ref().map(|name| group_mark(name)),
        host: words.host.as_ref().map(|name| host_mark(name)),
        scenario: words.scenario.clone(),
        at: words.at.unwrap_or(Timestamp::UNIX_EPOCH),
        until: words.until,
    }
}
