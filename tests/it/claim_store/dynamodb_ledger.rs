use std::sync::Arc;

use ams::claim::StoreError;
use ams::claim::dynamodb::DynamoDbClaims;
use ams::claim::ledger::{Ledger as _, LedgerName};
use aws_sdk_dynamodb::types::AttributeValue;
use tokio::task::JoinSet;

use super::dynamodb_table::Table;
use super::ledger::{enter, shop};
use super::noon;
use crate::fault_proxy::{Cut, Fault, FaultProxy, Faults};

/// A process whose way to the table leads through a proxy.
async fn process(table: &Table, seed: u64) -> (Arc<DynamoDbClaims>, FaultProxy) {
    let proxy = FaultProxy::start(table.engine.url(), seed).await.unwrap();
    let store = table.open_at(proxy.url(), &noon()).await.unwrap();
    proxy.reset_counts();
    (Arc::new(store), proxy)
}

async fn names(store: &DynamoDbClaims) -> Vec<String> {
    let text = store.read(&shop()).await.unwrap().unwrap_or_default();
    text.split_whitespace().map(str::to_owned).collect()
}

/// As whoever needs the answer asks until it is known.
async fn until_known(store: &DynamoDbClaims, who: &str, most: usize) -> (bool, u32) {
    for unknown in 0..40 {
        if let Ok(let_in) = enter(store, &shop(), who, most).await {
            return (let_in, unknown);
        }
    }
    panic!("{who} never learnt whether it may");
}

/// Requests that were carried out: writes, those among them that were refused, reads.
fn billed(proxy: &FaultProxy) -> [u64; 3] {
    let counts = proxy.counts();
    proxy.reset_counts();
    let writes = counts.carried_out("PutItem");
    [writes, counts.conditions_failed("PutItem"), counts.carried_out("GetItem")]
}

#[tokio::test]
async fn an_ordinary_ask_is_one_request() {
    let table = Table::new().await;
    let (tokyo, at_tokyo) = process(&table, 1).await;
    let (osaka, at_osaka) = process(&table, 2).await;
    for who in ["p1", "p2", "p3"] {
        assert!(enter(&*tokyo, &shop(), who, 3).await.unwrap());
        assert_eq!(billed(&at_tokyo), [1, 0, 0], "{who}");
    }
    assert!(!enter(&*tokyo, &shop(), "p4", 3).await.unwrap());
    assert_eq!(billed(&at_tokyo), [0, 0, 1], "a no needs a record that was just read");

    assert!(enter(&*osaka, &shop(), "p4", 4).await.unwrap());
    assert_eq!(billed(&at_osaka), [2, 1, 0], "what another region wrote comes along");
    assert!(enter(&*osaka, &shop(), "p5", 5).await.unwrap());
    assert_eq!(billed(&at_osaka), [1, 0, 0]);
    assert!(enter(&*tokyo, &shop(), "p6", 6).await.unwrap());
    assert_eq!(billed(&at_tokyo), [2, 1, 0], "what is remembered was overtaken");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn asks_for_one_record_that_come_at_once_are_joined() {
    let table = Table::new().await;
    let (tokyo, proxy) = process(&table, 1).await;
    let mut asks = JoinSet::new();
    for number in 0..64 {
        let tokyo = Arc::clone(&tokyo);
        asks.spawn(async move { enter(&*tokyo, &shop(), &format!("p{number}"), 64).await });
    }
    assert!(asks.join_all().await.into_iter().all(|told| told.unwrap()));
    let [writes, refused, reads] = billed(&proxy);
    assert!(writes <= 16, "{writes} writes for 64 asks");
    assert_eq!((refused, reads), (0, 0));
    assert_eq!(names(&tokyo).await.len(), 64);
}

#[tokio::test]
async fn a_lost_answer_leaves_exactly_one_entry() {
    let table = Table::new().await;
    let (tokyo, proxy) = process(&table, 1).await;
    let faults = [Fault::LoseAnswer, Fault::ErrorAfter, Fault::LoseRequest, Fault::ErrorBefore];
    for (number, fault) in faults.into_iter().enumerate() {
        proxy.plan(1, "PutItem", fault);
        assert!(enter(&*tokyo, &shop(), &format!("p{number}"), 4).await.unwrap(), "{fault:?}");
        assert_eq!(proxy.counts().faults(fault), 1);
        assert_eq!(names(&tokyo).await.len(), number + 1, "{fault:?}");
    }
    assert!(!enter(&*tokyo, &shop(), "p4", 4).await.unwrap());
}

#[tokio::test]
async fn what_was_not_carried_out_is_tried_again() {
    let table = Table::new().await;
    let (tokyo, proxy) = process(&table, 1).await;
    for (number, fault) in [Fault::Throttle, Fault::Conflict].into_iter().enumerate() {
        proxy.plan(3, "PutItem", fault);
        assert!(enter(&*tokyo, &shop(), &format!("p{number}"), 2).await.unwrap());
        assert_eq!(billed(&proxy), [1, 0, 0], "{fault:?}: nothing had to be looked up");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_64_asks_in_two_regions_over_bad_ways_three_are_let_in() {
    const FAULTS: Faults = Faults {
        cut: None,
        slow_request: std::time::Duration::ZERO,
        slow_answer: std::time::Duration::ZERO,
        lose_request: 0.10,
        lose_answer: 0.25,
        conflict: 0.10,
        throttle: 0.05,
        error_before: 0.025,
        error_after: 0.05,
    };
    let table = Table::new().await;
    let (judge, _proxy) = process(&table, 9).await;
    let regions = [process(&table, 1).await, process(&table, 2).await];
    let mut asks = JoinSet::new();
    for number in 0..64 {
        let (store, proxy) = &regions[number % 2];
        proxy.set(FAULTS);
        let store = Arc::clone(store);
        asks.spawn(async move {
            let who = format!("p{number}");
            let (let_in, unknown) = until_known(&store, &who, 3).await;
            // Asked again, as after a take-over.
            assert_eq!(until_known(&store, &who, 3).await.0, let_in, "{who}");
            (who, let_in, unknown)
        });
    }
    let told = asks.join_all().await;
    let mut let_in: Vec<&str> =
        told.iter().filter(|(_, let_in, _)| *let_in).map(|(who, ..)| who.as_str()).collect();
    let_in.sort_unstable();
    let mut written = names(&judge).await;
    written.sort_unstable();
    assert_eq!(let_in, written, "who was told yes, and who is in the record");
    assert_eq!(let_in.len(), 3);
}

#[tokio::test]
async fn a_cut_way_is_never_a_yes() {
    let table = Table::new().await;
    let (tokyo, proxy) = process(&table, 1).await;
    for cut in [Cut::Closed, Cut::Silent] {
        proxy.cut(Some(cut));
        let name = shop();
        let (told, read) = tokio::join!(enter(&*tokyo, &name, "p1", 1), tokyo.read(&name));
        assert!(matches!(told, Err(StoreError::Unreachable { .. })), "{told:?}");
        assert!(matches!(read, Err(StoreError::Unreachable { .. })), "{read:?}");
        proxy.cut(None);
        assert_eq!(names(&tokyo).await.len(), 0);
    }
}

/// What was given up is not carried out behind somebody else's back later.
#[tokio::test]
async fn who_stopped_waiting_is_not_carried_along_later() {
    let table = Table::new().await;
    let (tokyo, proxy) = process(&table, 1).await;
    proxy.cut(Some(Cut::Silent));
    let name = shop();
    let first = enter(&*tokyo, &name, "p1", 3);
    let second = async {
        tokio::task::yield_now().await;
        let second = enter(&*tokyo, &name, "p2", 3);
        tokio::time::timeout(std::time::Duration::from_millis(200), second).await.unwrap_err();
        proxy.cut(None);
    };
    let (first, ()) = tokio::join!(first, second);
    first.unwrap();
    assert!(enter(&*tokyo, &shop(), "p3", 3).await.unwrap());
    assert_eq!(names(&tokyo).await, ["p1", "p3"]);
}

#[tokio::test]
async fn a_record_holds_no_name_of_a_customer() {
    let table = Table::new().await;
    let (tokyo, _proxy) = process(&table, 1).await;
    for name in [shop(), LedgerName::Pauses] {
        enter(&*tokyo, &name, "p1", 1).await.unwrap();
    }
    let items = table.client().scan().table_name("claims").send().await.unwrap().items.unwrap();
    assert!(!format!("{items:?}").contains("example-shop"), "{items:?}");
    let text = |value: &AttributeValue| value.as_s().unwrap().clone();
    let mut keys: Vec<_> =
        items.iter().map(|item| (text(&item["pk"]), text(&item["sk"]))).collect();
    keys.sort();
    let pair = |pk: &str, sk: &str| (pk.to_owned(), sk.to_owned());
    let expected = [
        pair(&shop().to_string(), "guard"),
        pair("heartbeat", "#pauses"),
        pair("schema", "schema"),
    ];
    assert_eq!(keys, expected);
}

#[tokio::test]
async fn a_record_of_a_newer_version_is_named_and_left_alone() {
    let table = Table::new().await;
    let (tokyo, _proxy) = process(&table, 1).await;
    assert!(enter(&*tokyo, &shop(), "p1", 3).await.unwrap());
    let number = |value: &str| AttributeValue::N(value.to_owned());
    let change = table.client().update_item().table_name("claims");
    let change = change.key("pk", AttributeValue::S(shop().to_string()));
    let change = change.key("sk", AttributeValue::S("guard".to_owned()));
    let change = change.update_expression("SET #format = :next, version = :other");
    let change = change.expression_attribute_names("#format", "format");
    let change = change.expression_attribute_values(":next", number("3"));
    change.expression_attribute_values(":other", number("7")).send().await.unwrap();

    let refused = enter(&*tokyo, &shop(), "p2", 3).await.unwrap_err();
    insta::assert_snapshot!(refused, @"the claim store holds something this version cannot read (the record guard#4427244f0d183c23): it has format 3, this version knows 2; was it written by a newer ams?");
}
