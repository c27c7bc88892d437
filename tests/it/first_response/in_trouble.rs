//! PagerDuty or the store in trouble: nothing is lost, nobody is forgotten.

use std::sync::Arc;
use std::time::Duration;

use ams::clock::{Clock as _, SetClock, SystemClock};
use ams::incident::{Outcome, Urgency};
use ams::sandbox::pagerduty::{ENGINEER, Entry, Fault, NewIncident};
use jiff::SignedDuration;

use super::{REPAIR, SLOW};
use crate::harness::world::{SHORT_LEASE, World};

#[tokio::test]
async fn a_pagerduty_that_fails_for_a_while_is_told_in_the_end() {
    let world = World::with(REPAIR).start().await;
    world.write("broken", "");
    world.pagerduty().fail_next(12, Fault::Status(500));
    let incident = world.fire("service web down");
    world.expect(&incident, Outcome::Escalated).await;
    let pages = world.view(&incident).paged().filter(|user| *user == ENGINEER).count();
    assert_eq!(pages, 1);
    // Whichever way worked in the end.
    let title = world.view(&incident).title;
    assert!(title.starts_with("[AMS 引継ぎ]"), "{title}");
    world.end().await;
}

#[tokio::test]
async fn a_start_that_arrives_after_the_end_does_not_keep_the_title() {
    let world =
        World::with(&REPAIR.replace("run: echo 状況の出力", "run: sleep 1.2")).start().await;
    world.write("broken", "");
    let late = Fault::Late(Duration::from_secs(6));
    world.pagerduty().fail_next_of(1, late, "PUT", "/incidents/{id}");
    let incident = world.fire("service web down");
    world.expect(&incident, Outcome::Escalated).await;
    let view = world.view(&incident);
    let titles = view.log.iter().filter_map(|entry| match &entry.what {
        Entry::Retitled { title } => Some(title.split(']').next().unwrap().to_owned()),
        _ => None,
    });
    let titles: Vec<String> = titles.collect();
    assert_eq!(titles, ["[AMS 引継ぎ", "[AMS 対応中", "[AMS 引継ぎ"]);
    world.end().await;
}

#[tokio::test]
async fn a_note_whose_answer_is_lost_is_not_posted_twice() {
    let world = World::with(REPAIR).start().await;
    let notes = "/incidents/{id}/notes";
    world.pagerduty().fail_next_of(2, Fault::DropAnswerAfterEffect, "POST", notes);
    let incident = world.fire("service web down");
    world.expect(&incident, Outcome::Resolved).await;
    world.end().await;
}

#[tokio::test]
async fn a_rate_limit_delays_and_loses_nothing() {
    let world = World::with(REPAIR).start().await;
    world.pagerduty().fail_next(4, Fault::RateLimit { headers: false });
    let incident = world.fire("service web down");
    world.expect(&incident, Outcome::Resolved).await;
    world.end().await;
}

#[tokio::test]
async fn a_low_urgency_incident_is_raised_and_escalated() {
    let world = World::with(REPAIR).start().await;
    world.write("broken", "");
    let mut new = NewIncident::titled("service web down");
    new.urgency = Urgency::Low;
    let incident = world.pagerduty().trigger(new).unwrap();
    world.expect(&incident, Outcome::Escalated).await;
    let view = world.view(&incident);
    assert_eq!(view.urgency, Urgency::High);
    assert!(view.paged().any(|user| user == ENGINEER));
    world.end().await;
}

#[tokio::test]
async fn a_late_webhook_of_an_incident_that_is_over_starts_nothing() {
    // PagerDuty's events say that they are ten minutes old, as after a long outage of ours.
    let ago = SystemClock.now() - SignedDuration::from_mins(10);
    let clock = Arc::new(SetClock::at(ago));
    let mut world = World::with(REPAIR).pagerduty_clock(clock).start().await;
    world.kill(0).await;
    world.kill(1).await;
    let incident = world.fire("service web down");
    world.pagerduty().resolve_as(ENGINEER, &incident).unwrap();
    world.restart(0).await;
    world.restart(1).await;
    world.expect(&incident, Outcome::StoodDown).await;
    assert_eq!(world.read("recoveries"), "");
    assert_eq!(world.view(&incident).notes.len(), 0, "there is nothing to say");
    world.end().await;
}

#[tokio::test]
async fn a_store_that_does_not_answer_is_a_503_and_the_incident_is_handled_later() {
    let world = World::with(REPAIR).start().await;
    let blocker = rusqlite::Connection::open(world.cluster.claims()).unwrap();
    blocker.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let incident = world.fire("service web down");
    let url = world.cluster.regions[0].url("/readyz");
    crate::harness::wait::for_status(&url, 503).await;
    assert_eq!(world.read("recoveries"), "", "nothing starts without a durable claim");
    blocker.execute_batch("ROLLBACK").unwrap();
    world.expect(&incident, Outcome::Resolved).await;
    crate::harness::wait::for_status(&url, 200).await;
    assert_eq!(world.read("recoveries").lines().count(), 1);
    world.end().await;
}

#[tokio::test]
async fn a_store_that_takes_an_intent_slowly_delays_the_recovery_and_does_not_fail_it() {
    let short = SLOW.replace("for: 30s", "for: 2s");
    let world = World::with(&short).settings(SHORT_LEASE).start().await;
    let incident = world.fire("service is slow");
    world.until_working(&incident).await;
    // Over the end of the wait and longer than a heartbeat counts, not as long as a write waits.
    let blocker = rusqlite::Connection::open(world.cluster.claims()).unwrap();
    blocker.execute_batch("BEGIN EXCLUSIVE").unwrap();
    tokio::time::sleep(Duration::from_millis(2_700)).await;
    blocker.execute_batch("ROLLBACK").unwrap();
    world.expect(&incident, Outcome::Resolved).await;
    assert_eq!(world.read("recoveries").lines().count(), 1);
    world.end().await;
}

#[tokio::test]
async fn a_slow_pagerduty_does_not_delay_the_answer_to_a_webhook() {
    let world = World::with(REPAIR).start().await;
    world.pagerduty().fail_next(2, Fault::Hang(Duration::from_secs(3)));
    let incident = world.fire("service web down");
    assert!(world.pagerduty().deliveries_settled(Duration::from_secs(2)).await);
    world.expect(&incident, Outcome::Resolved).await;
    world.end().await;
}

#[tokio::test]
async fn an_open_incident_whose_webhooks_were_lost_everywhere_is_found() {
    let mut world = World::with(REPAIR).reconciled().0.start().await;
    world.pagerduty().lose_webhooks(true);
    let mine = world.fire("service web down");
    world.pagerduty().acknowledge_as(ENGINEER, &mine).unwrap();
    // Its claim was lost: what was done for it nobody knows.
    let ours = world.fire("[AMS 対応中] service mail down");
    let lost = world.fire("service db down");
    world.pagerduty().lose_webhooks(false);
    let run = world.expect(&lost, Outcome::Resolved).await;
    assert_eq!((run.run.number, run.epoch), (1, 1));
    assert_eq!(world.read("recoveries").lines().count(), 1);
    world.leave_to_people(&mine);
    world.leave_to_people(&ours);
    world.end().await;
}

#[tokio::test]
async fn a_reopening_whose_webhooks_were_lost_everywhere_is_found() {
    let (world, clock) = World::with(REPAIR).reconciled();
    let world = world.start().await;
    let incident = world.fire("service web down");
    world.expect(&incident, Outcome::Resolved).await;
    clock.advance(SignedDuration::from_mins(5));
    world.pagerduty().lose_webhooks(true);
    world.pagerduty().reopen_as(ENGINEER, &incident).unwrap();
    world.pagerduty().lose_webhooks(false);
    world.until_run(&incident, |item| item.run.number == 2).await;
    world.expect(&incident, Outcome::RecoveredItself).await;
    assert_eq!(world.read("recoveries").lines().count(), 1);
    world.end().await;
}
