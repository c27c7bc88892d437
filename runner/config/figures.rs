//! What figures are counted with.

use std::time::Duration;

use super::source::Source;
use crate::finding::Findings;
use crate::limits;

/// How long people need for the first response to an alert.
pub(super) fn by_hand(source: &Source<'_>, findings: &mut Findings) -> Duration {
    let written = source.section("report", "REPORT_", findings, |source, findings| {
        source.duration("by_hand", findings)
    });
    written.unwrap_or(limits::BY_HAND)
}
