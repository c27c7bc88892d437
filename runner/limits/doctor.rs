//! Bounds of what looks at a deployment from outside.

use std::time::Duration;

use jiff::SignedDuration;

/// Regions in the settings. Two are usual; each takes one of ten subscriptions.
pub const REGIONS: usize = 10;

/// Services, policies or on-call entries of an account that are looked at; farther into a list
/// PagerDuty does not go (PagerDuty REST docs, Pagination).
pub const ACCOUNT_ENTRIES: usize = 10_000;

/// Policies asked about in one request: about 1,500 characters of an address.
pub const POLICIES_PER_QUESTION: usize = 40;

/// Attempts of a call while a person waits for the answer.
pub const DOCTOR_ATTEMPTS: usize = 3;

/// How long a receiver may take to answer a webhook (PagerDuty developer docs, Webhooks, Behavior).
pub const RECEIVER_ANSWER: Duration = Duration::from_secs(5);

/// A receiver that takes this long for nothing will be late when there is something.
pub const RECEIVER_SLOW: Duration = Duration::from_secs(2);

/// By how much the clock may be wrong before webhooks look older than they are
/// ([`super::KNOWLEDGE_FRESH`]), and each costs one more question to PagerDuty.
pub const CLOCK_OFF: SignedDuration = SignedDuration::from_secs(5);

/// By how much it may be wrong before AWS refuses what is signed by it (15 min for DynamoDB; 5 min for
/// other services), with room: a clock that is a minute off is not set at all.
pub const CLOCK_WRONG: SignedDuration = SignedDuration::from_secs(60);

/// Level 1's time with AMS on it above which people learn late of what AMS leaves alone.
pub const FIRST_LEVEL: Duration = Duration::from_mins(30);

/// Names told in one line; the rest is a number.
pub const NAMES_TOLD: usize = 8;
