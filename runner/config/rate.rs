//! `pagerduty.requests_per_minute`: how much the account's key may send.

use super::source::Source;
use crate::fields::At;
use crate::finding::Findings;
use crate::limits::{PAGERDUTY_PER_MINUTE, PAGERDUTY_PER_MINUTE_FROM, PAGERDUTY_PER_MINUTE_TO};

const KEY: &str = "requests_per_minute";

/// With a mistake nothing starts.
pub(super) fn read(source: &Source<'_>, findings: &mut Findings) -> u32 {
    let Some(At { place, value }) = source.text(KEY, findings) else { return PAGERDUTY_PER_MINUTE };
    let bounds = PAGERDUTY_PER_MINUTE_FROM..=PAGERDUTY_PER_MINUTE_TO;
    let number = value.parse().ok().filter(|number| bounds.contains(number));
    if number.is_none() {
        let message = format!(
            "is '{value}', which is no number from {PAGERDUTY_PER_MINUTE_FROM} to \
             {PAGERDUTY_PER_MINUTE_TO}"
        );
        let remedy = "leave it out (960), or write what PagerDuty allows your key";
        source.bad((place, KEY), &message, remedy, findings);
    }
    number.unwrap_or(PAGERDUTY_PER_MINUTE)
}
