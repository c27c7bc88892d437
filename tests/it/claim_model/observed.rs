//! An observer who sees everything: what was written and started, and whether that was right.

use super::state::{Ask, Epoch, Item, Job, Moment, Nonce, Note, Opening, Request, Rule, insert};

impl Moment {
    pub(super) fn epoch(&self) -> Option<Epoch> {
        self.item.as_ref().map(|item| item.epoch)
    }

    /// An observer's view of a write.
    pub(super) fn written(&mut self, before: Option<&Item>, request: &Request, late: bool) {
        let Some(after) = &self.item else { return };
        let seen = &mut self.observed;
        let old_epoch = before.map_or(0, |item| item.epoch);
        match &request.ask {
            Ask::Claim { .. } | Ask::TakeOver { .. } => {
                if after.epoch <= old_epoch {
                    seen.broken.add(Rule::OneOwner);
                }
                seen.acted(after.epoch, request.from);
                if let Ask::TakeOver { seen_epoch, .. } = request.ask
                    && late
                {
                    insert(&mut seen.taken_late, seen_epoch);
                }
            }
            Ask::Record { epoch, .. } | Ask::Release { epoch } | Ask::Finish { epoch, .. } => {
                if *epoch != old_epoch {
                    seen.broken.add(Rule::OneOwner);
                }
                seen.acted(*epoch, request.from);
            }
            Ask::StandDown | Ask::Answer(_) => {}
        }
        if let Some(before) = before.filter(|item| item.outcome.is_some()) {
            let reopens = matches!(request.ask, Ask::Claim { opening: Opening::Reopened, .. })
                && before.opening == Opening::Triggered
                && after.run == before.run + 1
                && after.epoch > before.epoch;
            if !reopens {
                seen.broken.add(Rule::EndedForGood);
            }
        }
        let is_old = |nonce| before.is_some_and(|it| it.notes.contains(&Note::Intent(nonce)));
        let was_closed =
            before.is_some_and(|it| it.notes.iter().any(|note| matches!(note, Note::Closing(_))));
        let asked = |step| after.notes.iter().filter(|note| **note == Note::Asked(step)).count();
        for note in &after.notes {
            if let Note::Asked(step) = *note
                && asked(step) > 1
            {
                seen.broken.add(Rule::AskedOnce);
            }
            let Note::Intent(nonce) = *note else { continue };
            if is_old(nonce) {
                continue;
            }
            if was_closed {
                seen.broken.add(Rule::ClosedForGood);
            }
            if before.is_some_and(|item| !item.stand_down) {
                insert(&mut seen.consented, nonce);
            }
        }
    }

    /// An observer's view of a start, right before it.
    pub(super) fn starts(&mut self, who: usize, job: &Job, nonce: Nonce, once: bool) {
        let name = self.runners[who].name;
        let stands = self.item.as_ref().is_some_and(|item| {
            item.outcome.is_none() && item.owner == name && item.epoch == job.epoch
        });
        let seen = &mut self.observed;
        let excused = job.stood_still || seen.taken_late.contains(&job.epoch);
        if !stands && !excused {
            seen.broken.add(Rule::NoLateStart);
        }
        if seen.consented.binary_search(&nonce).is_err() {
            seen.broken.add(Rule::Consent);
        }
        if seen.abandoned.binary_search(&nonce).is_ok() {
            seen.broken.add(Rule::AbandonedForGood);
        }
        let this = (job.run, nonce.step);
        if seen.asks && seen.approved.binary_search(&this).is_err() {
            seen.broken.add(Rule::Approved);
        }
        if once && seen.started.contains(&this) {
            seen.broken.add(Rule::Once);
        }
        insert(&mut seen.started, this);
        seen.acted(job.epoch, name);
    }
}
