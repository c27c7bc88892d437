//! Writes a run's progress into PagerDuty: at most four writes for an ordinary run.
//!
//! Start (title and note) is told when a change is about to be made or the run lasts; the end is
//! always told. What cannot be written now is tried again: an incident must not end in silence.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use backon::{BackoffBuilder as _, ExponentialBuilder};
use tokio_util::sync::CancellationToken;

use crate::claim::hold::Hold;
use crate::claim::protocol::Refusal;
use crate::execute::end::End;
use crate::incident::{Incident, IncidentId, Status};
use crate::lang::Lang;
use crate::mask;
use crate::metrics::Metrics;
use crate::paging::Acknowledge;
use crate::report::fields::CustomFields;
use crate::report::note::{Kind, Story, Style, marker};
use crate::report::title::{State, with_state};
use crate::report::{IncidentChange, IncidentPlatform, PlatformError, text};

#[derive(Clone)]
pub struct Reporter {
    pub platform: Arc<dyn IncidentPlatform>,
    pub style: Arc<Style>,
    /// The account's own fields that are set at the end.
    pub fields: Arc<CustomFields>,
    pub metrics: Metrics,
    /// Of the run's customer, else what the operator says.
    pub acknowledge: Acknowledge,
}

/// Why something was not told.
#[derive(Debug)]
pub enum Untold {
    /// PagerDuty said no, or tries ran out.
    Failed(PlatformError),
    /// The process stops; the next owner tells it.
    Halted,
    /// Another has the run, and tells.
    Lost(Refusal),
}

/// Rounds of tries for a note; each round is [`crate::limits::PAGERDUTY_ATTEMPTS`] attempts. The page
/// itself has no such bound.
const NOTE_ROUNDS: usize = 8;

/// Between two rounds.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

impl Reporter {
    /// For one run: writes nothing once another has it.
    #[must_use]
    pub fn held_by(&self, hold: &Arc<Hold>) -> Self {
        let platform = self.platform.held_by(hold).unwrap_or_else(|| Arc::clone(&self.platform));
        Self { platform, ..self.clone() }
    }

    #[must_use]
    pub fn speaking(self, lang: Lang) -> Self {
        if lang == self.style.lang {
            return self;
        }
        let style = Style { lang, ..Style::clone(&self.style) };
        Self { style: Arc::new(style), ..self }
    }

    #[must_use]
    pub fn acknowledging(self, acknowledge: Acknowledge) -> Self {
        Self { acknowledge, ..self }
    }

    /// Masks what its customer calls secret, too.
    #[must_use]
    pub fn masking(self, rules: &mask::Rules) -> Self {
        if rules.known.is_empty() && rules.patterns.is_empty() {
            return self;
        }
        let mask = self.style.mask.and(rules.known.iter().cloned(), &rules.patterns);
        let style = Style { mask, ..Style::clone(&self.style) };
        Self { style: Arc::new(style), ..self }
    }

    /// Title, status and resolution in one write. `Ok(false)`: it had ended already.
    pub async fn resolve(
        &self,
        incident: &Incident,
        story: &Story<'_>,
        end: &End,
        halt: &CancellationToken,
    ) -> Result<bool, Untold> {
        let state = match end {
            End::Healthy { .. } | End::ResolvedByStep { recovered: false, .. } => {
                State::RecoveredItself
            }
            _ => State::Recovered,
        };
        let change = IncidentChange {
            title: Some(with_state(&incident.title, state, self.style.lang)),
            status: Some(Status::Resolved),
            resolution: Some(self.style.mask.apply(&text::resolution(
                self.style.lang,
                end,
                &story.scenario.id,
            ))),
            reopened_at: incident.reopened_at,
            ..IncidentChange::default()
        };
        let tried = AtomicBool::new(false);
        let call = || {
            let again = tried.swap(true, Ordering::Relaxed);
            let change = IncidentChange { again, ..change.clone() };
            async move { self.platform.change(&incident.id, &change).await }
        };
        match self.persist(&incident.id, halt, usize::MAX, call).await {
            Ok(_) => Ok(true),
            Err(Untold::Failed(PlatformError::AlreadyEnded { .. })) => Ok(false),
            Err(untold) => Err(untold),
        }
    }

    /// A title alone; on an incident that has ended there is none to write.
    pub async fn title(&self, incident: &Incident, state: State) {
        let title = with_state(&incident.title, state, self.style.lang);
        let change = IncidentChange { title: Some(title), ..IncidentChange::default() };
        match self.platform.change(&incident.id, &change).await {
            Ok(_) | Err(PlatformError::AlreadyEnded { .. }) => {}
            Err(error) => self.count_failure(&incident.id, &error),
        }
    }

    /// The last note. Given up after a while: by then the page or the resolve has been made.
    pub async fn end_note(
        &self,
        story: &Story<'_>,
        end: &End,
        halt: &CancellationToken,
    ) -> Result<(), Untold> {
        let incident = &story.run.incident;
        let (note, marker) = (self.style.end_note(story, end), marker(story.run, Kind::End));
        let call = || self.platform.add_note(incident, &note, &marker);
        self.persist(incident, halt, NOTE_ROUNDS, call).await
    }

    /// One more note, about what was under way at the end.
    pub async fn late_note(
        &self,
        story: &Story<'_>,
        halt: &CancellationToken,
    ) -> Result<(), Untold> {
        let incident = &story.run.incident;
        let (note, marker) = (self.style.late_note(story), marker(story.run, Kind::Late));
        let call = || self.platform.add_note(incident, &note, &marker);
        self.persist(incident, halt, NOTE_ROUNDS, call).await
    }

    /// Is the note there already? After a take-over the first owner may have written it. Not asked for
    /// long: people may be waiting for their page behind it.
    pub async fn has_end_note(
        &self,
        story: &Story<'_>,
        rounds: usize,
        halt: &CancellationToken,
    ) -> Result<bool, Untold> {
        let incident = &story.run.incident;
        let marker = marker(story.run, Kind::End);
        let notes = self.persist(incident, halt, rounds, || self.platform.notes(incident));
        Ok(notes.await?.iter().any(|note| note.content.trim_end().ends_with(&marker)))
    }

    /// Tries until it works, is refused, `rounds` are over or the process stops.
    pub async fn persist<T, F>(
        &self,
        incident: &IncidentId,
        halt: &CancellationToken,
        rounds: usize,
        call: impl Fn() -> F,
    ) -> Result<T, Untold>
    where
        F: Future<Output = Result<T, PlatformError>>,
    {
        let pauses = ExponentialBuilder::default()
            .with_min_delay(FIRST_PAUSE)
            .with_max_delay(LONGEST_PAUSE)
            .with_jitter()
            .without_max_times()
            .build();
        for (round, pause) in (1..).zip(pauses) {
            let error = match call().await {
                Ok(value) => return Ok(value),
                Err(PlatformError::NotOurs(refusal)) => return Err(Untold::Lost(refusal)),
                Err(error) => error,
            };
            if !error.is_passing() || round >= rounds {
                if !matches!(error, PlatformError::AlreadyEnded { .. }) {
                    self.count_failure(incident, &error);
                }
                return Err(Untold::Failed(error));
            }
            self.count_failure(incident, &error);
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = halt.cancelled() => return Err(Untold::Halted),
            }
        }
        Err(Untold::Halted)
    }

    pub fn count_failure(&self, incident: &IncidentId, error: &PlatformError) {
        if let PlatformError::NotOurs(refusal) = error {
            tracing::debug!(incident.id = %incident, "not written to PagerDuty: {refusal}");
            return;
        }
        self.metrics.report_failures.inc();
        self.metrics.measures.failed("pagerduty", error.class());
        tracing::warn!(
            incident.id = %incident, %error,
            "incident {incident} could not be written to in PagerDuty",
        );
    }
}
