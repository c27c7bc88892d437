//! When a call is tried again, and after how long. Pure.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};

use crate::limits;

/// How often and how fast a call is repeated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pace {
    /// Attempts of one call, the first one included.
    pub attempts: usize,
    /// Before the second attempt; doubles with each further one, plus jitter.
    pub first_wait: Duration,
    /// Between two attempts, jitter included.
    pub longest_wait: Duration,
    /// Part of PagerDuty's `ratelimit-reset` that is honoured.
    pub rate_limit_wait: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self {
            attempts: limits::PAGERDUTY_ATTEMPTS,
            first_wait: limits::PAGERDUTY_FIRST_WAIT,
            longest_wait: limits::PAGERDUTY_LONGEST_WAIT,
            rate_limit_wait: limits::PAGERDUTY_RATE_LIMIT_WAIT,
        }
    }
}

impl Pace {
    /// The waits between the attempts, one fewer than there are attempts.
    pub(super) fn waits(&self) -> impl Iterator<Item = Duration> + Send + use<> {
        ExponentialBuilder::new()
            .with_min_delay(self.first_wait)
            // The series adds up to the same amount again as jitter, after its own bound.
            .with_max_delay(self.longest_wait / 2)
            .with_max_times(self.attempts.saturating_sub(1))
            .with_jitter()
            .build()
    }

    /// The wait before the next attempt, given the next one of the series and what PagerDuty said.
    /// The series is added to PagerDuty's wait: everybody it turned away was told the same second.
    pub(super) fn wait(&self, of_series: Duration, reset: Option<Duration>) -> Duration {
        match reset {
            Some(reset) => reset.min(self.rate_limit_wait) + of_series,
            None => of_series,
        }
    }
}

/// What an answer's status means for the call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    Done,
    /// Try again; a write may have taken effect although the answer does not say so.
    Later {
        may_have_worked: bool,
    },
    Never,
}

/// PagerDuty REST docs, Errors: 408, 429 and 5xx may be repeated, every other 4xx stays as it is.
/// Redirects are not followed, so a 3xx is final as well.
pub(super) fn judge(status: u16) -> Verdict {
    match status {
        200..=299 => Verdict::Done,
        // Refused by the limiter in front, before anything was done.
        429 => Verdict::Later { may_have_worked: false },
        408 | 500..=599 => Verdict::Later { may_have_worked: true },
        _ => Verdict::Never,
    }
}

/// Seconds of a `ratelimit-reset` header. PagerDuty REST docs, Rate Limits: there is no
/// `Retry-After`, and a 429 may come without any of these headers.
pub(super) fn rate_limit_reset(header: Option<&str>) -> Option<Duration> {
    let seconds: f64 = header?.trim().parse().ok()?;
    Duration::try_from_secs_f64(seconds).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_and_stay_within_their_bounds() {
        let pace = Pace { attempts: 12, ..Pace::default() };
        let waits: Vec<Duration> = pace.waits().collect();
        assert_eq!(waits.len(), 11);
        assert!(waits[0] >= pace.first_wait && waits[0] <= pace.first_wait * 2);
        assert!(waits[3] >= pace.first_wait * 8);
        assert!(waits.iter().all(|wait| *wait <= pace.longest_wait));
    }

    #[test]
    fn one_attempt_has_no_wait() {
        for attempts in [0, 1] {
            let pace = Pace { attempts, ..Pace::default() };
            assert_eq!(pace.waits().count(), 0);
        }
    }

    #[test]
    fn a_named_wait_is_honoured_and_capped() {
        let pace = Pace::default();
        let series = Duration::from_millis(300);
        let wait = |header| pace.wait(series, rate_limit_reset(header));
        assert_eq!(wait(Some("7")), Duration::from_millis(7_300));
        assert_eq!(wait(Some(" 0.5 ")), Duration::from_millis(800));
        assert_eq!(wait(Some("86400")), Duration::from_millis(60_300));
        for odd in [None, Some(""), Some("-3"), Some("soon"), Some("NaN"), Some("inf")] {
            assert_eq!(wait(odd), series, "{odd:?}");
        }
    }

    #[test]
    fn statuses_are_judged() {
        let later = |may_have_worked| Verdict::Later { may_have_worked };
        assert_eq!(judge(201), Verdict::Done);
        assert_eq!(judge(429), later(false));
        for status in [408, 500, 502, 503, 504] {
            assert_eq!(judge(status), later(true), "{status}");
        }
        for status in [301, 307, 400, 401, 402, 403, 404, 409, 413] {
            assert_eq!(judge(status), Verdict::Never, "{status}");
        }
    }
}
