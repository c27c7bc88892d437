//! Bounds of what PagerDuty is asked for and told: how much, in which order, how long it may wait.

use std::time::Duration;

use super::RUNS_IN_FLIGHT;

/// Requests an account's key may send in a minute (PagerDuty REST docs, Rate Limits), unless the
/// settings say otherwise.
pub const PAGERDUTY_PER_MINUTE: u32 = 960;

/// What `pagerduty.requests_per_minute` may be. With fewer a run could not tell its end; more is
/// what a stand-in allows.
pub const PAGERDUTY_PER_MINUTE_FROM: u32 = 12;
pub const PAGERDUTY_PER_MINUTE_TO: u32 = 10_000_000;

/// Processes that are taken to share a key before their heartbeats were counted: two regions.
pub const PAGERDUTY_PROCESSES: u32 = 2;

/// Requests that wait for their turn, per lane. A run has one or two at a time.
pub const PAGERDUTY_QUEUE: usize = 2 * RUNS_IN_FLIGHT;

/// How long one request waits for its turn before it is given back to who wants it: two of
/// PagerDuty's windows.
pub const PAGERDUTY_TURN: Duration = Duration::from_mins(2);

/// The same for a page, which has other ways to go.
pub const PAGERDUTY_PAGE_TURN: Duration = Duration::from_secs(30);

/// For how long one call is sent again after 429 alone, which uses up no attempt.
pub const PAGERDUTY_LIMITED_FOR: Duration = Duration::from_mins(10);

/// The same for a page.
pub const PAGERDUTY_PAGE_LIMITED_FOR: Duration = Duration::from_secs(30);

/// Between two pages while PagerDuty answers 429, at most: one may get through at any time.
pub const PAGERDUTY_PAGE_GAP: Duration = Duration::from_secs(2);

/// How long lanes below pages hold back when an answer says that little is left for the key, before
/// one of them looks again.
pub const PAGERDUTY_LITTLE_LEFT: Duration = Duration::from_secs(2);

/// A request that waits this long for its turn makes a storm: notes are thinned.
pub const PAGERDUTY_STORM_WAIT: Duration = Duration::from_secs(5);

/// For how long none must have waited a second before a storm is over.
pub const PAGERDUTY_STORM_CALM: Duration = Duration::from_secs(15);

/// How old knowledge of an incident may be that people are paged with, once requests are scarce. A
/// person's acknowledgement comes by webhook; this is about one that was lost.
pub const KNOWLEDGE_WHEN_SCARCE: Duration = Duration::from_secs(30);

/// An escalation policy with who is on call is asked for once in this time, for all runs.
pub const POLICY_KEPT: Duration = Duration::from_secs(10);

/// That it cannot be read is remembered for this long: a hundred pages must not each find it out.
pub const POLICY_FAILURE_KEPT: Duration = Duration::from_secs(5);

/// Escalation policies remembered.
pub const POLICIES_KEPT: usize = 500;
