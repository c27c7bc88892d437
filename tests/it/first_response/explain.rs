//! `ams explain`: what an engineer reads of a run afterwards, or in its middle.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::Duration;

use ams::clock::SystemClock;
use ams::history::History as _;
use ams::history::sqlite::SqliteHistory;
use ams::incident::{IncidentId, Outcome};
use ams::sandbox::pagerduty::ENGINEER;
use regex::Regex;
use serde_json::Value;
use unicode_width::UnicodeWidthStr as _;

use super::lost_runner::{kill_the_command, killed_inside_a_recovery};
use super::{REPAIR, SLOW};
use crate::harness::world::{PATIENCE, World};

/// Without any secret in its environment.
pub(super) fn explain(config: &Path, words: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ams"));
    command.args(["explain", "--config"]).arg(config).args(words);
    command.env_remove("AMS_PAGERDUTY_TOKEN").env_remove("AMS_WEBHOOK_SECRET");
    command.output().unwrap()
}

pub(super) fn said(output: &Output) -> String {
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{:?} {error}", output.status);
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn json(config: &Path, incident: &IncidentId) -> Value {
    let told = explain(config, &[incident.as_str(), "--format", "json"]);
    serde_json::from_str(&said(&told)).unwrap()
}

/// Waits until it is as the story wants it: what is told of an end is kept a moment after it.
async fn until(config: &Path, incident: &IncidentId, is_so: impl Fn(&Value) -> bool) -> Value {
    let began = tokio::time::Instant::now();
    loop {
        let told = json(config, incident);
        if is_so(&told) {
            return told;
        }
        assert!(began.elapsed() < PATIENCE, "{told:#}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

pub(super) async fn until_told(world: &World, incident: &IncidentId) -> Value {
    let config = &world.cluster.regions[0].config;
    until(config, incident, |told| told["remarks"] == serde_json::json!([])).await
}

/// As text, with what differs from run to run replaced.
fn text(config: &Path, incident: &IncidentId, lang: &str) -> String {
    let told = said(&explain(config, &[incident.as_str(), "--lang", lang]));
    for line in told.lines().filter(|line| !line.contains(": tokyo:") && !line.contains(": osaka:"))
    {
        assert!(line.width() <= 80, "{} columns: {line}", line.width());
        assert!(!line.contains('\u{1b}'), "no colour");
    }
    masked(told, incident)
}

fn masked(mut told: String, incident: &IncidentId) -> String {
    told = told.replace(incident.as_str(), "QINCIDENT");
    let owner = Regex::new(r"(tokyo|osaka)-[0-9a-f]{8}").unwrap();
    let mut owners: Vec<String> = Vec::new();
    for found in owner.find_iter(&told) {
        if !owners.iter().any(|owner| owner == found.as_str()) {
            owners.push(found.as_str().to_owned());
        }
    }
    for (owner, name) in owners.iter().zip(["tokyo-11111111", "osaka-22222222"]) {
        told = told.replace(owner, name);
    }
    let patterns = [
        (r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d JST", "2026-01-01 00:00:00 JST"),
        (r"\d\d:\d\d:\d\d", "00:00:00"),
        (r"\d+(\.\d)? s\b", "0.0 s"),
        (r"\d+\.\d秒", "0.0秒"),
        (r"((?:version|版) +)[0-9a-f]{12}", "${1}0123456789ab"),
        (r"\d+ attempts", "5 attempts"),
        (r"\(\d+回", "(5回"),
    ];
    for (pattern, with) in patterns {
        told = Regex::new(pattern).unwrap().replace_all(&told, with).into_owned();
    }
    told
}

/// Without the line breaks.
fn flat(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn config(world: &World) -> PathBuf {
    world.cluster.regions[0].config.clone()
}

#[tokio::test]
async fn a_resolved_run() {
    let world = World::with(REPAIR).start().await;
    let incident = world.fire("service web DOWN");
    world.expect(&incident, Outcome::Resolved).await;
    let told = until_told(&world, &incident).await;
    assert_eq!(told["outcome"], "resolved");
    assert_eq!(told["steps"][2]["kind"], "recover");
    assert_eq!(told["end"]["paged"], "nobody");
    insta::assert_snapshot!("resolved_en", text(&config(&world), &incident, "en"));
    insta::assert_snapshot!("resolved_ja", text(&config(&world), &incident, "ja"));
    // The address bar of whoever has the incident open.
    let address = format!("https://example.pagerduty.com/incidents/{incident}?tab=log");
    assert!(explain(&config(&world), &[&address]).status.success());
    world.end().await;
}

#[tokio::test]
async fn a_run_that_woke_people() {
    let world = World::with(REPAIR).start().await;
    world.write("broken", "");
    let incident = world.fire("service web down");
    world.expect(&incident, Outcome::Escalated).await;
    let told = until_told(&world, &incident).await;
    assert_eq!(told["end"]["paged"]["level"], 2);
    insta::assert_snapshot!("escalated_en", text(&config(&world), &incident, "en"));
    world.end().await;
}

#[tokio::test]
async fn a_recovery_that_another_region_found_ended() {
    let (mut world, incident, owner) = killed_inside_a_recovery("once").await;
    world.until_epoch(&incident, 2).await;
    world.write("go", "");
    world.expect(&incident, Outcome::Resolved).await;
    let told = until_told(&world, &incident).await;
    assert_eq!(told["carriers"].as_array().unwrap().len(), 2);
    let recover = told["steps"].as_array().unwrap().iter().find(|it| it["kind"] == "recover");
    assert_eq!(recover.unwrap()["adopted_from"], told["carriers"][0]["owner"]);
    insta::assert_snapshot!("adopted_en", text(&config(&world), &incident, "en"));
    insta::assert_snapshot!("adopted_ja", text(&config(&world), &incident, "ja"));
    world.restart(owner).await;
    world.end().await;
}

#[tokio::test]
async fn a_recovery_in_doubt() {
    let (mut world, incident, owner) = killed_inside_a_recovery("once").await;
    kill_the_command(&world);
    world.expect(&incident, Outcome::Escalated).await;
    let told = until_told(&world, &incident).await;
    assert_eq!(told["steps"].as_array().unwrap().last().unwrap()["state"], "in_doubt");
    insta::assert_snapshot!("in_doubt_en", text(&config(&world), &incident, "en"));
    insta::assert_snapshot!("in_doubt_ja", text(&config(&world), &incident, "ja"));
    world.restart(owner).await;
    world.end().await;
}

#[tokio::test]
async fn an_open_run_and_the_person_who_stops_it() {
    let world = World::with(SLOW).start().await;
    let incident = world.fire("service is slow");
    world.until_working(&incident).await;
    let told = json(&config(&world), &incident);
    assert_eq!((&told["is_open"], &told["now"]["heartbeat"]), (&true.into(), &"alive".into()));
    assert_eq!(told["now"]["may_be_at"], serde_json::json!([1, 2]));
    assert_eq!(told["now"]["next_change"], 3);
    insta::assert_snapshot!("open_en", text(&config(&world), &incident, "en"));
    insta::assert_snapshot!("open_ja", text(&config(&world), &incident, "ja"));
    world.pagerduty().acknowledge_as(ENGINEER, &incident).unwrap();
    world.expect(&incident, Outcome::StoodDown).await;
    let told = until_told(&world, &incident).await;
    assert_eq!(told["stand_down"]["by"], ENGINEER);
    insta::assert_snapshot!("stood_down_en", text(&config(&world), &incident, "en"));
    insta::assert_snapshot!("stood_down_ja", text(&config(&world), &incident, "ja"));
    world.end().await;
}

#[tokio::test]
async fn an_open_run_whose_region_is_gone() {
    // Nobody takes it over while we look.
    let mut world = World::with(SLOW).settings("lease: 10m\n").start().await;
    let incident = world.fire("service is slow");
    world.until_working(&incident).await;
    let owner = world.owner(&incident).await;
    world.kill(owner).await;
    let told = json(&config(&world), &incident);
    assert_eq!(told["now"]["heartbeat"], "still");
    let shown = flat(&text(&config(&world), &incident, "en"));
    assert!(shown.contains("'s heartbeat stands still"), "{shown}");
    assert!(!shown.contains("No region is alive"), "{shown}");
    world.kill(1 - owner).await;
    let shown = flat(&text(&config(&world), &incident, "en"));
    assert!(shown.contains("No region is alive now"), "{shown}");
    world.pagerduty().acknowledge_as(ENGINEER, &incident).unwrap();
}

#[tokio::test]
async fn what_no_scenario_is_meant_for() {
    let capture = "scenario: port\nabout: ポート\nmatch:\n  all: [service]\n  \
                   pattern: 'port (?P<port>\\S+)'\n  captures: {port: number}\nsteps:\n  \
                   - gather: {run: 'echo \"$PORT\"', env: {PORT: '{{ capture.port }}'}}\n";
    let world = World::with(capture).start().await;
    let (far, near) = (world.fire("夜間バッチの遅れ"), world.fire("service on port many"));
    for incident in [&far, &near] {
        world.expect(incident, Outcome::Unmatched).await;
        until_told(&world, incident).await;
    }
    insta::assert_snapshot!("unmatched_en", text(&config(&world), &far, "en"));
    insta::assert_snapshot!("unmatched_ja", text(&config(&world), &far, "ja"));
    insta::assert_snapshot!("nearly_matched_en", text(&config(&world), &near, "en"));
    world.end().await;
}

/// Somebody's copy of the claims, with a history and scenarios of its own.
fn elsewhere(world: &World, name: &str, history: Option<&[u8]>) -> PathBuf {
    let folder = world.path(name);
    std::fs::create_dir_all(folder.join("scenarios")).unwrap();
    let claims = rusqlite::Connection::open(world.cluster.claims()).unwrap();
    let copy = folder.join("claims.db").display().to_string();
    claims.execute("VACUUM INTO ?1", [copy]).unwrap();
    if let Some(history) = history {
        std::fs::write(folder.join("claims.history.db"), history).unwrap();
    }
    let config = folder.join("ams.yaml");
    let settings = "lang: en\ntime_zone: Asia/Tokyo\nscenarios: scenarios\n\
                    store: {sqlite: claims.db}\npagerduty: {token: env:NOT_SET_ANYWHERE}\n";
    std::fs::write(&config, settings).unwrap();
    config
}

#[tokio::test]
async fn without_its_history_the_claim_is_told_with_names_from_the_files() {
    let world = World::with(REPAIR).start().await;
    world.write("broken", "");
    let incident = world.fire("service web down");
    world.expect(&incident, Outcome::Escalated).await;
    until_told(&world, &incident).await;

    let config = elsewhere(&world, "damaged", Some(b"this was a database once"));
    let file = config.with_file_name("scenarios").join("scenario.yaml");
    std::fs::write(&file, REPAIR).unwrap();
    insta::assert_snapshot!("claim_alone_en", text(&config, &incident, "en"));
    insta::assert_snapshot!("claim_alone_ja", text(&config, &incident, "ja"));
    std::fs::write(&file, REPAIR.replace("起動後の稼働確認", "別の名前")).unwrap();
    let shown = flat(&text(&config, &incident, "en"));
    assert!(shown.contains("別の名前") && shown.contains("another version"), "{shown}");
    std::fs::remove_file(&file).unwrap();
    let shown = flat(&text(&config, &incident, "en"));
    assert!(shown.contains("steps are numbers only"), "{shown}");
    assert!(shown.contains("3. → ok"), "{shown}");

    let swept = elsewhere(&world, "swept", None);
    let shown = flat(&text(&swept, &incident, "en"));
    assert!(shown.contains("The history has nothing of this run"), "{shown}");
    world.end().await;
}

#[tokio::test]
async fn a_story_that_is_damaged_or_newer_is_left_out() {
    let world = World::with(REPAIR).start().await;
    let incident = world.fire("service web down");
    let run = world.expect(&incident, Outcome::Resolved).await.run;
    until_told(&world, &incident).await;
    let path = world.cluster.claims().with_extension("history.db");
    let history = SqliteHistory::open(&path, Arc::new(SystemClock)).unwrap();
    for (story, why) in [("{", "it is damaged"), ("{\"version\": 9}", "a newer ams (version 9)")] {
        history.write_story(&run, story.to_owned()).await.unwrap();
        let shown = flat(&text(&config(&world), &incident, "en"));
        assert!(shown.contains("The history cannot be read") && shown.contains(why), "{shown}");
        assert!(shown.contains("3. [recover] 起動 → done"), "{shown}");
    }
    world.end().await;
}

#[tokio::test]
async fn a_run_before_the_latest_is_told_from_the_history() {
    let world = World::with(REPAIR).start().await;
    let incident = world.fire("service web down");
    world.expect(&incident, Outcome::Resolved).await;
    until_told(&world, &incident).await;
    std::fs::remove_file(world.path("up")).unwrap();
    world.pagerduty().reopen_as(ENGINEER, &incident).unwrap();
    let config = config(&world);
    until(&config, &incident, |told| told["run"] == 2 && told["outcome"] == "resolved").await;
    until_told(&world, &incident).await;
    let shown = flat(&text(&config, &incident, "en"));
    assert!(shown.contains("run 2: recovered") && shown.contains("(reopened)"), "{shown}");
    let first = said(&explain(&config, &[incident.as_str(), "--run", "1", "--lang", "en"]));
    assert!(first.contains("run 1: recovered"), "{first}");
    assert!(first.contains("[recover] 起動 → done: exit code 0"), "{first}");
    assert!(first.contains("The claim no longer has run 1"), "{first}");
    let third = explain(&config, &[incident.as_str(), "--run", "3", "--lang", "en"]);
    assert_eq!(third.status.code(), Some(1));
    world.end().await;
}

#[tokio::test]
async fn what_the_store_does_not_know_and_what_cannot_be_asked() {
    let world = World::with(REPAIR).start().await;
    let config = config(&world);
    let unknown = explain(&config, &["QNEVERCAME", "--lang", "en"]);
    assert_eq!((unknown.status.code(), unknown.stdout.len()), (Some(1), 0));
    let why = String::from_utf8(unknown.stderr).unwrap();
    assert!(why.contains("Nothing is recorded") && why.contains("96 hours ago"), "{why}");
    let unknown = explain(&config, &["QNEVERCAME", "--lang", "ja"]);
    let why = String::from_utf8(unknown.stderr).unwrap();
    assert!(why.contains("記録はありません") && why.contains("96 時間"), "{why}");
    assert_eq!(explain(&config, &["no/id at all"]).status.code(), Some(2));

    let nowhere = world.path("nowhere.yaml");
    std::fs::write(&nowhere, "store: {sqlite: gone/claims.db}\n").unwrap();
    let gone = explain(&nowhere, &["Q1"]);
    let why = String::from_utf8(gone.stderr).unwrap();
    assert_eq!(gone.status.code(), Some(2));
    assert!(why.contains("there is no claim store at"), "{why}");
    assert!(!world.path("gone").exists(), "looking makes nothing");
    std::fs::write(&nowhere, "lang: en\n").unwrap();
    assert_eq!(explain(&nowhere, &["Q1"]).status.code(), Some(2));
    std::fs::write(
        &nowhere,
        "store: {dynamodb: {table: t, history_table: h, region: x, endpoint: 'http://127.0.0.1:9'}}\n",
    )
    .unwrap();
    let unreachable = explain(&nowhere, &["Q1"]);
    assert_eq!(unreachable.status.code(), Some(2));
    world.end().await;
}
