//! The plain way to choose, written down again: every scenario, every keyword, one at a time.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;

use ams::folding::{fold, widths};
use ams::matching::{Choice, Index, Lost, LostBy, Meant, NearMiss};
use ams::scenario::capture::Captured;
use ams::scenario::model::Scenario;
use proptest::prelude::ProptestConfig;
use proptest::{prop_assert, prop_assert_eq, proptest};

use super::{all, any, catalog, chosen, scenario, title, told};

fn one_by_one(scenarios: &[Arc<Scenario>], title: &str) -> Choice {
    let folded = fold(title);
    let has = |word: &&String| folded.contains(&fold(word));
    let length = |word: &String| fold(word).chars().count();
    let (mut found, mut near) = (Vec::new(), Vec::new());
    for scenario in scenarios {
        let rule = &scenario.rule;
        let any: Vec<&String> = rule.any.iter().filter(has).collect();
        let matches = rule.all.iter().all(|word| has(&word))
            && !rule.none.iter().any(|word| has(&word))
            && (rule.any.is_empty() || !any.is_empty());
        if !matches {
            continue;
        }
        let captures = match &rule.pattern {
            None => BTreeMap::new(),
            Some(pattern) => match pattern.capture(&widths(title)) {
                Captured::Values(values) => values,
                Captured::NoMatch => continue,
                Captured::WrongKind { name, kind } => {
                    let scenario = Arc::clone(scenario);
                    near.push(NearMiss { scenario, capture: name, kind });
                    continue;
                }
            },
        };
        let longest = any.iter().map(|word| length(word)).max().unwrap_or(0);
        let specificity = rule.all.iter().map(length).sum::<usize>() + longest;
        let keywords = rule.all.iter().chain(any).cloned().collect();
        let scenario = Arc::clone(scenario);
        found.push(Meant { scenario, captures, specificity, keywords });
    }
    found.sort_by_key(|it| Reverse((it.scenario.rule.priority, it.specificity)));
    let Some(best) = found.first().cloned() else {
        return Choice::None { near };
    };
    let (priority, specificity) = (best.scenario.rule.priority, best.specificity);
    let (several, lost): (Vec<Meant>, Vec<Meant>) = found
        .into_iter()
        .partition(|it| it.scenario.rule.priority == priority && it.specificity == specificity);
    let lost = lost.into_iter().map(|it| Lost {
        by: if it.scenario.rule.priority == priority {
            LostBy::LessSpecific
        } else {
            LostBy::LowerPriority
        },
        specificity: it.specificity,
        scenario: it.scenario,
    });
    let lost = lost.collect();
    if several.len() > 1 {
        return Choice::Ambiguous { several, lost };
    }
    Choice::Scenario { meant: best, lost }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(2_000) })]

    #[test]
    fn the_index_gives_what_the_plain_way_gives(catalog in catalog(8), titles in [title(), title()]) {
        let index = Index::of(&catalog);
        for title in titles {
            let (fast, plain) = (index.choose(&title), one_by_one(&catalog, &title));
            prop_assert_eq!(told(&fast), told(&plain), "{:?}", title);
            // What is close did not match.
            for close in index.close(&title, usize::MAX) {
                let alone = Index::of(std::slice::from_ref(&close.scenario));
                prop_assert!(chosen(&alone, &title).is_none(), "{:?} {:?}", title, close);
            }
        }
    }
}

/// The sizes that an automaton of another kind is built for.
#[test]
fn ten_thousand_scenarios_choose_as_the_plain_way_does() {
    let catalog: Vec<Arc<Scenario>> = (0..10_000_usize)
        .map(|n| {
            let (host, unit) = (format!("host{:03}", n % 700), format!("unit-{:02}", n % 97));
            let rule = match n % 3 {
                0 => all(&["critical", &host, &unit]),
                1 => any(&[&format!("{host}.example"), &format!("{unit} が停止")]),
                _ => ams::scenario::model::MatchRule {
                    none: vec!["メンテナンス".to_owned()],
                    any: vec!["critical".to_owned(), "停止".to_owned()],
                    ..all(&[&unit, &host])
                },
            };
            scenario(n, rule)
        })
        .collect();
    let index = Index::of(&catalog);
    for title in [
        "CRITICAL: UNIT-07 on HOST123.example",
        "ｈｏｓｔ５８１: unit-21 が停止",
        "host581: unit-21 が停止 (ﾒﾝﾃﾅﾝｽ)",
        "critical",
        "",
    ] {
        assert_eq!(told(&index.choose(title)), told(&one_by_one(&catalog, title)), "{title}");
    }
}
