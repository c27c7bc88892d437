//! What is wrong in a file somebody wrote: where, why, and what to do about it.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::yaml::Place;

/// One mistake. `id` is stable and kebab-case: tools filter by it, docs/scenarios/findings.md
/// explains it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    pub id: &'static str,
    pub file: PathBuf,
    pub place: Place,
    pub message: String,
    pub remedy: String,
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { id, file, place, message, remedy } = self;
        write!(f, "{}:{place}: {message} [{id}]\n    → {remedy}", file.display())
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

    pub fn add(
        &mut self,
        id: &'static str,
        place: Place,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) {
        let (message, remedy) = (message.into(), remedy.into());
        self.found.push(Finding { id, file: self.file.clone(), place, message, remedy });
    }

    pub fn len(&self) -> usize {
        self.found.len()
    }

    pub fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// In the order of the file.
    pub fn into_sorted(mut self) -> Vec<Finding> {
        self.found.sort_by_key(|finding| finding.place);
        self.found
    }
}

/// The known word nearest to what was written, if any is near enough to be meant.
pub fn did_you_mean<'a>(
    written: &str,
    known: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    /// Edits between a typing mistake and the word that was meant.
    const NEAR: usize = 2;
    known
        .into_iter()
        .map(|word| (strsim::damerau_levenshtein(&written.to_lowercase(), word), word))
        .filter(|(distance, word)| *distance <= NEAR && *distance < word.chars().count())
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, word)| word)
}

#[cfg(test)]
mod tests {
    use super::did_you_mean;

    #[test]
    fn near_words_are_suggested_and_far_ones_are_not() {
        assert_eq!(did_you_mean("keyword", ["keywords", "title"]), Some("keywords"));
        assert_eq!(did_you_mean("recvoer", ["recover", "verify"]), Some("recover"));
        assert_eq!(did_you_mean("frobnicate", ["recover", "verify"]), None);
    }
}
