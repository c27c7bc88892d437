//! How long it takes to load and check a large catalog of scenario files (docs/BENCHMARKS.md).
//!
//! `cargo bench --bench loading`, with `-- 20000` for another number of files. They are copies of a
//! sandbox scenario, each with an id and a keyword of its own, a hundred to a directory.

use std::error::Error;
use std::io::Write as _;
use std::path::Path;
use std::time::Duration;

use ams::scenario::catalog::Catalog;
use tokio::time::Instant;

const SCENARIO: &str = include_str!("../../scenarios/sandbox/site-not-answering.yaml");
const FILES: usize = 10_000;
/// The median of these counts; files are in the system's cache from the first on.
const ROUNDS: usize = 5;

fn main() -> Result<(), Box<dyn Error>> {
    let files = std::env::args().find_map(|arg| arg.parse().ok()).unwrap_or(FILES);
    let dir = tempfile::tempdir()?;
    let bytes = write(dir.path(), files)?;
    let mut times = Vec::new();
    for _ in 0..ROUNDS {
        let begin = Instant::now();
        let catalog = Catalog::load(dir.path(), None)?;
        times.push(begin.elapsed());
        assert_eq!((catalog.scenarios.len(), catalog.findings.len()), (files, 0));
    }
    times.sort();
    let median = times[ROUNDS / 2];
    let report = format!(
        "{files} files, {:.1} MB, {} processors\n\
         loaded and checked in {} ms (median of {ROUNDS}; best {} ms, worst {} ms)\n\
         {:.0} µs a file\n",
        mega(bytes),
        processors(),
        median.as_millis(),
        times[0].as_millis(),
        times[ROUNDS - 1].as_millis(),
        micros(median, files),
    );
    std::io::stdout().write_all(report.as_bytes())?;
    Ok(())
}

fn write(dir: &Path, files: usize) -> std::io::Result<usize> {
    let mut bytes = 0;
    for n in 0..files {
        let folder = dir.join(format!("customer-{:03}", n / 100));
        std::fs::create_dir_all(&folder)?;
        let text = SCENARIO
            .replace("site-not-answering", &format!("site-not-answering-{n:05}"))
            .replace("応答なし]", &format!("応答なし, 顧客{:03}, web{n:05}]", n / 100));
        bytes += text.len();
        std::fs::write(folder.join(format!("site-{n:05}.yaml")), text)?;
    }
    Ok(bytes)
}

fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

#[expect(clippy::cast_precision_loss, reason = "for people")]
fn mega(bytes: usize) -> f64 {
    bytes as f64 / 1e6
}

#[expect(clippy::cast_precision_loss, reason = "for people")]
fn micros(time: Duration, files: usize) -> f64 {
    time.as_secs_f64() * 1e6 / files as f64
}
