//! People are asked before an effect: the question, the answer in either region, and whoever waits.

use super::model::ClaimModel;
use super::planted::Planted;
use super::state::{Ask, How, Job, Luck, Moment, Note, Phase, insert};
use super::store::Answer;

impl ClaimModel {
    /// What a run may do next about the question before its next step; nothing where it is allowed.
    pub(super) fn asks_about(&self, job: &Job) -> Option<Asks> {
        let step = self.next_step(job)?;
        // What was announced before had been allowed.
        let announced =
            job.notes.iter().any(|it| matches!(it, Note::Intent(it) if it.step == step));
        if !self.asks || job.allowed || announced || self.has(Planted::AnswerNotAwaited) {
            return None;
        }
        let is_asked = job.notes.contains(&Note::Asked(step)) && !self.has(Planted::AskedAgain);
        Some(if is_asked { Asks::Waits } else { Asks::Not })
    }

    pub(super) fn ask_people(&self, moment: &mut Moment, who: usize, place: usize, luck: Luck) {
        let job = &moment.runners[who].jobs[place];
        let Some(step) = self.next_step(job) else { return };
        let mut notes = job.notes.clone();
        notes.push(Note::Asked(step));
        let ask = Ask::Record { epoch: job.epoch, notes: notes.clone(), consent: true };
        match self.send(moment, who, ask, luck) {
            Some(Answer::Yes) => {
                moment.runners[who].jobs[place].notes = notes;
            }
            Some(Answer::StandDown) => {
                moment.runners[who].jobs[place].phase = Phase::Ending(How::StoodDown);
            }
            Some(_) => drop(moment.runners[who].jobs.remove(place)),
            // Not known: sent again, or given up.
            None => {}
        }
    }

    /// Reads the run's own item. Whether it is still its own shows when it writes.
    pub(super) fn hear(moment: &mut Moment, who: usize, place: usize) {
        let job = &moment.runners[who].jobs[place];
        let mine = moment.item.as_ref().filter(|item| item.run == job.run);
        let allowed = mine.is_some_and(|item| item.answers.given.is_some());
        moment.runners[who].jobs[place].allowed = allowed;
    }

    /// A region hears of an answer. Without an answer of the store it is delivered again.
    pub(super) fn pass_on(&self, moment: &mut Moment, who: usize, luck: Luck) {
        let step = u8::try_from(moment.answers[who].trailing_zeros()).unwrap_or_default();
        if self.send(moment, who, Ask::Answer(step), luck).is_some() {
            moment.answers[who] &= !(1 << step);
        }
    }
}

/// Where a run stands that people must allow.
pub(super) enum Asks {
    Not,
    Waits,
}

impl Moment {
    /// Run and step that people were asked about last and have not answered.
    pub(super) fn question(&self) -> Option<(u8, u8)> {
        let item = self.item.as_ref().filter(|item| item.outcome.is_none())?;
        let step = item.notes.iter().rev().find_map(|note| match note {
            Note::Asked(step) => Some(*step),
            _ => None,
        })?;
        let question = (item.run, step);
        self.observed.approved.binary_search(&question).is_err().then_some(question)
    }

    /// A person's note; both regions will hear of it.
    pub(super) fn allow(&mut self) -> Option<()> {
        let question = self.question()?;
        insert(&mut self.observed.approved, question);
        for answers in &mut self.answers {
            *answers |= 1 << question.1;
        }
        Some(())
    }
}
