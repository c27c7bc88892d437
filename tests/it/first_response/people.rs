//! A person beats the machine, in every way a person can.

use ams::claim::journal::Entry;
use ams::claim::protocol::StandDownReason;
use ams::incident::{IncidentId, Outcome, Status};
use ams::sandbox::pagerduty::{ENGINEER, Fault, MANAGER, NewIncident, PEOPLE_ONLY, StandIn};

use super::explain::until_told;
use super::{REPAIR, SLOW};
use crate::harness::world::{PATIENCE, SHORT_LEASE, World};

/// A run is in its wait; somebody does something; no recovery may start.
async fn story(
    act: impl FnOnce(&StandIn, &IncidentId),
    reason: StandDownReason,
    by: Option<&str>,
    said: &str,
) {
    let world = World::with(SLOW).start().await;
    let incident = world.fire("service is slow");
    world.until_working(&incident).await;
    act(world.pagerduty(), &incident);
    let run = world.expect(&incident, Outcome::StoodDown).await;
    let stand_down = run.stand_down.unwrap();
    assert_eq!((stand_down.reason, stand_down.by.as_deref()), (reason, by));
    assert_eq!(world.read("recoveries"), "", "no recovery starts after that");
    let note = world.last_note(&incident);
    assert!(note.contains("AMS 交代") && note.contains(said), "{note}");
    assert!(note.contains("3. [recover] 起動"), "the note says what was not done: {note}");
    world.end().await;
}

#[tokio::test]
async fn acknowledging_stops_it() {
    let act = |pagerduty: &StandIn, incident: &IncidentId| {
        pagerduty.acknowledge_as(ENGINEER, incident).unwrap();
    };
    story(act, StandDownReason::Acknowledged, Some(ENGINEER), "acknowledge したため").await;
}

#[tokio::test]
async fn reassigning_stops_it() {
    let act = |pagerduty: &StandIn, incident: &IncidentId| {
        pagerduty.reassign_as(ENGINEER, incident, MANAGER).unwrap();
    };
    story(act, StandDownReason::Reassigned, Some(ENGINEER), "割り当てを変更").await;
}

#[tokio::test]
async fn escalating_stops_it() {
    let act = |pagerduty: &StandIn, incident: &IncidentId| {
        pagerduty.escalate_as(ENGINEER, incident, 3).unwrap();
    };
    story(act, StandDownReason::Reassigned, Some(ENGINEER), "割り当てを変更").await;
}

#[tokio::test]
async fn giving_it_to_another_policy_stops_it() {
    let act = |pagerduty: &StandIn, incident: &IncidentId| {
        pagerduty.delegate_as(ENGINEER, incident, PEOPLE_ONLY).unwrap();
    };
    story(act, StandDownReason::Reassigned, Some(ENGINEER), "割り当てを変更").await;
}

#[tokio::test]
async fn the_note_that_stops_it_may_be_japanese() {
    let act = |pagerduty: &StandIn, incident: &IncidentId| {
        pagerduty.annotate_as(ENGINEER, incident, "AMS 停止しないでください").unwrap();
        pagerduty.annotate_as(ENGINEER, incident, "ＡＭＳ　停止").unwrap();
    };
    story(act, StandDownReason::StopNote, Some(ENGINEER), "「ams stop」").await;
}

#[tokio::test]
async fn the_target_of_a_merge_goes_on() {
    let short = SLOW.replace("for: 30s", "for: 5s");
    let world = World::with(&short).start().await;
    let (source, target) = (world.fire("service is slow A"), world.fire("service is slow B"));
    world.until_working(&source).await;
    world.until_working(&target).await;
    world.pagerduty().merge_as(ENGINEER, &source, &target).unwrap();
    let run = world.expect(&source, Outcome::StoodDown).await;
    assert_eq!(run.stand_down.unwrap().reason, StandDownReason::Merged);
    world.expect(&target, Outcome::Resolved).await;
    assert_eq!(world.read("recoveries").lines().count(), 1, "the target's");
    world.end().await;
}

#[tokio::test]
async fn resolving_stops_it() {
    let act = |pagerduty: &StandIn, incident: &IncidentId| {
        pagerduty.resolve_as(ENGINEER, incident).unwrap();
    };
    story(act, StandDownReason::ResolvedByPerson, Some(ENGINEER), "担当者が解決").await;
}

#[tokio::test]
async fn merging_stops_it() {
    // The target has no scenario, so that its story is short.
    let act = |pagerduty: &StandIn, incident: &IncidentId| {
        let target = pagerduty.trigger(NewIncident::titled("夜間バッチの遅れ")).unwrap();
        pagerduty.merge_as(ENGINEER, incident, &target).unwrap();
    };
    story(act, StandDownReason::Merged, Some(ENGINEER), "統合された").await;
}

#[tokio::test]
async fn the_note_ams_stop_stops_it_and_other_notes_do_not() {
    let act = |pagerduty: &StandIn, incident: &IncidentId| {
        pagerduty.annotate_as(ENGINEER, incident, "ams stopping soon?").unwrap();
        pagerduty.annotate_as(ENGINEER, incident, "確認中です").unwrap();
        pagerduty.annotate_as(ENGINEER, incident, "ＡＭＳ　Ｓｔｏｐ お願いします").unwrap();
    };
    let world = World::with(SLOW).start().await;
    let incident = world.fire("service is slow");
    world.until_working(&incident).await;
    act(world.pagerduty(), &incident);
    let run = world.expect(&incident, Outcome::StoodDown).await;
    assert_eq!(run.stand_down.unwrap().reason, StandDownReason::StopNote);
    assert_eq!(world.read("recoveries"), "");
    world.end().await;
}

#[tokio::test]
async fn monitoring_that_clears_the_alert_is_told_apart() {
    let act = |pagerduty: &StandIn, incident: &IncidentId| {
        pagerduty.monitoring_resolves(incident).unwrap();
    };
    let world = World::with(SLOW).start().await;
    let incident = world.fire("service is slow");
    world.until_working(&incident).await;
    act(world.pagerduty(), &incident);
    let run = world.expect(&incident, Outcome::StoodDown).await;
    assert_eq!(run.stand_down.unwrap().reason, StandDownReason::ResolvedByMonitoring);
    assert!(world.last_note(&incident).contains("監視側でアラートが解消"));
    world.end().await;
}

#[tokio::test]
async fn what_monitoring_cleared_stands_beside_what_ams_verified() {
    let world = World::with(&SLOW.replace("for: 30s", "for: 1s")).start().await;
    let incident = world.fire("service is slow");
    world.until_working(&incident).await;
    // Nobody tells AMS, which finds the incident resolved when it wants to do it.
    world.pagerduty().lose_webhooks(true);
    world.pagerduty().monitoring_resolves(&incident).unwrap();
    world.expect(&incident, Outcome::Resolved).await;
    let told = until_told(&world, &incident).await;
    assert_eq!(told["end"]["cleared"]["by"], "monitoring", "{told:#}");
    let verified = told["steps"].as_array().unwrap().iter().any(|step| step["kind"] == "verify");
    assert!(verified, "{told:#}");
    world.end().await;
}

#[tokio::test]
async fn pagerdutys_own_escalation_is_no_person() {
    let short = SLOW.replace("for: 30s", "for: 2s");
    let world = World::with(&short).start().await;
    let incident = world.fire("service is slow");
    world.until_working(&incident).await;
    world.pagerduty().level_times_out(&incident).unwrap();
    world.expect(&incident, Outcome::Resolved).await;
    assert_eq!(world.read("recoveries").lines().count(), 1);
    world.end().await;
}

#[tokio::test]
async fn a_reopened_incident_is_run_again() {
    let world = World::with(REPAIR).start().await;
    let incident = world.fire("service web down");
    let first = world.expect(&incident, Outcome::Resolved).await;
    std::fs::remove_file(world.path("up")).unwrap();
    world.pagerduty().reopen_as(ENGINEER, &incident).unwrap();
    world.until_lines("recoveries", 2).await;
    world.until(&incident, |view| view.status == Status::Resolved).await;
    let second = world.expect(&incident, Outcome::Resolved).await;
    assert_eq!(second.run.number, 2);
    assert!(second.epoch > first.epoch);
    assert_eq!(world.view(&incident).title, "[AMS 復旧] service web down");
    world.end().await;
}

/// PagerDuty does not take what AMS wants to do at the end; somebody acknowledges; PagerDuty is well.
async fn acknowledged_while_it_is_tried(
    broken: bool,
    wanted: impl Fn(&serde_json::Value) -> bool,
) -> (World, IncidentId) {
    let world = World::with(REPAIR).start().await;
    if broken {
        world.write("broken", "");
    }
    world.pagerduty().fail_next_of(100, Fault::Status(500), "PUT", "/incidents/{id}");
    let incident = world.fire("service web down");
    world.until_asked(wanted).await;
    world.pagerduty().acknowledge_as(ENGINEER, &incident).unwrap();
    assert!(world.pagerduty().deliveries_settled(PATIENCE).await);
    world.pagerduty().heal();
    world.expect(&incident, Outcome::StoodDown).await;
    assert_eq!(world.view(&incident).status, Status::Acknowledged, "who has it keeps it");
    (world, incident)
}

#[tokio::test]
async fn who_acknowledges_while_a_page_is_tried_again_is_not_paged() {
    let escalates = |body: &serde_json::Value| !body["incident"]["escalation_level"].is_null();
    let (world, incident) = acknowledged_while_it_is_tried(true, escalates).await;
    assert!(world.view(&incident).paged().all(|user| user != ENGINEER));
    world.end().await;
}

#[tokio::test]
async fn a_page_that_became_needless_is_not_an_escalation_after_a_take_over_either() {
    let mut world = World::with(REPAIR).settings(SHORT_LEASE).start().await;
    world.write("broken", "");
    world.pagerduty().fail_next_of(100, Fault::Status(500), "PUT", "/incidents/{id}");
    let incident = world.fire("service web down");
    world.until_asked(|body| !body["incident"]["escalation_level"].is_null()).await;
    world.pagerduty().acknowledge_as(ENGINEER, &incident).unwrap();
    let stood_down =
        |entry: &Entry| matches!(entry, Entry::Closing { outcome: Outcome::StoodDown, .. });
    world.until_run(&incident, |it| it.journal.entries().last().is_some_and(stood_down)).await;
    let owner = world.owner(&incident).await;
    world.kill(owner).await;
    world.pagerduty().heal();
    world.expect(&incident, Outcome::StoodDown).await;
    assert!(world.view(&incident).paged().all(|user| user != ENGINEER));
    world.restart(owner).await;
    world.end().await;
}

#[tokio::test]
async fn who_acknowledges_while_a_resolve_is_tried_again_keeps_the_incident() {
    let resolves = |body: &serde_json::Value| body["incident"]["status"] == "resolved";
    let (world, _) = acknowledged_while_it_is_tried(false, resolves).await;
    world.end().await;
}
