//! The world of the model: two regions, one incident, a store, and everything that may go wrong.

use stateright::{Model, Property};

use super::acts::{Act, Deed, Fate};
use super::people::Asks;
use super::planted::Planted;
use super::state::{
    Epoch, Faults, How, Life, Luck, Mail, Moment, Observed, Opening, Phase, Rule, Runner,
};

/// What is checked, and how much may go wrong in it.
#[derive(Clone, Debug)]
pub(super) struct ClaimModel {
    pub effect: Effect,
    /// People are asked before each recovery.
    pub asks: bool,
    /// Recoveries of the scenario, one after the other.
    pub steps: u8,
    pub mail: [Mail; 2],
    pub faults: Faults,
    pub planted: Option<Planted>,
    /// With a planted bug: the property that it should break.
    pub sought: Option<&'static str>,
}

/// What repeating the step would do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    Idempotent,
    Once,
    /// `once`, and the host takes a marker with each start.
    OnceMarked,
}

/// Planted bugs may take over for ever.
const EPOCHS: Epoch = 7;

impl ClaimModel {
    pub(super) fn has(&self, planted: Planted) -> bool {
        self.planted == Some(planted)
    }

    /// What is broken need not be looked at further; a planted bug may break several rules.
    fn is_found(&self, moment: &Moment) -> bool {
        let broken = moment.observed.broken;
        match self.sought {
            None => broken.any(),
            Some(sought) => RULES.iter().any(|(name, rule)| *name == sought && broken.has(*rule)),
        }
    }

    /// Nothing more happens by itself.
    fn is_quiet(&self, moment: &Moment) -> bool {
        let mut acts = Vec::new();
        self.actions(moment, &mut acts);
        acts.into_iter().filter(Act::is_no_fault).all(|act| self.next_state(moment, act).is_none())
    }

    /// A runner lives, nothing more happens, and the incident has no outcome.
    fn is_stuck(&self, moment: &Moment) -> bool {
        let lives = moment.runners.iter().any(|runner| runner.life != Life::Down);
        let over = moment.item.as_ref().is_some_and(|item| item.outcome.is_some());
        !self.is_found(moment) && lives && !over && self.is_quiet(moment)
    }

    fn faults(&self, moment: &Moment, who: usize, acts: &mut Vec<Act>) {
        let (Faults { crashes, stalls, restarts, .. }, runner) =
            (moment.faults, &moment.runners[who]);
        let mut may = |fate| acts.push(Act::Suffers(who, fate));
        if runner.life == Life::Down {
            if restarts > 0 {
                may(Fate::Restart);
            }
            return;
        }
        if crashes > 0 {
            may(Fate::Crash);
            if runner.life == Life::Up && !runner.jobs.is_empty() {
                may(Fate::Stop);
            }
        }
        if runner.life != Life::Up {
            may(Fate::Recover);
        } else if stalls > 0 {
            may(Fate::Pause);
            // The answer to an intent comes within the margin, so the start does too.
            let about_to_start =
                runner.jobs.iter().any(|job| matches!(job.phase, Phase::MayStart(_)));
            if !about_to_start || self.has(Planted::NoSelfFencing) {
                may(Fate::Cut);
            }
        }
    }

    fn deeds(&self, moment: &Moment, who: usize, deeds: &mut Vec<Deed>) {
        let (runner, mail) = (&moment.runners[who], moment.mail[who]);
        if moment.answers[who] != 0 {
            deeds.push(Deed::Answer);
        }
        if mail.taken > 0 {
            deeds.push(Deed::StandDown);
        }
        if runner.door.is_some() {
            deeds.extend([Deed::RetryClaim, Deed::GiveUpClaim]);
        } else {
            if mail.triggered > 0 {
                deeds.push(Deed::Claim(Opening::Triggered));
            }
            // PagerDuty reopens what was there before.
            if mail.reopened > 0 && moment.item.is_some() {
                deeds.push(Deed::Claim(Opening::Reopened));
            }
        }
        if runner.sweep.is_some() {
            deeds.extend([Deed::RetryTakeOver, Deed::GiveUpTakeOver]);
        } else if self.may_take_over(moment, who) {
            deeds.push(Deed::TakeOver);
        }
        for (index, job) in runner.jobs.iter().enumerate() {
            self.deeds_of_job(runner, index, job.phase, deeds);
        }
    }

    fn deeds_of_job(&self, runner: &Runner, job: usize, phase: Phase, deeds: &mut Vec<Deed>) {
        let pulse_is_good = runner.life == Life::Up || self.has(Planted::NoSelfFencing);
        match phase {
            Phase::Next if self.next_step(&runner.jobs[job]).is_none() => {
                deeds.push(Deed::Close(job));
            }
            Phase::Next if let Some(asks) = self.asks_about(&runner.jobs[job]) => {
                match asks {
                    Asks::Waits => deeds.push(Deed::Hear(job)),
                    Asks::Not if pulse_is_good => deeds.push(Deed::AskPeople(job)),
                    Asks::Not => {}
                }
                deeds.push(Deed::Expire(job));
            }
            Phase::Next if self.has(Planted::EffectWithoutIntent) => deeds.push(Deed::Start(job)),
            Phase::Next if pulse_is_good => deeds.push(Deed::Intend(job)),
            Phase::Next => {}
            Phase::Intending(_) => {
                if pulse_is_good {
                    deeds.push(Deed::Intend(job));
                }
                deeds.push(Deed::GiveUpIntent(job));
            }
            Phase::MayStart(_) => deeds.push(Deed::Start(job)),
            Phase::Running(_) => deeds.push(Deed::Done(job)),
            Phase::Asking(_) => deeds.extend([Deed::AskHost(job), Deed::GiveUpAdopting(job)]),
            Phase::Adopting(_) => deeds.extend([Deed::Done(job), Deed::GiveUpAdopting(job)]),
            Phase::Ending(_) => deeds.push(Deed::Close(job)),
            Phase::Told(_) => deeds.push(Deed::Finish(job)),
        }
    }

    /// The owner is gone as far as its heartbeat says, gave the run up, or is this process itself
    /// and does not know.
    fn may_take_over(&self, moment: &Moment, who: usize) -> bool {
        let runner = &moment.runners[who];
        let Some(item) = moment.item.as_ref().filter(|item| item.outcome.is_none()) else {
            return false;
        };
        if runner.life != Life::Up {
            return false;
        }
        if item.released {
            return true;
        }
        if item.owner == runner.name {
            // A claim under way ends before it is listed twice.
            let strays_left =
                self.has(Planted::StraysLeft) || self.has(Planted::StraysLeftAndTokenIgnored);
            let is_stray =
                runner.door.is_none() && runner.jobs.iter().all(|job| job.run != item.run);
            return is_stray && !strays_left;
        }
        let other = &moment.runners[1 - who];
        let seems_dead = other.name != item.owner || other.life != Life::Up;
        seems_dead || self.has(Planted::TakeOverOfTheLiving)
    }
}

impl Model for ClaimModel {
    type State = Moment;
    type Action = Act;

    fn init_states(&self) -> Vec<Moment> {
        let runner = |name| Runner {
            name,
            life: Life::Up,
            tokens: 0,
            door: None,
            sweep: None,
            jobs: Vec::new(),
        };
        vec![Moment {
            item: None,
            runners: [runner(0), runner(1)],
            late: Vec::new(),
            mail: self.mail,
            answers: [0; 2],
            faults: self.faults,
            markers: Vec::new(),
            observed: Observed { asks: self.asks, ..Observed::default() },
        }]
    }

    fn actions(&self, moment: &Moment, acts: &mut Vec<Act>) {
        if self.is_found(moment) {
            return;
        }
        let mut deeds = Vec::new();
        for who in 0..2 {
            self.faults(moment, who, acts);
            if !matches!(moment.runners[who].life, Life::Up | Life::Cut) {
                continue;
            }
            deeds.clear();
            self.deeds(moment, who, &mut deeds);
            for deed in &deeds {
                let may_fail = deed.asks_the_store() && moment.faults.messages > 0;
                let lucks = if may_fail { &Luck::ALL[..] } else { &Luck::ALL[..1] };
                acts.extend(lucks.iter().map(|luck| Act::Does(who, *deed, *luck)));
            }
        }
        acts.extend((0..moment.late.len()).map(Act::Arrives));
        acts.extend(moment.question().map(|_| Act::Allows));
    }

    fn next_state(&self, moment: &Moment, act: Act) -> Option<Moment> {
        let mut next = moment.clone();
        self.step(&mut next, act)?;
        (next != *moment).then_some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        let mut properties = vec![
            kept::<0>(),
            kept::<1>(),
            Property::always(OUTCOME, |model: &Self, moment: &Moment| !model.is_stuck(moment)),
            kept::<2>(),
            kept::<3>(),
            kept::<4>(),
            kept::<5>(),
            kept::<6>(),
            kept::<7>(),
            kept::<8>(),
            kept::<9>(),
        ];
        properties.extend([
            Property::sometimes(VERIFIED, |_, moment| ended(moment, How::Verified)),
            Property::sometimes(STOOD_DOWN, |_, moment| ended(moment, How::StoodDown)),
            Property::sometimes(UNKNOWN, |_, moment| ended(moment, How::Unknown)),
            Property::sometimes(NOT_BEGUN, |_, moment| ended(moment, How::NotBegun)),
        ]);
        properties
    }

    fn within_boundary(&self, moment: &Moment) -> bool {
        moment.item.as_ref().is_none_or(|item| item.epoch <= EPOCHS)
    }
}

fn kept<const PLACE: usize>() -> Property<ClaimModel> {
    let (name, _) = RULES[PLACE];
    Property::always(name, |_, moment: &Moment| !moment.observed.broken.has(RULES[PLACE].1))
}

fn ended(moment: &Moment, how: How) -> bool {
    moment.item.as_ref().is_some_and(|item| item.outcome == Some(how))
}

pub(super) const ONE_OWNER: &str = "one owner per epoch";
pub(super) const ONCE: &str = "once at most once";
pub(super) const OUTCOME: &str = "an outcome";
pub(super) const CONSENT: &str = "no start without consent";
pub(super) const ENDED: &str = "ended for good";
pub(super) const ABANDONED: &str = "abandoned for good";
pub(super) const CLOSED: &str = "closed for good";
pub(super) const LATE_START: &str = "no late start";
pub(super) const WINNER: &str = "the winner is told";

pub(super) const APPROVED: &str = "no start that nobody has allowed";
pub(super) const ASKED_ONCE: &str = "people are asked once";

const RULES: [(&str, Rule); 10] = [
    (ONE_OWNER, Rule::OneOwner),
    (ONCE, Rule::Once),
    (CONSENT, Rule::Consent),
    (ENDED, Rule::EndedForGood),
    (ABANDONED, Rule::AbandonedForGood),
    (CLOSED, Rule::ClosedForGood),
    (LATE_START, Rule::NoLateStart),
    (WINNER, Rule::WinnerIsTold),
    (APPROVED, Rule::Approved),
    (ASKED_ONCE, Rule::AskedOnce),
];

// That the model gets this far at all.
pub(super) const VERIFIED: &str = "some run is verified";
pub(super) const STOOD_DOWN: &str = "some run stands down";
pub(super) const UNKNOWN: &str = "some effect stays unknown";
pub(super) const NOT_BEGUN: &str = "some step is not begun";
