//! What becomes of many titles: how many are matched, by what, and which kinds are not.

use std::cmp::Reverse;
use std::collections::HashMap;

use crate::matching::choose::{Choice, Index};
use crate::matching::similar::form;

/// Many titles against a catalog. Every list has the most frequent first.
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    pub titles: usize,
    pub matched: usize,
    pub ambiguous: usize,
    pub unmatched: usize,
    pub by_scenario: Vec<Counted>,
    /// By the names of the scenarios that are meant equally.
    pub by_tie: Vec<Counted>,
    /// By the form that titles share.
    pub by_form: Vec<Counted>,
}

/// Titles that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Counted {
    pub count: usize,
    /// What they have in common: a scenario, several, or a form.
    pub names: Vec<String>,
    /// The first of them.
    pub example: String,
}

impl Coverage {
    /// Titles as PagerDuty has them, our own prefix removed.
    pub fn of<'a>(index: &Index, titles: impl IntoIterator<Item = &'a str>) -> Self {
        let mut coverage = Self::default();
        let (mut scenarios, mut ties, mut forms) =
            (Groups::default(), Groups::default(), Groups::default());
        for title in titles {
            coverage.titles += 1;
            match index.choose(title) {
                Choice::Scenario { meant, .. } => {
                    coverage.matched += 1;
                    scenarios.add(vec![meant.scenario.id.clone()], title);
                }
                Choice::Ambiguous { several, .. } => {
                    coverage.ambiguous += 1;
                    let names = several.iter().map(|meant| meant.scenario.id.clone());
                    ties.add(names.collect(), title);
                }
                Choice::None { .. } => {
                    coverage.unmatched += 1;
                    forms.add(vec![form(title)], title);
                }
            }
        }
        coverage.by_scenario = scenarios.sorted();
        coverage.by_tie = ties.sorted();
        coverage.by_form = forms.sorted();
        coverage
    }
}

#[derive(Default)]
struct Groups<'a> {
    groups: HashMap<Vec<String>, (usize, &'a str)>,
}

impl<'a> Groups<'a> {
    fn add(&mut self, names: Vec<String>, title: &'a str) {
        self.groups.entry(names).or_insert((0, title)).0 += 1;
    }

    fn sorted(self) -> Vec<Counted> {
        let counted = |(names, (count, example)): (Vec<String>, (usize, &str))| {
            let example = example.to_owned();
            Counted { count, names, example }
        };
        let mut sorted: Vec<Counted> = self.groups.into_iter().map(counted).collect();
        sorted.sort_by(|one, other| {
            (Reverse(one.count), &one.names).cmp(&(Reverse(other.count), &other.names))
        });
        sorted
    }
}
