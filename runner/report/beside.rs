//! What a run's end is told beside the note: stakeholders, and the account's custom fields.
//!
//! Nobody waits for any of it who has to act, so it comes last, within a bound, and fails alone.

use crate::execute::end::End;
use crate::incident::Outcome;
use crate::limits;
use crate::report::PlatformError;
use crate::report::note::Story;
use crate::report::reporter::Reporter;
use crate::shorten;

impl Reporter {
    /// The author's words for stakeholders, if there are any for this end. At most once: it comes
    /// right after the note that proves how far a run was told, and is not repeated when in doubt.
    pub async fn stakeholders(&self, story: &Story<'_>, end: &End) {
        let said = story.told.stakeholders.as_deref().filter(|it| !it.trim().is_empty());
        let (Some(said), true) = (said, is_told_to_others(end)) else { return };
        let said = self.style.clean(said);
        let said = shorten::at_the_end(said.trim(), limits::STATUS_UPDATE_BYTES);
        let incident = &story.run.incident;
        self.in_time(story, self.platform.tell_stakeholders(incident, said)).await;
    }

    /// What the account wants to know of each run, in its own fields. May be repeated.
    pub async fn set_fields(&self, story: &Story<'_>, end: &End) {
        let values = self.fields.values(story, end);
        if values.is_empty() || matches!(end.outcome(), Outcome::Shadowed) {
            return;
        }
        self.in_time(story, self.platform.set_fields(&story.run.incident, &values)).await;
    }

    async fn in_time(
        &self,
        story: &Story<'_>,
        call: impl Future<Output = Result<(), PlatformError>>,
    ) {
        let incident = &story.run.incident;
        match tokio::time::timeout(limits::BESIDE_WITHIN, call).await {
            Ok(Ok(())) => {}
            Ok(Err(PlatformError::NotInPlan { what })) => {
                tracing::debug!(incident.id = %incident, "the account has no {what}");
            }
            Ok(Err(error)) => self.count_failure(incident, &error),
            Err(_) => {
                let (call, reason) = ("what is told beside the note", "its time was over");
                let (call, reason) = (call.to_owned(), reason.to_owned());
                let error = PlatformError::Unavailable { call, attempts: 1, reason };
                self.count_failure(incident, &error);
            }
        }
    }
}

/// Where a person took over, they say what is told; in shadow, nothing has happened.
const fn is_told_to_others(end: &End) -> bool {
    matches!(
        end.outcome(),
        Outcome::Resolved | Outcome::RecoveredItself | Outcome::HandedOff | Outcome::Escalated
    )
}
