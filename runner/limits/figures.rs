//! Bounds of figures: what runs are counted by, and past incidents against today's scenarios.

use std::time::Duration;

use jiff::SignedDuration;

/// How long what a run is counted by is kept: a year and a month, so that a month can be compared with
/// the same one of the year before.
pub const FIGURES_KEPT: SignedDuration = SignedDuration::from_hours(24 * 400);

/// Days of one report.
pub const REPORT_DAYS: i64 = 400;

/// Runs of one report. Each takes about half a kibibyte of memory.
pub const REPORT_RUNS: usize = 1_000_000;

/// Days that are read at once.
pub const REPORT_DAYS_AT_ONCE: usize = 8;

/// After a run its incident may be opened again; later than this, it is not looked for.
pub const REPORT_REOPENED_WITHIN: SignedDuration = SignedDuration::from_hours(24 * 7);

/// Characters of a customer's, service's or scenario's name in a run's figure.
pub const FIGURE_NAME_CHARS: usize = 120;

/// How long a person needs for the first response to an alert, unless the settings or the scenario
/// say so: opening it, finding the procedure, checking, recovering, verifying, writing it down.
pub const BY_HAND: Duration = Duration::from_mins(15);

/// Days of past incidents that are looked at, unless the command line says so, and at most.
pub const BACKTEST_DAYS: i64 = 90;
pub const BACKTEST_DAYS_MOST: i64 = 1_100;

/// Past incidents of one look, each about half a kibibyte of memory.
pub const BACKTEST_INCIDENTS: usize = 1_000_000;

/// Bytes of a file of past incidents. As PagerDuty writes them, an incident has some three thousand.
pub const BACKTEST_FILE_BYTES: u64 = 512 * 1024 * 1024;

/// Pages of past incidents a minute, unless the command line says so: a quarter of what PagerDuty allows
/// for an API key. The rest is for the incidents of this minute.
pub const BACKTEST_PAGES_PER_MINUTE: u32 = 240;

/// The shortest such time, whatever is asked for: 900 requests a minute.
pub const BACKTEST_PAGE_LEAST: Duration = Duration::from_millis(67);

/// One question for past incidents asks for so much time. PagerDuty takes up to six months (REST
/// docs, List incidents).
pub const BACKTEST_WINDOW: SignedDuration = SignedDuration::from_hours(24 * 30);

/// Entries of a page, the most PagerDuty gives (REST docs, Pagination).
pub const PAGERDUTY_PAGE: usize = 100;

/// Farther into one list PagerDuty does not go (REST docs, Pagination): `offset + limit`.
pub const PAGERDUTY_LIST_REACH: usize = 10_000;
