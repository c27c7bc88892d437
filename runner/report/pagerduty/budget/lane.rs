//! In which order requests go when not all can.

use std::time::Duration;

use crate::limits;

/// What a request is for, the most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::report::pagerduty) enum Lane {
    /// Pages people, or is needed to know whom to page.
    Escalate,
    /// Ends an incident, leaves it to people without waking them, or is what a run must know to go on.
    Resolve,
    Title,
    Note,
    /// Lists that no page waits for.
    Look,
}

/// Those that share what pages leave, in their order.
pub(super) const BELOW_PAGES: [Lane; 4] = [Lane::Resolve, Lane::Title, Lane::Note, Lane::Look];

impl Lane {
    pub(super) const COUNT: usize = 5;

    pub(super) const fn index(self) -> usize {
        self as usize
    }

    /// How long one request waits for its turn.
    pub(super) const fn turn_within(self) -> Duration {
        match self {
            Self::Escalate => limits::PAGERDUTY_PAGE_TURN,
            _ => limits::PAGERDUTY_TURN,
        }
    }

    /// For how long it is sent again after 429.
    pub(in crate::report::pagerduty) const fn limited_for(self) -> Duration {
        match self {
            Self::Escalate => limits::PAGERDUTY_PAGE_LIMITED_FOR,
            _ => limits::PAGERDUTY_LIMITED_FOR,
        }
    }

    /// As metrics name it: one of [`crate::metrics::pagerduty::LANES`].
    pub(in crate::report::pagerduty) const fn word(self) -> &'static str {
        crate::metrics::pagerduty::LANES[self.index()]
    }
}
