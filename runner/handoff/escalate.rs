//! Whom an incident goes to next, and making it so.
//!
//! PagerDuty does not tell an incident's current level; it follows from who it is assigned to and
//! who is on call at which level. Each rung is tried in order until PagerDuty shows the result.

use crate::incident::{Incident, IncidentId, Status, Urgency};
use crate::report::{
    Escalation, EscalationPolicy, IncidentChange, IncidentPlatform, PlatformError,
};

/// What goes along with an escalation where PagerDuty allows it.
#[derive(Clone, Debug, Default)]
pub struct Along {
    pub title: String,
    /// Priority by name.
    pub priority: Option<String>,
    /// A policy to go to first, in place of the next level.
    pub policy: Option<String>,
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

/// Pages people, rung by rung: next level (after raising a low urgency), the same without what
/// goes along, the fall-back policy. `Ok` only when PagerDuty shows the incident as triggered
/// again. An incident that has ended meanwhile needs nobody: `AlreadyEnded`.
pub async fn escalate(
    platform: &dyn IncidentPlatform,
    incident: &Incident,
    level: Option<u32>,
    fallback_policy: Option<&str>,
    along: &Along,
) -> Result<Incident, PlatformError> {
    if incident.urgency == Urgency::Low {
        raise_urgency(platform, &incident.id).await?;
    }
    let mut last = None;
    for change in rungs(level, fallback_policy, along) {
        match platform.change(&incident.id, &change).await {
            Ok(after) if after.status == Status::Triggered => return Ok(after),
            Ok(after) => {
                tracing::warn!(
                    incident.id = %incident.id,
                    "incident {} is {} after an escalation; trying the next way",
                    incident.id, after.status.word(),
                );
            }
            Err(error @ (PlatformError::AlreadyEnded { .. } | PlatformError::NotOurs(_))) => {
                return Err(error);
            }
            Err(error) => {
                tracing::warn!(
                    incident.id = %incident.id, %error,
                    "incident {} could not be escalated this way", incident.id,
                );
                last = Some(error);
            }
        }
    }
    Err(last.unwrap_or_else(|| PlatformError::Unavailable {
        call: format!("escalate {}", incident.id),
        attempts: 1,
        reason: "PagerDuty accepted every way and still pages nobody".to_owned(),
    }))
}

/// A refusal is not the end: the level change itself is tried all the same.
async fn raise_urgency(
    platform: &dyn IncidentPlatform,
    incident: &IncidentId,
) -> Result<(), PlatformError> {
    let high = IncidentChange { urgency: Some(Urgency::High), ..IncidentChange::default() };
    match platform.change(incident, &high).await {
        Ok(_) => Ok(()),
        Err(error @ (PlatformError::AlreadyEnded { .. } | PlatformError::NotOurs(_))) => Err(error),
        Err(error) => {
            tracing::warn!(
                incident.id = %incident, %error,
                "the urgency of incident {incident} could not be raised",
            );
            Ok(())
        }
    }
}

fn rungs(level: Option<u32>, fallback_policy: Option<&str>, along: &Along) -> Vec<IncidentChange> {
    let bare =
        |escalation| IncidentChange { escalation: Some(escalation), ..IncidentChange::default() };
    let with_title = |escalation| IncidentChange {
        title: Some(along.title.clone()),
        priority: along.priority.clone(),
        ..bare(escalation)
    };
    let mut rungs = Vec::new();
    if let Some(policy) = &along.policy {
        rungs.push(with_title(Escalation::Policy(policy.clone())));
        rungs.push(bare(Escalation::Policy(policy.clone())));
    }
    // Without a policy that could be read, people are most likely at level 2.
    let level = level.unwrap_or(2);
    rungs.push(with_title(Escalation::Level(level)));
    // The title or priority may be what was refused; a page matters more than both.
    rungs.push(bare(Escalation::Level(level)));
    if let Some(policy) = fallback_policy {
        rungs.push(with_title(Escalation::Policy(policy.to_owned())));
        rungs.push(bare(Escalation::Policy(policy.to_owned())));
    }
    if level != 1 {
        rungs.push(bare(Escalation::Level(1)));
    }
    rungs
}

#[cfg(test)]
mod tests {
    use super::*;

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
