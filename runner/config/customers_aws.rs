//! Where AMS itself is at AWS, for customers' hosts there.

use super::source::Source;
use crate::aws::Settings;
use crate::fields::At;
use crate::finding::Findings;

/// Nothing where nothing is said of it; what cannot be used is a finding.
pub(super) fn read_if_said(source: &Source<'_>, findings: &mut Findings) -> Option<Settings> {
    source.says("aws").then(|| source.section("aws", "AWS_", findings, read)).flatten()
}

fn read(source: &Source<'_>, findings: &mut Findings) -> Option<Settings> {
    let region = source.required("region", "ap-northeast-1", findings);
    let endpoint = source.address("endpoint", findings);
    Some(Settings { region: region?.value, endpoint: endpoint.map(|At { value, .. }| value) })
}
