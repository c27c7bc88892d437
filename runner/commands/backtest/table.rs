//! Past incidents against the scenarios, for people.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::backtest::{Backtest, Covered, Kind, Open};
use crate::commands::columns::{bar, cut, grouped, left, percent, pick, printable, right, seconds};
use crate::lang::Lang;

const NAME: usize = 34;
const COUNT: usize = 10;
const CHART: usize = 20;
const WIDTH: usize = 92;
/// Scenarios without an incident that are named.
const IDLE: usize = 10;
const WEEK_SECONDS: i64 = 7 * 24 * 3_600;

pub(super) const fn nothing(lang: Lang) -> &'static str {
    pick(lang, "この期間のインシデントはありません", "there was no incident in that time")
}

pub(super) fn table(lang: Lang, told: &Backtest, (top, zone): (usize, &TimeZone)) -> String {
    let mut lines = head(lang, told, zone);
    lines.extend(by_scenario(lang, told, top));
    lines.extend(ambiguous(lang, told, top));
    lines.extend(kinds(lang, told, top));
    lines.extend(idle(lang, told));
    let lines: Vec<&str> = lines.iter().map(|line| line.trim_end()).collect();
    lines.join("\n")
}

fn head(lang: Lang, told: &Backtest, zone: &TimeZone) -> Vec<String> {
    let day = |at: Option<Timestamp>| {
        at.map(|at| at.to_zoned(zone.clone()).date().to_string()).unwrap_or_default()
    };
    let (first, last) = (day(told.first), day(told.last));
    let (incidents, scenarios) = (grouped(told.incidents as u64), told.scenarios);
    let mut lines = vec![
        match lang {
            Lang::Ja => format!(
                "過去のインシデント {incidents}件（{first} から {last}）を今のシナリオ{scenarios}件に当てた結果"
            ),
            Lang::En => {
                format!(
                    "{incidents} incidents from {first} to {last}, {scenarios} scenarios of today"
                )
            }
        },
        String::new(),
    ];
    let row = |name: &str, count: usize| {
        let share = percent(count, told.incidents);
        format!("{}{}{}", left(name, NAME), right(&grouped(count as u64), COUNT), right(&share, 8))
    };
    let say = |ja, en| pick(lang, ja, en);
    let covered = told.covered();
    let chart = bar(covered, told.incidents, told.incidents, CHART);
    lines
        .push(format!("{}  {chart}", row(say("シナリオに一致", "covered by a scenario"), covered)));
    for (name, count) in [
        (say("  自動（auto）", "  auto"), told.auto),
        (say("  承認してから（approve）", "  asks first (approve)"), told.approve),
        (say("  実行しない（shadow）", "  looks only (shadow)"), told.shadow),
        (say("複数に同等に一致（人が対応）", "several equally, left to people"), told.ambiguous),
        (say("シナリオなし（人が対応）", "no scenario, left to people"), told.uncovered),
    ] {
        if count > 0 {
            lines.push(row(name, count));
        }
    }
    let (minutes, hours) = (grouped(told.minutes_at_most), grouped(told.minutes_at_most / 60));
    lines.push(String::new());
    lines.push(match lang {
        Lang::Ja => format!("人の作業時間にして最大{minutes}分（約{hours}時間）に相当（一致した全件を AMS が終えられた場合）"),
        Lang::En => format!("worth {minutes} minutes of people ({hours} h) at most, if AMS ended all that is covered"),
    });
    lines
}

fn open_cells(lang: Lang, open: Open) -> String {
    let time = |it: Option<i64>| {
        let exact = it.and_then(|it| i32::try_from(it).ok()).map(f64::from);
        exact.map_or("-".to_owned(), |it| seconds(lang, it))
    };
    let people =
        if open.resolved == 0 { "-".to_owned() } else { percent(open.by_people, open.resolved) };
    [time(open.p50_seconds), time(open.p90_seconds), people].map(|it| right(&it, COUNT)).concat()
}

fn open_heads(lang: Lang) -> String {
    let heads = match lang {
        Lang::Ja => ["解決50%点", "90%点", "人が解決"],
        Lang::En => ["open p50", "p90", "by people"],
    };
    heads.map(|head| right(head, COUNT)).concat()
}

fn by_scenario(lang: Lang, told: &Backtest, top: usize) -> Vec<String> {
    if told.by_scenario.is_empty() {
        return Vec::new();
    }
    let title = pick(lang, "一致したシナリオ", "covered, by scenario");
    let count = right(pick(lang, "件数", "incidents"), COUNT);
    let mut lines =
        vec![String::new(), format!("{}{count}{}", left(title, NAME), open_heads(lang))];
    let longest = told.by_scenario.first().map_or(0, |it| it.incidents);
    lines.extend(told.by_scenario.iter().take(top).map(|it| {
        let Covered { scenario, incidents, open } = it;
        let name = left(&format!("  {}", printable(scenario)), NAME);
        let chart = bar(*incidents, *incidents, longest, CHART);
        let count = right(&grouped(*incidents as u64), COUNT);
        format!("{name}{count}{}  {chart}", open_cells(lang, *open))
    }));
    let rest = told.by_scenario.get(top..).unwrap_or_default();
    lines.extend(more(lang, rest.len(), rest.iter().map(|it| it.incidents).sum()));
    lines
}

fn more(lang: Lang, groups: usize, incidents: usize) -> Option<String> {
    let incidents = grouped(incidents as u64);
    (groups > 0).then(|| match lang {
        Lang::Ja => {
            format!("  ほか{groups}種類、{incidents}件（--top で増やす。csv と json には全件）")
        }
        Lang::En => format!(
            "  {groups} more with {incidents} incidents (--top shows more; csv and json have all)"
        ),
    })
}

fn ambiguous(lang: Lang, told: &Backtest, top: usize) -> Vec<String> {
    if told.by_tie.is_empty() {
        return Vec::new();
    }
    let title = pick(lang, "複数のシナリオに同等に一致", "several scenarios meant equally");
    let mut lines = vec![String::new(), title.to_owned()];
    for tie in told.by_tie.iter().take(top) {
        let count = right(&grouped(tie.incidents as u64), COUNT);
        lines.push(cut(&format!("{count}  {}", tie.scenarios.join(", ")), WIDTH));
        lines.push(cut(&format!("{:COUNT$}  {}", "", printable(&tie.example)), WIDTH));
    }
    lines
}

fn kinds(lang: Lang, told: &Backtest, top: usize) -> Vec<String> {
    if told.kinds.is_empty() {
        return Vec::new();
    }
    let title = pick(lang, "シナリオなし（似たもの同士）", "without a scenario, by kind");
    let heads = match lang {
        Lang::Ja => ["件数", "/週", "累計一致"],
        Lang::En => ["incidents", "a week", "covered"],
    };
    let heads = heads.map(|head| right(head, COUNT)).concat();
    let mut lines =
        vec![String::new(), format!("{}{heads}{}", left(title, NAME), open_heads(lang))];
    let span = match (told.first, told.last) {
        (Some(first), Some(last)) => last.duration_since(first).as_secs().max(WEEK_SECONDS),
        _ => WEEK_SECONDS,
    };
    for (place, kind) in told.kinds.iter().take(top).enumerate() {
        lines.extend(kind_lines(lang, place + 1, kind, span));
    }
    let rest = told.kinds.get(top..).unwrap_or_default();
    lines.extend(more(lang, rest.len(), rest.iter().map(|it| it.incidents).sum()));
    lines
}

fn kind_lines(lang: Lang, place: usize, kind: &Kind, span_seconds: i64) -> Vec<String> {
    let tenths =
        kind.incidents as u64 * 10 * WEEK_SECONDS.unsigned_abs() / span_seconds.unsigned_abs();
    let cells = [
        grouped(kind.incidents as u64),
        format!("{}.{}", tenths / 10, tenths % 10),
        format!("{:.1}%", kind.covered_then * 100.0),
    ];
    let cells = cells.map(|cell| right(&cell, COUNT)).concat();
    let mut lines = vec![
        cut(&format!("{place:>3}. {}", printable(&kind.form)), WIDTH),
        format!("{}{cells}{}", " ".repeat(NAME), open_cells(lang, kind.open)),
    ];
    if kind.form != kind.example {
        let label = pick(lang, "例", "e.g.");
        lines.push(cut(&format!("     {label} {}", printable(&kind.example)), WIDTH));
    }
    let each = kind.services.iter();
    let services: Vec<String> = each
        .map(|service| format!("{} ({})", printable(&service.name), service.incidents))
        .collect();
    let close = match (kind.close.is_empty(), lang) {
        (true, _) => String::new(),
        (false, Lang::Ja) => format!("  近いシナリオ: {}", kind.close.join(", ")),
        (false, Lang::En) => format!("  close: {}", kind.close.join(", ")),
    };
    let last = format!("     {}{close}", services.join(", "));
    lines.extend((!last.trim().is_empty()).then(|| cut(&last, WIDTH)));
    lines
}

fn idle(lang: Lang, told: &Backtest) -> Vec<String> {
    let count = told.idle.len();
    if count == 0 {
        return Vec::new();
    }
    let names: Vec<&str> = told.idle.iter().take(IDLE).map(String::as_str).collect();
    let (names, dots) = (names.join(", "), if count > IDLE { ", …" } else { "" });
    vec![
        String::new(),
        match lang {
            Lang::Ja => format!("1件も一致しなかったシナリオ {count}件: {names}{dots}"),
            Lang::En => format!("{count} scenarios got none of these incidents: {names}{dots}"),
        },
    ]
}
