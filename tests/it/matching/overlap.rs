use std::sync::Arc;

use ams::finding::Finding;
use ams::matching::{Index, overlap};
use ams::scenario::capture::Pattern;
use ams::scenario::model::{MatchRule, Scenario};
use proptest::prelude::ProptestConfig;
use proptest::{prop_assert, proptest};

use super::{all, any, catalog, chosen, scenario, title, words};

/// What is found beside what each rule shows by itself: who, what, and whom it names.
fn found(rules: &[MatchRule]) -> Vec<String> {
    let rules = rules.iter().cloned().enumerate();
    let scenarios: Vec<_> = rules.map(|(number, rule)| scenario(number, rule)).collect();
    overlap::findings(&scenarios)
        .iter()
        .filter(|it| ["shadowed-scenario", "ambiguous-scenarios"].contains(&it.id))
        .map(|it| format!("{} {} {}", it.file.display(), it.id, other(it)))
        .collect()
}

/// The file a finding names.
fn other(finding: &Finding) -> &str {
    let inside = finding.message.split_once('(').and_then(|(_, rest)| rest.split_once(')'));
    inside.map_or("", |(file, _)| file)
}

fn first(rule: MatchRule) -> MatchRule {
    MatchRule { priority: 1, ..rule }
}

fn none(rule: MatchRule, none: &[&str]) -> MatchRule {
    MatchRule { none: words(none), ..rule }
}

fn pattern(rule: MatchRule, pattern: &str) -> MatchRule {
    let pattern = Pattern::compile(pattern, &std::collections::BTreeMap::new()).unwrap();
    MatchRule { pattern: Some(pattern), ..rule }
}

#[test]
fn a_scenario_without_a_title_of_its_own_is_found() {
    let shadowed = ["s1.yaml shadowed-scenario s0.yaml"];
    for (other, never) in [
        (first(all(&["disk"])), all(&["disk", "full"])),
        (first(all(&["ディスク"])), all(&["ﾃﾞｨｽｸ使用量"])),
        (first(any(&["disk", "cpu"])), all(&["disk full"])),
        (first(any(&["disk", "cpu"])), any(&["disk full", "cpu high"])),
        (first(all(&["http"])), any(&["https", "http 500"])),
        (first(none(all(&["disk"]), &["test run"])), none(all(&["disk", "full"]), &["test"])),
        (first(pattern(all(&["disk"]), "a.b")), pattern(all(&["disk", "full"]), "a.b")),
        // Of the same priority, but what more it says is no keyword.
        (all(&["disk"]), none(all(&["disk"]), &["test"])),
        (all(&["disk"]), pattern(all(&["disk"]), "a.b")),
        (any(&["disk", "cpu"]), none(any(&["disk", "cpu"]), &["test"])),
        (any(&["disk", "cpu"]), any(&["disk"])),
    ] {
        assert_eq!(found(&[other.clone(), never.clone()]), shadowed, "{other:?} {never:?}");
    }
}

#[test]
fn a_scenario_that_may_be_chosen_is_left_alone() {
    for (other, chosen) in [
        (all(&["disk"]), all(&["disk", "full"])),
        (all(&["disk"]), first(all(&["disk", "full"]))),
        (first(all(&["disk", "full"])), all(&["disk"])),
        (first(none(all(&["disk"]), &["inode"])), all(&["disk", "inode"])),
        (first(none(all(&["disk"]), &["test"])), none(all(&["disk"]), &["test run"])),
        (first(pattern(all(&["disk"]), "a.b")), all(&["disk"])),
        (first(pattern(all(&["disk"]), "a.b")), pattern(all(&["disk"]), "a.c")),
        (first(any(&["disk full", "cpu"])), any(&["disk", "cpu"])),
        (any(&["disk"]), any(&["disk", "disk full"])),
    ] {
        let found = found(&[other.clone(), chosen.clone()]);
        assert!(!found.iter().any(|it| it.starts_with("s1")), "{other:?} {chosen:?}: {found:?}");
    }
}

#[test]
fn scenarios_that_mean_the_same_are_found_whatever_the_way_of_writing() {
    let rules = [
        none(MatchRule { all: words(&["HTTP", "応答なし"]), ..any(&["a1", "b1"]) }, &["test"]),
        all(&["cpu"]),
        none(MatchRule { all: words(&["応答なし", "ｈｔｔｐ"]), ..any(&["b1", "A1"]) }, &["Test"]),
    ];
    assert_eq!(found(&rules), ["s2.yaml ambiguous-scenarios s0.yaml"]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(1_500) })]

    /// Findings are certain: what they say cannot be chosen is chosen for no title.
    #[test]
    fn what_is_found_is_never_chosen(catalog in catalog(6), titles in proptest::collection::vec(title(), 12)) {
        let index = Index::of(&catalog);
        let findings = overlap::findings(&catalog);
        let lost: Vec<&Finding> = findings
            .iter()
            .filter(|it| {
                ["shadowed-scenario", "ambiguous-scenarios"].contains(&it.id)
                    || it.id == "never-matches" && it.message.starts_with("it never")
            })
            .collect();
        let made = catalog.iter().flat_map(|scenario| titles_for(scenario, &titles[0]));
        for title in made.chain(titles.iter().cloned()) {
            let chosen = chosen(&index, &title);
            let wrong = lost.iter().find(|it| {
                chosen.as_ref().is_some_and(|id| it.file.display().to_string() == format!("{id}.yaml"))
            });
            prop_assert!(wrong.is_none(), "{:?} chooses it: {:?}", title, wrong);
        }
    }
}

/// Titles that have the keywords of a scenario in them.
fn titles_for(scenario: &Arc<Scenario>, around: &str) -> Vec<String> {
    let rule = &scenario.rule;
    let all = rule.all.join(" ");
    let each = rule.any.iter().map(|any| format!("{all} {any}"));
    let each: Vec<String> = each.chain([all.clone()]).collect();
    each.iter().flat_map(|title| [title.clone(), format!("{title} {around}")]).collect()
}

/// Words that everybody has, hosts that few have, many files: still a matter of a moment.
#[test]
fn ten_thousand_scenarios_are_compared_in_a_moment() {
    let severities = ["critical", "warning", "down", "停止"];
    let scenarios: Vec<Arc<Scenario>> = (0..10_000_usize)
        .map(|n| {
            let (host, unit) = (format!("host-{:04}", n / 6), format!("unit-{:02}", n % 40));
            let severity = severities[n % severities.len()];
            let rule = match n % 3 {
                0 => all(&[severity, &host]),
                1 => MatchRule { all: words(&[&host, &unit]), ..any(&severities) },
                // Told apart by their patterns alone.
                _ if n % 6 == 2 => pattern(all(&["critical", "http"]), &format!("={n}")),
                _ if n % 60 == 5 => first(all(&[&host])),
                _ => any(&[&format!("{host} {unit}"), &format!("{host} {severity}")]),
            };
            scenario(n, rule)
        })
        .collect();
    let begun = tokio::time::Instant::now();
    let findings = overlap::findings(&scenarios);
    let took = begun.elapsed();
    assert!(findings.len() > 500, "{}", findings.len());
    // An unoptimised build on a busy machine; one that compared all pairs would take minutes.
    assert!(took.as_secs() < 10, "{took:?}");
}
