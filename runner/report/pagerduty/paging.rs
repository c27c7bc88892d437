//! Calls around a page that are no change of the incident: whether it was sent before, and asking
//! responders.

use jiff::Timestamp;
use reqwest::Method;
use serde_json::{Value, json};

use super::budget::Lane;
use super::outcome::about_incident;
use super::transport::{Call, Failure};
use super::{INCIDENT, PagerDuty, PlatformError, ResponderRequest, paging_answers};
use crate::claim::protocol::{self, StandDown, StandDownReason};
use crate::incident::{IncidentId, Status};
use crate::limits;

const RESPONDERS: &str = "/incidents/{id}/responder_requests";
const LOG: &str = "/incidents/{id}/log_entries";

impl PagerDuty {
    /// What became of an escalation whose answer was lost: another has the incident than before.
    /// The same people again are nothing that shows, and are paged once more. `gives_back`: nobody new
    /// need have it, but nobody has acknowledged it any more.
    pub(super) async fn paged_before(
        &self,
        id: &IncidentId,
        (before, gives_back): (&[String], bool),
        attempt: usize,
    ) -> Result<Option<Value>, Failure> {
        let mut call = Call::get(INCIDENT, vec!["incidents", id.as_str()]);
        call.lane = Lane::Escalate;
        let answer = self.transport.once(&call, attempt).await?;
        let Some(now) = self.read_incident(&answer) else { return Ok(None) };
        let is_new = now.assignees.iter().any(|user| !before.contains(user));
        // Whoever acknowledged it was paged or came by themselves: the incident is theirs either way.
        if let (Status::Acknowledged, true, Some(hold)) = (now.status, is_new, &self.hold) {
            let (reason, at) = (StandDownReason::Acknowledged, now.seen_at);
            let stand_down = StandDown { reason, by: now.status_by, at };
            let run = hold.claim().run().clone();
            return Err(Failure::NotOurs(protocol::Refusal::StandDown { run, stand_down }));
        }
        let is_open = now.status == Status::Triggered;
        let went_over = is_open && (is_new || gives_back);
        Ok(went_over.then_some(answer))
    }

    /// Nothing in the API tells a repeated request from a second one, and being asked twice to join is
    /// no harm: it is sent again where its answer was lost.
    pub(super) async fn request_responders(
        &self,
        id: &IncidentId,
        request: ResponderRequest<'_>,
    ) -> Result<bool, PlatformError> {
        let ResponderRequest { requester, message, targets } = request;
        let target =
            |id: &String, kind| json!({ "responder_request_target": { "id": id, "type": kind } });
        let users = targets.users.iter().map(|id| target(id, "user_reference"));
        let policies = targets.policies.iter().map(|id| target(id, "escalation_policy_reference"));
        let mut call = Call::new(
            Method::POST,
            RESPONDERS,
            vec!["incidents", id.as_str(), "responder_requests"],
        );
        call.body = Some(json!({
            "requester_id": requester,
            "message": message,
            "responder_request_targets": users.chain(policies).collect::<Vec<_>>(),
        }));
        call.lane = Lane::Escalate;
        call.permission = self.permission(true);
        let sent = self.transport.call(&call).await;
        let answer = sent.map_err(|gave_up| about_incident(&call, id, gave_up))?;
        Ok(paging_answers::asks_somebody(&answer))
    }

    pub(super) async fn log_says_handed_over(
        &self,
        id: &IncidentId,
        by: &str,
        since: Timestamp,
    ) -> Result<bool, PlatformError> {
        let mut call = Call::get(LOG, vec!["incidents", id.as_str(), "log_entries"]);
        call.lane = Lane::Escalate;
        call.query = vec![("since", since.to_string()), ("limit", limits::LOG_ENTRIES.to_string())];
        let answer = self.transport.call(&call).await;
        let answer = answer.map_err(|gave_up| about_incident(&call, id, gave_up))?;
        Ok(paging_answers::hands_over(&answer, by, since))
    }
}
