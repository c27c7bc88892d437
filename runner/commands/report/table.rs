//! Figures for people: a table of 80 to 96 columns with small charts.

use super::{Told, words};
use crate::commands::columns::{bar, grouped, left, percent, pick, printable, right, seconds};
use crate::figures::{Group, Section, Spread};
use crate::lang::Lang;

/// Columns of the first cell, of a count, of two times, and of a chart.
const NAME: usize = 30;
const COUNT: usize = 10;
const TIMES: usize = 17;
const CHART: usize = 20;

pub(super) fn table(lang: Lang, told: &Told, top: usize) -> String {
    let mut lines = head(lang, told);
    lines.push(String::new());
    lines.extend(times(lang, &told.report.total));
    lines.push(String::new());
    let minutes = told.terms.by_hand.as_secs() / 60;
    lines.push(words::saved(lang, &told.report.total, minutes));
    for section in &told.report.sections {
        lines.push(String::new());
        lines.extend(counts_of(lang, section, top));
        lines.push(String::new());
        lines.extend(times_of(lang, section, top));
    }
    let lines: Vec<&str> = lines.iter().map(|line| line.trim_end()).collect();
    lines.join("\n")
}

fn head(lang: Lang, told: &Told) -> Vec<String> {
    let total = &told.report.total;
    let (period, zone) = (&told.terms.period, told.terms.zone.iana_name().unwrap_or("UTC"));
    let mut lines = vec![match lang {
        Lang::Ja => format!("AMS 対応実績 {} から {} まで（{zone}）", period.first, period.last),
        Lang::En => format!("AMS, {} to {} ({zone})", period.first, period.last),
    }];
    let wanted = &told.terms.wanted;
    let only: Vec<&str> = [&wanted.customer, &wanted.service, &wanted.scenario]
        .into_iter()
        .flatten()
        .map(String::as_str)
        .collect();
    if !only.is_empty() {
        lines.push(printable(&only.join(", ")));
    }
    lines.push(String::new());
    let row = |name: &str, count: usize| {
        let share = percent(count, total.alerts);
        format!("{}{}{}", left(name, NAME), right(&grouped(count as u64), COUNT), right(&share, 8))
    };
    let alerts = pick(lang, "アラート", "alerts");
    lines.push(format!("{}{}", left(alerts, NAME), right(&grouped(total.alerts as u64), COUNT)));
    lines.push(row(pick(lang, "シナリオに一致", "matched a scenario"), total.matched));
    let handled = pick(lang, "AMS が対応（AMS対応率）", "handled by AMS");
    let chart = bar(total.handled, total.alerts, total.alerts, CHART);
    lines.push(format!("{}  {chart}", row(handled, total.handled)));
    let parts = words::parts(lang, total).into_iter().filter(|(_, count)| *count > 0);
    lines.extend(parts.map(|(name, count)| row(name, count)));
    if told.open_now > 0 {
        let open = pick(lang, "いま対応中（上に含まない）", "open now, not counted above");
        lines.push(format!("{}{}", left(open, NAME), right(&grouped(told.open_now as u64), COUNT)));
    }
    lines
}

fn times(lang: Lang, total: &Group) -> Vec<String> {
    let heads = match lang {
        Lang::Ja => ["発生からの時間", "件数", "平均", "90%点"],
        Lang::En => ["from the incident's beginning", "count", "mean", "p90"],
    };
    let cells = |name: &str, values: [&str; 3]| {
        format!("{}{}", left(name, NAME), values.map(|value| right(value, COUNT)).concat())
    };
    let mut lines = vec![cells(heads[0], [heads[1], heads[2], heads[3]])];
    for (name, spread) in stages(lang).into_iter().zip(spreads(total)) {
        let Spread { count, mean_seconds, p90_seconds } = spread;
        let time = |it: Option<f64>| it.map_or("-".to_owned(), |it| seconds(lang, it));
        let (mean, p90) = (time(mean_seconds), time(p90_seconds));
        lines.push(cells(name, [&grouped(count as u64), &mean, &p90]));
    }
    lines
}

const fn stages(lang: Lang) -> [&'static str; 4] {
    match lang {
        Lang::Ja => ["受付まで", "初動まで", "復旧まで", "引継ぎまで"],
        Lang::En => ["to claim", "to first action", "to recovery", "to hand-off"],
    }
}

const fn spreads(group: &Group) -> [Spread; 4] {
    [group.to_claim, group.to_first_action, group.to_recovery, group.to_hand_off]
}

/// Groups of time all, of the others the largest.
fn shown(section: &Section, top: usize) -> &[Group] {
    let most = if section.by.is_time() { usize::MAX } else { top };
    &section.groups[..section.groups.len().min(most)]
}

fn name(lang: Lang, section: &Section, group: &Group) -> String {
    let name = match (&group.name, &group.key) {
        (Some(name), _) => printable(name),
        (None, Some(key)) => printable(key),
        (None, None) => words::without(lang, section.by).to_owned(),
    };
    left(&format!("  {name}"), NAME)
}

fn counts_of(lang: Lang, section: &Section, top: usize) -> Vec<String> {
    let heads = match lang {
        Lang::Ja => ["アラート", "一致", "AMS対応", "AMS対応率", "削減(分)"],
        Lang::En => ["alerts", "matched", "handled", "rate", "saved min"],
    };
    let title = left(words::by(lang, section.by), NAME);
    let mut lines = vec![format!("{title}{}", heads.map(|head| right(head, COUNT)).concat())];
    let longest = section.groups.iter().map(|group| group.alerts).max().unwrap_or(0);
    let groups = shown(section, top);
    for group in groups {
        let cells = [
            grouped(group.alerts as u64),
            grouped(group.matched as u64),
            grouped(group.handled as u64),
            percent(group.handled, group.alerts),
            grouped(group.saved_minutes),
        ];
        let cells = cells.map(|cell| right(&cell, COUNT)).concat();
        let chart = bar(group.handled, group.alerts, longest, CHART);
        lines.push(format!("{}{cells}  {chart}", name(lang, section, group)));
    }
    let rest = &section.groups[groups.len()..];
    if !rest.is_empty() {
        let alerts: usize = rest.iter().map(|group| group.alerts).sum();
        lines.push(format!("  {}", words::more(lang, rest.len(), &grouped(alerts as u64))));
    }
    lines
}

fn times_of(lang: Lang, section: &Section, top: usize) -> Vec<String> {
    let title = pick(lang, "  平均 / 90%点", "  mean / p90");
    let heads = stages(lang).map(|head| right(head, TIMES)).concat();
    let mut lines = vec![format!("{}{heads}", left(title, NAME))];
    lines.extend(shown(section, top).iter().map(|group| {
        let cells = spreads(group).map(|it| right(&words::spread(lang, it), TIMES)).concat();
        format!("{}{cells}", name(lang, section, group))
    }));
    lines
}
