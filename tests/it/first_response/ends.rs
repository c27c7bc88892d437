//! Every way an incident can end when nothing of ours fails.

use ams::incident::{Outcome, Status};
use ams::sandbox::pagerduty::ENGINEER;

use super::REPAIR;
use crate::harness::world::World;

#[tokio::test]
async fn what_is_broken_is_recovered_verified_and_resolved_once() {
    let world = World::with(REPAIR).start().await;
    let incident = world.fire("service web DOWN");
    let run = world.expect(&incident, Outcome::Resolved).await;
    assert_eq!((run.run.number, run.epoch), (1, 1));
    let view = world.view(&incident);
    assert_eq!(view.status, Status::Resolved);
    assert_eq!(view.title, "[AMS 復旧] service web DOWN");
    assert_eq!(world.read("recoveries").lines().count(), 1);
    assert!(!view.paged().any(|user| user == ENGINEER), "nobody is woken");
    let writes = world.pagerduty().request_count("PUT", "/incidents/{id}")
        + world.pagerduty().request_count("POST", "/incidents/{id}/notes");
    assert!(writes <= 4, "an ordinary run costs at most four writes, not {writes}");
    world.end().await;
}

#[tokio::test]
async fn what_a_recovery_does_not_cure_is_escalated_with_a_hand_off() {
    let world = World::with(REPAIR).start().await;
    world.write("broken", "");
    let incident = world.fire("service web down");
    world.expect(&incident, Outcome::Escalated).await;
    let view = world.view(&incident);
    assert_eq!(view.status, Status::Triggered);
    assert_eq!(view.title, "[AMS 引継ぎ] service web down");
    assert_eq!(view.priority.as_deref(), Some("P1"));
    let pages = view.paged().filter(|user| *user == ENGINEER).count();
    assert_eq!(pages, 1, "the engineer is paged, and once");
    assert_eq!(world.read("recoveries").lines().count(), 1);
    let note = world.last_note(&incident);
    for part in [
        "AMS 引継ぎ: 対応をお願いします。\n手順4「起動後の稼働確認」が成功せず",
        "アラート: service web down",
        "1. ログを見る",
        "1. [check] 稼働確認 → 異常: 終了コード 1",
        "3. [recover] 起動 → 完了: 終了コード 0",
        "状況の出力",
        "service-down @",
    ] {
        assert!(note.contains(part), "the note lacks '{part}':\n{note}");
    }
    world.end().await;
}

#[tokio::test]
async fn what_is_healthy_is_resolved_untouched() {
    let world = World::with(REPAIR).start().await;
    world.write("up", "");
    let incident = world.fire("Service web ＤＯＷＮ");
    world.expect(&incident, Outcome::RecoveredItself).await;
    assert_eq!(world.view(&incident).title, "[AMS 自然復旧] Service web ＤＯＷＮ");
    assert_eq!(world.read("recoveries"), "");
    world.end().await;
}

#[tokio::test]
async fn facts_are_gathered_and_handed_off() {
    let facts = "scenario: facts\nabout: 情報収集\nmatch: {any: [cpu]}\nsteps:\n  \
                 - gather: {name: 負荷, run: cat /proc/loadavg}\n  \
                 - gather: {name: 失敗する収集, run: exit 3}\n";
    let world = World::with(facts).start().await;
    let incident = world.fire("CPU is high");
    world.expect(&incident, Outcome::HandedOff).await;
    let view = world.view(&incident);
    assert!(view.paged().any(|user| user == ENGINEER));
    let note = world.last_note(&incident);
    assert!(note.contains("2. [gather] 失敗する収集 → 取得（終了コード 3）"), "{note}");
    world.end().await;
}

#[tokio::test]
async fn an_alert_that_the_host_contradicts_goes_to_people() {
    let disagree = REPAIR.replace("when_healthy: resolve", "when_healthy: hand_off");
    let world = World::with(&disagree).start().await;
    world.write("up", "");
    let incident = world.fire("service web down");
    world.expect(&incident, Outcome::HandedOff).await;
    assert!(world.last_note(&incident).contains("食い違っています"));
    assert_eq!(world.read("recoveries"), "");
    world.end().await;
}

#[tokio::test]
async fn what_no_scenario_is_meant_for_is_left_alone_and_counted_once() {
    let world = World::with(REPAIR).start().await;
    let incident = world.fire("夜間バッチの遅れ");
    world.expect(&incident, Outcome::Unmatched).await;
    let view = world.view(&incident);
    assert_eq!((view.title.as_str(), view.notes.len()), ("夜間バッチの遅れ", 0));
    let mut counted = 0;
    for region in &world.cluster.regions {
        let metrics = reqwest::get(region.url("/metrics")).await.unwrap().text().await.unwrap();
        counted += metrics.matches("ams_runs_total{outcome=\"unmatched\"} 1").count();
    }
    assert_eq!(counted, 1, "one region counts it");
    world.end().await;
}

#[tokio::test]
async fn a_check_that_cannot_find_out_changes_nothing() {
    let unclear = REPAIR.replacen("run: test -e \"$FOLDER/up\"", "run: no-such-command", 1);
    assert!(unclear.contains("no-such-command"));
    let world = World::with(&unclear).start().await;
    let incident = world.fire("service web down");
    world.expect(&incident, Outcome::Escalated).await;
    assert_eq!(world.read("recoveries"), "", "unclear is not broken");
    assert!(world.last_note(&incident).contains("判定できず: 終了コード 127"));
    world.end().await;
}

#[tokio::test]
async fn a_run_that_exceeds_its_deadline_is_handed_off() {
    // Not a wait: the loader refuses a deadline that is shorter than those.
    let slow = "gather: {run: sleep 30, timeout: 40s}";
    let late = super::SLOW
        .replace("deadline: 2m", "deadline: 2s")
        .replace("wait: {name: 様子を見る, for: 30s}", slow);
    assert!(late.contains(slow));
    let world = World::with(&late).start().await;
    let incident = world.fire("service is slow");
    world.expect(&incident, Outcome::Escalated).await;
    assert!(world.last_note(&incident).contains("制限時間を過ぎました"));
    assert_eq!(world.read("recoveries"), "");
    world.end().await;
}

#[tokio::test]
async fn many_incidents_at_once_are_each_handled_once() {
    let each = "scenario: each\nabout: 起動\nmatch: {all: [host]}\nsteps:\n  \
                - recover: {run: 'echo \"$AMS_INCIDENT\" >> \"$FOLDER/recoveries\"', \
                  env: {FOLDER: \"{{ vars.folder }}\"}}\n  \
                - verify: {run: 'true'}\n";
    // Every webhook comes twice to each region: four deliveries of one event.
    let world = World::with(each).subscriptions_each(2).start().await;
    let incidents: Vec<_> = (0..40).map(|n| world.fire(&format!("host{n} alert"))).collect();
    for incident in &incidents {
        world.expect(incident, Outcome::Resolved).await;
    }
    let recoveries = world.read("recoveries");
    let mut handled: Vec<&str> = recoveries.lines().collect();
    handled.sort_unstable();
    let mut fired: Vec<&str> = incidents.iter().map(ams::incident::IncidentId::as_str).collect();
    fired.sort_unstable();
    assert_eq!(handled, fired);
    world.end().await;
}
