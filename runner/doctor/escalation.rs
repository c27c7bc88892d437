//! Whether people are reached when AMS cannot go on, or is not there at all. Pure.

use super::matter::Matter;
use crate::limits::FIRST_LEVEL;
use crate::report::account::{OnCall, Policy};

/// What a policy is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Incidents begin with it.
    OfServices,
    /// Incidents are handed over to it, at its first level.
    ForHandOff,
}

/// `on_call` is `None` where it cannot be read; then who is named has to do.
pub fn judge(policy: &Policy, role: Role, bot: &str, on_call: Option<&[OnCall]>) -> Vec<Matter> {
    let levels = Levels { policy, bot, on_call };
    let mut matters = match role {
        Role::OfServices => levels.of_services(),
        Role::ForHandOff => levels.for_hand_off(),
    };
    if matters.is_empty() {
        matters.push(Matter::PolicyFine { policy: policy.name.name.clone() });
    }
    matters
}

struct Levels<'a> {
    policy: &'a Policy,
    bot: &'a str,
    on_call: Option<&'a [OnCall]>,
}

impl Levels<'_> {
    fn name(&self) -> String {
        self.policy.name.name.clone()
    }

    fn count(&self) -> usize {
        self.policy.levels.len()
    }

    /// Does this level, from 1, reach a person now?
    fn has_people(&self, level: usize) -> bool {
        match self.on_call {
            Some(on_call) => on_call.iter().any(|it| {
                it.policy == self.policy.name.id && it.level == level && it.user != self.bot
            }),
            None => {
                self.policy.levels.get(level - 1).is_some_and(|it| {
                    it.schedules > 0 || it.users.iter().any(|user| user != self.bot)
                })
            }
        }
    }

    fn has_bot(&self, level: usize) -> bool {
        let named = self.policy.levels.get(level - 1);
        let is_here = |it: &OnCall| {
            it.policy == self.policy.name.id && it.level == level && it.user == self.bot
        };
        named.is_some_and(|it| it.users.iter().any(|user| user == self.bot))
            || self.on_call.is_some_and(|all| all.iter().any(is_here))
    }

    fn of_services(&self) -> Vec<Matter> {
        let policy = || self.name();
        if !(1..=self.count()).any(|level| self.has_people(level)) {
            return vec![Matter::NobodyPaged { policy: policy() }];
        }
        let mut matters = Vec::new();
        let is_bot_first = self.has_bot(1);
        let people_first = self.has_people(1);
        // The level AMS escalates to, or PagerDuty does when AMS is not there.
        let next = if is_bot_first { 2 } else { 1 };
        if is_bot_first && people_first {
            matters.push(Matter::PeopleFirst { policy: policy() });
            if self.count() == 1 {
                matters.push(Matter::NoPeopleBehind { policy: policy() });
            }
        } else if people_first {
            matters.push(Matter::PeopleFirst { policy: policy() });
        } else if !self.has_people(next) {
            matters.push(Matter::NobodyOnCall { policy: policy(), level: next });
        }
        for level in next + 1..=self.count() {
            if self.has_bot(level) {
                matters.push(Matter::BotLater { policy: policy(), level });
            } else if !self.has_people(level) {
                matters.push(Matter::LevelEmpty { policy: policy(), level });
            }
        }
        let first = self.policy.levels.first().map(|it| it.wait).unwrap_or_default();
        if is_bot_first && !people_first && first > FIRST_LEVEL {
            let minutes = first.as_secs() / 60;
            matters.push(Matter::FirstLevelLong { policy: policy(), minutes });
        }
        matters
    }

    fn for_hand_off(&self) -> Vec<Matter> {
        let policy = self.name();
        if !(1..=self.count()).any(|level| self.has_people(level)) {
            return vec![Matter::NobodyPaged { policy }];
        }
        if self.has_people(1) {
            return Vec::new();
        }
        vec![Matter::NobodyOnCall { policy, level: 1 }]
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::incident::Named;
    use crate::report::account::Level;

    const BOT: &str = "BOT";

    /// Per level the users; `#` stands for a schedule.
    fn policy(levels: &[&[&str]], minutes: u64) -> Policy {
        let level = |users: &&[&str]| Level {
            wait: Duration::from_secs(60 * minutes),
            users: users.iter().filter(|it| **it != "#").map(|it| (*it).to_owned()).collect(),
            schedules: users.iter().filter(|it| **it == "#").count(),
        };
        let name = Named { id: "P1".to_owned(), name: "policy".to_owned() };
        Policy { name, levels: levels.iter().map(level).collect() }
    }

    fn told(levels: &[&[&str]], minutes: u64) -> Vec<Matter> {
        judge(&policy(levels, minutes), Role::OfServices, BOT, None)
    }

    #[test]
    fn the_recommended_policy_is_fine() {
        assert!(matches!(told(&[&[BOT], &["#"], &["M"]], 5)[..], [Matter::PolicyFine { .. }]));
    }

    #[test]
    fn each_way_of_reaching_nobody_is_told() {
        type Shape = fn(&[Matter]) -> bool;
        let cases: [(&[&[&str]], Shape); 7] = [
            (&[&[BOT]], |it| matches!(it, [Matter::NobodyPaged { .. }])),
            (&[], |it| matches!(it, [Matter::NobodyPaged { .. }])),
            (&[&[BOT], &[], &["M"]], |it| matches!(it, [Matter::NobodyOnCall { level: 2, .. }])),
            (&[&["A"], &["B"]], |it| matches!(it, [Matter::PeopleFirst { .. }])),
            (&[&[BOT, "A"]], |it| {
                matches!(it, [Matter::PeopleFirst { .. }, Matter::NoPeopleBehind { .. }])
            }),
            (&[&[BOT], &["A"], &[BOT]], |it| matches!(it, [Matter::BotLater { level: 3, .. }])),
            (&[&[BOT], &["A"], &[]], |it| matches!(it, [Matter::LevelEmpty { level: 3, .. }])),
        ];
        for (levels, fits) in cases {
            let told = told(levels, 5);
            assert!(fits(&told), "{levels:?}: {told:?}");
        }
        assert!(matches!(told(&[&[BOT], &["A"]], 45)[..], [Matter::FirstLevelLong { .. }]));
    }

    #[test]
    fn who_is_on_call_counts_and_not_who_is_named() {
        let policy = policy(&[&[BOT], &["#"]], 5);
        let on_call =
            |level, user: &str| OnCall { policy: "P1".to_owned(), level, user: user.to_owned() };
        let nobody = judge(&policy, Role::OfServices, BOT, Some(&[on_call(1, BOT)]));
        assert!(matches!(nobody[..], [Matter::NobodyPaged { .. }]), "{nobody:?}");
        let all = [on_call(1, BOT), on_call(2, "A")];
        let somebody = judge(&policy, Role::OfServices, BOT, Some(&all));
        assert!(matches!(somebody[..], [Matter::PolicyFine { .. }]), "{somebody:?}");
        let at_once = judge(&policy, Role::ForHandOff, BOT, Some(&all));
        assert!(matches!(at_once[..], [Matter::NobodyOnCall { level: 1, .. }]), "{at_once:?}");
    }
}
