//! Stage 6: giving an incident to people so that somebody is really paged.
//!
//! Page first, then the note: by the time somebody has opened the incident the note is there, and
//! a note that fails never delays a page.

pub mod backlog;
pub mod email;
pub mod escalate;
mod http;
pub mod once;
pub mod packet;
pub mod slack;
pub mod ways;

use tokio_util::sync::CancellationToken;

use crate::execute::end::Told;
use crate::incident::{Incident, Status};
use crate::report::note::Story;
use crate::report::reporter::{Reporter, Untold};
use crate::report::title::{State, with_state};
use crate::report::{Escalation, IncidentChange, PlatformError};
use escalate::Along;

/// Where to page and what is needed for it.
pub struct HandOff<'a> {
    pub reporter: &'a Reporter,
    /// A policy for when the incident's own has nobody.
    pub fallback_policy: Option<&'a str>,
    /// The policy the author's `to` names, in place of the incident's own.
    pub destination: Option<&'a str>,
    pub halt: &'a CancellationToken,
}

impl HandOff<'_> {
    /// The level that people stand at, as PagerDuty says now.
    pub async fn find_level(&self, incident: &Incident) -> Result<Option<u32>, Untold> {
        let platform = &*self.reporter.platform;
        let call = || escalate::find_level(platform, incident);
        match self.reporter.persist(&incident.id, self.halt, LEVEL_ROUNDS, call).await {
            Ok(level) => Ok(level),
            // A policy that cannot be read is no reason not to page.
            Err(Untold::Failed(_)) => Ok(None),
            Err(untold) => Err(untold),
        }
    }

    /// Pages people, or leaves it to them where the author wants nobody woken. Tries until PagerDuty shows that it paged: an
    /// escalation that is given up would be the silence AMS must never cause.
    pub async fn give(
        &self,
        incident: &Incident,
        story: &Story<'_>,
        level: Option<u32>,
    ) -> Result<(), Untold> {
        let how = story.told;
        if incident.status == Status::Resolved
            || (how.page == Some(false) && self.leave(incident, how).await?)
        {
            return Ok(());
        }
        self.page(incident, how, level).await
    }

    /// The author wants nobody woken: title, priority and urgency say what is known. `false` when
    /// PagerDuty does not take it; then people are paged rather than told nothing.
    async fn leave(&self, incident: &Incident, how: &Told) -> Result<bool, Untold> {
        let change = IncidentChange {
            escalation: self.destination.map(|policy| Escalation::Policy(policy.to_owned())),
            title: Some(with_state(&incident.title, State::HandedOff, self.reporter.style.lang)),
            priority: how.priority.clone(),
            urgency: how.urgency,
            ..IncidentChange::default()
        };
        let call = || self.reporter.platform.change(&incident.id, &change);
        match self.reporter.persist(&incident.id, self.halt, LEAVE_ROUNDS, call).await {
            Ok(_) | Err(Untold::Failed(PlatformError::AlreadyEnded { .. })) => Ok(true),
            Err(Untold::Failed(_)) => Ok(false),
            Err(untold) => Err(untold),
        }
    }

    async fn page(
        &self,
        incident: &Incident,
        how: &Told,
        level: Option<u32>,
    ) -> Result<(), Untold> {
        let along = Along {
            title: with_state(&incident.title, State::HandedOff, self.reporter.style.lang),
            priority: how.priority.clone(),
            policy: self.destination.map(str::to_owned),
        };
        loop {
            let platform = &*self.reporter.platform;
            let call =
                || escalate::escalate(platform, incident, level, self.fallback_policy, &along);
            match self.reporter.persist(&incident.id, self.halt, usize::MAX, call).await {
                Ok(after) => {
                    // Paged by a way that left the title out.
                    if after.title != along.title {
                        self.reporter.title(&after, State::HandedOff).await;
                    }
                    return Ok(());
                }
                Err(Untold::Failed(PlatformError::AlreadyEnded { .. })) => return Ok(()),
                Err(untold @ (Untold::Halted | Untold::Lost(_))) => return Err(untold),
                Err(Untold::Failed(error)) => {
                    self.reporter.metrics.escalation_failures.inc();
                    tracing::error!(
                        incident.id = %incident.id, %error,
                        "PagerDuty refuses every way to page people for incident {}; trying again \
                         every {} s. Look at it yourself",
                        incident.id, PAGE_AGAIN.as_secs(),
                    );
                }
            }
            tokio::select! {
                () = tokio::time::sleep(PAGE_AGAIN) => {}
                () = self.halt.cancelled() => return Err(Untold::Halted),
            }
        }
    }
}

/// Rounds of leaving an incident to people without waking them, before they are woken.
const LEAVE_ROUNDS: usize = 3;

/// Rounds of asking for the level before people are paged without knowing it.
const LEVEL_ROUNDS: usize = 2;

/// Between two rounds over all ways to page, when PagerDuty refused them all.
const PAGE_AGAIN: std::time::Duration = std::time::Duration::from_secs(15);
