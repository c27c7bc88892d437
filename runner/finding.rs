//! What is wrong in a file somebody wrote: where, why, and what to do about it.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::yaml::Place;

/// Findings of one file that are told; who has more needs no more to begin with.
const MAX_FINDINGS: usize = 100;
/// Characters of a message or remedy: they quote the file, and a file may have any length.
const MAX_TEXT: usize = 400;

/// One mistake. `id` is stable and kebab-case: tools filter by it, docs/scenarios/findings.md
/// explains it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub id: &'static str,
    pub level: Level,
    pub file: PathBuf,
    pub place: Place,
    pub message: String,
    pub remedy: String,
}

/// What a finding means for its file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// The file is used, though probably not as its author thinks.
    Warning,
    /// The file is not used.
    Error,
}

impl Level {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, level, file, place, message, remedy } = self;
        let level = match level {
            Level::Warning => "warning: ",
            Level::Error => "",
        };
        write!(f, "{}:{place}: {level}{message} [{id}]\n    → {remedy}", file.display())
    }
}

/// Collects the findings of one file.
#[derive(Debug)]
pub struct Findings {
    file: PathBuf,
    found: Vec<Finding>,
}

impl Findings {
    pub fn of(file: &Path) -> Self {
        Self { file: file.to_owned(), found: Vec::new() }
    }

    /// A mistake: the file is not used.
    pub fn add(
        &mut self,
        id: &'static str,
        place: Place,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        let finding = self.finding(id, place, &message.into(), &remedy.into());
        self.found.push(finding);
    }

    /// Something that is probably not meant so: the file is used.
    pub fn warn(
        &mut self,
        id: &'static str,
        place: Place,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        let finding = self.finding(id, place, &message.into(), &remedy.into());
        self.found.push(Finding { level: Level::Warning, ..finding });
    }

    fn finding(&self, id: &'static str, place: Place, message: &str, remedy: &str) -> Finding {
        let (message, remedy) = (one_line(message), one_line(remedy));
        Finding { id, level: Level::Error, file: self.file.clone(), place, message, remedy }
    }

    pub fn len(&self) -> usize {
        self.found.len()
    }

    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// Whether the file cannot be used.
    pub fn has_errors(&self) -> bool {
        self.found.iter().any(|finding| finding.level == Level::Error)
    }

    /// In the order of the file.
    pub fn into_sorted(mut self) -> Vec<Finding> {
        self.found.sort_by_key(|finding| finding.place);
        if self.found.len() > MAX_FINDINGS {
            let rest = self.found.split_off(MAX_FINDINGS);
            let level = rest.iter().map(|finding| finding.level).max().unwrap_or(Level::Error);
            let place = rest.first().map_or(Place::START, |finding| finding.place);
            let message = format!("{} more findings from here on are not shown", rest.len());
            let remedy = "correct those above first";
            let last = self.finding("too-many-findings", place, &message, remedy);
            self.found.push(Finding { level, ..last });
        }
        self.found
    }
}

/// Quoted text can hold anything; a message is one line that a terminal and a log may show.
fn one_line(text: &str) -> String {
    let plain = |c: char| if c.is_control() { ' ' } else { c };
    let mut chars = text.chars().map(plain);
    let mut line: String = chars.by_ref().take(MAX_TEXT).collect();
    if chars.next().is_some() {
        line.push('…');
    }
    line
}

/// The known word nearest to what was written, if any is near enough to be meant.
pub fn did_you_mean<'a>(
    written: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    /// Edits between a typing mistake and the word that was meant.
    const NEAR: usize = 2;
    let written = written.to_lowercase();
    let length = written.chars().count();
    known
        .into_iter()
        // Comparing costs time by the product of both lengths, and a key may be a whole file.
        .filter(|word| word.chars().count().abs_diff(length) <= NEAR)
        .map(|word| (strsim::damerau_levenshtein(&written, word), word))
        .filter(|(distance, word)| *distance <= NEAR && *distance < word.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_words_are_suggested_and_far_ones_are_not() {
        assert_eq!(did_you_mean("keyword", ["keywords", "title"]), Some("keywords"));
        assert_eq!(did_you_mean("recvoer", ["recover", "verify"]), Some("recover"));
        assert_eq!(did_you_mean("frobnicate", ["recover", "verify"]), None);
    }

    #[test]
    fn a_warning_leaves_the_file_usable_and_an_error_does_not() {
        let mut findings = Findings::of(Path::new("a.yaml"));
        findings.warn("some-doubt", Place::at(2, 1), "doubtful", "look again");
        assert!(!findings.has_errors() && !findings.is_empty());
        findings.add("some-mistake", Place::START, "wrong", "write it right");
        assert!(findings.has_errors());
        let shown: Vec<String> = findings.into_sorted().iter().map(ToString::to_string).collect();
        assert_eq!(
            shown,
            [
                "a.yaml:1:1: wrong [some-mistake]\n    → write it right",
                "a.yaml:2:1: warning: doubtful [some-doubt]\n    → look again",
            ]
        );
    }

    #[test]
    fn findings_are_bounded_in_number_and_length() {
        let mut findings = Findings::of(Path::new("a.yaml"));
        for line in 1..=150 {
            let message = format!("no field '{}\u{1b}[31m'", "k".repeat(100_000));
            findings.add("unknown-key", Place::at(line, 1), message, "x");
        }
        let found = findings.into_sorted();
        assert_eq!(found.len(), MAX_FINDINGS + 1);
        assert!(found.iter().all(|it| it.message.chars().count() <= MAX_TEXT + 1));
        let last = found.last().unwrap();
        assert_eq!(
            (last.id, last.place.line, last.level),
            ("too-many-findings", 101, Level::Error)
        );
        assert!(last.message.starts_with("50 more findings"), "{}", last.message);
    }

    #[test]
    fn quoted_text_cannot_write_to_the_terminal() {
        assert_eq!(one_line("a\u{1b}[31m\nb\u{7}"), "a [31m b ");
    }
}
