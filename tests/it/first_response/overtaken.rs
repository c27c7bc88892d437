//! Runners that come too late: paused while they were at it, or dead when somebody changed his mind.

use std::time::Duration;

use ams::claim::protocol::StandDownReason;
use ams::incident::{IncidentId, Outcome, Status};
use ams::sandbox::pagerduty::{ENGINEER, Entry, Fault, MANAGER};
use jiff::SignedDuration;
use rustix::process::Signal;

use super::lost_runner::resolved_and_not_recorded;
use super::{REPAIR, SLOW};
use crate::harness::world::{SHORT_LEASE, World};

/// A lease that is long enough for somebody to open the incident again before it is taken over.
const LONG_LEASE: &str = "lease: 5s\n";

#[tokio::test]
async fn an_incident_that_is_opened_again_meanwhile_is_not_resolved_by_the_run_before() {
    let (mut world, incident, owner) = resolved_and_not_recorded(LONG_LEASE).await;
    world.pagerduty().reopen_as(ENGINEER, &incident).unwrap();
    let second = world.until_run(&incident, |item| item.run.number == 2).await;
    assert_eq!(second.journal.entries().len(), 0);
    // The second run looks for itself, and finds that the service is up.
    world.expect(&incident, Outcome::RecoveredItself).await;
    let notes = world.view(&incident).notes;
    let first = notes.iter().find(|note| note.content.contains("AMS 交代")).unwrap();
    assert!(first.content.contains("もう一度開かれた"), "{}", first.content);
    assert_eq!(world.read("recoveries").lines().count(), 1);
    world.restart(owner).await;
    world.end().await;
}

#[tokio::test]
async fn a_reopening_that_nobody_heard_of_is_seen_in_pagerduty() {
    let (mut world, incident, owner) = resolved_and_not_recorded(LONG_LEASE).await;
    // PagerDuty's times have whole seconds.
    tokio::time::sleep(Duration::from_secs(1)).await;
    world.pagerduty().lose_webhooks(true);
    world.pagerduty().reopen_as(ENGINEER, &incident).unwrap();
    let run = world.expect(&incident, Outcome::StoodDown).await;
    assert_eq!(run.stand_down.unwrap().reason, StandDownReason::Reopened);
    assert_eq!(world.view(&incident).status, Status::Triggered, "people have it");
    world.restart(owner).await;
    world.end().await;
}

#[tokio::test]
async fn a_resolve_whose_answer_was_lost_is_not_sent_again_over_a_reopening() {
    let (world, clock) = World::with(REPAIR).reconciled();
    let world = world.start().await;
    let lost = Fault::DropAnswerAfterEffect;
    world.pagerduty().fail_next_of(20, lost, "PUT", "/incidents/{id}");
    let incident = world.fire("service web down");
    world.until(&incident, |view| view.status == Status::Resolved).await;
    clock.advance(SignedDuration::from_mins(5));
    world.pagerduty().lose_webhooks(true);
    world.pagerduty().reopen_as(ENGINEER, &incident).unwrap();
    world.pagerduty().lose_webhooks(false);
    // Nobody was told of the reopening, and its run is begun all the same.
    let second = world.until_run(&incident, |item| item.run.number == 2).await;
    assert_eq!(second.stand_down, None);
    let notes = world.view(&incident).notes;
    assert!(notes.iter().any(|note| note.content.contains("もう一度開かれた")), "{notes:?}");
    world.pagerduty().heal();
    world.expect(&incident, Outcome::RecoveredItself).await;
    world.end().await;
}

/// How often AMS has asked to page somebody.
fn pages(world: &World, incident: &IncidentId) -> usize {
    world.view(incident).paged().filter(|user| *user == ENGINEER).count()
}

#[tokio::test]
async fn a_runner_that_wakes_up_too_late_pages_nobody() {
    let world = World::with(REPAIR).settings(SHORT_LEASE).start().await;
    world.write("broken", "");
    let incident = world.fire("service web down");
    world.until_done(&incident, 1).await;
    // The page never arrives, and its sender is paused while it waits for the answer.
    let hangs = Fault::Hang(Duration::from_mins(1));
    world.pagerduty().fail_next_of(1, hangs, "PUT", "/incidents/{id}");
    let escalates = |body: &serde_json::Value| !body["incident"]["escalation_level"].is_null();
    world.until_asked(escalates).await;
    let owner = world.owner(&incident).await;
    world.cluster.regions[owner].signal(Signal::STOP).unwrap();
    world.pagerduty().heal();
    world.expect(&incident, Outcome::Escalated).await;
    assert_eq!(pages(&world, &incident), 1);
    world.pagerduty().acknowledge_as(ENGINEER, &incident).unwrap();
    world.cluster.regions[owner].signal(Signal::CONT).unwrap();
    world.until_logged(owner, "is no longer ours").await;
    let view = world.view(&incident);
    assert_eq!(view.status, Status::Acknowledged, "who has it keeps it");
    assert_eq!(pages(&world, &incident), 1);
    world.end().await;
}

#[tokio::test]
async fn a_runner_that_wakes_up_too_late_starts_no_recovery() {
    // It is paused while it waits.
    let short = SLOW.replace("for: 30s", "for: 5s");
    let world = World::with(&short).settings(SHORT_LEASE).start().await;
    let incident = world.fire("service is slow");
    world.until_working(&incident).await;
    let owner = world.owner(&incident).await;
    world.cluster.regions[owner].signal(Signal::STOP).unwrap();
    world.expect(&incident, Outcome::Resolved).await;
    world.cluster.regions[owner].signal(Signal::CONT).unwrap();
    world.until_logged(owner, "is no longer ours").await;
    assert_eq!(world.read("recoveries").lines().count(), 1);
    let resolved = |entry: &&Entry| matches!(entry, Entry::Resolved { .. });
    let times = world.view(&incident).log.iter().map(|it| &it.what).filter(resolved).count();
    assert_eq!(times, 1);
    world.end().await;
}

#[tokio::test]
async fn what_a_person_did_before_ams_heard_of_the_incident_counts() {
    // PagerDuty cannot tell who reassigned an incident; only the webhook could.
    let short = SLOW.replace("for: 30s", "for: 1s");
    let (world, clock) = World::with(&short).reconciled();
    let mut world = world.start().await;
    world.pagerduty().lose_webhooks(true);
    let incident = world.fire("service is slow");
    world.pagerduty().lose_webhooks(false);
    world.pagerduty().reassign_as(MANAGER, &incident, ENGINEER).unwrap();
    let run = world.expect(&incident, Outcome::StoodDown).await;
    assert_eq!(run.stand_down.unwrap().reason, StandDownReason::Reassigned);
    assert_eq!(world.read("recoveries"), "");

    // The other region had heard of it too. What came before the reopening does not concern it.
    let owner = world.owner(&incident).await;
    world.kill(owner).await;
    world.pagerduty().resolve_as(ENGINEER, &incident).unwrap();
    clock.advance(SignedDuration::from_mins(5));
    world.pagerduty().reopen_as(ENGINEER, &incident).unwrap();
    let second = world.until_run(&incident, |item| item.run.number == 2).await;
    assert_eq!(second.stand_down, None);
    world.expect(&incident, Outcome::Resolved).await;
    assert_eq!(world.read("recoveries").lines().count(), 1);
    world.restart(owner).await;
    world.end().await;
}
