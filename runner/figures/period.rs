//! The days of a report. Pure.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, Unit};

use crate::limits;

/// From the beginning of a day until the end of a later one, in the operator's zone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Period {
    pub first: Date,
    pub last: Date,
    pub from: Timestamp,
    /// Not in it any more.
    pub until: Timestamp,
}

/// Days that are asked for when the last 30 are meant.
const USUAL_DAYS: i64 = 30;

impl Period {
    /// `first` and `last` as they were written, each a day or a month; without `last` until today,
    /// without `first` the 30 days until `last`. The message says what to write.
    pub fn of(
        first: Option<&str>,
        last: Option<&str>,
        (now, zone): (Timestamp, &TimeZone),
    ) -> Result<Self, String> {
        let today = now.to_zoned(zone.clone()).date();
        let last = last.map_or(Ok(today), |text| Ok::<_, String>(read(text)?.1))?;
        let first = match first {
            Some(text) => read(text)?.0,
            None => last.saturating_sub(Span::new().days(USUAL_DAYS - 1)),
        };
        let days = first.until((Unit::Day, last)).map_or(0, |span| i64::from(span.get_days()));
        if days < 0 {
            return Err(format!("{first} is after {last}: --from comes first"));
        }
        if days >= limits::REPORT_DAYS {
            let most = limits::REPORT_DAYS;
            return Err(format!("{first} to {last} are more than {most} days; ask for fewer"));
        }
        let begin = |date: Date| {
            date.to_zoned(zone.clone()).map(|it| it.timestamp()).map_err(|error| error.to_string())
        };
        let next = last.tomorrow().map_err(|error| error.to_string())?;
        Ok(Self { first, last, from: begin(first)?, until: begin(next)? })
    }

    pub fn has(&self, at: Timestamp) -> bool {
        self.from <= at && at < self.until
    }
}

/// First and last day of what was written.
fn read(text: &str) -> Result<(Date, Date), String> {
    if let Ok(day) = text.parse::<Date>() {
        return Ok((day, day));
    }
    let month = format!("{text}-01").parse::<Date>();
    month
        .map(|day| (day, day.last_of_month()))
        .map_err(|_| format!("'{text}' is no day; write for example 2026-10-01 or 2026-10"))
}

/// The Monday before.
pub(super) fn week(at: Timestamp, zone: &TimeZone) -> String {
    let day = at.to_zoned(zone.clone()).date();
    let since = i64::from(day.weekday().to_monday_zero_offset());
    day.saturating_sub(Span::new().days(since)).to_string()
}

pub(super) fn month(at: Timestamp, zone: &TimeZone) -> String {
    at.to_zoned(zone.clone()).strftime("%Y-%m").to_string()
}
