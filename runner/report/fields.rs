//! What goes into the account's own incident fields. Pure.

use jiff::Timestamp;
use serde_json::{Value, json};

use crate::claim::told::ToldWhat;
use crate::execute::end::End;
use crate::report::note::Story;
use crate::report::packet::Went;
use crate::scenario::model::Effect;

/// Names of the account's custom fields, where it has them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CustomFields {
    /// Text: `resolved`, `escalated` …
    pub outcome: Option<String>,
    /// Text: the scenario's id.
    pub scenario: Option<String>,
    /// Whole number: from the claim until people were told.
    pub seconds: Option<String>,
    /// Whole number: from the claim to the beginning of the first change, where there was one.
    pub first_action_seconds: Option<String>,
    /// Text: the key of the ticket, where one was opened or added to.
    pub ticket: Option<String>,
}

impl CustomFields {
    pub fn values(&self, story: &Story<'_>, end: &End) -> Vec<(String, Value)> {
        let seconds = |at: Timestamp| at.duration_since(story.began_at).as_secs().max(0);
        let acts = |step: usize| {
            let step = story.scenario.step(step);
            step.is_some_and(|step| step.kind.effect() != Effect::Read)
        };
        let acted = story.reports.iter().filter(|report| acts(report.at.step));
        let first = acted.map(|report| report.began_at).min();
        let values = [
            (&self.outcome, Some(json!(end.outcome().word()))),
            (&self.scenario, Some(json!(story.scenario.id))),
            (&self.seconds, Some(json!(seconds(story.now)))),
            (&self.first_action_seconds, first.map(|at| json!(seconds(at)))),
            (&self.ticket, ticket(story).map(|key| json!(key))),
        ];
        let named = values.into_iter().filter_map(|(name, value)| Some((name.clone()?, value?)));
        named.collect()
    }
}

/// Without its address, which stands behind it; where Backlog did not say which one it is, there is none.
fn ticket<'a>(story: &'a Story<'_>) -> Option<&'a str> {
    let ticket = story.beside.iter().find(|(what, _)| *what == ToldWhat::Ticket);
    match ticket {
        Some((_, Went::Sent(sent))) => {
            let (key, address) = sent.shown.split_once(' ')?;
            address.starts_with("http").then_some(key)
        }
        _ => None,
    }
}
