//! `pagerduty.custom_fields`: what of a run goes into the account's own incident fields.

use super::source::Source;
use crate::fields::At;
use crate::finding::Findings;
use crate::report::fields::CustomFields;

pub(super) fn read(pagerduty: &Source<'_>, findings: &mut Findings) -> Option<CustomFields> {
    pagerduty.section("custom_fields", "PAGERDUTY_CUSTOM_FIELDS_", findings, |source, findings| {
        let mut name = |key| name(source, key, findings);
        Some(CustomFields {
            outcome: name("outcome"),
            scenario: name("scenario"),
            seconds: name("seconds"),
            first_action_seconds: name("first_action_seconds"),
            ticket: name("ticket"),
        })
    })
}

/// PagerDuty OpenAPI, `CustomFieldsFieldValue`: small letters, digits and `_`, at most 50.
fn name(source: &Source<'_>, key: &'static str, findings: &mut Findings) -> Option<String> {
    let At { place, value } = source.text(key, findings)?;
    let known = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_';
    if !(1..=50).contains(&value.len()) || !value.bytes().all(known) {
        let message = format!("is '{value}', which is no name of a custom field");
        let remedy = "write its name (not what it is shown as): ams_outcome";
        source.bad((place, key), &message, remedy, findings);
        return None;
    }
    Some(value)
}
