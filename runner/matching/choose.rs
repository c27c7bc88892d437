//! Title against all scenarios: the one that is meant, or why there is none.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::folding::{fold, widths};
use crate::matching::keywords::{Found, Gathered, Vocabulary, Word};
use crate::scenario::capture::{CaptureKind, Captured};
use crate::scenario::model::Scenario;

/// Scenarios under their keywords. A title costs one pass over its characters and a look at the
/// scenarios that have their rarest keyword in it, however many there are.
#[derive(Clone, Debug, Default)]
pub struct Index {
    pub(super) vocabulary: Vocabulary,
    pub(super) entries: Vec<Entry>,
    /// By word: the entries to look at when it is in a title.
    anchored: Vec<Vec<usize>>,
    /// Without a keyword that must be there. Files cannot say so.
    everywhere: Vec<usize>,
}

/// A scenario with its keywords as words of the vocabulary, in the order of its rule.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) scenario: Arc<Scenario>,
    pub(super) all: Vec<Word>,
    pub(super) any: Vec<Word>,
    pub(super) none: Vec<Word>,
}

/// The scenario that is meant for a title, and what was taken out of it.
#[derive(Clone, Debug)]
pub struct Meant {
    pub scenario: Arc<Scenario>,
    pub captures: BTreeMap<String, String>,
    /// Characters of the title that keywords account for; more is more specific.
    pub specificity: usize,
    /// The keywords that were found, as the author wrote them: `all`, then those of `any`.
    pub keywords: Vec<String>,
}

/// Chosen by priority, then specificity. `lost` are the others that matched, the nearest first.
#[derive(Clone, Debug)]
pub enum Choice {
    Scenario {
        meant: Meant,
        lost: Vec<Lost>,
    },
    /// No scenario is meant for it. `near` had all keywords but a capture of the wrong type.
    None {
        near: Vec<NearMiss>,
    },
    /// Several are meant equally: people decide.
    Ambiguous {
        several: Vec<Meant>,
        lost: Vec<Lost>,
    },
}

/// A scenario that matched and was not chosen.
#[derive(Clone, Debug)]
pub struct Lost {
    pub scenario: Arc<Scenario>,
    pub specificity: usize,
    pub by: LostBy,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LostBy {
    LowerPriority,
    /// Of the same priority, but its keywords account for fewer characters.
    LessSpecific,
}

#[derive(Clone, Debug)]
pub struct NearMiss {
    pub scenario: Arc<Scenario>,
    pub capture: String,
    pub kind: CaptureKind,
}

/// An entry that matched.
struct Matched {
    at: usize,
    captures: BTreeMap<String, String>,
    specificity: usize,
}

impl Index {
    pub fn of(scenarios: &[Arc<Scenario>]) -> Self {
        let mut gathered = Gathered::default();
        let entries: Vec<Entry> = scenarios
            .iter()
            .map(|scenario| {
                let mut words = |written: &[String]| {
                    written.iter().map(|word| gathered.word(word)).collect::<Vec<Word>>()
                };
                let rule = &scenario.rule;
                let (all, any, none) = (words(&rule.all), words(&rule.any), words(&rule.none));
                Entry { scenario: Arc::clone(scenario), all, any, none }
            })
            .collect();
        let vocabulary = gathered.finish();
        let mut uses = vec![0; vocabulary.len()];
        for word in entries.iter().flat_map(|entry| entry.all.iter().chain(&entry.any)) {
            uses[word.0] += 1;
        }
        let mut index =
            Self { anchored: vec![Vec::new(); uses.len()], vocabulary, ..Self::default() };
        for (at, entry) in entries.iter().enumerate() {
            let anchors = anchors(entry, &index.vocabulary, &uses);
            if anchors.is_empty() {
                index.everywhere.push(at);
            }
            for word in anchors {
                index.anchored[word.0].push(at);
            }
        }
        Self { entries, ..index }
    }

    /// Distinct keywords after folding.
    pub const fn words(&self) -> usize {
        self.vocabulary.len()
    }

    /// Chooses among all by the title alone.
    pub fn choose(&self, title: &str) -> Choice {
        self.choose_where(title, &|_| true)
    }

    /// Chooses by priority, then specificity, among those that may be. The title is PagerDuty's,
    /// our own prefix removed.
    pub fn choose_where(&self, title: &str, may_be: &dyn Fn(&Scenario) -> bool) -> Choice {
        let found = self.vocabulary.find(&fold(title));
        // Most titles meet no pattern.
        let mut wide = None;
        let mut matched = Vec::new();
        let mut near = Vec::new();
        for at in self.anchored_by(found.words()) {
            let entry = &self.entries[at];
            if !may_be(&entry.scenario) {
                continue;
            }
            let Some(specificity) = entry.specificity(&found, &self.vocabulary) else {
                continue;
            };
            let captured = match &entry.scenario.rule.pattern {
                None => Captured::Values(BTreeMap::new()),
                Some(pattern) => pattern.capture(wide.get_or_insert_with(|| widths(title))),
            };
            match captured {
                Captured::Values(captures) => matched.push(Matched { at, captures, specificity }),
                Captured::NoMatch => {}
                Captured::WrongKind { name, kind } => {
                    let scenario = Arc::clone(&entry.scenario);
                    near.push(NearMiss { scenario, capture: name, kind });
                }
            }
        }
        self.best(matched, near, &found)
    }

    /// The entries that may match a text with these words in it, each once, in their order.
    pub(super) fn anchored_by(&self, words: &[Word]) -> Vec<usize> {
        let anchored = words.iter().flat_map(|word| &self.anchored[word.0]);
        let mut entries: Vec<usize> = anchored.chain(&self.everywhere).copied().collect();
        entries.sort_unstable();
        entries.dedup();
        entries
    }

    /// Words and the entries to look at because of them.
    pub(super) fn anchors(&self) -> impl Iterator<Item = (Word, usize)> {
        let by_word = self.anchored.iter().enumerate();
        by_word.flat_map(|(word, entries)| entries.iter().map(move |at| (Word(word), *at)))
    }

    fn best(&self, mut matched: Vec<Matched>, near: Vec<NearMiss>, found: &Found) -> Choice {
        let priority = |it: &Matched| self.entries[it.at].scenario.rule.priority;
        // Stable: among equals the order of the catalog stays.
        matched.sort_by_key(|it| Reverse((priority(it), it.specificity)));
        let Some(first) = matched.first() else {
            return Choice::None { near };
        };
        let highest = (priority(first), first.specificity);
        let winners = matched.partition_point(|it| (priority(it), it.specificity) == highest);
        let lost = matched.split_off(winners).into_iter().map(|it| Lost {
            scenario: Arc::clone(&self.entries[it.at].scenario),
            specificity: it.specificity,
            by: if priority(&it) < highest.0 {
                LostBy::LowerPriority
            } else {
                LostBy::LessSpecific
            },
        });
        let lost = lost.collect();
        let mut several: Vec<Meant> = matched
            .into_iter()
            .map(|Matched { at, captures, specificity }| {
                let entry = &self.entries[at];
                let (scenario, keywords) = (Arc::clone(&entry.scenario), entry.keywords(found));
                Meant { scenario, captures, specificity, keywords }
            })
            .collect();
        match several.pop() {
            Some(meant) if several.is_empty() => Choice::Scenario { meant, lost },
            last => {
                several.extend(last);
                Choice::Ambiguous { several, lost }
            }
        }
    }
}

/// The words of which one is in every title that an entry matches: the keyword of `all` that the
/// fewest scenarios have, or all of `any` where each of those is rarer still. A word such as
/// CRITICAL that thousands share then makes nobody look at thousands.
fn anchors(entry: &Entry, vocabulary: &Vocabulary, uses: &[usize]) -> Vec<Word> {
    let by_rarity = |word: &Word| (uses[word.0], Reverse(vocabulary.length(*word)), *word);
    let rarest = entry.all.iter().copied().min_by_key(by_rarity);
    let commonest = entry.any.iter().map(|word| uses[word.0]).max();
    let mut anchors = match (rarest, commonest) {
        (Some(word), Some(uses_of_any)) if uses_of_any < uses[word.0] => entry.any.clone(),
        (Some(word), _) => vec![word],
        (None, _) => entry.any.clone(),
    };
    // Two keywords that fold into one word are one anchor.
    anchors.sort_unstable();
    anchors.dedup();
    anchors
}

impl Entry {
    /// How much of the title its keywords account for; `None` when it does not match.
    fn specificity(&self, found: &Found, vocabulary: &Vocabulary) -> Option<usize> {
        let has = |word: &&Word| found.has(**word);
        if !self.all.iter().all(|word| has(&word)) || self.none.iter().any(|word| has(&word)) {
            return None;
        }
        let length = |word: &Word| vocabulary.length(*word);
        let all: usize = self.all.iter().map(length).sum();
        let any = self.any.iter().filter(has).map(length).max();
        match any {
            None if !self.any.is_empty() => None,
            any => Some(all + any.unwrap_or(0)),
        }
    }

    fn keywords(&self, found: &Found) -> Vec<String> {
        let rule = &self.scenario.rule;
        let written = rule.all.iter().zip(&self.all).chain(rule.any.iter().zip(&self.any));
        written.filter(|(_, word)| found.has(**word)).map(|(written, _)| written.clone()).collect()
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::scenario::file;

    fn index(rules: &[(&str, &str)]) -> Index {
        let scenarios: Vec<Arc<Scenario>> = rules
            .iter()
            .map(|(id, rule)| {
                let text = format!(
                    "scenario: {id}\nabout: x\nmatch: {rule}\nsteps:\n  - gather: {{run: 'true', \
                     env: {{X: \"{{{{ incident.id }}}}\"}}}}\n"
                );
                Arc::new(file::read(Path::new("x.yaml"), &text, None).unwrap().0)
            })
            .collect();
        Index::of(&scenarios)
    }

    fn chosen(index: &Index, title: &str) -> String {
        match index.choose(title) {
            Choice::Scenario { meant, .. } => meant.scenario.id.clone(),
            Choice::None { .. } => "none".to_owned(),
            Choice::Ambiguous { several, .. } => {
                let ids: Vec<&str> = several.iter().map(|it| it.scenario.id.as_str()).collect();
                format!("ambiguous {}", ids.join(" "))
            }
        }
    }

    #[test]
    fn all_any_and_none_decide_whatever_the_width_and_case() {
        let index = index(&[("web", "{all: [http], any: [critical, 停止], none: [メンテナンス]}")]);
        assert_eq!(chosen(&index, "【障害】ＨＴＴＰ 停止 web01"), "web");
        assert_eq!(chosen(&index, "SERVICEDESC=HTTP; SERVICESTATE=CRITICAL"), "web");
        assert_eq!(chosen(&index, "HTTP slow"), "none");
        assert_eq!(chosen(&index, "HTTP 停止 (ﾒﾝﾃﾅﾝｽ)"), "none");
    }

    #[test]
    fn the_more_specific_wins_and_priority_beats_it() {
        let two = [("disk", "{all: [disk]}"), ("disk-inode", "{all: [disk, inode]}")];
        assert_eq!(chosen(&index(&two), "disk inode full"), "disk-inode");
        assert_eq!(chosen(&index(&two), "disk full"), "disk");
        let first =
            [("disk", "{all: [disk], priority: 1}"), ("disk-inode", "{all: [disk, inode]}")];
        assert_eq!(chosen(&index(&first), "disk inode full"), "disk");
    }

    #[test]
    fn a_tie_is_left_to_people() {
        let tie = [("one", "{all: [disk]}"), ("two", "{any: [disk, cpu]}")];
        assert_eq!(chosen(&index(&tie), "disk full"), "ambiguous one two");
    }

    #[test]
    fn who_lost_and_why_is_told_in_the_order_of_rank() {
        let index = index(&[
            ("low", "{all: [disk, inode, full], priority: -1}"),
            ("disk", "{all: [disk]}"),
            ("inode", "{all: [ＤＩＳＫ], any: [inode, memory, full]}"),
            ("other", "{all: [cpu]}"),
        ]);
        let Choice::Scenario { meant, lost } = index.choose("Disk inode full") else {
            panic!("not chosen");
        };
        assert_eq!((meant.scenario.id.as_str(), meant.specificity), ("inode", 9));
        assert_eq!(meant.keywords, ["ＤＩＳＫ", "inode", "full"]);
        let lost: Vec<_> =
            lost.iter().map(|it| (it.scenario.id.as_str(), it.specificity, it.by)).collect();
        assert_eq!(lost, [("disk", 4, LostBy::LessSpecific), ("low", 13, LostBy::LowerPriority)]);
    }

    #[test]
    fn a_word_that_everybody_has_makes_nobody_look_at_everybody() {
        let rules: Vec<(String, String)> = (0..100)
            .map(|n| {
                (format!("s{n}"), format!("{{all: [critical], any: [host{n:03}, box{n:03}]}}"))
            })
            .collect();
        let rules: Vec<(&str, &str)> =
            rules.iter().map(|(id, rule)| (id.as_str(), rule.as_str())).collect();
        let index = index(&rules);
        let looked_at = |title| index.anchored_by(index.vocabulary.find(title).words());
        assert_eq!(looked_at("critical on box042"), [42]);
        assert!(looked_at("critical").is_empty());
        assert_eq!(chosen(&index, "CRITICAL on box042"), "s42");
    }
}
