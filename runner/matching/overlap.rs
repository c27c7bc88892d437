//! What is wrong between rules: scenarios that can never be chosen beside the others, although
//! each file is well written. Says only what is certain of every title.

use std::cmp::Reverse;
use std::collections::btree_map::Entry as Slot;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use crate::finding::{Finding, Findings};
use crate::matching::choose::Index;
use crate::matching::keywords::{Vocabulary, Within, Word};
use crate::matching::wording::Wording;
use crate::scenario::capture::CaptureKind;
use crate::scenario::model::Scenario;

/// The findings of a whole catalog, in its order. Each file loads with them: they say what will
/// not happen, not what cannot be read.
pub fn findings(scenarios: &[Arc<Scenario>]) -> Vec<Finding> {
    let index = Index::of(scenarios);
    let vocabulary = &index.vocabulary;
    let within = vocabulary.within();
    let mut rules = Vec::with_capacity(scenarios.len());
    let mut own = Vec::with_capacity(scenarios.len());
    let patterns = numbered_patterns(scenarios);
    for (entry, pattern) in index.entries.iter().zip(patterns) {
        let mut findings = Findings::of(&entry.scenario.file);
        let wording = Wording { entry, vocabulary, within: &within };
        wording.add_overlapping(&mut findings);
        wording.add_broad(&mut findings);
        let never = wording.add_contradictions(&mut findings);
        own.push(findings);
        let sorted = |words: &[Word]| {
            let mut words = words.to_vec();
            words.sort_unstable();
            words
        };
        let distinct = |words: &[Word]| {
            let mut words = sorted(words);
            words.dedup();
            words
        };
        rules.push(Rule {
            scenario: &entry.scenario,
            all: sorted(&entry.all),
            any: distinct(&entry.any),
            none: distinct(&entry.none),
            pattern,
            never,
        });
    }
    let same = same_as_earlier(&rules);
    let catalog = Catalog::of(&index, &within, &rules, &same);
    for (at, findings) in own.iter_mut().enumerate() {
        if rules[at].never {
            continue;
        }
        if let Some(first) = same[at] {
            add_ambiguous(&rules[at], &rules[first], findings);
        } else if let Some(shadow) = catalog.shadow_of(at) {
            add_shadowed(&rules[at], &rules[shadow], findings);
        }
    }
    own.into_iter().flat_map(Findings::into_sorted).collect()
}

/// A rule with its words in one order, so that rules can be compared.
struct Rule<'a> {
    scenario: &'a Scenario,
    /// A word written twice counts twice, also for how specific the rule is.
    all: Vec<Word>,
    any: Vec<Word>,
    none: Vec<Word>,
    /// Rules with the same pattern have the same number.
    pattern: usize,
    /// It matches no title at all, and has a finding that says so.
    never: bool,
}

/// Everything that decides which titles a rule gets.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Meaning<'a> {
    all: &'a [Word],
    any: &'a [Word],
    none: &'a [Word],
    pattern: usize,
    priority: i64,
}

impl Rule<'_> {
    fn meaning(&self) -> Meaning<'_> {
        let (all, any, none) = (&self.all, &self.any, &self.none);
        Meaning { all, any, none, pattern: self.pattern, priority: self.scenario.rule.priority }
    }
}

const NO_PATTERN: usize = 0;

fn numbered_patterns(scenarios: &[Arc<Scenario>]) -> Vec<usize> {
    let mut numbers = HashMap::new();
    let mut numbered = Vec::with_capacity(scenarios.len());
    for scenario in scenarios {
        numbered.push(scenario.rule.pattern.as_ref().map_or(NO_PATTERN, |pattern| {
            let kind = |name| pattern.kind(name).map_or("", CaptureKind::word);
            let kinds: Vec<(&str, &str)> = pattern.names().map(|name| (name, kind(name))).collect();
            let next = numbers.len() + 1;
            *numbers.entry((pattern.source(), kinds)).or_insert(next)
        }));
    }
    numbered
}

/// For each rule the first one before it that means the same.
fn same_as_earlier(rules: &[Rule<'_>]) -> Vec<Option<usize>> {
    let mut firsts: BTreeMap<Meaning<'_>, usize> = BTreeMap::new();
    rules
        .iter()
        .enumerate()
        .map(|(at, rule)| match firsts.entry(rule.meaning()) {
            Slot::Vacant(slot) => {
                slot.insert(at);
                None
            }
            Slot::Occupied(first) => Some(*first.get()),
        })
        .collect()
}

fn add_ambiguous(rule: &Rule<'_>, first: &Rule<'_>, findings: &mut Findings) {
    findings.add(
        "ambiguous-scenarios",
        rule.scenario.place,
        format!(
            "'{}' ({}) is meant for the same titles, so neither is ever chosen: every one of \
             these incidents is left to people",
            first.scenario.id,
            first.scenario.file.display()
        ),
        "give one of them a keyword that only its titles have or a priority, or remove it",
    );
}

fn add_shadowed(rule: &Rule<'_>, shadow: &Rule<'_>, findings: &mut Findings) {
    let (own, other) = (rule.scenario.rule.priority, shadow.scenario.rule.priority);
    let (name, file) = (&shadow.scenario.id, shadow.scenario.file.display());
    let (message, remedy) = if other > own {
        (
            format!(
                "it is never chosen: every title it is meant for also fits '{name}' ({file}), \
                 whose priority is {other}; here it is {own}"
            ),
            "give this one the higher priority, or keep its titles from the other with 'none'",
        )
    } else {
        (
            format!(
                "it is never chosen: every title it is meant for fits '{name}' ({file}) at least \
                 as well"
            ),
            "add a keyword that only its titles have, give it a higher priority, or remove it",
        )
    };
    findings.add("shadowed-scenario", rule.scenario.place, message, remedy);
}

struct Catalog<'a> {
    vocabulary: &'a Vocabulary,
    within: &'a Within,
    rules: &'a [Rule<'a>],
    /// The rules that may shadow others, by a word that must be there and by their pattern: many
    /// customers' rules may differ in nothing else.
    anchored: HashMap<(Word, usize), Vec<usize>>,
}

impl<'a> Catalog<'a> {
    fn of(
        index: &'a Index,
        within: &'a Within,
        rules: &'a [Rule<'a>],
        same: &[Option<usize>],
    ) -> Self {
        let mut anchored: HashMap<(Word, usize), Vec<usize>> = HashMap::new();
        for (word, at) in index.anchors() {
            if !rules[at].never && same[at].is_none() {
                anchored.entry((word, rules[at].pattern)).or_default().push(at);
            }
        }
        Self { vocabulary: &index.vocabulary, within, rules, anchored }
    }

    /// The rules that have a part of this word as an anchor, and no pattern or this one.
    fn anchored_at(&self, word: Word, pattern: usize) -> impl Iterator<Item = usize> {
        let patterns =
            if pattern == NO_PATTERN { vec![pattern] } else { vec![NO_PATTERN, pattern] };
        let keys = self
            .within
            .of(word)
            .iter()
            .flat_map(move |part| patterns.clone().into_iter().map(|pattern| (*part, pattern)));
        keys.filter_map(|key| self.anchored.get(&key)).flatten().copied()
    }

    /// The rule that leaves this one no title: the one of the highest priority, then the first.
    fn shadow_of(&self, at: usize) -> Option<usize> {
        let rule = &self.rules[at];
        let priority = |other: usize| self.rules[other].scenario.rule.priority;
        let own = priority(at);
        let shadowing = Shadowing::of(rule, self.within, self.vocabulary);
        // What another rule must find is in all of these titles: in a word of `all`, or in each
        // one of `any`, and then also in the one that the fewest rules are anchored at.
        let others = |word: &Word| self.anchored_at(*word, rule.pattern);
        let by_all = rule.all.iter().flat_map(others);
        let by_any = rule.any.iter().min_by_key(|word| others(word).count());
        by_all
            .chain(by_any.into_iter().flat_map(others))
            .filter(|other| {
                let it = &self.rules[*other];
                let (above, equal) = (priority(*other) > own, priority(*other) == own);
                (above || equal)
                    && *other != at
                    && shadowing.covered_by(it)
                    && (above || shadowing.is_as_specific(it))
            })
            .min_by_key(|other| (Reverse(priority(*other)), *other))
    }
}

/// A rule, made ready to be compared with those that may leave it no title.
struct Shadowing<'a> {
    rule: &'a Rule<'a>,
    within: &'a Within,
    vocabulary: &'a Vocabulary,
    /// The words that are in every title of the rule, sorted.
    always: Vec<Word>,
}

impl<'a> Shadowing<'a> {
    fn of(rule: &'a Rule<'a>, within: &'a Within, vocabulary: &'a Vocabulary) -> Self {
        let mut always: Vec<Word> =
            rule.all.iter().flat_map(|word| within.of(*word)).copied().collect();
        if let Some((first, rest)) = rule.any.split_first() {
            let in_rest = |part: &&Word| rest.iter().all(|word| within.has(*word, **part));
            always.extend(within.of(*first).iter().filter(in_rest));
        }
        always.sort_unstable();
        always.dedup();
        Self { rule, within, vocabulary, always }
    }

    /// Does every title of the rule match the other, which has the same pattern or none?
    fn covered_by(&self, other: &Rule<'_>) -> bool {
        other.all.iter().all(|word| self.always.binary_search(word).is_ok())
            && (other.any.is_empty() || self.least_of_any(other).is_some())
            // A title with the other's `none` in it is not the rule's either.
            && other.none.iter().all(|word| {
                self.within.of(*word).iter().any(|part| self.rule.none.binary_search(part).is_ok())
            })
    }

    /// The characters that the other's `any` accounts for in every title of the rule, at the
    /// least. `None` where a title may have none of it.
    fn least_of_any(&self, other: &Rule<'_>) -> Option<usize> {
        let longest = |words: &[Word]| {
            let known = words.iter().filter(|word| other.any.binary_search(word).is_ok());
            known.map(|word| self.vocabulary.length(*word)).max()
        };
        let always = longest(&self.always);
        let mut least = None;
        for word in &self.rule.any {
            let found = longest(self.within.of(*word)).max(always)?;
            least = Some(least.map_or(found, |least: usize| least.min(found)));
        }
        if self.rule.any.is_empty() { always } else { least }
    }

    /// Do the other's keywords account for at least as many characters, in every title?
    fn is_as_specific(&self, other: &Rule<'_>) -> bool {
        let length = |word: &Word| self.vocabulary.length(*word);
        let all = |rule: &Rule<'_>| rule.all.iter().map(length).sum::<usize>();
        let any = &self.rule.any;
        // Whatever the rule finds under `any`, the other then finds too.
        let finds_as_much = || any.iter().all(|word| other.any.binary_search(word).is_ok());
        let longest = any.iter().map(length).max().unwrap_or(0);
        let least = self.least_of_any(other).unwrap_or(0);
        all(other) + least >= all(self.rule) + longest
            || all(other) >= all(self.rule) && finds_as_much()
    }
}
