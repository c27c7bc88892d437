//! The log of `ams serve`: lines on standard error, with no secret in them.

use std::io::{self, IsTerminal as _, Write};
use std::iter;

use tracing_subscriber::filter::{FilterExt as _, LevelFilter, filter_fn};
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{EnvFilter, Layer, Registry};

use crate::commands::print;
use crate::commands::traces::Traces;
use crate::config::{LogConfig, LogFormat};
use crate::mask::Mask;
use crate::spans;

/// In JSON these are there whatever level is set; people who read text have `/metrics`.
const FIGURES: &str = "ams::figures=info";

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

/// Begins to write lines, and to collect spans where they go somewhere.
pub(super) fn start(log: &LogConfig, mask: Mask, traces: Option<&Traces>) {
    // Checked when the configuration was read.
    let filter = EnvFilter::try_new(&log.level).unwrap_or_else(|_| EnvFilter::new("info"));
    // Alarms go by these lines, and by their absence.
    let filter = match log.format {
        LogFormat::Json => filter.add_directive(FIGURES.parse().unwrap_or_default()),
        LogFormat::Text => filter,
    };
    // Spans are for traces: lines read the same with and without them.
    let lines_only = filter_fn(|it| it.target() != spans::TARGET);
    let filter = filter.and(lines_only.with_max_level_hint(LevelFilter::TRACE));
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(Masked(mask))
        .with_ansi(io::stderr().is_terminal());
    let lines = match log.format {
        LogFormat::Text => lines.with_filter(filter).boxed(),
        LogFormat::Json => lines.json().flatten_event(true).with_filter(filter).boxed(),
    };
    let layers: Vec<Box<dyn Layer<Registry> + Send + Sync>> =
        iter::once(lines).chain(traces.map(|traces| traces.layer().boxed())).collect();
    if let Err(error) = tracing_subscriber::registry().with(layers).try_init() {
        print::err(format_args!("warning: no log is written: {error}"));
    }
}
