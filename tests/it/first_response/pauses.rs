//! The kill switch: `ams pause` and `ams resume` with two regions.

use std::path::Path;

use ams::claim::journal::{Reason, Standing};
use ams::incident::Outcome;
use ams::sandbox::pagerduty::Entry;
use tokio::process::Command;

use super::{REPAIR, SLOW};
use crate::harness::world::{SHORT_LEASE, World};

/// What it printed, and how it ended. It needs no secret.
pub(crate) async fn ams(config: &Path, words: &[&str]) -> (String, Option<i32>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ams"));
    command.args(words).arg("--config").arg(config).kill_on_drop(true);
    command.env_remove("AMS_PAGERDUTY_TOKEN").env_remove("AMS_WEBHOOK_SECRET");
    let output = command.output().await.unwrap();
    let said = [output.stdout, output.stderr].concat();
    (String::from_utf8(said).unwrap(), output.status.code())
}

impl World {
    pub(crate) async fn ams(&self, words: &[&str]) -> (String, Option<i32>) {
        ams(&self.cluster.regions[0].config, words).await
    }
}

const ALL: [&str; 6] = ["pause", "--all", "--reason", "10時からの誤動作", "--by", "佐藤"];

#[tokio::test]
async fn a_pause_holds_in_both_regions_and_over_their_restarts_until_it_is_ended() {
    let mut world = World::with(REPAIR).settings(SHORT_LEASE).start().await;
    let (said, code) = world.ams(&ALL).await;
    assert_eq!(code, Some(0), "{said}");
    for region in ["tokyo-", "osaka-"] {
        let line = said.lines().find(|line| line.contains(region)).unwrap();
        assert!(line.contains("有効（"), "{said}");
    }
    for restarted in [false, true] {
        if restarted {
            for region in 0..2 {
                world.kill(region).await;
                world.restart(region).await;
            }
        }
        let incident = world.fire("service web down");
        let run = world.expect(&incident, Outcome::HandedOff).await;
        let standing = run.journal.standing();
        let paused =
            matches!(standing, Standing::Closing { reason: Reason::Paused { step: 2 }, .. });
        assert!(paused, "{standing:?}");
        assert_eq!(world.read("recoveries"), "");
        let note = world.last_note(&incident);
        for part in ["AMS は一時停止中です（すべて）: 10時からの誤動作（佐藤）", "状況の出力"]
        {
            assert!(note.contains(part), "'{part}' is not in {note}");
        }
        let pages = world.view(&incident).log;
        let pages = pages.iter().filter(|it| matches!(it.what, Entry::Paged { .. })).count();
        assert_eq!(pages, 2, "people are paged, after PagerDuty's own first page");
    }
    let counted = "ams_guard_refusals_total{guard=\"pause\"} 1";
    let mut pages = String::new();
    for region in &world.cluster.regions {
        let page = reqwest::get(region.url("/metrics")).await.unwrap();
        pages += &page.text().await.unwrap();
    }
    assert!(pages.contains(counted), "{pages}");
    let (listed, _) = world.ams(&["pause", "--list"]).await;
    assert!(listed.contains("すべて") && listed.contains("10時からの誤動作 (佐藤)"), "{listed}");
    let (said, code) = world.ams(&["resume", "--all"]).await;
    assert_eq!(code, Some(0), "{said}");
    let incident = world.fire("service web down");
    world.expect(&incident, Outcome::Resolved).await;
    assert_eq!(world.ams(&["pause", "--list"]).await.0.trim(), "一時停止はありません");
    world.end().await;
}

#[tokio::test]
async fn a_run_that_is_under_way_meets_a_pause_before_its_next_change() {
    let slow = SLOW.replace("for: 30s", "for: 6s");
    let world = World::with(&slow).start().await;
    let incident = world.fire("service is slow");
    world.until_lines("checks", 1).await;
    let (said, code) = world.ams(&ALL).await;
    assert_eq!(code, Some(0), "{said}");
    world.expect(&incident, Outcome::HandedOff).await;
    assert_eq!(world.read("recoveries"), "");
    world.end().await;
}

/// Nobody need decide about what will not be done.
#[tokio::test]
async fn nobody_is_asked_about_what_is_paused() {
    let asks = REPAIR.replace(
        "  - recover:\n      name: 起動",
        "  - approve: {ask: \"起動してよいですか\", within: 1m}\n  - recover:\n      name: 起動",
    );
    assert_ne!(asks, REPAIR);
    let world = World::with(&asks).start().await;
    assert_eq!(world.ams(&ALL).await.1, Some(0));
    let incident = world.fire("service web down");
    world.expect(&incident, Outcome::HandedOff).await;
    let notes = world.view(&incident).notes;
    assert!(notes.iter().all(|note| !note.content.contains("起動してよいですか")));
    world.end().await;
}

/// What has begun is seen to its end, by whoever takes it over.
#[tokio::test]
async fn a_recovery_that_has_begun_is_taken_over_and_verified_in_a_pause() {
    let slow = REPAIR.replace(
        "- recover:\n      name: 起動\n      run: ",
        "- recover:\n      name: 起動\n      run: sleep 4; ",
    );
    let mut world = World::with(&slow).settings(SHORT_LEASE).start().await;
    let incident = world.fire("service web down");
    world.until_run(&incident, |item| !item.journal.in_doubt().is_empty()).await;
    let owner = world.owner(&incident).await;
    world.kill(owner).await;
    let (said, code) = world.ams(&ALL).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("応答なし") && said.contains("有効（"), "{said}");
    world.expect(&incident, Outcome::Resolved).await;
    assert_eq!(world.read("recoveries").lines().count(), 1);
    world.restart(owner).await;
    world.end().await;
}

/// `{{ capture.host }}` of a title is recovered.
const HOSTS: &str = "\
scenario: restart
about: ホストの復旧
match:
  all: [down]
  pattern: '^(?<host>\\S+) down'
  captures: {host: hostname}
target: \"{{ capture.host }}\"
steps:
  - check: {name: 確認, on: runner, run: 'exit 1'}
  - recover:
      name: 起動
      run: echo \"$HOST\" >> \"$FOLDER/recoveries\"
      env: {FOLDER: \"{{ vars.folder }}\", HOST: \"{{ target.host }}\"}
  - verify: {name: 再確認, on: runner, run: 'true'}
";

const SHOP: &str = "customer: shop\nname: サンプル商店\nbelongs: {title: {any: [web, db]}}\n\
    hosts:\n  - {name: web01, aliases: [www], groups: [web], reach: local}\n  \
    - {name: db01, groups: [db], reach: local}\n";

#[tokio::test]
async fn a_pause_of_a_host_or_a_group_stops_nothing_else() {
    let world = World::with(HOSTS).customer(SHOP).start().await;
    // By a name that the file does not call it by in the run.
    let pause = ["pause", "--customer", "shop", "--host", "WWW", "--reason", "ディスク交換"];
    let (said, code) = world.ams(&[&pause[..], &["--for", "1d"]].concat()).await;
    assert_eq!(code, Some(0), "{said}");
    let web = world.fire("web01 down");
    world.expect(&web, Outcome::HandedOff).await;
    let note = world.last_note(&web);
    assert!(note.contains("お客様 shop、ホスト WWW") && note.contains(" まで）"), "{note}");
    let db = world.fire("db01 down");
    world.expect(&db, Outcome::Resolved).await;
    assert_eq!(world.read("recoveries"), "db01\n");

    let (said, _) = world.ams(&["pause", "--group", "db", "--reason", "移行"]).await;
    let (ended, code) = world.ams(&["resume", "--customer", "shop", "--host", "www"]).await;
    assert_eq!(code, Some(0), "{said} {ended}");
    let (web, db) = (world.fire("web01 down again"), world.fire("db01 down again"));
    world.expect(&web, Outcome::Resolved).await;
    world.expect(&db, Outcome::HandedOff).await;
    world.end().await;
}

#[tokio::test]
async fn what_would_stop_nothing_is_refused() {
    let world = World::with(HOSTS).customer(SHOP).start().await;
    for (words, told) in [
        (&["pause", "--reason", "x"][..], "say what to pause"),
        (&["pause", "--host", "web1", "--reason", "x"], "did you mean 'web01'?"),
        (&["pause", "--customer", "shopp", "--reason", "x"], "did you mean 'shop'?"),
        (&["pause", "--scenario", "restar", "--reason", "x"], "did you mean 'restart'?"),
    ] {
        let (said, code) = world.ams(words).await;
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains(told), "{said}");
    }
    let (said, code) = world.ams(&["resume", "--all"]).await;
    assert_eq!(code, Some(1), "{said}");
    let anyway = ["pause", "--host", "web99", "--reason", "x", "--anyway"];
    assert_eq!(world.ams(&anyway).await.1, Some(0));
    world.end().await;
}
