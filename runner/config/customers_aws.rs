//! Where AMS itself is at AWS, for customers' hosts there.

use super::source::Source;
use crate::aws::Settings;
use crate::fields::At;
use crate::finding::Findings;

pub(super) fn read(source: &Source<'_>, findings: &mut Findings) -> Option<Settings> {
    let region = source.required("region", "ap-northeast-1", findings);
    let endpoint = source.address("endpoint", findings);
    Some(Settings { region: region?.value, endpoint: endpoint.map(|At { value, .. }| value) })
}
