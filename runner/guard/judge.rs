//! One ask against the record of its customer: the only place where a recovery is granted.

use jiff::Timestamp;

use super::record::{Record, later, target_mark};
use super::{Answer, Ask, GuardKind, Said, Scope, Target};
use super::{breaker, budget, cool_down, storm, turn};
use crate::claim::ledger::Mark;
use crate::incident::RunId;
use crate::limits;

/// What a guard looks at.
pub(super) struct Case<'a> {
    pub(super) ask: &'a Ask,
    pub(super) record: &'a Record,
    pub(super) targets: Vec<Wanted<'a>>,
    pub(super) at: Timestamp,
}

/// A target that a recovery is asked for.
pub(super) struct Wanted<'a> {
    pub(super) target: &'a Target,
    pub(super) mark: Mark,
    /// How many recoveries would be added: none where this one is counted already.
    pub(super) further: usize,
}

impl Case<'_> {
    pub(super) fn further(&self) -> usize {
        self.targets.iter().map(|wanted| wanted.further).sum()
    }
}

/// Judges an ask. With the answer comes the record as it shall be, where it changes.
///
/// Pure: the same arguments give the same answer in every region. Asked again by the same run for
/// the same, the answer is yes and the record stays, whatever the guards say by then.
pub fn judge(ask: &Ask, known: &Record, now: Timestamp) -> (Answer, Option<Record>) {
    // As precise as the record is, so that what is read back compares as it did when it was written.
    let at = Timestamp::from_millisecond(now.as_millisecond()).unwrap_or(now);
    let mut record = known.clone();
    record.forget_old(at);
    for (run, ended) in &ask.over {
        record.settle(run, *ended);
    }
    let targets = wanted(ask, &record);
    let new: Vec<&Target> =
        targets.iter().filter(|it| it.further > 0).map(|it| it.target).collect();
    if !new.is_empty() {
        storm::come(&mut record, ask, at);
    }
    let (all, holders) = hear(&Case { ask, record: &record, targets, at });
    let answer = if new.is_empty() { again(all) } else { answer(all, holders) };
    let (answer, record) = match answer {
        Answer::Granted(said) => enter(ask, record, &new, said, at),
        no => (no, record),
    };
    let is_kept = record != *known && record.fits();
    (answer, is_kept.then_some(record))
}

/// Every guard, and the runs whose turn it is.
fn hear(case: &Case<'_>) -> (Vec<Said>, Vec<RunId>) {
    let mut all = Vec::new();
    for guard in [storm::judge, budget::judge, cool_down::judge, breaker::judge] {
        all.extend(guard(case));
    }
    let (turns, holders) = turn::judge(case);
    all.extend(turns);
    (all, holders)
}

/// The targets that are not counted yet; all of them where none is left.
fn wanted<'a>(ask: &'a Ask, record: &Record) -> Vec<Wanted<'a>> {
    let mut all: Vec<Wanted<'a>> = Vec::new();
    for target in &ask.targets {
        let mark = target_mark(ask, target);
        if all.iter().all(|wanted| wanted.mark != mark) {
            let further = usize::from(!record.has(ask, &mark));
            all.push(Wanted { target, mark, further });
        }
    }
    if all.iter().any(|wanted| wanted.further > 0) {
        all.retain(|wanted| wanted.further > 0);
    }
    all
}

/// Of several that say no, the first that says so for longest: asking again earlier is in vain. That it is
/// another run's turn counts only where nothing else is in the way.
fn answer(all: Vec<Said>, holders: Vec<RunId>) -> Answer {
    let no = all.iter().filter(|said| !said.passes);
    let longest = no.rev().max_by_key(|said| {
        let is_turn = said.guard == GuardKind::Turn;
        (!is_turn, said.until.is_none(), said.until)
    });
    match longest.cloned() {
        None => Answer::Granted(all),
        Some(said) if said.guard == GuardKind::Turn => Answer::Busy { said, holders },
        Some(said) => Answer::Refused(said),
    }
}

fn again(mut all: Vec<Said>) -> Answer {
    for said in &mut all {
        said.passes = true;
    }
    Answer::Granted(all)
}

/// Counts what was granted. Nothing that may still count is forgotten to make room: a full record
/// lets nothing pass.
fn enter(
    ask: &Ask,
    record: Record,
    targets: &[&Target],
    said: Vec<Said>,
    at: Timestamp,
) -> (Answer, Record) {
    let mut entered = record.clone();
    for target in targets {
        entered.enter(ask, target, at);
    }
    if targets.is_empty() || entered.fits() {
        return (Answer::Granted(said), entered);
    }
    let held = u32::try_from(record.entries.len()).unwrap_or(u32::MAX);
    let oldest = record.entries.iter().map(|entry| entry.at).min();
    let until = oldest.map(|oldest| later(oldest, limits::GUARD_WINDOW));
    let full = Said::of(GuardKind::RecordFull, Scope::Customer);
    let full = Said { passes: false, count: held, limit: held, until, ..full };
    (Answer::Refused(full), record)
}

#[cfg(test)]
mod tests {
    use super::super::record::Ended;
    use super::super::rules::{Budget, Per, Rules};
    use super::super::trial::{Trial, minutes};
    use super::*;

    #[test]
    fn what_says_no_for_longest_is_told() {
        let budget =
            |most, hours: u64| Budget { per: Per::Target, most, within: minutes(60 * hours) };
        let budgets = vec![budget(1, 1), budget(1, 24), budget(1, 2)];
        let mut trial = Trial::under(Rules { budgets, ..Rules::default() });
        trial.ask("P1", "web01");
        trial.wait(minutes(1));
        let no = trial.ask("P2", "web01");
        assert_eq!(no, "no: budget 1/1 web01 until 12:00", "a day later");
    }

    #[test]
    fn without_rules_all_pass_and_are_counted() {
        let mut trial = Trial::under(Rules::default());
        assert_eq!(trial.ask("P1", "web01"), "yes");
        assert_eq!(trial.record.entries.len(), 1);
    }

    #[test]
    fn what_is_refused_is_not_counted() {
        let mut trial = Trial::under(Rules::built_in());
        for run in ["P1", "P2", "P3", "P4", "P4"] {
            trial.ask(run, "web01");
            trial.ended(run, Ended::Met);
        }
        assert_eq!(trial.record.entries.len(), 3);
        assert_eq!(trial.record.asked.len(), 4, "but it came");
    }

    #[test]
    fn a_full_record_lets_nothing_pass_until_there_is_room() {
        let budgets = vec![Budget { per: Per::Target, most: 3, within: minutes(120) }];
        let mut trial = Trial::under(Rules { budgets, ..Rules::default() });
        // One by one takes long.
        for number in 0..400 {
            let ask = trial.asked(&format!("P{number}"), "restart-web", &["web01"]);
            trial.record.enter(&ask, &ask.targets[0], trial.now);
        }
        let mut granted = 400;
        while trial.ask(&format!("P{granted}"), &format!("web{granted}")).starts_with("yes") {
            granted += 1;
        }
        assert!(granted > 400, "room for {granted}");
        let no = trial.ask("PLAST", "db01");
        assert_eq!(no, format!("no: record_full {granted}/{granted} customer until 12:00"));
        for number in 0..granted {
            trial.ended(&format!("P{number}"), Ended::NotMet);
        }
        let bytes = trial.record.text().unwrap().len();
        assert!(bytes <= limits::LEDGER_BYTES, "{bytes}: what is granted can be settled");
        trial.wait(limits::GUARD_WINDOW);
        assert!(trial.ask("PLAST", "db01").starts_with("yes"));
        assert_eq!(trial.record.entries.len(), 1, "what nobody can count any more is forgotten");
    }

    #[test]
    fn the_record_holds_no_name_of_a_customer_s() {
        let mut trial = Trial::under(Rules::built_in());
        trial.ask("P1", "web01");
        let text = trial.record.text().unwrap();
        for name in ["example-shop", "web01", "\"web\""] {
            assert!(!text.contains(name), "{name} in {text}");
        }
    }
}
