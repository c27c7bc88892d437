//! What a run asks the incident platform: facts for its steps, permission of people.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use serde_json::{Value, json};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::execute::actuator::{Action, Actuator, Ending, Observation, Order, Output};
use crate::execute::end::Told;
use crate::execute::run::{AskPeople, Question};
use crate::execute::sources::{Alerts, NoAnswer};
use crate::folding::fold;
use crate::incident::{IncidentId, Region, RunId};
use crate::report::note::{Kind, Story, Style, marker};
use crate::report::{IncidentPlatform, PlatformError, title};
use crate::scenario::model::{Question as Fact, Scenario};

/// Steps that ask the platform.
pub struct PlatformQuestions(pub Arc<dyn IncidentPlatform>);

#[async_trait]
impl Alerts for PlatformQuestions {
    async fn of(&self, incident: &IncidentId) -> Result<Vec<Value>, NoAnswer> {
        self.0.alerts(incident).await.map_err(|error| NoAnswer(error.to_string()))
    }
}

#[async_trait]
impl Actuator for PlatformQuestions {
    async fn act(&self, order: &Order, cancel: &CancellationToken) -> Observation {
        let began = Instant::now();
        let (ending, text) = tokio::select! {
            () = cancel.cancelled() => (Ending::Cancelled, String::new()),
            () = tokio::time::sleep(order.timeout) => (Ending::TimedOut, String::new()),
            answer = self.answer(order) => match answer {
                Ok(answer) => (Ending::Exited(0), answer.to_string()),
                Err(error) => (Ending::NotStarted { reason: error.to_string() }, String::new()),
            },
        };
        let total_bytes = text.len() as u64;
        let stdout = Output { head: text, total_bytes, ..Output::default() };
        Observation { ending, stdout, stderr: Output::default(), took: began.elapsed() }
    }
}

impl PlatformQuestions {
    async fn answer(&self, order: &Order) -> Result<Value, PlatformError> {
        match &order.action {
            Action::Ask { question: Fact::Alerts, .. } => {
                let alerts = self.0.alerts(&order.run.incident).await?;
                Ok(alerts.iter().map(plain_alert).collect())
            }
            Action::Ask { question: Fact::OpenIncidents { all }, neighbours } => {
                let words: Vec<String> = all.iter().map(|word| fold(word)).collect();
                let open = self.0.open_incidents().await?;
                let titles: Vec<String> = open
                    .into_iter()
                    .filter(|incident| incident.id != order.run.incident)
                    .filter(|incident| {
                        let title = title::original(&incident.title);
                        let service = incident.service.as_ref();
                        service.is_some_and(|service| neighbours.has(service, title))
                    })
                    .map(|incident| title::original(&incident.title).to_owned())
                    .filter(|title| {
                        let title = fold(title);
                        words.iter().all(|word| title.contains(word.as_str()))
                    })
                    .collect();
                Ok(json!({ "count": titles.len(), "titles": titles }))
            }
            Action::Command(_) | Action::Http(_) | Action::Tcp(_) | Action::Aws(_) => {
                Ok(Value::Null)
            }
        }
    }
}

/// What authors look for in an alert, wherever the monitoring tool has put it: `details` may
/// stand below `body`, and may be a text that holds JSON.
fn plain_alert(alert: &Value) -> Value {
    let body = &alert["body"];
    let details = [&body["details"], &body["cef_details"]["details"], &alert["details"]]
        .into_iter()
        .find(|details| !details.is_null())
        .cloned()
        .unwrap_or(Value::Null);
    let details = match details {
        Value::String(text) => serde_json::from_str(&text).unwrap_or(Value::String(text)),
        other => other,
    };
    json!({
        "id": alert["id"],
        "summary": alert["summary"],
        "status": alert["status"],
        "severity": alert["severity"],
        "key": alert["alert_key"],
        "created_at": alert["created_at"],
        "source": body["cef_details"]["source_component"],
        "details": details,
    })
}

/// Questions show no outputs.
static NOWHERE: BTreeMap<PathBuf, String> = BTreeMap::new();

/// One run's questions to people, as notes on its incident.
pub struct NoteQuestions {
    pub platform: Arc<dyn IncidentPlatform>,
    pub style: Arc<Style>,
    pub run: RunId,
    pub region: Region,
    pub scenario: Arc<Scenario>,
    pub began_at: jiff::Timestamp,
    /// An owner before us may have asked already.
    pub taken_over: bool,
}

#[async_trait]
impl AskPeople for NoteQuestions {
    async fn ask(&self, question: &Question) {
        let marker = marker(&self.run, Kind::Ask(question.number));
        if self.taken_over && self.has(&marker).await {
            return;
        }
        let note = self.style.ask_note(&self.story(&Told::default()), question);
        // Nobody can answer a question nobody has seen: the time for it runs out, and people are
        // told then.
        if let Err(error) = self.platform.add_note(&self.run.incident, &note, &marker).await {
            tracing::warn!(run = %self.run, %error, "run {} could not ask people", self.run);
        }
    }

    async fn refuse(&self, by: Option<&str>) {
        let marker = marker(&self.run, Kind::Stranger(by.unwrap_or("unknown")));
        if self.has(&marker).await {
            return;
        }
        let note = self.style.stranger_note(&self.story(&Told::default()), by);
        if let Err(error) = self.platform.add_note(&self.run.incident, &note, &marker).await {
            tracing::warn!(run = %self.run, %error, "a stranger's answer is not replied to");
        }
    }
}

impl NoteQuestions {
    /// Whether the note is there; `false` too where that cannot be known.
    async fn has(&self, marker: &str) -> bool {
        let notes = self.platform.notes(&self.run.incident).await;
        notes.is_ok_and(|all| all.iter().any(|it| it.content.trim_end().ends_with(marker)))
    }

    fn story<'a>(&'a self, told: &'a Told) -> Story<'a> {
        Story {
            run: &self.run,
            region: &self.region,
            scenario: &self.scenario,
            title: "",
            reports: &[],
            in_doubt: &[],
            told,
            places: &NOWHERE,
            beside: &[],
            whole: None,
            contact: None,
            customer: None,
            began_at: self.began_at,
            now: self.began_at,
            taken_over: false,
        }
    }
}
