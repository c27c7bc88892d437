//! What happens: a process does something, something happens to a process, a late request arrives.

use super::model::{ClaimModel, Effect};
use super::planted::Planted;
use super::state::{
    Ask, Epoch, How, Item, Job, Life, Luck, Moment, Note, Opening, Phase, Request, Rule, Token,
    insert,
};
use super::store::{Answer, Stand, apply, standing};

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Act {
    Does(usize, Deed, Luck),
    Suffers(usize, Fate),
    /// A late request, by its place among them.
    Arrives(usize),
    /// A person allows what was asked last.
    Allows,
}

/// A number is the place of a job in its process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Deed {
    Claim(Opening),
    RetryClaim,
    /// PagerDuty gets a 503.
    GiveUpClaim,
    StandDown,
    TakeOver,
    RetryTakeOver,
    GiveUpTakeOver,
    /// Passes an answer of a person's on.
    Answer,
    AskPeople(usize),
    /// Looks whether somebody has answered.
    Hear(usize),
    /// Nobody has, in time.
    Expire(usize),
    Intend(usize),
    GiveUpIntent(usize),
    Start(usize),
    Done(usize),
    AskHost(usize),
    GiveUpAdopting(usize),
    Close(usize),
    Finish(usize),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Fate {
    Crash,
    /// SIGTERM: what it carries is released.
    Stop,
    Restart,
    Pause,
    Cut,
    Recover,
}

impl Act {
    pub(super) fn is_no_fault(&self) -> bool {
        matches!(
            self,
            Self::Does(_, _, Luck::Answered)
                | Self::Suffers(_, Fate::Recover)
                | Self::Arrives(_)
                | Self::Allows
        )
    }
}

impl Deed {
    pub(super) const fn asks_the_store(self) -> bool {
        matches!(
            self,
            Self::Claim(_)
                | Self::RetryClaim
                | Self::StandDown
                | Self::TakeOver
                | Self::RetryTakeOver
                | Self::Answer
                | Self::AskPeople(_)
                | Self::Intend(_)
                | Self::Done(_)
                | Self::Close(_)
                | Self::Finish(_)
        )
    }
}

impl ClaimModel {
    /// `None` where the act is not possible after all.
    pub(super) fn step(&self, moment: &mut Moment, act: Act) -> Option<()> {
        match act {
            Act::Does(who, deed, luck) => self.does(moment, who, deed, luck),
            Act::Suffers(who, fate) => {
                self.suffers(moment, who, fate);
                Some(())
            }
            Act::Allows => moment.allow(),
            Act::Arrives(place) => {
                let request = moment.late.remove(place);
                self.judged(moment, &request, true);
                Some(())
            }
        }
    }

    fn does(&self, moment: &mut Moment, who: usize, deed: Deed, luck: Luck) -> Option<()> {
        match deed {
            Deed::Claim(opening) => self.claim(moment, who, opening, luck),
            Deed::RetryClaim => {
                let claim = moment.runners[who].door?;
                self.ask_claim(moment, who, claim, luck);
            }
            Deed::GiveUpClaim => self.give_up_claim(moment, who),
            Deed::StandDown => {
                moment.mail[who].taken -= 1;
                if self.send(moment, who, Ask::StandDown, luck).is_none() {
                    moment.mail[who].taken += 1;
                }
            }
            Deed::Answer => self.pass_on(moment, who, luck),
            Deed::TakeOver => {
                let item = moment.item.as_ref()?;
                let (owner, epoch) = (item.owner, item.epoch);
                let token = token(moment, who, 1);
                self.take_over(moment, who, (owner, epoch, token), luck);
            }
            Deed::RetryTakeOver => {
                let seen = moment.runners[who].sweep?;
                let epoch = moment.epoch();
                self.take_over(moment, who, seen, luck);
                // What was seen may be old by now.
                if moment.epoch() != epoch {
                    insert(&mut moment.observed.taken_late, seen.1);
                }
            }
            Deed::GiveUpTakeOver => {
                moment.runners[who].sweep = None;
                moment.runners[who].tokens += 1;
            }
            _ => self.does_in_run(moment, who, deed, luck),
        }
        Some(())
    }

    fn claim(&self, moment: &mut Moment, who: usize, opening: Opening, luck: Luck) {
        let mail = &mut moment.mail[who];
        match opening {
            Opening::Triggered => mail.triggered -= 1,
            Opening::Reopened => mail.reopened -= 1,
        }
        let token = token(moment, who, 0);
        self.ask_claim(moment, who, (opening, token), luck);
    }

    fn ask_claim(&self, moment: &mut Moment, who: usize, claim: (Opening, Token), luck: Luck) {
        let (opening, token) = claim;
        moment.runners[who].door = None;
        match self.send(moment, who, Ask::Claim { opening, token }, luck) {
            Some(Answer::Yes) => self.carry(moment, who),
            Some(Answer::StillOpen) => {
                // To be delivered again. That the run before is asked to stand down is no other wish
                // than a person's, which may come at any moment anyway.
                self.answer_503(moment, who, opening);
                moment.runners[who].tokens += u8::from(luck != Luck::Answered);
            }
            Some(_) => {
                let item = moment.item.as_ref();
                if item.is_some_and(|item| item.token == token && item.outcome.is_none()) {
                    moment.observed.broken.add(Rule::WinnerIsTold);
                }
            }
            None => moment.runners[who].door = Some(claim),
        }
    }

    fn give_up_claim(&self, moment: &mut Moment, who: usize) {
        let Some((opening, _)) = moment.runners[who].door.take() else { return };
        moment.runners[who].tokens += 1;
        self.answer_503(moment, who, opening);
    }

    /// PagerDuty delivers again.
    fn answer_503(&self, moment: &mut Moment, who: usize, opening: Opening) {
        let mail = &mut moment.mail[who];
        match opening {
            _ if self.has(Planted::NoRedelivery) => {}
            Opening::Triggered => mail.triggered += 1,
            Opening::Reopened => mail.reopened += 1,
        }
    }

    fn take_over(&self, moment: &mut Moment, who: usize, seen: (Epoch, u8, Token), luck: Luck) {
        let (seen_owner, seen_epoch, token) = seen;
        moment.runners[who].sweep = None;
        match self.send(moment, who, Ask::TakeOver { seen_owner, seen_epoch, token }, luck) {
            Some(Answer::Yes) => self.carry(moment, who),
            Some(_) => {}
            None => moment.runners[who].sweep = Some(seen),
        }
    }

    /// The item is this process's: it carries the run out from where the journal stands.
    fn carry(&self, moment: &mut Moment, who: usize) {
        moment.runners[who].tokens += 1;
        let Some(Item { run, epoch, notes, .. }) =
            moment.item.clone().filter(|item| item.outcome.is_none())
        else {
            return;
        };
        let phase = match standing(&notes) {
            Stand::Between => Phase::Next,
            Stand::Closing(_) if self.has(Planted::ClosingForgotten) => Phase::Next,
            Stand::Closing(how) => Phase::Told(how),
            Stand::InDoubt(_) if self.has(Planted::DoubtRepeated) => Phase::Next,
            Stand::InDoubt(nonce) => match self.effect {
                Effect::Idempotent => Phase::Next,
                Effect::Once => Phase::Ending(How::Unknown),
                Effect::OnceMarked => Phase::Asking(nonce),
            },
        };
        let runner = &mut moment.runners[who];
        if runner.jobs.iter().any(|job| job.epoch == epoch) {
            moment.observed.broken.add(Rule::OneOwner);
        }
        runner.jobs.push(Job { run, epoch, notes, phase, stood_still: false, allowed: false });
    }

    /// Sends a request, and answers with what the sender hears, if anything.
    pub(super) fn send(
        &self,
        moment: &mut Moment,
        who: usize,
        ask: Ask,
        luck: Luck,
    ) -> Option<Answer> {
        let request = Request { from: moment.runners[who].name, ask };
        if luck != Luck::Answered {
            moment.faults.messages -= 1;
        }
        let answer = match luck {
            Luck::Answered | Luck::AnswerLost | Luck::Doubled => {
                Some(self.judged(moment, &request, false))
            }
            Luck::RequestLost | Luck::Late => None,
        };
        if matches!(luck, Luck::Late | Luck::Doubled) {
            moment.late.push(request);
            moment.late.sort();
        }
        answer.filter(|_| luck != Luck::AnswerLost)
    }

    /// What the store would say. A read that fails in whatever way is a read without answer.
    pub(super) fn look(
        &self,
        moment: &mut Moment,
        who: usize,
        ask: Ask,
        luck: Luck,
    ) -> Option<Answer> {
        if luck != Luck::Answered {
            moment.faults.messages -= 1;
            return None;
        }
        let request = Request { from: moment.runners[who].name, ask };
        Some(apply(moment.item.as_ref(), &request, self.planted).1)
    }

    fn judged(&self, moment: &mut Moment, request: &Request, late: bool) -> Answer {
        let (after, answer) = apply(moment.item.as_ref(), request, self.planted);
        if after != moment.item {
            let before = std::mem::replace(&mut moment.item, after);
            moment.written(before.as_ref(), request, late);
        }
        answer
    }

    fn suffers(&self, moment: &mut Moment, who: usize, fate: Fate) {
        match fate {
            Fate::Crash => {
                moment.faults.crashes -= 1;
                self.end_process(moment, who);
            }
            Fate::Stop => {
                moment.faults.crashes -= 1;
                for job in moment.runners[who].jobs.clone() {
                    self.send(moment, who, Ask::Release { epoch: job.epoch }, Luck::Answered);
                }
                self.end_process(moment, who);
            }
            Fate::Restart => {
                moment.faults.restarts -= 1;
                moment.runners[who].life = Life::Up;
                moment.runners[who].name += 2;
            }
            Fate::Pause | Fate::Cut => {
                moment.faults.stalls -= 1;
                let runner = &mut moment.runners[who];
                runner.life = if fate == Fate::Pause { Life::Paused } else { Life::Cut };
                for job in &mut runner.jobs {
                    let about_to_start = matches!(job.phase, Phase::MayStart(_));
                    job.stood_still |= fate == Fate::Pause && about_to_start;
                }
            }
            Fate::Recover => moment.runners[who].life = Life::Up,
        }
    }

    fn end_process(&self, moment: &mut Moment, who: usize) {
        // The connection breaks, so the webhook is delivered again.
        self.give_up_claim(moment, who);
        let runner = &mut moment.runners[who];
        runner.life = Life::Down;
        runner.tokens = 0;
        runner.sweep = None;
        runner.jobs.clear();
    }

    /// The first step without a result.
    pub(super) fn next_step(&self, job: &Job) -> Option<u8> {
        (0..self.steps).find(|step| !job.notes.contains(&Note::Done(*step)))
    }
}

/// Of a claim (0) or a take-over (1), which may be under way side by side.
fn token(moment: &Moment, who: usize, kind: u8) -> Token {
    let runner = &moment.runners[who];
    Token { by: runner.name, number: 2 * runner.tokens + kind }
}
