//! Stage 1: a webhook becomes an event.
//!
//! `pagerduty.rs` turns bytes into a closed [`Event`]; `signature.rs` decides whether they are
//! PagerDuty's; `http.rs` answers. `eventbridge.rs` reads what came by Amazon EventBridge instead,
//! and `queue.rs` takes it from a queue. Nothing behind this stage sees JSON.

use jiff::Timestamp;
use tracing::Span;

use crate::claim::protocol::{Opening, StandDownReason};
use crate::incident::{Incident, IncidentId};

pub mod eventbridge;
pub mod http;
pub mod pagerduty;
pub mod queue;
pub mod signature;

/// One delivery, understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Inside the signed body, so it can be trusted to name the event.
    pub event_id: String,
    /// As PagerDuty names it; for logs.
    pub event_type: String,
    pub event: Event,
}

impl Delivery {
    /// In the trace that the delivery begins.
    fn show_in(&self, span: &Span) {
        span.record("event.id", self.event_id.as_str());
        span.record("event.kind", self.event_type.as_str());
        if let Some(incident) = self.event.incident() {
            span.record("incident.id", incident.as_str());
        }
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// An incident began or began again.
    Opened { incident: Box<Incident>, opening: Opening },
    /// A person took over, or the incident ended.
    TakenFromUs {
        incident: IncidentId,
        reason: StandDownReason,
        by: Option<String>,
        at: Option<Timestamp>,
    },
    /// A person answered a question of a run, by a note of this time.
    Answered { incident: IncidentId, approved: bool, by: Option<String>, at: Timestamp },
    /// Nothing for AMS to do.
    Ignored(Ignored),
}

impl Event {
    /// Which incident it is about, where that matters.
    pub const fn incident(&self) -> Option<&IncidentId> {
        match self {
            Self::Opened { incident, .. } => Some(&incident.id),
            Self::TakenFromUs { incident, .. } | Self::Answered { incident, .. } => Some(incident),
            Self::Ignored(_) => None,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ignored {
    /// Our bot user did it.
    OurOwn,
    /// A type AMS does not act on, known or new.
    NotActedOn,
    /// A note that is no command.
    OrdinaryNote,
    Ping,
}
