use std::time::Duration;

use ams::guard::judge::judge;
use ams::guard::record::{Ended, Record};
use ams::guard::rules::{Budget, Crowd, Per, Rules, Storm, Turn, WhenBusy};
use ams::guard::{Answer, Ask};
use ams::incident::RunId;
use jiff::{SignedDuration, Timestamp};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::{Just, Strategy, any, prop_oneof};
use proptest::sample::select;
use proptest::test_runner::{Config, TestRunner};

use super::{minutes, run, target};

const HOSTS: [&str; 3] = ["web01", "web02", "web03"];
const SCENARIOS: [&str; 2] = ["restart-web", "clean-disk"];

/// Clocks of a customer's regions are never further apart than this in a history, all steps
/// together: a record forgets what is older than three days.
const CLOCKS: SignedDuration = SignedDuration::from_hours(70);

#[derive(Clone, Debug)]
enum Act {
    /// One that is repeated is an ask whose answer was lost, or one after a take-over.
    Ask {
        run: usize,
        scenario: usize,
        hosts: Vec<usize>,
        times: usize,
    },
    Settle {
        run: usize,
        ended: Ended,
    },
    /// Of the clock, in either direction: another region asks next, or somebody set it.
    Step {
        minutes: i64,
    },
}

fn act() -> impl Strategy<Value = Act> {
    let ask = (0..12_usize, 0..2_usize, vec(0..3_usize, 1..=3), 1..=3_usize);
    let ended = select(vec![Ended::Met, Ended::NotMet, Ended::Unclear]);
    prop_oneof![
        6 => ask.prop_map(|(run, scenario, hosts, times)| Act::Ask { run, scenario, hosts, times }),
        2 => (0..12_usize, ended).prop_map(|(run, ended)| Act::Settle { run, ended }),
        3 => (-30..90_i64).prop_map(|minutes| Act::Step { minutes }),
        1 => (-300..300_i64).prop_map(|minutes| Act::Step { minutes }),
    ]
}

fn rules() -> impl Strategy<Value = Rules> {
    let per = select(vec![Per::Target, Per::ScenarioOnTarget, Per::Scenario, Per::Customer]);
    let budget = (per, 1..5_u32, 1..180_u64).prop_map(|(per, most, within)| Budget {
        per,
        most,
        within: minutes(within),
    });
    let turn = (any::<bool>(), any::<bool>()).prop_map(|(per_target, web)| Turn {
        per_target,
        groups: web.then(|| "web".to_owned()).into_iter().collect(),
        when_busy: WhenBusy::Wait,
    });
    let storm = Storm { per: Crowd::Customer, most: 4, within: minutes(5), quiet: minutes(10) };
    let storms = prop_oneof![2 => Just(Vec::new()), 1 => Just(vec![storm])];
    let cool_down = option::weighted(0.3, (1..60_u64).prop_map(minutes));
    (vec(budget, 1..=3), cool_down, turn, storms).prop_map(|(budgets, cool_down, turn, storms)| {
        Rules { budgets, cool_down, breakers: Vec::new(), turn, storms }
    })
}

/// A recovery that somebody was told to begin.
#[derive(Clone, Debug, PartialEq)]
struct Granted {
    run: RunId,
    scenario: &'static str,
    host: &'static str,
    at: Timestamp,
    is_over: bool,
}

/// What the world knows of it, beside the record.
struct World {
    rules: Rules,
    record: Record,
    start: Timestamp,
    now: Timestamp,
    granted: Vec<Granted>,
}

impl World {
    fn new(rules: Rules) -> Self {
        let start = "2026-03-02T12:00:00.000123Z".parse().unwrap();
        Self { rules, record: Record::default(), start, now: start, granted: Vec::new() }
    }

    fn act(&mut self, act: &Act) {
        match act {
            Act::Step { minutes } => {
                let step =
                    self.now.duration_since(self.start) + SignedDuration::from_mins(*minutes);
                self.now = self.start + step.clamp(SignedDuration::ZERO, CLOCKS);
            }
            Act::Settle { run: number, ended } => {
                let run = run(&format!("P{number}"));
                self.record.settle(&run, *ended);
                self.granted.iter_mut().filter(|it| it.run == run).for_each(|it| it.is_over = true);
            }
            Act::Ask { run, scenario, hosts, times } => {
                let scenario = SCENARIOS[*scenario];
                let mut hosts: Vec<&'static str> = hosts.iter().map(|host| HOSTS[*host]).collect();
                hosts.sort_unstable();
                hosts.dedup();
                let first = self.ask(*run, scenario, &hosts);
                for _ in 1..*times {
                    assert_eq!(self.ask(*run, scenario, &hosts), first, "asked again");
                }
            }
        }
    }

    fn ask(&mut self, number: usize, scenario: &'static str, hosts: &[&'static str]) -> bool {
        let ask = Ask {
            run: run(&format!("P{number}")),
            customer: Some("example-shop".to_owned()),
            scenario: scenario.to_owned(),
            targets: hosts.iter().map(|host| target(host)).collect(),
            rules: self.rules.clone(),
            over: Vec::new(),
        };
        let (answer, record) = judge(&ask, &self.record, self.now);
        if let Some(record) = record {
            self.record = Record::parse(Some(&record.text().unwrap())).unwrap();
        }
        let is_same = |it: &Granted, host: &str| {
            it.run == ask.run && it.scenario == scenario && it.host == host
        };
        let new: Vec<&'static str> = hosts
            .iter()
            .copied()
            .filter(|host| !self.granted.iter().any(|it| is_same(it, host)))
            .collect();
        let Answer::Granted(_) = answer else {
            assert!(!new.is_empty(), "what was granted once stays granted: {answer:?}");
            return false;
        };
        for host in new {
            self.check_turn(&ask.run, host);
            let (run, at) = (ask.run.clone(), self.now);
            self.granted.push(Granted { run, scenario, host, at, is_over: false });
        }
        true
    }

    fn check_turn(&self, run: &RunId, host: &str) {
        let turn = &self.rules.turn;
        let others = self.granted.iter().filter(|it| it.run != *run && !it.is_over);
        // All hosts are in the one group.
        let in_the_way: Vec<&Granted> = others
            .filter(|it| !turn.groups.is_empty() || turn.per_target && it.host == host)
            .collect();
        assert!(in_the_way.is_empty(), "{run} on {host} beside {in_the_way:?}");
    }

    fn check(&self) {
        let same = |a: &Granted, b: &Granted| a.host == b.host && a.scenario == b.scenario;
        for Budget { per, most, within } in &self.rules.budgets {
            let together: fn(&Granted, &Granted) -> bool = match per {
                Per::Target => |a, b| a.host == b.host,
                Per::ScenarioOnTarget => |a, b| a.host == b.host && a.scenario == b.scenario,
                Per::Scenario => |a, b| a.scenario == b.scenario,
                Per::Customer => |_, _| true,
            };
            self.check_windows(*within, *most, together);
        }
        if let Some(rest) = self.rules.cool_down {
            self.check_windows(rest, 1, same);
        }
        assert_eq!(self.record.entries.len(), self.granted.len(), "each is counted once");
    }

    /// In every time of this length that ends with a recovery.
    fn check_windows(
        &self,
        within: Duration,
        most: u32,
        together: impl Fn(&Granted, &Granted) -> bool,
    ) {
        let within = SignedDuration::try_from(within).unwrap();
        for last in &self.granted {
            let counts = |it: &&Granted| {
                let age = last.at.duration_since(it.at);
                together(it, last) && age >= SignedDuration::ZERO && age < within
            };
            let count = self.granted.iter().filter(counts).count();
            assert!(
                count <= most as usize,
                "{count} of {most} within {within:#}: {:#?}",
                self.granted
            );
        }
    }
}

#[test]
fn no_order_of_asks_repeats_ends_and_clocks_gets_more_than_the_budget() {
    let mut runner =
        TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(400) });
    let histories = (rules(), vec(act(), 1..80));
    let held = runner.run(&histories, |(rules, acts)| {
        let mut world = World::new(rules);
        for act in &acts {
            world.act(act);
        }
        world.check();
        Ok(())
    });
    held.unwrap();
}

/// The search above would be worth nothing if it granted nothing.
#[test]
fn a_history_that_keeps_to_the_budget_is_let_through() {
    let mut world = World::new(super::at_most(3));
    for number in 0..30 {
        world.act(&Act::Ask { run: number, scenario: 0, hosts: vec![0], times: 2 });
        world.act(&Act::Step { minutes: 40 });
    }
    world.check();
    assert_eq!(world.granted.len(), 30);
}
