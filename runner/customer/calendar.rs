//! Hours that come again: maintenance windows, hours in which nobody need be asked. Pure.
//!
//! Times are local. Where the clocks are put forward or back within an edge, the longer window is
//! meant: a system that is left alone an hour too long is the smaller mistake.

use jiff::Timestamp;
use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;

use crate::fields::{At, Fields, remedy_for_word};
use crate::finding::Findings;
use crate::yaml::Place;

const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

/// As jiff counts weekdays in a month: from the first one, or backwards from the last.
const WHICH: [(&str, i8); 6] =
    [("1st", 1), ("2nd", 2), ("3rd", 3), ("4th", 4), ("5th", 5), ("last", -1)];

/// A window on certain days, which may end on the next one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    /// On which days it begins.
    on: On,
    from: Time,
    /// On the same day if later than `from`, else on the next.
    until: Time,
    over_midnight: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum On {
    Days([bool; 7]),
    /// The second Tuesday of each month, and the like.
    Monthly {
        which: i8,
        day: Weekday,
    },
}

impl Calendar {
    /// When the window ends that this moment lies in.
    pub fn covering(&self, now: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let today = now.to_zoned(zone.clone()).date();
        // Tomorrow's may have begun where midnight itself is left out.
        let days = [today.yesterday().ok(), Some(today), today.tomorrow().ok()];
        let windows = days.into_iter().flatten().filter(|day| self.begins_on(*day));
        let covering = windows.filter_map(|day| {
            let from = zone.to_ambiguous_timestamp(day.to_datetime(self.from)).earlier().ok()?;
            let last = if self.over_midnight { day.tomorrow().ok()? } else { day };
            let until = zone.to_ambiguous_timestamp(last.to_datetime(self.until)).later().ok()?;
            (from..until).contains(&now).then_some(until)
        });
        covering.max()
    }

    fn begins_on(&self, date: Date) -> bool {
        match self.on {
            On::Days(days) => {
                let day = date.weekday().to_monday_zero_offset();
                usize::try_from(day).is_ok_and(|day| days[day])
            }
            On::Monthly { which, day } => {
                date.nth_weekday_of_month(which, day).is_ok_and(|it| it == date)
            }
        }
    }
}

/// Reads `days` or `monthly`, `from` and `until` of a mapping that may have further fields.
pub fn read(fields: &Fields<'_>, findings: &mut Findings) -> Option<Calendar> {
    let days = fields.texts("days", findings);
    let monthly = fields.text("monthly", findings);
    let from = fields.required_text("from", "\"02:00\"", findings);
    let until = fields.required_text("until", "\"05:00\"", findings);
    let on = match (days.first(), monthly) {
        (Some(_), Some(monthly)) => {
            let both = "'days' and 'monthly' say both when it is";
            bad(findings, monthly.place, both.to_owned(), "remove one of the two");
            None
        }
        (_, Some(monthly)) => read_monthly(&monthly, findings),
        (_, None) => read_days(&days, findings),
    };
    let (from, until) = (from?, until?);
    let begins = read_minutes(&from, findings);
    let ends = read_minutes(&until, findings);
    let (on, begins, ends) = (on?, begins?, ends?);
    if begins == ends || begins == DAY {
        let text = format!("it begins at {} and ends at {}", from.value, until.value);
        bad(findings, until.place, text, "write from \"00:00\" until \"24:00\" for whole days");
        return None;
    }
    let over_midnight = ends < begins || ends == DAY;
    Some(Calendar { on, from: time(begins), until: time(ends), over_midnight })
}

fn read_days(days: &[At<String>], findings: &mut Findings) -> Option<On> {
    let mut on = [days.is_empty(); 7];
    let mut all_known = true;
    for day in days {
        if let Some(index) = DAYS.iter().position(|(word, _)| *word == day.value) {
            on[index] = true;
        } else {
            all_known = false;
            unknown_day(day.place, &day.value, findings);
        }
    }
    all_known.then_some(On::Days(on))
}

fn unknown_day(place: Place, day: &str, findings: &mut Findings) {
    let remedy = remedy_for_word(day, &DAYS.map(|(word, _)| word));
    bad(findings, place, format!("'{day}' is not a day"), &remedy);
}

fn read_monthly(at: &At<String>, findings: &mut Findings) -> Option<On> {
    let mut words = at.value.split_whitespace();
    let (which, day) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let which = WHICH.iter().find(|(word, _)| *word == which);
    let known = DAYS.iter().find(|(word, _)| *word == day);
    match (which, known, words.next()) {
        (Some((_, which)), Some((_, day)), None) => Some(On::Monthly { which: *which, day: *day }),
        (Some(_), None, None) if !day.is_empty() => {
            unknown_day(at.place, day, findings);
            None
        }
        _ => {
            let text = format!("'{}' is not a day of each month", at.value);
            bad(findings, at.place, text, "write it as \"2nd tue\" or \"last fri\"");
            None
        }
    }
}

/// Minutes of a day.
const DAY: i16 = 24 * 60;

/// Minutes from midnight: of `09:00`, and of `24:00`, the end of a day.
fn read_minutes(at: &At<String>, findings: &mut Findings) -> Option<i16> {
    let parsed = at.value.trim().split_once(':').and_then(|(hour, minute)| {
        let (hour, minute): (i16, i16) = (hour.parse().ok()?, minute.parse().ok()?);
        let is_time = (0..24).contains(&hour) && (0..60).contains(&minute);
        (is_time || (hour, minute) == (24, 0)).then_some(hour * 60 + minute)
    });
    if parsed.is_none() {
        let text = format!("'{}' is not a time of day", at.value);
        bad(findings, at.place, text, "write it as \"09:00\", in quotes");
    }
    parsed
}

/// The end of a day is the next one's beginning.
fn time(minutes: i16) -> Time {
    let of_day = minutes % DAY;
    let part = |part: i16| i8::try_from(part).unwrap_or_default();
    Time::new(part(of_day / 60), part(of_day % 60), 0, 0).unwrap_or_default()
}

fn bad(findings: &mut Findings, place: Place, message: String, remedy: &str) {
    findings.add("bad-calendar", place, message, remedy);
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::fields::read_file;

    fn calendar(text: &str) -> Result<Calendar, String> {
        let read = read_file(Path::new("x.yaml"), text, |node, findings| {
            let fields = Fields::of(node, "a window", findings)?;
            let calendar = read(&fields, findings);
            fields.finish(findings);
            calendar
        });
        read.map(|(calendar, _)| calendar).map_err(|findings| findings[0].to_string())
    }

    fn zone(name: &str) -> TimeZone {
        TimeZone::get(name).unwrap()
    }

    /// When the window ends that this moment is in, in local time.
    fn ends(calendar: &Calendar, zone: &TimeZone, at: &str) -> String {
        let at: Timestamp = at.parse().unwrap();
        let until = calendar.covering(at, zone);
        until.map_or_else(String::new, |it| {
            it.to_zoned(zone.clone()).strftime("%a %d %H:%M %Z").to_string()
        })
    }

    #[test]
    fn a_window_of_the_week_in_the_customer_s_zone() {
        let window = calendar("{days: [sun], from: \"02:00\", until: \"05:00\"}").unwrap();
        let tokyo = zone("Asia/Tokyo");
        // Sunday 2026-03-01 in Tokyo.
        assert_eq!(ends(&window, &tokyo, "2026-03-01T01:59:59+09:00"), "");
        assert_eq!(ends(&window, &tokyo, "2026-03-01T02:00:00+09:00"), "Sun 01 05:00 JST");
        assert_eq!(ends(&window, &tokyo, "2026-03-01T04:59:59+09:00"), "Sun 01 05:00 JST");
        assert_eq!(ends(&window, &tokyo, "2026-03-01T05:00:00+09:00"), "");
        assert_eq!(ends(&window, &tokyo, "2026-03-02T03:00:00+09:00"), "", "Monday");
        assert_eq!(ends(&window, &zone("UTC"), "2026-03-01T03:00:00+09:00"), "", "Saturday there");
    }

    #[test]
    fn a_window_over_midnight_belongs_to_the_day_it_begins_on() {
        let window = calendar("{monthly: 2nd tue, from: \"22:00\", until: \"06:00\"}").unwrap();
        let tokyo = zone("Asia/Tokyo");
        // The second Tuesday of March 2026 is the 10th.
        assert_eq!(ends(&window, &tokyo, "2026-03-10T23:00:00+09:00"), "Wed 11 06:00 JST");
        assert_eq!(ends(&window, &tokyo, "2026-03-11T05:59:00+09:00"), "Wed 11 06:00 JST");
        assert_eq!(ends(&window, &tokyo, "2026-03-10T05:59:00+09:00"), "", "it begins that night");
        assert_eq!(ends(&window, &tokyo, "2026-03-03T23:00:00+09:00"), "", "the first one");
        let last = calendar("{monthly: last tue, from: \"00:00\", until: \"24:00\"}").unwrap();
        assert_eq!(ends(&last, &tokyo, "2026-03-31T23:59:59+09:00"), "Wed 01 00:00 JST");
        assert_eq!(ends(&last, &tokyo, "2026-04-01T00:00:00+09:00"), "");
        let fifth = calendar("{monthly: 5th mon, from: \"01:00\", until: \"02:00\"}").unwrap();
        assert_eq!(ends(&fifth, &tokyo, "2026-03-30T01:30:00+09:00"), "Mon 30 02:00 JST");
        assert_eq!(ends(&fifth, &tokyo, "2026-04-27T01:30:00+09:00"), "", "April has four");
    }

    /// New York, 2026-03-08: 02:00 to 03:00 is left out.
    #[test]
    fn where_an_hour_is_left_out_the_window_is_not_shorter_than_it_says() {
        let new_york = zone("America/New_York");
        let over = calendar("{days: [sun], from: \"01:00\", until: \"04:00\"}").unwrap();
        assert_eq!(ends(&over, &new_york, "2026-03-08T01:30:00-05:00"), "Sun 08 04:00 EDT");
        assert_eq!(ends(&over, &new_york, "2026-03-08T03:30:00-04:00"), "Sun 08 04:00 EDT");
        let within = calendar("{days: [sun], from: \"02:15\", until: \"02:45\"}").unwrap();
        assert_eq!(ends(&within, &new_york, "2026-03-08T01:30:00-05:00"), "Sun 08 03:45 EDT");
        assert_eq!(ends(&within, &new_york, "2026-03-08T03:15:00-04:00"), "Sun 08 03:45 EDT");
        assert_eq!(ends(&within, &new_york, "2026-03-15T02:30:00-04:00"), "Sun 15 02:45 EDT");
    }

    /// New York, 2026-11-01: 01:00 to 02:00 comes twice.
    #[test]
    fn where_an_hour_comes_twice_the_window_has_both() {
        let new_york = zone("America/New_York");
        let window = calendar("{days: [sun], from: \"01:15\", until: \"01:45\"}").unwrap();
        for at in ["2026-11-01T01:15:00-04:00", "2026-11-01T01:50:00-04:00"] {
            assert_eq!(ends(&window, &new_york, at), "Sun 01 01:45 EST", "{at}");
        }
        assert_eq!(ends(&window, &new_york, "2026-11-01T01:44:59-05:00"), "Sun 01 01:45 EST");
        assert_eq!(ends(&window, &new_york, "2026-11-01T01:45:00-05:00"), "");
        let night = calendar("{days: [sat], from: \"22:00\", until: \"06:00\"}").unwrap();
        assert_eq!(ends(&night, &new_york, "2026-11-01T05:59:00-05:00"), "Sun 01 06:00 EST");
    }

    #[test]
    fn every_day_is_meant_where_none_is_named() {
        let window = calendar("{from: \"00:00\", until: \"24:00\"}").unwrap();
        for day in 1..=7 {
            let at: Timestamp = format!("2026-03-0{day}T12:00:00Z").parse().unwrap();
            assert!(window.covering(at, &TimeZone::UTC).is_some());
        }
    }

    #[test]
    fn what_is_no_calendar_is_told() {
        let hours = "from: \"02:00\", until: \"05:00\"";
        for (text, told) in [
            (format!("{{days: [sunday], {hours}}}"), "'sunday' is not a day"),
            (format!("{{monthly: 2nd, {hours}}}"), "is not a day of each month"),
            (format!("{{monthly: 6th tue, {hours}}}"), "is not a day of each month"),
            (format!("{{monthly: 2nd tuesday, {hours}}}"), "'tuesday' is not a day"),
            (format!("{{monthly: 2nd tue, days: [sun], {hours}}}"), "say both"),
            ("{from: \"02:00\", until: \"02:00\"}".to_owned(), "begins at 02:00 and ends at"),
            ("{from: \"24:00\", until: \"02:00\"}".to_owned(), "begins at 24:00"),
            ("{from: \"2\", until: \"02:00\"}".to_owned(), "'2' is not a time of day"),
            ("{from: \"25:00\", until: \"02:00\"}".to_owned(), "'25:00' is not a time of day"),
        ] {
            let found = calendar(&text).unwrap_err();
            assert!(found.contains(told), "{text}: {found}");
        }
    }
}
