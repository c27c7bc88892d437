//! Acknowledging what AMS works on, where that is wanted, and taking it back.
//!
//! An acknowledgement that only AMS has made keeps PagerDuty from paging anybody. It ends with the
//! run: by the resolve, by the escalation, or here, where the run ends and the incident stays.

use tokio_util::sync::CancellationToken;

use super::reporter::{Reporter, Untold};
use super::{Escalation, IncidentChange, PlatformError};
use crate::incident::{Incident, Status};
use crate::paging::Acknowledge;

impl Reporter {
    /// Whoever acknowledges takes the incident over, and one that was resolved a moment ago would be
    /// opened again: PagerDuty is asked right before.
    pub(super) async fn may_acknowledge(&self, incident: &Incident) -> bool {
        let is_wanted = match self.acknowledge {
            Acknowledge::Never => false,
            Acknowledge::OnStart => true,
            Acknowledge::WhereTimeout => self.times_out(incident).await,
        };
        if !is_wanted {
            return false;
        }
        match self.platform.incident(&incident.id).await {
            Ok(now) => now.status == Status::Triggered,
            Err(error) => {
                self.count_failure(&incident.id, &error);
                false
            }
        }
    }

    /// Without an answer nothing is known of a timeout.
    async fn times_out(&self, incident: &Incident) -> bool {
        let Some(service) = &incident.service else { return false };
        match self.platform.acknowledgement_timeout(&service.id).await {
            Ok(timeout) => timeout.is_some(),
            Err(error) => {
                tracing::warn!(
                    incident.id = %incident.id, %error,
                    "incident {} is not acknowledged: its service's timeout cannot be read",
                    incident.id,
                );
                false
            }
        }
    }

    /// The run ends and the incident does not: it is as before AMS acknowledged it, at the first level
    /// of its policy with PagerDuty's own timeout armed. Somebody else's acknowledgement stays.
    pub async fn give_back(
        &self,
        incident: &Incident,
        bot_user: &str,
        halt: &CancellationToken,
    ) -> Result<(), Untold> {
        if self.acknowledge == Acknowledge::Never && !incident.is_with_us_alone(bot_user) {
            return Ok(());
        }
        let id = &incident.id;
        // A status of `triggered` takes nothing back, and opens what was resolved meanwhile.
        let own = incident.escalation_policy.clone().map(Escalation::Policy);
        for escalation in own.into_iter().chain([Escalation::Level(1)]) {
            // Somebody may take it between two rounds: each begins with a look.
            let call = || async {
                let now = self.platform.incident(id).await?;
                if !now.is_with_us_alone(bot_user) {
                    return Ok(now);
                }
                let change = IncidentChange {
                    escalation: Some(escalation.clone()),
                    before: Some(now.assignees),
                    gives_back: true,
                    ..IncidentChange::default()
                };
                self.platform.change(id, &change).await
            };
            match self.persist(id, halt, usize::MAX, call).await {
                Ok(after) if after.is_with_us_alone(bot_user) => {}
                Ok(_) | Err(Untold::Failed(PlatformError::AlreadyEnded { .. })) => return Ok(()),
                Err(Untold::Failed(_)) => {}
                Err(untold) => return Err(untold),
            }
        }
        tracing::error!(
            incident.id = %id,
            "incident {id} stays acknowledged by AMS alone, which does nothing more for it: take it \
             over in PagerDuty",
        );
        Ok(())
    }
}
