//! Stage 6: giving an incident to people so that somebody is really paged.
//!
//! Page first, then the note: by the time somebody has opened the incident the note is there, and
//! a note that fails never delays a page.

pub mod backlog;
pub mod email;
pub mod escalate;
mod http;
pub mod last_resort;
pub mod once;
pub mod packet;
pub mod slack;
pub mod ways;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::claim::hold::{Doubt, Permission};
use crate::claim::protocol::Refusal;
use crate::execute::end::Told;
use crate::incident::{Incident, Status};
use crate::limits;
use crate::paging::Fallback;
use crate::plain;
use crate::report::note::Story;
use crate::report::reporter::{Reporter, Untold};
use crate::report::title::{State, original, with_state};
use crate::report::{Escalation, IncidentChange, PlatformError, Way, text};
use escalate::{Along, Ladder};
use last_resort::{About, Alarm, LastResort};

/// What the operator says of paging, for all customers.
#[derive(Clone)]
pub struct Paging {
    pub fallback: Fallback,
    /// One region's try, before the next one's.
    pub within: Duration,
    /// All of them are used at once.
    pub last_resorts: Vec<Arc<dyn LastResort>>,
}

impl Default for Paging {
    fn default() -> Self {
        Self {
            fallback: Fallback::default(),
            within: limits::PAGE_WITHIN,
            last_resorts: Vec::new(),
        }
    }
}

/// Where to page and what is needed for it.
pub struct HandOff<'a> {
    pub reporter: &'a Reporter,
    pub paging: &'a Paging,
    /// AMS's own PagerDuty user.
    pub bot_user: &'a str,
    /// The customer's ways, before those of the operator.
    pub fallback: Option<&'a Fallback>,
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

    /// Leaves the incident to people where the author wants nobody woken, or where it has ended.
    /// `false`: they are to be paged.
    pub async fn leaves(&self, incident: &Incident, how: &Told) -> Result<bool, Untold> {
        Ok(incident.status == Status::Resolved
            || (how.page == Some(false) && self.leave(incident, how).await?))
    }

    /// Title, priority and urgency say what is known. `false` when PagerDuty does not take it, or goes
    /// on showing that AMS has the incident; then people are paged rather than told nothing.
    async fn leave(&self, incident: &Incident, how: &Told) -> Result<bool, Untold> {
        let own = || incident.escalation_policy.as_deref();
        // To its own policy once more, where our acknowledgement would keep PagerDuty silent.
        let again = if incident.is_with_us_alone(self.bot_user) { own() } else { None };
        let change = IncidentChange {
            escalation: self.destination.or(again).map(|id| Escalation::Policy(id.to_owned())),
            title: Some(with_state(&incident.title, State::HandedOff, self.reporter.style.lang)),
            priority: how.priority.clone(),
            urgency: how.urgency,
            ..IncidentChange::default()
        };
        let call = || self.reporter.platform.change(&incident.id, &change);
        match self.reporter.persist(&incident.id, self.halt, LEAVE_ROUNDS, call).await {
            Ok(after) => Ok(!after.is_with_us_alone(self.bot_user)),
            Err(Untold::Failed(PlatformError::AlreadyEnded { .. })) => Ok(true),
            Err(Untold::Failed(_)) => Ok(false),
            Err(untold) => Err(untold),
        }
    }

    /// Pages people by PagerDuty, every way there is, again and again until one works, all are refused or
    /// the time of one region is over. `None`: the incident has ended and needs nobody.
    pub async fn page(
        &self,
        incident: &Incident,
        story: &Story<'_>,
        level: Option<u32>,
    ) -> Result<Option<Way>, Untold> {
        let lang = self.reporter.style.lang;
        let along = Along {
            title: with_state(&incident.title, State::HandedOff, lang),
            priority: story.told.priority.clone(),
        };
        let title = self.reporter.style.clean(&plain::line(original(&incident.title)));
        let message = text::responders_message(lang, &title);
        let fallbacks: Vec<&Fallback> =
            self.fallback.into_iter().chain([&self.paging.fallback]).collect();
        let ladder = Ladder {
            platform: &*self.reporter.platform,
            bot_user: self.bot_user,
            destination: self.destination,
            fallbacks: &fallbacks,
            along: &along,
            message: &message,
            doubt: AtomicBool::new(false),
        };
        let call = || ladder.climb(incident, level);
        let pages = self.reporter.persist(&incident.id, self.halt, usize::MAX, call);
        // What was under way then may have worked: the next region reads it in PagerDuty's log.
        let in_time = tokio::time::timeout(self.paging.within, pages).await;
        let in_time = in_time.unwrap_or_else(|_| {
            Err(Untold::Failed(PlatformError::Unavailable {
                call: format!("escalate {}", incident.id),
                attempts: 1,
                reason: format!("nobody was paged within {} s", self.paging.within.as_secs()),
            }))
        });
        match in_time {
            Ok((way, after)) => {
                self.reporter.metrics.paged(way.word());
                // Paged by a way that left the title out.
                if after.title != along.title {
                    self.reporter.title(&after, State::HandedOff).await;
                }
                Ok(Some(way))
            }
            Err(Untold::Failed(PlatformError::AlreadyEnded { .. })) => Ok(None),
            Err(untold) => Err(untold),
        }
    }

    /// Tells people by every last resort there is. `None`: by none of them. `Err`: another has the run.
    pub async fn alarm(
        &self,
        about: &About<'_>,
        permission: &Permission,
    ) -> Result<Option<Way>, Refusal> {
        let alarm = Alarm::of(about);
        let mut told: Vec<&str> = Vec::new();
        for last_resort in &self.paging.last_resorts {
            // A process that was frozen meanwhile must not tell what another has told. One that cannot
            // find out does tell.
            if let Err(Doubt::Refused(refusal)) = permission.ask().await {
                return Err(refusal);
            }
            let way = last_resort.way();
            let result = last_resort.alarm(&alarm).await;
            self.reporter.metrics.last_resort(way, result.is_ok());
            match result {
                Ok(()) => {
                    tracing::error!(
                        incident.id = alarm.incident,
                        "nobody could be paged for incident {}; people were told by the last resort \
                         ({way}). Look at its escalation policy",
                        alarm.incident,
                    );
                    told.push(way);
                }
                Err(error) => tracing::error!(
                    incident.id = alarm.incident, %error,
                    "the last resort ({way}) told nobody of incident {}", alarm.incident,
                ),
            }
        }
        Ok((!told.is_empty()).then(|| Way::LastResort(told.join(", "))))
    }
}

/// Rounds of leaving an incident to people without waking them, before they are woken.
const LEAVE_ROUNDS: usize = 3;

/// Rounds of asking for the level before people are paged without knowing it.
const LEVEL_ROUNDS: usize = 2;
