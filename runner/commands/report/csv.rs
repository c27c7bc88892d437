//! Figures as CSV: one line for all, then one for each group.

use crate::commands::columns;
use crate::figures::{Group, Report, Spread};

const COLUMNS: [&str; 29] = [
    "by",
    "key",
    "name",
    "alerts",
    "matched",
    "handled",
    "handled_rate",
    "recovered",
    "recovered_itself",
    "reopened",
    "handed_off",
    "escalated",
    "taken_over",
    "ended_meanwhile",
    "suspended",
    "shadowed",
    "unmatched",
    "claim_count",
    "claim_mean_s",
    "claim_p90_s",
    "first_action_count",
    "first_action_mean_s",
    "first_action_p90_s",
    "recovery_count",
    "recovery_mean_s",
    "recovery_p90_s",
    "hand_off_count",
    "hand_off_mean_s",
    "hand_off_p90_s",
];

pub(super) fn csv(report: &Report) -> String {
    let names = COLUMNS.iter().chain(&["saved_minutes"]).map(|name| (*name).to_owned());
    let mut lines = vec![columns::csv(&names.collect::<Vec<_>>())];
    lines.push(line("total", &report.total));
    for section in &report.sections {
        lines.extend(section.groups.iter().map(|group| line(section.by.word(), group)));
    }
    lines.join("\n")
}

fn line(by: &str, group: &Group) -> String {
    let name = columns::printable(group.name.as_deref().unwrap_or_default());
    let key = columns::printable(group.key.as_deref().unwrap_or_default());
    let mut cells = vec![by.to_owned(), key, name];
    cells.extend([group.alerts, group.matched, group.handled].map(|count| count.to_string()));
    cells.push(format!("{:.4}", group.rate()));
    let counts = [
        group.recovered,
        group.recovered_itself,
        group.reopened,
        group.handed_off,
        group.escalated,
        group.taken_over,
        group.ended_meanwhile,
        group.suspended,
        group.shadowed,
        group.unmatched,
    ];
    cells.extend(counts.map(|count| count.to_string()));
    let spreads = [group.to_claim, group.to_first_action, group.to_recovery, group.to_hand_off];
    for Spread { count, mean_seconds, p90_seconds } in spreads {
        let seconds = |it: Option<f64>| it.map(|it| format!("{it:.3}")).unwrap_or_default();
        cells.extend([count.to_string(), seconds(mean_seconds), seconds(p90_seconds)]);
    }
    cells.push(group.saved_minutes.to_string());
    columns::csv(&cells)
}
