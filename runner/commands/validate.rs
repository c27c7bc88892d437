//! `ams validate`: every mistake in scenario files, and in those of the customers beside them.

use std::io::IsTerminal as _;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::ValueEnum;

use crate::commands::{beside, exit, findings_json, findings_text, print};
use crate::config::environment;
use crate::finding::{Finding, Findings, Level};
use crate::matching::overlap;
use crate::rules;
use crate::scenario::catalog::Catalog;
use crate::scenario::content;

/// Check scenario files and print every finding with its place, reason and remedy.
///
/// An error means that the file is not used; a warning, that it is used, though probably not as
/// its author thinks. Ids must be unique across all paths given. Customers in a folder of that
/// name, inside or beside a path, are checked with the scenarios.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ams validate scenarios/
  ams validate scenarios/ --customers /etc/ams/customers
  ams validate --format json scenarios/ | jq '.findings[].id'

Exit codes: 0 no errors (with --strict: no warnings either), 1 findings, 2 could not run.
Every finding is explained in docs/scenarios/findings.md.")]
pub struct Args {
    /// Scenario files or directories
    #[arg(value_name = "PATH", default_value = "scenarios")]
    paths: Vec<PathBuf>,
    /// More customer files, or folders of them
    #[arg(long, value_name = "PATH")]
    customers: Vec<PathBuf>,
    /// How findings are printed
    #[arg(long, value_enum, default_value_t = Format::Text)]
    format: Format,
    /// Also print the version of these scenarios and customers, as `ams doctor` shows it of processes
    #[arg(long)]
    show_version: bool,
    /// Warnings count as errors for the exit code
    #[arg(long)]
    strict: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people: each place in its line
    Text,
    /// For scripts, stable (docs/scenarios/findings.md)
    Json,
    /// SARIF 2.1.0, for code hosts and editors
    Sarif,
}

pub fn run(args: &Args) -> ExitCode {
    let (mut customers, scenarios): (Vec<PathBuf>, Vec<PathBuf>) =
        args.paths.iter().cloned().partition(|path| beside::is_of_customers(path));
    customers.extend(args.customers.iter().cloned());
    let mut catalog = match Catalog::load_all(&scenarios, None) {
        Ok(catalog) => catalog,
        Err(error) => return cannot(&error),
    };
    let customers = match beside::look(&catalog, &scenarios, &customers) {
        Ok(looked) => looked,
        Err(error) => return cannot(&error),
    };
    catalog.findings.extend(customers.findings);
    let hashes = customers.hashes.iter().map(|(id, hash)| (id.as_str(), hash.as_str()));
    let version = rules::version(&catalog, hashes);
    let (catalog, customers) = (with_findings_between(catalog), customers.files);
    if catalog.files + customers == 0 {
        let paths: Vec<String> = args.paths.iter().map(|path| path.display().to_string()).collect();
        print::err(format_args!(
            "error: there is no scenario file (*.yaml) in {}",
            paths.join(", ")
        ));
        return ExitCode::from(exit::CANNOT);
    }
    match args.format {
        Format::Text => text(&catalog, customers),
        Format::Json => {
            let report = findings_json::json(&catalog, customers, &version);
            print::out(format_args!("{report:#}"));
        }
        Format::Sarif => print::out(format_args!("{:#}", findings_json::sarif(&catalog))),
    }
    if args.show_version && args.format == Format::Text {
        print::out(format_args!("version {version}"));
    }
    let counts = |finding: &Finding| args.strict || finding.level == Level::Error;
    let failed = catalog.findings.iter().any(counts);
    ExitCode::from(if failed { exit::FINDINGS } else { exit::OK })
}

fn cannot(error: &dyn std::error::Error) -> ExitCode {
    print::error(error);
    ExitCode::from(exit::CANNOT)
}

/// What is wrong between files that are each right, and what has no test.
fn with_findings_between(mut catalog: Catalog) -> Catalog {
    catalog.findings.extend(overlap::findings(&catalog.scenarios));
    for scenario in &catalog.scenarios {
        let test = scenario.file.with_extension("test.yaml");
        if !test.is_file() {
            let mut findings = Findings::of(&scenario.file);
            findings.warn(
                "test-missing",
                scenario.place,
                format!("nothing tests the scenario '{}'", scenario.id),
                format!("write {}, and run it with ams test", test.display()),
            );
            catalog.findings.extend(findings.into_sorted());
        }
    }
    catalog.findings.sort_by(|a, b| a.file.cmp(&b.file).then(a.place.cmp(&b.place)));
    catalog
}

fn text(catalog: &Catalog, customers: usize) {
    let colour = std::io::stdout().is_terminal() && !environment().contains_key("NO_COLOR");
    // Sorted by file: each is looked at once more, and only one is kept.
    for findings in catalog.findings.chunk_by(|a, b| a.file == b.file) {
        let source = findings.first().and_then(|finding| content::to_show(&finding.file));
        for finding in findings {
            print::out(format_args!(
                "{}\n",
                findings_text::show(finding, source.as_deref(), colour)
            ));
        }
    }
    let of = |level| catalog.findings.iter().filter(|it| it.level == level).count();
    let (errors, warnings) = (of(Level::Error), of(Level::Warning));
    let findings = match (errors, warnings) {
        (_, 0) => plural(errors, "finding"),
        _ => format!(
            "{}: {}, {}",
            plural(errors + warnings, "finding"),
            plural(errors, "error"),
            plural(warnings, "warning")
        ),
    };
    let of_customers = match customers {
        0 => String::new(),
        1 => " (1 of a customer)".to_owned(),
        _ => format!(" ({customers} of customers)"),
    };
    let files = plural(catalog.files + customers, "file");
    print::out(format_args!("{files} checked{of_customers}, {findings}"));
}

fn plural(count: usize, word: &str) -> String {
    if count == 1 { format!("{count} {word}") } else { format!("{count} {word}s") }
}
