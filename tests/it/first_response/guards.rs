//! Recoveries that are let pass or not, whichever region asks.

use std::time::Duration;

use ams::claim::journal::{GuardKind, Journal, Reason, Standing};
use ams::incident::{IncidentId, Outcome};
use ams::sandbox::pagerduty::Entry;
use tokio::time::Instant;

use super::REPAIR;
use crate::harness::world::{PATIENCE, SHORT_LEASE, World};

/// A recovery that helps, and leaves the service down for the next incident.
fn again() -> String {
    REPAIR.replace("&& touch \"$FOLDER/up\"", "").replace("test -e \"$FOLDER/up\" -a !", "test !")
}

fn reason(journal: &Journal) -> Reason {
    match journal.standing() {
        Standing::Closing { reason, .. } => reason,
        other => panic!("{other:?}"),
    }
}

fn pages(world: &World, incident: &IncidentId) -> usize {
    let log = world.view(incident).log;
    // The first one is PagerDuty's own, to the bot.
    log.iter().filter(|it| matches!(it.what, Entry::Paged { .. })).count() - 1
}

impl World {
    /// What is told of an end is kept a moment after it.
    async fn until_explained(&self, incident: &IncidentId, text: &str) {
        let began = Instant::now();
        loop {
            let (told, _) = self.ams(&["explain", incident.as_str()]).await;
            if told.contains(text) {
                return;
            }
            assert!(began.elapsed() < PATIENCE, "{told}");
        }
    }
}

#[tokio::test]
async fn a_budget_counts_for_both_regions_and_over_their_restarts() {
    let limits = "limits: {budget: {most: 2, within: 1h}}\n";
    let settings = format!("{SHORT_LEASE}{limits}");
    let mut world = World::with(&again()).settings(&settings).start().await;
    for time in 1..=2 {
        let incident = world.fire("service web down");
        world.expect(&incident, Outcome::Resolved).await;
        let note = world.last_note(&incident);
        assert!(note.contains(&format!("ガード: 1時間で{time}/2回目")), "{note}");
        world.until_explained(&incident, &format!("1時間で{time}/2回目")).await;
        for region in 0..2 {
            world.kill(region).await;
            world.restart(region).await;
        }
    }
    let third = world.fire("service web down");
    let run = world.expect(&third, Outcome::HandedOff).await;
    let no = Reason::Guarded { step: 2, guard: GuardKind::Budget, count: 2, limit: 2 };
    assert_eq!(reason(&run.journal), no);
    assert_eq!(world.read("recoveries").lines().count(), 2);
    let note = world.last_note(&third);
    assert!(note.contains("service web downの復旧は1時間に2回までです（これまで2回）"), "{note}");
    assert!(note.contains("まで"), "{note}");
    assert_eq!(pages(&world, &third), 1);
    // Another thing has a budget of its own.
    let other = world.fire("service db down");
    world.expect(&other, Outcome::Resolved).await;
    world.end().await;
}

#[tokio::test]
async fn what_was_just_recovered_rests() {
    let world = World::with(&again()).settings("limits: {cool_down: 1h}\n").start().await;
    let first = world.fire("service web down");
    world.expect(&first, Outcome::Resolved).await;
    let second = world.fire("service web down");
    let run = world.expect(&second, Outcome::HandedOff).await;
    let no = Reason::Guarded { step: 2, guard: GuardKind::CoolDown, count: 1, limit: 1 };
    assert_eq!(reason(&run.journal), no);
    let note = world.last_note(&second);
    assert!(note.contains("は前回の復旧から間を置きます。") && note.contains("まで"), "{note}");
    assert_eq!(world.read("recoveries").lines().count(), 1);
    assert_eq!(pages(&world, &second), 1);
    world.end().await;
}

#[tokio::test]
async fn what_did_not_help_twice_is_not_tried_again() {
    let limits = "limits: {breaker: {failures: 2, for: 6h}}\n";
    let world = World::with(&again()).settings(limits).start().await;
    // The second one helps, so that the row begins again with the third.
    for broken in [true, false, true, true] {
        let ends = if broken { Outcome::Escalated } else { Outcome::Resolved };
        if broken {
            world.write("broken", "");
        } else {
            std::fs::remove_file(world.path("broken")).unwrap();
        }
        let incident = world.fire("service web down");
        world.expect(&incident, ends).await;
    }
    let last = world.fire("service web down");
    let run = world.expect(&last, Outcome::HandedOff).await;
    let no = Reason::Guarded { step: 2, guard: GuardKind::Breaker, count: 2, limit: 2 };
    assert_eq!(reason(&run.journal), no);
    let note = world.last_note(&last);
    assert!(note.contains("では復旧が2回続けて効きませんでした（2回で止めます）。"), "{note}");
    assert_eq!(world.read("recoveries").lines().count(), 4);
    assert_eq!(pages(&world, &last), 1);
    world.end().await;
}

#[tokio::test]
async fn one_recovery_at_a_time_and_the_next_one_waits_for_its_turn() {
    let slow = again().replace(
        "- recover:\n      name: 起動\n      run: ",
        "- recover:\n      name: 起動\n      run: sleep 2; ",
    );
    let world = World::with(&slow).settings("limits: {one_at_a_time: target}\n").start().await;
    let began = Instant::now();
    let (one, two) = (world.fire("service web down"), world.fire("service web down"));
    world.expect(&one, Outcome::Resolved).await;
    world.expect(&two, Outcome::Resolved).await;
    assert!(began.elapsed() >= Duration::from_secs(4), "side by side");
    assert_eq!(world.read("recoveries").lines().count(), 2);
    world.end().await;
}

/// The run that has the turn loses its runner: its turn goes with it to the other region.
#[tokio::test]
async fn a_turn_is_the_runs_and_not_the_runners() {
    let slow = again().replace(
        "- recover:\n      name: 起動\n      run: ",
        "- recover:\n      name: 起動\n      run: sleep 3; ",
    );
    let settings = format!("{SHORT_LEASE}limits: {{one_at_a_time: target}}\n");
    let mut world = World::with(&slow).settings(&settings).start().await;
    let one = world.fire("service web down");
    world.until_run(&one, |item| !item.journal.in_doubt().is_empty()).await;
    let owner = world.owner(&one).await;
    let two = world.fire("service web down");
    world.kill(owner).await;
    world.expect(&one, Outcome::Resolved).await;
    world.restart(owner).await;
    world.expect(&two, Outcome::Resolved).await;
    assert_eq!(world.read("recoveries").lines().count(), 2);
    world.end().await;
}

#[tokio::test]
async fn in_a_storm_facts_are_gathered_and_people_are_told_once() {
    let limits = "limits: {storm: {most: 3, within: 5m, quiet: 10m}}\n";
    let world = World::with(&again()).settings(limits).start().await;
    let incidents: Vec<IncidentId> =
        (0..8).map(|number| world.fire(&format!("service web{number} down"))).collect();
    let mut outcomes = Vec::new();
    for incident in &incidents {
        outcomes.push(world.outcome(incident).await.outcome);
    }
    let resolved = outcomes.iter().filter(|it| **it == Some(Outcome::Resolved)).count();
    assert_eq!(resolved, 3, "{outcomes:?}");
    assert_eq!(world.read("recoveries").lines().count(), 3);
    let stopped: Vec<&IncidentId> = incidents
        .iter()
        .zip(&outcomes)
        .filter(|(_, it)| **it == Some(Outcome::HandedOff))
        .map(|(id, _)| id)
        .collect();
    assert_eq!(stopped.len(), 5);
    let paged: usize = stopped.iter().map(|incident| pages(&world, incident)).sum();
    assert_eq!(paged, 1, "the first one tells people");
    for incident in stopped {
        let note = world.last_note(incident);
        assert!(note.contains("状況の出力") && note.contains("復旧を止めています"), "{note}");
    }
    world.end().await;
}
