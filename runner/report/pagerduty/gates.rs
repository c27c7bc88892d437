//! What the account's plan does not have, remembered for a while: asking for it again with every
//! incident would cost the account requests and bring nothing.

use std::sync::{Mutex, PoisonError};

use tokio::time::Instant;

use crate::limits;

/// What PagerDuty sells apart, as far as AMS uses it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Feature {
    Priorities,
    StatusUpdates,
    CustomFields,
}

impl Feature {
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Priorities => "priorities",
            Self::StatusUpdates => "status updates",
            Self::CustomFields => "custom fields",
        }
    }

    /// An answer that means the account, or its key, has none of it. 402 is a plan's, 403 a key's.
    /// What is sent after a note went to the same incident is not told 404 for the incident's sake.
    pub(super) const fn is_lacking(self, status: u16) -> bool {
        match self {
            Self::Priorities => status == 402,
            Self::StatusUpdates | Self::CustomFields => matches!(status, 402..=404),
        }
    }
}

/// For one account; as many entries as there are features.
#[derive(Debug, Default)]
pub(super) struct Gates {
    lacking: Mutex<[Option<Instant>; 3]>,
}

impl Gates {
    /// Was it lacking a while ago?
    pub(super) fn is_closed(&self, feature: Feature) -> bool {
        let lacking = self.lacking.lock().unwrap_or_else(PoisonError::into_inner);
        lacking[feature as usize].is_some_and(|until| Instant::now() < until)
    }

    /// Takes note of an answer.
    pub(super) fn hear(&self, feature: Feature, status: u16) {
        if !feature.is_lacking(status) {
            return;
        }
        let until = Instant::now() + limits::PLAN_REMEMBERED;
        self.lacking.lock().unwrap_or_else(PoisonError::into_inner)[feature as usize] = Some(until);
        tracing::warn!(
            status,
            "PagerDuty has no {} for this account or key; AMS goes on without them and asks again \
             in {} min",
            feature.words(),
            limits::PLAN_REMEMBERED.as_secs() / 60,
        );
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_is_lacking_is_asked_for_again_later() {
        let gates = Gates::default();
        for status in [200, 400, 429, 500] {
            gates.hear(Feature::StatusUpdates, status);
        }
        // A key may be kept from one incident; a page must not lose its priority for an hour by that.
        gates.hear(Feature::Priorities, 403);
        assert!(!gates.is_closed(Feature::StatusUpdates) && !gates.is_closed(Feature::Priorities));
        gates.hear(Feature::StatusUpdates, 402);
        assert!(gates.is_closed(Feature::StatusUpdates));
        assert!(!gates.is_closed(Feature::CustomFields) && !gates.is_closed(Feature::Priorities));
        tokio::time::advance(limits::PLAN_REMEMBERED + Duration::from_secs(1)).await;
        assert!(!gates.is_closed(Feature::StatusUpdates));
    }
}
