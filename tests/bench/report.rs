//! The table: the best of the rounds, and its ratio to the floor's best in the same run.
//!
//! Other work on the machine only ever makes a number worse, so the best round is nearest to what
//! the server does; for what must not happen even once, it is the worst.

use std::io;
use std::time::Duration;

use crate::load::CONNECTIONS;
use crate::measure::{Plan, Round};
use crate::server::Kind;

/// One line of the table.
struct Row {
    what: String,
    unit: Unit,
    best: Best,
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

/// Which round counts.
#[derive(Clone, Copy)]
enum Best {
    Highest,
    Lowest,
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
        "The best of {} rounds in turn; {CONNECTIONS} connections; {} s per rate; {} incidents at \
         full speed.\n\n",
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
        let values = own.map(|(_, round)| (row.value)(round));
        match row.best {
            Best::Highest => values.max_by(f64::total_cmp),
            Best::Lowest => values.min_by(f64::total_cmp),
        }
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
    let mut rows = at_full_speed();
    for (name, share) in SHARES {
        let what = format!("{}/s: end to end {name}", plan.calm_rate);
        let value = move |r: &Round| quantile(&r.calm.end_to_end, share);
        rows.push(Row::lowest(what, Unit::Millis, value).aim("≤ 2"));
    }
    for (index, rate) in plan.rates.iter().enumerate() {
        for (name, share) in SHARES {
            let value = move |r: &Round| quantile(&r.fixed[index].acknowledge, share);
            rows.push(Row::lowest(format!("{rate}/s: acknowledge {name}"), Unit::Millis, value));
        }
        let value = move |r: &Round| quantile(&r.fixed[index].end_to_end, 0.5);
        rows.push(Row::lowest(format!("{rate}/s: end to end p50"), Unit::Millis, value));
    }
    let ready = |r: &Round| median(r.starts.iter().map(|s| millis(*s)).collect()).unwrap_or(0.0);
    let idle = |r: &Round| mebibytes(r.idle_kib);
    rows.push(Row::lowest("ready after".to_owned(), Unit::Millis, ready).aim("≤ 100 ms"));
    rows.push(Row::lowest("memory, idle".to_owned(), Unit::Mebibytes, idle).aim("≤ 20 MB"));
    let peak = |r: &Round| mebibytes(r.peak_kib);
    rows.push(Row::highest("memory, at most".to_owned(), Unit::Mebibytes, peak));
    rows.push(Row::highest("refused".to_owned(), Unit::Count, refused).aim("0"));
    rows
}

fn at_full_speed() -> Vec<Row> {
    let named = |what: &str| format!("full speed: {what}");
    let carried = |r: &Round| r.burst.carried_per_second;
    let acknowledged = |r: &Round| r.burst.acknowledged_per_second;
    let mut rows = vec![
        Row::highest(named("carried to their end"), Unit::PerSecond, carried).aim("≥ 0.75"),
        Row::highest(named("acknowledged"), Unit::PerSecond, acknowledged).aim("≥ 0.80"),
    ];
    for (name, share) in SHARES {
        let value = move |r: &Round| quantile(&r.burst.acknowledge, share);
        rows.push(Row::lowest(named(&format!("acknowledge {name}")), Unit::Millis, value));
    }
    let cpu = |r: &Round| millis(r.burst.cpu_per_incident);
    rows.push(Row::lowest(named("processor time per incident"), Unit::Millis, cpu));
    let requests = |r: &Round| r.burst.requests_per_incident;
    rows.push(Row::highest(named("requests per incident"), Unit::Count, requests));
    rows
}

impl Row {
    fn highest(what: String, unit: Unit, value: impl Fn(&Round) -> f64 + 'static) -> Self {
        Self { what, unit, best: Best::Highest, aim: "", value: Box::new(value) }
    }

    fn lowest(what: String, unit: Unit, value: impl Fn(&Round) -> f64 + 'static) -> Self {
        Self { best: Best::Lowest, ..Self::highest(what, unit, value) }
    }

    fn aim(self, aim: &'static str) -> Self {
        Self { aim, ..self }
    }
}

const SHARES: [(&str, f64); 3] = [("p50", 0.5), ("p99", 0.99), ("max", 1.0)];

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
