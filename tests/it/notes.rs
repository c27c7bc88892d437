//! The notes as people read them, word for word. A change here is a change of what is said at
//! 3 a.m.: read it before accepting it (`INSTA_UPDATE=always`).

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use ams::claim::journal::StepAt;
use ams::execute::actuator::{Ending, Observation, Output};
use ams::execute::end::End;
use ams::execute::run::told;
use ams::execute::run::{Passes, StepReport};
use ams::execute::verdict::{Verdict, Why};
use ams::incident::{IncidentId, Region, RunId};
use ams::lang::Lang;
use ams::mask::Mask;
use ams::report::note::{Story, Style};
use ams::scenario::model::Scenario;
use ams::scenario::value::Values;
use jiff::Timestamp;
use jiff::tz::TimeZone;

const SCENARIO: &str = "\
scenario: site-down
about: 公開サイトの停止を再起動で復旧する
match: {all: [HTTP]}
steps:
  - check: {name: 応答, http: \"http://127.0.0.1/\"}
  - gather: {name: 直前のログ, run: tail log}
  - recover: {name: 再起動, run: restart}
  - verify: {name: 復旧確認, http: \"http://127.0.0.1/\"}
hand_off:
  manual: |
    1. 直前の変更を確認する
    2. サイト担当へ電話する
";

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_763_800_000 + seconds).unwrap()
}

fn seen(ending: Ending, stdout: &str) -> Observation {
    let total_bytes = stdout.len() as u64;
    let stdout = Output { head: stdout.to_owned(), total_bytes, ..Output::default() };
    Observation { ending, stdout, stderr: Output::default(), took: Duration::from_millis(120) }
}

fn report(step: usize, verdict: Verdict, seen: Observation, attempts: u32) -> StepReport {
    let took = Duration::from_millis(if attempts > 1 { 60_000 } else { 120 });
    let began_at = at(i64::try_from(step).unwrap() * 3);
    StepReport {
        at: StepAt::plain(step),
        entry: None,
        verdict,
        seen: Some(seen),
        attempts,
        began_at,
        took,
        passes: Passes::default(),
    }
}

/// A recovery that did not help.
fn reports() -> Vec<StepReport> {
    let refused = Ending::NoAnswer { reason: "connection refused".to_owned() };
    let down = Verdict::NotMet(Why::NoAnswer("connection refused".to_owned()));
    let log = seen(Ending::Exited(0), "12:00:01 cannot read config\nDB_PASSWORD=hunter2hunter2\n");
    vec![
        report(0, down, seen(refused, ""), 1),
        report(1, Verdict::Met, log, 1),
        report(2, Verdict::Met, seen(Ending::Exited(0), ""), 1),
        report(
            3,
            Verdict::NotMet(Why::Status(503)),
            seen(Ending::Answered { status: 503 }, ""),
            12,
        ),
    ]
}

fn note(lang: Lang, end: Option<&End>, reports: &[StepReport]) -> String {
    let scenario: Scenario =
        ams::scenario::file::read(Path::new("site-down.yaml"), SCENARIO, None).unwrap().0;
    let run = RunId { incident: IncidentId::parse("Q1ABCDEF234567").unwrap(), number: 1 };
    let in_doubt: Vec<StepAt> = match end {
        Some(End::OutcomeUnknown { step }) => vec![StepAt::plain(*step)],
        _ => Vec::new(),
    };
    let told = end.map(|end| told(&scenario, end, &Values::default())).unwrap_or_default();
    let story = Story {
        run: &run,
        region: &Region::new("tokyo"),
        scenario: &scenario,
        title: "【障害】web01 HTTP 応答なし",
        reports,
        in_doubt: &in_doubt,
        told: &told,
        places: &BTreeMap::new(),
        beside: &[],
        whole: None,
        contact: None,
        customer: Some(("サンプル商店株式会社", Some("情報システム部 03-0000-0000"))),
        began_at: at(0),
        now: at(75),
        taken_over: false,
    };
    let zone = TimeZone::get(lang.default_zone()).unwrap();
    let style = Style { lang, zone, mask: Mask::default() };
    match end {
        Some(end) => style.end_note(&story, end),
        None => style.start_note(&story),
    }
}

#[test]
fn a_hand_off_in_japanese() {
    let end = End::NotVerified { step: 3 };
    insta::assert_snapshot!(note(Lang::Ja, Some(&end), &reports()));
}

#[test]
fn a_hand_off_in_english() {
    let end = End::NotVerified { step: 3 };
    insta::assert_snapshot!(note(Lang::En, Some(&end), &reports()));
}

#[test]
fn an_unknown_outcome_in_japanese() {
    let end = End::OutcomeUnknown { step: 2 };
    insta::assert_snapshot!(note(Lang::Ja, Some(&end), &[]));
}

#[test]
fn a_recovery_in_english() {
    let mut reports = reports();
    reports[3] = report(3, Verdict::Met, seen(Ending::Answered { status: 200 }, "ok"), 2);
    insta::assert_snapshot!(note(Lang::En, Some(&End::Verified), &reports));
}

#[test]
fn a_start_in_japanese() {
    insta::assert_snapshot!(note(Lang::Ja, None, &[]));
}
