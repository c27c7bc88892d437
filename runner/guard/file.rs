//! `limits:` as people write them, the same fields in the configuration, a customer's file and a
//! scenario's.

use std::time::Duration;

use super::rules::{Breaker, Budget, Crowd, Per, Row, Rules, Storm, Turn, WhenBusy};
use crate::fields::{At, Fields, duration_words};
use crate::finding::Findings;
use crate::limits;
use crate::yaml::{Kind, Node};

/// Whose limits they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// Of the configuration or of a customer: all scenarios count together on a target.
    Shared,
    /// A scenario counts what it does itself.
    Scenario,
}

/// In `one_at_a_time`, beside the names of groups.
pub const EACH_TARGET: &str = "target";

const PER: [(&str, Per); 3] =
    [("target", Per::Target), ("scenario", Per::Scenario), ("customer", Per::Customer)];

const ROWS: [(&str, Row); 3] =
    [("target", Row::Target), ("group", Row::Group), ("scenario", Row::Scenario)];

const CROWDS: [(&str, Crowd); 2] = [("customer", Crowd::Customer), ("scenario", Crowd::Scenario)];

const WHEN_BUSY: [(&str, WhenBusy); 2] =
    [("wait", WhenBusy::Wait), ("hand_off", WhenBusy::HandOff)];

/// Reads what stands under `limits:`. What is wrong limits nothing and is a finding, with which no
/// file is used.
pub fn read_limits(node: &Node, level: Level, findings: &mut Findings) -> Rules {
    let Some(fields) = Fields::of(node, "limits", findings) else { return Rules::default() };
    let turns = fields.texts("one_at_a_time", findings);
    let mut groups: Vec<String> = turns.into_iter().map(|at| at.value).collect();
    let turns = groups.len();
    groups.retain(|group| group != EACH_TARGET);
    let when_busy = fields.word("when_busy", &WHEN_BUSY, findings);
    let rules = Rules {
        budgets: each(&fields, "budget", findings, |node, findings| {
            read_budget(node, level, findings)
        }),
        cool_down: time(&fields, "cool_down", limits::GUARD_WINDOW, findings),
        breakers: each(&fields, "breaker", findings, read_breaker),
        turn: Turn {
            per_target: groups.len() < turns,
            groups,
            when_busy: when_busy.map(|at| at.value).unwrap_or_default(),
        },
        storms: each(&fields, "storm", findings, read_storm),
    };
    fields.finish(findings);
    rules
}

fn read_budget(node: &Node, level: Level, findings: &mut Findings) -> Option<Budget> {
    let fields = Fields::of(node, "budget", findings)?;
    let per = fields.word("per", &PER, findings).map_or(Per::Target, |at| at.value);
    let most = count(&fields, ("most", "3"), limits::GUARD_COUNT, findings);
    let within = required_time(&fields, ("within", "2h"), limits::GUARD_WINDOW, findings);
    fields.finish(findings);
    let per = match (per, level) {
        (Per::Target, Level::Scenario) => Per::ScenarioOnTarget,
        (per, _) => per,
    };
    Some(Budget { per, most: most?, within: within? })
}

fn read_breaker(node: &Node, findings: &mut Findings) -> Option<Breaker> {
    let fields = Fields::of(node, "breaker", findings)?;
    let per = fields.word("per", &ROWS, findings).map_or(Row::Target, |at| at.value);
    let failures = count(&fields, ("failures", "2"), limits::GUARD_COUNT, findings);
    let within = time(&fields, "within", limits::GUARD_WINDOW, findings);
    let pause = required_time(&fields, ("for", "6h"), limits::GUARD_WINDOW, findings);
    fields.finish(findings);
    let within = within.unwrap_or(limits::GUARD_WINDOW);
    Some(Breaker { per, failures: failures?, within, pause: pause? })
}

fn read_storm(node: &Node, findings: &mut Findings) -> Option<Storm> {
    let fields = Fields::of(node, "storm", findings)?;
    let per = fields.word("per", &CROWDS, findings).map_or(Crowd::Customer, |at| at.value);
    let most = count(&fields, ("most", "10"), limits::STORM_COUNT, findings);
    let within = required_time(&fields, ("within", "5m"), limits::STORM_WINDOW, findings);
    let quiet = required_time(&fields, ("quiet", "10m"), limits::GUARD_WINDOW, findings);
    fields.finish(findings);
    Some(Storm { per, most: most?, within: within?, quiet: quiet? })
}

/// A single one counts as a list of one.
fn each<T>(
    fields: &Fields<'_>,
    key: &'static str,
    findings: &mut Findings,
    read: impl Fn(&Node, &mut Findings) -> Option<T>,
) -> Vec<T> {
    match fields.get(key) {
        None => Vec::new(),
        Some(Node { kind: Kind::List(items), .. }) => {
            items.iter().filter_map(|item| read(item, findings)).collect()
        }
        Some(single) => read(single, findings).into_iter().collect(),
    }
}

fn required_time(
    fields: &Fields<'_>,
    (key, example): (&'static str, &str),
    longest: Duration,
    findings: &mut Findings,
) -> Option<Duration> {
    fields.required(key, example, findings)?;
    time(fields, key, longest, findings)
}

/// Of `longest` at most: what is older is forgotten.
fn time(
    fields: &Fields<'_>,
    key: &'static str,
    longest: Duration,
    findings: &mut Findings,
) -> Option<Duration> {
    let At { place, value } = fields.duration(key, findings)?;
    if value <= longest {
        return Some(value);
    }
    let (is, most) = (duration_words(value), duration_words(longest));
    findings.add(
        "limit-too-long",
        place,
        format!("'{key}' is {is}, and nobody remembers for longer than {most}"),
        format!("write {most} or less"),
    );
    None
}

fn count(
    fields: &Fields<'_>,
    (key, example): (&'static str, &str),
    most: u32,
    findings: &mut Findings,
) -> Option<u32> {
    fields.required(key, example, findings)?;
    let At { place, value } = fields.number(key, findings)?;
    let number = u32::try_from(value).ok().filter(|number| (1..=most).contains(number));
    if number.is_none() {
        findings.add(
            "out-of-range",
            place,
            format!("'{key}: {value}' is not between 1 and {most}"),
            format!("write a number from 1 to {most}"),
        );
    }
    number
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::yaml;

    fn read(text: &str, level: Level) -> (Rules, Vec<String>) {
        let node = yaml::parse(text).unwrap();
        let mut findings = Findings::of(Path::new("x.yaml"));
        let rules = read_limits(&node, level, &mut findings);
        let told = |found: &crate::finding::Finding| format!("{}: {}", found.id, found.message);
        (rules, findings.into_sorted().iter().map(told).collect())
    }

    #[test]
    fn the_built_in_limits_can_be_written() {
        let text = "budget: {most: 3, within: 2h}\none_at_a_time: target\n\
                    storm: [{per: customer, most: 10, within: 5m, quiet: 10m}]\n";
        assert_eq!(read(text, Level::Shared), (Rules::built_in(), Vec::new()));
    }

    #[test]
    fn a_scenario_counts_what_it_does_itself() {
        let text = "budget: [{per: target, most: 2, within: 24h}, {per: customer, most: 9, within: 1h}]\n\
                    cool_down: 15m\nbreaker: {failures: 2, for: 6h}\n\
                    one_at_a_time: [web, target]\nwhen_busy: hand_off\n";
        let (rules, findings) = read(text, Level::Scenario);
        assert_eq!(findings, [""; 0]);
        let hours = Duration::from_hours;
        let budget = |per, most, within| Budget { per, most, within };
        assert_eq!(
            rules.budgets,
            [budget(Per::ScenarioOnTarget, 2, hours(24)), budget(Per::Customer, 9, hours(1))]
        );
        assert_eq!(rules.cool_down, Some(Duration::from_mins(15)));
        let (within, pause) = (limits::GUARD_WINDOW, hours(6));
        assert_eq!(rules.breakers, [Breaker { per: Row::Target, failures: 2, within, pause }]);
        let groups = vec!["web".to_owned()];
        let when_busy = WhenBusy::HandOff;
        assert_eq!(rules.turn, Turn { per_target: true, groups, when_busy });
    }

    #[test]
    fn every_mistake_is_told() {
        let text = "budget: [{per: host, most: 0, within: 100h}, {most: 1}]\n\
                    storm: {most: 1000, within: 2h, quiet: 1h}\nbugdet: 1\n";
        let (_, mut findings) = read(text, Level::Shared);
        findings.sort();
        insta::assert_snapshot!(findings.join("\n"), @"
        limit-too-long: 'within' is 100h, and nobody remembers for longer than 72h
        limit-too-long: 'within' is 2h, and nobody remembers for longer than 1h
        missing-field: budget has no 'within'
        out-of-range: 'most: 0' is not between 1 and 10000
        out-of-range: 'most: 1000' is not between 1 and 100
        unknown-key: limits has no field 'bugdet'
        unknown-word: 'per: host' means nothing here
        ");
    }
}
