//! Paging people for a run, once in the world: this region, the next one, then the last resort.

use crate::begun::Begun;
use std::sync::Arc;

use crate::claim::hold::Permission;
use crate::claim::journal::Entry;
use crate::claim::protocol::Refusal;
use crate::handoff::HandOff;
use crate::handoff::last_resort::About;
use crate::incident::{Incident, Status, Urgency};
use crate::limits;
use crate::pipeline::Pipeline;
use crate::report::reporter::Untold;
use crate::report::title::State;
use crate::report::{Way, text};
use crate::respond::{LOOK_ROUNDS, Left};

impl Pipeline {
    /// Returns when people were paged or told another way, or need not be. Fails where another region
    /// is to go on, or a person has the incident.
    pub(crate) async fn page(
        &self,
        begun: &mut Begun,
        hand_off: &HandOff<'_>,
        level: Option<u32>,
    ) -> Result<(), Left> {
        if let Some(way) = begun.journal.last_resort() {
            told_otherwise(begun, Way::LastResort(way.to_owned()));
            return Ok(());
        }
        let me = self.claims().owner().clone();
        let mut is_first = begun.journal.not_paged().next().is_none();
        // Nobody else took the run, and all ways were tried here a moment ago.
        let is_back = begun.journal.not_paged().any(|owner| *owner == me);
        let mut tries = !is_back || hand_off.paging.last_resorts.is_empty();
        loop {
            if tries {
                match hand_off.page(&begun.incident, &self.story(begun), level).await {
                    Ok(way) => {
                        begun.paged = way;
                        return Ok(());
                    }
                    Err(Untold::Failed(error)) => {
                        self.metrics.escalation_failures.inc();
                        tracing::error!(
                            incident.id = %begun.incident.id, %error,
                            "PagerDuty lets region {} page nobody for incident {}",
                            self.region, begun.incident.id,
                        );
                    }
                    Err(untold) => return Err(untold.into()),
                }
                if is_first && self.another_lives().await {
                    self.leave_to_another(begun).await?;
                }
                is_first = false;
            }
            if let Some(stand_down) = begun.place.stand_down.borrow().clone() {
                let run = begun.claim().run().clone();
                return Err(Left::Lost(Refusal::StandDown { run, stand_down }));
            }
            if let Some(way) = self.alarm(begun, hand_off).await.map_err(Left::Lost)? {
                self.record_last_resort(begun, &way).await?;
                // Whoever opens the incident sees at once whose it is.
                begun.reporter.title(&begun.incident, State::HandedOff).await;
                told_otherwise(begun, way);
                return Ok(());
            }
            tracing::error!(
                incident.id = %begun.incident.id,
                "nobody knows of incident {}; trying again every {} s. Look at it yourself",
                begun.incident.id, limits::PAGE_AGAIN.as_secs(),
            );
            tokio::select! {
                () = tokio::time::sleep(limits::PAGE_AGAIN) => {}
                () = begun.place.halt.cancelled() => return Err(Left::Halted),
            }
            tries = true;
        }
    }

    /// The owner before us has paged: PagerDuty's log says that AMS gave the incident to somebody since
    /// the end was recorded, and people have it. That nobody was paged is the safer answer.
    pub(crate) async fn was_paged(&self, begun: &Begun) -> Result<bool, Left> {
        let Incident { id, status, urgency, assignees, .. } = &begun.incident;
        let has_people = assignees.iter().any(|user| *user != self.bot_user);
        let shows = *status == Status::Triggered && *urgency == Urgency::High && has_people;
        let closed = begun.journal.entries().iter().find_map(|entry| match entry {
            Entry::Closing { at, .. } => Some(*at),
            _ => None,
        });
        let Some(at) = closed.filter(|_| begun.taken_over && shows) else { return Ok(false) };
        let (platform, bot) = (&begun.reporter.platform, &self.bot_user);
        let call = || platform.handed_over_since(id, bot, at - limits::CLOCKS_DIFFER);
        match begun.reporter.persist(id, &begun.place.halt, LOOK_ROUNDS, call).await {
            Ok(was) => Ok(was),
            Err(Untold::Failed(_)) => Ok(false),
            Err(untold) => Err(untold.into()),
        }
    }

    /// Does another process show a sign of life now? A look at its heartbeat, and another one after it
    /// must have moved. Alone, this one goes on at once and with all that it has seen.
    async fn another_lives(&self) -> bool {
        let (store, me) = (self.claims().store(), self.claims().owner());
        let Ok(before) = store.heartbeats().await else { return false };
        tokio::time::sleep(self.executor.pulse.terms().beat_every * 3).await;
        let Ok(after) = store.heartbeats().await else { return false };
        after.iter().any(|beat| beat.0 != *me && !before.contains(beat))
    }

    /// Gives the run up, with a mark so that it does not go from region to region for ever. A store
    /// that does not take the mark leaves it here.
    async fn leave_to_another(&self, begun: &mut Begun) -> Result<(), Left> {
        let (by, at) = (self.claims().owner().clone(), self.executor.clock.now());
        let journal = begun.journal.with(Entry::NotPaged { by, at });
        match self.claims().done(begun.claim(), &journal).await {
            Ok(Ok(())) => {
                begun.journal = journal;
                Err(Left::ForAnother)
            }
            Ok(Err(refusal)) => Err(Left::Lost(refusal)),
            Err(error) => {
                self.metrics.store_errors.inc();
                let run = begun.claim().run();
                tracing::warn!(%run, %error, "run {run} is not given to another region");
                Ok(())
            }
        }
    }

    async fn alarm(&self, begun: &Begun, hand_off: &HandOff<'_>) -> Result<Option<Way>, Refusal> {
        let style = &begun.reporter.style;
        let about = About {
            run: begun.claim().run(),
            incident: &begun.incident,
            customer: begun.customer.as_ref().map(|it| it.name.as_str()),
            region: self.region.as_str(),
            scenario: &begun.scenario.id,
            lang: style.lang,
            mask: &style.mask,
        };
        let permission = Permission { hold: Arc::clone(&begun.hold), consent: true, concern: None };
        hand_off.alarm(&about, &permission).await
    }

    /// So that a later owner tells nobody again. It happened: a store that does not answer changes
    /// nothing, and the way itself knows the run's key.
    async fn record_last_resort(&self, begun: &mut Begun, way: &Way) -> Result<(), Left> {
        let Way::LastResort(way) = way else { return Ok(()) };
        let (way, at) = (way.clone(), self.executor.clock.now());
        let journal = begun.journal.with(Entry::LastResort { way, at });
        let recorded = self.claims().done(begun.claim(), &journal).await;
        begun.journal = journal;
        match recorded {
            Ok(Ok(())) => Ok(()),
            Ok(Err(refusal)) => Err(Left::Lost(refusal)),
            Err(error) => {
                self.metrics.store_errors.inc();
                let run = begun.claim().run();
                tracing::warn!(%run, %error, "the last resort of run {run} is not recorded");
                Ok(())
            }
        }
    }
}

/// The note says how people were told, behind what the author says.
fn told_otherwise(begun: &mut Begun, way: Way) {
    if let Way::LastResort(word) = &way {
        let said = text::by_last_resort(begun.reporter.style.lang, word);
        let message = begun.told.message.take();
        begun.told.message =
            Some(message.map_or_else(|| said.clone(), |message| format!("{message}\n{said}")));
    }
    begun.paged = Some(way);
}
