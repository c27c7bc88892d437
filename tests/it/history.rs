//! Texts that runs have read, kept for whoever takes them over.

use std::sync::Arc;

use ams::clock::{Clock as _, SetClock};
use ams::history::History as _;
use ams::history::sqlite::SqliteHistory;
use ams::incident::{IncidentId, RunId};
use jiff::{SignedDuration, Timestamp};

fn run(number: u32) -> RunId {
    RunId { incident: IncidentId::parse("Q1").unwrap(), number }
}

#[tokio::test]
async fn what_is_kept_is_recalled_by_another_process_and_forgotten_in_time() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("history.db");
    let clock = Arc::new(SetClock::at(Timestamp::UNIX_EPOCH));
    let tokyo = SqliteHistory::open(&path, clock.clone()).unwrap();
    let osaka = SqliteHistory::open(&path, clock.clone()).unwrap();
    tokyo.keep(&run(1), "first".to_owned()).await.unwrap();
    tokyo.keep(&run(1), "second".to_owned()).await.unwrap();
    assert_eq!(osaka.recall(&run(1)).await.unwrap().as_deref(), Some("second"));
    assert_eq!(osaka.recall(&run(2)).await.unwrap(), None, "another run's words are not its own");
    clock.advance(SignedDuration::from_hours(100));
    tokyo.keep(&run(2), "later".to_owned()).await.unwrap();
    osaka.sweep(clock.now() - SignedDuration::from_hours(96)).await.unwrap();
    assert_eq!(tokyo.recall(&run(1)).await.unwrap(), None);
    assert_eq!(tokyo.recall(&run(2)).await.unwrap().as_deref(), Some("later"));
}
