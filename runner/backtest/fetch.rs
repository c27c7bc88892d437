//! Past incidents out of `PagerDuty`, page by page and window by window.
//!
//! A list ends at 10,000 entries and a question at six months, and nobody says whether its times are
//! taken to the second or to the day. So windows overlap, a list that is too long is asked for
//! again from its last time on, and what comes twice counts once.

use std::collections::HashSet;
use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use tokio::time::MissedTickBehavior;

use crate::incident::IncidentId;
use crate::limits;
use crate::report::pagerduty::PagerDuty;
use crate::report::{PastIncident, PlatformError};

/// By which windows overlap: where only the day of a time is taken.
const OVERLAP: SignedDuration = SignedDuration::from_hours(24);

#[derive(Clone, Debug)]
pub struct Asked {
    pub since: Timestamp,
    pub until: Timestamp,
    /// Ids; all services if none is named.
    pub services: Vec<String>,
    /// Between two pages.
    pub page_every: Duration,
    /// How far lists go; less than [`limits::PAGERDUTY_LIST_REACH`] in tests.
    pub reach: usize,
}

#[derive(Debug, Default)]
pub struct Fetched {
    pub incidents: Vec<PastIncident>,
    pub requests: usize,
    /// Days of which not all could be listed.
    pub incomplete: Vec<Date>,
    /// There are more incidents than are looked at.
    pub is_cut: bool,
}

/// How far it is.
#[derive(Clone, Copy, Debug)]
pub struct Position {
    pub incidents: usize,
    pub at: Timestamp,
}

/// All of them; `page` is told what each page brought that was not known.
pub async fn fetch(
    platform: &PagerDuty,
    asked: &Asked,
    mut page: impl FnMut(Position, &[PastIncident]) -> Result<(), std::io::Error>,
) -> Result<Fetched, FetchError> {
    let mut ticks = tokio::time::interval(asked.page_every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut fetched = Fetched::default();
    let mut known: HashSet<IncidentId> = HashSet::new();
    let mut from = asked.since;
    while from < asked.until {
        let end = (from + limits::BACKTEST_WINDOW).min(asked.until);
        let (mut offset, mut last) = (0, from);
        from = loop {
            ticks.tick().await;
            fetched.requests += 1;
            let told = platform.past((from, end), &asked.services, offset).await?;
            last = told.incidents.iter().map(|it| it.created_at).fold(last, Timestamp::max);
            let mut new = told.incidents;
            new.retain(|it| {
                asked.since <= it.created_at
                    && it.created_at < asked.until
                    && known.insert(it.id.clone())
            });
            let (before, position) = (fetched.incidents.len(), last.min(end));
            fetched.incidents.extend(new);
            let incidents = fetched.incidents.len();
            page(Position { incidents, at: position }, &fetched.incidents[before..])?;
            if incidents > limits::BACKTEST_INCIDENTS {
                fetched.incidents.truncate(limits::BACKTEST_INCIDENTS);
                fetched.is_cut = true;
                return Ok(fetched);
            }
            if !told.more || told.listed == 0 {
                break if end < asked.until { end - OVERLAP } else { end };
            }
            offset += told.listed;
            if offset + limits::PAGERDUTY_PAGE > asked.reach {
                break beyond(from, last, &mut fetched.incomplete);
            }
        };
    }
    Ok(fetched)
}

/// Where to go on when a list is longer than it can be read: from the last time that was seen. Where
/// that is no step ahead, so many incidents are in one second, or `PagerDuty` takes days only; then
/// the rest of the day is lost.
fn beyond(from: Timestamp, last: Timestamp, incomplete: &mut Vec<Date>) -> Timestamp {
    let next = last - SignedDuration::from_secs(1);
    if next > from {
        return next;
    }
    let day = from.to_zoned(TimeZone::UTC).date();
    incomplete.push(day);
    let tomorrow = day.tomorrow().ok().and_then(|day| day.to_zoned(TimeZone::UTC).ok());
    tomorrow.map_or(Timestamp::MAX, |day| day.timestamp())
}

#[derive(Debug, thiserror::Error)]
pub enum FetchError {
    #[error(transparent)]
    Platform(#[from] PlatformError),
    #[error("what was fetched cannot be saved: {0}")]
    Save(#[from] std::io::Error),
}
