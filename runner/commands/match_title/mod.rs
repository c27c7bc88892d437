//! `ams match`: what becomes of a title, or of many.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::commands::{exit, print};
use crate::matching::Index;
use crate::matching::coverage::Coverage;
use crate::report::title;
use crate::scenario::catalog::{Catalog, CatalogError};

mod many;
mod one;

/// Titles in one file: a year of alerts of a large operator.
const MAX_TITLES_BYTES: u64 = 64 * 1024 * 1024;

/// Say which scenario a title gets, why, and what was close; or what becomes of many titles.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ams match 'SERVICEDESC=HTTP; SERVICESTATE=CRITICAL; HOSTNAME=web01'
  ams match --file titles.txt

AMS's own prefix ([AMS …]) is cut off, as it is for webhooks. Nothing is executed.

Exit codes: 0 every title gets a scenario, 1 some get none or several equally, 2 could not run.")]
#[command(group(clap::ArgGroup::new("titles").required(true)))]
pub struct Args {
    /// The title of an incident
    #[arg(value_name = "TITLE", group = "titles", allow_hyphen_values = true)]
    title: Option<String>,
    /// Many titles, one per line; - reads standard input
    #[arg(long, value_name = "FILE", group = "titles")]
    file: Option<PathBuf>,
    /// Scenario file or directory
    #[arg(long, value_name = "PATH", default_value = "scenarios")]
    scenarios: PathBuf,
    /// For people, or for scripts
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

#[derive(Clone, Copy, Debug, clap::ValueEnum)]
enum Format {
    Text,
    Json,
}

#[derive(Debug, thiserror::Error)]
enum MatchError {
    #[error(transparent)]
    Catalog(#[from] CatalogError),
    #[error("there is no scenario in {} that can be used; `ams validate` says why", path.display())]
    NoScenario { path: PathBuf },
    #[error("cannot read titles from {}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{} has more than {MAX_TITLES_BYTES} bytes; split it", path.display())]
    TooLarge { path: PathBuf },
    #[error("{}: line {line} is not UTF-8; save the file as UTF-8", path.display())]
    NotUtf8 { path: PathBuf, line: usize },
    #[error("there is no title in {}", path.display())]
    NoTitle { path: PathBuf },
}

pub fn run(args: &Args) -> ExitCode {
    match answer(args) {
        Ok(true) => ExitCode::from(exit::OK),
        Ok(false) => ExitCode::from(exit::FINDINGS),
        Err(error) => {
            print::error(&error);
            ExitCode::from(exit::CANNOT)
        }
    }
}

/// Titles are other people's text: a terminal must not obey what is in them.
fn printable(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// Answers whether every title gets a scenario.
fn answer(args: &Args) -> Result<bool, MatchError> {
    let catalog = Catalog::load(&args.scenarios, None)?;
    if catalog.scenarios.is_empty() {
        return Err(MatchError::NoScenario { path: args.scenarios.clone() });
    }
    let left_out = catalog.files - catalog.scenarios.len();
    if left_out > 0 {
        print::err(format_args!(
            "note: {left_out} of {} scenario files cannot be used; `ams validate {}` says why",
            catalog.files,
            args.scenarios.display()
        ));
    }
    let index = Index::of(&catalog.scenarios);
    if let Some(file) = &args.file {
        let content = read_titles(file)?;
        let titles = content.lines().map(title::original).filter(|title| !title.is_empty());
        let coverage = Coverage::of(&index, titles);
        if coverage.titles == 0 {
            return Err(MatchError::NoTitle { path: file.clone() });
        }
        match args.format {
            Format::Text => many::text(&coverage, catalog.scenarios.len()),
            Format::Json => many::json(&coverage, catalog.scenarios.len()),
        }
        return Ok(coverage.matched == coverage.titles);
    }
    let title = title::original(args.title.as_deref().unwrap_or_default());
    let answer = one::Answer::of(&index, title);
    match args.format {
        Format::Text => answer.text(),
        Format::Json => answer.json(),
    }
    Ok(answer.is_matched())
}

fn read_titles(path: &Path) -> Result<String, MatchError> {
    let unreadable = |source| MatchError::Unreadable { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    let source: Box<dyn io::Read> = if path == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        Box::new(std::fs::File::open(path).map_err(unreadable)?)
    };
    source.take(MAX_TITLES_BYTES + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() as u64 > MAX_TITLES_BYTES {
        return Err(MatchError::TooLarge { path: path.to_owned() });
    }
    let content = String::from_utf8(bytes).map_err(|error| {
        let valid = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = valid.split(|byte| *byte == b'\n').count();
        MatchError::NotUtf8 { path: path.to_owned(), line }
    })?;
    // Spreadsheets on Windows begin a file with a mark of its encoding.
    Ok(content.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(content))
}
