//! The spans of a trace, from a delivery to the outcome.
//!
//! They are for traces alone (`commands/traces.rs`): without them nobody listens, and a span costs one
//! look at a number. No customer's text is in them: ids, numbers, words of AMS's own, and names of
//! scenarios.

use opentelemetry::Context;
use tracing::field::Empty;
use tracing::{Span, info_span};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::incident::{IncidentId, Region, RunId};
use crate::metrics::Way;

/// By which they are told apart from everything else that is logged.
pub const TARGET: &str = "ams::trace";

/// A delivery, from its arrival to its answer.
pub fn receive(way: Way) -> Span {
    info_span!(
        target: TARGET, "receive", way = way.word(),
        event.id = Empty, event.kind = Empty, incident.id = Empty, result = Empty,
    )
}

/// Choosing the scenario.
pub fn matching(incident: &IncidentId) -> Span {
    info_span!(target: TARGET, "match", incident.id = %incident, scenario.name = Empty)
}

/// Asking the claim store for the run.
pub fn claim(incident: &IncidentId) -> Span {
    info_span!(target: TARGET, "claim", incident.id = %incident)
}

/// What a run goes on from. A span that holds its children ends with the last of them; a delivery ends
/// with its answer, however long its run takes.
#[derive(Clone, Debug, Default)]
pub struct Cause(Context);

impl Cause {
    /// The span that is under way here.
    pub fn here() -> Self {
        Self(Span::current().context())
    }
}

/// A run in this process, from its claim or take-over to its outcome.
pub fn run(run: &RunId, scenario: &str, region: &Region, cause: Cause) -> Span {
    let span = info_span!(
        target: TARGET, parent: None, "run", incident.id = %run.incident, run.number = run.number,
        scenario.name = scenario, region = %region, epoch = Empty, outcome = Empty,
    );
    // Refused where there are no traces.
    drop(span.set_parent(cause.0));
    span
}

/// One step, all its attempts together.
pub fn step(run: &RunId, number: usize, kind: &'static str) -> Span {
    info_span!(
        target: TARGET, "step", incident.id = %run.incident, step.number = number,
        step.kind = kind, attempts = Empty, verdict = Empty,
    )
}

/// Telling people, at the `start` of a run or at its `end`.
pub fn report(incident: &IncidentId, part: &'static str) -> Span {
    info_span!(target: TARGET, "report", incident.id = %incident, part)
}

/// Paging people.
pub fn hand_off(incident: &IncidentId) -> Span {
    info_span!(target: TARGET, "hand off", incident.id = %incident)
}
