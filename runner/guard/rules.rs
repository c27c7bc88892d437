//! What operators and authors limit, and how the levels come together: every rule of every level
//! must let a recovery pass, so the strictest wins and nobody overrides anybody.

use std::time::Duration;

/// The limits of one level, or of all of them together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rules {
    pub budgets: Vec<Budget>,
    /// Between two recoveries by the same scenario on the same target.
    pub cool_down: Option<Duration>,
    pub breakers: Vec<Breaker>,
    pub turn: Turn,
    pub storms: Vec<Storm>,
}

/// No more than `most` recoveries in any time of the length `within`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    pub per: Per,
    pub most: u32,
    pub within: Duration,
}

/// Of what recoveries are counted together; always within one customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Per {
    /// On one target, whatever the scenario.
    Target,
    /// By this scenario on one target.
    ScenarioOnTarget,
    /// By this scenario.
    Scenario,
    Customer,
}

/// After `failures` recoveries in a row that did not help, none for the time `pause`, counted from
/// the last one. One that was verified ends the row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Breaker {
    pub per: Row,
    pub failures: u32,
    /// How far back it looks.
    pub within: Duration,
    pub pause: Duration,
}

/// Which recoveries of a scenario stand in one row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Row {
    Target,
    /// On any host of a group: the next one is spared what did not help the others.
    Group,
    Scenario,
}

/// One recovery at a time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Turn {
    /// On every target.
    pub per_target: bool,
    /// On the hosts of each of these groups together.
    pub groups: Vec<String>,
    pub when_busy: WhenBusy,
}

/// What a run does while it is another's turn.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum WhenBusy {
    /// Until its step must have begun.
    #[default]
    Wait,
    HandOff,
}

/// When more than `most` runs come to a recovery in the time `within`, none begins any more, until
/// no further one has come for the time `quiet`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Storm {
    pub per: Crowd,
    pub most: u32,
    pub within: Duration,
    pub quiet: Duration,
}

/// Which runs make a storm together; always of one customer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crowd {
    Customer,
    Scenario,
}

impl Rules {
    /// What holds where nobody wrote anything: three recoveries in two hours on a target, one at a
    /// time there, and none while more than ten runs of a customer come to one in five minutes.
    pub fn built_in() -> Self {
        let two_hours = Duration::from_hours(2);
        Self {
            budgets: vec![Budget { per: Per::Target, most: 3, within: two_hours }],
            turn: Turn { per_target: true, ..Turn::default() },
            storms: vec![Storm {
                per: Crowd::Customer,
                most: 10,
                within: Duration::from_mins(5),
                quiet: Duration::from_mins(10),
            }],
            ..Self::default()
        }
    }

    /// Both together: all rules of both.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        add(&mut self.budgets, &other.budgets);
        add(&mut self.breakers, &other.breakers);
        add(&mut self.storms, &other.storms);
        add(&mut self.turn.groups, &other.turn.groups);
        self.cool_down = self.cool_down.max(other.cool_down);
        self.turn.per_target |= other.turn.per_target;
        self.turn.when_busy = self.turn.when_busy.max(other.turn.when_busy);
        self
    }

    /// Nothing is limited, so nobody need be asked.
    pub fn is_empty(&self) -> bool {
        let Self { budgets, cool_down, breakers, turn, storms } = self;
        let Turn { per_target, groups, .. } = turn;
        let no_turn = !per_target && groups.is_empty();
        no_turn
            && budgets.is_empty()
            && cool_down.is_none()
            && breakers.is_empty()
            && storms.is_empty()
    }
}

fn add<T: Clone + PartialEq>(rules: &mut Vec<T>, further: &[T]) {
    for rule in further {
        if !rules.contains(rule) {
            rules.push(rule.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_hours(1);

    fn at_most(most: u32) -> Budget {
        Budget { per: Per::Target, most, within: HOUR }
    }

    #[test]
    fn every_rule_of_every_level_is_kept() {
        let global = Rules { budgets: vec![at_most(3)], cool_down: Some(HOUR), ..Rules::default() };
        let turn = Turn { groups: vec!["web".to_owned()], ..Turn::default() };
        let customer = Rules { budgets: vec![at_most(1)], turn, ..Rules::default() };
        let turn = Turn { per_target: true, when_busy: WhenBusy::HandOff, ..Turn::default() };
        let budgets = vec![at_most(3), at_most(9)];
        let scenario = Rules { budgets, cool_down: Some(HOUR / 2), turn, ..Rules::default() };

        let all = Rules::default().and(&global).and(&customer).and(&scenario);

        assert_eq!(all.budgets, [at_most(3), at_most(1), at_most(9)], "the same rule once");
        assert_eq!(all.cool_down, Some(HOUR), "the longer one");
        let groups = vec!["web".to_owned()];
        assert_eq!(all.turn, Turn { per_target: true, groups, when_busy: WhenBusy::HandOff });
        assert!(!all.is_empty());
    }

    #[test]
    fn no_level_can_take_away_what_another_limits() {
        let all = Rules::built_in().and(&Rules::default());
        assert_eq!(all, Rules::built_in());
        assert!(Rules::default().is_empty());
        assert!(!Rules::built_in().is_empty());
    }
}
