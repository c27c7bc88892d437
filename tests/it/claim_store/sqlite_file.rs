use std::sync::Arc;
use std::thread;

use ams::claim::journal::{Entry, Journal, StepAt};
use ams::claim::protocol::{Opening, StandDownReason};
use ams::claim::sqlite::SqliteClaims;
use ams::claim::{ClaimAnswer, ClaimStore as _, Claims, OpenRun, StoreError, Which};
use ams::incident::{Outcome, Owner};
use rusqlite::Connection;
use tokio::task::JoinSet;

use super::keeping::beat;
use super::ledger::{enter, shop};
use super::{StoreFile, as_open, claim, end, incident, noon, open, reopened, try_claim, won};

/// Incidents that two processes race for.
const INCIDENTS: usize = 200;

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_processes_share_the_incidents_of_one_file() {
    let file = StoreFile::new();
    let runners = [file.runner("tokyo-1"), file.runner("osaka-1")];
    let mut racers = JoinSet::new();
    for runner in runners {
        for number in 0..INCIDENTS {
            let runner = runner.clone();
            racers.spawn(async move {
                let id = incident(&format!("P{number:04}"));
                let answer = try_claim(&runner, &id, Opening::Triggered).await;
                (number, matches!(answer, ClaimAnswer::Won(_)))
            });
        }
    }
    let mut winners = vec![0; INCIDENTS];
    for (number, won) in racers.join_all().await {
        winners[number] += usize::from(won);
    }
    assert_eq!(winners, vec![1; INCIDENTS]);
    let open = file.open().open_runs(&Which::All).await.unwrap();
    assert_eq!(open.len(), INCIDENTS);
}

#[test]
fn many_processes_may_create_the_file_at_once() {
    // The race is for a few microseconds: one round alone would rarely meet it.
    for _ in 0..40 {
        let file = StoreFile::new();
        let opened: Vec<Result<(), String>> = thread::scope(|scope| {
            let starts: Vec<_> = (0..8)
                .map(|_| {
                    let open = || SqliteClaims::open(&file.path(), noon());
                    scope.spawn(move || open().map(drop).map_err(|error| error.to_string()))
                })
                .collect();
            starts.into_iter().map(|start| start.join().unwrap()).collect()
        });
        assert_eq!(opened, vec![Ok(()); 8]);
    }
}

#[tokio::test]
async fn everything_is_there_after_a_restart() {
    let file = StoreFile::new();
    let id = incident("PT4KHLK");
    let before = {
        let tokyo = file.runner("tokyo-1");
        let first = claim(&tokyo, &id).await;
        end(&tokyo, &first, Outcome::Resolved).await;
        let second = won(try_claim(&tokyo, &id, reopened("2026-03-02T13:00:00Z")).await);
        let at = "2026-03-02T13:00:01Z".parse().unwrap();
        let intent =
            Entry::Intent { step: StepAt::plain(0), nonce: "a".to_owned(), trace: None, at };
        tokyo.intend(&second, &Journal::default().with(intent)).await.unwrap().unwrap();
        let person = Some("PLH1HKV".to_owned());
        tokyo.stand_down(&id, StandDownReason::Reassigned, person, None).await.unwrap().unwrap();
        tokyo.store().beat(&beat(tokyo.owner().as_str(), 42, 0)).await.unwrap();
        tokyo.store().read(&id).await.unwrap()
    };

    let store = file.open();

    assert!(before.is_some());
    assert_eq!(store.read(&id).await.unwrap(), before);
    let open: Vec<_> = before.iter().filter_map(OpenRun::of).collect();
    assert_eq!(store.open_runs(&Which::All).await.unwrap(), open);
    assert_eq!(store.stand_downs(&Owner::new("tokyo-1")).await.unwrap().len(), 1);
    assert_eq!(store.heartbeats().await.unwrap(), [(Owner::new("tokyo-1"), 42)]);
}

/// The tables as the first version made them.
const FIRST_SCHEMA: &str = "
    CREATE TABLE claims (
        incident TEXT PRIMARY KEY, owner TEXT NOT NULL, outcome TEXT, stand_down INTEGER NOT NULL,
        changed_at INTEGER NOT NULL, item TEXT NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX open_claims ON claims (owner, stand_down) WHERE outcome IS NULL;
    CREATE INDEX released_claims ON claims (incident)
        WHERE outcome IS NULL AND item ->> '$.released' = 1;
    CREATE TABLE heartbeats (owner TEXT PRIMARY KEY, number INTEGER NOT NULL) STRICT, WITHOUT ROWID;
    PRAGMA user_version = 1;";

#[tokio::test]
async fn a_file_of_an_older_ams_is_upgraded_and_keeps_what_it_has() {
    let (new, old) = (StoreFile::new(), StoreFile::new());
    let id = incident("PT4KHLK");
    claim(&new.runner("tokyo-1"), &id).await;
    let connection = Connection::open(old.path()).unwrap();
    connection.execute_batch(FIRST_SCHEMA).unwrap();
    connection.execute("ATTACH ?1 AS new", [new.path().to_str().unwrap()]).unwrap();
    connection.execute_batch("INSERT INTO claims SELECT * FROM new.claims").unwrap();
    drop(connection);

    let store = old.open();

    assert_eq!(open(&store, Which::All).await, [id]);
    assert!(enter(&store, &shop(), "p1", 1).await.unwrap());
    drop(store);
    let connection = Connection::open(old.path()).unwrap();
    let version = |row: &rusqlite::Row<'_>| row.get(0);
    let version: i64 = connection.pragma_query_value(None, "user_version", version).unwrap();
    assert_eq!(version, 3);
    assert_eq!(old.open().signs().await.unwrap().pauses, Ok(None));
    assert!(!enter(&old.open(), &shop(), "p2", 1).await.unwrap(), "it is counted after a restart");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn two_processes_share_what_is_counted_in_one_file() {
    let file = StoreFile::new();
    let processes = [Arc::new(file.open()), Arc::new(file.open())];
    let mut asks = JoinSet::new();
    for number in 0..64 {
        let ledger = Arc::clone(&processes[number % 2]);
        asks.spawn(async move { enter(&*ledger, &shop(), &format!("p{number}"), 3).await });
    }
    let let_in = asks.join_all().await.into_iter().filter(|told| *told.as_ref().unwrap());
    assert_eq!(let_in.count(), 3);
}

#[test]
fn a_file_of_a_newer_ams_is_refused_with_what_to_do() {
    let file = StoreFile::new();
    drop(file.open());
    let connection = Connection::open(file.path()).unwrap();
    connection.pragma_update(None, "user_version", 99).unwrap();
    drop(connection);

    let refused = SqliteClaims::open(&file.path(), noon()).err().unwrap().to_string();

    let path = file.path().display().to_string();
    assert_eq!(
        refused,
        format!(
            "the claim store holds something this version cannot read ({path}): it has schema 99, \
             this version knows 3: run the newer ams"
        )
    );
}

#[test]
fn a_file_that_is_no_database_is_left_alone() {
    let file = StoreFile::new();
    let letter = "Dear colleague, this is not a database. ".repeat(50);
    std::fs::write(file.path(), &letter).unwrap();

    let refused = SqliteClaims::open(&file.path(), noon()).err().unwrap();

    assert!(matches!(refused, StoreError::Unreachable { .. }), "{refused}");
    assert!(refused.to_string().contains("claims.db"), "{refused}");
    assert_eq!(std::fs::read_to_string(file.path()).unwrap(), letter);
}

#[tokio::test]
async fn an_unreadable_row_concerns_its_own_incident_only() {
    let file = StoreFile::new();
    let tokyo = file.runner("tokyo-1");
    let [broken, healthy, new] = ["PBROKEN", "PHEALTHY", "PNEW"].map(incident);
    for id in [&broken, &healthy] {
        claim(&tokyo, id).await;
        tokyo.stand_down(id, StandDownReason::Merged, None, None).await.unwrap().unwrap();
    }
    let connection = Connection::open(file.path()).unwrap();
    let damage = "UPDATE claims SET item = '{\"from\": 2031}' WHERE incident = 'PBROKEN'";
    assert_eq!(connection.execute(damage, []).unwrap(), 1);

    let store = tokyo.store();
    let error = store.read(&broken).await.unwrap_err();
    assert!(matches!(error, StoreError::Unreadable { .. }), "{error}");
    assert!(error.to_string().contains("PBROKEN"), "{error}");
    let refused = tokyo.claim(&broken, Opening::Triggered, None, None).await.unwrap_err();
    assert!(matches!(refused, StoreError::Unreadable { .. }), "{refused}");

    claim(&tokyo, &new).await;
    let left = open(&**store, Which::All).await;
    assert_eq!(left, [healthy.clone(), new], "the others can still be taken over");
    let wishes = store.stand_downs(tokyo.owner()).await.unwrap();
    assert_eq!(wishes.into_iter().map(|(run, _)| run.incident).collect::<Vec<_>>(), [healthy]);
}

/// Takes as long as the store waits for the lock (`limits::SQLITE_BUSY`, 3 s).
#[tokio::test]
async fn a_file_that_another_process_keeps_locked_is_named_as_the_reason() {
    let file = StoreFile::new();
    let tokyo = file.runner("tokyo-1");
    let other = Connection::open(file.path()).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();

    let id = incident("PT4KHLK");
    let error = tokyo.claim(&id, Opening::Triggered, None, None).await.unwrap_err();

    assert!(error.to_string().contains("locked"), "{error}");
    other.execute_batch("ROLLBACK").unwrap();
    claim(&tokyo, &id).await;
}

#[tokio::test]
async fn claims_of_one_process_are_told_apart_from_its_successor() {
    let file = StoreFile::new();
    let id = incident("PT4KHLK");
    let store = Arc::new(file.open());
    let region = ams::incident::Region::new("tokyo");
    let [old, new] = [0, 1]
        .map(|_| Claims::new(Arc::clone(&store) as _, Owner::of_new_process(&region), noon()));
    let before = claim(&old, &id).await;

    assert_ne!(old.owner(), new.owner());
    let answer = try_claim(&new, &id, Opening::Triggered).await;
    assert!(matches!(answer, ClaimAnswer::Lost(_)), "{answer:?}");
    let seen = store.read(&id).await.unwrap().unwrap();
    new.take_over(&as_open(&seen)).await.unwrap().unwrap();
    assert!(old.done(&before, &Journal::default()).await.unwrap().is_err());
}
