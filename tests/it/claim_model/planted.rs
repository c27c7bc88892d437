//! Bugs on purpose: each takes away one condition of the protocol or one rule of the runner.

use ams::claim::journal::Journal;
use ams::claim::protocol::{ClaimToken, Event, Opening, RunItem};

/// One condition less.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Planted {
    // In the store: what `judge` is asked is bent so that one condition of it cannot fail.
    OwnerIgnored,
    EpochIgnored,
    OwnerAndEpochIgnored,
    EpochIgnoredAtTakeOver,
    StandDownIgnored,
    TokenIgnored,
    EndIgnored,
    ClaimOfOpenRun,
    SameEpochAtTakeOver,
    EpochFromOneAtReopening,
    EveryOpeningIsLater,
    LateRecordOverwrites,
    HeardForgotten,
    // In the runner.
    AnswerNotAwaited,
    AskedAgain,
    EffectWithoutIntent,
    RefusalIgnored,
    DoubtRepeated,
    ClosingForgotten,
    NoSelfFencing,
    TakeOverOfTheLiving,
    NoRedelivery,
    StraysLeft,
    StraysLeftAndTokenIgnored,
    MarkerLookedAtOnly,
}

impl Planted {
    /// Bends what `judge` will see, so that the condition cannot fail.
    pub(super) fn before_judge(self, item: &mut Option<RunItem>, event: &mut Event) {
        let Some(found) = item else { return };
        match self {
            Self::OwnerIgnored => take_owner(found, event),
            Self::EpochIgnored => take_epoch(found, event),
            Self::OwnerAndEpochIgnored => {
                take_owner(found, event);
                take_epoch(found, event);
            }
            Self::EpochIgnoredAtTakeOver => {
                if let Event::TakeOver { seen_epoch, .. } = event {
                    *seen_epoch = found.epoch;
                }
            }
            Self::StandDownIgnored => {
                if let Event::Record { consent, .. } = event {
                    *consent = false;
                }
            }
            Self::TokenIgnored | Self::StraysLeftAndTokenIgnored => {
                if matches!(event, Event::Claim { .. } | Event::TakeOver { .. }) {
                    found.token = ClaimToken::from_text("nobody's");
                }
            }
            Self::EndIgnored if !matches!(event, Event::Claim { .. }) => found.outcome = None,
            Self::ClaimOfOpenRun
                if matches!(event, Event::Claim { .. }) && found.outcome.is_none() =>
            {
                *item = None;
            }
            Self::EveryOpeningIsLater => {
                if let Event::Claim { opening, .. } = event {
                    found.opening = Opening::Triggered;
                    *opening = Opening::Reopened { at: super::store::REOPENED_AT.to_owned() };
                }
            }
            Self::LateRecordOverwrites => {
                if matches!(event, Event::Record { .. }) {
                    found.journal = Journal::default();
                }
            }
            _ => {}
        }
    }

    /// Bends what `judge` wrote over an item that had this epoch.
    pub(super) fn after_judge(self, before: u8, event: &Event, item: &mut RunItem) {
        match (self, event) {
            (Self::SameEpochAtTakeOver, Event::TakeOver { .. }) => item.epoch = before.into(),
            (Self::HeardForgotten, Event::Record { .. }) => item.answers.heard = None,
            (Self::EpochFromOneAtReopening, Event::Claim { .. }) => item.epoch = 1,
            _ => {}
        }
    }
}

fn take_owner(item: &RunItem, event: &mut Event) {
    match event {
        Event::Record { owner, .. }
        | Event::Release { owner, .. }
        | Event::Finish { owner, .. } => {
            *owner = item.owner.clone();
        }
        Event::TakeOver { seen_owner, .. } => *seen_owner = item.owner.clone(),
        Event::Claim { .. } | Event::StandDown { .. } | Event::Answer(_) => {}
    }
}

fn take_epoch(item: &RunItem, event: &mut Event) {
    match event {
        Event::Record { epoch, .. }
        | Event::Release { epoch, .. }
        | Event::Finish { epoch, .. } => {
            *epoch = item.epoch;
        }
        Event::Claim { .. }
        | Event::TakeOver { .. }
        | Event::StandDown { .. }
        | Event::Answer(_) => {}
    }
}
