use std::collections::BTreeMap;

use ams::matching::overlap;
use ams::scenario::capture::Pattern;
use ams::scenario::model::MatchRule;

use super::{all, any, scenario, words};

fn found(rule: MatchRule) -> String {
    let findings = overlap::findings(&[scenario(0, rule)]);
    let lines: Vec<String> =
        findings.iter().map(|it| format!("{}: {}\n  → {}", it.id, it.message, it.remedy)).collect();
    lines.join("\n")
}

#[test]
fn keywords_that_say_nothing_new_are_found() {
    insta::assert_snapshot!(found(all(&["HTTP", "応答なし", "ｈｔｔｐ"])), @"
    overlapping-keywords: 'HTTP' and 'ｈｔｔｐ' under 'all' are the same keyword
      → remove one: case and width make no difference
    ");
    insta::assert_snapshot!(found(any(&["disk", "disk", "cpu"])), @"
    overlapping-keywords: 'disk' stands twice under 'any'
      → remove one: case and width make no difference
    ");
    insta::assert_snapshot!(found(all(&["disk", "disk full"])), @"
    overlapping-keywords: 'disk' under 'all' says nothing new: it is part of 'disk full'
      → remove it, or write the word that must also be there
    ");
    let always = MatchRule { all: words(&["disk full"]), ..any(&["ＤＩＳＫ", "cpu"]) };
    insta::assert_snapshot!(found(always), @"
    overlapping-keywords: 'any' says nothing: 'ＤＩＳＫ' is always there, as a part of 'disk full' under 'all'
      → remove it from 'any', or the longer word from 'all'
    ");
}

#[test]
fn keywords_in_titles_of_every_kind_are_found() {
    insta::assert_snapshot!(found(all(&["NG"])), @"
    broad-keywords: 'ng' is enough to match, and is in titles of every kind, also within words
      → write a longer keyword, or add one under 'all' that only these titles have
    ");
    insta::assert_snapshot!(found(any(&["停", "停止"])), @"
    broad-keywords: '停' is enough to match, and is in titles of every kind, also within words
      → write a longer keyword, or add one under 'all' that only these titles have
    ");
    for enough in [
        all(&["CPU"]),
        all(&["停止"]),
        all(&["db", "NG"]),
        MatchRule { all: words(&["db"]), ..any(&["up", "down"]) },
        MatchRule {
            pattern: Some(Pattern::compile("x.y", &BTreeMap::new()).unwrap()),
            ..all(&["NG"])
        },
    ] {
        assert_eq!(found(enough.clone()), "", "{enough:?}");
    }
}

#[test]
fn keywords_that_cannot_be_met_are_found() {
    let none = |rule| MatchRule { none: words(&["test", "メンテ"]), ..rule };
    insta::assert_snapshot!(found(none(all(&["disk", "ﾒﾝﾃﾅﾝｽ"]))), @"
    never-matches: it never matches: 'ﾒﾝﾃﾅﾝｽ' under 'all' has 'メンテ' in it, which stands under 'none'
      → remove one of the two, or make the one under 'none' longer
    ");
    insta::assert_snapshot!(found(none(any(&["latest", "Test 1"]))), @"
    never-matches: it never matches: 'latest' under 'any' has 'test' in it, which stands under 'none'
      → remove one of the two, or make the one under 'none' longer
    never-matches: it never matches: 'Test 1' under 'any' has 'test' in it, which stands under 'none'
      → remove one of the two, or make the one under 'none' longer
    ");
    insta::assert_snapshot!(found(none(any(&["latest", "disk"]))), @"
    never-matches: this can never count: 'latest' under 'any' has 'test' in it, which stands under 'none'
      → remove one of the two, or make the one under 'none' longer
    ");
    insta::assert_snapshot!(found(all(&["[AMS 復旧] HTTP"])), @"
    never-matches: it never matches: '[AMS 復旧] HTTP' under 'all' has AMS's own prefix in it, which is cut off before titles are compared
      → write the keyword without [AMS …]
    ");
    assert_eq!(found(all(&["[AMSLinuxDiskUsage"])), "");
    assert_eq!(found(MatchRule { none: words(&["test run"]), ..all(&["test"]) }), "");
}

/// The prefix that the rules know is the one that titles get.
#[test]
fn every_prefix_of_ours_is_recognised() {
    use ams::lang::Lang;
    use ams::report::title::{State, with_state};
    for state in [State::Working, State::Recovered, State::RecoveredItself, State::HandedOff] {
        for lang in [Lang::Ja, Lang::En] {
            let keyword = with_state("disk", state, lang);
            assert!(found(all(&[&keyword])).contains("AMS's own prefix"), "{keyword}");
        }
    }
}
