//! Records that runs share, one item each.
//!
//! In a storm everybody asks for the same one. What waits for it in this process while a write is
//! under way is joined into the next one, so that a hundred incidents at once cost a few requests
//! and not a hundred writes that push each other aside.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, BuildHasherDefault, DefaultHasher};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::DynamoDbClaims;
use super::item::{FORMAT, HEARTBEAT, known_format, lacks};
use super::remembered::Remembered;
use super::settle::{Item, Ruling, Seen};
use crate::claim::StoreError;
use crate::claim::ledger::{LedgerName, Reviser, Revision, check_length};
use crate::dynamodb::{Attributes, key, number, number_of, text, text_of};
use crate::limits;

/// Marks a record that is forgotten when it is old; runs that may go are known by their outcome.
const PASSING: &str = "ledger";

/// No owner's name begins so.
const PAUSES: &str = "#pauses";

type Answer = Result<Option<String>, StoreError>;

/// The records this process has to do with.
pub(super) struct Ledgers {
    remembered: Mutex<Remembered<LedgerName, Kept>>,
    waiting: Mutex<HashMap<LedgerName, Vec<Wish>>>,
    lines: Vec<tokio::sync::Mutex<()>>,
}

/// A change that somebody waits for.
struct Wish {
    reviser: Reviser,
    tell: oneshot::Sender<Answer>,
}

/// A record and the number of its last write.
#[derive(Clone)]
struct Kept {
    text: String,
    version: u64,
    changed_at: i64,
    /// The sweep may forget it.
    is_passing: bool,
}

impl Default for Ledgers {
    fn default() -> Self {
        let remembered = Remembered::new(limits::LEDGERS_REMEMBERED);
        let lines = (0..limits::LEDGER_LINES).map(|_| tokio::sync::Mutex::default()).collect();
        Self { remembered: Mutex::new(remembered), waiting: Mutex::default(), lines }
    }
}

impl Ledgers {
    fn remembered(&self) -> MutexGuard<'_, Remembered<LedgerName, Kept>> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn waiting(&self) -> MutexGuard<'_, HashMap<LedgerName, Vec<Wish>>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn line(&self, name: &LedgerName) -> &tokio::sync::Mutex<()> {
        let hash = BuildHasherDefault::<DefaultHasher>::default().hash_one(name);
        let lines = self.lines.len() as u64;
        &self.lines[usize::try_from(hash % lines).unwrap_or_default()]
    }
}

impl DynamoDbClaims {
    /// Waits for the changes before it, for [`limits::DYNAMODB_ANSWER`] at most, and then for its
    /// own as long again.
    pub(super) async fn revise_ledger(&self, name: &LedgerName, reviser: Reviser) -> Answer {
        let (tell, mut told) = oneshot::channel();
        let wish = Wish { reviser, tell };
        self.ledgers.waiting().entry(name.clone()).or_default().push(wish);
        let late = |_| StoreError::Unreachable { reason: "no answer in time".to_owned() };
        let turn = timeout(limits::DYNAMODB_ANSWER, async {
            tokio::select! {
                biased;
                answer = &mut told => Err(answer),
                turn = self.ledgers.line(name).lock() => Ok(turn),
            }
        });
        let _turn = match turn.await.map_err(late)? {
            Ok(turn) => turn,
            // Whoever had the turn before carried ours out with its own, or gave up.
            Err(answer) => return answer.unwrap_or_else(|_| Err(given_up())),
        };
        let mut group = self.ledgers.waiting().remove(name).unwrap_or_default();
        // Who has stopped waiting was told that it is not known; it asks again if it still matters.
        group.retain(|wish| !wish.tell.is_closed());
        if !group.is_empty() {
            self.carry_out(name, group).await;
        }
        told.await.unwrap_or_else(|_| Err(given_up()))
    }

    pub(super) async fn read_ledger(&self, name: &LedgerName) -> Answer {
        let late = |_| Err(StoreError::Unreachable { reason: "no answer in time".to_owned() });
        let looked = timeout(limits::DYNAMODB_ANSWER, async {
            let _turn = self.at_once.acquire().await;
            self.spot(ledger_key(name)).look::<Kept>().await
        });
        Ok(looked.await.unwrap_or_else(late)?.stored.map(|kept| kept.text))
    }

    /// Carries a group out in one write, and tells everybody.
    async fn carry_out(&self, name: &LedgerName, group: Vec<Wish>) {
        let mut trouble = "no answer in time".to_owned();
        let settled = timeout(limits::DYNAMODB_ANSWER, async {
            let _turn = self.at_once.acquire().await;
            self.settle_group(name, &group, &mut trouble).await
        });
        let settled = settled.await.unwrap_or(Err(StoreError::Unreachable { reason: trouble }));
        let answers = settled.unwrap_or_else(|error| vec![Err(error); group.len()]);
        for (wish, answer) in group.into_iter().zip(answers) {
            // The caller may have stopped waiting; then nobody is there to tell.
            drop(wish.tell.send(answer));
        }
    }

    /// The answers in the order of the group.
    async fn settle_group(
        &self,
        name: &LedgerName,
        group: &[Wish],
        trouble: &mut String,
    ) -> Result<Vec<Answer>, StoreError> {
        let mut answers = Vec::new();
        let judge = |known: Option<&Kept>| {
            let (text, told) = revise_all(name, group, known, self.clock.now());
            answers = told;
            match text {
                Some((text, at)) => Ruling::Write(Kept::after(known, name, text, at)),
                None => Ruling::Leave(known.cloned()),
            }
        };
        // The first one of a customer expects none. Should there be one, the write that fails brings
        // it along.
        let seen = Seen { stored: self.ledgers.remembered().get(name), is_fresh: false };
        match self.spot(ledger_key(name)).settle(seen, judge, trouble).await? {
            Ruling::Write(kept) | Ruling::Leave(Some(kept)) => {
                self.ledgers.remembered().note(name, &kept);
            }
            Ruling::Leave(None) => {}
        }
        Ok(answers)
    }
}

/// For those whose change was with somebody who stopped in the middle.
fn given_up() -> StoreError {
    StoreError::Unreachable { reason: "the request was given up".to_owned() }
}

/// One change after the other. The new text, where anything changed, and what each is told.
fn revise_all(
    name: &LedgerName,
    group: &[Wish],
    known: Option<&Kept>,
    at: Timestamp,
) -> (Option<(String, Timestamp)>, Vec<Answer>) {
    let (mut text, mut is_changed) = (known.map(|kept| kept.text.clone()), false);
    let mut answers = Vec::with_capacity(group.len());
    for wish in group {
        if let Revision::Write(next) = (wish.reviser)(text.as_deref(), at) {
            if let Err(refused) = check_length(name, &next) {
                answers.push(Err(refused));
                continue;
            }
            (text, is_changed) = (Some(next), true);
        }
        answers.push(Ok(text.clone()));
    }
    (text.filter(|_| is_changed).map(|text| (text, at)), answers)
}

impl Kept {
    /// The first version is a time, as that of a run: old ones are not taken for new ones after a
    /// sweep.
    fn after(seen: Option<&Self>, name: &LedgerName, text: String, at: Timestamp) -> Self {
        let changed_at = at.as_millisecond();
        let version = match seen {
            Some(seen) => seen.version + 1,
            None => u64::try_from(changed_at).unwrap_or(1),
        };
        let is_passing = matches!(name, LedgerName::Guards(_));
        Self { text, version, changed_at, is_passing }
    }
}

impl Item for Kept {
    fn version(&self) -> u64 {
        self.version
    }

    fn attributes(&self) -> Result<Attributes, StoreError> {
        let mut attributes = Attributes::new();
        let mut put = |name: &str, value| attributes.insert(name.to_owned(), value);
        put("format", number(&FORMAT));
        put("version", number(&self.version));
        put("item", text(self.text.as_str()));
        put("changed_at", number(&self.changed_at));
        if self.is_passing {
            put(PASSING, number(&1));
        }
        Ok(attributes)
    }

    fn read(attributes: &Attributes) -> Result<Self, StoreError> {
        let what = format!("the record {}", text_of(attributes, "pk").unwrap_or_default());
        known_format(&what, attributes)?;
        let text = text_of(attributes, "item").ok_or_else(|| lacks(&what, "item"))?;
        let version = number_of(attributes, "version").ok_or_else(|| lacks(&what, "version"))?;
        let changed_at = number_of(attributes, "changed_at");
        let changed_at = changed_at.ok_or_else(|| lacks(&what, "changed_at"))?;
        let is_passing = attributes.contains_key(PASSING);
        Ok(Self { text: text.to_owned(), version, changed_at, is_passing })
    }

    fn may_follow(&self) -> bool {
        true
    }
}

/// What is paused, among the heartbeats.
pub(super) fn pauses(attributes: &Attributes) -> Option<Result<Option<String>, String>> {
    if text_of(attributes, "sk") != Some(PAUSES) {
        return None;
    }
    let kept = Kept::read(attributes).map(|kept| Some(kept.text));
    Some(kept.map_err(|error| error.to_string()))
}

/// What is paused lies with the heartbeats: the query that every round of the sweep makes anyhow
/// brings it along, and readers of heartbeats pass over what has no number.
fn ledger_key(name: &LedgerName) -> Attributes {
    match name {
        LedgerName::Guards(_) => key(name.to_string(), "guard"),
        LedgerName::Pauses => key(HEARTBEAT, PAUSES),
    }
}
