//! So many recoveries in so much time.

use std::time::Duration;

use super::judge::Case;
use super::record::{Entry, later};
use super::rules::{Budget, Per};
use super::{GuardKind, Said, Scope};

pub(super) fn judge(case: &Case<'_>) -> Vec<Said> {
    case.ask.rules.budgets.iter().flat_map(|budget| of(case, budget)).collect()
}

fn of(case: &Case<'_>, budget: &Budget) -> Vec<Said> {
    let of_scenario = |entry: &Entry| entry.scenario == case.ask.scenario;
    let count = |further, scope, counts: &dyn Fn(&Entry) -> bool| {
        let said = Said { limit: budget.most, ..Said::of(GuardKind::Budget, scope) };
        count(case, said, budget.within, further, counts)
    };
    let per_target = |scope: fn(String) -> Scope, counts: &dyn Fn(&Entry) -> bool| {
        let targets = case.targets.iter();
        let each = targets.map(|it| {
            let is_there = |entry: &Entry| entry.target == it.mark && counts(entry);
            count(it.further, scope(it.target.name.clone()), &is_there)
        });
        each.collect()
    };
    match budget.per {
        Per::Target => per_target(Scope::Target, &|_| true),
        Per::ScenarioOnTarget => per_target(Scope::ScenarioOnTarget, &of_scenario),
        Per::Scenario => vec![count(case.further(), Scope::Scenario, &of_scenario)],
        Per::Customer => vec![count(case.further(), Scope::Customer, &|_| true)],
    }
}

/// Counts recoveries that are younger than `within`. One from the future counts as well: where
/// clocks differ, better one too few.
pub(super) fn count(
    case: &Case<'_>,
    said: Said,
    within: Duration,
    further: usize,
    counts: &dyn Fn(&Entry) -> bool,
) -> Said {
    let counted = case.record.entries.iter().filter(|entry| counts(entry));
    let mut leave: Vec<_> = counted.map(|entry| later(entry.at, within)).collect();
    leave.retain(|leaves| *leaves > case.at);
    leave.sort_unstable();
    let most = usize::try_from(said.limit).unwrap_or(usize::MAX);
    let after = leave.len() + further;
    let passes = after <= most;
    // So many must leave before there is room; where more are asked for than ever fit, none help.
    let until = (further <= most).then(|| leave.get(after.checked_sub(most + 1)?)).flatten();
    let count = if passes { after } else { leave.len() };
    Said {
        passes,
        count: u32::try_from(count).unwrap_or(u32::MAX),
        within: Some(within),
        until: until.copied(),
        ..said
    }
}

#[cfg(test)]
mod tests {
    use super::super::rules::Rules;
    use super::super::trial::{Trial, minutes};
    use super::*;

    fn under(budgets: &[(Per, u32)]) -> Trial {
        let budget =
            |(per, most): &(Per, u32)| Budget { per: *per, most: *most, within: minutes(120) };
        let budgets = budgets.iter().map(budget).collect();
        Trial::under(Rules { budgets, ..Rules::default() })
    }

    #[test]
    fn the_recovery_after_the_last_of_the_budget_is_refused_until_the_first_is_forgotten() {
        let mut trial = under(&[(Per::Target, 3)]);
        assert_eq!(trial.ask("P1", "web01"), "yes: budget 1/3 web01");
        assert_eq!(trial.wait(minutes(30)).ask("P2", "web01"), "yes: budget 2/3 web01");
        assert_eq!(trial.wait(minutes(30)).ask("P3", "web01"), "yes: budget 3/3 web01");
        assert_eq!(trial.wait(minutes(59)).ask("P4", "web01"), "no: budget 3/3 web01 until 14:00");
        assert_eq!(trial.ask("P4", "web02"), "yes: budget 1/3 web02");
        assert_eq!(trial.wait(minutes(1)).ask("P4", "web01"), "yes: budget 3/3 web01");
    }

    #[test]
    fn the_same_recovery_is_counted_once_and_stays_granted() {
        let mut trial = under(&[(Per::Target, 1)]);
        for _ in 0..3 {
            assert_eq!(trial.ask("P1", "web01"), "yes: budget 1/1 web01");
        }
        assert_eq!(trial.record.entries.len(), 1);
        assert_eq!(trial.ask("P2", "web01"), "no: budget 1/1 web01 until 14:00");
        assert_eq!(trial.ask("P1", "web01"), "yes: budget 1/1 web01");
    }

    #[test]
    fn a_target_is_shared_by_scenarios_and_a_scenario_s_own_count_is_not() {
        let mut trial = under(&[(Per::Target, 2), (Per::ScenarioOnTarget, 1)]);
        let [restart, clean] =
            ["restart-web", "clean-disk"].map(|it| trial.asked("P1", it, &["web01"]));
        let yes = "yes: budget 1/2 web01, budget 1/1 scenario on web01";
        assert_eq!(trial.put(&restart), yes);
        let yes = "yes: budget 2/2 web01, budget 1/1 scenario on web01";
        assert_eq!(trial.put(&clean), yes);
        assert_eq!(trial.ask("P2", "web01"), "no: budget 2/2 web01 until 14:00");
    }

    #[test]
    fn all_targets_of_one_ask_are_counted_or_none() {
        let mut trial = under(&[(Per::Scenario, 3), (Per::Customer, 3)]);
        let three = trial.asked("P1", "restart-web", &["web01", "web02", "web02", "web03"]);
        assert_eq!(trial.put(&three), "yes: budget 3/3 scenario, budget 3/3 customer");
        trial.wait(minutes(120));
        let one = trial.asked("P2", "restart-web", &["web01"]);
        trial.put(&one);
        let three = trial.asked("P3", "restart-web", &["web01", "web02", "web03"]);
        assert_eq!(trial.put(&three), "no: budget 1/3 scenario until 16:00");
        assert_eq!(trial.record.entries.len(), 3 + 1, "{:?}", trial.record.entries);
    }

    #[test]
    fn more_than_ever_fit_are_refused_without_a_time() {
        let mut trial = under(&[(Per::Scenario, 1)]);
        let two = trial.asked("P1", "restart-web", &["web01", "web02"]);
        assert_eq!(trial.put(&two), "no: budget 0/1 scenario");
    }

    #[test]
    fn a_recovery_from_the_future_counts() {
        let mut trial = under(&[(Per::Target, 1)]);
        trial.ask("P1", "web01");
        trial.now -= jiff::SignedDuration::from_hours(5);
        assert_eq!(trial.ask("P2", "web01"), "no: budget 1/1 web01 until 14:00");
    }
}
