//! What becomes of many titles.

use serde_json::{Value, json};

use crate::commands::match_title::printable;
use crate::commands::print;
use crate::matching::coverage::{Counted, Coverage};

/// Kinds of titles without a scenario that are told to people. JSON has all.
const SHOWN: usize = 20;

pub(super) fn text(coverage: &Coverage, scenarios: usize) {
    let total = coverage.titles;
    print::out(format_args!("{total} title{}", if total == 1 { "" } else { "s" }));
    for (name, count) in [
        ("matched", coverage.matched),
        ("ambiguous", coverage.ambiguous),
        ("unmatched", coverage.unmatched),
    ] {
        print::out(format_args!("{count:>8}  {:>5}%  {name}", share(count, total)));
    }
    section("matched, by scenario", &coverage.by_scenario, usize::MAX, false);
    let unused = scenarios - coverage.by_scenario.len();
    if unused > 0 {
        print::out(format_args!("\n{unused} of {scenarios} scenarios got none of these titles"));
    }
    section("ambiguous, by the scenarios meant equally", &coverage.by_tie, usize::MAX, true);
    section("unmatched, by kind of title", &coverage.by_form, SHOWN, true);
}

fn section(name: &str, groups: &[Counted], most: usize, examples: bool) {
    if groups.is_empty() {
        return;
    }
    print::out(format_args!("\n{name}"));
    for group in groups.iter().take(most) {
        let names = printable(&group.names.join(", "));
        print::out(format_args!("{:>8}  {names}", group.count));
        if examples && names != group.example {
            print::out(format_args!("{:>8}  e.g. {}", "", printable(&group.example)));
        }
    }
    if let Some(rest) = groups.get(most..).filter(|rest| !rest.is_empty()) {
        let titles: usize = rest.iter().map(|group| group.count).sum();
        print::out(format_args!(
            "{titles:>8}  in {} more kinds (--format json has all)",
            rest.len()
        ));
    }
}

/// Per cent with one digit, rounded down: 100.0 is all of them.
fn share(count: usize, total: usize) -> String {
    let thousandths = count * 1_000 / total.max(1);
    format!("{}.{}", thousandths / 10, thousandths % 10)
}

pub(super) fn json(coverage: &Coverage, scenarios: usize) {
    let by_scenario = coverage.by_scenario.iter().map(|group| {
        json!({"scenario": group.names.first(), "count": group.count, "example": group.example})
    });
    let by_tie = coverage.by_tie.iter().map(
        |group| json!({"scenarios": group.names, "count": group.count, "example": group.example}),
    );
    let by_form = coverage.by_form.iter().map(|group| {
        json!({"form": group.names.first(), "count": group.count, "example": group.example})
    });
    let answer = json!({
        "titles": coverage.titles,
        "matched": coverage.matched,
        "ambiguous": coverage.ambiguous,
        "unmatched": coverage.unmatched,
        "scenario_count": scenarios,
        "matched_by_scenario": by_scenario.collect::<Vec<Value>>(),
        "ambiguous_by_scenarios": by_tie.collect::<Vec<Value>>(),
        "unmatched_by_form": by_form.collect::<Vec<Value>>(),
    });
    print::out(format_args!("{answer:#}"));
}
