//! `ams test`: the tests beside scenarios, carried out by the engine of production.

mod tell;

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crate::commands::{exit, print};
use crate::finding::{Finding, Level};
use crate::rehearse::compare::Difference;
use crate::rehearse::file::{self, Test, TestFile, scenario_of};
use crate::rehearse::perform::{customers_of, perform};
use crate::scenario::catalog::Catalog;
use crate::scenario::directory::collect_tests;

/// Run the tests beside scenario files (NAME.test.yaml) with the engine of production.
///
/// Steps get the results that the test gives them; nothing is executed. Time is paused, so a test
/// of a wait of four hours takes milliseconds.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ams test                                     every test below ./scenarios
  ams test scenarios/web-down.test.yaml        one file
  ams test scenarios --only 再起動              tests whose name has this text

Exit codes: 0 all passed, 1 some failed, 2 could not run (no test found, unreadable files).")]
pub struct Args {
    /// Test files, or directories that are searched for them
    #[arg(value_name = "PATH", default_value = "scenarios")]
    paths: Vec<PathBuf>,
    /// Only tests whose name has this text
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    Text,
    Json,
}

/// What became of one test file.
struct Ran {
    file: PathBuf,
    /// The file, its scenario or its customer cannot be used.
    findings: Vec<Finding>,
    unusable: Option<String>,
    tests: Vec<(Test, Result<Vec<Difference>, String>)>,
    took: Duration,
}

impl Ran {
    fn failed(&self) -> usize {
        let broken = usize::from(!self.findings.is_empty() || self.unusable.is_some());
        broken + self.tests.iter().filter(|(_, result)| !is_passed(result)).count()
    }
}

fn is_passed(result: &Result<Vec<Difference>, String>) -> bool {
    result.as_ref().is_ok_and(Vec::is_empty)
}

pub fn run(args: &Args) -> ExitCode {
    let mut files = Vec::new();
    for path in &args.paths {
        if let Err(error) = collect_tests(path, &mut files) {
            print::error(&error);
            return ExitCode::from(exit::CANNOT);
        }
    }
    files.sort();
    files.dedup();
    if files.is_empty() {
        print::err("error: there is no test file (NAME.test.yaml) there");
        return ExitCode::from(exit::CANNOT);
    }
    let ran = run_all(&files, args.only.as_deref());
    match args.format {
        Format::Text => tell::text(&ran),
        Format::Json => tell::json(&ran),
    }
    let failed: usize = ran.iter().map(Ran::failed).sum();
    let tests: usize = ran.iter().map(|ran| ran.tests.len()).sum();
    if tests == 0 && failed == 0 {
        print::err("error: no test has that name");
        return ExitCode::from(exit::CANNOT);
    }
    ExitCode::from(if failed == 0 { exit::OK } else { exit::FINDINGS })
}

/// Files side by side, told in their order.
fn run_all(files: &[PathBuf], only: Option<&str>) -> Vec<Ran> {
    let next = AtomicUsize::new(0);
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    let mut ran: Vec<(usize, Ran)> = std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads.min(files.len()))
            .map(|_| {
                scope.spawn(|| {
                    let mut done = Vec::new();
                    loop {
                        let at = next.fetch_add(1, Ordering::Relaxed);
                        let Some(file) = files.get(at) else { return done };
                        done.push((at, run_file(file, only)));
                    }
                })
            })
            .collect();
        workers.into_iter().filter_map(|worker| worker.join().ok()).flatten().collect()
    });
    ran.sort_by_key(|(at, _)| *at);
    ran.into_iter().map(|(_, ran)| ran).collect()
}

fn run_file(path: &Path, only: Option<&str>) -> Ran {
    let began = tokio::time::Instant::now();
    let mut ran = Ran {
        file: path.to_owned(),
        findings: Vec::new(),
        unusable: None,
        tests: Vec::new(),
        took: Duration::ZERO,
    };
    if let Err(reason) = run_tests(path, only, &mut ran) {
        ran.unusable = Some(reason);
    }
    ran.took = began.elapsed();
    ran
}

fn run_tests(path: &Path, only: Option<&str>, ran: &mut Ran) -> Result<(), String> {
    let content = std::fs::read_to_string(path)
        .map_err(|error| format!("the file cannot be read: {error}"))?;
    let file = match file::read(path, &content) {
        Ok(file) => file,
        Err(findings) => {
            ran.findings = findings;
            return Ok(());
        }
    };
    let beside = scenario_of(path);
    if beside == path {
        return Err("this is no test file: tests stand in NAME.test.yaml".to_owned());
    }
    let catalog = Catalog::load(&beside, Some(&file.vars)).map_err(|error| error.to_string())?;
    let errors = |finding: &&Finding| finding.level == Level::Error;
    ran.findings = catalog.findings.iter().filter(errors).cloned().collect();
    let Some(scenario) = catalog.scenarios.first() else { return Ok(()) };
    let tests = file.tests.clone();
    for test in tests.into_iter().filter(|test| only.is_none_or(|only| test.name.contains(only))) {
        let result = run_test(&file, &test, scenario);
        ran.tests.push((test, result));
    }
    Ok(())
}

fn run_test(
    file: &TestFile,
    test: &Test,
    scenario: &Arc<crate::scenario::model::Scenario>,
) -> Result<Vec<Difference>, String> {
    let customers = customers_of(file)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()
        .map_err(|error| format!("no runtime: {error}"))?;
    runtime.block_on(perform(file, test, scenario, customers))
}
