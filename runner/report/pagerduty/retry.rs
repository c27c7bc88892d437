//! When a call is tried again, and after how long. Pure.

use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use reqwest::header::HeaderMap;

use super::budget::Said;
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

    /// Added to the wait that PagerDuty names: everybody it turned away was told the same second.
    pub(super) fn spread(&self) -> Duration {
        Self { attempts: 2, ..*self }.waits().next().unwrap_or_default()
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

/// What the `ratelimit-…` headers say. PagerDuty REST docs, Rate Limits: there is no `Retry-After`,
/// and a 429 may come without any of these headers.
pub(super) fn rate_limit(headers: &HeaderMap) -> Said {
    let text = |name| headers.get(name)?.to_str().ok().map(str::trim);
    let number = |name| text(name)?.parse().ok();
    let seconds = || Duration::try_from_secs_f64(text("ratelimit-reset")?.parse().ok()?).ok();
    Said {
        limit: number("ratelimit-limit"),
        remaining: number("ratelimit-remaining"),
        reset: seconds(),
    }
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
    fn headers_say_what_is_left_and_for_how_long() {
        let said = |reset: &str| {
            let mut headers = HeaderMap::new();
            headers.insert("ratelimit-limit", "960".parse().unwrap());
            headers.insert("ratelimit-remaining", "12".parse().unwrap());
            headers.insert("ratelimit-reset", reset.parse().unwrap());
            let Said { limit, remaining, reset } = rate_limit(&headers);
            assert_eq!((limit, remaining), (Some(960), Some(12)));
            reset
        };
        assert_eq!(said("7"), Some(Duration::from_secs(7)));
        assert_eq!(said(" 0.5 "), Some(Duration::from_millis(500)));
        for odd in ["", "-3", "soon", "NaN", "inf"] {
            assert_eq!(said(odd), None, "{odd:?}");
        }
        assert_eq!(rate_limit(&HeaderMap::new()), Said::default());
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
