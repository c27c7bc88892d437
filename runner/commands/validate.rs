//! `ams validate`: every mistake in scenario files.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use crate::commands::{exit, print};
use crate::matching::overlap;
use crate::scenario::catalog::Catalog;
use crate::scenario::model::Scenario;

/// Check scenario files and print every finding with its place, reason and remedy.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Example:
  ams validate scenarios/

Exit codes: 0 no findings, 1 findings, 2 could not run.")]
pub struct Args {
    /// Scenario files or directories
    #[arg(value_name = "PATH", default_value = "scenarios")]
    paths: Vec<PathBuf>,
}

pub fn run(args: &Args) -> ExitCode {
    let (mut files, mut findings) = (0, 0);
    let mut scenarios: Vec<Arc<Scenario>> = Vec::new();
    for path in &args.paths {
        let catalog = match Catalog::load(path, None) {
            Ok(catalog) => catalog,
            Err(error) => {
                print::error(&error);
                return ExitCode::from(exit::CANNOT);
            }
        };
        files += catalog.files;
        findings += catalog.findings.len();
        catalog.findings.iter().for_each(print::out);
        scenarios.extend(catalog.scenarios);
    }
    // A file that two of the paths lead to is one file.
    let mut seen = BTreeSet::new();
    scenarios.retain(|scenario| seen.insert(scenario.id.clone()));
    let between = overlap::findings(&scenarios);
    findings += between.len();
    between.iter().for_each(print::out);
    if files == 0 {
        let paths: Vec<String> = args.paths.iter().map(|path| path.display().to_string()).collect();
        print::err(format_args!(
            "error: there is no scenario file (*.yaml) in {}",
            paths.join(", ")
        ));
        return ExitCode::from(exit::CANNOT);
    }
    let plural = |count: usize, word: &str| {
        if count == 1 { format!("{count} {word}") } else { format!("{count} {word}s") }
    };
    print::out(format_args!("{} checked, {}", plural(files, "file"), plural(findings, "finding")));
    ExitCode::from(if findings == 0 { exit::OK } else { exit::FINDINGS })
}
