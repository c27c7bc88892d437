//! How people are paged: `pagerduty.acknowledge`, `pagerduty.fallback`, `pagerduty.page_within`, and
//! `last_resort`.

use std::time::Duration;

use super::source::Source;
use crate::fields::At;
use crate::finding::Findings;
use crate::handoff::email;
use crate::handoff::last_resort::events::{DEFAULT_URL, EventsConfig};
use crate::handoff::ways::Settings;
use crate::limits;
use crate::paging::{self, Acknowledge, Fallback};
use crate::secret::Form;

#[derive(Clone, Debug)]
pub struct PagingConfig {
    pub acknowledge: Acknowledge,
    /// For customers whose own ways do not work, and for those that have none.
    pub fallback: Fallback,
    /// One region's try.
    pub within: Duration,
}

/// How people are told where no page is possible.
#[derive(Clone, Debug, Default)]
pub struct LastResortConfig {
    pub events: Option<EventsConfig>,
    /// A channel of Slack, by its id.
    pub channel: Option<String>,
    /// Addresses.
    pub mail: Vec<String>,
}

impl LastResortConfig {
    pub const fn is_empty(&self) -> bool {
        self.events.is_none() && self.channel.is_none() && self.mail.is_empty()
    }
}

/// Shorter is no try: one attempt may take ten seconds by itself.
const SHORTEST: Duration = Duration::from_secs(1);

/// In the section `pagerduty`.
pub(super) fn read(source: &Source<'_>, findings: &mut Findings) -> PagingConfig {
    let acknowledge = source.word("acknowledge", &Acknowledge::WORDS, findings);
    let fallback = source.fields.get("fallback");
    let mut fallback =
        fallback.map(|node| Fallback::read(node, "fallback", findings)).unwrap_or_default();
    // The short form, which a variable can say, too.
    if let Some(at) = source.text("fallback_policy", findings) {
        if fallback.policy.is_some() {
            let remedy = "keep one of them";
            let message = "says what fallback.policy says, too";
            source.bad((at.place, "fallback_policy"), message, remedy, findings);
        }
        fallback.policy = paging::id(at, findings);
    }
    let within = source.duration("page_within", findings).unwrap_or(limits::PAGE_WITHIN);
    if within < SHORTEST {
        let at = (source.place("page_within"), "page_within");
        source.bad(at, "is too short for one try", "write 1s or more", findings);
    }
    PagingConfig { acknowledge: acknowledge.unwrap_or_default(), fallback, within }
}

/// `ways`: what Slack and mail are reached with.
pub(super) fn read_last_resort(
    source: &Source<'_>,
    ways: &Settings,
    findings: &mut Findings,
) -> Option<LastResortConfig> {
    if !source.says("last_resort") {
        return Some(LastResortConfig::default());
    }
    source.section("last_resort", "LAST_RESORT_", findings, |own, findings| {
        let mut read = LastResortConfig::default();
        if own.says("events") {
            read.events = Some(own.section("events", "LAST_RESORT_EVENTS_", findings, events)?);
        }
        if own.says("slack") {
            needs(own, "slack", ways.slack.is_some(), findings);
            read.channel = own.section("slack", "LAST_RESORT_SLACK_", findings, |own, findings| {
                Some(own.required("channel", "C0123456789", findings)?.value)
            });
        }
        if own.says("email") {
            needs(own, "email", ways.email.is_some(), findings);
            read.mail = own.section("email", "LAST_RESORT_EMAIL_", findings, addresses)?;
        }
        if read.is_empty() {
            let at = (own.place("events"), "last_resort");
            own.bad(
                at,
                "has none of events, slack and email",
                "add a line, for example: events: {…}",
                findings,
            );
            return None;
        }
        Some(read)
    })
}

/// A way of which nothing but the addressee stands here.
fn needs(source: &Source<'_>, way: &'static str, is_there: bool, findings: &mut Findings) {
    if !is_there {
        let message = format!("cannot be used: the settings have no '{way}'");
        let remedy = format!("add '{way}:' at the top level, with its credentials");
        source.bad((source.place(way), way), &message, &remedy, findings);
    }
}

fn addresses(source: &Source<'_>, findings: &mut Findings) -> Option<Vec<String>> {
    let written = source.fields.texts("to", findings);
    for At { place, value } in &written {
        if !email::is_address(value) {
            let message = format!("is '{value}', which is no mail address");
            source.bad((*place, "to"), &message, "write for example ops@example.com", findings);
        }
    }
    if written.is_empty() {
        let at = (source.place("to"), "to");
        source.bad(at, "names nobody", "write for example to: [ops@example.com]", findings);
        return None;
    }
    Some(written.into_iter().map(|at| at.value).collect())
}

fn events(source: &Source<'_>, findings: &mut Findings) -> Option<EventsConfig> {
    let url = source.text("url", findings);
    if let Some(At { place, value }) = &url
        && !["https://", "http://"].iter().any(|scheme| value.starts_with(scheme))
    {
        let message = format!("is '{value}', which is no address of an API");
        let remedy = "leave it out, or write https://events.eu.pagerduty.com/v2/enqueue";
        source.bad((*place, "url"), &message, remedy, findings);
    }
    let key = source.fields.text("routing_key", findings).unwrap_or_else(|| At {
        place: source.fields.place(),
        value: "env:AMS_LAST_RESORT_ROUTING_KEY".to_owned(),
    });
    let routing_key = source.secret("routing_key", &key, Form::One, findings)?;
    let url = url.map_or_else(|| DEFAULT_URL.to_owned(), |at| at.value);
    Some(EventsConfig { url, routing_key })
}
