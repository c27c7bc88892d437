//! What one step read, in the next one's hands: branches, lists, take-overs, permission of people.

use ams::incident::Outcome;
use ams::sandbox::pagerduty::ENGINEER;

use crate::harness::world::{SHORT_LEASE, World};

/// Reads a word, changes something, waits, and needs the word again.
const REMEMBERS: &str = "\
scenario: remembers
about: 読んだ値を後で使う
match: {all: [service, failed]}
deadline: 2m
steps:
  - check:
      id: seen
      name: 失敗しているユニット
      run: echo checked >> \"$FOLDER/checks\"; cat \"$FOLDER/failed\"
      env: {FOLDER: \"{{ vars.folder }}\"}
      values: {units: {list: word}, first: {pattern: '^(\\S+)'}}
      expect: {that: length(units) == 0}
      when_healthy: resolve
  - branch:
      - when: length(steps.seen.units) > 2
        steps:
          - hand_off: \"多すぎます: {{ steps.seen.units }}\"
      - otherwise: continue
  - each:
      item: unit
      of: steps.seen.units
      steps:
        - recover:
            name: 起動
            run: echo \"$UNIT\" >> \"$FOLDER/recoveries\"
            env: {UNIT: \"{{ each.unit }}\", FOLDER: \"{{ vars.folder }}\"}
  - wait: {name: 様子を見る, for: 100ms}
  - verify:
      name: 最初のユニット
      run: grep -x \"$UNIT\" \"$FOLDER/recoveries\" && echo \"$UNIT\" >> \"$FOLDER/verified\"
      env: {UNIT: \"{{ steps.seen.first }}\", FOLDER: \"{{ vars.folder }}\"}
always:
  - recover:
      name: 後始末
      when: steps.seen.began
      run: echo undone >> \"$FOLDER/undone\"
      env: {FOLDER: \"{{ vars.folder }}\"}
      effect: idempotent
";

#[tokio::test]
async fn values_lead_to_branches_and_lists() {
    let world = World::with(REMEMBERS).start().await;
    world.write("failed", "httpd\ncrond\n");
    let incident = world.fire("service failed");
    world.expect(&incident, Outcome::Resolved).await;
    assert_eq!(world.read("recoveries"), "httpd\ncrond\n");
    assert_eq!(world.read("verified"), "httpd\n");
    assert_eq!(world.read("undone"), "undone\n");
    assert!(world.last_note(&incident).contains("起動 (crond)"));

    world.write("failed", "a\nb\nc\n");
    let incident = world.fire("service failed again");
    world.expect(&incident, Outcome::HandedOff).await;
    assert!(world.last_note(&incident).contains("多すぎます: a, b, c"));
    assert_eq!(world.read("recoveries"), "httpd\ncrond\n", "nothing more was done");
    world.end().await;
}

#[tokio::test]
async fn a_region_that_takes_over_knows_what_the_first_one_read() {
    let slow = REMEMBERS.replace("for: 100ms", "for: 4s");
    let mut world = World::with(&slow).settings(SHORT_LEASE).start().await;
    world.write("failed", "httpd\ncrond\n");
    let incident = world.fire("service failed");
    world.until_done(&incident, 2).await;
    let owner = world.owner(&incident).await;
    world.kill(owner).await;
    // Looked at again, the check would find other units now.
    world.write("failed", "");
    let run = world.expect(&incident, Outcome::Resolved).await;
    assert_eq!(run.epoch, 2, "taken over once");
    assert_eq!(world.read("checks"), "checked\n", "what was seen is not looked at again");
    assert_eq!(world.read("recoveries"), "httpd\ncrond\n", "what was done is not done again");
    assert_eq!(world.read("verified"), "httpd\n");
    assert_eq!(world.read("undone"), "undone\n");
    world.restart(owner).await;
    world.end().await;
}

const ASKS: &str = "\
scenario: asks
about: 許可を得てから再起動する
match: {all: [service, slow]}
deadline: 5m
steps:
  - approve: {name: 許可, ask: \"再起動してよいですか\", within: 1m}
  - recover:
      name: 再起動
      run: echo once >> \"$FOLDER/recoveries\"
      env: {FOLDER: \"{{ vars.folder }}\"}
  - verify: {run: 'true'}
";

#[tokio::test]
async fn people_allow_or_forbid_by_a_note() {
    let world = World::with(ASKS).start().await;
    for (answer, outcome, recoveries) in
        [("ams deny", Outcome::HandedOff, 0), ("AMS Approve お願いします", Outcome::Resolved, 1)]
    {
        let incident = world.fire("service slow");
        world
            .until(&incident, |view| {
                view.notes.iter().any(|note| note.content.contains("再起動してよいですか"))
            })
            .await;
        assert_eq!(world.read("recoveries").lines().count(), 0, "nothing before the answer");
        world.pagerduty().annotate_as(ENGINEER, &incident, answer).unwrap();
        world.expect(&incident, outcome).await;
        assert_eq!(world.read("recoveries").lines().count(), recoveries);
    }
    world.end().await;
}

#[tokio::test]
async fn in_shadow_nothing_is_changed_and_nobody_is_paged() {
    let shadow = REMEMBERS.replace("about:", "mode: shadow\nabout:");
    let world = World::with(&shadow).start().await;
    world.write("failed", "httpd\n");
    let incident = world.fire("service failed");
    world.expect(&incident, Outcome::Shadowed).await;
    assert_eq!((world.read("recoveries"), world.read("undone")), (String::new(), String::new()));
    let view = world.view(&incident);
    assert_eq!(view.title, "service failed", "the title stays as it was");
    assert!(world.last_note(&incident).contains("「起動」を実施するところでした"));
    world.end().await;
}
