//! Telling people how a run ends: resolve, hand off, or say that it stood down.

use std::path::PathBuf;
use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tracing::Instrument as _;

use crate::begun::Begun;
use crate::claim::journal::{Entry, Standing};
use crate::claim::protocol::{Refusal, StandDown};
use crate::customer::Customer;
use crate::execute::end::{End, Told};
use crate::execute::run::told;
use crate::handoff::HandOff;
use crate::incident::Outcome;
use crate::limits;
use crate::pipeline::Pipeline;
use crate::report::note::Story;
use crate::report::reporter::{Reporter, Untold};
use crate::report::text;
use crate::report::title::State;
use crate::respond::{LOOK_ROUNDS, Left, in_time};
use crate::scenario::value::Values;
use crate::spans;

/// Whose words and ways a hand-off goes by.
pub(crate) struct HandOffPlaces {
    reporter: Reporter,
    destination: Option<String>,
    customer: Option<Arc<Customer>>,
    halt: CancellationToken,
}

impl HandOffPlaces {
    pub(crate) fn of(begun: &Begun) -> Self {
        Self {
            reporter: begun.reporter.clone(),
            destination: begun.hand_off_policy(),
            customer: begun.customer.clone(),
            halt: begun.place.halt.clone(),
        }
    }

    pub(crate) fn hand_off<'a>(&'a self, pipeline: &'a Pipeline) -> HandOff<'a> {
        HandOff {
            reporter: &self.reporter,
            paging: &pipeline.paging,
            bot_user: &pipeline.bot_user,
            fallback: self.customer.as_ref().map(|customer| &customer.fallback),
            destination: self.destination.as_deref(),
            halt: &self.halt,
        }
    }
}

impl Pipeline {
    /// Resolves, hands off or says that it stood down; answers with the end as it was told.
    pub(crate) async fn tell(&self, begun: &mut Begun, end: End) -> Result<End, Left> {
        begun.in_doubt = begun.journal.in_doubt().into_iter().map(|it| it.step).collect();
        match end.outcome() {
            // Nobody is told more than this note: the incident is people's as before.
            Outcome::Shadowed | Outcome::Suspended => {
                self.record_closing(begun, &end, None, false).await?;
                self.give_back(begun).await?;
                let story = self.story(begun);
                self.end_note(&story, &end, begun).await?;
                Ok(end)
            }
            Outcome::Resolved | Outcome::RecoveredItself => self.tell_recovery(begun, end).await,
            Outcome::StoodDown => {
                begun.told.stakeholders = None;
                self.record_wish(begun, &end).await;
                self.record_closing(begun, &end, None, false).await?;
                self.give_back(begun).await?;
                let story = self.story(begun);
                begun.reporter.title(&begun.incident, State::StoodDown).await;
                self.end_note(&story, &end, begun).await?;
                Ok(end)
            }
            _ => self.tell_hand_off(begun, end).await,
        }
    }

    /// Where only AMS has acknowledged the incident, which goes on without it.
    pub(crate) async fn give_back(&self, begun: &Begun) -> Result<(), Left> {
        let Begun { reporter, incident, place, .. } = begun;
        match reporter.give_back(incident, &self.bot_user, &place.halt).await {
            Ok(()) | Err(Untold::Failed(_)) => Ok(()),
            Err(untold) => Err(untold.into()),
        }
    }

    /// What was found in PagerDuty and no webhook has brought: the store knows then, as after a webhook,
    /// why the run stood down. The reconciliation relies on it for a reopening.
    async fn record_wish(&self, begun: &Begun, end: &End) {
        let End::StoodDown(StandDown { reason, by, .. }) = end else { return };
        if begun.place.stand_down.borrow().is_some() {
            return;
        }
        let run = begun.claim().run();
        if let Err(error) = self.claims().stand_down_run(run, *reason, by.clone()).await {
            self.metrics.store_errors.inc();
            tracing::warn!(%run, %error, "why run {run} stands down is not recorded");
        }
    }

    async fn tell_recovery(&self, begun: &mut Begun, end: End) -> Result<End, Left> {
        // The owner before us came as far as that; whatever somebody wished since does not undo it.
        if begun.taken_over && self.is_resolved_by_us(&begun.incident) {
            self.tell_everywhere(begun, &end).await?;
            return Ok(end);
        }
        if let Some((end, told)) = self.others_open(begun).await? {
            begun.told = told;
            return Box::pin(self.tell_hand_off(begun, end)).await;
        }
        // A person who took over in the last moment keeps the incident.
        if let Some(stand_down) = self.objection(begun, &end).await? {
            return Box::pin(self.tell(begun, End::StoodDown(stand_down))).await;
        }
        let story = self.story(begun);
        match begun.reporter.resolve(&begun.incident, &story, &end, &begun.place.halt).await {
            Ok(by_us) => {
                self.was_told_now(begun);
                if !by_us {
                    // What AMS found and what monitoring says are two things: both are kept.
                    let id = &begun.incident.id;
                    begun.cleared = self.reporter.platform.resolution(id).await.ok().flatten();
                }
                self.tell_everywhere(begun, &end).await?;
                Ok(end)
            }
            Err(Untold::Lost(Refusal::StandDown { stand_down, .. })) => {
                Box::pin(self.tell(begun, End::StoodDown(stand_down))).await
            }
            Err(untold @ (Untold::Halted | Untold::Lost(_))) => Err(untold.into()),
            Err(Untold::Failed(error)) => {
                let what = text::not_resolved(begun.reporter.style.lang, &error);
                begun.told = Told::default();
                Box::pin(self.tell_hand_off(begun, End::Ours { what })).await
            }
        }
    }

    /// The wish to stand down that is in the way of a resolve. The ordinary ends are not recorded
    /// before they are told: who takes over at this point sees in PagerDuty that AMS resolved it, or
    /// looks once more.
    async fn objection(&self, begun: &mut Begun, end: &End) -> Result<Option<StandDown>, Left> {
        if !matches!(end, End::Verified | End::Healthy { .. }) {
            return self.record_closing(begun, end, None, true).await;
        }
        if let Some(stand_down) = begun.place.stand_down.borrow().clone() {
            return Ok(Some(stand_down));
        }
        match begun.hold.confirm().await {
            Ok(Ok(())) => Ok(None),
            Ok(Err(Refusal::StandDown { stand_down, .. })) => Ok(Some(stand_down)),
            Ok(Err(refusal)) => Err(Left::Lost(refusal)),
            Err(error) => {
                self.metrics.store_errors.inc();
                let run = begun.claim().run();
                tracing::error!(%error, "run {run} is resolved without a last look at its claim");
                Ok(None)
            }
        }
    }

    async fn tell_hand_off(&self, begun: &mut Begun, end: End) -> Result<End, Left> {
        // An end that was found after the steps, such as a resolve that PagerDuty refused, has only
        // the scenario's own words.
        if begun.told == Told::default() {
            begun.told = told(&begun.scenario, &end, &Values::default());
        }
        let places = HandOffPlaces::of(begun);
        let hand_off = places.hand_off(self);
        let level = match begun.journal.standing() {
            // The owner before us may have paged already: the same level, not one higher.
            Standing::Closing { escalate_to: Some(level), .. } => Some(level),
            _ => in_time(hand_off.find_level(&begun.incident)).await.unwrap_or(Ok(None))?,
        };
        self.record_closing(begun, &end, level, false).await?;
        let was_told = in_time(self.was_told(&self.story(begun), begun)).await;
        if was_told.unwrap_or(Ok(false))? {
            self.tell_everywhere(begun, &end).await?;
            return Ok(end);
        }
        let span = spans::hand_off(&begun.incident.id);
        match self.give(begun, &hand_off, level).instrument(span).await {
            Ok(()) => self.was_told_now(begun),
            // A person has it already: a page would take it away again.
            Err(Left::Lost(Refusal::StandDown { stand_down, .. })) => {
                return Box::pin(self.tell(begun, End::StoodDown(stand_down))).await;
            }
            Err(left) => return Err(left),
        }
        self.tell_everywhere(begun, &end).await?;
        Ok(end)
    }

    /// Gives the incident to people, unless an owner before us has done so.
    pub(crate) async fn give(
        &self,
        begun: &mut Begun,
        hand_off: &HandOff<'_>,
        level: Option<u32>,
    ) -> Result<(), Left> {
        if hand_off.leaves(&begun.incident, &begun.told).await? || self.was_paged(begun).await? {
            return Ok(());
        }
        self.page(begun, hand_off, level).await
    }

    /// A note of the owner before us proves that it had paged, since the page comes first.
    pub(crate) async fn was_told(&self, story: &Story<'_>, begun: &Begun) -> Result<bool, Left> {
        if !begun.taken_over {
            return Ok(false);
        }
        match begun.reporter.has_end_note(story, LOOK_ROUNDS, &begun.place.halt).await {
            Ok(told) => Ok(told),
            Err(Untold::Failed(_)) => Ok(false),
            Err(untold) => Err(untold.into()),
        }
    }

    /// The first time counts.
    fn was_told_now(&self, begun: &Begun) {
        begun.told_at.get_or_init(|| self.executor.clock.now());
    }

    /// A note that was given up is counted where it happened; only a halt stops the run here.
    pub(crate) async fn end_note(
        &self,
        story: &Story<'_>,
        end: &End,
        begun: &Begun,
    ) -> Result<(), Left> {
        if self.was_told(story, begun).await? {
            return Ok(());
        }
        // After the page: it waits a moment for files that are on their way to where they are kept.
        let kept = match begun.reporter.style.uncut_end_note(story, end) {
            Some(whole) => self.evidence.keep_note(story.run, &whole).await,
            None => None,
        };
        let files = begun.evidence().into_iter().chain(kept.clone()).collect();
        let places = self.evidence.places(files, limits::EVIDENCE_NOTE_WAIT).await;
        let here = |path: &PathBuf| format!("{}:{}", self.region, path.display());
        let whole = kept.map(|path| places.get(&path).cloned().unwrap_or_else(|| here(&path)));
        let story = &Story { places: &places, whole: whole.as_deref(), ..*story };
        match begun.reporter.end_note(story, end, &begun.place.halt).await {
            Ok(()) | Err(Untold::Failed(_)) => {}
            Err(untold) => return Err(untold.into()),
        }
        // After the note: where that is found after a take-over, they may have been told.
        begun.reporter.stakeholders(story, end).await;
        Ok(())
    }

    /// Records how the run ends before anybody is told. Answers with the wish to stand down where
    /// that is in the way. A store that does not answer is not: people are told all the same.
    async fn record_closing(
        &self,
        begun: &mut Begun,
        end: &End,
        escalate_to: Option<u32>,
        consent: bool,
    ) -> Result<Option<StandDown>, Left> {
        let is_recorded = matches!(
            begun.journal.standing(), Standing::Closing { reason, .. } if reason == end.reason()
        );
        if is_recorded && !consent {
            return Ok(None);
        }
        let at = self.executor.clock.now();
        if consent && let Some(stand_down) = begun.place.stand_down.borrow().clone() {
            return Ok(Some(stand_down));
        }
        let (outcome, reason) = (end.outcome(), end.reason());
        let closing = Entry::Closing { outcome, reason, escalate_to, at };
        let journal = begun.journal.with(closing);
        let claims = self.claims();
        let answer = if consent {
            claims.intend(begun.claim(), &journal).await
        } else {
            claims.done(begun.claim(), &journal).await
        };
        match answer {
            Ok(Ok(())) => begun.journal = journal,
            Ok(Err(Refusal::StandDown { stand_down, .. })) => return Ok(Some(stand_down)),
            Ok(Err(refusal)) => return Err(Left::Lost(refusal)),
            Err(error) => {
                self.metrics.store_errors.inc();
                let run = begun.claim().run();
                tracing::error!(%error, "run {run} is told to people without being recorded");
                // It may be recorded all the same; the next write carries it in any case.
                begun.journal = journal;
            }
        }
        Ok(None)
    }
}
