//! `ams schema`: the JSON Schema of the files that people write.

use std::process::ExitCode;

use clap::ValueEnum;

use crate::commands::{exit, print};
use crate::schema::json::json_schema;
use crate::schema::{CUSTOMERS, SCENARIOS, TESTS};

/// Print the JSON Schema of scenario files, so that editors complete and check while you type.
///
/// It knows every field, its type and its default. What only the loader can see, such as names
/// that nothing defines or a recovery nobody verifies, is for ams validate.
#[derive(Debug, clap::Args)]
#[command(after_help = "\
Examples:
  ams schema > scenario.schema.json
  ams schema tests > tests.schema.json

The first line of a file, for editors with the YAML language server:
  # yaml-language-server: $schema=./scenario.schema.json
docs/scenarios/editor.md says how to set editors up.

Exit codes: 0 printed, 2 could not run.")]
pub struct Args {
    /// Which files
    #[arg(value_enum, default_value_t = Files::Scenarios)]
    files: Files,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Files {
    /// NAME.yaml
    Scenarios,
    /// customers/NAME.yaml
    Customers,
    /// NAME.test.yaml, beside a scenario
    Tests,
}

pub fn run(args: &Args) -> ExitCode {
    let document = match args.files {
        Files::Scenarios => &SCENARIOS,
        Files::Customers => &CUSTOMERS,
        Files::Tests => &TESTS,
    };
    print::out(format_args!("{:#}", json_schema(document)));
    ExitCode::from(exit::OK)
}
