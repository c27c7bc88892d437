//! Too many incidents at once are one incident, and not one that restarts would heal: gather
//! facts only, and let the first run that is stopped tell people.

use jiff::Timestamp;

use super::judge::Case;
use super::record::{Asked, Record, Storm, later};
use super::rules::{self, Crowd};
use super::{Ask, GuardKind, Said, Scope};
use crate::limits;

/// A run comes to its first recovery. One that was let through once goes on, and is no news.
pub(super) fn come(record: &mut Record, ask: &Ask, at: Timestamp) {
    if ask.rules.storms.is_empty() || is_under_way(record, ask) {
        return;
    }
    let is_new = record.asked.iter().all(|asked| asked.run != ask.run);
    if is_new {
        if record.asked.len() >= limits::STORM_RUNS {
            record.asked.remove(0);
        }
        let (run, scenario) = (ask.run.clone(), ask.scenario.clone());
        record.asked.push(Asked { run, scenario, at });
    }
    for rule in &ask.rules.storms {
        let crowd = crowd(record, rule, &ask.scenario, at);
        if let Some(storm) = closed(&mut record.storms, rule, &ask.scenario, at) {
            // Whoever asks again and again does not keep it closed.
            storm.last = if is_new { storm.last.max(at) } else { storm.last };
        } else if crowd > rule.most {
            let scenario = scenario_of(rule, &ask.scenario);
            record.storms.retain(|storm| storm.scenario != scenario);
            record.storms.push(Storm { scenario, first: ask.run.clone(), last: at });
        }
    }
}

pub(super) fn judge(case: &Case<'_>) -> Vec<Said> {
    let (ask, mut record) = (case.ask, case.record.clone());
    let is_under_way = is_under_way(&record, ask);
    let each = ask.rules.storms.iter().map(|rule| {
        let scope = match rule.per {
            Crowd::Customer => Scope::Customer,
            Crowd::Scenario => Scope::Scenario,
        };
        let count = crowd(&record, rule, &ask.scenario, case.at);
        let storm = closed(&mut record.storms, rule, &ask.scenario, case.at);
        let storm = storm.filter(|_| !is_under_way);
        Said {
            passes: storm.is_none(),
            count,
            limit: rule.most,
            within: Some(rule.within),
            until: storm.as_ref().map(|storm| opens(storm, rule)),
            run: storm.map(|storm| storm.first.clone()),
            ..Said::of(GuardKind::Storm, scope)
        }
    });
    each.collect()
}

fn is_under_way(record: &Record, ask: &Ask) -> bool {
    record.entries.iter().any(|entry| entry.run == ask.run)
}

/// Runs that came lately.
fn crowd(record: &Record, rule: &rules::Storm, scenario: &str, at: Timestamp) -> u32 {
    let counts = |asked: &&Asked| {
        let is_meant = rule.per == Crowd::Customer || asked.scenario == scenario;
        is_meant && later(asked.at, rule.within) > at
    };
    u32::try_from(record.asked.iter().filter(counts).count()).unwrap_or(u32::MAX)
}

fn closed<'a>(
    storms: &'a mut [Storm],
    rule: &rules::Storm,
    scenario: &str,
    at: Timestamp,
) -> Option<&'a mut Storm> {
    let scenario = scenario_of(rule, scenario);
    storms.iter_mut().find(|storm| storm.scenario == scenario && opens(storm, rule) > at)
}

/// Not before those who made the storm are out of sight: it would close again at once, and tell
/// people twice.
fn opens(storm: &Storm, rule: &rules::Storm) -> Timestamp {
    later(storm.last, rule.quiet.max(rule.within))
}

fn scenario_of(rule: &rules::Storm, scenario: &str) -> Option<String> {
    (rule.per == Crowd::Scenario).then(|| scenario.to_owned())
}

#[cfg(test)]
mod tests {
    use super::super::rules::{Budget, Per, Rules};
    use super::super::trial::{Trial, minutes};
    use super::*;

    fn under(per: Crowd) -> Trial {
        let storms = vec![rules::Storm { per, most: 2, within: minutes(5), quiet: minutes(10) }];
        Trial::under(Rules { storms, ..Rules::default() })
    }

    #[test]
    fn the_gate_closes_on_the_run_that_is_too_many_and_opens_when_it_is_quiet() {
        let mut trial = under(Crowd::Customer);
        assert_eq!(trial.ask("P1", "web01"), "yes: storm 1/2 customer");
        assert_eq!(trial.ask("P2", "web02"), "yes: storm 2/2 customer");
        assert_eq!(trial.ask("P3", "web03"), "no: storm 3/2 customer until 12:10 (P3/1)");
        trial.wait(minutes(6));
        let no = "no: storm 1/2 customer until 12:16 (P3/1)";
        assert_eq!(trial.ask("P4", "web04"), no, "the first one that was stopped is named");
        trial.wait(minutes(9));
        assert_eq!(trial.ask("P4", "web04"), "no: storm 0/2 customer until 12:16 (P3/1)");
        trial.wait(minutes(1));
        assert_eq!(trial.ask("P4", "web04"), "yes: storm 0/2 customer", "it is quiet");
        assert_eq!(trial.ask("P5", "web05"), "yes: storm 1/2 customer");
    }

    #[test]
    fn a_run_that_was_let_through_goes_on() {
        let mut trial = under(Crowd::Customer);
        for run in ["P1", "P2", "P3"] {
            trial.ask(run, "web01");
        }
        assert_eq!(trial.ask("P1", "web02"), "yes: storm 3/2 customer");
    }

    #[test]
    fn one_scenario_s_storm_is_not_another_s() {
        let mut trial = under(Crowd::Scenario);
        for run in ["P1", "P2"] {
            trial.ask(run, "web01");
        }
        assert_eq!(trial.ask("P3", "web01"), "no: storm 3/2 scenario until 12:10 (P3/1)");
        let clean = trial.asked("P4", "clean-disk", &["web01"]);
        assert_eq!(trial.put(&clean), "yes: storm 1/2 scenario");
    }

    #[test]
    fn what_another_guard_refuses_is_part_of_the_storm() {
        let storm =
            rules::Storm { per: Crowd::Customer, most: 2, within: minutes(5), quiet: minutes(10) };
        let budgets = vec![Budget { per: Per::Customer, most: 0, within: minutes(60) }];
        let mut trial = Trial::under(Rules { budgets, storms: vec![storm], ..Rules::default() });
        for run in ["P1", "P2"] {
            assert_eq!(trial.ask(run, "web01"), "no: budget 0/0 customer");
        }
        trial.ask("P3", "web01");
        assert_eq!(trial.record.storms.len(), 1);
    }

    #[test]
    fn no_more_runs_are_remembered_than_there_is_room_for() {
        let mut trial = under(Crowd::Customer);
        for number in 0..limits::STORM_RUNS + 5 {
            trial.ask(&format!("P{number}"), "web01");
        }
        assert_eq!(trial.record.asked.len(), limits::STORM_RUNS);
    }
}
