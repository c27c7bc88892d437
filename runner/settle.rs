//! What was still on its way to PagerDuty when a run ended: it may take effect after the end.

use std::time::Duration;

use crate::begun::Begun;
use crate::claim::protocol::Refusal;
use crate::execute::end::End;
use crate::incident::{Incident, Outcome, Status, Urgency};
use crate::limits;
use crate::paging::Acknowledge;
use crate::pipeline::Pipeline;
use crate::report::IncidentChange;
use crate::report::reporter::Untold;
use crate::report::title::{State, with_state};
use crate::respond::{Left, in_time};
use crate::tell::HandOffPlaces;

impl Pipeline {
    /// A start that was told late, by us or by the owner before us, may have overtaken the end on its
    /// way. Looks until it must have arrived, and sets right what it has changed: the title, the
    /// urgency, and an acknowledgement of ours above all, with which nobody would be paged any more.
    pub(crate) async fn settle_start(&self, begun: &mut Begun, end: &End) -> Result<(), Left> {
        let acknowledges = begun.reporter.acknowledge != Acknowledge::Never;
        let state = match end.outcome() {
            Outcome::HandedOff | Outcome::Escalated => Some(State::HandedOff),
            Outcome::StoodDown => Some(State::StoodDown),
            _ => None,
        };
        // Without an acknowledgement a late start changes nothing of an incident that has ended.
        if !begun.start_under_way || (state.is_none() && !acknowledges) {
            return Ok(());
        }
        for pause in [Duration::ZERO, limits::REQUEST_ARRIVES] {
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                () = begun.place.halt.cancelled() => return Err(Left::Halted),
            }
            let Ok(now) = self.reporter.platform.incident(&begun.incident.id).await else {
                continue;
            };
            if now.is_with_us_alone(&self.bot_user) {
                self.take_back(begun, now, end).await?;
            } else if let (Some(state), false) = (state, now.status == Status::Resolved) {
                self.set_right(begun, &now, state).await;
            }
        }
        Ok(())
    }

    async fn set_right(&self, begun: &Begun, now: &Incident, state: State) {
        if now.title != with_state(&now.title, state, self.reporter.style.lang) {
            begun.reporter.title(now, state).await;
        }
        if begun.paged.is_some() && now.urgency == Urgency::Low {
            let high = IncidentChange { urgency: Some(Urgency::High), ..IncidentChange::default() };
            if let Err(error) = begun.reporter.platform.change(&now.id, &high).await {
                begun.reporter.count_failure(&now.id, &error);
            }
        }
    }

    /// The end once more, as far as the late acknowledgement has undone it.
    async fn take_back(&self, begun: &mut Begun, now: Incident, end: &End) -> Result<(), Left> {
        begun.incident = now;
        match end.outcome() {
            Outcome::Resolved | Outcome::RecoveredItself => {
                let story = self.story(begun);
                let (reporter, halt) = (&begun.reporter, &begun.place.halt);
                match reporter.resolve(&begun.incident, &story, end, halt).await {
                    Ok(_) | Err(Untold::Failed(_)) => Ok(()),
                    Err(untold) => untold_or_a_persons(untold.into()),
                }
            }
            Outcome::HandedOff | Outcome::Escalated => {
                let places = HandOffPlaces::of(begun);
                let hand_off = places.hand_off(self);
                let level = in_time(hand_off.find_level(&begun.incident)).await;
                let level = level.unwrap_or(Ok(None))?;
                self.give(begun, &hand_off, level).await.or_else(untold_or_a_persons)
            }
            _ => self.give_back(begun).await,
        }
    }
}

/// A person who has the incident by now is what was wanted.
fn untold_or_a_persons(left: Left) -> Result<(), Left> {
    match left {
        Left::Lost(Refusal::StandDown { .. }) => Ok(()),
        left => Err(left),
    }
}
