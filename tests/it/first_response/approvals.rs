//! People are asked, and answer in whichever region, whatever becomes of the runner that asked.

use ams::claim::journal::{Entry, Reason, Standing};
use ams::clock::{Clock as _, SystemClock};
use ams::incident::{IncidentId, Outcome};
use ams::receive::signature::sign;
use ams::sandbox::pagerduty::{ENGINEER, MANAGER, Settings};
use serde_json::json;

use crate::harness::world::{SHORT_LEASE, World};

const ASKS: &str = "\
scenario: slow
about: 承認を待つ復旧
match:
  all: [slow]
  pattern: '^(?<host>\\S+) slow'
  captures: {host: hostname}
deadline: 5m
target: \"{{ capture.host }}\"
steps:
  - approve: {name: 許可, ask: \"再起動してよいですか\", within: 1m}
  - recover:
      name: 再起動
      run: echo \"$HOST\" >> \"$FOLDER/recoveries\"
      env: {FOLDER: \"{{ vars.folder }}\", HOST: \"{{ target.host }}\"}
  - verify: {run: 'true'}
";

const SHOP: &str = "customer: shop\nname: サンプル商店\nbelongs: {title: {any: [web]}}\n\
    hosts: [{name: web01, reach: local}]\n";

/// In place of the step, the mode asks.
fn in_mode_approve() -> String {
    let step = "  - approve: {name: 許可, ask: \"再起動してよいですか\", within: 1m}\n";
    ASKS.replace(step, "  - check: {name: 確認, on: runner, run: 'exit 1'}\n")
        .replace("about:", "mode: approve\nabout:")
}

impl World {
    async fn asked(&self, incident: &IncidentId) {
        self.until(incident, |view| view.notes.iter().any(|it| it.content.contains("承認依頼")))
            .await;
    }

    /// A person's note whose webhook reaches one region only.
    async fn answer_to(&self, region: usize, incident: &IncidentId, note: &str) {
        let body = json!({ "event": {
            "id": format!("E{}", uuid::Uuid::new_v4().simple()),
            "event_type": "incident.annotated",
            "occurred_at": SystemClock.now(),
            "agent": { "id": ENGINEER, "type": "user_reference" },
            "data": { "type": "incident_note", "id": "N1", "content": note,
                      "incident": { "id": incident.as_str() } },
        } });
        let body = body.to_string();
        let signature = sign(body.as_bytes(), &Settings::default().webhook_secret);
        let sent = reqwest::Client::new()
            .post(self.cluster.regions[region].webhook_url())
            .header("x-pagerduty-signature", signature)
            .body(body)
            .send();
        assert_eq!(sent.await.unwrap().status(), 202);
    }

    async fn questions(&self, incident: &IncidentId) -> usize {
        let item = self.outcome(incident).await;
        let asked = |entry: &&Entry| matches!(entry, Entry::Asked { .. });
        item.journal.entries().iter().filter(asked).count()
    }
}

fn questions_shown(world: &World, incident: &IncidentId) -> usize {
    let notes = world.view(incident).notes;
    notes.iter().filter(|note| note.content.contains("承認依頼")).count()
}

#[tokio::test]
async fn an_answer_that_only_the_other_region_hears_counts() {
    let world = World::with(ASKS).customer(SHOP).start().await;
    let incident = world.fire("web01 slow");
    world.asked(&incident).await;
    let owner = world.owner(&incident).await;
    world.answer_to(1 - owner, &incident, "ams approve").await;
    world.expect(&incident, Outcome::Resolved).await;
    assert_eq!(world.read("recoveries"), "web01\n");
    assert!(world.last_note(&incident).contains(&format!("承認: {ENGINEER}")));
    world.end().await;
}

#[tokio::test]
async fn who_takes_over_goes_on_waiting_and_does_not_ask_again() {
    let mut world = World::with(ASKS).customer(SHOP).settings(SHORT_LEASE).start().await;
    let incident = world.fire("web01 slow");
    world.asked(&incident).await;
    let before = world.until_run(&incident, |item| item.journal.questions().count() == 1).await;
    let (told, _) = world.ams(&["explain", incident.as_str()]).await;
    assert!(told.contains("承認の回答を"), "{told}");
    let owner = world.owner(&incident).await;
    world.kill(owner).await;
    world.until_epoch(&incident, 2).await;
    world.pagerduty().annotate_as(ENGINEER, &incident, "ams approve").unwrap();
    let run = world.expect(&incident, Outcome::Resolved).await;
    assert_eq!(world.read("recoveries"), "web01\n");
    let questions: Vec<_> = run.journal.questions().collect();
    assert_eq!(questions, before.journal.questions().collect::<Vec<_>>(), "its time stays too");
    assert_eq!(questions_shown(&world, &incident), 1);
    world.restart(owner).await;
    world.end().await;
}

#[tokio::test]
async fn an_answer_that_comes_while_nobody_carries_the_run_is_kept() {
    let mut world =
        World::with(&in_mode_approve()).customer(SHOP).settings(SHORT_LEASE).start().await;
    let incident = world.fire("web01 slow");
    world.asked(&incident).await;
    let owner = world.owner(&incident).await;
    world.kill(owner).await;
    // Long before the lease ends.
    world.answer_to(1 - owner, &incident, "ams approve").await;
    let item = world.until_run(&incident, |item| !item.answers.given.is_empty()).await;
    assert_eq!(item.epoch, 1, "nobody has taken it over yet");
    world.expect(&incident, Outcome::Resolved).await;
    assert_eq!(world.read("recoveries"), "web01\n");
    assert_eq!((questions_shown(&world, &incident), world.questions(&incident).await), (1, 1));
    world.restart(owner).await;
    world.end().await;
}

#[tokio::test]
async fn a_stranger_s_answer_gets_one_note_and_changes_nothing() {
    let shop = format!("{SHOP}approvers: [{MANAGER}]\n");
    let world = World::with(&in_mode_approve()).customer(&shop).start().await;
    let incident = world.fire("web01 slow");
    world.asked(&incident).await;
    for _ in 0..2 {
        world.pagerduty().annotate_as(ENGINEER, &incident, "ams approve").unwrap();
        world
            .until(&incident, |view| {
                view.notes.iter().any(|it| it.content.contains("承認者に登録されていない"))
            })
            .await;
    }
    assert_eq!(world.read("recoveries"), "");
    world.pagerduty().annotate_as(MANAGER, &incident, "ams approve").unwrap();
    world.expect(&incident, Outcome::Resolved).await;
    let notes = world.view(&incident).notes;
    let told = notes.iter().filter(|note| note.content.contains("承認者に登録されていない"));
    assert_eq!(told.count(), 1, "one note, however often");
    assert!(world.last_note(&incident).contains(&format!("承認: {MANAGER}")));
    world.end().await;
}

#[tokio::test]
async fn a_question_that_nobody_answers_ends_as_it_says() {
    let world = World::with(&ASKS.replace("within: 1m", "within: 2s")).customer(SHOP).start().await;
    let incident = world.fire("web01 slow");
    let run = world.expect(&incident, Outcome::HandedOff).await;
    let standing = run.journal.standing();
    let denied = matches!(
        standing,
        Standing::Closing {
            reason: Reason::HandedOffByStep { .. } | Reason::NotApproved { .. },
            ..
        }
    );
    assert!(denied, "{standing:?}");
    assert_eq!(world.read("recoveries"), "");
    world.end().await;
}

#[tokio::test]
async fn people_see_what_will_be_done_before_they_allow_it() {
    let password = "HOST: \"{{ target.host }}\", DB_PASSWORD: \"{{ capture.host }}\"";
    let asks = in_mode_approve().replace("HOST: \"{{ target.host }}\"", password);
    let world = World::with(&asks).customer(SHOP).start().await;
    let incident = world.fire("web01 slow");
    world.asked(&incident).await;
    let view = world.view(&incident);
    let note = view.notes.iter().find(|note| note.content.contains("承認依頼")).unwrap();
    for part in ["承認を待つ復旧", "2. [recover] 再起動 → web01", "HOST=web01", "/recoveries\""]
    {
        assert!(note.content.contains(part), "'{part}' is not in {}", note.content);
    }
    assert!(note.content.contains("DB_PASSWORD=****"), "{}", note.content);
    world.pagerduty().annotate_as(ENGINEER, &incident, "ams deny").unwrap();
    world.expect(&incident, Outcome::HandedOff).await;
    assert_eq!(world.read("recoveries"), "");
    world.end().await;
}

#[tokio::test]
async fn in_waived_hours_nobody_is_asked() {
    let waived = "approval: {waived: [{scenarios: [slow], from: \"00:00\", until: \"24:00\"}]}\n";
    for asks in [in_mode_approve(), ASKS.to_owned()] {
        let world = World::with(&asks).customer(&format!("{SHOP}{waived}")).start().await;
        let incident = world.fire("web01 slow");
        world.expect(&incident, Outcome::Resolved).await;
        assert_eq!(questions_shown(&world, &incident), 0);
        assert!(world.last_note(&incident).contains("承認不要の時間帯"));
        world.end().await;
    }
}
