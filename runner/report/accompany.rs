//! What is told while a run goes on: its start, what its findings make of the incident, and, where
//! the author asks for it, how far it has come.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use crate::execute::so_far::SoFar;
use crate::incident::{Incident, Status};
use crate::limits;
use crate::report::note::{Kind, Story, marker};
use crate::report::reporter::Reporter;
use crate::report::title::{State, with_state};
use crate::report::{IncidentChange, PlatformError};
use crate::scenario::step::Severity;
use crate::spans;

/// What reaches whoever tells of a run.
pub struct Signs<'a> {
    /// The first change comes next.
    pub about_to_change: &'a Notify,
    pub so_far: watch::Receiver<SoFar>,
    pub ended: &'a CancellationToken,
}

/// The start note while it is kept up to date.
struct Running {
    every: Duration,
    next: Instant,
    /// PagerDuty's id, once it was read back.
    note: Option<String>,
    /// Steps that the note shows.
    shown: usize,
}

impl Reporter {
    /// Tells the start once it is due, and what follows until `ended`; returns at once when that comes
    /// first. What is under way then gets a moment to finish, so that the title's changes stay in
    /// order. `false`: that was not enough, and the title may still change after us.
    pub async fn accompany(
        &self,
        incident: &Incident,
        story: &Story<'_>,
        mut signs: Signs<'_>,
    ) -> bool {
        tokio::select! {
            () = signs.ended.cancelled() => return true,
            () = signs.about_to_change.notified() => {}
            () = tokio::time::sleep(limits::START_REPORT_AFTER) => {}
        }
        let ended = signs.ended;
        let (mut is_settled, mut told) = (true, Severity::default());
        if !self.thins() {
            told = signs.so_far.borrow_and_update().severity.clone();
            // One that still waits for its turn changes nothing any more.
            let sent = AtomicBool::new(false);
            let telling = self.tell_start(incident, story, &told, (ended, &sent));
            is_settled = tokio::select! {
                is_settled = telling.instrument(spans::report(&incident.id, "start")) => is_settled,
                () = async {
                    ended.cancelled().await;
                    if sent.load(Ordering::Relaxed) {
                        tokio::time::sleep(limits::START_REPORT_GRACE).await;
                    }
                } => return !sent.load(Ordering::Relaxed),
            };
        }
        tokio::select! {
            () = self.keep_telling(incident, story, told, &mut signs) => {}
            () = grace(ended) => is_settled = false,
        }
        is_settled
    }

    /// In a storm of alerts a run tells its end only, and what people must be woken for.
    fn thins(&self) -> bool {
        let thins = self.platform.is_storm();
        if thins {
            self.metrics.pagerduty.thinned.inc();
        }
        thins
    }

    /// `false`: the title may have been changed or not, or will be. `sent`: its change is on its way.
    async fn tell_start(
        &self,
        incident: &Incident,
        story: &Story<'_>,
        found: &Severity,
        (ended, sent): (&CancellationToken, &AtomicBool),
    ) -> bool {
        let title = with_state(&incident.title, State::Working, self.style.lang);
        let is_ours = self.may_acknowledge(incident).await;
        let status = is_ours.then_some(Status::Acknowledged);
        let change = IncidentChange { title: Some(title), status, ..of(found) };
        let titled = self.platform.change_or_drop(&incident.id, &change, sent).await;
        if let Err(error) = &titled {
            self.count_failure(&incident.id, error);
        }
        // After a take-over the first owner's start note stands; after the end it says nothing.
        if story.taken_over || ended.is_cancelled() || self.thins() {
            return titled.is_ok();
        }
        let (note, marker) = (self.style.start_note(story), marker(story.run, Kind::Start));
        if let Err(error) = self.platform.add_note(&incident.id, &note, &marker).await {
            self.count_failure(&incident.id, &error);
        }
        titled.is_ok()
    }

    /// Until the run has ended; what is under way then is carried out.
    async fn keep_telling(
        &self,
        incident: &Incident,
        story: &Story<'_>,
        mut told: Severity,
        signs: &mut Signs<'_>,
    ) {
        // What was found while nothing was told yet.
        signs.so_far.mark_changed();
        let mut running = story.scenario.progress.map(|every| Running {
            every,
            next: Instant::now() + every,
            note: None,
            shown: 0,
        });
        loop {
            let next = running.as_ref().map(|it| it.next);
            tokio::select! {
                biased;
                () = signs.ended.cancelled() => return,
                changed = signs.so_far.changed() => {
                    // The run's side is gone: the end comes next.
                    if changed.is_err() {
                        return signs.ended.cancelled().await;
                    }
                    let now = signs.so_far.borrow_and_update().severity.clone();
                    if now != told {
                        self.tell_severity(incident, &now).await;
                        told = now;
                    }
                }
                () = until(next) => {
                    let so_far = signs.so_far.borrow().clone();
                    if let Some(known) = running.take() {
                        running = self.tell_progress(story, &so_far, known).await;
                    }
                }
            }
        }
    }

    /// A finding that came after the start was told: a write more, because the author asks for it.
    async fn tell_severity(&self, incident: &Incident, found: &Severity) {
        match self.platform.change(&incident.id, &of(found)).await {
            Ok(_) | Err(PlatformError::AlreadyEnded { .. }) => {}
            Err(error) => self.count_failure(&incident.id, &error),
        }
    }

    /// Writes over the start note how far the run has come; one write, and none where nothing is new.
    /// `None`: there is no note to write over, and no other one is made for it.
    async fn tell_progress(
        &self,
        story: &Story<'_>,
        so_far: &SoFar,
        mut known: Running,
    ) -> Option<Running> {
        let incident = &story.run.incident;
        known.next = Instant::now() + known.every;
        if so_far.steps.len() == known.shown || self.platform.is_storm() {
            return Some(known);
        }
        if known.note.is_none() {
            match self.platform.notes(incident).await {
                Ok(notes) => {
                    let marker = marker(story.run, Kind::Start);
                    let ours = |text: &str| text.trim_end().ends_with(&marker);
                    let note = notes.into_iter().find(|note| ours(&note.content))?;
                    known.note = Some(note.id);
                }
                Err(error) => {
                    self.count_failure(incident, &error);
                    return Some(known);
                }
            }
        }
        let text = self.style.progress_note(story, &so_far.steps);
        match self.platform.edit_note(incident, known.note.as_deref()?, &text).await {
            Ok(()) => known.shown = so_far.steps.len(),
            // Somebody has deleted it, which says enough.
            Err(PlatformError::NotFound { .. } | PlatformError::NotOurs(_)) => return None,
            Err(error) => self.count_failure(incident, &error),
        }
        Some(known)
    }
}

fn of(found: &Severity) -> IncidentChange {
    let Severity { priority, urgency } = found.clone();
    IncidentChange { urgency, priority, ..IncidentChange::default() }
}

async fn grace(ended: &CancellationToken) {
    ended.cancelled().await;
    tokio::time::sleep(limits::START_REPORT_GRACE).await;
}

async fn until(at: Option<Instant>) {
    match at {
        Some(at) => tokio::time::sleep_until(at).await,
        None => std::future::pending().await,
    }
}
