//! What a process does with a run it owns, as far as it believes: intent, effect, result, end.

use super::acts::Deed;
use super::model::{ClaimModel, Effect};
use super::planted::Planted;
use super::state::{
    Ask, Epoch, How, Job, Luck, Moment, Name, Nonce, Note, Notes, Observed, Phase, Rule, insert,
};
use super::store::Answer;

impl ClaimModel {
    pub(super) fn does_in_run(&self, moment: &mut Moment, who: usize, deed: Deed, luck: Luck) {
        match deed {
            Deed::AskPeople(job) => self.ask_people(moment, who, job, luck),
            Deed::Hear(job) => Self::hear(moment, who, job),
            Deed::Intend(job) => self.intend(moment, who, job, luck),
            Deed::GiveUpIntent(job) | Deed::Expire(job) => {
                set(moment, who, job, Phase::Ending(How::NotBegun));
            }
            Deed::Start(job) => self.start(moment, who, job),
            Deed::Done(job) => self.done(moment, who, job, luck),
            Deed::AskHost(job) => self.ask_host(moment, who, job),
            Deed::GiveUpAdopting(job) => set(moment, who, job, Phase::Ending(How::Unknown)),
            Deed::Close(job) => self.close(moment, who, job, luck),
            Deed::Finish(job) => self.finish(moment, who, job, luck),
            _ => unreachable!("{deed:?} is done by the process, not by a run"),
        }
    }

    fn intend(&self, moment: &mut Moment, who: usize, place: usize, luck: Luck) {
        let runner = &moment.runners[who];
        let job = &runner.jobs[place];
        let nonce = match job.phase {
            Phase::Intending(nonce) => nonce,
            _ => self.nonce(runner.name, job),
        };
        let notes = with(&job.notes, Note::Intent(nonce));
        let ask = Ask::Record { epoch: job.epoch, notes: notes.clone(), consent: true };
        let phase = match self.send(moment, who, ask, luck) {
            Some(Answer::Yes) => Phase::MayStart(nonce),
            Some(Answer::StandDown) => Phase::Ending(How::StoodDown),
            Some(_) if self.has(Planted::RefusalIgnored) => Phase::MayStart(nonce),
            Some(_) => return lose(moment, who, place),
            None => Phase::Intending(nonce),
        };
        if matches!(phase, Phase::MayStart(_)) {
            moment.runners[who].jobs[place].notes = notes;
        }
        set(moment, who, place, phase);
    }

    fn nonce(&self, by: Name, job: &Job) -> Nonce {
        Nonce { by, epoch: job.epoch, step: self.next_step(job).unwrap_or_default() }
    }

    fn start(&self, moment: &mut Moment, who: usize, place: usize) {
        let runner = &moment.runners[who];
        let job = runner.jobs[place].clone();
        let nonce = match job.phase {
            Phase::MayStart(nonce) => nonce,
            _ => self.nonce(runner.name, &job),
        };
        if self.effect == Effect::OnceMarked && moment.markers.contains(&nonce) {
            // The host refuses a second start of the same attempt.
            return set(moment, who, place, Phase::Ending(How::Unknown));
        }
        moment.starts(who, &job, nonce, self.effect != Effect::Idempotent);
        if self.effect == Effect::OnceMarked {
            insert(&mut moment.markers, nonce);
        }
        set(moment, who, place, Phase::Running(nonce));
        let job = &mut moment.runners[who].jobs[place];
        (job.stood_still, job.allowed) = (false, false);
    }

    /// The effect ended, and how it went is recorded; also by who found its result on the host.
    fn done(&self, moment: &mut Moment, who: usize, place: usize, luck: Luck) {
        let job = &mut moment.runners[who].jobs[place];
        let (Phase::Running(nonce) | Phase::Adopting(nonce)) = job.phase else { return };
        job.notes.push(Note::Done(nonce.step));
        let ask = Ask::Record { epoch: job.epoch, notes: job.notes.clone(), consent: false };
        match self.send(moment, who, ask, luck) {
            // It happened: the next write carries it too.
            Some(Answer::Yes) | None => set(moment, who, place, Phase::Next),
            Some(_) => lose(moment, who, place),
        }
    }

    /// Takes the marker: then the attempt has not started and never will. Where it is taken, it was
    /// started, or somebody kept it from starting in this way.
    fn ask_host(&self, moment: &mut Moment, who: usize, place: usize) {
        let Phase::Asking(nonce) = moment.runners[who].jobs[place].phase else { return };
        let is_fenced = moment.observed.abandoned.contains(&nonce);
        if moment.markers.contains(&nonce) && !is_fenced {
            return set(moment, who, place, Phase::Adopting(nonce));
        }
        if !self.has(Planted::MarkerLookedAtOnly) {
            insert(&mut moment.markers, nonce);
        }
        insert(&mut moment.observed.abandoned, nonce);
        set(moment, who, place, Phase::Next);
    }

    fn close(&self, moment: &mut Moment, who: usize, place: usize, luck: Luck) {
        let job = &moment.runners[who].jobs[place];
        let Phase::Ending(how) = job.phase else {
            return self.confirm(moment, who, place, luck);
        };
        let notes = with(&job.notes, Note::Closing(how));
        let ask = Ask::Record { epoch: job.epoch, notes: notes.clone(), consent: false };
        match self.send(moment, who, ask, luck) {
            Some(Answer::Yes) => moment.runners[who].jobs[place].notes = notes,
            Some(_) => return lose(moment, who, place),
            // People are told all the same.
            None => {}
        }
        set(moment, who, place, Phase::Told(how));
    }

    /// All is well: a last look whether a person has it meanwhile, without a write.
    fn confirm(&self, moment: &mut Moment, who: usize, place: usize, luck: Luck) {
        let epoch = moment.runners[who].jobs[place].epoch;
        let notes = moment.item.as_ref().map(|item| item.notes.clone()).unwrap_or_default();
        let ask = Ask::Record { epoch, notes, consent: true };
        let phase = match self.look(moment, who, ask, luck) {
            Some(Answer::Yes) | None => Phase::Told(How::Verified),
            Some(Answer::StandDown) => Phase::Ending(How::StoodDown),
            Some(_) => return lose(moment, who, place),
        };
        set(moment, who, place, phase);
    }

    fn finish(&self, moment: &mut Moment, who: usize, place: usize, luck: Luck) {
        let job = &moment.runners[who].jobs[place];
        let Phase::Told(how) = job.phase else { return };
        let ask = Ask::Finish { epoch: job.epoch, how, notes: job.notes.clone() };
        if self.send(moment, who, ask, luck).is_some() {
            lose(moment, who, place);
        }
    }
}

/// The run is no longer this process's, or it is over.
fn lose(moment: &mut Moment, who: usize, place: usize) {
    moment.runners[who].jobs.remove(place);
}

fn set(moment: &mut Moment, who: usize, place: usize, phase: Phase) {
    moment.runners[who].jobs[place].phase = phase;
}

fn with(notes: &Notes, note: Note) -> Notes {
    let mut notes = notes.clone();
    notes.push(note);
    notes
}

impl Observed {
    /// Somebody wrote or started something under this epoch.
    pub(super) fn acted(&mut self, epoch: Epoch, name: Name) {
        let place = usize::from(epoch);
        if self.actors.len() <= place {
            self.actors.resize(place + 1, None);
        }
        let actor = &mut self.actors[place];
        if actor.is_some_and(|it| it != name) {
            self.broken.add(Rule::OneOwner);
        }
        *actor = Some(name);
    }
}
