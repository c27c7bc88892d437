//! What is told beside title, status and notes: status updates, custom fields, edited notes.

use reqwest::Method;
use serde_json::{Value, json};

use super::PagerDuty;
use super::budget::Lane;
use super::gates::Feature;
use super::outcome::about_incident;
use super::transport::{Call, Failure, GaveUp};
use crate::incident::IncidentId;
use crate::report::PlatformError;

const NOTE: &str = "/incidents/{id}/notes/{note_id}";
const STATUS_UPDATES: &str = "/incidents/{id}/status_updates";
const FIELD_VALUES: &str = "/incidents/{id}/custom_fields/values";

impl PagerDuty {
    /// The same text over the same note as often as it takes.
    pub(super) async fn put_note(
        &self,
        id: &IncidentId,
        note: &str,
        content: &str,
    ) -> Result<(), PlatformError> {
        if !super::is_id(note) {
            return Err(PlatformError::NotFound { what: "the note".to_owned() });
        }
        let path = vec!["incidents", id.as_str(), "notes", note];
        let mut call = Call::new(Method::PUT, NOTE, path);
        call.body = Some(json!({ "note": { "content": content } }));
        call.lane = Lane::Note;
        call.permission = self.permission(false);
        let sent = self.transport.call(&call).await;
        sent.map(drop).map_err(|gave_up| about_incident(&call, id, gave_up))
    }

    pub(super) async fn put_fields(
        &self,
        id: &IncidentId,
        values: &[(String, Value)],
    ) -> Result<(), PlatformError> {
        let path = vec!["incidents", id.as_str(), "custom_fields", "values"];
        let mut call = Call::new(Method::PUT, FIELD_VALUES, path);
        let values = values.iter().map(|(name, value)| json!({ "name": name, "value": value }));
        call.body = Some(json!({ "custom_fields": values.collect::<Vec<_>>() }));
        call.lane = Lane::Note;
        call.permission = self.permission(false);
        self.if_there(Feature::CustomFields)?;
        let sent = self.transport.call(&call).await;
        self.heard(Feature::CustomFields, &call, id, sent)
    }

    /// Nothing in the API tells whether an update was sent: one that may have been is not sent again.
    pub(super) async fn post_status_update(
        &self,
        id: &IncidentId,
        message: &str,
    ) -> Result<(), PlatformError> {
        let path = vec!["incidents", id.as_str(), "status_updates"];
        let mut call = Call::new(Method::POST, STATUS_UPDATES, path);
        call.body = Some(json!({ "message": message }));
        call.lane = Lane::Note;
        call.at_most_once = true;
        call.permission = self.permission(false);
        self.if_there(Feature::StatusUpdates)?;
        let sent = self.transport.call(&call).await;
        self.heard(Feature::StatusUpdates, &call, id, sent)
    }

    fn if_there(&self, feature: Feature) -> Result<(), PlatformError> {
        if self.gates.is_closed(feature) {
            return Err(PlatformError::NotInPlan { what: feature.words() });
        }
        Ok(())
    }

    fn heard(
        &self,
        feature: Feature,
        call: &Call<'_>,
        id: &IncidentId,
        sent: Result<Value, GaveUp>,
    ) -> Result<(), PlatformError> {
        let Err(gave_up) = sent else { return Ok(()) };
        if let Failure::Refused(refusal) = &gave_up.failure
            && feature.is_lacking(refusal.status)
        {
            self.gates.hear(feature, refusal.status);
            return Err(PlatformError::NotInPlan { what: feature.words() });
        }
        Err(about_incident(call, id, gave_up))
    }
}
