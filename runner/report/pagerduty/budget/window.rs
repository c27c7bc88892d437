//! How many requests were sent in the last minute. Pure.

use std::time::Duration;

/// A minute is counted in parts of a second.
const PARTS: u32 = 60;

/// One part more than the time has, because the first one is cut: what it counts is never too little.
const KEPT: usize = PARTS as usize + 1;

/// Counts over a sliding length of time.
#[derive(Debug)]
pub(super) struct Window {
    part: Duration,
    counts: [u32; KEPT],
    /// Number of the newest part.
    newest: u128,
}

impl Window {
    pub(super) fn new(length: Duration) -> Self {
        let part = (length / PARTS).max(Duration::from_nanos(1));
        Self { part, counts: [0; KEPT], newest: 0 }
    }

    pub(super) fn add(&mut self, now: Duration) {
        self.move_on(now);
        let count = self.slot(self.newest);
        self.counts[count] += 1;
    }

    /// One that was counted and not sent.
    pub(super) fn take_back(&mut self) {
        let count = self.slot(self.newest);
        self.counts[count] = self.counts[count].saturating_sub(1);
    }

    pub(super) fn total(&mut self, now: Duration) -> u32 {
        self.move_on(now);
        self.counts.iter().sum()
    }

    /// When fewer than `most` will be counted, if none is added.
    pub(super) fn below(&mut self, most: u32, now: Duration) -> Duration {
        let mut left = self.total(now);
        let oldest = (self.newest + 1).saturating_sub(KEPT as u128);
        for number in oldest..=self.newest {
            if left < most {
                break;
            }
            left -= self.counts[self.slot(number)];
            if left < most {
                let parts = u32::try_from(number + KEPT as u128).unwrap_or(u32::MAX);
                return self.part * parts;
            }
        }
        now
    }

    fn move_on(&mut self, now: Duration) {
        let number = now.as_nanos() / self.part.as_nanos();
        let passed = number.saturating_sub(self.newest).min(KEPT as u128);
        for part in 0..passed {
            let slot = self.slot(number - part);
            self.counts[slot] = 0;
        }
        self.newest = self.newest.max(number);
    }

    const fn slot(&self, number: u128) -> usize {
        (number % self.counts.len() as u128) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_older_than_the_window_does_not_count() {
        let secs = Duration::from_secs;
        let mut window = Window::new(Duration::from_mins(1));
        assert_eq!(window.below(1, secs(0)), secs(0));
        for second in 0..60 {
            window.add(secs(second));
        }
        assert_eq!(window.total(secs(60)), 60);
        assert_eq!(window.total(secs(61)), 59);
        assert_eq!(window.below(60, secs(61)), secs(61));
        assert_eq!(window.below(50, secs(61)), secs(71));
        assert_eq!(window.total(secs(71)), 49);
        assert_eq!(window.total(secs(10_000)), 0);
    }

    #[test]
    fn it_never_counts_less_than_was_sent_in_a_minute() {
        let mut window = Window::new(Duration::from_mins(1));
        let mut sent = Vec::new();
        for step in 0..2_000_u32 {
            let now = Duration::from_millis(u64::from(step * 97 % 211) + u64::from(step) * 150);
            let last = sent.last().copied().unwrap_or_default();
            let now = now.max(last);
            window.add(now);
            sent.push(now);
            let real =
                sent.iter().filter(|at| now.saturating_sub(**at) < Duration::from_mins(1)).count();
            assert!(window.total(now) as usize >= real);
        }
    }
}
