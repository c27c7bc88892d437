//! When AMS acknowledges, and that its acknowledgement never is the last word.

use std::time::Duration;

use ams::claim::protocol::StandDownReason;
use ams::incident::{IncidentId, Outcome, Status};
use ams::limits::REQUEST_ARRIVES;
use ams::sandbox::pagerduty::{BOT, ENGINEER, Entry, Fault, LogEntry, MANAGER, StandIn};

use super::SLOW;
use crate::harness::wait;
use crate::harness::world::{PATIENCE, SHORT_LEASE, World};

const ACKNOWLEDGE: &str = "AMS_PAGERDUTY_ACKNOWLEDGE";

fn acknowledged(world: &World, incident: &IncidentId) -> Vec<String> {
    world.view(incident).acknowledged_by.into_iter().map(|(user, _)| user).collect()
}

/// A run at work that has acknowledged its incident.
async fn at_work(scenario: &str) -> (World, IncidentId) {
    let world =
        World::with(scenario).settings(SHORT_LEASE).environment(ACKNOWLEDGE, "on_start").start();
    let world = world.await;
    let incident = world.fire("service is slow");
    world.until_working(&incident).await;
    assert_eq!(world.view(&incident).status, Status::Acknowledged);
    assert_eq!(acknowledged(&world, &incident), [BOT]);
    (world, incident)
}

#[tokio::test]
async fn it_never_does_by_default() {
    let world = World::with(SLOW).start().await;
    world.pagerduty().set_acknowledgement_timeout(Some(600));
    let incident = world.fire("service is slow");
    world.until_working(&incident).await;
    assert_eq!(world.view(&incident).status, Status::Triggered);
    world.pagerduty().acknowledge_as(ENGINEER, &incident).unwrap();
    world.expect(&incident, Outcome::StoodDown).await;
    world.end().await;
}

#[tokio::test]
async fn its_own_acknowledgement_is_no_person_and_ends_with_the_resolve() {
    let (world, incident) = at_work(&SLOW.replace("for: 30s", "for: 1s")).await;
    world.expect(&incident, Outcome::Resolved).await;
    assert_eq!(world.view(&incident).status, Status::Resolved);
    let writes = world.pagerduty().request_count("PUT", "/incidents/{id}")
        + world.pagerduty().request_count("POST", "/incidents/{id}/notes");
    assert!(writes <= 4, "the acknowledgement goes with the title: {writes}");
    world.end().await;
}

#[tokio::test]
async fn a_hand_off_takes_it_back_and_pages() {
    let unclear = SLOW.replace("for: 30s", "for: 1s").replace(
        "verify: {name: 確認, run: 'true'}",
        "verify: {name: 確認, run: 'false', within: 1s, every: 200ms}",
    );
    let (world, incident) = at_work(&unclear).await;
    world.expect(&incident, Outcome::Escalated).await;
    let view = world.view(&incident);
    assert_eq!((view.status, view.acknowledged_by.len()), (Status::Triggered, 0));
    assert!(view.paged().any(|user| user == ENGINEER));
    world.end().await;
}

#[tokio::test]
async fn an_end_that_pages_nobody_leaves_the_paging_to_pagerduty() {
    let verify = "  - verify: {name: 確認, run: 'true'}\n";
    let end = "  - hand_off: {message: 朝で足ります, page: false}\n";
    let (world, incident) =
        at_work(&SLOW.replace("for: 30s", "for: 1s").replace(verify, &format!("{verify}{end}")))
            .await;
    world.expect(&incident, Outcome::HandedOff).await;
    let view = world.view(&incident);
    assert_eq!((view.status, view.acknowledged_by.len()), (Status::Triggered, 0));
    assert_eq!(view.assignees, [BOT], "at level 1, from which PagerDuty itself goes on");
    world.end().await;
}

/// A run whose start, with its acknowledgement, is on its way for six seconds.
async fn overtaken_by_its_end(scenario: &str, outcome: Outcome) -> (World, IncidentId) {
    let world = World::with(scenario).environment(ACKNOWLEDGE, "on_start").start().await;
    let late = Fault::Late(Duration::from_secs(6));
    world.pagerduty().fail_next_of(1, late, "PUT", "/incidents/{id}");
    let incident = world.fire("service is slow");
    world.expect(&incident, outcome).await;
    let late = |entry: &LogEntry| matches!(entry.what, Entry::Acknowledged);
    assert!(world.view(&incident).log.iter().any(late), "{}", world.everything(&incident));
    (world, incident)
}

#[tokio::test]
async fn an_acknowledgement_that_arrives_after_the_page_does_not_keep_the_incident() {
    let unclear = SLOW.replace("for: 30s", "for: 1200ms").replace(
        "verify: {name: 確認, run: 'true'}",
        "verify: {name: 確認, run: 'false', within: 1s, every: 200ms}",
    );
    let (world, incident) = overtaken_by_its_end(&unclear, Outcome::Escalated).await;
    let view = world.view(&incident);
    assert_eq!((view.status, view.acknowledged_by.len()), (Status::Triggered, 0));
    assert!(!view.assignees.contains(&BOT.to_owned()), "{}", world.everything(&incident));
    assert!(view.title.starts_with("[AMS 引継ぎ]"), "{}", view.title);
    world.end().await;
}

#[tokio::test]
async fn an_acknowledgement_that_arrives_after_the_resolve_does_not_keep_it_open() {
    let quick = SLOW.replace("for: 30s", "for: 1200ms");
    let (world, incident) = overtaken_by_its_end(&quick, Outcome::Resolved).await;
    // PagerDuty opens it again by that. It is nothing new to respond to, and resolved once more.
    assert_eq!(world.view(&incident).status, Status::Resolved, "{}", world.everything(&incident));
    assert!(world.pagerduty().deliveries_settled(PATIENCE).await);
    let run = world.until_run(&incident, |run| run.outcome.is_some()).await;
    assert_eq!(run.run.number, 1);
    assert_eq!(world.read("recoveries").lines().count(), 1, "{}", world.everything(&incident));
    world.end().await;
}

#[tokio::test]
async fn an_acknowledgement_that_arrives_when_nobody_looks_any_more_is_found() {
    let (world, _clock) = World::with(&SLOW.replace("for: 30s", "for: 1200ms")).reconciled();
    let world = world.environment(ACKNOWLEDGE, "on_start").start().await;
    let late = Fault::Late(REQUEST_ARRIVES + Duration::from_secs(9));
    world.pagerduty().fail_next_of(1, late, "PUT", "/incidents/{id}");
    let incident = world.fire("service is slow");
    world.expect(&incident, Outcome::Resolved).await;
    let entries =
        |what: fn(&Entry) -> bool| world.view(&incident).log.iter().any(|entry| what(&entry.what));
    wait::until("acknowledged late", || entries(|it| matches!(it, Entry::Acknowledged))).await;
    let taken_back = || entries(|it| matches!(it, Entry::Unacknowledged));
    wait::until("given back to people", taken_back).await;
    let view = world.view(&incident);
    assert_eq!((view.status, view.acknowledged_by.len()), (Status::Triggered, 0));
    world.pagerduty().resolve_as(ENGINEER, &incident).unwrap();
    world.end().await;
}

#[tokio::test]
async fn who_acknowledges_while_ams_cannot_give_back_keeps_the_incident() {
    let (world, incident) = at_work(SLOW).await;
    world.pagerduty().fail_next_of(9, Fault::Status(503), "PUT", "/incidents/{id}");
    world.pagerduty().annotate_as(ENGINEER, &incident, "ams stop").unwrap();
    let tried = world.pagerduty().request_count("PUT", "/incidents/{id}") + 3;
    let asked = || world.pagerduty().request_count("PUT", "/incidents/{id}") >= tried;
    wait::until("tries to give it back", asked).await;
    world.pagerduty().acknowledge_as(ENGINEER, &incident).unwrap();
    world.expect(&incident, Outcome::StoodDown).await;
    let view = world.view(&incident);
    assert_eq!(view.status, Status::Acknowledged, "{}", world.everything(&incident));
    assert!(acknowledged(&world, &incident).contains(&ENGINEER.to_owned()));
    world.end().await;
}

/// A person stops AMS in a way that is no acknowledgement of their own.
async fn given_back(act: impl FnOnce(&StandIn, &IncidentId), reason: StandDownReason) {
    let (world, incident) = at_work(SLOW).await;
    act(world.pagerduty(), &incident);
    let run = world.expect(&incident, Outcome::StoodDown).await;
    assert_eq!(run.stand_down.unwrap().reason, reason);
    let view = world.view(&incident);
    assert_eq!(view.status, Status::Triggered, "AMS's acknowledgement is not the last word");
    world.end().await;
}

#[tokio::test]
async fn a_note_that_stops_ams_gives_the_incident_back() {
    let act = |pagerduty: &StandIn, incident: &IncidentId| {
        pagerduty.annotate_as(ENGINEER, incident, "AMS停止してください").unwrap();
    };
    given_back(act, StandDownReason::StopNote).await;
}

#[tokio::test]
async fn who_is_assigned_by_a_person_keeps_the_incident() {
    let (world, incident) = at_work(SLOW).await;
    world.pagerduty().reassign_as(ENGINEER, &incident, MANAGER).unwrap();
    world.expect(&incident, Outcome::StoodDown).await;
    assert_eq!(world.view(&incident).assignees, [MANAGER]);
    world.end().await;
}

#[tokio::test]
async fn a_persons_acknowledgement_beside_it_stays() {
    let (world, incident) = at_work(SLOW).await;
    world.pagerduty().acknowledge_as(ENGINEER, &incident).unwrap();
    world.expect(&incident, Outcome::StoodDown).await;
    let view = world.view(&incident);
    assert_eq!(view.status, Status::Acknowledged);
    assert!(acknowledged(&world, &incident).contains(&ENGINEER.to_owned()));
    assert!(!view.log.iter().any(|it| it.what == Entry::Unacknowledged));
    world.end().await;
}

#[tokio::test]
async fn only_where_the_service_has_a_timeout() {
    for (timeout, status) in [(None, Status::Triggered), (Some(600), Status::Acknowledged)] {
        let world = World::with(SLOW)
            .customer(
                "customer: s\nname: s\nservices: [Sandbox web shop]\nacknowledge: where_timeout\n",
            )
            .start()
            .await;
        world.pagerduty().set_acknowledgement_timeout(timeout);
        let incident = world.fire("service is slow");
        world.until_working(&incident).await;
        assert_eq!(world.view(&incident).status, status, "{timeout:?}");
        world.pagerduty().resolve_as(ENGINEER, &incident).unwrap();
        world.expect(&incident, Outcome::StoodDown).await;
        world.end().await;
    }
}

#[tokio::test]
async fn when_its_acknowledgement_times_out_the_run_goes_on() {
    let world = World::with(&SLOW.replace("for: 30s", "for: 2s"))
        .environment(ACKNOWLEDGE, "where_timeout")
        .start()
        .await;
    world.pagerduty().set_acknowledgement_timeout(Some(600));
    let incident = world.fire("service is slow");
    world.until_working(&incident).await;
    world.pagerduty().acknowledgement_times_out(&incident).unwrap();
    world.expect(&incident, Outcome::Resolved).await;
    assert_eq!(world.read("recoveries").lines().count(), 1);
    world.end().await;
}

#[tokio::test]
async fn who_takes_over_the_run_does_not_take_it_for_a_persons() {
    let (mut world, incident) = at_work(&SLOW.replace("for: 30s", "for: 4s")).await;
    let owner = world.owner(&incident).await;
    world.kill(owner).await;
    let run = world.expect(&incident, Outcome::Resolved).await;
    assert_eq!(run.epoch, 2);
    world.restart(owner).await;
    world.end().await;
}
