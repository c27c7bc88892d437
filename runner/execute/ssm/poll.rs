//! Waiting for commands: all of one account together, in few requests.
//!
//! One task looks while anybody waits. A single command is asked for by its id, which brings its
//! output as well; several are listed, and only those that ended are asked for.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};

use super::calls;
use super::desk::{Desk, Trouble};
use super::status::{Invocation, is_over};
use crate::limits;

/// How a command that was waited for came out.
pub(super) enum Told {
    Over(Invocation),
    /// SSM has never shown it.
    Vanished,
}

#[derive(Default)]
pub(super) struct Polls {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// By a number of ours: two may wait for one command.
    waiting: HashMap<u64, Waiting>,
    last: u64,
    is_looking: bool,
    /// The last thing that stood in the way.
    trouble: Option<String>,
}

struct Waiting {
    id: String,
    instance: String,
    since: Instant,
    sent_at: Timestamp,
    /// It was shown at least once.
    seen: bool,
    looked: Instant,
    tell: oneshot::Sender<Told>,
}

/// Somebody waits for a command; until this is dropped.
pub(super) struct Watch {
    desk: Arc<Desk>,
    number: u64,
    told: oneshot::Receiver<Told>,
}

impl Watch {
    pub(super) async fn told(&mut self) -> Told {
        (&mut self.told).await.unwrap_or(Told::Vanished)
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.desk.polls.state().waiting.remove(&self.number);
    }
}

impl Polls {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// SSM counts in seconds, by its own clock.
const BEFORE: SignedDuration = SignedDuration::from_secs(60);

impl Desk {
    pub(super) fn watch(
        self: &Arc<Self>,
        (id, instance): (&str, &str),
        sent_at: Timestamp,
    ) -> Watch {
        let (tell, told) = oneshot::channel();
        let (since, looked) = (Instant::now(), Instant::now());
        let (id, instance) = (id.to_owned(), instance.to_owned());
        let waiting = Waiting { id, instance, since, sent_at, seen: false, looked, tell };
        let mut state = self.polls.state();
        state.last += 1;
        let number = state.last;
        state.waiting.insert(number, waiting);
        if !state.is_looking {
            state.is_looking = true;
            tokio::spawn(Arc::clone(self).look_while_somebody_waits());
        }
        drop(state);
        Watch { desk: Arc::clone(self), number, told }
    }

    /// What stood in the way of looking, in brackets; nothing when all went well.
    pub(super) fn trouble(&self) -> String {
        let trouble = self.polls.state().trouble.clone();
        trouble.map(|trouble| format!(" ({trouble})")).unwrap_or_default()
    }

    async fn look_while_somebody_waits(self: Arc<Self>) {
        while let Some(pause) = self.pause() {
            sleep(pause).await;
            let looked = self.look().await;
            if let Err(trouble) = &looked {
                let account = &self.account.words().account;
                tracing::debug!(%trouble, account, "commands cannot be looked at");
            }
            self.polls.state().trouble = looked.err().map(|trouble| trouble.to_string());
        }
    }

    /// Until the next look; `None` when nobody waits, and then nobody looks.
    fn pause(&self) -> Option<Duration> {
        let mut state = self.polls.state();
        let Some(youngest) = state.waiting.values().map(|it| it.since).max() else {
            state.is_looking = false;
            return None;
        };
        let is_long = youngest.elapsed() > limits::SSM_LONG;
        Some(if is_long { limits::SSM_POLL_LONG } else { self.terms.poll })
    }

    async fn look(&self) -> Result<(), Trouble> {
        let (count, oldest) = {
            let state = self.polls.state();
            let oldest = state.waiting.values().map(|it| it.sent_at).min();
            (state.waiting.len(), oldest)
        };
        let (Some(oldest), true) = (oldest, count > 0) else { return Ok(()) };
        let shown = if count > 1 { self.listed(oldest).await? } else { HashMap::new() };
        let asked = {
            let mut state = self.polls.state();
            for waiting in state.waiting.values_mut() {
                if shown.get(&waiting.id) == Some(&false) {
                    (waiting.seen, waiting.looked) = (true, Instant::now());
                }
            }
            let (listed, mut others): (Vec<_>, Vec<_>) =
                state.waiting.iter().partition(|(_, waiting)| shown.contains_key(&waiting.id));
            others.sort_by_key(|(_, waiting)| waiting.looked);
            let ended =
                listed.into_iter().filter(|(_, waiting)| shown.get(&waiting.id) == Some(&true));
            let asked = ended.chain(others.into_iter().take(limits::SSM_SINGLE_LOOKS));
            let place =
                |(number, it): (&u64, &Waiting)| (*number, it.id.clone(), it.instance.clone());
            asked.map(place).collect::<Vec<_>>()
        };
        let looks =
            asked.iter().map(|(number, id, instance)| self.look_at(*number, (id, instance)));
        join_all(looks).await.into_iter().collect()
    }

    /// Those of ours that SSM lists, and whether they are over.
    async fn listed(&self, oldest: Timestamp) -> Result<HashMap<String, bool>, Trouble> {
        let since = oldest.checked_sub(BEFORE).unwrap_or(oldest);
        let mut ours: HashSet<String> =
            self.polls.state().waiting.values().map(|it| it.id.clone()).collect();
        let (mut listed, mut next) = (HashMap::new(), None);
        for _ in 0..limits::SSM_PAGES {
            let page =
                self.read(|client| calls::invocations(client, (since, next.clone()))).await?;
            for (id, status) in page.all {
                if ours.remove(&id) {
                    listed.insert(id, is_over(&status));
                }
            }
            next = page.next;
            if next.is_none() || ours.is_empty() {
                break;
            }
        }
        Ok(listed)
    }

    /// Asks for one command, and tells who waits when it is over.
    async fn look_at(&self, number: u64, command: (&str, &str)) -> Result<(), Trouble> {
        let found = self.read(|client| calls::invocation(client, command)).await?;
        let mut state = self.polls.state();
        let Some(waiting) = state.waiting.get_mut(&number) else { return Ok(()) };
        waiting.looked = Instant::now();
        let told = match found {
            Some(invocation) if is_over(&invocation.status) => Told::Over(invocation),
            Some(_) => {
                waiting.seen = true;
                return Ok(());
            }
            None if !waiting.seen && waiting.since.elapsed() > self.terms.visible => Told::Vanished,
            None => return Ok(()),
        };
        if let Some(waiting) = state.waiting.remove(&number) {
            // Whoever does not wait any more needs no answer.
            drop(waiting.tell.send(told));
        }
        Ok(())
    }
}
