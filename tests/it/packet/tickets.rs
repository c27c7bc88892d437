//! Tickets in Backlog.

use ams::claim::journal::Entry;
use ams::claim::told::{ToldResult, ToldWhat};
use ams::incident::Outcome;
use ams::sandbox::pagerduty::ENGINEER;

use super::backlog::{Backlog, Fault};
use super::{BROKEN, told, world};
use crate::first_response::explain;
use crate::harness::wait;
use crate::harness::world::SHORT_LEASE;

const TICKETS: &str = "backlog: {project: SHOP, issue_type: 障害, priority: 高}\n";

#[tokio::test]
async fn a_hand_off_makes_a_ticket_and_the_note_names_it() {
    let backlog = Backlog::start().await;
    let world = world(BROKEN, TICKETS, &backlog.settings())
        .environment("AMS_PAGERDUTY_CUSTOM_FIELDS_TICKET", "ams_ticket")
        .start()
        .await;
    let incident = world.fire("service web down\u{7}");
    let run = world.expect(&incident, Outcome::HandedOff).await;
    let [issue] = &backlog.issues()[..] else { panic!("{}", world.everything(&incident)) };
    assert_eq!(issue.summary, "[AMS 引継ぎ] service web down");
    assert_eq!((issue.kind, issue.priority), (22, 2));
    let text = &issue.description;
    assert!(text.starts_with("AMS 引継ぎ: ") && text.contains("1. ログを見る"), "{text}");
    assert!(text.contains("DB_PASSWORD=****") && !text.contains("hunter2"), "{text}");
    assert!(text.contains(&format!("/incidents/{incident}")), "{text}");
    assert!(text.ends_with(&format!("[ams:incident:{incident}]\n[ams:{incident}/1:ticket]")));
    assert_eq!(world.view(&incident).fields["ams_ticket"], "SHOP-1");
    let note = world.last_note(&incident);
    let shown = format!("■ 連携先\nチケット: SHOP-1 {}/view/SHOP-1\n", backlog.url);
    assert!(note.contains(&shown), "{note}");
    assert!(world.view(&incident).paged().any(|user| user == ENGINEER));
    assert_eq!(told(&run), [(ToldWhat::Ticket, ToldResult::Sent, true)]);
    let metrics = world.cluster.regions[world.owner(&incident).await].url("/metrics");
    wait::for_text(&metrics, "ams_told_beside_total{what=\"ticket\",result=\"sent\"} 1").await;
    assert_eq!(backlog.problems(), [""; 0]);
    explain::until_told(&world, &incident).await;
    let told = explain::text(&explain::config(&world), &incident, "ja");
    assert!(told.contains("チケット: SHOP-1 http"), "{told}");
    world.end().await;
}

#[tokio::test]
async fn a_ticket_whose_maker_died_before_the_answer_is_not_made_again() {
    let backlog = Backlog::start().await;
    let settings = format!("{}{SHORT_LEASE}", backlog.settings());
    let mut world = world(BROKEN, TICKETS, &settings).start().await;
    backlog.fail(1, Fault::NeverAnswered);
    let incident = world.fire("service web down");
    wait::until("the ticket", || backlog.issues().len() == 1).await;
    let owner = world.owner(&incident).await;
    world.kill(owner).await;
    let run = world.expect(&incident, Outcome::HandedOff).await;
    assert_eq!((run.epoch, backlog.issues().len()), (2, 1));
    assert_eq!(backlog.writes(), 1, "it was looked for and found");
    assert!(world.last_note(&incident).contains("チケット: SHOP-1 http"));
    assert_eq!(told(&run), [(ToldWhat::Ticket, ToldResult::Sent, true)]);
    let announced = |entry: &&Entry| matches!(entry, Entry::Telling { .. });
    assert_eq!(run.journal.entries().iter().filter(announced).count(), 1);
    world.restart(owner).await;
    world.end().await;
}

#[tokio::test]
async fn an_answer_that_is_lost_costs_no_second_ticket() {
    let backlog = Backlog::start().await;
    let world = world(BROKEN, TICKETS, &backlog.settings()).start().await;
    backlog.fail(1, Fault::AnswerLost);
    let incident = world.fire("service web down");
    world.expect(&incident, Outcome::HandedOff).await;
    assert_eq!((backlog.issues().len(), backlog.writes()), (1, 1));
    assert!(world.last_note(&incident).contains("チケット: SHOP-1 http"));
    world.end().await;
}

#[tokio::test]
async fn a_ticket_is_tried_again_until_backlog_takes_it() {
    let backlog = Backlog::start().await;
    let world = world(BROKEN, TICKETS, &backlog.settings()).start().await;
    backlog.fail(1, Fault::Says(429));
    backlog.fail(1, Fault::Says(503));
    let incident = world.fire("service web down");
    world.expect(&incident, Outcome::HandedOff).await;
    assert_eq!((backlog.issues().len(), backlog.writes()), (1, 3));
    world.end().await;
}

#[tokio::test]
async fn a_reopened_incident_goes_on_in_its_ticket_while_that_is_open() {
    let backlog = Backlog::start().await;
    let world = world(BROKEN, TICKETS, &backlog.settings()).start().await;
    let mut incidents = Vec::new();
    for title in ["service web down", "service db down"] {
        let incident = world.fire(title);
        world.expect(&incident, Outcome::HandedOff).await;
        incidents.push(incident);
    }
    backlog.close(backlog.issues()[1].id);
    for incident in &incidents {
        world.pagerduty().resolve_as(ENGINEER, incident).unwrap();
        world.pagerduty().reopen_as(ENGINEER, incident).unwrap();
        world.until_run(incident, |it| it.run.number == 2 && it.outcome.is_some()).await;
    }
    let [open, closed, new] = &backlog.issues()[..] else { panic!("{}", backlog.issues().len()) };
    let marker = |number: usize| format!("[ams:{}/2:ticket]", incidents[number]);
    let [comment] = &open.comments[..] else { panic!("one comment") };
    assert!(comment.ends_with(&marker(0)), "{comment}");
    assert!(world.last_note(&incidents[0]).contains("/view/SHOP-1（追記）"));
    assert!(closed.comments.is_empty() && new.description.ends_with(&marker(1)));
    assert_eq!(backlog.problems(), [""; 0]);
    world.end().await;
}

#[tokio::test]
async fn the_same_trouble_goes_on_in_one_ticket_where_the_customer_wants_it() {
    let backlog = Backlog::start().await;
    let customer = "backlog: {project: SHOP, append: scenario, summary: \
        \"{{ customer.name }}: {{ scenario.about }}\", description: \"{{ run.reason }}\"}\n";
    let world = world(BROKEN, customer, &backlog.settings()).start().await;
    for title in ["service web down", "service db down"] {
        let incident = world.fire(title);
        world.expect(&incident, Outcome::HandedOff).await;
    }
    let [issue] = &backlog.issues()[..] else { panic!("one ticket") };
    assert_eq!(issue.summary, "サンプル商店: サービスの停止を起動で復旧する");
    assert!(issue.description.contains("[ams:scenario:shop/service-down]"));
    assert_eq!(issue.comments.len(), 1);
    world.end().await;
}

#[tokio::test]
async fn nobody_waits_for_a_backlog_that_is_down_and_what_comes_late_is_told() {
    let backlog = Backlog::start().await;
    let world = world(BROKEN, TICKETS, &backlog.settings()).start().await;
    backlog.fail(10_000, Fault::Says(503));
    let incident = world.fire("service web down");
    let view = world
        .until(&incident, |view| view.notes.iter().any(|note| note.content.contains(":end]")))
        .await;
    assert!(view.paged().any(|user| user == ENGINEER));
    assert!(world.last_note(&incident).contains("チケット: 送信中です"));
    assert_eq!(backlog.issues().len(), 0);
    backlog.heal();
    let run = world.expect(&incident, Outcome::HandedOff).await;
    let note = world.last_note(&incident);
    assert!(note.starts_with("AMS: 連携の結果です。\nチケット: SHOP-1 http"), "{note}");
    assert_eq!(told(&run), [(ToldWhat::Ticket, ToldResult::Sent, true)]);
    world.end().await;
}

#[tokio::test]
async fn a_backlog_that_refuses_is_named_in_the_note() {
    let backlog = Backlog::start().await;
    let customer = "backlog: {project: NOSUCH}\n";
    let world = world(BROKEN, customer, &backlog.settings()).start().await;
    let incident = world.fire("service web down");
    let run = world.expect(&incident, Outcome::HandedOff).await;
    let note = world.last_note(&incident);
    assert!(
        note.contains("チケット: 受け付けられませんでした（Backlog: 404 No project. (6)）"),
        "{note}"
    );
    assert_eq!(told(&run), [(ToldWhat::Ticket, ToldResult::Refused, false)]);
    for region in &world.cluster.regions {
        let log = std::fs::read_to_string(&region.log).unwrap();
        assert!(!log.contains(super::backlog::KEY), "the key is in no log");
    }
    world.end().await;
}

#[tokio::test]
async fn without_the_settings_the_note_says_that_nothing_was_sent() {
    let world = world(BROKEN, TICKETS, "").start().await;
    let incident = world.fire("service web down");
    let run = world.expect(&incident, Outcome::HandedOff).await;
    assert!(world.last_note(&incident).contains("チケット: 送っていません。AMSの設定に"));
    assert_eq!(told(&run), []);
    world.end().await;
}

/// Repairs at once, and its author knows that the cause stays.
const WORKAROUND: &str = "\
scenario: service-down
about: サービスの停止を起動で復旧する
match: {all: [service, down]}
steps:
  - recover: {name: 起動, run: 'true'}
  - verify: {name: 確認, run: 'true'}
  - resolve: {message: 再起動で戻りました, ticket: follow_up}
";

#[tokio::test]
async fn a_workaround_leaves_one_ticket_for_its_cause_however_often_it_is_needed() {
    let backlog = Backlog::start().await;
    let customer = "backlog: {project: SHOP, follow_up_type: 障害}\n";
    let world = world(WORKAROUND, customer, &backlog.settings()).start().await;
    for title in ["service web down", "service db down"] {
        let incident = world.fire(title);
        let run = world.expect(&incident, Outcome::Resolved).await;
        assert_eq!(told(&run), [(ToldWhat::FollowUp, ToldResult::Sent, true)]);
        assert!(world.last_note(&incident).contains("恒久対応のチケット: SHOP-1 http"));
    }
    let [issue] = &backlog.issues()[..] else { panic!("one ticket") };
    assert_eq!(issue.summary, "[AMS 恒久対応] サービスの停止を起動で復旧する");
    assert!(issue.description.starts_with("AMSの対応は暫定です。"));
    assert_eq!((issue.kind, issue.comments.len()), (22, 1));
    world.end().await;
}
