//! Runner processes that die or leave in the middle.

use std::time::Duration;

use ams::claim::ClaimStore as _;
use ams::claim::journal::Entry;
use ams::claim::protocol::{Event, StandDownReason};
use ams::incident::{IncidentId, Outcome, Status};
use ams::sandbox::pagerduty::{ENGINEER, Fault};
use rustix::process::{Pid, Signal, kill_process_group};

use super::{REPAIR, SLOW};
use crate::harness::world::{SHORT_LEASE, World};

#[tokio::test]
async fn incidents_that_a_dead_region_had_not_begun_are_handled_by_the_other() {
    let mut world = World::with(REPAIR).start().await;
    world.kill(0).await;
    let incident = world.fire("service web down");
    world.expect(&incident, Outcome::Resolved).await;
    world.restart(0).await;
    world.end().await;
}

#[tokio::test]
async fn a_run_goes_on_in_the_other_region_and_repeats_no_recovery() {
    let short = SLOW.replace("for: 30s", "for: 4s");
    let mut world = World::with(&short).settings(SHORT_LEASE).start().await;
    let incident = world.fire("service is slow");
    world.until_working(&incident).await;
    let owner = world.owner(&incident).await;
    world.kill(owner).await;
    let run = world.expect(&incident, Outcome::Resolved).await;
    assert_eq!(run.epoch, 2, "taken over once");
    assert_eq!(world.read("recoveries").lines().count(), 1);
    assert!(world.last_note(&incident).contains("途中から引き継いで"));
    world.restart(owner).await;
    world.end().await;
}

/// A run whose owner was killed while its recovery was going on.
pub(super) async fn killed_inside_a_recovery(effect: &str) -> (World, IncidentId, usize) {
    let long = SLOW.replace("for: 30s", "for: 100ms").replace(
        "run: echo once >> \"$FOLDER/recoveries\"\n",
        &format!(
            "run: |\n        echo once >> \"$FOLDER/recoveries\"\n        \
             echo $PPID > \"$FOLDER/command\"\n        \
             while [ ! -e \"$FOLDER/go\" ]; do sleep 0.05; done\n      effect: {effect}\n"
        ),
    );
    let mut world = World::with(&long).settings(SHORT_LEASE).start().await;
    let incident = world.fire("service is slow");
    world.until_lines("command", 1).await;
    let owner = world.owner(&incident).await;
    world.kill(owner).await;
    (world, incident, owner)
}

/// What a restart of the machine does to a command.
pub(super) fn kill_the_command(world: &World) {
    let pid = world.read("command").trim().parse().ok().and_then(Pid::from_raw).unwrap();
    kill_process_group(pid, Signal::KILL).unwrap();
}

#[tokio::test]
async fn a_recovery_that_outlives_its_runner_is_waited_for_and_not_repeated() {
    for effect in ["once", "idempotent"] {
        let (mut world, incident, owner) = killed_inside_a_recovery(effect).await;
        world.until_epoch(&incident, 2).await;
        world.write("go", "");
        let run = world.expect(&incident, Outcome::Resolved).await;
        assert_eq!(world.read("recoveries").lines().count(), 1, "{effect}");
        let intents = |entry: &&Entry| matches!(entry, Entry::Intent { .. });
        assert_eq!(run.journal.entries().iter().filter(intents).count(), 1);
        world.restart(owner).await;
        world.end().await;
    }
}

#[tokio::test]
async fn a_recovery_in_doubt_is_never_repeated_and_people_are_told() {
    let (mut world, incident, owner) = killed_inside_a_recovery("once").await;
    kill_the_command(&world);
    world.expect(&incident, Outcome::Escalated).await;
    assert_eq!(world.read("recoveries").lines().count(), 1, "once is once");
    assert!(world.view(&incident).paged().any(|user| user == ENGINEER));
    assert!(world.last_note(&incident).contains("実行されたかどうか不明です"));
    world.restart(owner).await;
    world.end().await;
}

#[tokio::test]
async fn a_person_who_acknowledges_meanwhile_is_told_of_the_recovery_in_doubt() {
    let (mut world, incident, owner) = killed_inside_a_recovery("once").await;
    world.pagerduty().acknowledge_as(ENGINEER, &incident).unwrap();
    world.expect(&incident, Outcome::StoodDown).await;
    let note = world.last_note(&incident);
    assert!(note.contains("3. [recover] 起動 → 開始を記録済み"), "{note}");
    assert_eq!(world.read("recoveries").lines().count(), 1);
    world.write("go", "");
    world.restart(owner).await;
    world.end().await;
}

#[tokio::test]
async fn what_always_runs_does_so_after_a_take_over_that_finds_a_person_at_work() {
    let drain = "scenario: drain\nabout: 切り離し\nmatch: {all: [service, slow]}\nsteps:\n  \
                 - recover: {id: drain, run: 'echo drain >> \"$FOLDER/recoveries\"', \
                   env: {FOLDER: \"{{ vars.folder }}\"}}\n  \
                 - wait: {for: 30s}\n  \
                 - verify: {run: 'true'}\nalways:\n  \
                 - recover: {when: steps.drain.began, effect: idempotent, \
                   run: 'echo back >> \"$FOLDER/recoveries\"', \
                   env: {FOLDER: \"{{ vars.folder }}\"}}\n";
    let mut world = World::with(drain).settings(SHORT_LEASE).start().await;
    let incident = world.fire("service is slow");
    world.until_done(&incident, 1).await;
    let owner = world.owner(&incident).await;
    world.kill(owner).await;
    world.pagerduty().resolve_as(ENGINEER, &incident).unwrap();
    world.expect(&incident, Outcome::StoodDown).await;
    assert_eq!(world.read("recoveries"), "drain\nback\n");
    world.restart(owner).await;
    world.end().await;
}

#[tokio::test]
async fn an_idempotent_recovery_in_doubt_is_repeated() {
    let (mut world, incident, owner) = killed_inside_a_recovery("idempotent").await;
    kill_the_command(&world);
    world.write("go", "");
    world.expect(&incident, Outcome::Resolved).await;
    assert_eq!(world.read("recoveries").lines().count(), 2);
    world.restart(owner).await;
    world.end().await;
}

/// What must always run at the end runs on take-over too, and not twice.
#[tokio::test]
async fn what_always_runs_at_the_end_runs_when_its_runner_dies_before_it() {
    let scenario = format!(
        "{}always:\n  - recover: {{name: 後始末, effect: idempotent, env: {{FOLDER: \
         \"{{{{ vars.folder }}}}\"}}, run: echo cleaned >> \"$FOLDER/cleaned\"}}\n",
        SLOW.replace("for: 30s", "for: 4s")
    );
    let mut world = World::with(&scenario).settings(SHORT_LEASE).start().await;
    let incident = world.fire("service is slow");
    world.until_working(&incident).await;
    let owner = world.owner(&incident).await;
    world.kill(owner).await;
    world.expect(&incident, Outcome::Resolved).await;
    assert_eq!(world.read("cleaned").lines().count(), 1);
    world.restart(owner).await;
    world.end().await;
}

/// An incident that AMS resolved, and whose owner is dead before it could record that.
pub(super) async fn resolved_and_not_recorded(settings: &str) -> (World, IncidentId, usize) {
    let mut world = World::with(REPAIR).settings(settings).start().await;
    let hangs = Fault::Hang(Duration::from_mins(1));
    // On a busy machine the start is noted too.
    world.pagerduty().fail_next_of(2, hangs, "POST", "/incidents/{id}/notes");
    let incident = world.fire("service web down");
    world.until(&incident, |view| view.status == Status::Resolved).await;
    let owner = world.owner(&incident).await;
    world.kill(owner).await;
    world.pagerduty().heal();
    (world, incident, owner)
}

async fn dies_after_resolving(late_wish: Option<StandDownReason>) {
    let (mut world, incident, owner) = resolved_and_not_recorded(SHORT_LEASE).await;
    if let Some(reason) = late_wish {
        let wish =
            Event::StandDown { reason, by: Some(ENGINEER.to_owned()), happened: None, run: None };
        world.store.apply(&incident, wish).await.unwrap().unwrap();
    }
    let run = world.expect(&incident, Outcome::Resolved).await;
    assert_eq!(run.epoch, 2);
    assert_eq!(world.read("recoveries").lines().count(), 1);
    assert!(world.view(&incident).title.starts_with("[AMS 復旧]"));
    assert!(
        world.last_note(&incident).contains("AMS 復旧: 対応は不要です"),
        "{}",
        world.last_note(&incident)
    );
    world.restart(owner).await;
    world.end().await;
}

#[tokio::test]
async fn an_incident_that_its_dead_owner_had_resolved_is_closed_and_not_recovered_again() {
    dies_after_resolving(None).await;
}

/// An acknowledgement from before the resolve, delivered after it.
#[tokio::test]
async fn a_wish_that_comes_after_the_resolve_does_not_make_it_undone() {
    dies_after_resolving(Some(StandDownReason::Acknowledged)).await;
}

#[tokio::test]
async fn a_region_that_stops_in_good_order_releases_its_runs_at_once() {
    // The lease and the grace are long: only a release explains that the other region goes on.
    let short = SLOW.replace("for: 30s", "for: 3s");
    let settings = "lease: 10m\nshutdown_grace: 1m\n";
    let mut world = World::with(&short).settings(settings).start().await;
    let incident = world.fire("service is slow");
    world.until_working(&incident).await;
    let owner = world.owner(&incident).await;
    assert!(world.cluster.regions[owner].stop().await, "it exits 0");
    let run = world.expect(&incident, Outcome::Resolved).await;
    assert_eq!(run.epoch, 2);
    assert_eq!(world.read("recoveries").lines().count(), 1);
    world.restart(owner).await;
    world.end().await;
}

#[tokio::test]
async fn a_region_that_stops_finishes_the_recovery_that_is_under_way() {
    let long = SLOW.replace("for: 30s", "for: 100ms").replace(
        "run: echo once >> \"$FOLDER/recoveries\"",
        "run: echo once >> \"$FOLDER/recoveries\"; sleep 1; echo ended >> \"$FOLDER/ended\"",
    );
    let mut world = World::with(&long).settings("lease: 10m\n").start().await;
    let incident = world.fire("service is slow");
    world.until_lines("recoveries", 1).await;
    let owner = world.owner(&incident).await;
    assert!(world.cluster.regions[owner].stop().await, "it exits 0");
    assert_eq!(world.read("ended").lines().count(), 1, "it was waited for");
    let run = world.expect(&incident, Outcome::Resolved).await;
    assert_eq!(run.epoch, 2, "the other region verified it");
    assert_eq!(world.read("recoveries").lines().count(), 1);
    world.restart(owner).await;
    world.end().await;
}

#[tokio::test]
async fn killing_a_region_in_the_middle_of_many_leaves_no_incident_behind() {
    let each = "scenario: each\nabout: 起動\nmatch: {all: [host]}\nsteps:\n  \
                - gather: {run: sleep 0.2}\n  \
                - recover: {effect: idempotent, run: 'echo \"$AMS_INCIDENT\" >> \
                  \"$FOLDER/recoveries\"', env: {FOLDER: \"{{ vars.folder }}\"}}\n  \
                - verify: {run: 'true'}\n";
    let mut world = World::with(each).settings(SHORT_LEASE).start().await;
    let mut incidents: Vec<_> = (0..20).map(|n| world.fire(&format!("host{n} alert"))).collect();
    world.until_lines("recoveries", 3).await;
    world.kill(0).await;
    incidents.extend((20..40).map(|n| world.fire(&format!("host{n} alert"))));
    for incident in &incidents {
        world.expect(incident, Outcome::Resolved).await;
    }
    let recoveries = world.read("recoveries");
    for incident in &incidents {
        let times = recoveries.lines().filter(|line| *line == incident.as_str()).count();
        assert!((1..=2).contains(&times), "{incident} was recovered {times} times");
    }
    world.restart(0).await;
    world.end().await;
}
