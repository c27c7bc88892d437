//! Which time is meant.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::limits;

/// From then on, and until then; all there is of a file unless something is said.
pub(super) fn span(
    (since, until): (Option<&str>, Option<&str>),
    is_file: bool,
    (now, zone): (Timestamp, &TimeZone),
) -> Result<(Timestamp, Timestamp), String> {
    let until = match until {
        Some(text) => {
            let next = day(text)?.tomorrow().map_err(|error| error.to_string())?;
            begin(next, zone)?
        }
        None if is_file => Timestamp::MAX,
        None => now,
    };
    let days = |days: i64| SignedDuration::from_hours(24 * days);
    let since = match since {
        Some(text) => match text.trim().strip_suffix('d').map(str::parse::<u16>) {
            Some(Ok(back)) => now - days(i64::from(back)),
            _ => begin(day(text)?, zone)?,
        },
        None if is_file => Timestamp::MIN,
        None => until.min(now) - days(limits::BACKTEST_DAYS),
    };
    if since >= until {
        return Err("--since must be before --until".to_owned());
    }
    if !is_file && until.duration_since(since) > days(limits::BACKTEST_DAYS_MOST) {
        let most = limits::BACKTEST_DAYS_MOST;
        return Err(format!("that is more than {most} days; ask for fewer"));
    }
    Ok((since, until))
}

fn day(text: &str) -> Result<Date, String> {
    let read = text.trim().parse();
    read.map_err(|_| {
        format!("'{text}' is no day; write for example 2026-10-01, or 90d for --since")
    })
}

fn begin(day: Date, zone: &TimeZone) -> Result<Timestamp, String> {
    day.to_zoned(zone.clone()).map(|it| it.timestamp()).map_err(|error| error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_back_days_and_all_of_a_file() {
        let now: Timestamp = "2026-03-04T12:00:00Z".parse().unwrap();
        let zone = TimeZone::get("Asia/Tokyo").unwrap();
        let of = |since, until, is_file| {
            span((since, until), is_file, (now, &zone)).map(|(a, b)| (a.to_string(), b.to_string()))
        };
        let pair = |a: &str, b: &str| Ok((a.to_owned(), b.to_owned()));
        assert_eq!(
            of(Some("2d"), None, false),
            pair("2026-03-02T12:00:00Z", "2026-03-04T12:00:00Z")
        );
        assert_eq!(
            of(Some("2026-03-01"), Some("2026-03-01"), false),
            pair("2026-02-28T15:00:00Z", "2026-03-01T15:00:00Z")
        );
        assert_eq!(span((None, None), true, (now, &zone)), Ok((Timestamp::MIN, Timestamp::MAX)));
        assert!(of(Some("2026-03-02"), Some("2026-03-01"), false).unwrap_err().contains("before"));
        assert!(of(Some("2019-01-01"), None, false).unwrap_err().contains("1100 days"));
        assert!(of(Some("90"), None, false).unwrap_err().contains("90d for --since"));
    }
}
