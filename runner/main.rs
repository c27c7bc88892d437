//! Parses, dispatches and returns the exit code. Everything else is in the library.

use std::process::ExitCode;

use ams::commands::Cli;
use clap::Parser as _;

fn main() -> ExitCode {
    let cli = Cli::parse();
    match tokio::runtime::Builder::new_multi_thread().enable_all().build() {
        Ok(runtime) => runtime.block_on(cli.run()),
        Err(error) => {
            // There is no log yet, and without a runtime there will be none.
            ams::commands::cannot_run(&error);
            ExitCode::from(ams::commands::exit::CANNOT)
        }
    }
}
