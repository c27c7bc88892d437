//! Bounds of paging people.

use std::time::Duration;

use jiff::SignedDuration;

/// One region's try to page somebody by PagerDuty, all ways and attempts together; then another
/// region tries, and after it the last resort. PagerDuty's client tries one way for some twelve
/// seconds where it is refused in passing.
pub const PAGE_WITHIN: Duration = Duration::from_mins(1);

/// Between two rounds over all ways to page and the last resort, when none of them worked.
pub const PAGE_AGAIN: Duration = Duration::from_secs(15);

/// Users that are paged at once without a policy; more than a few is what policies are for.
pub const PAGED_DIRECTLY: usize = 20;

/// One request of a last resort, connection included.
pub const LAST_RESORT_REQUEST: Duration = Duration::from_secs(10);

/// Attempts of one call of a last resort; the round after it comes within [`PAGE_AGAIN`].
pub const LAST_RESORT_ATTEMPTS: u32 = 3;

/// Wait between two of them.
pub const LAST_RESORT_WAIT: Duration = Duration::from_millis(500);

/// Characters of an event's summary (PagerDuty Events API v2, `payload.summary`).
pub const EVENT_SUMMARY_CHARS: usize = 1_024;

/// Log entries of an incident looked at for a page that an earlier owner has sent. They are the
/// newest ones, since its end was recorded.
pub const LOG_ENTRIES: usize = 100;

/// Services whose acknowledgement timeout is remembered: some thousand customers with a few each.
pub const SERVICES_REMEMBERED: usize = 8_192;

/// How long that counts. Operators change it once in the life of a service.
pub const SERVICE_KNOWN: Duration = Duration::from_mins(10);

/// By how much PagerDuty's clock and ours may differ, before what came before a moment is taken for
/// something after it.
pub const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_secs(5);

/// How long a page waits for one look at the incident: after that people are paged with what is known.
pub const LOOK_BEFORE_PAGE: Duration = Duration::from_secs(10);

/// A request whose sender has gone away is carried out within this, if it ever is.
pub const REQUEST_ARRIVES: Duration = Duration::from_secs(4);
