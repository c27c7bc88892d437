//! Reading a mapping of a file that people write: typed fields, every mistake reported.
//!
//! A reader asks for the fields it knows; [`Fields::finish`] reports what was not asked for.
//! A field that is wrong gives a finding and `None`, and reading goes on, so that the author sees
//! all mistakes at once.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::path::Path;
use std::time::Duration;

use jiff::SignedDuration;

use crate::finding::{Finding, Findings, did_you_mean};
use crate::full_width;
use crate::yaml::{self, Key, Kind, Node, Place};

/// A value and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct At<T> {
    pub place: Place,
    pub value: T,
}

/// What a reader asked a mapping for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Of the mapping.
    pub place: Place,
    pub key: &'static str,
    /// What the field was read as: `text`, `a whole number` …; empty where it was looked for only.
    pub wanted: &'static str,
    /// The words that are possible, where it is one of some.
    pub words: Vec<&'static str>,
}

const NO_WORDS: &[(&str, ())] = &[];

thread_local! {
    /// Only while someone listens.
    static ASKED: RefCell<Option<Vec<Asked>>> = const { RefCell::new(None) };
}

/// Everything readers ask for while `read` runs in this thread: a test compares it with what
/// `ams schema` says.
#[doc(hidden)]
pub fn listen<T>(read: impl FnOnce() -> T) -> (T, Vec<Asked>) {
    ASKED.set(Some(Vec::new()));
    let result = read();
    (result, ASKED.take().unwrap_or_default())
}

/// One mapping being read.
pub struct Fields<'a> {
    /// What this mapping is, for messages: `the file`, `check`, `store`.
    what: String,
    place: Place,
    entries: &'a [(Key, Node)],
    asked: RefCell<Vec<&'static str>>,
}

impl<'a> Fields<'a> {
    /// `None`, with a finding, when the node is no mapping. An absent value (`steps:` with
    /// nothing behind it) is an empty one.
    pub fn of(node: &'a Node, what: &str, findings: &mut Findings) -> Option<Self> {
        let entries: &[(Key, Node)] = match &node.kind {
            Kind::Map(entries) => entries,
            Kind::Null => &[],
            other => {
                wrong_type(findings, node.place, what, "fields (`key: value` lines)", other);
                return None;
            }
        };
        let asked = RefCell::default();
        Some(Self { what: what.to_owned(), place: node.place, entries, asked })
    }

    pub const fn place(&self) -> Place {
        self.place
    }

    /// All entries, for mappings whose keys are the author's own (variables, environment).
    /// Every key counts as asked for.
    pub const fn all(&self) -> &'a [(Key, Node)] {
        self.entries
    }

    /// The node of a field, if it is there.
    pub fn get(&self, key: &'static str) -> Option<&'a Node> {
        self.asked.borrow_mut().push(key);
        self.tell(key, "", NO_WORDS);
        self.entries.iter().find(|(name, _)| name.name == key).map(|(_, node)| node)
    }

    fn tell<T>(&self, key: &'static str, wanted: &'static str, words: &[(&'static str, T)]) {
        ASKED.with_borrow_mut(|asked| {
            if let Some(asked) = asked {
                let words = words.iter().map(|(word, _)| *word).collect();
                asked.push(Asked { place: self.place, key, wanted, words });
            }
        });
    }

    /// The node of a field that must be there.
    pub fn required(
        &self,
        key: &'static str,
        example: &str,
        findings: &mut Findings,
    ) -> Option<&'a Node> {
        let node = self.get(key);
        if node.is_none() {
            self.missing(key, example, findings);
        }
        node
    }

    /// Says that a field must be there.
    pub fn missing(&self, key: &'static str, example: &str, findings: &mut Findings) {
        findings.add(
            "missing-field",
            self.place,
            format!("{} has no '{key}'", self.what),
            format!("add a line, for example: {key}: {example}"),
        );
    }

    pub fn text(&self, key: &'static str, findings: &mut Findings) -> Option<At<String>> {
        text(self.get(key)?, key, findings)
    }

    pub fn required_text(
        &self,
        key: &'static str,
        example: &str,
        findings: &mut Findings,
    ) -> Option<At<String>> {
        text(self.required(key, example, findings)?, key, findings)
    }

    pub fn number(&self, key: &'static str, findings: &mut Findings) -> Option<At<i64>> {
        self.tell(key, "a whole number", NO_WORDS);
        let node = self.get(key)?;
        match node.kind {
            Kind::Int(value) => Some(At { place: node.place, value }),
            ref other => {
                wrong_type(findings, node.place, key, "a whole number", other);
                None
            }
        }
    }

    /// A duration such as `30s`, `5m`, `1h 30m`; more than nothing.
    pub fn duration(&self, key: &'static str, findings: &mut Findings) -> Option<At<Duration>> {
        self.tell(key, "a length of time", NO_WORDS);
        let node = self.get(key)?;
        let At { place, value } = text(node, key, findings)?;
        if let Some(value) = parse_duration(&value) {
            return Some(At { place, value });
        }
        findings.add(
            "bad-duration",
            place,
            format!("'{key}: {value}' is not a length of time"),
            "write a number with its unit: 30s, 5m, 1h 30m; a year is the most",
        );
        None
    }

    /// A list of texts; a single text counts as a list of one.
    pub fn texts(&self, key: &'static str, findings: &mut Findings) -> Vec<At<String>> {
        self.tell(key, "texts", NO_WORDS);
        match self.get(key) {
            None => Vec::new(),
            Some(Node { kind: Kind::List(items), .. }) => {
                items.iter().filter_map(|item| text(item, key, findings)).collect()
            }
            Some(single) => text(single, key, findings).into_iter().collect(),
        }
    }

    /// One of the words given.
    pub fn word<T: Clone>(
        &self,
        key: &'static str,
        words: &[(&'static str, T)],
        findings: &mut Findings,
    ) -> Option<At<T>> {
        self.tell(key, "a word", words);
        let At { place, value } = self.text(key, findings)?;
        if let Some((_, meaning)) = words.iter().find(|(word, _)| *word == value) {
            return Some(At { place, value: meaning.clone() });
        }
        let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
        findings.add(
            "unknown-word",
            place,
            format!("'{key}: {value}' means nothing here"),
            remedy_for_word(&value, &known),
        );
        None
    }

    /// Reports the keys nobody asked for.
    pub fn finish(self, findings: &mut Findings) {
        let mut asked = self.asked.into_inner();
        let mut seen = BTreeSet::new();
        asked.retain(|key| seen.insert(*key));
        for (key, _) in self.entries.iter().filter(|(key, _)| !asked.contains(&key.name.as_str())) {
            let remedy = if full_width::is_indented(&key.name) {
                "the line is indented with full-width spaces: use half-width ones".to_owned()
            } else {
                remedy_for_word(&key.name, &asked)
            };
            let message = format!("{} has no field '{}'", self.what, key.name);
            findings.add("unknown-key", key.place, message, remedy);
        }
    }
}

/// Reads a file that people write: what it says and its warnings, or everything that is wrong.
pub fn read_file<T>(
    path: &Path,
    content: &str,
    read: impl FnOnce(&Node, &mut Findings) -> Option<T>,
) -> Result<(T, Vec<Finding>), Vec<Finding>> {
    let mut findings = Findings::of(path);
    let node = match yaml::parse(content) {
        Ok(node) => node,
        Err(error) => {
            findings.add("syntax", error.place, error.message, error.remedy);
            return Err(findings.into_sorted());
        }
    };
    match read(&node, &mut findings) {
        Some(read) if !findings.has_errors() => Ok((read, findings.into_sorted())),
        _ => Err(findings.into_sorted()),
    }
}

/// `30s`, `5m`, `1h 30m`, `1d`; `None` for anything else, for nothing at all and for more than a
/// year. A day is 24 hours.
pub fn parse_duration(text: &str) -> Option<Duration> {
    let (days, rest) = days(text.trim());
    let parsed = match (days, rest) {
        (None, text) => text.parse::<SignedDuration>().ok()?,
        (Some(days), "") => days,
        (Some(days), rest) => days.checked_add(rest.parse().ok()?)?,
    };
    let is_usable = |it: &Duration| !it.is_zero() && *it <= LONGEST_DURATION;
    Duration::try_from(parsed).ok().filter(is_usable)
}

/// The days that it begins with, and what is behind them.
fn days(text: &str) -> (Option<SignedDuration>, &str) {
    let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    let Some(rest) = text[digits..].strip_prefix('d') else { return (None, text) };
    let hours = text[..digits].parse().ok().and_then(|days: i64| days.checked_mul(24));
    match hours.and_then(SignedDuration::try_from_hours) {
        Some(days) if !rest.starts_with(|c: char| c.is_ascii_alphabetic()) => {
            (Some(days), rest.trim_start())
        }
        _ => (None, text),
    }
}

/// A year; beyond it sums of times leave the calendar.
const LONGEST_DURATION: Duration = Duration::from_hours(24 * 366);

/// `90s` as `1m 30s`, for people.
pub fn duration_words(duration: Duration) -> String {
    SignedDuration::try_from(duration)
        .map_or_else(|_| format!("{duration:?}"), |it| format!("{it:#}"))
}

/// A scalar as text. Numbers and truth values count as the text they were written as, except that
/// `1.50` has lost its zero: authors quote such values.
pub fn text(node: &Node, key: &str, findings: &mut Findings) -> Option<At<String>> {
    let value = match &node.kind {
        Kind::Text(text) => text.clone(),
        Kind::Int(number) => number.to_string(),
        Kind::Bool(value) => value.to_string(),
        other => {
            wrong_type(findings, node.place, key, "text", other);
            return None;
        }
    };
    Some(At { place: node.place, value })
}

pub fn wrong_type(findings: &mut Findings, place: Place, what: &str, wanted: &str, found: &Kind) {
    let instead = format!("write {wanted} here");
    let is_text = wanted == "text";
    let (is, remedy) = match found {
        Kind::Null => ("empty", "write the value behind the colon, or leave the line out"),
        Kind::Bool(_) => ("true or false", "put the value in quotes if it is meant as text"),
        Kind::Int(_) => ("a number", instead.as_str()),
        Kind::Float(_) => ("a decimal number", "put the value in quotes if it is meant as text"),
        Kind::Text(_) => ("text", instead.as_str()),
        Kind::List(_) if is_text => ("a list", "write one value, without '- ' or [ ]"),
        Kind::List(_) => ("a list", instead.as_str()),
        Kind::Map(_) if is_text => ("a mapping", "put text that contains ': ' in quotes"),
        Kind::Map(_) => ("a mapping", instead.as_str()),
    };
    let message = format!("'{what}' is {is}, but it must be {wanted}");
    findings.add("wrong-type", place, message, remedy);
}

/// `did you mean 'x'?`, or all that is possible.
pub fn remedy_for_word(written: &str, known: &[&str]) -> String {
    match did_you_mean(written, known.iter().copied()) {
        Some(word) => format!("did you mean '{word}'?"),
        None => format!("possible here: {}", known.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_length_of_time_is_written_as_people_write_it() {
        let seconds = |text| parse_duration(text).map(|time| time.as_secs());
        for (text, wanted) in [
            ("90s", 90),
            ("1h 30m", 5_400),
            ("1d", 86_400),
            ("1d 12h", 129_600),
            (" 2d12h ", 216_000),
            ("366d", 31_622_400),
        ] {
            assert_eq!(seconds(text), Some(wanted), "{text}");
        }
        for text in ["", "0d", "1", "d", "1day", "1d 2", "-1d", "367d", "99999999999999999999d"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }
}
