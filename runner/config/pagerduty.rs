//! The account: `pagerduty`.

use super::source::Source;
use super::{PagingConfig, custom_fields, paging, rate};
use crate::fields::At;
use crate::finding::Findings;
use crate::report::fields::CustomFields;
use crate::secret::{Form, Secret};

#[derive(Clone, Debug)]
pub struct PagerDutyConfig {
    pub url: String,
    pub token: Secret,
    /// E-mail address of AMS's own PagerDuty user, for the `From` header.
    pub from: String,
    /// Its id: what this user does is our own echo, never a person.
    pub bot_user: String,
    /// What the account's key may send, all its users together.
    pub requests_per_minute: u32,
    pub paging: PagingConfig,
    /// What of a run goes into the account's own fields.
    pub custom_fields: CustomFields,
}

pub(super) fn read(source: &Source<'_>, findings: &mut Findings) -> Option<PagerDutyConfig> {
    let url = source.text("url", findings);
    if let Some(At { place, value }) = &url
        && !["https://", "http://"].iter().any(|scheme| value.starts_with(scheme))
    {
        let message = format!("is '{value}', which is no address of an API");
        let remedy = "write https://api.pagerduty.com or https://api.eu.pagerduty.com";
        source.bad((*place, "url"), &message, remedy, findings);
    }
    let url = url.map_or_else(|| "https://api.pagerduty.com".to_owned(), |at| at.value);
    let token = source.fields.text("token", findings).unwrap_or_else(|| At {
        place: source.fields.place(),
        value: "env:AMS_PAGERDUTY_TOKEN".to_owned(),
    });
    let token = source.secret("token", &token, Form::One, findings);
    let from = source.required("from", "ams@example.com", findings);
    let bot_user = source.required("bot_user", "PXXXXXX", findings);
    let paging = paging::read(source, findings);
    let custom_fields = custom_fields::read(source, findings);
    Some(PagerDutyConfig {
        url,
        token: token?,
        from: from?.value,
        bot_user: bot_user?.value,
        requests_per_minute: rate::read(source, findings),
        paging,
        custom_fields: custom_fields?,
    })
}
