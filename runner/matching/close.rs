//! What nearly matched a title, and what it lacked: for authors who wonder.

use std::cmp::Reverse;
use std::sync::Arc;

use crate::folding::{fold, widths};
use crate::matching::choose::{Entry, Index};
use crate::matching::keywords::{Found, Vocabulary};
use crate::scenario::capture::{CaptureKind, Captured};
use crate::scenario::model::Scenario;

/// A scenario that one thing kept from matching.
#[derive(Clone, Debug)]
pub struct Close {
    pub scenario: Arc<Scenario>,
    pub lacks: Lacks,
    /// Characters of the title that its keywords account for.
    pub specificity: usize,
}

/// The one thing that was in the way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lacks {
    /// The pattern matched, and this capture is not what its type says.
    Kind { capture: String, kind: CaptureKind },
    /// The keywords are there, the pattern does not match.
    Pattern,
    /// This keyword of `none` is there.
    None(String),
    /// This keyword of `all` is not there.
    All(String),
    /// None of `any` is there.
    Any(Vec<String>),
}

impl Index {
    /// The scenarios that one thing kept from matching, the nearest first. Looks at every
    /// scenario: for people, not for webhooks.
    pub fn close(&self, title: &str, at_most: usize) -> Vec<Close> {
        let found = self.vocabulary.find(&fold(title));
        let wide = widths(title);
        let mut close: Vec<Close> = self
            .entries
            .iter()
            .filter_map(|entry| {
                let lacks = entry.lacks(&found, &wide)?;
                let specificity = entry.accounted(&found, &self.vocabulary);
                let scenario = Arc::clone(&entry.scenario);
                // A scenario that has nothing in common with the title is not close.
                (specificity > 0).then_some(Close { scenario, lacks, specificity })
            })
            .collect();
        let rank = |it: &Close| (it.lacks.rank(), Reverse(it.specificity));
        close.sort_by(|one, other| {
            rank(one).cmp(&rank(other)).then_with(|| one.scenario.id.cmp(&other.scenario.id))
        });
        close.truncate(at_most);
        close
    }
}

impl Lacks {
    const fn rank(&self) -> u8 {
        match self {
            Self::Kind { .. } => 0,
            Self::Pattern => 1,
            Self::None(_) => 2,
            Self::All(_) | Self::Any(_) => 3,
        }
    }
}

impl Entry {
    /// The only thing that it lacks. `None` where it lacks nothing or more than one.
    fn lacks(&self, found: &Found, wide: &str) -> Option<Lacks> {
        let rule = &self.scenario.rule;
        let missing = |at: &usize| !found.has(self.all[*at]);
        let mut keywords = Vec::new();
        keywords
            .extend((0..self.all.len()).filter(missing).map(|at| Lacks::All(rule.all[at].clone())));
        if !self.any.is_empty() && !self.any.iter().any(|word| found.has(*word)) {
            keywords.push(Lacks::Any(rule.any.clone()));
        }
        let there = self.none.iter().position(|word| found.has(*word));
        keywords.extend(there.map(|at| Lacks::None(rule.none[at].clone())));
        if keywords.len() > 1 {
            return None;
        }
        let captured = rule.pattern.as_ref().map(|pattern| pattern.capture(wide));
        match (keywords.pop(), captured) {
            (lacks, None | Some(Captured::Values(_))) => lacks,
            (None, Some(Captured::WrongKind { name, kind })) => {
                Some(Lacks::Kind { capture: name, kind })
            }
            (None, Some(Captured::NoMatch)) => Some(Lacks::Pattern),
            (Some(_), Some(_)) => None,
        }
    }

    /// Characters of the title that the keywords found account for.
    fn accounted(&self, found: &Found, vocabulary: &Vocabulary) -> usize {
        let length = |word| vocabulary.length(word);
        let there = |words: &'_ [_]| -> Vec<usize> {
            words.iter().copied().filter(|word| found.has(*word)).map(length).collect()
        };
        there(&self.all).iter().sum::<usize>() + there(&self.any).into_iter().max().unwrap_or(0)
    }
}
