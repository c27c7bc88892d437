//! The requests of a key, shared between lanes, runs and processes.
//!
//! Every request waits here for its turn. What may be sent when is in `allowance.rs`, who is next in
//! `queue.rs`; here is the waiting itself (docs/decisions/0020-rate-budget.md).

mod allowance;
mod lane;
mod queue;
mod storm;
mod window;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use tokio::sync::oneshot;
use tokio::time::Instant;

use self::allowance::Allowance;
pub(super) use self::allowance::{Said, Terms};
use self::lane::BELOW_PAGES;
pub(super) use self::lane::Lane;
use self::queue::Queue;
use self::storm::{Storm, Turned};
use crate::limits;
use crate::metrics::Metrics;

pub(super) struct Budget {
    began: Instant,
    state: Mutex<State>,
    places: Places,
    metrics: Metrics,
    /// For the task that wakes who waits.
    me: Weak<Self>,
}

/// How many requests may be under way at once.
#[derive(Clone, Copy, Debug)]
pub(super) struct Places {
    /// Of any lane.
    pub(super) all: usize,
    /// Further ones, for pages only.
    pub(super) pages: usize,
}

struct State {
    allowance: Allowance,
    queue: Queue<oneshot::Sender<()>>,
    storm: Storm,
    under_way: usize,
    /// When somebody is woken next.
    alarm: Option<Duration>,
}

/// Why there was no turn.
#[derive(Debug, thiserror::Error)]
pub(super) enum NoTurn {
    #[error("{0} requests to PagerDuty are waiting already")]
    Full(usize),
    #[error("there was no turn within {} s: {waiting} requests to PagerDuty are waiting", within.as_secs())]
    Late { within: Duration, waiting: usize },
}

/// The right to send one request. Its place is free again when it is dropped.
pub(super) struct Turn {
    budget: Arc<Budget>,
    lane: Lane,
    is_used: bool,
}

impl Turn {
    /// From now on it counts, whatever comes of it.
    pub(super) const fn used(&mut self) {
        self.is_used = true;
    }

    pub(super) fn heard(&self, status: Option<u16>, said: Said, spread: Duration) {
        self.budget.heard(self.lane, (status, said), spread);
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.budget.leave(self.lane, self.is_used);
    }
}

/// Somebody in the queue. Going away is leaving it.
struct InQueue<'a> {
    budget: &'a Budget,
    lane: Lane,
    run: &'a str,
    id: u64,
    has_turn: bool,
}

impl Drop for InQueue<'_> {
    fn drop(&mut self) {
        if self.has_turn {
            return;
        }
        let was_waiting = {
            let mut state = self.budget.lock();
            let was_waiting = state.queue.remove((self.lane, self.run), self.id);
            self.budget.count_queue(&state, self.lane);
            was_waiting
        };
        if !was_waiting {
            // Its turn came at this moment.
            self.budget.leave(self.lane, false);
        }
    }
}

impl Budget {
    pub(super) fn new(terms: Terms, places: Places, metrics: Metrics) -> Arc<Self> {
        let state = State {
            allowance: Allowance::new(terms),
            queue: Queue::new(),
            storm: Storm::default(),
            under_way: 0,
            alarm: None,
        };
        Arc::new_cyclic(|me| Self {
            began: Instant::now(),
            state: Mutex::new(state),
            places,
            metrics,
            me: Weak::clone(me),
        })
    }

    /// Requests that wait for their turn, in the fullest lane.
    pub(super) fn waiting(&self) -> usize {
        let state = self.lock();
        let all = BELOW_PAGES.into_iter().chain([Lane::Escalate]);
        all.map(|lane| state.queue.count(lane)).max().unwrap_or_default()
    }

    /// So many processes that live use the same key.
    pub(super) fn share_with(&self, processes: usize) {
        let processes = u32::try_from(processes).unwrap_or(u32::MAX);
        let is_news = self.lock().allowance.share_with(processes, self.now());
        if is_news {
            tracing::info!("PagerDuty's rate limit is shared by {processes} runners");
            self.wake();
        }
    }

    /// Notes are to be thinned.
    pub(super) fn is_storm(&self) -> bool {
        let mut state = self.lock();
        self.look_for_storm(&mut state);
        state.storm.is_on()
    }

    /// What can be known otherwise is not to be asked for.
    pub(super) fn is_scarce(&self) -> bool {
        let now = self.now();
        self.lock().allowance.is_scarce(now)
    }

    /// Waits for a turn. `run` is what turns are shared between, within a lane.
    pub(super) async fn turn(self: &Arc<Self>, lane: Lane, run: &str) -> Result<Turn, NoTurn> {
        let since = Instant::now();
        let (sender, called) = oneshot::channel();
        let mut place = {
            let mut state = self.lock();
            let waiting = state.queue.count(lane);
            if waiting >= limits::PAGERDUTY_QUEUE {
                return Err(NoTurn::Full(waiting));
            }
            let id = state.queue.push((lane, run), self.now(), sender);
            self.count_queue(&state, lane);
            InQueue { budget: self, lane, run, id, has_turn: false }
        };
        self.wake();
        let within = lane.turn_within();
        let called = tokio::time::timeout(within, called).await;
        self.metrics.pagerduty.waited(lane.word(), since.elapsed());
        if matches!(called, Ok(Ok(()))) {
            place.has_turn = true;
            return Ok(Turn { budget: Arc::clone(self), lane, is_used: false });
        }
        let waiting = self.lock().queue.count(lane);
        Err(NoTurn::Late { within, waiting })
    }

    fn heard(&self, lane: Lane, (status, said): (Option<u16>, Said), spread: Duration) {
        self.metrics.pagerduty.request(lane.word(), status);
        let Some(status) = status else { return };
        let (is_page, now) = (lane == Lane::Escalate, self.now());
        let closed = self.lock().allowance.heard((is_page, status == 429), said, spread, now);
        if let Some(wait) = closed {
            self.metrics.pagerduty.limited.inc();
            tracing::warn!(
                wait_ms = wait.as_millis(),
                lane = lane.word(),
                "PagerDuty's rate limit is reached: only pages are sent for the moment"
            );
        }
        self.wake();
    }

    fn leave(&self, lane: Lane, was_used: bool) {
        {
            let mut state = self.lock();
            state.under_way = state.under_way.saturating_sub(1);
            if !was_used {
                state.allowance.take_back(lane == Lane::Escalate);
            }
        }
        self.wake();
    }

    /// Gives turns to as many as may have one now, and sees to it that the next one is woken.
    fn wake(&self) {
        let mut state = self.lock();
        self.look_for_storm(&mut state);
        loop {
            let now = self.now();
            let next = match self.next(&mut state, now) {
                Some((is_page, at)) if at <= now => is_page,
                Some((_, at)) => return self.set_alarm(&mut state, at),
                None => return,
            };
            let (lane, waiting) = if next {
                (Lane::Escalate, state.queue.pop_page())
            } else {
                state.queue.pop_other().map_or((Lane::Look, None), |(lane, it)| (lane, Some(it)))
            };
            let Some(waiting) = waiting else { return };
            self.count_queue(&state, lane);
            if next {
                state.allowance.send_page(now);
            } else {
                state.allowance.send_other(now);
            }
            state.under_way += 1;
            // Who has gone away meanwhile gives its turn back (`InQueue`), once the lock is free.
            if waiting.who.send(()).is_err() {
                tracing::trace!("a turn came too late");
            }
        }
    }

    /// Whether a page or another request is next, and when. `None`: nobody waits, or all places are taken.
    fn next(&self, state: &mut State, now: Duration) -> Option<(bool, Duration)> {
        let Places { all, pages } = self.places;
        let page = state.queue.count(Lane::Escalate) > 0 && state.under_way < all + pages;
        let page = page.then(|| (true, state.allowance.page_at(now)));
        let other = state.queue.has_others() && state.under_way < all;
        let other = other.then(|| (false, state.allowance.other_at(now)));
        // Of two that are due, the page.
        page.into_iter().chain(other).min_by_key(|(_, at)| *at)
    }

    fn set_alarm(&self, state: &mut State, at: Duration) {
        if state.alarm.is_some_and(|alarm| alarm <= at) {
            return;
        }
        // A turn may be given back while everything ends.
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        state.alarm = Some(at);
        let (me, until) = (Weak::clone(&self.me), self.began + at);
        runtime.spawn(async move {
            tokio::time::sleep_until(until).await;
            let Some(budget) = me.upgrade() else { return };
            budget.lock().alarm.take_if(|alarm| *alarm == at);
            budget.wake();
        });
    }

    fn look_for_storm(&self, state: &mut State) {
        let (oldest, now) = (state.queue.oldest(), self.now());
        match state.storm.look(oldest, now) {
            Some(Turned::On) => {
                self.metrics.pagerduty.storm.set(1);
                self.metrics.pagerduty.storms.inc();
                tracing::warn!(
                    "requests to PagerDuty wait for {} s: runs tell their end only, until it is calm",
                    limits::PAGERDUTY_STORM_WAIT.as_secs()
                );
            }
            Some(Turned::Off) => {
                self.metrics.pagerduty.storm.set(0);
                tracing::info!("requests to PagerDuty do not wait any more: runs tell all again");
            }
            None => {}
        }
    }

    fn count_queue(&self, state: &State, lane: Lane) {
        self.metrics.pagerduty.waiting(lane.word(), state.queue.count(lane));
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests;
