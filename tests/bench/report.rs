//! The table: medians over the rounds, and ratios to the floor of the same run.

use std::io;
use std::time::Duration;

use crate::load::CONNECTIONS;
use crate::measure::{Measured, Plan, Round};
use crate::server::Kind;

/// One line of the table.
struct Row {
    what: String,
    unit: Unit,
    aim: &'static str,
    value: Box<dyn Fn(&Round) -> f64>,
}

#[derive(Clone, Copy)]
enum Unit {
    Millis,
    PerSecond,
    Mebibytes,
    Count,
}

impl Unit {
    fn show(self, value: f64) -> String {
        match self {
            Self::Millis => format!("{value:.2} ms"),
            Self::PerSecond => format!("{value:.0}/s"),
            Self::Mebibytes => format!("{value:.1} MiB"),
            Self::Count => format!("{value:.2}"),
        }
    }
}

pub(crate) fn print(plan: &Plan, rounds: &[(Kind, Round)]) {
    let mut text = format!(
        "{} rounds in turn; medians over the rounds; {CONNECTIONS} connections; {} s per rate; \
         {} incidents at full speed.\n\n",
        plan.rounds, plan.seconds, plan.burst,
    );
    text.push_str("| | floor | floor, grouped | ams | ams/floor | ams/grouped | aim |\n");
    text.push_str("|---|---:|---:|---:|---:|---:|---|\n");
    for row in rows(plan) {
        text.push_str(&line(&row, rounds));
    }
    write(&text);
}

fn line(row: &Row, rounds: &[(Kind, Round)]) -> String {
    let of = |kind: Kind| {
        let own = rounds.iter().filter(|(of, _)| *of == kind);
        median(own.map(|(_, round)| (row.value)(round)).collect())
    };
    let (floor, grouped, ams) = (of(Kind::Floor), of(Kind::FloorGrouped), of(Kind::Ams));
    let show = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |v| row.unit.show(v));
    let ratio = |to: Option<f64>| match (ams, to) {
        (Some(ams), Some(to)) if to > 0.0 => format!("{:.2}", ams / to),
        _ => "-".to_owned(),
    };
    let Row { what, aim, .. } = row;
    format!(
        "| {what} | {} | {} | {} | {} | {} | {aim} |\n",
        show(floor),
        show(grouped),
        show(ams),
        ratio(floor),
        ratio(grouped),
    )
}

fn rows(plan: &Plan) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut add = |what: String, unit, aim, value: Box<dyn Fn(&Round) -> f64>| {
        rows.push(Row { what, unit, aim, value });
    };
    let burst = |what: &str| format!("full speed: {what}");
    add(
        burst("carried to their end"),
        Unit::PerSecond,
        "≥ 0.75",
        of_burst(|b| b.carried_per_second),
    );
    add(burst("acknowledged"), Unit::PerSecond, "≥ 0.80", of_burst(|b| b.acknowledged_per_second));
    for (name, share) in SHARES {
        let value = of_burst(move |b| quantile(&b.acknowledge, share));
        add(burst(&format!("acknowledge {name}")), Unit::Millis, "", value);
    }
    add(
        burst("processor time per incident"),
        Unit::Millis,
        "",
        of_burst(|b| millis(b.cpu_per_incident)),
    );
    add(burst("requests per incident"), Unit::Count, "", of_burst(|b| b.requests_per_incident));
    for (name, share) in SHARES {
        let what = format!("{}/s: end to end {name}", plan.calm_rate);
        let aim = if name == "max" { "" } else { "≤ 2" };
        add(what, Unit::Millis, aim, Box::new(move |r| quantile(&r.calm.end_to_end, share)));
    }
    for (index, rate) in plan.rates.iter().enumerate() {
        for (name, share) in SHARES {
            let value = move |r: &Round| quantile(&r.fixed[index].acknowledge, share);
            add(format!("{rate}/s: acknowledge {name}"), Unit::Millis, "", Box::new(value));
        }
        let value = move |r: &Round| quantile(&r.fixed[index].end_to_end, 0.5);
        add(format!("{rate}/s: end to end p50"), Unit::Millis, "", Box::new(value));
        let value = move |r: &Round| r.fixed[index].carried_per_second;
        add(format!("{rate}/s: carried to their end"), Unit::PerSecond, "", Box::new(value));
    }
    let ready = |r: &Round| median(r.starts.iter().map(|s| millis(*s)).collect()).unwrap_or(0.0);
    add("ready after".to_owned(), Unit::Millis, "≤ 100 ms", Box::new(ready));
    add("memory, idle".to_owned(), Unit::Mebibytes, "≤ 20 MB", Box::new(|r| mebibytes(r.idle_kib)));
    add("memory, at most".to_owned(), Unit::Mebibytes, "", Box::new(|r| mebibytes(r.peak_kib)));
    add("refused".to_owned(), Unit::Count, "0", Box::new(refused));
    rows
}

const SHARES: [(&str, f64); 3] = [("p50", 0.5), ("p99", 0.99), ("max", 1.0)];

fn of_burst(value: impl Fn(&Measured) -> f64 + 'static) -> Box<dyn Fn(&Round) -> f64> {
    Box::new(move |round| value(&round.burst))
}

#[expect(clippy::cast_precision_loss, reason = "counts here are far below 2^52")]
fn refused(round: &Round) -> f64 {
    let fixed: usize = round.fixed.iter().map(|load| load.refused).sum();
    (fixed + round.calm.refused + round.burst.refused) as f64
}

/// The smallest value that at least this share of all does not exceed.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_precision_loss,
    clippy::cast_sign_loss,
    reason = "the rank lies between 0 and the number of samples"
)]
fn quantile(sorted: &[Duration], share: f64) -> f64 {
    let rank = (sorted.len() as f64 * share).ceil() as usize;
    sorted.get(rank.saturating_sub(1)).copied().map_or(f64::NAN, millis)
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1_000.0
}

#[expect(clippy::cast_precision_loss, reason = "memory here is far below 2^52 KiB")]
fn mebibytes(kib: u64) -> f64 {
    kib as f64 / 1_024.0
}

#[expect(clippy::print_stdout, reason = "the table is what the benchmark is for")]
fn write(text: &str) {
    println!("{text}");
}

#[expect(clippy::print_stderr, reason = "who waits wants to see that it goes on")]
pub(crate) fn progress(round: usize, rounds: usize, kind: Kind) {
    eprintln!("round {round} of {rounds}: {}", kind.name());
}

#[expect(clippy::print_stderr, reason = "the reason why there is no table")]
pub(crate) fn failure(error: &io::Error) {
    eprintln!("error: {error}");
}
