//! No more of what has not helped several times in a row.

use std::cmp::Reverse;

use super::judge::Case;
use super::record::{Ended, Entry, group_mark, later};
use super::rules::{Breaker, Row};
use super::{GuardKind, Said, Scope};

pub(super) fn judge(case: &Case<'_>) -> Vec<Said> {
    case.ask.rules.breakers.iter().flat_map(|breaker| of(case, breaker)).collect()
}

fn of(case: &Case<'_>, breaker: &Breaker) -> Vec<Said> {
    match breaker.per {
        Row::Scenario => vec![row(case, breaker, Scope::Scenario, &|_| true)],
        Row::Target => {
            let each = case.targets.iter().map(|it| {
                let scope = Scope::ScenarioOnTarget(it.target.name.clone());
                row(case, breaker, scope, &|entry| entry.target == it.mark)
            });
            each.collect()
        }
        Row::Group => {
            let groups = case.targets.iter().flat_map(|it| &it.target.groups);
            let mut groups: Vec<&String> = groups.collect();
            groups.sort_unstable();
            groups.dedup();
            let each = groups.into_iter().map(|group| {
                let mark = group_mark(case.ask, group);
                let scope = Scope::Group(group.clone());
                row(case, breaker, scope, &|entry| entry.groups.contains(&mark))
            });
            each.collect()
        }
    }
}

/// What is still going on neither lengthens the row nor ends it.
fn row(case: &Case<'_>, breaker: &Breaker, scope: Scope, stands: &dyn Fn(&Entry) -> bool) -> Said {
    let counts = |entry: &&Entry| {
        entry.scenario == case.ask.scenario
            && entry.ended.is_some()
            && later(entry.at, breaker.within) > case.at
            && stands(entry)
    };
    let mut ended: Vec<&Entry> = case.record.entries.iter().rev().filter(counts).collect();
    ended.sort_by_key(|entry| Reverse(entry.at));
    let failures = ended.iter().take_while(|entry| entry.ended != Some(Ended::Met)).count();
    let count = u32::try_from(failures).unwrap_or(u32::MAX);
    let until = ended.first().map(|last| later(last.at, breaker.pause));
    let until = until.filter(|until| count >= breaker.failures && *until > case.at);
    Said {
        passes: until.is_none(),
        count,
        limit: breaker.failures,
        within: Some(breaker.within),
        until,
        ..Said::of(GuardKind::Breaker, scope)
    }
}

#[cfg(test)]
mod tests {
    use super::super::rules::Rules;
    use super::super::trial::{Trial, minutes};
    use super::*;

    fn under(per: Row) -> Trial {
        let (within, pause) = (minutes(24 * 60), minutes(6 * 60));
        let breakers = vec![Breaker { per, failures: 2, within, pause }];
        Trial::under(Rules { breakers, ..Rules::default() })
    }

    #[test]
    fn two_failures_in_a_row_open_it_and_time_lets_one_more_try() {
        let mut trial = under(Row::Target);
        assert_eq!(trial.ask("P1", "web01"), "yes: breaker 0/2 scenario on web01");
        trial.ended("P1", Ended::NotMet).wait(minutes(60));
        assert_eq!(trial.ask("P2", "web01"), "yes: breaker 1/2 scenario on web01");
        trial.ended("P2", Ended::Unclear);
        assert_eq!(trial.ask("P3", "web01"), "no: breaker 2/2 scenario on web01 until 19:00");
        assert_eq!(trial.ask("P3", "web02"), "yes: breaker 0/2 scenario on web02");
        trial.wait(minutes(6 * 60));
        assert_eq!(trial.ask("P4", "web01"), "yes: breaker 2/2 scenario on web01");
        trial.ended("P4", Ended::NotMet);
        assert_eq!(trial.ask("P5", "web01"), "no: breaker 3/2 scenario on web01 until 01:00");
    }

    #[test]
    fn a_verified_recovery_resets_it() {
        let mut trial = under(Row::Target);
        let ends = [Ended::NotMet, Ended::Met, Ended::NotMet];
        for (run, ended) in ["P1", "P2", "P3"].into_iter().zip(ends) {
            assert!(trial.ask(run, "web01").starts_with("yes"), "{run}");
            trial.ended(run, ended).wait(minutes(1));
        }
        assert_eq!(trial.ask("P4", "web01"), "yes: breaker 1/2 scenario on web01");
    }

    #[test]
    fn what_is_still_going_on_says_nothing() {
        let mut trial = under(Row::Target);
        trial.ask("P1", "web01");
        trial.ended("P1", Ended::NotMet).wait(minutes(1));
        trial.ask("P2", "web01");
        assert_eq!(trial.ask("P3", "web01"), "yes: breaker 1/2 scenario on web01");
    }

    #[test]
    fn hosts_of_a_group_are_spared_what_did_not_help_the_others() {
        let mut trial = under(Row::Group);
        for (run, host) in [("P1", "web01"), ("P2", "web02")] {
            assert!(trial.ask(run, host).starts_with("yes"), "{host}");
            trial.ended(run, Ended::NotMet);
        }
        assert_eq!(trial.ask("P3", "web03"), "no: breaker 2/2 group web until 18:00");
        assert_eq!(trial.ask("P3", "db01"), "yes: breaker 0/2 group db");
        let mut trial = under(Row::Scenario);
        for (run, host) in [("P1", "web01"), ("P2", "db01")] {
            trial.ask(run, host);
            trial.ended(run, Ended::NotMet);
        }
        assert_eq!(trial.ask("P3", "app01"), "no: breaker 2/2 scenario until 18:00");
        let other = trial.asked("P3", "clean-disk", &["web01"]);
        assert_eq!(trial.put(&other), "yes: breaker 0/2 scenario");
    }
}
