//! What became of a write whose answer was lost: asked before it is sent again.

use jiff::{SignedDuration, Timestamp};
use serde_json::Value;

use super::budget::Lane;
use super::transport::{Call, Failure};
use super::{INCIDENT, NOTES, PagerDuty, answer};
use crate::claim::protocol::{self, StandDown, StandDownReason};
use crate::incident::{Incident, IncidentId, Status};

/// By how much a webhook's time of a reopening and that of the REST API may differ.
const TIMES_DIFFER: SignedDuration = SignedDuration::from_secs(2);

impl PagerDuty {
    /// Whether the note is there, asked once. `Err` when that cannot be known now.
    pub(super) async fn has_note(
        &self,
        id: &IncidentId,
        needle: &str,
        attempt: usize,
    ) -> Result<bool, Failure> {
        let mut call = Call::get(NOTES, vec!["incidents", id.as_str(), "notes"]);
        call.lane = Lane::Note;
        // While the question stays open, the note is not repeated.
        let open = |reason: String, said| Failure::Passing {
            reason: format!("its answer was lost and the notes cannot be read: {reason}"),
            said,
            may_have_worked: true,
            is_limited: false,
        };
        match self.transport.once(&call, attempt).await {
            Ok(answer) if answer["notes"].is_array() => {
                let notes = answer::notes(&answer);
                // A note that quotes ours, as an output may, is not ours: the marker is its last line.
                Ok(notes.iter().any(|note| note.content.trim_end().ends_with(needle.trim_end())))
            }
            Ok(_) => Err(open("200 without notes".to_owned(), None)),
            Err(Failure::Refused(refusal)) => {
                Err(open(refusal.status.to_string(), Some(refusal.message)))
            }
            Err(other) => Err(other),
        }
    }

    /// What became of a resolve whose answer was lost. It took effect; or somebody has opened the incident
    /// again since, which it must not undo; or it may be sent again.
    pub(super) async fn resolved_before(
        &self,
        id: &IncidentId,
        known: Option<Timestamp>,
        attempt: usize,
    ) -> Result<Option<Value>, Failure> {
        let mut call = Call::get(INCIDENT, vec!["incidents", id.as_str()]);
        call.lane = Lane::Resolve;
        let answer = self.transport.once(&call, attempt).await?;
        let Some(Incident { status, status_by: by, reopened_at, .. }) = self.read_incident(&answer)
        else {
            return Ok(None);
        };
        let later = |at: &Timestamp| known.is_none_or(|known| *at > known + TIMES_DIFFER);
        match (reopened_at.filter(later), &self.hold) {
            _ if status == Status::Resolved => Ok(Some(answer)),
            (Some(at), Some(hold)) => {
                let stand_down = StandDown { reason: StandDownReason::Reopened, by, at };
                let run = hold.claim().run().clone();
                Err(Failure::NotOurs(protocol::Refusal::StandDown { run, stand_down }))
            }
            _ => Ok(None),
        }
    }
}
