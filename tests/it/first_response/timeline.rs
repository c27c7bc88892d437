//! What an incident's timeline shows of a run, and what that costs.

use ams::incident::{IncidentId, Outcome};
use ams::limits;

use super::{REPAIR, SLOW};
use crate::harness::world::{SHORT_LEASE, World};

/// Writes to PagerDuty that concern the incident.
pub(super) fn writes(world: &World, incident: &IncidentId) -> Vec<String> {
    let path = format!("/incidents/{incident}");
    let requests = world.pagerduty().recorded_requests().into_iter();
    let own = requests.filter(|it| it.method != "GET" && it.path.starts_with(&path));
    own.map(|it| format!("{} {}", it.method, it.template)).collect()
}

#[tokio::test]
async fn an_ordinary_run_costs_at_most_four_writes() {
    const CHANGE: &str = "PUT /incidents/{id}";
    const NOTE: &str = "POST /incidents/{id}/notes";
    let slow = SLOW.replace("for: 30s", "for: 2s");
    for (scenario, title, outcome, expected) in [
        // Title and note at the start; title, status and resolution in one, and a note at the end.
        (slow.as_str(), "service is slow", Outcome::Resolved, vec![CHANGE, NOTE, CHANGE, NOTE]),
        (REPAIR, "service web down", Outcome::RecoveredItself, vec![CHANGE, NOTE]),
        // Title, priority and level go into one write.
        (
            &slow
                .replace("run: 'true'", "{run: 'false', within: 1s, every: 200ms}")
                .replace("verify: {name: 確認, {run", "verify: {name: 確認, run")
                .replace("200ms}}", "200ms}"),
            "service is slow",
            Outcome::Escalated,
            vec![CHANGE, NOTE, CHANGE, NOTE],
        ),
    ] {
        let world = World::with(scenario).start().await;
        if outcome == Outcome::RecoveredItself {
            world.write("up", "");
        }
        let incident = world.fire(title);
        world.expect(&incident, outcome).await;
        assert_eq!(writes(&world, &incident), expected, "{}", world.everything(&incident));
        world.end().await;
    }
}

#[tokio::test]
async fn a_long_title_is_shortened_and_whoever_takes_over_knows_all_of_it() {
    let scenario = SLOW
        .replace(
            "match: {all: [service, slow]}",
            "match: {all: [service], pattern: 'host=(?<host>\\S+)'}",
        )
        .replace("for: 30s", "for: 4s")
        .replace(
            "echo once >> \"$FOLDER/recoveries\"\n      env: {",
            "echo \"$HOST $TITLE\" >> \"$FOLDER/recoveries\"\n      \
             env: {HOST: \"{{ capture.host }}\", TITLE: \"{{ incident.title }}\", ",
        );
    let mut world = World::with(&scenario).settings(SHORT_LEASE).start().await;
    let (before, after) = ("障害".repeat(335), "詳細👨‍👩‍👧".repeat(40));
    let title = format!("service web01 {before} host=web0123 {after} 以上");
    assert!(title.chars().count() <= limits::TITLE_CHARS);
    let incident = world.fire(&title);
    world.until_working(&incident).await;
    let shown = world.view(&incident).title;
    assert!(shown.encode_utf16().count() <= limits::TITLE_CHARS, "{shown}");
    assert!(shown.starts_with("[AMS 対応中] service web01 障害"), "{shown}");
    assert!(shown.ends_with("👨‍👩‍👧 以上") && !shown.contains("web0123"), "{shown}");
    let owner = world.owner(&incident).await;
    world.kill(owner).await;
    let run = world.expect(&incident, Outcome::Resolved).await;
    assert_eq!(run.epoch, 2, "taken over");
    assert_eq!(world.read("recoveries").trim(), format!("web0123 {title}"));
    assert!(world.view(&incident).title.starts_with("[AMS 復旧] service web01 障害"));
    world.restart(owner).await;
    world.end().await;
}

/// Every step prints more than a note shows of it, and half of what is hostile to who reads it.
fn talkative() -> String {
    let step = |number: usize| {
        format!(
            "  - gather:\n      name: 収集{number}\n      id: log{number}\n      run: |\n        \
             printf '\\033[31m赤\\033[0m \\000\\007 \\342\\200\\256drawkcab 🚨👨‍👩‍👧 שלום\\r\\n'\n        \
             for i in 1 2 3 4 5 6 7 8 9; do printf '%0900d 行 %s\\n' $i 収集された情報; done\n"
        )
    };
    let steps: String = (0..40).map(step).collect();
    format!(
        "scenario: talkative\nabout: 出力の多い収集\nmatch: {{all: [talkative]}}\nsteps:\n{steps}\
         hand_off:\n  message: \"記録: {{{{ steps.log0.output }}}} {{{{ steps.log1.output }}}} \
         {{{{ steps.log2.output }}}} {{{{ steps.log3.output }}}}\"\n"
    )
}

#[tokio::test]
async fn a_huge_and_hostile_note_is_cut_with_a_link_to_all_of_it() {
    let world = World::with(&talkative()).start().await;
    let incident = world.fire("talkative \u{202e}dab\u{202c} one\ntwo");
    world.expect(&incident, Outcome::HandedOff).await;
    let note = world.last_note(&incident);
    assert!(note.len() <= limits::NOTE_BYTES && note.len() > 40_000, "{}", note.len());
    let acts = |c: char| c.is_control() && c != '\n' || ('\u{202a}'..='\u{202e}').contains(&c);
    assert!(!note.contains(acts), "{:?}", note.chars().find(|c| acts(*c)));
    assert!(note.contains("赤  drawkcab 🚨👨‍👩‍👧 שלום\n"), "{note}");
    assert!(note.contains("アラート: talkative dab one two\n"), "{note}");
    // The author's words are cut before they push out what AMS saw, and the rest before the foot.
    let headings =
        ["…（長いため途中まで", "■ 確認したこと", "■ 収集した情報", "\n記録: talkative @"];
    let places: Vec<usize> = headings.map(|it| note.find(it).unwrap_or(0)).into();
    assert!(places[0] > 0 && places.is_sorted(), "{places:?}\n{note}");
    let link = note.split("全文: ").find(|part| part.contains("-note.txt")).unwrap();
    let path = link.split_once(':').unwrap().1.split('）').next().unwrap();
    let whole = std::fs::read_to_string(path).unwrap();
    assert!(whole.len() > limits::NOTE_BYTES && !whole.contains("長いため"), "{}", whole.len());
    assert!(whole.contains("--- 40. 収集39") && !note.contains("--- 40. 収集39"));
    world.end().await;
}
