//! What people and the monitoring do to an incident while AMS works on it.

use std::time::Duration;

use ams::incident::{IncidentId, Status};
use ams::sandbox::pagerduty::{ENGINEER, MANAGER, StandIn};

use crate::schedule::Touch;

/// An incident that is to be opened again must be resolved by then, or it is left alone.
const RESOLVED_WITHIN: Duration = Duration::from_secs(15);

/// Does it, `after` a while. PagerDuty may refuse: then the incident had ended before.
pub(crate) async fn touch(
    pagerduty: StandIn,
    incident: IncidentId,
    (after, touch): (Duration, Touch),
    other: Option<IncidentId>,
) {
    tokio::time::sleep(after).await;
    let refused = match touch {
        Touch::Acknowledge => pagerduty.acknowledge_as(ENGINEER, &incident).is_err(),
        Touch::Reassign => pagerduty.reassign_as(ENGINEER, &incident, MANAGER).is_err(),
        Touch::Stop => pagerduty.annotate_as(ENGINEER, &incident, "ams stop").is_err(),
        Touch::Resolve => pagerduty.resolve_as(ENGINEER, &incident).is_err(),
        Touch::Clear => pagerduty.monitoring_resolves(&incident).is_err(),
        Touch::Merge => {
            let target = other.unwrap_or_else(|| incident.clone());
            pagerduty.merge_as(ENGINEER, &incident, &target).is_err()
        }
        Touch::Reopen => reopen(&pagerduty, &incident, after).await,
    };
    if refused {
        tracing::debug!("incident {incident} could not be touched any more: {touch:?}");
    }
}

/// Once AMS has resolved it, a little later. True if there was nothing to open.
async fn reopen(pagerduty: &StandIn, incident: &IncidentId, after: Duration) -> bool {
    let resolved = pagerduty
        .wait_for(RESOLVED_WITHIN, |state| {
            state.incident(incident).is_some_and(|view| view.status == Status::Resolved)
        })
        .await;
    if !resolved {
        return true;
    }
    tokio::time::sleep(after).await;
    pagerduty.reopen_as(ENGINEER, incident).is_err()
}
