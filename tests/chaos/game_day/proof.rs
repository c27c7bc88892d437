//! What must hold on a game day, besides what holds always.

use ams::claim::journal::{Entry, Reason};
use ams::claim::protocol::RunItem;
use ams::incident::{IncidentId, Outcome, Status};
use ams::sandbox::pagerduty::{BOT, ENGINEER};
use ams::scenario::model::Effect;
use jiff::SignedDuration;

use super::facts::{Facts, is_of};
use super::load;
use crate::course::hold_each;
use crate::evidence::Case;
use crate::report::Held;

/// Nobody may take over within it, counted from the last sign of life.
const LEASE: SignedDuration = SignedDuration::from_secs(6);

/// A heartbeat may have been seen here so much later than by whoever takes over.
const SEEN_LATE: SignedDuration = SignedDuration::from_secs(1);

/// What was on its way when the path was cut, or was seen a look too late.
const UNDER_WAY: SignedDuration = SignedDuration::from_millis(500);

type Wrong = Vec<(Option<IncidentId>, String)>;

/// A rule over everything, and how much it looks at.
type Rule = (&'static str, fn(&Facts<'_>) -> usize, fn(&Facts<'_>) -> Wrong);

pub(crate) const ALL_THERE: &str = "every incident of the load is there, with one run";
pub(crate) const EXPECTED: &str = "every incident ends as its kind must end";
pub(crate) const ONCE: &str = "every recovery that is due ran once, no other ran";
pub(crate) const PAGES: &str = "a page where one is due, and only there";
pub(crate) const SOMEBODY: &str = "what is left open has somebody";
pub(crate) const REASON: &str = "no take-over without reason";
pub(crate) const CARRIED_ON: &str = "what the lost region had under way is carried on";
pub(crate) const TAKES_NOTHING: &str = "a region that is cut off takes no incident in";
pub(crate) const RED_FIRST: &str = "it is not ready before anybody takes over";
pub(crate) const DELIVERED: &str = "every webhook arrives, none is given up";
pub(crate) const PROCESSES: &str = "no process ends by itself, all end when told";

const RULES: [Rule; 11] = [
    (ALL_THERE, |facts| facts.fired, all_there),
    (EXPECTED, |facts| facts.cases.len(), |facts| each(facts, expected)),
    (ONCE, |facts| facts.cases.len(), |facts| each(facts, once)),
    (PAGES, |facts| facts.cases.len(), |facts| each(facts, pages)),
    (
        SOMEBODY,
        |facts| facts.cases.iter().filter(|it| is_open(it)).count(),
        |facts| each(facts, somebody),
    ),
    (REASON, |facts| facts.take_overs.len(), reason),
    (CARRIED_ON, |facts| under_way(facts).count(), carried_on),
    (TAKES_NOTHING, |facts| cut_off(facts).count(), takes_nothing),
    (RED_FIRST, |_| 2, red_first),
    (DELIVERED, |facts| facts.answers.iter().map(Vec::len).sum(), delivered),
    (PROCESSES, |_| 4, |facts| facts.misbehaved.iter().map(|it| (None, it.clone())).collect()),
];

/// Every rule against everything.
pub(crate) fn hold(facts: &Facts<'_>) -> Vec<Held> {
    let own = RULES.iter().map(|(rule, looked_at, wrong)| Held {
        rule,
        looked_at: looked_at(facts),
        wrong: wrong(facts),
    });
    own.chain(hold_each(&facts.cases, &facts.backwards)).collect()
}

fn each(facts: &Facts<'_>, check: fn(&Case<'_>) -> Vec<String>) -> Wrong {
    let found = facts
        .cases
        .iter()
        .flat_map(|case| check(case).into_iter().map(|what| (Some(case.id().clone()), what)));
    found.collect()
}

fn all_there(facts: &Facts<'_>) -> Wrong {
    let mut wrong = Wrong::new();
    let (fired, known, told) = (facts.fired, facts.known, facts.cases.len());
    if known != fired || told != fired {
        wrong
            .push((None, format!("{fired} were fired, PagerDuty has {known}, {told} are told of")));
    }
    for case in facts.cases.iter().filter(|case| case.runs.len() != 1) {
        wrong.push((Some(case.id().clone()), format!("it has {} runs", case.runs.len())));
    }
    wrong
}

/// Given to people because nobody could say whether a recovery had run: an answer, and the only
/// right one where that is so.
pub(crate) fn is_unknown(item: &RunItem) -> bool {
    item.epoch > 1
        && item.journal.entries().iter().any(|entry| {
            matches!(entry, Entry::Closing { reason: Reason::OutcomeUnknown { .. }, .. })
        })
}

fn expected(case: &Case<'_>) -> Vec<String> {
    let Some(item) = case.last_run() else { return Vec::new() };
    let (wanted, outcome) = (load::expected(case.planned), item.outcome);
    let is_right =
        outcome == Some(wanted) || outcome == Some(Outcome::Escalated) && is_unknown(item);
    let told = || format!("it ended as {}, not {wanted}", outcome.map_or("nothing", Outcome::word));
    if is_right { Vec::new() } else { vec![told()] }
}

fn once(case: &Case<'_>) -> Vec<String> {
    let Some(item) = case.last_run() else { return Vec::new() };
    let (due, times) = (load::recoveries(case.planned), case.times(item.run.number));
    let mut wrong = Vec::new();
    for wanted in due {
        let (step, host) = wanted.split_once(' ').unwrap_or((wanted, "-"));
        let may_lack = load::may_do_less(case.planned) || is_unknown(item);
        match times.get(&(step, host)) {
            Some(1) => {}
            None if may_lack => {}
            // One that may be repeated was cut off in its middle.
            Some(2) if item.epoch > 1 && case.is(step, Effect::Idempotent) => {}
            times => wrong.push(format!("'{wanted}' ran {} times", times.unwrap_or(&0))),
        }
    }
    let others = times.keys().filter(|(step, host)| !due.contains(&&*format!("{step} {host}")));
    wrong.extend(others.map(|(step, host)| format!("'{step} {host}' ran and was not due")));
    wrong
}

fn pages(case: &Case<'_>) -> Vec<String> {
    let Some(item) = case.last_run() else { return Vec::new() };
    let pages = case.pages();
    let fits = match item.outcome {
        // By PagerDuty itself, whose timer nobody stopped.
        Some(Outcome::Unmatched) => pages == 1,
        // A take-over in the middle of a page pages the same level again.
        Some(Outcome::HandedOff | Outcome::Escalated) => pages == 1 || pages == 2 && item.epoch > 1,
        Some(_) => pages == 0,
        None => true,
    };
    let outcome = item.outcome.map_or("open", Outcome::word);
    if fits { Vec::new() } else { vec![format!("{outcome}, and people were paged {pages} times")] }
}

fn is_open(case: &Case<'_>) -> bool {
    case.view.status != Status::Resolved
}

/// Assigned to a person who was paged, or acknowledged by one.
fn somebody(case: &Case<'_>) -> Vec<String> {
    let is_paged = |user: &String| user != BOT && case.view.paged().any(|paged| paged == user);
    let acknowledged = case.view.acknowledged_by.iter().any(|(user, _)| user == ENGINEER);
    if !is_open(case) || acknowledged || case.view.assignees.iter().any(is_paged) {
        return Vec::new();
    }
    vec![format!("it is {} and nobody has it", case.view.status.word())]
}

/// From a process of the lost region, whose heart had stood still for a whole lease.
fn reason(facts: &Facts<'_>) -> Wrong {
    let mut wrong = Wrong::new();
    for it in &facts.take_overs {
        let beats = facts.seen.beats.iter();
        let mut its = beats.filter(|(at, owner)| owner.as_str() == it.from && *at <= it.at);
        let still = its.next_back().map(|(beat, _)| it.at.duration_since(*beat));
        let is_dead = still.is_some_and(|still| still + SEEN_LATE >= LEASE);
        if !is_of(&it.from, 0) || it.at < facts.moments.cut || !is_dead {
            let still = still.unwrap_or_default().as_secs_f64();
            let what = format!("{} took it from {}, still for {still:.1} s", it.by, it.from);
            wrong.push((Some(it.incident.clone()), what));
        }
    }
    wrong
}

/// Runs of the lost region that were open at the cut.
fn under_way<'a>(facts: &'a Facts<'_>) -> impl Iterator<Item = &'a RunItem> {
    let cut = facts.moments.cut;
    facts.claims().map(|(_, item)| item).filter(move |item| {
        let is_over = item.outcome.is_some() && item.changed_at <= cut + UNDER_WAY;
        is_of(facts.claimed_by(item), 0) && item.opened_at <= cut && !is_over
    })
}

fn carried_on(facts: &Facts<'_>) -> Wrong {
    let left = under_way(facts)
        .filter(|item| !facts.take_overs.iter().any(|it| it.incident == item.run.incident));
    let tell = |item: &RunItem| {
        let what = format!("{} had it at the cut, and nobody took it over", item.owner);
        (Some(item.run.incident.clone()), what)
    };
    let mut wrong: Wrong = left.map(tell).collect();
    if under_way(facts).next().is_none() {
        wrong.push((None, "nothing was under way, so the day shows nothing".to_owned()));
    }
    wrong
}

/// What came to the lost region about incidents that began after the cut, and before it was back.
fn cut_off<'a>(facts: &'a Facts<'_>) -> impl Iterator<Item = &'a super::front::Answer> {
    let (from, until) = (facts.moments.cut + UNDER_WAY, facts.moments.back);
    facts.answers[0].iter().filter(move |it| it.begins && it.at >= from && it.at < until)
}

fn takes_nothing(facts: &Facts<'_>) -> Wrong {
    let taken = cut_off(facts).filter(|it| it.is_taken());
    let mut wrong: Wrong = taken
        .map(|it| (it.incident.clone(), "it was answered 2xx without a store".to_owned()))
        .collect();
    let (from, until) = (facts.moments.cut + UNDER_WAY, facts.moments.back);
    for (_, item) in facts.claims() {
        let while_lost = item.opened_at >= from && item.opened_at < until;
        if while_lost && is_of(facts.claimed_by(item), 0) {
            let what = format!("{} claimed it without a store", item.owner);
            wrong.push((Some(item.run.incident.clone()), what));
        }
    }
    wrong
}

fn red_first(facts: &Facts<'_>) -> Wrong {
    let Some(first) = facts.take_overs.first() else { return Wrong::new() };
    let processes = ["tokyo-1", "tokyo-2"].into_iter();
    let late = processes.filter(|process| {
        facts.turns(process, false, facts.moments.cut).is_none_or(|at| at >= first.at)
    });
    late.map(|process| (None, format!("{process} was ready when the first run was taken over")))
        .collect()
}

fn delivered(facts: &Facts<'_>) -> Wrong {
    let mut wrong = Wrong::new();
    for stats in &facts.deliveries {
        let given_up = stats.dropped + stats.discarded;
        if given_up > 0 {
            wrong.push((None, format!("{given_up} webhooks were given up")));
        }
    }
    if facts.undelivered > 0 {
        wrong.push((None, format!("{} webhooks still wait", facts.undelivered)));
    }
    let refused = facts.answers.iter().flatten();
    for answer in refused.filter(|it| it.status.is_some_and(|it| (400..500).contains(&it))) {
        wrong.push((answer.incident.clone(), "a signed webhook was refused".to_owned()));
    }
    wrong
}
