//! Rest between two recoveries by one scenario on one target.

use super::judge::Case;
use super::record::Entry;
use super::{GuardKind, Said, Scope, budget};

pub(super) fn judge(case: &Case<'_>) -> Vec<Said> {
    let Some(rest) = case.ask.rules.cool_down else { return Vec::new() };
    let each = case.targets.iter().map(|it| {
        let is_same =
            |entry: &Entry| entry.target == it.mark && entry.scenario == case.ask.scenario;
        let scope = Scope::ScenarioOnTarget(it.target.name.clone());
        let said = Said { limit: 1, ..Said::of(GuardKind::CoolDown, scope) };
        budget::count(case, said, rest, it.further, &is_same)
    });
    each.collect()
}

#[cfg(test)]
mod tests {
    use super::super::rules::Rules;
    use super::super::trial::{Trial, minutes};

    #[test]
    fn the_same_scenario_rests_on_a_target_and_others_do_not() {
        let rules = Rules { cool_down: Some(minutes(15)), ..Rules::default() };
        let mut trial = Trial::under(rules);
        assert_eq!(trial.ask("P1", "web01"), "yes: cool_down 1/1 scenario on web01");
        trial.wait(minutes(10));
        assert_eq!(trial.ask("P2", "web01"), "no: cool_down 1/1 scenario on web01 until 12:15");
        assert_eq!(trial.ask("P2", "web02"), "yes: cool_down 1/1 scenario on web02");
        let clean = trial.asked("P3", "clean-disk", &["web01"]);
        assert_eq!(trial.put(&clean), "yes: cool_down 1/1 scenario on web01");
        trial.wait(minutes(5));
        assert_eq!(trial.ask("P4", "web01"), "yes: cool_down 1/1 scenario on web01");
    }
}
