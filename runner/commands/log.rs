//! The log of `ams serve`: lines on standard error, with no secret in them.

use std::io::{self, IsTerminal as _, Write};

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

use crate::commands::print;
use crate::config::{LogConfig, LogFormat};
use crate::mask::Mask;

/// What others say of an error stands in log lines: a host, a proxy, an API.
struct Masked(Mask);

impl<'a> MakeWriter<'a> for Masked {
    type Writer = Line<'a>;

    fn make_writer(&'a self) -> Line<'a> {
        Line(&self.0)
    }
}

/// Gets a whole line with each call.
struct Line<'a>(&'a Mask);

impl Write for Line<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        let masked = self.0.apply(&String::from_utf8_lossy(line));
        io::stderr().write_all(masked.as_bytes())?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

pub(super) fn start(log: &LogConfig, mask: Mask) {
    // Checked when the configuration was read.
    let filter = EnvFilter::try_new(&log.level).unwrap_or_else(|_| EnvFilter::new("info"));
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(Masked(mask))
        .with_ansi(io::stderr().is_terminal());
    let started = match log.format {
        LogFormat::Text => lines.try_init(),
        LogFormat::Json => lines.json().flatten_event(true).try_init(),
    };
    if let Err(error) = started {
        print::err(format_args!("warning: no log is written: {error}"));
    }
}
