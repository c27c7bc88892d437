use std::sync::Arc;

use ams::claim::ledger::{LedgerName, Revision};
use ams::claim::sqlite::SqliteClaims;
use ams::claim::{Claims, StoreError};
use ams::guard::record::{Ended, Record};
use ams::guard::rules::{Rules, Turn};
use ams::guard::{Answer, GuardKind, Guards};
use ams::incident::{IncidentId, Outcome, Owner};
use tokio::task::JoinSet;

use super::{ask, at_most, run};
use crate::claim_store::dynamodb_table::Table;
use crate::claim_store::{Place, StoreFile, as_open, claim, end, noon};
use crate::fault_proxy::{Cut, Fault, FaultProxy};

async fn places() -> [(&'static str, Place); 3] {
    [
        ("memory", Place::in_memory().await),
        ("sqlite", Place::in_a_file().await),
        ("dynamodb", Place::in_dynamodb().await),
    ]
}

fn guards(place: &Place) -> Guards {
    Guards::new(Arc::clone(&place.ledger), Arc::clone(&place.store))
}

fn of_file(file: &StoreFile) -> Guards {
    let store: Arc<SqliteClaims> = Arc::new(file.open());
    Guards::new(Arc::clone(&store) as _, store)
}

/// A process whose way to the table leads through a proxy.
async fn of_table(table: &Table, seed: u64) -> (Guards, FaultProxy) {
    let proxy = FaultProxy::start(table.engine.url(), seed).await.unwrap();
    let store = Arc::new(table.open_at(proxy.url(), &noon()).await.unwrap());
    proxy.reset_counts();
    (Guards::new(Arc::clone(&store) as _, store), proxy)
}

fn one_at_a_time() -> Rules {
    Rules { turn: Turn { per_target: true, ..Turn::default() }, ..Rules::default() }
}

fn incident(id: &str) -> IncidentId {
    IncidentId::parse(id).unwrap()
}

async fn record(place: &Place) -> Record {
    let name = LedgerName::guards_of(Some("example-shop"));
    Record::parse(place.ledger.read(&name).await.unwrap().as_deref()).unwrap()
}

#[tokio::test]
async fn a_turn_is_a_run_s_until_it_says_that_it_has_ended() {
    for (store, place) in places().await {
        let (guards, tokyo) = (guards(&place), place.runner("tokyo-1"));
        claim(&tokyo, &incident("P1")).await;
        let first = ask("P1", "web01", one_at_a_time());
        let second = ask("P2", "web01", one_at_a_time());
        assert!(matches!(guards.ask(first).await.unwrap(), Answer::Granted(_)), "{store}");
        let busy = guards.ask(second.clone()).await.unwrap();
        let Answer::Busy { said, holders } = busy else { panic!("{store}: {busy:?}") };
        assert_eq!((said.guard, holders), (GuardKind::Turn, vec![run("P1")]), "{store}");

        guards.settle(Some("example-shop"), &run("P1"), Ended::Met).await.unwrap();
        assert!(matches!(guards.ask(second).await.unwrap(), Answer::Granted(_)), "{store}");
        assert_eq!(record(&place).await.entries[0].ended, Some(Ended::Met), "{store}");
    }
}

#[tokio::test]
async fn a_run_that_ended_without_a_word_is_in_nobody_s_way() {
    for (store, place) in places().await {
        let (guards, tokyo) = (guards(&place), place.runner("tokyo-1"));
        let first = claim(&tokyo, &incident("P1")).await;
        guards.ask(ask("P1", "web01", one_at_a_time())).await.unwrap();
        end(&tokyo, &first, Outcome::Escalated).await;

        let second = guards.ask(ask("P2", "web01", one_at_a_time())).await.unwrap();

        assert!(matches!(second, Answer::Granted(_)), "{store}: {second:?}");
        assert_eq!(record(&place).await.entries[0].ended, Some(Ended::NotMet), "{store}");
    }
}

#[tokio::test]
async fn a_run_that_was_taken_over_has_its_turn_still_and_is_counted_once() {
    for (store, place) in places().await {
        let (guards, tokyo) = (guards(&place), place.runner("tokyo-1"));
        claim(&tokyo, &incident("P1")).await;
        let rules = one_at_a_time().and(&at_most(1));
        guards.ask(ask("P1", "web01", rules.clone())).await.unwrap();
        let item = place.store.read(&incident("P1")).await.unwrap().unwrap();
        place.runner("osaka-1").take_over(&as_open(&item)).await.unwrap().unwrap();

        let again = guards.ask(ask("P1", "web01", rules)).await.unwrap();

        let Answer::Granted(said) = again else { panic!("{store}: {again:?}") };
        assert_eq!((said[0].count, said[0].limit), (1, 1), "{store}: the note tells the count");
        let other = guards.ask(ask("P2", "web01", one_at_a_time())).await.unwrap();
        assert!(matches!(other, Answer::Busy { .. }), "{store}: {other:?}");
        assert_eq!(record(&place).await.entries.len(), 1, "{store}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_64_runs_at_once_as_many_recover_as_the_budget_has() {
    for (store, place) in places().await {
        let mut asks = JoinSet::new();
        for number in 0..64 {
            let guards = guards(&place);
            let ask = ask(&format!("P{number}"), "web01", at_most(3));
            asks.spawn(async move { guards.ask(ask).await.unwrap() });
        }
        let answers = asks.join_all().await;
        let granted = answers.iter().filter(|it| matches!(it, Answer::Granted(_))).count();
        assert_eq!(granted, 3, "{store}");
        assert_eq!(record(&place).await.entries.len(), 3, "{store}");
    }
}

#[tokio::test]
async fn a_budget_holds_for_two_processes_and_over_their_restart() {
    let file = StoreFile::new();
    for number in 0..3 {
        // Opened anew each time, beside another that is open.
        let (tokyo, osaka) = (of_file(&file), of_file(&file));
        let guards = if number % 2 == 0 { tokyo } else { osaka };
        let answer = guards.ask(ask(&format!("P{number}"), "web01", at_most(3))).await.unwrap();
        assert!(matches!(answer, Answer::Granted(_)), "{answer:?}");
    }
    let fourth = of_file(&file).ask(ask("P4", "web01", at_most(3))).await.unwrap();
    let Answer::Refused(said) = fourth else { panic!("{fourth:?}") };
    assert_eq!((said.guard, said.count, said.limit), (GuardKind::Budget, 3, 3));
    assert_eq!(said.until, Some("2026-03-02T14:00:00Z".parse().unwrap()));
}

#[tokio::test]
async fn a_lost_answer_is_counted_once_in_two_regions() {
    let table = Table::new().await;
    let (tokyo, at_tokyo) = of_table(&table, 1).await;
    let (osaka, at_osaka) = of_table(&table, 2).await;
    for (number, (guards, proxy)) in
        [(&tokyo, &at_tokyo), (&osaka, &at_osaka), (&tokyo, &at_tokyo)].into_iter().enumerate()
    {
        proxy.plan(1, "PutItem", Fault::LoseAnswer);
        let answer = guards.ask(ask(&format!("P{number}"), "web01", at_most(3))).await.unwrap();
        assert!(matches!(answer, Answer::Granted(_)), "{number}: {answer:?}");
    }
    for guards in [&tokyo, &osaka] {
        let fourth = guards.ask(ask("P4", "web01", at_most(3))).await.unwrap();
        assert!(matches!(fourth, Answer::Refused(_)), "{fourth:?}");
    }
}

#[tokio::test]
async fn ten_asks_of_each_customer_are_one_request_each() {
    let table = Table::new().await;
    let (tokyo, proxy) = of_table(&table, 1).await;
    for customer in 0..40 {
        for number in 0..10 {
            let mut ask = ask(&format!("P{number}"), &format!("web{number}"), Rules::built_in());
            ask.customer = Some(format!("customer-{customer}"));
            assert!(matches!(tokyo.ask(ask).await.unwrap(), Answer::Granted(_)));
        }
    }
    let counts = proxy.counts();
    assert_eq!(counts.carried_out("PutItem"), 400);
    assert_eq!((counts.conditions_failed("PutItem"), counts.carried_out("GetItem")), (0, 0));
}

#[tokio::test]
async fn without_a_store_nothing_is_granted_and_without_rules_it_is_not_asked() {
    let table = Table::new().await;
    let (tokyo, proxy) = of_table(&table, 1).await;
    proxy.cut(Some(Cut::Closed));
    let told = tokyo.ask(ask("P1", "web01", at_most(3))).await;
    assert!(matches!(told, Err(StoreError::Unreachable { .. })), "{told:?}");
    let told = tokyo.ask(ask("P1", "web01", Rules::default())).await.unwrap();
    assert_eq!(told, Answer::Granted(Vec::new()));
}

#[tokio::test]
async fn a_record_that_cannot_be_read_is_left_alone_and_nothing_is_granted() {
    for (store, place) in places().await {
        let name = LedgerName::guards_of(Some("example-shop"));
        let newer = |_: Option<&str>, _| Revision::Write(r#"{"v":9,"entries":[]}"#.to_owned());
        place.ledger.revise(&name, Arc::new(newer)).await.unwrap();
        let refused = guards(&place).ask(ask("P1", "web01", at_most(3))).await.unwrap_err();
        assert!(matches!(refused, StoreError::Unreadable { .. }), "{store}: {refused}");
        let kept = place.ledger.read(&name).await.unwrap();
        assert_eq!(kept.as_deref(), Some(r#"{"v":9,"entries":[]}"#), "{store}");
    }
}

/// A later run of the same incident is another recovery, and the earlier one is over.
#[tokio::test]
async fn a_run_after_a_reopening_is_counted_anew() {
    let file = StoreFile::new();
    let store = Arc::new(file.open());
    let guards = Guards::new(Arc::clone(&store) as _, Arc::clone(&store) as _);
    let tokyo = Claims::new(store, Owner::new("tokyo-1"), noon());
    let first = claim(&tokyo, &incident("P1")).await;
    let rules = one_at_a_time().and(&at_most(2));
    guards.ask(ask("P1", "web01", rules.clone())).await.unwrap();
    end(&tokyo, &first, Outcome::Resolved).await;
    let opening = crate::claim_store::reopened("2026-03-02T13:00:00Z");
    crate::claim_store::try_claim(&tokyo, &incident("P1"), opening).await;

    let mut second = ask("P1", "web01", rules);
    second.run.number = 2;
    let answer = guards.ask(second).await.unwrap();

    let Answer::Granted(said) = answer else { panic!("{answer:?}") };
    assert_eq!((said[0].count, said[0].limit), (2, 2));
}
