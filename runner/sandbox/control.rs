//! The sandbox's own door: fire sample incidents, act as a person, read timelines. Plain HTTP and
//! plain text, so that `curl` is enough.

use std::sync::Arc;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use tokio::net::TcpListener;

use super::cases::Case;
use super::pagerduty::{ENGINEER, NewIncident, StandIn};
use super::patients::Patients;
use crate::incident::IncidentId;

#[derive(Clone)]
pub struct Control {
    pub pagerduty: StandIn,
    pub patients: Arc<Patients>,
}

type Answer = (StatusCode, String);

impl Control {
    /// Serves until `shutdown` resolves.
    pub async fn serve(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> std::io::Result<()> {
        axum::serve(listener, self.router()).with_graceful_shutdown(shutdown).await
    }

    fn router(self) -> Router {
        Router::new()
            .route("/", get(|State(control): State<Self>| async move { control.list() }))
            .route("/fire/{case}", post(fire))
            .route("/trigger", post(trigger))
            .route("/acknowledge/{incident}", post(acknowledge))
            .route("/resolve/{incident}", post(resolve))
            .route("/timeline/{incident}", get(timeline))
            .with_state(self)
    }

    /// All incidents, a line each.
    fn list(&self) -> String {
        lines(self.pagerduty.incidents().into_iter().map(|incident| {
            format!("{}  {:<12}  {}", incident.id, incident.status.word(), incident.title)
        }))
    }
}

async fn fire(State(control): State<Control>, Path(case): Path<String>) -> Answer {
    let Some(case) = Case::parse(&case) else {
        let names = Case::ALL.map(Case::name).join(", ");
        return (StatusCode::NOT_FOUND, format!("there is no case '{case}'; there are: {names}\n"));
    };
    match case.break_it(&control.patients).await {
        Ok(title) => triggered(&control, &title),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, format!("{error}\n")),
    }
}

/// An incident with the title given as the body.
async fn trigger(State(control): State<Control>, title: String) -> Answer {
    triggered(&control, title.trim())
}

fn triggered(control: &Control, title: &str) -> Answer {
    match control.pagerduty.trigger(NewIncident::titled(title)) {
        Ok(id) => (StatusCode::CREATED, format!("{id}  {title}\n")),
        Err(refusal) => refused(refusal.message),
    }
}

async fn acknowledge(State(control): State<Control>, Path(incident): Path<String>) -> Answer {
    person(&incident, |id| control.pagerduty.acknowledge_as(ENGINEER, id).map_err(|r| r.message))
}

async fn resolve(State(control): State<Control>, Path(incident): Path<String>) -> Answer {
    person(&incident, |id| control.pagerduty.resolve_as(ENGINEER, id).map_err(|r| r.message))
}

fn person(incident: &str, act: impl FnOnce(&IncidentId) -> Result<(), &'static str>) -> Answer {
    let Some(id) = IncidentId::parse(incident) else { return refused("that is no incident id") };
    match act(&id) {
        Ok(()) => (StatusCode::OK, "done\n".to_owned()),
        Err(why) => refused(why),
    }
}

fn refused(why: &str) -> Answer {
    (StatusCode::BAD_REQUEST, format!("{why}\n"))
}

async fn timeline(State(control): State<Control>, Path(incident): Path<String>) -> Answer {
    let Some(id) = IncidentId::parse(&incident) else { return refused("that is no incident id") };
    let entries = control.pagerduty.timeline(&id).into_iter();
    (StatusCode::OK, lines(entries.map(|e| format!("{}  {}  {}", e.at, e.agent, e.text))))
}

fn lines(lines: impl Iterator<Item = String>) -> String {
    let mut text = lines.collect::<Vec<_>>().join("\n");
    text.push('\n');
    text
}
