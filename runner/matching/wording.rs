//! What is wrong with the keywords of one rule: words that say nothing, too little, or no.

use crate::finding::Findings;
use crate::folding::fold;
use crate::matching::choose::Entry;
use crate::matching::keywords::{Vocabulary, Within, Word};
use crate::prefix;

/// How every prefix of ours begins, folded. Titles are matched without it.
const OWN_PREFIX: &str = "[ams ";
/// Characters that must be in a title at least; fewer are in every other title.
const LEAST_ASCII: usize = 3;
/// A character of Japanese says more than a letter.
const LEAST_OTHER: usize = 2;

/// The keywords of one scenario.
pub(super) struct Wording<'a> {
    pub(super) entry: &'a Entry,
    pub(super) vocabulary: &'a Vocabulary,
    pub(super) within: &'a Within,
}

/// One of the three lists, with its words as written.
type List<'a> = (&'static str, &'a [String], &'a [Word]);

impl Wording<'_> {
    fn lists(&self) -> [List<'_>; 3] {
        let rule = &self.entry.scenario.rule;
        [
            ("all", &rule.all, &self.entry.all),
            ("any", &rule.any, &self.entry.any),
            ("none", &rule.none, &self.entry.none),
        ]
    }

    /// Keywords that change nothing about which titles match.
    pub(super) fn add_overlapping(&self, findings: &mut Findings) {
        let place = self.entry.scenario.place;
        for (name, written, words) in self.lists() {
            for (twice, first) in repeated(words) {
                let (twice, first) = (&written[twice], &written[first]);
                let message = if twice == first {
                    format!("'{twice}' stands twice under '{name}'")
                } else {
                    format!("'{first}' and '{twice}' under '{name}' are the same keyword")
                };
                findings.warn(
                    "overlapping-keywords",
                    place,
                    message,
                    "remove one: case and width make no difference",
                );
            }
        }
        let [(_, written, all), (_, written_any, any), _] = self.lists();
        let distinct = Distinct::of(all);
        for (at, word) in all.iter().enumerate() {
            for part in self.within.of(*word).iter().filter(|part| *part != word) {
                let Some(part) = distinct.position(*part) else { continue };
                findings.warn(
                    "overlapping-keywords",
                    place,
                    format!(
                        "'{}' under 'all' says nothing new: it is part of '{}'",
                        written[part], written[at]
                    ),
                    "remove it, or write the word that must also be there",
                );
            }
        }
        let distinct = Distinct::of(any);
        for (at, word) in all.iter().enumerate() {
            let mut parts = self.within.of(*word).iter();
            let Some(part) = parts.find_map(|part| distinct.position(*part)) else { continue };
            findings.warn(
                "overlapping-keywords",
                place,
                format!(
                    "'any' says nothing: '{}' is always there, as a part of '{}' under 'all'",
                    written_any[part], written[at]
                ),
                "remove it from 'any', or the longer word from 'all'",
            );
            return;
        }
    }

    /// Keywords that are in titles of every kind. A pattern says more, so it is left alone.
    pub(super) fn add_broad(&self, findings: &mut Findings) {
        let scenario = &self.entry.scenario;
        if scenario.rule.pattern.is_some() {
            return;
        }
        let shortest = self.entry.any.iter().min_by_key(|word| self.vocabulary.length(**word));
        let mut required: Vec<Word> = self.entry.all.iter().chain(shortest).copied().collect();
        required.sort_unstable();
        required.dedup();
        let texts = || required.iter().map(|word| self.vocabulary.text(*word));
        let characters: usize = required.iter().map(|word| self.vocabulary.length(*word)).sum();
        let least = if texts().all(str::is_ascii) { LEAST_ASCII } else { LEAST_OTHER };
        if !required.is_empty() && characters < least {
            let texts: Vec<String> = texts().map(|text| format!("'{text}'")).collect();
            findings.warn(
                "broad-keywords",
                scenario.place,
                format!(
                    "{} is enough to match, and is in titles of every kind, also within words",
                    texts.join(" with ")
                ),
                "write a longer keyword, or add one under 'all' that only these titles have",
            );
        }
    }

    /// Keywords that cannot be met. Answers whether the scenario as a whole cannot be.
    pub(super) fn add_contradictions(&self, findings: &mut Findings) -> bool {
        let [(_, written, all), (_, written_any, any), _] = self.lists();
        let mut never = false;
        for (word, written) in all.iter().zip(written) {
            if let Some(why) = &self.impossible(*word) {
                self.add_never(
                    &format!("it never matches: '{written}' under 'all'"),
                    why,
                    findings,
                );
                never = true;
            }
        }
        let impossible: Vec<(&String, Impossible<'_>)> = any
            .iter()
            .zip(written_any)
            .filter_map(|(word, written)| Some((written, self.impossible(*word)?)))
            .collect();
        let none_left = !any.is_empty() && impossible.len() == any.len();
        for (written, why) in &impossible {
            let what = if none_left { "it never matches" } else { "this can never count" };
            self.add_never(&format!("{what}: '{written}' under 'any'"), why, findings);
        }
        never || none_left
    }

    fn add_never(&self, what: &str, why: &Impossible<'_>, findings: &mut Findings) {
        let (why, remedy) = match why {
            Impossible::Forbidden(none) => (
                format!("has '{none}' in it, which stands under 'none'"),
                "remove one of the two, or make the one under 'none' longer",
            ),
            Impossible::OwnPrefix => (
                "has AMS's own prefix in it, which is cut off before titles are compared"
                    .to_owned(),
                "write the keyword without [AMS …]",
            ),
        };
        let place = self.entry.scenario.place;
        findings.add("never-matches", place, format!("{what} {why}"), remedy);
    }

    fn impossible(&self, word: Word) -> Option<Impossible<'_>> {
        let entry = self.entry;
        let parts = self.within.of(word);
        let forbidden = entry.none.iter().position(|none| parts.contains(none));
        if let Some(none) = forbidden.and_then(|at| entry.scenario.rule.none.get(at)) {
            return Some(Impossible::Forbidden(none));
        }
        has_own_prefix(self.vocabulary.text(word)).then_some(Impossible::OwnPrefix)
    }
}

/// Why no title that matches can have a word.
enum Impossible<'a> {
    /// It has this one of `none` in it.
    Forbidden(&'a str),
    OwnPrefix,
}

/// `[AMS …]` as AMS writes it; names such as `[AMSLinuxDiskUsage…` and `[AMS prod]` are somebody
/// else's.
fn has_own_prefix(folded: &str) -> bool {
    folded.contains(OWN_PREFIX) && prefix::all().any(|own| folded.contains(&fold(&own)))
}

/// Positions of words that were there before, with the position of the first.
fn repeated(words: &[Word]) -> Vec<(usize, usize)> {
    let distinct = Distinct::of(words);
    let first = |(at, word): (usize, &Word)| Some((at, distinct.position(*word)?));
    words.iter().enumerate().filter_map(first).filter(|(at, first)| at != first).collect()
}

/// Where each word stands first in a list.
struct Distinct {
    positions: Vec<(Word, usize)>,
}

impl Distinct {
    fn of(words: &[Word]) -> Self {
        let mut positions: Vec<(Word, usize)> =
            words.iter().enumerate().map(|(at, word)| (*word, at)).collect();
        positions.sort_unstable();
        positions.dedup_by_key(|(word, _)| *word);
        Self { positions }
    }

    fn position(&self, word: Word) -> Option<usize> {
        let at = self.positions.binary_search_by_key(&word, |(word, _)| *word).ok()?;
        Some(self.positions[at].1)
    }
}
