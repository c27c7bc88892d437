//! The one place that writes to standard output and standard error.

use std::io::Write as _;

/// A line on standard output. A closed pipe (`ams … | head`) is not worth an error.
pub(crate) fn out(line: impl std::fmt::Display) {
    drop(writeln!(std::io::stdout().lock(), "{line}"));
}

/// A line on standard error.
pub(crate) fn err(line: impl std::fmt::Display) {
    drop(writeln!(std::io::stderr().lock(), "{line}"));
}

/// An error with its causes, innermost last, on standard error.
pub(crate) fn error(error: &dyn std::error::Error) {
    err(format_args!("error: {error}"));
    let mut cause = error.source();
    while let Some(error) = cause {
        err(format_args!("  because: {error}"));
        cause = error.source();
    }
}

/// In place of the line before, on the terminal behind standard error.
pub(crate) fn over(line: impl std::fmt::Display) {
    let mut err = std::io::stderr().lock();
    drop(write!(err, "\r\u{1b}[K{line}").and_then(|()| err.flush()));
}
