//! The title an incident had before AMS shortened it to make room for its own words.

use crate::incident::Incident;
use crate::limits;
use crate::report::{IncidentPlatform, title};

/// The incident with its whole title, where PagerDuty's has been shortened by us: what a scenario
/// is chosen by, and what is read from a title, must not depend on our prefix. Where no alert has
/// it, or PagerDuty gives no answer in time, the title stays as it is.
pub async fn in_full(platform: &dyn IncidentPlatform, incident: Incident) -> Incident {
    if !title::is_shortened(&incident.title) {
        return incident;
    }
    let asked = tokio::time::timeout(limits::WHOLE_TITLE, platform.alerts(&incident.id)).await;
    let alerts = match asked {
        Ok(Ok(alerts)) => alerts,
        Ok(Err(error)) => {
            let id = &incident.id;
            tracing::warn!(incident.id = %id, %error, "the whole title of {id} is not known");
            Vec::new()
        }
        Err(_) => Vec::new(),
    };
    let summaries = alerts.iter().filter_map(|alert| alert["summary"].as_str());
    match title::whole(&incident.title, summaries).map(str::to_owned) {
        Some(title) => Incident { title, ..incident },
        None => incident,
    }
}

/// What PagerDuty says now, with the title as it was known before, if it is the same one.
#[must_use]
pub fn still_in_full(now: Incident, before: &Incident) -> Incident {
    match title::whole(&now.title, [before.title.as_str()]) {
        Some(title) => Incident { title: title.to_owned(), ..now },
        None => now,
    }
}
