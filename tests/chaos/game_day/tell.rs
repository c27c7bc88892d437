//! The timeline, the recovery times and the proof as text.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use ams::lang::Lang;
use jiff::Timestamp;
use unicode_width::UnicodeWidthStr as _;

use super::facts::Facts;
use super::options::{Options, Pace};
use super::words::pick;
use super::{load, proof, timeline, words};
use crate::evidence::Doubts;
use crate::report::Held;

/// Columns of a row's name.
const NAME: usize = 58;

fn left(text: &str, columns: usize) -> String {
    format!("{text}{}", " ".repeat(columns.saturating_sub(text.width())))
}

fn right(text: &str, columns: usize) -> String {
    format!("{}{text}", " ".repeat(columns.saturating_sub(text.width())))
}

fn line(out: &mut String, text: &str) {
    // Writing to a text does not fail.
    writeln!(out, "{text}").unwrap_or(());
}

fn row(out: &mut String, name: &str, cells: &[String]) {
    let cells: String = cells.iter().map(|cell| right(cell, 9)).collect();
    line(out, &format!("  {}{cells}", left(name, NAME)));
}

/// What will be done.
pub(crate) fn plan(options: &Options, incidents: usize) -> String {
    let Pace { calm, cut, shut, back, every, .. } = options.pace;
    let seconds = [calm, cut + shut, back, every].map(|it| it.as_secs_f64());
    let [calm, lost, back, every] = seconds;
    let (seed, store) = (options.seed, options.store.word());
    match options.lang {
        Lang::Ja => format!(
            "ゲームデイ: tokyo と osaka、各 2 プロセス、{store}、シード {seed}\n\
             {every} 秒ごとに 1 件、計 {incidents} 件。{calm} 秒後に tokyo を {lost} 秒間失い、\
             復帰後さらに {back} 秒続ける\n"
        ),
        Lang::En => format!(
            "Game day: tokyo and osaka, two processes each, {store}, seed {seed}\n\
             {incidents} incidents, one in {every} s; tokyo is lost after {calm} s for {lost} s, \
             and {back} s more follow\n"
        ),
    }
}

pub(crate) fn timeline(facts: &Facts<'_>, lang: Lang) -> String {
    let mut out = String::new();
    line(
        &mut out,
        pick(
            lang,
            "時系列（秒: 開始から、遮断から）",
            "Timeline (seconds: from the start, from the cut)",
        ),
    );
    for (at, what) in timeline::events(facts, lang) {
        let since = |from: Timestamp| at.duration_since(from).as_secs_f64();
        let (began, cut) = (since(facts.moments.began), since(facts.moments.cut));
        line(&mut out, &format!("  {began:>7.1} {cut:>+8.1}  {what}"));
    }
    out
}

/// Median, 99th percentile and longest, by nearest rank.
fn spread(mut seconds: Vec<f64>) -> Vec<String> {
    seconds.sort_by(f64::total_cmp);
    let rank = |hundredths: usize| (seconds.len() * hundredths).div_ceil(100);
    let at = |hundredths| seconds.get(rank(hundredths).saturating_sub(1));
    let told = |value: Option<&f64>| value.map_or("-".to_owned(), |value| format!("{value:.2}"));
    vec![seconds.len().to_string(), told(at(50)), told(at(99)), told(seconds.last())]
}

pub(crate) fn times(facts: &Facts<'_>, lang: Lang) -> String {
    let moments = &facts.moments;
    let mut out = String::new();
    let head = pick(lang, "復旧時間（秒）", "Recovery times (seconds)");
    let columns = [pick(lang, "件数", "count"), "p50", "p99", pick(lang, "最大", "longest")];
    line(&mut out, &format!("{}{}", left(head, NAME + 2), columns.map(|it| right(it, 9)).concat()));
    let after = |from: Timestamp, at: Option<Timestamp>| {
        at.map(|at| at.duration_since(from).as_secs_f64()).into_iter().collect::<Vec<_>>()
    };
    let turns = |ready, from| -> Vec<f64> {
        let processes = ["tokyo-1", "tokyo-2"].into_iter();
        processes.flat_map(|it| after(from, facts.turns(it, ready, from))).collect()
    };
    let red = pick(lang, "遮断 → tokyo の /readyz が 503", "cut → tokyo is not ready");
    row(&mut out, red, &spread(turns(false, moments.cut)));
    let carried = facts.take_overs.iter().flat_map(|it| after(moments.cut, Some(it.at)));
    let name =
        pick(lang, "遮断 → osaka が引き継ぐ（対応ごと）", "cut → osaka carries on (each run)");
    row(&mut out, name, &spread(carried.collect()));
    let spans = [
        (moments.began, moments.cut, "遮断の前", "before the cut"),
        (moments.cut, moments.back, "遮断の間", "while tokyo is lost"),
        (moments.back, moments.over, "復帰の後", "after it is back"),
    ];
    for (from, until, ja, en) in spans {
        let claims = facts.claims().filter(|(began, _)| *began >= from && *began < until);
        let waits = claims.flat_map(|(began, item)| after(began, Some(item.opened_at)));
        let name = match lang {
            Lang::Ja => format!("発生 → 対応開始、{ja}"),
            Lang::En => format!("incident → claim, {en}"),
        };
        row(&mut out, &name, &spread(waits.collect()));
    }
    let green = pick(lang, "復帰 → tokyo の /readyz が 200", "back → tokyo is ready");
    row(&mut out, green, &spread(turns(true, moments.back)));
    let again = pick(lang, "復帰 → tokyo が再び対応を開始", "back → tokyo claims again");
    row(&mut out, again, &spread(after(moments.back, facts.first_claim(0, moments.back))));
    out
}

/// What became of the load, by kind.
pub(crate) fn outcomes(facts: &Facts<'_>, lang: Lang) -> String {
    let mut out = String::new();
    let ended =
        facts.cases.iter().filter(|case| case.last_run().is_some_and(|it| it.outcome.is_some()));
    line(
        &mut out,
        &match lang {
            Lang::Ja => format!("証明: 発生 {} 件 = 完了 {} 件", facts.fired, ended.count()),
            Lang::En => format!("Proof: {} incidents = {} ended", facts.fired, ended.count()),
        },
    );
    let head = pick(lang, "種類 → あるべき結果", "kind → outcome that is due");
    let columns = [
        pick(lang, "件数", "count"),
        pick(lang, "期待通り", "as due"),
        pick(lang, "不明", "unknown"),
        pick(lang, "復旧", "effects"),
        pick(lang, "呼出し", "pages"),
    ];
    row(&mut out, head, &columns.map(str::to_owned));
    let mut kinds: BTreeMap<&str, (String, [usize; 5])> = BTreeMap::new();
    for case in &facts.cases {
        let name = load::name(case.planned);
        let due = load::expected(case.planned);
        let (_, counts) = kinds
            .entry(name)
            .or_insert_with(|| (format!("{} → {due}", words::kind(lang, name)), [0; 5]));
        let item = case.last_run();
        let is_due = item.is_some_and(|item| item.outcome == Some(due));
        let is_unknown = item.is_some_and(proof::is_unknown);
        let more =
            [1, usize::from(is_due), usize::from(is_unknown), case.effects.len(), case.pages()];
        counts.iter_mut().zip(more).for_each(|(count, more)| *count += more);
    }
    for (name, counts) in kinds.values() {
        row(&mut out, name, &counts.map(|count| count.to_string()));
    }
    out
}

/// What came of recoveries that the lost region had announced and not recorded as done.
pub(crate) fn doubts(facts: &Facts<'_>, lang: Lang) -> String {
    let Doubts { adopted, never_begun, repeated, unknown } = facts.doubts;
    let mut out = String::new();
    let head =
        pick(lang, "引継ぎのとき実行中だった操作", "recoveries in their middle at a take-over");
    row(&mut out, head, &[facts.doubts.all().to_string()]);
    let rows = [
        (adopted, "見つけて続けた（再実行しない）", "found and adopted, not run again"),
        (never_begun, "始まっていなかった", "announced and never begun"),
        (repeated, "不明。繰り返してよいため再実行", "unknown, may be repeated: run again"),
        (unknown, "不明。人へ引継ぎ（再実行しない）", "unknown: to people, not run again"),
    ];
    for (count, ja, en) in rows {
        row(&mut out, &format!("  {}", pick(lang, ja, en)), &[count.to_string()]);
    }
    out
}

pub(crate) fn rules(held: &[Held], lang: Lang) -> String {
    let mut out = String::new();
    let columns = [pick(lang, "件数", "looked at"), pick(lang, "違反", "wrong")];
    row(&mut out, pick(lang, "守るべきこと", "what must hold"), &columns.map(str::to_owned));
    for Held { rule, looked_at, wrong } in held {
        let cells = [looked_at.to_string(), wrong.len().to_string()];
        row(&mut out, words::rule(lang, rule), &cells);
    }
    out
}

/// What is wrong, with the incidents.
pub(crate) fn wrong(held: &[Held], lang: Lang) -> String {
    let mut out = String::new();
    for Held { rule, wrong, .. } in held.iter().filter(|held| !held.wrong.is_empty()) {
        let name = words::rule(lang, rule);
        line(&mut out, &format!("  {}: {name}", pick(lang, "違反", "violated")));
        for (incident, what) in wrong {
            let whose = incident.as_ref().map_or("", |it| it.as_str());
            line(&mut out, &format!("    {whose} {what}"));
        }
    }
    out
}

/// That the proof can fail.
pub(crate) fn believed((told, believed): &(usize, Vec<String>), lang: Lang) -> String {
    let found = told - believed.len();
    let mut out = match lang {
        Lang::Ja => format!("証明の検査: 事実と違う記録 {told} 種のうち {found} 種を見破った\n"),
        Lang::En => format!("The proof itself: of {told} untruths told to it, it found {found}\n"),
    };
    for untruth in believed {
        line(&mut out, &format!("    {}: {untruth}", pick(lang, "見逃し", "believed")));
    }
    out
}
