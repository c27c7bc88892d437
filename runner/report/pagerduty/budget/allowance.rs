//! How many requests this process may send now, of a limit that it shares. Pure: times are what has
//! passed since the client was made.
//!
//! Pages may use the whole limit. The lanes below them share half of it, evenly between the
//! processes that live and evenly over time, so that whenever pages are needed the other half of the
//! last minute is still theirs. What other users of the key take shows in PagerDuty's answers.

use std::time::Duration;

use super::window::Window;
use crate::limits;

/// What an allowance is made of.
#[derive(Clone, Copy, Debug)]
pub(in crate::report::pagerduty) struct Terms {
    /// Requests of the key in one window.
    pub(in crate::report::pagerduty) limit: u32,
    pub(in crate::report::pagerduty) window: Duration,
    /// After the first 429 that names no time; doubles with each further one.
    pub(in crate::report::pagerduty) first_wait: Duration,
    pub(in crate::report::pagerduty) longest_wait: Duration,
    /// Part of PagerDuty's `ratelimit-reset` that is honoured.
    pub(in crate::report::pagerduty) reset_most: Duration,
}

/// What an answer says of the limit that is nearest to its end (PagerDuty REST docs, Rate Limits).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(in crate::report::pagerduty) struct Said {
    pub(in crate::report::pagerduty) limit: Option<u32>,
    pub(in crate::report::pagerduty) remaining: Option<u32>,
    pub(in crate::report::pagerduty) reset: Option<Duration>,
}

#[derive(Debug)]
pub(super) struct Allowance {
    terms: Terms,
    /// That live and share the key, this one included.
    processes: u32,
    /// All lanes of this process.
    used: Window,
    /// What the lanes below pages may send at once, as it was at `level_at`; it refills since.
    level: f64,
    level_at: Duration,
    /// Nothing but pages before this.
    closed_until: Duration,
    /// 429s in a row, those counted once that answered requests under way together.
    refusals: u32,
    /// Between two pages; zero unless PagerDuty turns pages away.
    page_gap: Duration,
    next_page: Duration,
}

/// Of the limit, for the lanes below pages: to begin with, and refilled over a window. Together half.
const AT_ONCE: f64 = 1.0 / 12.0;
const REFILLED: f64 = 5.0 / 12.0;

impl Allowance {
    pub(super) fn new(terms: Terms) -> Self {
        let mut allowance = Self {
            processes: limits::PAGERDUTY_PROCESSES,
            used: Window::new(terms.window),
            terms,
            level: 0.0,
            level_at: Duration::ZERO,
            closed_until: Duration::ZERO,
            refusals: 0,
            page_gap: Duration::ZERO,
            next_page: Duration::ZERO,
        };
        allowance.level = allowance.most_at_once();
        allowance
    }

    /// `true` when that is news.
    pub(super) fn share_with(&mut self, processes: u32, now: Duration) -> bool {
        let is_news = self.processes != processes.max(1);
        self.level = self.level_now(now);
        self.level_at = self.level_at.max(now);
        self.processes = processes.max(1);
        self.level = self.level.min(self.most_at_once());
        is_news
    }

    /// This process's part of the limit.
    fn share(&self) -> u32 {
        (self.terms.limit / self.processes).max(1)
    }

    fn most_at_once(&self) -> f64 {
        (f64::from(self.terms.limit) * AT_ONCE / f64::from(self.processes)).max(1.0)
    }

    fn per_second(&self) -> f64 {
        let all = f64::from(self.terms.limit) * REFILLED / self.terms.window.as_secs_f64();
        all / f64::from(self.processes)
    }

    fn level_now(&self, now: Duration) -> f64 {
        let passed = now.saturating_sub(self.level_at).as_secs_f64();
        passed.mul_add(self.per_second(), self.level).min(self.most_at_once())
    }

    /// When the next page may be sent: now, or later.
    pub(super) fn page_at(&mut self, now: Duration) -> Duration {
        let free = self.used.below(self.terms.limit, now);
        free.max(self.next_page).max(now)
    }

    /// When the next request of a lane below pages may be sent.
    pub(super) fn other_at(&mut self, now: Duration) -> Duration {
        let mut at = now.max(self.closed_until);
        let missing = 1.0 - self.level_now(now);
        if missing > 0.0 {
            let wait = Duration::from_secs_f64(missing / self.per_second());
            // A hair more, so that rounding does not make it look again at once.
            at = at.max(now.max(self.level_at) + wait + Duration::from_micros(1));
        }
        // Pages of this process come out of its share, too.
        let most = self.share() - self.share() / 10;
        at.max(self.used.below(most, now))
    }

    pub(super) fn send_page(&mut self, now: Duration) {
        self.used.add(now);
        self.next_page = now + self.page_gap;
    }

    pub(super) fn send_other(&mut self, now: Duration) {
        self.used.add(now);
        self.level = self.level_now(now) - 1.0;
        self.level_at = self.level_at.max(now);
    }

    /// It was not sent after all.
    pub(super) fn take_back(&mut self, is_page: bool) {
        self.used.take_back();
        if !is_page {
            self.level += 1.0;
        }
    }

    /// A quarter of this process's part was used in the last minute: what can be known otherwise is
    /// not asked for.
    pub(super) fn is_scarce(&mut self, now: Duration) -> bool {
        self.used.total(now) >= (self.share() / 4).max(1)
    }

    /// Learns from an answer. `spread` keeps processes apart that were told the same second. Answers with
    /// the pause of everything but pages, when one begins.
    pub(super) fn heard(
        &mut self,
        (is_page, is_limited): (bool, bool),
        said: Said,
        spread: Duration,
        now: Duration,
    ) -> Option<Duration> {
        if is_limited {
            self.slow_pages(now);
            return self.close(said.reset, spread, now);
        }
        if is_page {
            self.hurry_pages(now);
        } else if now >= self.closed_until {
            self.refusals = 0;
        }
        let (limit, remaining) = (said.limit.unwrap_or(self.terms.limit), said.remaining?);
        if remaining < limit / 4 {
            let reset = said.reset.unwrap_or(limits::PAGERDUTY_LITTLE_LEFT);
            let until = now + reset.min(limits::PAGERDUTY_LITTLE_LEFT);
            self.begin_again(until);
        }
        None
    }

    fn close(
        &mut self,
        reset: Option<Duration>,
        spread: Duration,
        now: Duration,
    ) -> Option<Duration> {
        let is_new = now >= self.closed_until;
        if is_new {
            self.refusals = self.refusals.saturating_add(1);
        }
        let doublings = self.refusals.saturating_sub(1).min(16);
        let wait = match reset {
            Some(reset) => reset.min(self.terms.reset_most) + spread,
            None if !is_new => return None,
            None => (self.terms.first_wait * 2_u32.pow(doublings)).min(self.terms.longest_wait),
        };
        self.closed_until = self.closed_until.max(now + wait);
        self.begin_again(self.closed_until);
        is_new.then_some(wait)
    }

    /// After `at`, request by request.
    fn begin_again(&mut self, at: Duration) {
        self.level = 0.0;
        self.level_at = self.level_at.max(at);
    }

    /// What was under way together is turned away together, and slows pages once.
    fn slow_pages(&mut self, now: Duration) {
        if now >= self.next_page {
            let doubled = (self.page_gap * 2).max(self.terms.first_wait);
            self.page_gap = doubled.min(limits::PAGERDUTY_PAGE_GAP);
            self.next_page = now + self.page_gap;
        }
    }

    fn hurry_pages(&mut self, now: Duration) {
        if self.page_gap <= self.terms.first_wait {
            self.page_gap = Duration::ZERO;
        }
        self.page_gap /= 2;
        self.next_page = self.next_page.min(now + self.page_gap);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    fn allowance() -> Allowance {
        Allowance::new(Terms {
            limit: 960,
            window: MINUTE,
            first_wait: limits::PAGERDUTY_FIRST_WAIT,
            longest_wait: limits::PAGERDUTY_LONGEST_WAIT,
            reset_most: limits::PAGERDUTY_RATE_LIMIT_WAIT,
        })
    }

    fn secs(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    /// Sends as many as may be sent until then; answers with how many.
    fn send_others(allowance: &mut Allowance, mut now: Duration, until: Duration) -> u32 {
        let mut sent = 0;
        loop {
            now = allowance.other_at(now);
            if now >= until {
                return sent;
            }
            allowance.send_other(now);
            sent += 1;
        }
    }

    #[test]
    fn two_processes_take_half_of_the_limit_and_one_takes_it_alone() {
        for (processes, most) in [(1, 480), (2, 240), (3, 160)] {
            let mut allowance = allowance();
            allowance.share_with(processes, Duration::ZERO);
            allowance.level = allowance.most_at_once();
            let sent = send_others(&mut allowance, Duration::ZERO, MINUTE);
            assert!((most - 5..=most + 1).contains(&sent), "{processes}: {sent}");
        }
    }

    #[test]
    fn after_a_minute_of_notes_five_hundred_pages_still_go_at_once() {
        // Between two regions, half of all each.
        let mut regions = [allowance(), allowance()];
        for region in &mut regions {
            send_others(region, Duration::ZERO, MINUTE);
        }
        let used: u32 = regions.iter_mut().map(|region| region.used.total(MINUTE)).sum();
        assert!(used + 480 <= 960, "{used}");
        for region in &mut regions {
            for _ in 0..250 {
                assert_eq!(region.page_at(MINUTE), MINUTE);
                region.send_page(MINUTE);
            }
            // Its share is used up, and notes wait until the minute has passed.
            assert!(region.other_at(MINUTE) > MINUTE);
        }
    }

    #[test]
    fn a_429_without_headers_closes_for_longer_each_time_and_for_pages_never() {
        let mut allowance = allowance();
        let mut now = secs(1);
        let mut waits = Vec::new();
        for _ in 0..8 {
            let wait = allowance.heard((false, true), Said::default(), Duration::ZERO, now);
            assert_eq!(
                allowance.heard((false, true), Said::default(), Duration::ZERO, now),
                None,
                "of those that were under way together the first one counts"
            );
            waits.push(wait.unwrap().as_millis());
            assert!(allowance.page_at(now).saturating_sub(now) <= limits::PAGERDUTY_PAGE_GAP);
            now = allowance.other_at(now);
        }
        assert_eq!(waits, [200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000]);
        allowance.heard((false, false), Said::default(), Duration::ZERO, now);
        let wait = allowance.heard((false, true), Said::default(), Duration::ZERO, now + secs(9));
        assert_eq!(wait, Some(Duration::from_millis(200)), "a good answer begins anew");
    }

    #[test]
    fn the_time_that_a_429_names_is_kept_up_to_a_minute() {
        for (reset, wait) in [(7, 7), (86_400, 60)] {
            let mut allowance = allowance();
            let said = Said { reset: Some(secs(reset)), ..Said::default() };
            let spread = Duration::from_millis(300);
            let closed = allowance.heard((false, true), said, spread, secs(1)).unwrap();
            assert_eq!(closed, secs(wait) + spread);
            assert!(allowance.other_at(secs(1)) >= secs(1) + closed);
        }
    }

    #[test]
    fn pages_that_are_turned_away_slow_down_and_hurry_again() {
        let mut allowance = allowance();
        let mut now = secs(1);
        let mut gaps = Vec::new();
        for is_limited in [true, true, true, true, true, false, false, false, false, false, false] {
            now = allowance.page_at(now);
            allowance.send_page(now);
            allowance.heard((true, is_limited), Said::default(), Duration::ZERO, now);
            if is_limited {
                allowance.heard((true, true), Said::default(), Duration::ZERO, now);
            }
            gaps.push(allowance.page_at(now).saturating_sub(now).as_millis());
        }
        assert_eq!(gaps[0], 200);
        assert!(gaps.iter().all(|gap| *gap <= 2_000), "{gaps:?}");
        assert_eq!(gaps.last(), Some(&0), "{gaps:?}");
    }

    #[test]
    fn when_others_have_used_the_key_up_only_pages_go() {
        let mut allowance = allowance();
        let said = |remaining, reset| Said {
            limit: Some(960),
            remaining: Some(remaining),
            reset: Some(secs(reset)),
        };
        allowance.heard((false, false), said(500, 30), Duration::ZERO, secs(5));
        assert_eq!(allowance.other_at(secs(5)), secs(5));
        allowance.heard((false, false), said(200, 30), Duration::ZERO, secs(5));
        assert!(allowance.other_at(secs(5)) >= secs(7), "one looks again after two seconds");
        assert_eq!(allowance.page_at(secs(5)), secs(5));
        let sent = send_others(&mut allowance, secs(5), secs(7));
        assert_eq!(sent, 0);
    }

    #[test]
    fn one_that_was_not_sent_costs_nothing() {
        let mut allowance = allowance();
        for _ in 0..1_000 {
            assert_eq!(allowance.other_at(secs(1)), secs(1));
            allowance.send_other(secs(1));
            allowance.take_back(false);
        }
    }
}
