//! Titles against a large catalog: 10,000 scenarios with 50,000 keywords (docs/BENCHMARKS.md).
//!
//! `cargo bench --bench matching`. One thread, no I/O; every title is chosen for many times and
//! the times of single calls are sorted.

use std::hint::black_box;
use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use ams::matching::{Choice, Index, overlap};
use ams::scenario::model::{MatchRule, Scenario};
use tokio::time::Instant;

const SCENARIOS: usize = 10_000;
/// Calls per title. The 99th percentile then has 200 above it.
const CALLS: usize = 20_000;

/// Words that thousands of scenarios share, as alerts do.
const SEVERITIES: [&str; 4] = ["critical", "warning", "障害", "停止"];
const SERVICES: [&str; 10] =
    ["http", "smtp", "disk", "ディスク", "cpu", "メモリ", "process", "mysql", "queue", "ログ"];

/// A scenario of a customer's host: service and severity are everybody's, host and units its own.
fn rule(number: usize) -> MatchRule {
    let word = |text: String| vec![text];
    let (service, severity) = (SERVICES[number % 10], SEVERITIES[number % 4]);
    let host = format!("c{:04}-web{:02}", number / 4, number % 4);
    let own = |name: &str| format!("{name}-{number:05}");
    let any = vec![own("httpd"), own("プロセス"), own("/var/log/app")];
    let none = word(own("メンテナンス"));
    let rule = MatchRule { none, ..MatchRule::default() };
    match number % 10 {
        // Without `all`: each of `any` is looked for.
        0 => MatchRule { any: [any, word(host)].concat(), ..rule },
        1 => MatchRule { all: vec![severity.to_owned(), host, own("job")], any, ..rule },
        _ => MatchRule {
            all: vec![service.to_owned(), severity.to_owned(), host],
            any: [any, word(SEVERITIES[(number + 1) % 4].to_owned())].concat(),
            ..rule
        },
    }
}

fn catalog() -> Vec<Arc<Scenario>> {
    (0..SCENARIOS)
        .map(|number| {
            let scenario = Scenario::only_named(&format!("s{number:05}"), "000000000000");
            Arc::new(Scenario { rule: rule(number), ..scenario })
        })
        .collect()
}

fn main() {
    let mut out = std::io::stdout().lock();
    let mut say = |line: String| drop(writeln!(out, "{line}"));
    let scenarios = catalog();
    let rules = scenarios.iter().map(|scenario| &scenario.rule);
    let keywords: usize = rules.map(|rule| rule.all.len() + rule.any.len() + rule.none.len()).sum();
    let before = resident();
    let (index, built) = timed(|| Index::of(&scenarios));
    let memory = resident().saturating_sub(before) / 1024;
    let (findings, compared) = timed(|| overlap::findings(&scenarios));
    say(format!(
        "{} scenarios, {} keywords of which {} are distinct",
        scenarios.len(),
        keywords,
        index.words()
    ));
    say(format!(
        "index built in {} ms, {memory} MiB; rules compared in {} ms, {} findings\n",
        built.as_millis(),
        compared.as_millis(),
        findings.len()
    ));
    say("| title | gets | median | p99 |".to_owned());
    say("|---|---|---:|---:|".to_owned());
    for title in TITLES {
        let mut times: Vec<Duration> =
            (0..CALLS).map(|_| timed(|| black_box(index.choose(black_box(title)))).1).collect();
        times.sort_unstable();
        let gets = match index.choose(title) {
            Choice::Scenario { meant, .. } => meant.scenario.id.clone(),
            Choice::None { .. } => "none".to_owned(),
            Choice::Ambiguous { several, .. } => format!("{} equally", several.len()),
        };
        let micros = |time: Duration| format!("{:.1} µs", time.as_secs_f64() * 1e6);
        let (median, p99) = (times[CALLS / 2], times[CALLS * 99 / 100]);
        let start: String = title.chars().take(70).collect();
        say(format!("| {start} | {gets} | {} | {} |", micros(median), micros(p99)));
    }
}

fn timed<T>(work: impl FnOnce() -> T) -> (T, Duration) {
    let begun = Instant::now();
    let done = work();
    (done, begun.elapsed())
}

/// Memory of this process in KiB, from the kernel.
fn resident() -> usize {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or_default()
}

/// Hits, misses and words that everybody has; the last one is as long as PagerDuty allows.
const TITLES: [&str; 8] = [
    "[Problem] CPU 障害 on c0003-web02 (httpd-00014)",
    "【CRITICAL】メモリ不足のため停止 c0428-web03 監視サーバーからの通知です",
    "SERVICEDESC=HTTP; SERVICESTATE=CRITICAL; HOSTNAME=unknown01",
    "CRITICAL warning 障害 停止 http smtp disk cpu メモリ",
    "Host clock not synchronising (instance db01.example.internal:9100)",
    "プロセス-00010 が停止しています",
    "【停止】ＣＰＵ　障害　ｃ０００３－ｗｅｂ０２",
    concat!(
        "httpd critical 障害 c0003-web0 /var/log/app-0001 プロセス-0001 httpd-0001 queue mysql ",
        "httpd critical 障害 c0003-web0 /var/log/app-0001 プロセス-0001 httpd-0001 queue mysql ",
        "httpd critical 障害 c0003-web0 /var/log/app-0001 プロセス-0001 httpd-0001 queue mysql ",
        "httpd critical 障害 c0003-web0 /var/log/app-0001 プロセス-0001 httpd-0001 queue mysql ",
        "httpd critical 障害 c0003-web0 /var/log/app-0001 プロセス-0001 httpd-0001 queue mysql ",
        "httpd critical 障害 c0003-web0 /var/log/app-0001 プロセス-0001 httpd-0001 queue mysql ",
        "httpd critical 障害 c0003-web0 /var/log/app-0001 プロセス-0001 httpd-0001 queue mysql ",
        "httpd critical 障害 c0003-web0 /var/log/app-0001 プロセス-0001 httpd-0001 queue mysql ",
        "httpd critical 障害 c0003-web0 /var/log/app-0001 プロセス-0001 httpd-0001 queue mysql ",
        "httpd critical 障害 c0003-web0 /var/log/app-0001 プロセス-0001 httpd-0001 queue mysql ",
        "httpd critical 障害 c0003-web0 /var/log/app-0001 プロセス-0001 httpd-0001 queue mysql ",
        "httpd critical 障害 c0003-web0 /var/log/app-0001 プロセス-0001 httpd-0001 queue mysql",
    ),
];
