//! Whom an incident goes to next, and making it so.
//!
//! PagerDuty does not tell an incident's current level; it follows from who it is assigned to and
//! who is on call at which level. Each way is tried in order until PagerDuty shows that people have
//! the incident: triggered, of high urgency, and not with AMS's own user.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::incident::{Incident, Status, Urgency};
use crate::paging::Fallback;
use crate::report::{
    Escalation, EscalationPolicy, IncidentChange, IncidentPlatform, PlatformError,
    ResponderRequest, Way,
};

/// What goes along with an escalation where PagerDuty allows it.
#[derive(Clone, Debug, Default)]
pub struct Along {
    pub title: String,
    /// Priority by name.
    pub priority: Option<String>,
}

/// The level after the one the incident is at.
///
/// Nobody of the policy has it (direct assignment, empty schedule): level 2, because level 1 is
/// where AMS's own bot user stands in the recommended policy. Already at the last level: that
/// one again, which pages its people once more.
pub fn next_level(incident: &Incident, policy: &EscalationPolicy) -> u32 {
    let has_it = |users: &Vec<String>| users.iter().any(|user| incident.assignees.contains(user));
    let levels = policy.levels.len().max(1);
    let current = policy.levels.iter().position(has_it).map_or(1, |index| index + 1);
    u32::try_from((current + 1).min(levels)).unwrap_or(1)
}

/// The level to escalate to, asked of PagerDuty now. `None` without a policy.
pub async fn find_level(
    platform: &dyn IncidentPlatform,
    incident: &Incident,
) -> Result<Option<u32>, PlatformError> {
    let Some(policy) = &incident.escalation_policy else {
        return Ok(None);
    };
    let policy = platform.escalation_policy(policy).await?;
    Ok(Some(next_level(incident, &policy)))
}

/// Every way to page people, in order: the policy that was named, the next level of the incident's
/// own (a low urgency is raised before) and its other levels, other policies, users, responders.
pub struct Ladder<'a> {
    pub platform: &'a dyn IncidentPlatform,
    /// AMS's own user: an incident that it has pages nobody.
    pub bot_user: &'a str,
    /// A policy to go to in place of the next level.
    pub destination: Option<&'a str>,
    /// The customer's, then the operator's.
    pub fallbacks: &'a [&'a Fallback],
    pub along: &'a Along,
    /// For responders, who see nothing else at first.
    pub message: &'a str,
    /// Some way's answer was lost, in this round or an earlier one.
    pub doubt: AtomicBool,
}

impl Ladder<'_> {
    /// Pages people. `Ok` only when PagerDuty shows that it did; with the incident as it is then. An
    /// incident that has ended meanwhile needs nobody: `AlreadyEnded`.
    pub async fn climb(
        &self,
        incident: &Incident,
        level: Option<u32>,
    ) -> Result<(Way, Incident), PlatformError> {
        let mut climb = Climb {
            ladder: self,
            own: incident,
            now: incident.clone(),
            last: None,
            unanswered: false,
        };
        let way = climb.climb(level).await?;
        let Climb { now, last, .. } = climb;
        match way {
            Some(way) => Ok((way, now)),
            None => Err(last.unwrap_or_else(|| PlatformError::Refused {
                call: format!("escalate {}", incident.id),
                status: 200,
                code: None,
                message: "every way was accepted and still pages nobody".to_owned(),
            })),
        }
    }
}

/// One pass over all ways.
struct Climb<'a> {
    ladder: &'a Ladder<'a>,
    /// The incident as it was before.
    own: &'a Incident,
    /// As PagerDuty showed it last.
    now: Incident,
    /// Why ways did not work: the last refusal, or that PagerDuty did not answer, which may pass.
    last: Option<PlatformError>,
    /// It did not answer the last change.
    unanswered: bool,
}

impl Climb<'_> {
    async fn climb(&mut self, level: Option<u32>) -> Result<Option<Way>, PlatformError> {
        self.raise_urgency().await?;
        if let Some(policy) = self.ladder.destination
            && let Some(way) = self.policy(policy).await?
        {
            return Ok(Some(way));
        }
        if let Some(way) = self.levels(level).await? {
            return Ok(Some(way));
        }
        for policy in self.ladder.fallbacks.iter().filter_map(|it| it.policy.as_deref()) {
            if let Some(way) = self.policy(policy).await? {
                return Ok(Some(way));
            }
        }
        for fallback in self.ladder.fallbacks {
            if let Some(way) = self.users(&fallback.users).await? {
                return Ok(Some(way));
            }
        }
        for fallback in self.ladder.fallbacks {
            if let Some(way) = self.responders(fallback).await? {
                return Ok(Some(way));
            }
        }
        Ok(None)
    }

    /// PagerDuty escalates low urgencies to no level, and notifies their people as of a trifle. A
    /// refusal is not the end: it goes along once more with every way.
    async fn raise_urgency(&mut self) -> Result<(), PlatformError> {
        if self.now.urgency == Urgency::Low {
            let high = IncidentChange { urgency: Some(Urgency::High), ..IncidentChange::default() };
            self.change(&high).await?;
        }
        Ok(())
    }

    /// `false`, and why is remembered. What makes all ways needless is an error.
    async fn change(&mut self, change: &IncidentChange) -> Result<bool, PlatformError> {
        match self.ladder.platform.change(&self.own.id, change).await {
            Ok(after) => {
                (self.now, self.unanswered) = (after, false);
                Ok(true)
            }
            Err(error @ (PlatformError::AlreadyEnded { .. } | PlatformError::NotOurs(_))) => {
                Err(error)
            }
            Err(error) => {
                tracing::warn!(
                    incident.id = %self.own.id, %error,
                    "incident {} could not be escalated this way", self.own.id,
                );
                self.unanswered = error.is_passing();
                if self.unanswered && change.escalation.is_some() {
                    self.ladder.doubt.store(true, Ordering::Relaxed);
                }
                self.remember(error);
                Ok(false)
            }
        }
    }

    fn remember(&mut self, error: PlatformError) {
        if !self.last.as_ref().is_some_and(PlatformError::is_passing) {
            self.last = Some(error);
        }
    }

    /// One way: with title and priority, and without them where they may be what was refused. A page
    /// matters more than both.
    async fn attempt(&mut self, escalation: Escalation) -> Result<bool, PlatformError> {
        // An earlier attempt may have worked: then another has the incident than before all of them.
        let again = self.ladder.doubt.load(Ordering::Relaxed);
        let before = if again { &self.own.assignees } else { &self.now.assignees };
        let bare = IncidentChange {
            escalation: Some(escalation),
            before: Some(before.clone()),
            again,
            urgency: (self.now.urgency == Urgency::Low).then_some(Urgency::High),
            ..IncidentChange::default()
        };
        let Along { title, priority } = self.ladder.along.clone();
        let full = IncidentChange { title: Some(title), priority, ..bare.clone() };
        if self.change(&full).await? {
            return Ok(self.shows_people(&full).await);
        }
        // PagerDuty did not answer: that is not the title's fault.
        if self.unanswered {
            return Ok(false);
        }
        Ok(self.change(&bare).await? && self.shows_people(&bare).await)
    }

    /// Does PagerDuty show the incident with people after the change? The answer may be a moment
    /// behind, so a "no" is asked for once more.
    async fn shows_people(&mut self, change: &IncidentChange) -> bool {
        if self.is_with_people(change) {
            return true;
        }
        if let Ok(now) = self.ladder.platform.incident_to_page(&self.now, true).await {
            self.now = now;
        }
        let shows = self.is_with_people(change);
        if !shows {
            let Incident { status, urgency, assignees, .. } = &self.now;
            tracing::warn!(
                incident.id = %self.own.id,
                "incident {} is {}, of {} urgency and with {} after an escalation; trying the next way",
                self.own.id, status.word(), urgency.word(),
                if assignees.is_empty() { "nobody".to_owned() } else { assignees.join(", ") },
            );
        }
        shows
    }

    fn is_with_people(&self, change: &IncidentChange) -> bool {
        let Incident { status, urgency, assignees, escalation_policy, .. } = &self.now;
        let bot = self.ladder.bot_user;
        // Somebody was faster than the page.
        if self.now.is_with_people(bot) {
            return true;
        }
        let has_people = assignees.iter().any(|user| user != bot);
        // By one of the ways whose answers were lost, whichever it was.
        let is_new = |user: &String| user != bot && !self.own.assignees.contains(user);
        let in_doubt = self.ladder.doubt.load(Ordering::Relaxed);
        if in_doubt && *status == Status::Triggered && assignees.iter().any(is_new) {
            return true;
        }
        *status == Status::Triggered
            && *urgency == Urgency::High
            && match &change.escalation {
                Some(Escalation::Policy(id)) => {
                    has_people && escalation_policy.as_ref() == Some(id)
                }
                Some(Escalation::Users(ids)) => assignees.iter().any(|user| ids.contains(user)),
                Some(Escalation::Level(_)) | None => has_people,
            }
    }

    /// The policy it has already would begin again with its first level, which is AMS.
    async fn policy(&mut self, id: &str) -> Result<Option<Way>, PlatformError> {
        if self.now.escalation_policy.as_deref() == Some(id) {
            return Ok(None);
        }
        let way = || Some(Way::Policy(id.to_owned()));
        if self.attempt(Escalation::Policy(id.to_owned())).await? {
            return Ok(way());
        }
        // Its first level has nobody, or AMS alone: people are above it.
        if self.now.escalation_policy.as_deref() == Some(id) && self.levels(None).await?.is_some() {
            return Ok(way());
        }
        Ok(None)
    }

    /// The level that is next, then those above it, then those below.
    async fn levels(&mut self, level: Option<u32>) -> Result<Option<Way>, PlatformError> {
        // Another policy may be in force by now; without one that can be read, people are most
        // likely at level 2.
        let is_own = self.now.escalation_policy == self.own.escalation_policy;
        let next = level.filter(|_| is_own).unwrap_or(2);
        if self.attempt(Escalation::Level(next)).await? {
            return Ok(Some(Way::Level(next)));
        }
        if self.unanswered {
            return Ok(None);
        }
        let Some(policy) = self.now.escalation_policy.clone() else { return Ok(None) };
        let levels = match self.ladder.platform.escalation_policy(&policy).await {
            Ok(policy) => policy.levels,
            Err(error) => {
                tracing::warn!(incident.id = %self.own.id, %error, "its levels are not known");
                // The one level that every policy has.
                vec![Vec::new()]
            }
        };
        let count = u32::try_from(levels.len()).unwrap_or(1);
        for other in (next + 1..=count).chain((1..next.min(count + 1)).rev()) {
            let users = levels.get(other as usize - 1);
            let is_ours = |users: &&Vec<String>| users.iter().all(|it| it == self.ladder.bot_user);
            if users.filter(|it| !it.is_empty()).is_some_and(|it| is_ours(&it)) {
                continue;
            }
            if self.attempt(Escalation::Level(other)).await? {
                return Ok(Some(Way::Level(other)));
            }
        }
        Ok(None)
    }

    /// All at once; one by one where PagerDuty refuses, because one of them may not exist any more.
    async fn users(&mut self, users: &[String]) -> Result<Option<Way>, PlatformError> {
        if users.is_empty() {
            return Ok(None);
        }
        if self.attempt(Escalation::Users(users.to_vec())).await? {
            return Ok(Some(Way::Users(users.to_vec())));
        }
        for user in users.iter().filter(|_| users.len() > 1) {
            let one = vec![user.clone()];
            if self.attempt(Escalation::Users(one.clone())).await? {
                return Ok(Some(Way::Users(one)));
            }
        }
        Ok(None)
    }

    async fn responders(&mut self, fallback: &Fallback) -> Result<Option<Way>, PlatformError> {
        let Ladder { platform, bot_user, message, .. } = *self.ladder;
        let targets = &fallback.responders;
        if targets.is_empty() {
            return Ok(None);
        }
        let request = ResponderRequest { requester: bot_user, message, targets };
        match platform.ask_responders(&self.own.id, request).await {
            Ok(true) => Ok(Some(Way::Responders)),
            Ok(false) => Ok(None),
            Err(error @ (PlatformError::AlreadyEnded { .. } | PlatformError::NotOurs(_))) => {
                Err(error)
            }
            // 402 where the account's plan has no responder requests.
            Err(error) => {
                tracing::warn!(incident.id = %self.own.id, %error, "no responder could be asked");
                self.remember(error);
                Ok(None)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::incident::IncidentId;

    fn incident(assignees: &[&str]) -> Incident {
        Incident {
            id: IncidentId::parse("Q1").unwrap(),
            title: "x".to_owned(),
            status: Status::Triggered,
            urgency: Urgency::High,
            number: None,
            created_at: None,
            status_by: None,
            reopened_at: None,
            service: None,
            escalation_policy: Some("P1".to_owned()),
            acknowledged_by: Vec::new(),
            assignees: assignees.iter().map(|id| (*id).to_owned()).collect(),
            html_url: None,
            seen_at: jiff::Timestamp::UNIX_EPOCH,
        }
    }

    fn policy(levels: &[&[&str]]) -> EscalationPolicy {
        let levels =
            levels.iter().map(|users| users.iter().map(|id| (*id).to_owned()).collect()).collect();
        EscalationPolicy { id: "P1".to_owned(), name: "x".to_owned(), levels }
    }

    #[test]
    fn the_next_level_follows_from_who_has_it() {
        let three = policy(&[&["BOT"], &["ANN"], &["BOB"]]);
        assert_eq!(next_level(&incident(&["BOT"]), &three), 2);
        assert_eq!(next_level(&incident(&["ANN"]), &three), 3);
        assert_eq!(next_level(&incident(&["BOB"]), &three), 3);
        assert_eq!(next_level(&incident(&["SOMEONE"]), &three), 2);
        assert_eq!(next_level(&incident(&["ANN"]), &policy(&[&["ANN"]])), 1);
        assert_eq!(next_level(&incident(&[]), &policy(&[])), 1);
    }
}
