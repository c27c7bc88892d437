use std::sync::Arc;

use ams::claim::StoreError;
use ams::claim::ledger::{Ledger, LedgerName, Revision, decide};
use ams::clock::Clock as _;
use jiff::SignedDuration;
use tokio::task::JoinSet;

use super::Place;

pub(crate) fn shop() -> LedgerName {
    LedgerName::guards_of(Some("example-shop"))
}

/// Whether `who` is on the list, which has room for `most`: a budget in its smallest form.
pub(crate) async fn enter(
    ledger: &dyn Ledger,
    name: &LedgerName,
    who: &str,
    most: usize,
) -> Result<bool, StoreError> {
    let who = who.to_owned();
    let judge = move |text: Option<&str>, _| {
        let mut list: Vec<&str> = text.map(|text| text.split(' ').collect()).unwrap_or_default();
        if list.contains(&who.as_str()) {
            return (true, Revision::Leave);
        }
        if list.len() >= most {
            return (false, Revision::Leave);
        }
        list.push(&who);
        (true, Revision::Write(list.join(" ")))
    };
    decide(ledger, name, judge).await
}

async fn write(ledger: &dyn Ledger, name: &LedgerName, text: &str) -> Option<String> {
    let text = text.to_owned();
    ledger.revise(name, Arc::new(move |_, _| Revision::Write(text.clone()))).await.unwrap()
}

pub(crate) async fn a_record_is_what_was_written_last(place: &Place) {
    let ledger = &*place.ledger;
    assert_eq!(ledger.read(&shop()).await.unwrap(), None, "nobody wrote it yet");
    assert_eq!(write(ledger, &shop(), "one").await.as_deref(), Some("one"));
    assert_eq!(write(ledger, &shop(), "two").await.as_deref(), Some("two"));
    assert_eq!(ledger.read(&shop()).await.unwrap().as_deref(), Some("two"));
}

pub(crate) async fn records_do_not_touch_each_other(place: &Place) {
    let ledger = &*place.ledger;
    let others = [
        LedgerName::guards_of(Some("other-shop")),
        LedgerName::guards_of(None),
        LedgerName::Pauses,
    ];
    write(ledger, &shop(), "shop").await;
    for other in &others {
        assert_eq!(ledger.read(other).await.unwrap(), None, "{other}");
        write(ledger, other, "other").await;
    }
    assert_eq!(ledger.read(&shop()).await.unwrap().as_deref(), Some("shop"));
}

pub(crate) async fn what_is_left_alone_is_told_as_it_is(place: &Place) {
    let ledger = &*place.ledger;
    let leave = |text: Option<&str>, _| (text.map(str::to_owned), Revision::Leave);
    assert_eq!(decide(ledger, &shop(), leave).await.unwrap(), None);
    write(ledger, &shop(), "one").await;
    assert_eq!(decide(ledger, &shop(), leave).await.unwrap().as_deref(), Some("one"));
}

pub(crate) async fn the_function_is_told_the_time(place: &Place) {
    let told = |_: Option<&str>, at| (at, Revision::Write("x".to_owned()));
    let ledger = &*place.ledger;
    assert_eq!(decide(ledger, &shop(), told).await.unwrap(), place.clock.now());
    place.clock.advance(SignedDuration::from_hours(1));
    assert_eq!(decide(ledger, &shop(), told).await.unwrap(), place.clock.now());
}

pub(crate) async fn of_64_asks_at_once_as_many_are_let_in_as_there_is_room_for(place: &Place) {
    let mut asks = JoinSet::new();
    for number in 0..64 {
        let ledger = Arc::clone(&place.ledger);
        asks.spawn(async move { enter(&*ledger, &shop(), &format!("p{number}"), 3).await });
    }
    let let_in = asks.join_all().await.into_iter().filter(|told| *told.as_ref().unwrap());
    assert_eq!(let_in.count(), 3);
    let list = place.ledger.read(&shop()).await.unwrap().unwrap();
    assert_eq!(list.split(' ').count(), 3, "{list}");
}

pub(crate) async fn who_asks_again_is_recognised(place: &Place) {
    for _ in 0..3 {
        assert!(enter(&*place.ledger, &shop(), "p1", 1).await.unwrap());
        assert!(!enter(&*place.ledger, &shop(), "p2", 1).await.unwrap());
    }
    assert_eq!(place.ledger.read(&shop()).await.unwrap().as_deref(), Some("p1"));
}

pub(crate) async fn a_record_that_grows_too_long_is_refused_and_stays_as_it_was(place: &Place) {
    let ledger = &*place.ledger;
    let longest = "x".repeat(ams::limits::LEDGER_BYTES);
    write(ledger, &shop(), &longest).await;
    let longer = format!("{longest}x");
    let grow = Arc::new(move |_: Option<&str>, _| Revision::Write(longer.clone()));
    let refused = ledger.revise(&shop(), grow).await.unwrap_err();
    let name = shop();
    assert_eq!(
        refused.to_string(),
        format!("the claim store refuses: {name} has 65537 bytes, 65536 are the most")
    );
    assert_eq!(ledger.read(&shop()).await.unwrap(), Some(longest));
}

pub(crate) async fn the_sweep_forgets_what_guards_counted_long_ago_and_never_a_pause(
    place: &Place,
) {
    let ledger = &*place.ledger;
    let [long_ago, recent] = ["long-ago", "recent"].map(|id| LedgerName::guards_of(Some(id)));
    for name in [&long_ago, &recent, &LedgerName::Pauses] {
        write(ledger, name, "before").await;
    }
    place.clock.advance(SignedDuration::from_hours(1));
    write(ledger, &recent, "after").await;

    let before = place.clock.now();
    assert_eq!(place.store.sweep(before, &[]).await.unwrap(), 1);

    assert_eq!(ledger.read(&long_ago).await.unwrap(), None);
    assert_eq!(ledger.read(&recent).await.unwrap().as_deref(), Some("after"));
    assert_eq!(ledger.read(&LedgerName::Pauses).await.unwrap().as_deref(), Some("before"));
    assert_eq!(place.store.sweep(before, &[]).await.unwrap(), 0);
    // Whoever remembers it as it was begins anew.
    assert!(enter(ledger, &long_ago, "p1", 1).await.unwrap());
    assert_eq!(ledger.read(&long_ago).await.unwrap().as_deref(), Some("p1"));
}

pub(crate) async fn records_are_neither_runs_nor_heartbeats(place: &Place) {
    write(&*place.ledger, &shop(), "one").await;
    write(&*place.ledger, &LedgerName::Pauses, "one").await;
    assert_eq!(place.store.heartbeats().await.unwrap(), []);
    assert_eq!(place.store.open_runs(&ams::claim::Which::All).await.unwrap(), []);
}
