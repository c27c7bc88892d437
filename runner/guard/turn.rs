//! One recovery at a time, on a target or in a group.
//!
//! It is a run's turn, not a process's: after a crash the run is taken over and has its turn still,
//! and no lease is needed. Whether a run in the way is over is for the door to find out.

use super::judge::Case;
use super::record::{Entry, group_mark};
use super::{GuardKind, Said, Scope};
use crate::incident::RunId;

/// What is said, and which runs are in the way.
pub(super) fn judge(case: &Case<'_>) -> (Vec<Said>, Vec<RunId>) {
    let turn = &case.ask.rules.turn;
    let (mut all, mut holders) = (Vec::new(), Vec::new());
    let mut look = |scope: Scope, holds: &dyn Fn(&Entry) -> bool| {
        let runs = in_the_way(case, holds);
        let said = said(scope, &runs);
        if !all.contains(&said) {
            all.push(said);
        }
        holders.extend(runs);
    };
    for it in &case.targets {
        if turn.per_target {
            look(Scope::Target(it.target.name.clone()), &|entry| entry.target == it.mark);
        }
        for group in it.target.groups.iter().filter(|group| turn.groups.contains(group)) {
            let mark = group_mark(case.ask, group);
            look(Scope::Group(group.clone()), &|entry| entry.groups.contains(&mark));
        }
    }
    (all, once(holders))
}

fn in_the_way(case: &Case<'_>, holds: &dyn Fn(&Entry) -> bool) -> Vec<RunId> {
    let open = case.record.entries.iter().filter(|entry| entry.ended.is_none() && holds(entry));
    let others = open.map(|entry| &entry.run).filter(|run| **run != case.ask.run);
    once(others.cloned().collect())
}

fn once(runs: Vec<RunId>) -> Vec<RunId> {
    let mut kept = Vec::new();
    for run in runs {
        if !kept.contains(&run) {
            kept.push(run);
        }
    }
    kept
}

fn said(scope: Scope, runs: &[RunId]) -> Said {
    let passes = runs.is_empty();
    let count = if passes { 1 } else { u32::try_from(runs.len()).unwrap_or(u32::MAX) };
    let run = runs.first().cloned();
    Said { passes, count, limit: 1, run, ..Said::of(GuardKind::Turn, scope) }
}

#[cfg(test)]
mod tests {
    use super::super::record::Ended;
    use super::super::rules::{Budget, Per, Rules, Turn};
    use super::super::trial::{Trial, minutes, run};

    fn under(groups: &[&str]) -> Trial {
        let groups = groups.iter().map(|group| (*group).to_owned()).collect();
        let turn = Turn { per_target: true, groups, ..Turn::default() };
        Trial::under(Rules { turn, ..Rules::default() })
    }

    #[test]
    fn a_target_is_one_run_s_until_that_has_ended() {
        let mut trial = under(&[]);
        assert_eq!(trial.ask("P1", "web01"), "yes: turn 1/1 web01");
        let clean = trial.asked("P2", "clean-disk", &["web01"]);
        assert_eq!(trial.put(&clean), "busy: turn 1/1 web01 (P1/1), held by P1/1");
        assert_eq!(trial.ask("P2", "web02"), "yes: turn 1/1 web02");
        trial.ended("P1", Ended::NotMet);
        assert_eq!(trial.put(&clean), "yes: turn 1/1 web01");
    }

    #[test]
    fn a_group_is_one_run_s_with_as_many_hosts_as_it_asks_for() {
        let mut trial = under(&["web"]);
        let two = trial.asked("P1", "restart-web", &["web01", "web02"]);
        assert_eq!(trial.put(&two), "yes: turn 1/1 web01, turn 1/1 group web, turn 1/1 web02");
        let more = trial.asked("P1", "restart-web", &["web03"]);
        assert_eq!(trial.put(&more), "yes: turn 1/1 web03, turn 1/1 group web");
        assert_eq!(trial.ask("P2", "web04"), "busy: turn 1/1 group web (P1/1), held by P1/1");
        assert_eq!(trial.ask("P2", "db01"), "yes: turn 1/1 db01");
    }

    #[test]
    fn a_run_that_is_known_to_be_over_is_in_nobody_s_way() {
        let mut trial = under(&[]);
        trial.ask("P1", "web01");
        let mut ask = trial.asked("P2", "restart-web", &["web01"]);
        ask.over.push((run("P1"), Ended::Met));
        assert_eq!(trial.put(&ask), "yes: turn 1/1 web01");
        assert_eq!(trial.record.entries[0].ended, Some(Ended::Met));
    }

    #[test]
    fn waiting_for_a_turn_is_no_use_where_something_else_says_no() {
        let budgets = vec![Budget { per: Per::Target, most: 1, within: minutes(120) }];
        let turn = Turn { per_target: true, ..Turn::default() };
        let mut trial = Trial::under(Rules { budgets, turn, ..Rules::default() });
        trial.ask("P1", "web01");
        assert_eq!(trial.ask("P2", "web01"), "no: budget 1/1 web01 until 14:00");
    }
}
