//! Lists: filters, order, pages.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use super::refusal::Refusal;
use super::state::{Entry, IncidentView, LogEntry, State};
use super::{json, log};

/// Rows of a page if the request does not say.
const PAGE: usize = 25;
const PAGE_AT_MOST: usize = 100;
/// Farther into a list PagerDuty does not go.
const REACH: usize = 10_000;
/// How far back incidents are listed if the request does not say, and how long from `since` on if only
/// that is said.
const WINDOW: SignedDuration = SignedDuration::from_hours(24 * 30);
/// The longest time between `since` and `until`: six months.
const LONGEST_WINDOW: SignedDuration = SignedDuration::from_hours(24 * 184);

/// The query of a request, in its order; a name may come more than once.
pub(super) struct Query(pub(super) Vec<(String, String)>);

impl Query {
    fn one<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.all(name).next()
    }

    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let named = move |pair: &&(String, String)| pair.0 == name;
        self.0.iter().filter(named).map(|pair| pair.1.as_str())
    }

    /// True if the list is absent or has the value in it.
    pub(super) fn allows(&self, name: &str, value: &str) -> bool {
        self.one(name).is_none() || self.all(name).any(|one| one == value)
    }

    fn number(&self, name: &str, default: usize) -> Result<usize, Refusal> {
        let parsed = self.one(name).map(str::parse).transpose();
        let bad = |_| Refusal::invalid(&format!("{name} must be a number"));
        Ok(parsed.map_err(bad)?.unwrap_or(default))
    }

    fn time(&self, name: &str) -> Result<Option<Timestamp>, Refusal> {
        let parsed = self.one(name).map(str::parse).transpose();
        parsed.map_err(|_| Refusal::invalid(&format!("{name} must be a time with an offset")))
    }
}

pub(super) fn incidents(state: &State, query: &Query, now: Timestamp) -> Result<Value, Refusal> {
    let (said, until) = (query.time("since")?, query.time("until")?);
    let since = said.unwrap_or(now - WINDOW);
    let until = until.or(said.map(|since| since + WINDOW));
    let all_dates = query.one("date_range") == Some("all");
    let is_long = until.unwrap_or(now).duration_since(since) > LONGEST_WINDOW;
    if is_long && !all_dates {
        return Err(Refusal::invalid("since and until may be six months apart at most"));
    }
    let in_window = |incident: &IncidentView| {
        let made = incident.created_at;
        all_dates || (made >= since && until.is_none_or(|until| made < until))
    };
    let wanted = |incident: &&IncidentView| {
        in_window(incident)
            && query.allows("statuses[]", incident.status.word())
            && query.allows("urgencies[]", incident.urgency.word())
            && query.allows("service_ids[]", state.directory.service.id)
    };
    let mut found: Vec<&IncidentView> = state.incidents().iter().filter(wanted).collect();
    if query.one("sort_by").is_some_and(|order| order.ends_with(":desc")) {
        found.reverse();
    }
    page_of("incidents", found, query, |incident| json::incident(&state.directory, incident))
}

/// Of one incident or of all, newest first. Changes of a field stand in the incident's list only.
pub(super) fn log_entries(
    state: &State,
    of: Option<&IncidentView>,
    query: &Query,
) -> Result<Value, Refusal> {
    let since = query.time("since")?;
    let until = query.time("until")?;
    let overview = query.one("is_overview") == Some("true");
    let wanted = |entry: &LogEntry| {
        since.is_none_or(|since| entry.at >= since)
            && until.is_none_or(|until| entry.at < until)
            && !(overview && matches!(entry.what, Entry::Paged { .. }))
            && (of.is_some() || !log::is_field_change(&entry.what))
    };
    let mut found: Vec<(Timestamp, Value)> = Vec::new();
    for incident in of.map_or(state.incidents(), std::slice::from_ref) {
        let entries = incident.log.iter().filter(|entry| wanted(entry));
        found.extend(entries.filter_map(|entry| {
            let row = log::log_entry(&state.directory, incident, entry)?;
            Some((entry.at, row))
        }));
    }
    found.sort_by_key(|(at, _)| *at);
    let rows = found.into_iter().rev().map(|(_, row)| row);
    page("log_entries", rows.collect(), query)
}

/// The page the query asks for, as the only list in the answer.
pub(super) fn page(name: &str, rows: Vec<Value>, query: &Query) -> Result<Value, Refusal> {
    page_of(name, rows, query, |row| row)
}

/// The same of what is written as JSON only where it is on the page.
fn page_of<T>(
    name: &str,
    rows: Vec<T>,
    query: &Query,
    row: impl Fn(T) -> Value,
) -> Result<Value, Refusal> {
    let limit = query.number("limit", PAGE)?.clamp(1, PAGE_AT_MOST);
    let offset = query.number("offset", 0)?;
    if offset.saturating_add(limit) > REACH {
        return Err(Refusal::page_too_far());
    }
    let total = (query.one("total") == Some("true")).then_some(rows.len());
    let more = rows.len() > offset + limit;
    let rows: Vec<Value> = rows.into_iter().skip(offset).take(limit).map(row).collect();
    let mut answer = json!({ "limit": limit, "offset": offset, "more": more, "total": total });
    json::add(&mut answer, name, Some(rows.into()));
    Ok(answer)
}
