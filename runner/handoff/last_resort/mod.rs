//! When no region can page anybody by the incident itself: people are told another way.
//!
//! A way is a service of its own, so that what is wrong with the incident's policy, or with
//! PagerDuty's REST API, is not in its way, too.

pub mod events;
pub mod message;

use async_trait::async_trait;

use crate::incident::{Incident, RunId};
use crate::lang::Lang;
use crate::limits;
use crate::mask::Mask;
use crate::plain;
use crate::prefix;
use crate::report::text;

/// Another way to reach people.
#[async_trait]
pub trait LastResort: Send + Sync {
    /// The word for metrics, the log and the note: `events`, `slack`, `email`.
    fn way(&self) -> &'static str;

    /// Tells people. Called again with the same key where it is not known whether it worked: a way
    /// that can must not tell them twice.
    async fn alarm(&self, alarm: &Alarm) -> Result<(), NotTold>;
}

/// Why a last resort told nobody.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct NotTold(pub String);

/// What people are told: enough to open the incident and go on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    pub run: RunId,
    /// The same for a run, whichever region tells it.
    pub key: String,
    /// One line, which AMS itself knows for its own ([`prefix::is_last_resort`]).
    pub summary: String,
    /// What is asked of the reader.
    pub message: String,
    pub incident: String,
    pub url: Option<String>,
    /// The incident's original title.
    pub title: String,
    /// As people call it.
    pub customer: Option<String>,
    pub region: String,
    /// By its id.
    pub scenario: String,
}

/// Of which run an alarm is, in which language, and what it must not say.
pub struct About<'a> {
    pub run: &'a RunId,
    pub incident: &'a Incident,
    pub customer: Option<&'a str>,
    pub region: &'a str,
    pub scenario: &'a str,
    pub lang: Lang,
    pub mask: &'a Mask,
}

impl Alarm {
    pub fn of(about: &About<'_>) -> Self {
        let About { run, incident, customer, region, scenario, lang, mask } = about;
        let title = mask.apply(&plain::line(&mask.apply(prefix::original(&incident.title))));
        let id = incident.id.as_str();
        let named = if title.is_empty() { id.to_owned() } else { format!("{id} {title}") };
        let summary = format!("{} {named}", prefix::last_resort(*lang));
        Self {
            run: (*run).clone(),
            key: format!("ams/{run}"),
            summary: summary.chars().take(limits::EVENT_SUMMARY_CHARS).collect(),
            message: text::last_resort(*lang, id),
            incident: id.to_owned(),
            url: incident.html_url.clone(),
            title,
            customer: customer.map(str::to_owned),
            region: (*region).to_owned(),
            scenario: (*scenario).to_owned(),
        }
    }

    /// Whose incident it is, and who has worked on it, in one line.
    fn facts(&self) -> String {
        let Self { incident, customer, region, scenario, .. } = self;
        let customer = customer.iter().map(String::as_str);
        let parts = [incident, scenario, region].map(String::as_str);
        customer.chain(parts).collect::<Vec<_>>().join(" / ")
    }
}
