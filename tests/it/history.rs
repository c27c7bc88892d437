//! Texts that runs have read, kept for whoever takes them over.

use std::path::Path;
use std::sync::Arc;

use ams::clock::{Clock as _, SetClock};
use ams::history::dynamodb::DynamoDbHistory;
use ams::history::sqlite::SqliteHistory;
use ams::history::{Forgetful, History};
use ams::incident::{IncidentId, RunId};
use jiff::{SignedDuration, Timestamp};

use super::harness::engine::{self, Engine};

async fn engine() -> Engine {
    let engine = Engine::start(Path::new(env!("CARGO_BIN_EXE_ams")));
    engine::create_history(&engine::client(engine.url()), "history").await;
    engine
}

async fn open(engine: &Engine, clock: &Arc<SetClock>) -> DynamoDbHistory {
    let client = engine::client(engine.url());
    DynamoDbHistory::open(client, "history", clock.clone()).await.unwrap()
}

fn run(number: u32) -> RunId {
    RunId { incident: IncidentId::parse("Q1").unwrap(), number }
}

#[tokio::test]
async fn sqlite_recalls_for_another_process_and_forgets_in_time() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("history.db");
    let clock = Arc::new(SetClock::at(Timestamp::UNIX_EPOCH));
    let tokyo = SqliteHistory::open(&path, clock.clone()).unwrap();
    let osaka = SqliteHistory::open(&path, clock.clone()).unwrap();
    recalls_for_another_process_and_forgets_in_time(&tokyo, &osaka, &clock).await;
}

#[tokio::test]
async fn dynamodb_recalls_for_another_process_and_forgets_in_time() {
    let (engine, clock) = (engine().await, Arc::new(SetClock::at(Timestamp::UNIX_EPOCH)));
    let (tokyo, osaka) = (open(&engine, &clock).await, open(&engine, &clock).await);
    recalls_for_another_process_and_forgets_in_time(&tokyo, &osaka, &clock).await;
}

async fn recalls_for_another_process_and_forgets_in_time(
    tokyo: &dyn History,
    osaka: &dyn History,
    clock: &SetClock,
) {
    tokyo.keep(&run(1), "first".to_owned()).await.unwrap();
    tokyo.keep(&run(1), "second".to_owned()).await.unwrap();
    assert_eq!(osaka.recall(&run(1)).await.unwrap().as_deref(), Some("second"));
    assert_eq!(osaka.recall(&run(2)).await.unwrap(), None, "another run's words are not its own");
    // A story lies beside it and is no part of it.
    tokyo.write_story(&run(1), "begun".to_owned()).await.unwrap();
    osaka.write_story(&run(1), "ended".to_owned()).await.unwrap();
    osaka.write_story(&run(3), "no texts".to_owned()).await.unwrap();
    assert_eq!(tokyo.read_story(&run(1)).await.unwrap().as_deref(), Some("ended"));
    assert_eq!(tokyo.read_story(&run(2)).await.unwrap(), None, "another run's story");
    assert_eq!(tokyo.recall(&run(3)).await.unwrap(), None, "a story is no memory");
    assert_eq!(osaka.recall(&run(1)).await.unwrap().as_deref(), Some("second"));
    let end = clock.now() + SignedDuration::from_hours(1);
    let pages =
        [("forever", None), ("passing", Some(end)), ("passing", None), ("later", Some(end))];
    for (number, (name, until)) in pages.into_iter().enumerate() {
        tokyo.put_page("shelf", name, number.to_string(), until).await.unwrap();
    }
    tokyo.put_page("other", "later", "x".to_owned(), None).await.unwrap();
    let page = |name: &str, text: &str| (name.to_owned(), text.to_owned());
    let all = [page("forever", "0"), page("later", "3"), page("passing", "2")];
    assert_eq!(osaka.pages("shelf").await.unwrap(), all);
    assert_eq!(osaka.read_page("shelf", "passing").await.unwrap().as_deref(), Some("2"));
    assert_eq!(osaka.read_page("none", "passing").await.unwrap(), None);
    assert!(tokyo.put_page("shelf", "long", "x".repeat(1 << 20), None).await.is_err());
    clock.advance(SignedDuration::from_hours(100));
    tokyo.keep(&run(2), "later".to_owned()).await.unwrap();
    tokyo.write_story(&run(2), "later".to_owned()).await.unwrap();
    osaka.sweep(clock.now() - SignedDuration::from_hours(96)).await.unwrap();
    assert_eq!(tokyo.recall(&run(1)).await.unwrap(), None);
    assert_eq!(tokyo.read_story(&run(1)).await.unwrap(), None);
    assert_eq!(tokyo.read_story(&run(3)).await.unwrap(), None);
    assert_eq!(tokyo.read_story(&run(2)).await.unwrap().as_deref(), Some("later"));
    assert_eq!(tokyo.recall(&run(2)).await.unwrap().as_deref(), Some("later"));
    let kept = [page("forever", "0"), page("passing", "2")];
    assert_eq!(osaka.pages("shelf").await.unwrap(), kept);
}

#[tokio::test]
async fn memory_recalls_within_its_process() {
    let history = Forgetful::default();
    history.keep(&run(1), "first".to_owned()).await.unwrap();
    history.write_story(&run(1), "begun".to_owned()).await.unwrap();
    assert_eq!(history.recall(&run(1)).await.unwrap().as_deref(), Some("first"));
    assert_eq!(history.read_story(&run(1)).await.unwrap().as_deref(), Some("begun"));
    assert_eq!(history.read_story(&run(2)).await.unwrap(), None);
}

/// One item of DynamoDB holds 400 KiB.
#[tokio::test]
async fn dynamodb_keeps_texts_longer_than_an_item_whole() {
    let (engine, clock) = (engine().await, Arc::new(SetClock::at(Timestamp::UNIX_EPOCH)));
    let history = open(&engine, &clock).await;
    let long = format!("a{}", "障害".repeat(200_000));
    history.keep(&run(1), long.clone()).await.unwrap();
    let recalled = history.recall(&run(1)).await.unwrap();
    assert!(recalled.as_ref() == Some(&long), "{:?}", recalled.map(|text| text.len()));
    history.keep(&run(1), format!("{long}!")).await.unwrap();
    let recalled = history.recall(&run(1)).await.unwrap();
    assert!(recalled.is_some_and(|text| text.ends_with('!') && text.len() == long.len() + 1));
    history.keep(&run(1), "short".to_owned()).await.unwrap();
    assert_eq!(history.recall(&run(1)).await.unwrap().as_deref(), Some("short"));
    let endless = history.keep(&run(2), "x".repeat(10 * 1024 * 1024)).await.unwrap_err();
    let told = "the history cannot be used: the 10485760 bytes of run Q1/2 are too many";
    assert_eq!(endless.to_string(), told);
    // Also the parts that nothing names any more.
    clock.advance(SignedDuration::from_hours(100));
    history.sweep(clock.now()).await.unwrap();
    let left = engine::client(engine.url()).scan().table_name("history").send().await.unwrap();
    assert_eq!(left.count(), 0);
}

#[tokio::test]
async fn a_history_table_that_is_missing_is_named() {
    let engine = Engine::start(Path::new(env!("CARGO_BIN_EXE_ams")));
    let clock = Arc::new(SetClock::at(Timestamp::UNIX_EPOCH));
    let missing = DynamoDbHistory::open(engine::client(engine.url()), "history", clock).await;
    insta::assert_snapshot!(missing.err().unwrap(), @"the history cannot be used: the DynamoDB table 'history' (store.dynamodb.history_table): ResourceNotFoundException: Requested resource not found; make it with the key pk (HASH), sk (RANGE), and allow its use to this process's role");
}
