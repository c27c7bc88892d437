//! `evidence:`, a directory, or where long outputs are kept and for how long.

use std::path::PathBuf;
use std::time::Duration;

use super::source::Source;
use crate::fields::{At, Fields, parse_duration};
use crate::finding::Findings;
use crate::limits;
use crate::yaml::{Kind, Node};

/// Where outputs are kept whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EvidenceConfig {
    pub directory: PathBuf,
    /// Since a file was written.
    pub kept: Duration,
}

const DIRECTORY: &str = "/var/lib/ams/evidence";

/// Of the variables: `AMS_EVIDENCE_KEPT`.
const SECTION: &str = "EVIDENCE_";

const DAY: Duration = Duration::from_hours(24);

/// Longer is no retention; a count of days this long is a slip.
const LONGEST_DAYS: u32 = 3_660;

pub(super) fn read(source: &Source<'_>, findings: &mut Findings) -> Option<EvidenceConfig> {
    let is_fields =
        source.fields.get("evidence").is_some_and(|node| matches!(node.kind, Kind::Map(_)));
    if !is_fields {
        let directory = source.path("evidence", DIRECTORY, findings);
        let empty = Node { place: source.fields.place(), kind: Kind::Null };
        let fields = Fields::of(&empty, "evidence", findings)?;
        let own = Source { fields, section: SECTION, env: source.env, base: source.base };
        let kept = kept(&own, findings).unwrap_or(limits::EVIDENCE_KEPT);
        return Some(EvidenceConfig { directory: directory?, kept });
    }
    source.section("evidence", SECTION, findings, |own, findings| {
        // A machine may have another directory, however the file says where it is.
        let directory = match source.overriding("evidence") {
            Some(path) => Some(source.base.join(path)),
            None => own.path("directory", DIRECTORY, findings),
        };
        // Looked at, so that it is no unknown field.
        own.fields.get("directory");
        let kept = kept(own, findings).unwrap_or(limits::EVIDENCE_KEPT);
        Some(EvidenceConfig { directory: directory?, kept })
    })
}

/// `90d`, or any other length of time.
fn kept(source: &Source<'_>, findings: &mut Findings) -> Option<Duration> {
    let At { place, value } = source.text("kept", findings)?;
    let days = value.trim().strip_suffix('d').and_then(|days| days.trim().parse::<u32>().ok());
    let kept = match days {
        Some(days) => (1..=LONGEST_DAYS).contains(&days).then(|| DAY * days),
        None => parse_duration(&value),
    };
    if kept.is_none() {
        let message = format!("is '{value}', which is no time to keep files for");
        source.bad((place, "kept"), &message, "write a number of days: 90d", findings);
    }
    kept
}
