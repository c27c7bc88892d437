//! Comparing what runs in shadow would have done with what became of their incidents.
//!
//! Beside the runs: nothing waits for it, and nothing fails with it.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio_util::sync::CancellationToken;

use crate::begun::Begun;
use crate::claim::protocol::{Refusal, StandDownReason};
use crate::execute::end::End;
use crate::history::HistoryError;
use crate::history::shadow::{NOTES, Resolved, ResolvedBy, Shadow};
use crate::incident::{IncidentId, Outcome, RunId};
use crate::pipeline::Pipeline;
use crate::report::title;
use crate::scenario::model::{Effect, Scenario};

/// How long a comparison is kept.
const KEPT: SignedDuration = SignedDuration::from_hours(24 * 400);

/// Incidents looked up in one round of the slow look; the others' turn is the next one's.
const LOOKS: usize = 50;

/// Months whose runs are looked after; an incident that is open for longer is nobody's comparison.
const MONTHS: i32 = 2;

impl Pipeline {
    /// Writes, without being waited for, what a run in shadow would have done.
    pub(crate) fn keep_shadow(self: &Arc<Self>, begun: &Begun, end: &End) {
        let End::Shadowed { step, would_end } = end else { return };
        let run = begun.claim().run();
        let masked = |text: &str| begun.reporter.style.mask.apply(text);
        let steps = match would_end {
            None => would(&begun.scenario, *step),
            Some(_) => Vec::new(),
        };
        let shadow = Shadow {
            version: 0,
            incident: run.incident.clone(),
            run: run.number,
            scenario: begun.scenario.id.clone(),
            customer: begun.customer.as_ref().map(|customer| customer.id.clone()),
            title: masked(title::original(&begun.incident.title)),
            would: steps.iter().map(|step| masked(step)).collect(),
            would_end: *would_end,
            opened_at: begun.claim().opened_at(),
            at: self.executor.clock.now(),
            resolved: None,
        };
        let pipeline = Arc::clone(self);
        tokio::spawn(async move { pipeline.write_shadow(&shadow).await });
    }

    /// An incident has ended whose run was over: if that was one in shadow, its comparison is
    /// completed, in whichever region hears of it.
    pub(crate) fn shadow_ended(
        self: &Arc<Self>,
        refusal: &Refusal,
        reason: StandDownReason,
        at: Option<Timestamp>,
    ) {
        let Refusal::Over { run, outcome: Outcome::Shadowed } = refusal else { return };
        let by = match reason {
            StandDownReason::ResolvedByPerson => ResolvedBy::Person,
            StandDownReason::ResolvedByMonitoring => ResolvedBy::Monitoring,
            StandDownReason::Merged => ResolvedBy::Merged,
            _ => return,
        };
        let (pipeline, run) = (Arc::clone(self), run.clone());
        let at = at.unwrap_or_else(|| self.executor.clock.now());
        tokio::spawn(async move {
            if let Err(error) = pipeline.complete(&run, by, at).await {
                tracing::debug!(%run, %error, "what run {run} is compared with is not kept yet");
            }
        });
    }

    async fn complete(
        &self,
        run: &RunId,
        by: ResolvedBy,
        at: Timestamp,
    ) -> Result<(), HistoryError> {
        let item = self.claims().store().read(&run.incident).await;
        let item = item.map_err(|error| HistoryError(error.to_string()))?;
        let Some(item) = item.filter(|item| item.run == *run) else { return Ok(()) };
        let shelf = Shadow::shelf(item.opened_at);
        let page = self.executor.history.read_page(&shelf, &run.to_string()).await?;
        if let Some(shadow) = page.and_then(|text| Shadow::of_text(&text)) {
            self.resolve_shadow(shadow, by, at).await;
        }
        Ok(())
    }

    async fn resolve_shadow(&self, shadow: Shadow, by: ResolvedBy, at: Timestamp) {
        if shadow.resolved.is_some() {
            return;
        }
        let notes = self.notes_of_people(&shadow.incident).await;
        let resolved = Some(Resolved { at, by, notes });
        self.write_shadow(&Shadow { resolved, ..shadow }).await;
    }

    /// The first ones that AMS has not written.
    async fn notes_of_people(&self, incident: &IncidentId) -> Vec<String> {
        let notes = self.reporter.platform.notes(incident).await.unwrap_or_default();
        let theirs = notes.into_iter().filter(|note| {
            note.by.as_ref() != Some(&self.bot_user) && !note.content.contains("[ams:")
        });
        theirs.take(NOTES).map(|note| self.reporter.style.mask.apply(&note.content)).collect()
    }

    async fn write_shadow(&self, shadow: &Shadow) {
        let run = shadow.name();
        let until = shadow.opened_at.saturating_add(KEPT).ok();
        let shelf = Shadow::shelf(shadow.opened_at);
        let kept = match shadow.to_text() {
            Ok(text) => {
                let put = self.executor.history.put_page(&shelf, &run, text, until).await;
                put.map_err(|error| error.to_string())
            }
            Err(error) => Err(error.to_string()),
        };
        if let Err(error) = kept {
            tracing::warn!(run, %error, "what run {run} is compared with is not kept");
        }
    }

    /// Incidents whose webhook was lost.
    async fn look_for_ended(&self) -> Result<(), HistoryError> {
        let mut open: Vec<Shadow> = Vec::new();
        for shelf in Shadow::shelves(self.executor.clock.now(), MONTHS) {
            let pages = self.executor.history.pages(&shelf).await?;
            let shadows = pages.iter().filter_map(|(_, text)| Shadow::of_text(text));
            open.extend(shadows.filter(|shadow| shadow.resolved.is_none()));
        }
        // The newest first: they are the most likely to have ended since.
        open.sort_by_key(|shadow| std::cmp::Reverse(shadow.opened_at));
        for shadow in open.into_iter().take(LOOKS) {
            match self.reporter.platform.resolution(&shadow.incident).await {
                Ok(Some(ended)) => {
                    let by =
                        if ended.by_person { ResolvedBy::Person } else { ResolvedBy::Monitoring };
                    self.resolve_shadow(shadow, by, ended.at).await;
                }
                Ok(None) => {}
                Err(error) => {
                    tracing::debug!(%error, "incident {} cannot be looked up", shadow.incident);
                }
            }
        }
        Ok(())
    }
}

/// Looks until cancelled for incidents of runs in shadow that have ended unheard.
pub async fn look_until(pipeline: Arc<Pipeline>, every: Duration, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(every) => {}
        }
        if let Err(error) = pipeline.look_for_ended().await {
            tracing::debug!(%error, "runs in shadow are not compared now");
        }
    }
}

/// The step that would have been next, and the changes behind it on the scenario's main way.
fn would(scenario: &Scenario, from: usize) -> Vec<String> {
    let always = scenario.always.first().map_or(usize::MAX, |step| step.number);
    let main: Vec<usize> = scenario.steps.iter().map(|step| step.number).collect();
    let steps = scenario.walk().into_iter().filter(|step| {
        let changes = step.kind.effect() != Effect::Read;
        let is_on_the_way = step.number == from || main.contains(&step.number);
        changes && step.number >= from && step.number < always && is_on_the_way
    });
    steps.map(|step| format!("{}. [{}] {}", step.number + 1, step.kind.word(), step.name)).collect()
}
