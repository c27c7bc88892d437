//! `traces:`, where the spans of runs go.

use super::source::Source;
use crate::finding::Findings;

/// A collector of OpenTelemetry traces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TracesConfig {
    /// The address of its OTLP receiver over HTTP: `http://127.0.0.1:4318`.
    pub otlp: String,
}

/// None if nothing is said: then there are no spans at all.
pub(super) fn read(source: &Source<'_>, findings: &mut Findings) -> Option<TracesConfig> {
    if !source.says("traces") {
        return None;
    }
    source.section("traces", "TRACES_", findings, |own, findings| {
        own.required("otlp", "http://127.0.0.1:4318", findings)?;
        let otlp = own.address("otlp", findings)?.value;
        Some(TracesConfig { otlp })
    })
}
