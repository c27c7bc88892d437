//! `evidence:`, a directory, or where long outputs are kept and for how long.

use std::path::PathBuf;
use std::time::Duration;

use super::source::Source;
use crate::aws::s3::Bucket;
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
    /// Where files go from there.
    pub bucket: Option<Bucket>,
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
        let bucket = read_bucket(&own, findings);
        return Some(EvidenceConfig { directory: directory?, kept, bucket });
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
        let bucket = read_bucket(own, findings);
        Some(EvidenceConfig { directory: directory?, kept, bucket })
    })
}

/// One that cannot be used is a finding, with which nothing starts.
fn read_bucket(source: &Source<'_>, findings: &mut Findings) -> Option<Bucket> {
    let said = source.says("s3");
    said.then(|| source.section("s3", "EVIDENCE_S3_", findings, bucket)).flatten()
}

fn bucket(source: &Source<'_>, findings: &mut Findings) -> Option<Bucket> {
    let name = source.required("bucket", "example-msp-ams-evidence", findings);
    let region = source.required("region", "ap-northeast-1", findings);
    let prefix = source.text("prefix", findings);
    let endpoint = source.text("endpoint", findings);
    let is_name = |text: &str| {
        let known = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b".-".contains(&b);
        (3..=63).contains(&text.len()) && text.bytes().all(known) && !text.contains("..")
    };
    let is_region = |text: &str| {
        let known = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
        text.len() <= 32 && text.bytes().all(known)
    };
    let is_prefix = |text: &str| {
        let known = |b: u8| b.is_ascii_alphanumeric() || b"._/-".contains(&b);
        text.len() <= 500 && text.bytes().all(known) && !text.contains("//") && !text.contains("..")
    };
    let is_address = |text: &str| text.starts_with("https://") || text.starts_with("http://");
    let mut check = |key, at: Option<&At<String>>, fits: &dyn Fn(&str) -> bool, remedy| {
        if let Some(At { place, value }) = at.filter(|at| !fits(&at.value)) {
            source.bad((*place, key), &format!("is '{value}'"), remedy, findings);
        }
    };
    check("bucket", name.as_ref(), &is_name, "write the bucket's name, without s3:// or a path");
    check("region", region.as_ref(), &is_region, "write the bucket's region: ap-northeast-1");
    check(
        "prefix",
        prefix.as_ref(),
        &is_prefix,
        "write letters, digits and ._/- only: ams/evidence",
    );
    check(
        "endpoint",
        endpoint.as_ref(),
        &is_address,
        "leave it out, or write an address: https://…",
    );
    let prefix = prefix.map(|at| at.value.trim_matches('/').to_owned()).unwrap_or_default();
    let endpoint = endpoint.map(|at| at.value);
    Some(Bucket { name: name?.value, region: region?.value, prefix, endpoint })
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
