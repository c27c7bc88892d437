use jiff::SignedDuration;

use super::*;
use crate::incident::RunId;

const NOON: &str = "2026-03-04T12:00:00Z";

fn noon() -> Timestamp {
    NOON.parse().unwrap()
}

/// An incident that came so many seconds after noon, was claimed a second later and ended after so many.
fn figure(incident: &str, came: i64, outcome: Outcome, took: i64) -> Figure {
    let came_at = noon() + SignedDuration::from_secs(came);
    let at = |seconds| came_at + SignedDuration::from_secs(seconds);
    let run = RunId { incident: IncidentId::parse(incident).unwrap(), number: 1 };
    Figure {
        customer: Some(Known { id: "shop".to_owned(), name: "商店".to_owned() }),
        scenario: (outcome != Outcome::Unmatched).then(|| "restart".to_owned()),
        came_at: Some(came_at),
        acted_at: (outcome != Outcome::Unmatched).then(|| at(2)),
        told_at: Some(at(took)),
        ..Figure::of(&run, outcome, at(1), at(took + 1))
    }
}

fn terms(first: &str, last: &str) -> Terms {
    let zone = TimeZone::get("Asia/Tokyo").unwrap();
    let period = Period::of(Some(first), Some(last), (noon(), &zone)).unwrap();
    Terms { period, wanted: Wanted::default(), zone, by_hand: Duration::from_mins(10) }
}

#[test]
fn every_alert_is_in_exactly_one_place() {
    let all: Vec<Figure> = Outcome::ALL
        .iter()
        .enumerate()
        .map(|(number, outcome)| figure(&format!("Q{number}"), 0, *outcome, 60))
        .collect();
    let total = Report::of(&all, &terms("2026-03-04", "2026-03-04"), &[]).total;
    let Group { recovered, recovered_itself, reopened, handed_off, escalated, .. } = total;
    let Group { taken_over, ended_meanwhile, suspended, shadowed, unmatched, .. } = total;
    let places = [
        recovered,
        recovered_itself,
        reopened,
        handed_off,
        escalated,
        taken_over,
        ended_meanwhile,
        suspended,
        shadowed,
        unmatched,
    ];
    assert_eq!(places, [1, 1, 0, 1, 1, 1, 0, 1, 1, 1]);
    assert_eq!((total.alerts, total.matched, total.handled), (8, 7, 2));
    assert!((total.rate() - 0.25).abs() < 1e-9);
    assert_eq!(total.saved_minutes, 20);
}

#[test]
fn times_count_from_the_incident_s_beginning_each_over_its_own_runs() {
    let mut all: Vec<Figure> =
        (1..=10).map(|n| figure(&format!("R{n}"), n, Outcome::Resolved, n * 10)).collect();
    all.push(figure("H1", 0, Outcome::HandedOff, 30));
    // It came with no time: its claim is counted from nothing.
    let bare = Figure { came_at: None, ..figure("B1", 0, Outcome::Unmatched, 0) };
    all.push(bare);
    let total = Report::of(&all, &terms("2026-03-04", "2026-03-04"), &[]).total;
    let spread =
        |count, mean, p90| Spread { count, mean_seconds: Some(mean), p90_seconds: Some(p90) };
    assert_eq!(total.to_claim, spread(11, 1.0, 1.0));
    assert_eq!(total.to_first_action, spread(11, 2.0, 2.0));
    assert_eq!(total.to_recovery, spread(10, 55.0, 90.0));
    assert_eq!(total.to_hand_off, spread(1, 30.0, 30.0));
}

#[test]
fn what_was_opened_again_was_not_handled() {
    let first = figure("Q1", 0, Outcome::Resolved, 60);
    // Two days later, behind the end of the report.
    let again = Figure { run: 2, ..figure("Q1", 2 * 86_400, Outcome::Escalated, 60) };
    let kept = figure("Q2", 0, Outcome::Resolved, 60);
    let all = [first, again, kept];
    let total = Report::of(&all, &terms("2026-03-04", "2026-03-04"), &[]).total;
    assert_eq!((total.alerts, total.handled, total.reopened), (2, 1, 1));
    assert_eq!(total.saved_minutes, 10);
    let both = Report::of(&all, &terms("2026-03-04", "2026-03-06"), &[]).total;
    assert_eq!((both.alerts, both.handled, both.escalated), (3, 1, 1));
}

#[test]
fn what_monitoring_cleared_is_not_what_a_person_took_over() {
    let stood_down = |id: &str, reason| Figure {
        stood_down: Some(reason),
        ..figure(id, 0, Outcome::StoodDown, 5)
    };
    let all = [
        stood_down("Q1", StandDownReason::Acknowledged),
        stood_down("Q2", StandDownReason::StopNote),
        stood_down("Q3", StandDownReason::ResolvedByMonitoring),
        stood_down("Q4", StandDownReason::OverBeforeStart),
    ];
    let total = Report::of(&all, &terms("2026-03-04", "2026-03-04"), &[]).total;
    assert_eq!((total.taken_over, total.ended_meanwhile, total.handled), (2, 2, 0));
}

#[test]
fn groups_are_the_operator_s_weeks_and_the_largest_first() {
    // 2026-03-08 is a Sunday; in Tokyo its evening in London is Monday.
    let sunday = figure("Q1", 4 * 86_400, Outcome::Resolved, 60);
    let monday = figure("Q2", 4 * 86_400 + 4 * 3_600, Outcome::Unmatched, 60);
    let other = Figure {
        customer: None,
        by_hand_seconds: Some(3_600),
        ..figure("Q3", 0, Outcome::Resolved, 60)
    };
    let all = [sunday, monday, other];
    let by = [By::Week, By::Customer, By::Scenario, By::Month];
    let report = Report::of(&all, &terms("2026-03", "2026-03"), &by);
    let told = |section: &Section| -> Vec<(Option<String>, usize, usize, u64)> {
        let each = section.groups.iter();
        each.map(|it| (it.key.clone(), it.alerts, it.handled, it.saved_minutes)).collect()
    };
    let key = |text: &str| Some(text.to_owned());
    assert_eq!(
        told(&report.sections[0]),
        [(key("2026-03-02"), 2, 2, 70), (key("2026-03-09"), 1, 0, 0)]
    );
    assert_eq!(told(&report.sections[1]), [(key("shop"), 2, 1, 10), (None, 1, 1, 60)]);
    assert_eq!(report.sections[1].groups[0].name, key("商店"));
    assert_eq!(told(&report.sections[2]), [(key("restart"), 2, 2, 70), (None, 1, 0, 0)]);
    assert_eq!(told(&report.sections[3]), [(key("2026-03"), 3, 2, 70)]);
}

#[test]
fn only_what_is_asked_for_counts() {
    let all =
        [figure("Q1", 0, Outcome::Resolved, 60), figure("Q2", -22 * 3_600, Outcome::Resolved, 60)];
    let mut asked = terms("2026-03-04", "2026-03-04");
    assert_eq!(Report::of(&all, &asked, &[]).total.alerts, 1, "the other was the day before");
    asked.wanted.customer = Some("other".to_owned());
    assert_eq!(Report::of(&all, &asked, &[]).total.alerts, 0);
    asked.wanted = Wanted { scenario: Some("restart".to_owned()), ..Wanted::default() };
    assert_eq!(Report::of(&all, &asked, &[]).total.alerts, 1);
}

#[test]
fn periods_are_days_or_months_and_not_longer_than_what_is_kept() {
    let zone = TimeZone::get("Asia/Tokyo").unwrap();
    let of = |first, last| Period::of(first, last, (noon(), &zone));
    let usual = of(None, None).unwrap();
    assert_eq!(
        (usual.first.to_string(), usual.last.to_string()),
        ("2026-02-03".into(), "2026-03-04".into())
    );
    let month = of(Some("2026-02"), Some("2026-02")).unwrap();
    assert_eq!(month.last.to_string(), "2026-02-28");
    assert_eq!(month.from.to_string(), "2026-01-31T15:00:00Z");
    assert!(of(Some("2026-03-05"), Some("2026-03-04")).unwrap_err().contains("--from comes first"));
    assert!(of(Some("2024-01"), None).unwrap_err().contains("more than 400 days"));
    assert!(of(Some("yesterday"), None).unwrap_err().contains("2026-10-01"));
}
