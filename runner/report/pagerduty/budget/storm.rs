//! When there is more to say than PagerDuty takes. Pure.

use std::time::Duration;

use crate::limits;

/// Waits shorter than this are no storm's.
const SHORT: Duration = Duration::from_secs(1);

#[derive(Debug, Default)]
pub(super) struct Storm {
    is_on: bool,
    /// Since when nobody has waited long.
    calm_since: Option<Duration>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turned {
    On,
    Off,
}

impl Storm {
    pub(super) const fn is_on(&self) -> bool {
        self.is_on
    }

    /// Takes note of who has waited longest.
    pub(super) fn look(&mut self, oldest: Option<Duration>, now: Duration) -> Option<Turned> {
        let waited = oldest.map_or(Duration::ZERO, |since| now.saturating_sub(since));
        if waited >= SHORT {
            self.calm_since = None;
        }
        let calm_since = *self.calm_since.get_or_insert(now);
        if waited >= limits::PAGERDUTY_STORM_WAIT && !self.is_on {
            self.is_on = true;
            return Some(Turned::On);
        }
        let is_calm = now.saturating_sub(calm_since) >= limits::PAGERDUTY_STORM_CALM;
        if self.is_on && is_calm {
            self.is_on = false;
            return Some(Turned::Off);
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_begins_with_a_long_wait_and_ends_with_a_calm_time() {
        let secs = Duration::from_secs;
        let mut storm = Storm::default();
        assert_eq!(storm.look(Some(secs(10)), secs(14)), None);
        assert_eq!(storm.look(Some(secs(10)), secs(15)), Some(Turned::On));
        assert_eq!(storm.look(Some(secs(18)), secs(20)), None, "still two seconds");
        assert_eq!(storm.look(None, secs(21)), None);
        assert_eq!(storm.look(Some(secs(30)), secs(32)), None, "again");
        assert_eq!(storm.look(None, secs(40)), None);
        assert_eq!(storm.look(None, secs(46)), None);
        assert!(storm.is_on());
        assert_eq!(storm.look(None, secs(47)), Some(Turned::Off));
        assert_eq!(storm.look(None, secs(99)), None);
    }
}
