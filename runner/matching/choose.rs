//! Title against all scenarios: the one that is meant, or why there is none.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::folding::{fold, widths};
use crate::scenario::capture::{CaptureKind, Captured};
use crate::scenario::model::Scenario;

/// Scenarios with their keywords folded once.
#[derive(Clone, Debug, Default)]
pub struct Index {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    scenario: Arc<Scenario>,
    all: Vec<String>,
    any: Vec<String>,
    none: Vec<String>,
}

/// The scenario that is meant for a title, and what was taken out of it.
#[derive(Clone, Debug)]
pub struct Meant {
    pub scenario: Arc<Scenario>,
    pub captures: BTreeMap<String, String>,
    /// Characters of the title that keywords account for; more is more specific.
    pub specificity: usize,
}

#[derive(Clone, Debug)]
pub enum Choice {
    Scenario(Meant),
    /// No scenario is meant for it. `near` had all keywords but a capture of the wrong type.
    None {
        near: Vec<NearMiss>,
    },
    /// Several are meant equally: people decide.
    Ambiguous(Vec<Arc<Scenario>>),
}

#[derive(Clone, Debug)]
pub struct NearMiss {
    pub scenario: Arc<Scenario>,
    pub capture: String,
    pub kind: CaptureKind,
}

impl Index {
    pub fn of(scenarios: &[Arc<Scenario>]) -> Self {
        let folded = |words: &[String]| words.iter().map(|word| fold(word)).collect();
        let entries = scenarios
            .iter()
            .map(|scenario| Entry {
                scenario: Arc::clone(scenario),
                all: folded(&scenario.rule.all),
                any: folded(&scenario.rule.any),
                none: folded(&scenario.rule.none),
            })
            .collect();
        Self { entries }
    }

    /// Chooses by priority, then specificity. The title is PagerDuty's, our own prefix removed.
    pub fn choose(&self, title: &str) -> Choice {
        let (folded, wide) = (fold(title), widths(title));
        let mut found = Vec::new();
        let mut near = Vec::new();
        for entry in &self.entries {
            let Some(specificity) = entry.specificity(&folded) else {
                continue;
            };
            let scenario = Arc::clone(&entry.scenario);
            let captured = match &scenario.rule.pattern {
                None => Captured::Values(BTreeMap::new()),
                Some(pattern) => pattern.capture(&wide),
            };
            match captured {
                Captured::Values(captures) => found.push(Meant { scenario, captures, specificity }),
                Captured::NoMatch => {}
                Captured::WrongKind { name, kind } => {
                    near.push(NearMiss { scenario, capture: name, kind });
                }
            }
        }
        best(found, near)
    }
}

fn best(mut found: Vec<Meant>, near: Vec<NearMiss>) -> Choice {
    let rank = |meant: &Meant| (meant.scenario.rule.priority, meant.specificity);
    let Some(highest) = found.iter().map(rank).max() else {
        return Choice::None { near };
    };
    found.retain(|meant| rank(meant) == highest);
    if found.len() > 1 {
        return Choice::Ambiguous(found.into_iter().map(|meant| meant.scenario).collect());
    }
    found.pop().map_or(Choice::None { near }, Choice::Scenario)
}

impl Entry {
    /// How much of the title its keywords account for; `None` when it does not match.
    fn specificity(&self, title: &str) -> Option<usize> {
        let has = |word: &String| title.contains(word.as_str());
        if !self.all.iter().all(has) || self.none.iter().any(has) {
            return None;
        }
        let length = |word: &String| word.chars().count();
        let all: usize = self.all.iter().map(length).sum();
        let any = self.any.iter().filter(|word| has(word)).map(length).max();
        match any {
            None if !self.any.is_empty() => None,
            any => Some(all + any.unwrap_or(0)),
        }
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
            Choice::Scenario(meant) => meant.scenario.id.clone(),
            Choice::None { .. } => "none".to_owned(),
            Choice::Ambiguous(several) => {
                let ids: Vec<&str> = several.iter().map(|s| s.id.as_str()).collect();
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
}
