use std::sync::Arc;

use ams::claim::ledger::{LedgerName, Revision};
use ams::claim::protocol::StandDownReason;
use ams::claim::{Beat, ClaimStore, Which};
use ams::clock::Clock as _;
use ams::incident::{Outcome, Owner};
use jiff::SignedDuration;

use super::{Place, claim, end, incident, open};

pub(super) fn beat(owner: &str, number: u64, pauses: u64) -> Beat {
    Beat { owner: Owner::new(owner), number, pauses, rules: format!("rules-{pauses}") }
}

async fn heartbeats(store: &dyn ClaimStore) -> Vec<(String, u64)> {
    let beats = store.heartbeats().await.unwrap();
    let mut beats: Vec<_> =
        beats.into_iter().map(|(owner, number)| (owner.to_string(), number)).collect();
    beats.sort();
    beats
}

pub(crate) async fn heartbeats_are_the_last_number_of_each_owner(place: &Place) {
    for (owner, number) in [("tokyo-1", 1), ("osaka-1", 7), ("tokyo-1", 2)] {
        place.store.beat(&beat(owner, number, 0)).await.unwrap();
    }
    let expected = [("osaka-1".to_owned(), 7), ("tokyo-1".to_owned(), 2)];
    assert_eq!(heartbeats(&*place.store).await, expected);
}

pub(crate) async fn what_is_paused_comes_with_the_heartbeats(place: &Place) {
    place.store.beat(&beat("tokyo-1", 1, 0)).await.unwrap();
    let signs = place.store.signs().await.unwrap();
    assert_eq!((signs.beats.len(), signs.pauses), (1, Ok(None)));
    for text in ["one", "two"] {
        let write = move |_: Option<&str>, _| Revision::Write(text.to_owned());
        place.ledger.revise(&LedgerName::Pauses, Arc::new(write)).await.unwrap();
    }
    place.store.beat(&beat("tokyo-1", 2, 7)).await.unwrap();
    let signs = place.store.signs().await.unwrap();
    assert_eq!(
        (signs.beats, signs.pauses),
        (vec![beat("tokyo-1", 2, 7)], Ok(Some("two".to_owned())))
    );
    place.clock.advance(SignedDuration::from_hours(1_000));
    place.store.sweep(place.clock.now(), &[]).await.unwrap();
    let signs = place.store.signs().await.unwrap();
    assert_eq!(signs.pauses, Ok(Some("two".to_owned())), "a pause is never swept");
}

pub(crate) async fn open_runs_and_stand_downs_are_those_without_an_outcome(place: &Place) {
    let (tokyo, osaka) = (place.runner("tokyo-1"), place.runner("osaka-1"));
    let [quiet, stopped, ended, others] = ["PQUIET", "PSTOPPED", "PENDED", "POTHERS"].map(incident);
    claim(&tokyo, &quiet).await;
    claim(&tokyo, &stopped).await;
    let over = claim(&tokyo, &ended).await;
    claim(&osaka, &others).await;
    for id in [&stopped, &ended, &others] {
        osaka.stand_down(id, StandDownReason::Merged, None, None).await.unwrap().unwrap();
    }
    end(&tokyo, &over, Outcome::StoodDown).await;

    assert_eq!(open(&*place.store, Which::All).await, [others, quiet, stopped.clone()]);
    let mine = place.store.stand_downs(tokyo.owner()).await.unwrap();
    let [(run, wish)] = mine.as_slice() else { panic!("{mine:?}") };
    assert_eq!((&run.incident, run.number, wish.reason), (&stopped, 1, StandDownReason::Merged));
}

pub(crate) async fn open_runs_are_found_by_owner_and_by_release(place: &Place) {
    let (tokyo, osaka) = (place.runner("tokyo-1"), place.runner("osaka-1"));
    let [kept, released, taken, ended] = ["PKEPT", "PRELEASED", "PTAKEN", "PENDED"].map(incident);
    claim(&tokyo, &kept).await;
    for id in [&released, &taken, &ended] {
        let claim = claim(&tokyo, id).await;
        tokyo.release(&claim).await.unwrap().unwrap();
        if id == &ended {
            end(&tokyo, &claim, Outcome::StoodDown).await;
        }
    }
    let seen = place.store.open_runs(&Which::Released).await.unwrap();
    let seen = seen.iter().find(|open| open.run.incident == taken).unwrap();
    osaka.take_over(seen).await.unwrap().unwrap();

    let (mine, others) = (tokyo.owner().clone(), osaka.owner().clone());
    assert_eq!(open(&*place.store, Which::Of(mine)).await, [kept, released.clone()]);
    assert_eq!(open(&*place.store, Which::Of(others)).await, [taken]);
    assert_eq!(open(&*place.store, Which::Released).await, [released]);
    assert_eq!(open(&*place.store, Which::Of(Owner::new("nobody"))).await, []);
}

pub(crate) async fn the_sweep_forgets_what_ended_long_ago_and_nothing_else(place: &Place) {
    let tokyo = place.runner("tokyo-1");
    let [long_ago, recent, still_open] = ["PLONGAGO", "PRECENT", "POPEN"].map(incident);
    let first = claim(&tokyo, &long_ago).await;
    claim(&tokyo, &still_open).await;
    let second = claim(&tokyo, &recent).await;
    end(&tokyo, &first, Outcome::Resolved).await;
    place.clock.advance(SignedDuration::from_hours(1));
    // It began as long ago as the others, and ended now.
    end(&tokyo, &second, Outcome::Resolved).await;

    let before = place.clock.now();
    assert_eq!(place.store.sweep(before, &[]).await.unwrap(), 1);

    assert_eq!(place.store.read(&long_ago).await.unwrap(), None);
    assert!(place.store.read(&recent).await.unwrap().is_some());
    assert!(place.store.read(&still_open).await.unwrap().is_some());
    assert_eq!(place.store.sweep(before, &[]).await.unwrap(), 0);
}

pub(crate) async fn the_sweep_keeps_the_heartbeats_that_somebody_may_still_watch(place: &Place) {
    let [idle, busy, gone, finished] = ["idle-1", "busy-1", "gone-1", "finished-1"];
    for owner in [idle, busy, gone, finished] {
        place.store.beat(&beat(owner, 3, 0)).await.unwrap();
    }
    claim(&place.runner(busy), &incident("PBUSY")).await;
    let done = place.runner(finished);
    let ended = claim(&done, &incident("PENDED")).await;
    end(&done, &ended, Outcome::Resolved).await;

    // `busy` looks dead, but its run is not taken over yet: its number must stay to be watched.
    place.store.sweep(place.clock.now(), &[Owner::new(idle)]).await.unwrap();

    let expected = [(busy.to_owned(), 3), (idle.to_owned(), 3)];
    assert_eq!(heartbeats(&*place.store).await, expected);
}
