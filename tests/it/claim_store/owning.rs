use ams::claim::journal::{DoneResult, Entry, Journal, Reason, StepAt};
use ams::claim::protocol::{Event, Refusal, StandDownReason};
use ams::incident::{Outcome, Owner};

use super::{Place, as_open, claim, end, incident};

fn intent(nonce: &str) -> Journal {
    let at = "2026-03-02T12:00:01Z".parse().unwrap();
    Journal::default().with(Entry::Intent {
        step: StepAt::plain(2),
        nonce: nonce.to_owned(),
        trace: None,
        at,
    })
}

fn done(journal: &Journal) -> Journal {
    let at = "2026-03-02T12:00:02Z".parse().unwrap();
    journal.with(Entry::Done { step: StepAt::plain(2), result: DoneResult::Met, at })
}

pub(crate) async fn only_the_owner_at_its_epoch_may_write(place: &Place) {
    let tokyo = place.runner("tokyo-1");
    let id = incident("PT4KHLK");
    let claim = claim(&tokyo, &id).await;

    for (owner, epoch) in [("osaka-1", 1), ("tokyo-1", 2), ("tokyo-1", 0)] {
        let owner = Owner::new(owner);
        let outcome = Outcome::Resolved;
        let strangers = [
            Event::Record { owner: owner.clone(), epoch, journal: intent("x"), consent: true },
            Event::Record { owner: owner.clone(), epoch, journal: intent("x"), consent: false },
            Event::Finish { owner: owner.clone(), epoch, outcome, journal: intent("x") },
            Event::Release { owner, epoch },
        ];
        for event in strangers {
            let refused = place.store.apply(&id, event.clone()).await.unwrap();
            let run = claim.run().clone();
            let not_owner = Refusal::NotOwner { run, owner: Owner::new("tokyo-1"), epoch: 1 };
            assert_eq!(refused, Err(not_owner), "{event:?}");
        }
    }
    let item = place.store.read(&id).await.unwrap().unwrap();
    assert_eq!((item.journal, item.released, item.outcome), (Journal::default(), false, None));
    assert_eq!(tokyo.intend(&claim, &intent("a")).await.unwrap(), Ok(()));
}

pub(crate) async fn nothing_is_written_after_the_outcome(place: &Place) {
    let (tokyo, osaka) = (place.runner("tokyo-1"), place.runner("osaka-1"));
    let id = incident("PT4KHLK");
    let claim = claim(&tokyo, &id).await;
    end(&tokyo, &claim, Outcome::Resolved).await;
    let ended = place.store.read(&id).await.unwrap().unwrap();

    let over = Err(Refusal::Over { run: claim.run().clone(), outcome: Outcome::Resolved });
    assert_eq!(tokyo.intend(&claim, &intent("a")).await.unwrap(), over);
    assert_eq!(tokyo.done(&claim, &intent("a")).await.unwrap(), over);
    assert_eq!(tokyo.release(&claim).await.unwrap(), over);
    let reason = StandDownReason::Acknowledged;
    assert_eq!(osaka.stand_down(&id, reason, None, None).await.unwrap().map(drop), over);
    assert_eq!(osaka.take_over(&as_open(&ended)).await.unwrap().map(drop), over);
    assert_eq!(place.store.read(&id).await.unwrap(), Some(ended));
}

pub(crate) async fn an_intent_is_refused_after_a_stand_down_and_what_was_done_is_kept(
    place: &Place,
) {
    let (tokyo, osaka) = (place.runner("tokyo-1"), place.runner("osaka-1"));
    let id = incident("PT4KHLK");
    let claim = claim(&tokyo, &id).await;
    tokyo.intend(&claim, &intent("a")).await.unwrap().unwrap();

    // The acknowledgement reaches the other region while the effect is under way.
    let person = Some("PLH1HKV".to_owned());
    let wish = osaka.stand_down(&id, StandDownReason::Acknowledged, person, None).await.unwrap();
    let (_, wish) = wish.unwrap();

    let journal = done(&intent("a"));
    assert_eq!(tokyo.done(&claim, &journal).await.unwrap(), Ok(()));
    let refused = tokyo.intend(&claim, &journal).await.unwrap();
    assert_eq!(refused, Err(Refusal::StandDown { run: claim.run().clone(), stand_down: wish }));
    assert_eq!(place.store.read(&id).await.unwrap().unwrap().journal, journal);
    assert_eq!(tokyo.finish(&claim, Outcome::StoodDown, &journal).await.unwrap(), Ok(()));
}

pub(crate) async fn a_late_record_takes_nothing_back(place: &Place) {
    let tokyo = place.runner("tokyo-1");
    let id = incident("PT4KHLK");
    let claim = claim(&tokyo, &id).await;
    let (first, at) = (done(&intent("a")), "2026-03-02T12:00:03Z".parse().unwrap());
    let (step, nonce, trace) = (StepAt::plain(3), "b".to_owned(), None);
    let second = first.with(Entry::Intent { step, nonce, trace, at });
    tokyo.intend(&claim, &second).await.unwrap().unwrap();

    // Sent before, given up, and here at last: the effect of step 3 may have started.
    assert_eq!(tokyo.done(&claim, &first).await.unwrap(), Ok(()));
    assert_eq!(place.store.read(&id).await.unwrap().unwrap().journal, second);

    let (outcome, reason) = (Outcome::Escalated, Reason::Ours);
    let closed = first.with(Entry::Closing { outcome, reason, escalate_to: None, at });
    tokyo.done(&claim, &closed).await.unwrap().unwrap();
    let late = Err(Refusal::Late { run: claim.run().clone() });
    assert_eq!(tokyo.intend(&claim, &second).await.unwrap(), late);
    assert_eq!(place.store.read(&id).await.unwrap().unwrap().journal, closed);
}

pub(crate) async fn the_first_stand_down_is_the_one_that_counts(place: &Place) {
    let osaka = place.runner("osaka-1");
    let id = incident("PT4KHLK");
    claim(&place.runner("tokyo-1"), &id).await;

    let person = Some("PLH1HKV".to_owned());
    let first =
        osaka.stand_down(&id, StandDownReason::StopNote, person.clone(), None).await.unwrap();
    let second = osaka.stand_down(&id, StandDownReason::Merged, None, None).await.unwrap();

    let (run, first) = first.unwrap();
    assert_eq!((first.reason, &first.by), (StandDownReason::StopNote, &person));
    assert_eq!(second, Ok((run, first.clone())));
    assert_eq!(place.store.read(&id).await.unwrap().unwrap().stand_down, Some(first));
}

pub(crate) async fn a_take_over_needs_exactly_the_owner_and_epoch_that_were_seen(place: &Place) {
    let (tokyo, osaka) = (place.runner("tokyo-1"), place.runner("osaka-1"));
    let id = incident("PT4KHLK");
    let old = claim(&tokyo, &id).await;
    osaka.stand_down(&id, StandDownReason::Acknowledged, None, None).await.unwrap().unwrap();
    let seen = place.store.read(&id).await.unwrap().unwrap();

    let open = as_open(&seen);
    let mut other_owner = open.clone();
    other_owner.owner = Owner::new("tokyo-2");
    let mut other_epoch = open.clone();
    other_epoch.epoch = 2;
    for wrong in [other_owner, other_epoch] {
        let refused = osaka.take_over(&wrong).await.unwrap();
        assert!(matches!(refused, Err(Refusal::NotOwner { epoch: 1, .. })), "{refused:?}");
    }
    let new = osaka.take_over(&as_open(&seen)).await.unwrap().unwrap().claim;

    assert_eq!((new.run(), new.epoch(), new.owner().as_str()), (old.run(), 2, "osaka-1"));
    assert_eq!(new.opened_at(), old.opened_at(), "the deadline still counts from the beginning");
    // The old owner wakes up and finds itself fenced off, whatever it wants.
    let run = old.run().clone();
    let fenced = Err(Refusal::NotOwner { run, owner: Owner::new("osaka-1"), epoch: 2 });
    assert_eq!(tokyo.intend(&old, &intent("late")).await.unwrap(), fenced);
    assert_eq!(tokyo.done(&old, &intent("late")).await.unwrap(), fenced);
    assert_eq!(tokyo.release(&old).await.unwrap(), fenced);
    let late_end = tokyo.finish(&old, Outcome::Resolved, &intent("late")).await.unwrap();
    assert_eq!(late_end, fenced);
    let item = place.store.read(&id).await.unwrap().unwrap();
    assert_eq!(item.stand_down, seen.stand_down, "the wish of a person outlives the owner");
    end(&osaka, &new, Outcome::StoodDown).await;
}

pub(crate) async fn of_two_take_overs_one_succeeds(place: &Place) {
    let (osaka, seoul) = (place.runner("osaka-1"), place.runner("seoul-1"));
    let id = incident("PT4KHLK");
    claim(&place.runner("tokyo-1"), &id).await;
    let seen = place.store.read(&id).await.unwrap().unwrap();

    let seen = as_open(&seen);
    let (one, two) = tokio::join!(osaka.take_over(&seen), seoul.take_over(&seen));

    let answers = [one.unwrap(), two.unwrap()];
    let winners: Vec<_> = answers.iter().filter_map(|answer| answer.as_ref().ok()).collect();
    let [winner] = winners.as_slice() else { panic!("{answers:?}") };
    let item = place.store.read(&id).await.unwrap().unwrap();
    assert_eq!((&item.owner, item.epoch), (winner.claim.owner(), 2));
}

/// The owner that was taken for dead may have written between the look and the take-over. Its
/// effect must not be repeated, so the new owner starts from what the take-over found.
pub(crate) async fn a_take_over_goes_on_from_what_was_written_last(place: &Place) {
    let (tokyo, osaka) = (place.runner("tokyo-1"), place.runner("osaka-1"));
    let id = incident("PT4KHLK");
    let old = claim(&tokyo, &id).await;
    let seen = place.store.read(&id).await.unwrap().unwrap();

    tokyo.intend(&old, &intent("once")).await.unwrap().unwrap();
    tokyo.stand_down(&id, StandDownReason::StopNote, None, None).await.unwrap().unwrap();
    let taken = osaka.take_over(&as_open(&seen)).await.unwrap().unwrap();

    assert_eq!(taken.item.journal, intent("once"));
    assert_eq!(taken.item.stand_down.unwrap().reason, StandDownReason::StopNote);
}

pub(crate) async fn a_released_run_is_taken_over_and_not_released_any_more(place: &Place) {
    let (tokyo, osaka) = (place.runner("tokyo-1"), place.runner("osaka-1"));
    let id = incident("PT4KHLK");
    let old = claim(&tokyo, &id).await;
    tokyo.done(&old, &done(&intent("a"))).await.unwrap().unwrap();

    assert_eq!(tokyo.release(&old).await.unwrap(), Ok(()));
    assert_eq!(tokyo.release(&old).await.unwrap(), Ok(()), "its answer may have been lost");
    let seen = place.store.read(&id).await.unwrap().unwrap();
    assert!(seen.released);
    let new = osaka.take_over(&as_open(&seen)).await.unwrap().unwrap().claim;

    let item = place.store.read(&id).await.unwrap().unwrap();
    assert_eq!((item.released, item.epoch, new.epoch()), (false, 2, 2));
    assert_eq!(item.journal, done(&intent("a")));
}

pub(crate) async fn the_end_may_be_written_twice_by_its_owner_only(place: &Place) {
    let (tokyo, osaka) = (place.runner("tokyo-1"), place.runner("osaka-1"));
    let id = incident("PT4KHLK");
    let first = claim(&tokyo, &id).await;
    let seen = place.store.read(&id).await.unwrap().unwrap();
    let second = osaka.take_over(&as_open(&seen)).await.unwrap().unwrap().claim;
    let journal = done(&intent("a"));

    assert_eq!(osaka.finish(&second, Outcome::Resolved, &journal).await.unwrap(), Ok(()));
    assert_eq!(osaka.finish(&second, Outcome::Resolved, &journal).await.unwrap(), Ok(()));

    let over = Err(Refusal::Over { run: first.run().clone(), outcome: Outcome::Resolved });
    assert_eq!(tokyo.finish(&first, Outcome::Resolved, &journal).await.unwrap(), over);
    assert_eq!(osaka.finish(&second, Outcome::Escalated, &journal).await.unwrap(), over);
    let item = place.store.read(&id).await.unwrap().unwrap();
    assert_eq!((item.outcome, item.journal), (Some(Outcome::Resolved), journal));
}
