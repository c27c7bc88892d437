//! Titles against catalogs of any shape: the index gives what looking at one scenario after the
//! other gives, and a finding about a rule is true of every title.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use ams::matching::{Choice, Index};
use ams::scenario::capture::{CaptureKind, Pattern};
use ams::scenario::model::{MatchRule, Scenario};
use proptest::prelude::{BoxedStrategy, Just, Strategy, prop_oneof};
use proptest::string::string_regex;

// Scenarios that can never be chosen.
mod overlap;
// The same results as the plain way.
mod reference;
// Mistakes that one rule shows by itself.
mod wording;

/// A scenario with this rule; `number` is its id and file.
pub(crate) fn scenario(number: usize, rule: MatchRule) -> Arc<Scenario> {
    let scenario = Scenario::only_named(&format!("s{number}"), "000000000000");
    Arc::new(Scenario { rule, file: PathBuf::from(format!("s{number}.yaml")), ..scenario })
}

pub(crate) fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

pub(crate) fn all(keywords: &[&str]) -> MatchRule {
    MatchRule { all: words(keywords), ..MatchRule::default() }
}

pub(crate) fn any(keywords: &[&str]) -> MatchRule {
    MatchRule { any: words(keywords), ..MatchRule::default() }
}

/// What is chosen, with nothing left out.
pub(crate) fn told(choice: &Choice) -> String {
    match choice {
        Choice::Scenario { meant, lost } => {
            let lost: Vec<_> =
                lost.iter().map(|it| (&it.scenario.id, it.specificity, it.by)).collect();
            let meant = (&meant.scenario.id, meant.specificity, &meant.captures, &meant.keywords);
            format!("{meant:?} before {lost:?}")
        }
        Choice::None { near } => {
            let near: Vec<_> =
                near.iter().map(|it| (&it.scenario.id, &it.capture, it.kind)).collect();
            format!("none, near {near:?}")
        }
        Choice::Ambiguous { several, lost } => {
            let several: Vec<_> = several
                .iter()
                .map(|it| (&it.scenario.id, it.specificity, &it.captures, &it.keywords))
                .collect();
            let lost: Vec<_> =
                lost.iter().map(|it| (&it.scenario.id, it.specificity, it.by)).collect();
            format!("{several:?} before {lost:?}")
        }
    }
}

/// Few letters, so that keywords overlap, lie within each other and are found: small, capital,
/// full width, half width, two forms of one kana, and what unfolds to more than one letter.
const LETTERS: &str = "[aAａbＢデﾃﾞ停㈱ ]";

pub(crate) fn keyword() -> BoxedStrategy<String> {
    string_regex(&format!("{}{{1,3}}", LETTERS.replace(' ', ""))).unwrap().boxed()
}

pub(crate) fn title() -> BoxedStrategy<String> {
    string_regex(&format!("{LETTERS}{{0,9}}")).unwrap().boxed()
}

pub(crate) fn rule() -> impl Strategy<Value = MatchRule> {
    let list = |most| proptest::collection::vec(keyword(), 0..=most);
    let pattern = prop_oneof![
        4 => Just(None),
        1 => Just(Some("a(?<x>.)")),
        1 => Just(Some("(?<x>b+)(?<y>デ)?")),
    ];
    (list(3), list(3), list(1), pattern, -1..=1_i64).prop_map(
        |(all, any, none, pattern, priority)| {
            let kinds = BTreeMap::from([("x".to_owned(), CaptureKind::Word)]);
            let pattern = pattern.map(|pattern| Pattern::compile(pattern, &kinds).unwrap());
            MatchRule { all, any, none, pattern, priority, ..MatchRule::default() }
        },
    )
}

pub(crate) fn catalog(most: usize) -> impl Strategy<Value = Vec<Arc<Scenario>>> {
    proptest::collection::vec(rule(), 0..=most).prop_map(|rules| {
        rules.into_iter().enumerate().map(|(number, rule)| scenario(number, rule)).collect()
    })
}

pub(crate) fn chosen(index: &Index, title: &str) -> Option<String> {
    match index.choose(title) {
        Choice::Scenario { meant, .. } => Some(meant.scenario.id.clone()),
        Choice::None { .. } | Choice::Ambiguous { .. } => None,
    }
}
