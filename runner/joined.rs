//! Alerts that joined an incident and that its run has not looked into.
//!
//! PagerDuty may put several alerts into one incident, tells nobody when one more joins an incident that is
//! open (no webhook, no change of the title), and resolves them all with it. What this run has verified is
//! what its title said; a fault that came later must not end with it.

use jiff::Timestamp;
use serde_json::Value;

use crate::begun::Begun;
use crate::execute::end::{End, Told};
use crate::folding::fold;
use crate::matching::choose::Choice;
use crate::pipeline::Pipeline;
use crate::report::reporter::Untold;
use crate::report::title;
use crate::respond::Left;
use crate::scenario::model::Scenario;
use crate::scenario::target::{Source, Target};

/// Alerts named in the note; a storm that was put into one incident may have hundreds.
const NAMED: usize = 5;

/// An open alert of the incident.
struct Alert {
    summary: String,
    created_at: Option<Timestamp>,
}

impl Pipeline {
    /// The end in place of a resolve that would end other alerts too, with what people are told of them.
    pub(crate) async fn others_open(&self, begun: &Begun) -> Result<Option<(End, Told)>, Left> {
        let id = &begun.incident.id;
        let platform = &begun.reporter.platform;
        let call = || platform.alerts(id);
        // As patient as the resolve itself, which would not be taken either.
        let alerts = match begun.reporter.persist(id, &begun.place.halt, usize::MAX, call).await {
            Ok(alerts) => open(&alerts),
            // Ended meanwhile; or a token without the right to read alerts, which resolves all the same.
            Err(Untold::Failed(_)) => return Ok(None),
            Err(untold) => return Err(untold.into()),
        };
        let others: Vec<Alert> =
            alerts.into_iter().filter(|alert| !self.is_covered(begun, alert)).collect();
        if others.is_empty() {
            return Ok(None);
        }
        let count = u32::try_from(others.len()).unwrap_or(u32::MAX);
        let lines = others.iter().take(NAMED).map(|alert| format!("- {}", alert.summary));
        let message = lines.collect::<Vec<_>>().join("\n");
        let told = Told { message: Some(message), ..Told::default() };
        Ok(Some((End::OtherAlerts { count }, told)))
    }

    /// Has this run looked into what the alert says? Where alerts name the host, one that came after the
    /// run began may name another.
    fn is_covered(&self, begun: &Begun, alert: &Alert) -> bool {
        let began_at = begun.claim().opened_at();
        let is_later = alert.created_at.is_none_or(|at| at > began_at);
        if is_later && hosts_are_named_by_alerts(&begun.scenario) {
            return false;
        }
        let said = title::original(&alert.summary);
        if fold(said) == fold(title::original(&begun.incident.title)) {
            return true;
        }
        let customer = begun.customer.as_deref();
        match self.rules().current().choose(said, &begun.incident, customer) {
            Choice::Scenario { meant, .. } => {
                meant.scenario.id == begun.scenario.id
                    && !meant.captures.is_empty()
                    && meant.captures == begun.captures
            }
            Choice::None { .. } | Choice::Ambiguous { .. } => false,
        }
    }
}

fn hosts_are_named_by_alerts(scenario: &Scenario) -> bool {
    let sources = scenario.target.iter().flat_map(Target::sources);
    sources.into_iter().any(|source| matches!(source, Source::Alert(_)))
}

fn open(alerts: &[Value]) -> Vec<Alert> {
    let is_open = |alert: &&Value| alert["status"] == "triggered" && alert["suppressed"] != true;
    let read = |alert: &Value| Alert {
        summary: alert["summary"].as_str().unwrap_or_default().to_owned(),
        created_at: alert["created_at"].as_str().and_then(|at| at.parse().ok()),
    };
    alerts.iter().filter(is_open).map(read).collect()
}
