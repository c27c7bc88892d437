//! Past incidents against the scenarios, as CSV.

use crate::backtest::{Backtest, Open};
use crate::commands::columns;

pub(super) fn csv(told: &Backtest) -> String {
    let head = [
        "what",
        "name",
        "incidents",
        "share",
        "covered_then",
        "resolved",
        "by_people",
        "open_p50_s",
        "open_p90_s",
        "first",
        "last",
        "example",
        "services",
        "close",
    ];
    let mut lines = vec![line(head.map(str::to_owned).to_vec())];
    let all = told.incidents;
    let share = |count: usize| format!("{:.4}", crate::figures::share(count, all));
    let mut add = |what: &str, name: &str, count: usize, rest: Vec<String>| {
        let cells = vec![what.to_owned(), name.to_owned(), count.to_string(), share(count)];
        lines.push(line([cells, rest].concat()));
    };
    for (name, count) in [
        ("all", all),
        ("auto", told.auto),
        ("approve", told.approve),
        ("shadow", told.shadow),
        ("ambiguous", told.ambiguous),
        ("uncovered", told.uncovered),
    ] {
        add("total", name, count, Vec::new());
    }
    for it in &told.by_scenario {
        let rest = [vec![String::new()], open(it.open)].concat();
        add("scenario", &it.scenario, it.incidents, rest);
    }
    for it in &told.by_tie {
        let rest = [vec![String::new(); 7], vec![it.example.clone()]].concat();
        add("ambiguous", &it.scenarios.join(" "), it.incidents, rest);
    }
    for it in &told.kinds {
        let then = format!("{:.3}", it.covered_then);
        let services: Vec<&str> = it.services.iter().map(|service| service.name.as_str()).collect();
        let times = vec![it.first.to_string(), it.last.to_string()];
        let texts = vec![it.example.clone(), services.join(" | "), it.close.join(" ")];
        add("kind", &it.form, it.incidents, [vec![then], open(it.open), times, texts].concat());
    }
    for id in &told.idle {
        add("scenario", id, 0, Vec::new());
    }
    lines.join("\n")
}

fn open(open: Open) -> Vec<String> {
    let seconds = |it: Option<i64>| it.map(|it| it.to_string()).unwrap_or_default();
    let counts = [open.resolved, open.by_people].map(|count| count.to_string());
    [counts.to_vec(), vec![seconds(open.p50_seconds), seconds(open.p90_seconds)]].concat()
}

/// Every line has the same cells.
fn line(mut cells: Vec<String>) -> String {
    cells.resize(14, String::new());
    let cells: Vec<String> = cells.iter().map(|cell| columns::printable(cell)).collect();
    columns::csv(&cells)
}
