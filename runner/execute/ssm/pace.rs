//! How fast one account is asked: so many requests a second, and fewer when AWS says so.
//!
//! One account's back-off is shared by all that waits for it, and is nobody else's.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::{Instant, sleep_until};

use crate::limits;

#[derive(Clone, Copy)]
pub(super) enum Kind {
    Read,
    Send,
}

pub(super) struct Pace {
    state: Mutex<State>,
}

struct State {
    reads: Bucket,
    sends: Bucket,
    /// Nothing is asked before then.
    not_before: Instant,
    wait: Duration,
}

/// So many at once, then one for every `each`.
struct Bucket {
    each: Duration,
    at_once: u32,
    /// When all that has been given out is earned.
    earned: Instant,
}

impl Bucket {
    fn new(per_second: u32, at_once: u32, now: Instant) -> Self {
        Self { each: Duration::from_secs(1) / per_second, at_once, earned: now }
    }

    /// The moment of the next turn, which is given out with it.
    fn take(&mut self, now: Instant) -> Instant {
        self.earned = self.earned.max(now) + self.each;
        self.earned.checked_sub(self.each * self.at_once).map_or(now, |turn| turn.max(now))
    }
}

impl Pace {
    pub(super) fn new() -> Self {
        let now = Instant::now();
        Self {
            state: Mutex::new(State {
                reads: Bucket::new(limits::SSM_READS_PER_SECOND, limits::SSM_READS_AT_ONCE, now),
                sends: Bucket::new(limits::SSM_SENDS_PER_SECOND, limits::SSM_SENDS_AT_ONCE, now),
                not_before: now,
                wait: Duration::ZERO,
            }),
        }
    }

    /// Returns when it is time to ask.
    pub(super) async fn turn(&self, kind: Kind) {
        let mut until = {
            let (mut state, now) = (self.state(), Instant::now());
            let bucket = match kind {
                Kind::Read => &mut state.reads,
                Kind::Send => &mut state.sends,
            };
            bucket.take(now)
        };
        loop {
            until = until.max(self.state().not_before);
            if until <= Instant::now() {
                return;
            }
            sleep_until(until).await;
        }
    }

    /// "Rate exceeded": everybody waits. Answers to what was asked before that change nothing.
    pub(super) fn throttled(&self, asked_at: Instant) {
        let mut state = self.state();
        if asked_at < state.not_before {
            return;
        }
        state.wait = (state.wait * 2).clamp(limits::SSM_FIRST_WAIT, limits::SSM_LONGEST_WAIT);
        state.not_before = Instant::now() + state.wait;
    }

    pub(super) fn well(&self, asked_at: Instant) {
        let mut state = self.state();
        if asked_at >= state.not_before {
            state.wait = Duration::ZERO;
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_second_has_so_many_turns_after_those_at_once() {
        let (pace, start) = (Pace::new(), Instant::now());
        for _ in 0..limits::SSM_READS_AT_ONCE {
            pace.turn(Kind::Read).await;
        }
        assert_eq!(start.elapsed(), Duration::ZERO);
        for _ in 0..limits::SSM_READS_PER_SECOND {
            pace.turn(Kind::Read).await;
        }
        let took = start.elapsed();
        assert!((took.as_secs_f64() - 1.0).abs() < 0.05, "{took:?}");
        pace.turn(Kind::Send).await;
        assert_eq!(start.elapsed(), took, "sending has turns of its own");
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_holds_everybody_back_longer_each_time_until_all_is_well() {
        let pace = Pace::new();
        for seconds in [0.5, 1.0, 2.0, 4.0, 8.0, 15.0, 15.0] {
            let asked = Instant::now();
            pace.throttled(asked);
            // Others that were asked at the same time say the same.
            pace.throttled(asked);
            pace.turn(Kind::Read).await;
            let took = asked.elapsed().as_secs_f64();
            assert!((took - seconds).abs() < 0.05, "{took} is not {seconds}");
        }
        pace.well(Instant::now());
        let asked = Instant::now();
        pace.throttled(asked);
        pace.turn(Kind::Send).await;
        assert!(asked.elapsed() < Duration::from_secs(1));
    }
}
