//! Text from outside is data, and what is secret stays here.

use ams::incident::Outcome;

use crate::harness::world::World;

#[tokio::test]
async fn a_title_cannot_become_a_command() {
    let scenario = "scenario: host\nabout: 情報収集\n\
        match: {all: [host], pattern: 'host=(?<host>.+)$', captures: {host: text}}\nsteps:\n  \
        - gather: {name: 値, run: 'printf \"<%s>\" \"$HOST_NAME\"', \
          env: {HOST_NAME: \"{{ capture.host }}\", FOLDER: \"{{ vars.folder }}\"}}\n";
    let world = World::with(scenario).start().await;
    let evil = "$(touch \"$FOLDER/pwned\"); `touch pwned` {{ vars.folder }} '\" && rm -rf x";
    let incident = world.fire(&format!("host={evil}"));
    world.expect(&incident, Outcome::HandedOff).await;
    assert!(world.last_note(&incident).contains(&format!("<{evil}>")), "it stays a value");
    assert!(!world.path("pwned").exists());
    world.end().await;
}

#[tokio::test]
async fn a_capture_that_is_not_what_it_should_be_matches_nothing() {
    let scenario = "scenario: host\nabout: 情報収集\n\
        match: {all: [host], pattern: 'host=(?<host>\\S+)', captures: {host: hostname}}\nsteps:\n  \
        - gather: {run: 'true', env: {H: \"{{ capture.host }}\"}}\n";
    let world = World::with(scenario).start().await;
    let incident = world.fire("host=-oProxyCommand=reboot");
    world.expect(&incident, Outcome::Unmatched).await;
    world.end().await;
}

#[tokio::test]
async fn secrets_in_outputs_do_not_reach_notes() {
    let scenario = "scenario: leak\nabout: 情報収集\nmatch: {all: [leak]}\nsteps:\n  \
        - gather: {run: 'echo DB_PASSWORD=hunter2-hunter2'}\n";
    let world = World::with(scenario).start().await;
    let incident = world.fire("leak");
    world.expect(&incident, Outcome::HandedOff).await;
    let note = world.last_note(&incident);
    assert!(note.contains("DB_PASSWORD=****") && !note.contains("hunter2"), "{note}");
    world.end().await;
}

#[tokio::test]
async fn a_long_output_is_short_in_the_note_and_whole_on_disk() {
    let scenario = "scenario: long\nabout: 情報収集\nmatch: {all: [long]}\nsteps:\n  \
        - gather: {run: 'seq 1 200000'}\n";
    let world = World::with(scenario).start().await;
    let incident = world.fire("long");
    world.expect(&incident, Outcome::HandedOff).await;
    let note = world.last_note(&incident);
    assert!(note.len() < 6_000 && note.contains("\n200000\n"), "{note}");
    let path = note.split("全文: ").nth(1).and_then(|rest| rest.split(')').next()).unwrap();
    let path = path.split_once(':').unwrap().1;
    let whole = std::fs::read_to_string(path).unwrap();
    assert_eq!(whole.lines().count(), 200_000);
    world.end().await;
}
