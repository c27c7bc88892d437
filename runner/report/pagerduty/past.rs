//! Incidents of the past, as they are listed.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::outcome::error;
use super::transport::Call;
use super::{INCIDENTS, PAGE, PagerDuty, answer, resolution};
use crate::report::{PastIncident, PastPage, PlatformError};

impl PagerDuty {
    /// One page of the incidents that were made from `since` until `until`, oldest first.
    ///
    /// `offset` and a page together end at [`crate::limits::PAGERDUTY_LIST_REACH`]; both times have at
    /// most six months between them (`PagerDuty` REST docs, List incidents). How exactly `PagerDuty`
    /// takes the times is not documented: ask for more than is needed.
    pub async fn past(
        &self,
        (since, until): (Timestamp, Timestamp),
        services: &[String],
        offset: usize,
    ) -> Result<PastPage, PlatformError> {
        let mut call = Call::get(INCIDENTS, vec!["incidents"]);
        call.query = vec![
            ("since", since.to_string()),
            ("until", until.to_string()),
            ("time_zone", "UTC".to_owned()),
            ("sort_by", "created_at:asc".to_owned()),
            ("limit", PAGE.to_string()),
            ("offset", offset.to_string()),
        ];
        let statuses = ["triggered", "acknowledged", "resolved"];
        call.query.extend(statuses.map(|status| ("statuses[]", status.to_owned())));
        call.query.extend(services.iter().map(|id| ("service_ids[]", id.clone())));
        let answer = self.transport.call(&call).await;
        let answer = answer.map_err(|gave_up| error(&call, "incidents".to_owned(), gave_up))?;
        let listed = answer["incidents"].as_array().map_or(&[][..], Vec::as_slice);
        let incidents = listed.iter().filter_map(incident).collect();
        Ok(PastPage { incidents, listed: listed.len(), more: answer["more"] == true })
    }
}

impl PastIncident {
    /// As `PagerDuty` lists it; `None` without id, title or time.
    pub fn of(value: &Value) -> Option<Self> {
        incident(value)
    }

    /// Short, and read back by [`Self::of`].
    pub fn to_value(&self, title: &str) -> Value {
        let service = self.service.as_ref();
        let by = if self.by_person { "user_reference" } else { "service_reference" };
        json!({
            "id": self.id.as_str(),
            "title": title,
            "urgency": self.urgency.word(),
            "created_at": self.created_at.to_string(),
            "service": service.map(|it| json!({"id": it.id, "summary": it.name})),
            "status": if self.resolved_at.is_some() { "resolved" } else { "triggered" },
            "last_status_change_at": self.resolved_at.map(|at| at.to_string()),
            "last_status_change_by": json!({"type": by}),
        })
    }
}

fn incident(value: &Value) -> Option<PastIncident> {
    let known = answer::incident(value, Timestamp::UNIX_EPOCH)?;
    if known.title.is_empty() {
        return None;
    }
    let ended = resolution::resolution(value);
    Some(PastIncident {
        id: known.id,
        title: known.title,
        service: known.service,
        urgency: known.urgency,
        created_at: known.created_at?,
        resolved_at: ended.map(|it| it.at),
        by_person: ended.is_some_and(|it| it.by_person),
    })
}
