use ams::claim::answers::Answer;
use ams::claim::journal::{Entry, Journal, StepAt};
use ams::claim::protocol::Refusal;
use ams::claim::{Claim, Claims};
use ams::clock::Clock as _;
use ams::incident::Outcome;
use jiff::{SignedDuration, Timestamp};

use super::{Place, as_open, claim, end, incident};

fn asked(journal: &Journal, step: usize, at: Timestamp) -> Journal {
    let until = at + SignedDuration::from_mins(30);
    let number = u32::try_from(step).unwrap();
    journal.with(Entry::Asked { step: StepAt::plain(step), number, until, at })
}

fn said(by: &str, approved: bool, at: Timestamp) -> Answer {
    Answer { approved, by: Some(by.to_owned()), at }
}

async fn given(runner: &Claims, claim: &Claim) -> Vec<(String, bool)> {
    let given = runner.answers(claim).await.unwrap();
    given.into_iter().map(|answer| (answer.by.unwrap(), answer.approved)).collect()
}

pub(crate) async fn any_region_records_an_answer_and_only_to_a_question(place: &Place) {
    let (tokyo, osaka) = (place.runner("tokyo-1"), place.runner("osaka-1"));
    let (id, now) = (incident("PT4KHLK"), place.clock.now());
    let later = now + SignedDuration::from_secs(30);
    let unclaimed = osaka.answer(&id, said("P1", true, later)).await.unwrap();
    assert_eq!(unclaimed, Err(Refusal::Unclaimed { incident: id.clone() }));
    let first = claim(&tokyo, &id).await;
    let run = first.run().clone();
    let not_asked = Err(Refusal::NotAsked { run: run.clone() });
    assert_eq!(osaka.answer(&id, said("P1", true, later)).await.unwrap(), not_asked);

    let journal = asked(&Journal::default(), 2, now);
    tokyo.intend(&first, &journal).await.unwrap().unwrap();
    let before = now - SignedDuration::from_mins(1);
    assert_eq!(osaka.answer(&id, said("P1", true, before)).await.unwrap(), not_asked);
    for _ in 0..2 {
        assert_eq!(osaka.answer(&id, said("P1", true, later)).await.unwrap(), Ok(run.clone()));
    }
    assert_eq!(given(&tokyo, &first).await, [("P1".to_owned(), true)]);

    // It outlives its owner.
    let item = place.store.read(&id).await.unwrap().unwrap();
    let taken = osaka.take_over(&as_open(&item)).await.unwrap().unwrap();
    assert_eq!(taken.item.journal.questions().count(), 1);
    assert_eq!(given(&osaka, &taken.claim).await, [("P1".to_owned(), true)]);
    end(&osaka, &taken.claim, Outcome::HandedOff).await;
    let over = osaka.answer(&id, said("P2", true, later)).await.unwrap();
    assert_eq!(over, Err(Refusal::Over { run, outcome: Outcome::HandedOff }));
}

pub(crate) async fn a_new_question_has_no_answers_yet(place: &Place) {
    let (tokyo, osaka) = (place.runner("tokyo-1"), place.runner("osaka-1"));
    let (id, now) = (incident("PT4KHLK"), place.clock.now());
    let first = claim(&tokyo, &id).await;
    let journal = asked(&Journal::default(), 2, now);
    tokyo.intend(&first, &journal).await.unwrap().unwrap();
    let quick = now + SignedDuration::from_secs(1);
    osaka.answer(&id, said("P1", true, quick)).await.unwrap().unwrap();
    // Two seconds later there is the next one; the clocks may be further apart.
    let next = asked(&journal, 5, now + SignedDuration::from_secs(3));
    tokyo.intend(&first, &next).await.unwrap().unwrap();
    assert_eq!(given(&tokyo, &first).await, []);
    let late = tokyo.answer(&id, said("P1", true, quick)).await.unwrap();
    assert_eq!(late, Err(Refusal::NotAsked { run: first.run().clone() }), "the first one's, again");
    // The first question's record, sent again.
    tokyo.intend(&first, &journal).await.unwrap().unwrap();
    let new = now + SignedDuration::from_secs(5);
    tokyo.answer(&id, said("P1", false, new)).await.unwrap().unwrap();
    assert_eq!(given(&osaka, &first).await, [("P1".to_owned(), false)]);
}

pub(crate) async fn the_last_answer_of_each_person_is_kept(place: &Place) {
    let tokyo = place.runner("tokyo-1");
    let (id, now) = (incident("PT4KHLK"), place.clock.now());
    let first = claim(&tokyo, &id).await;
    tokyo.intend(&first, &asked(&Journal::default(), 2, now)).await.unwrap().unwrap();
    let after = |seconds| now + SignedDuration::from_secs(seconds);
    for (by, approved, at) in [("P1", true, 1), ("P2", true, 2), ("P1", false, 4), ("P1", true, 3)]
    {
        tokyo.answer(&id, said(by, approved, after(at))).await.unwrap().unwrap();
    }
    let two = [("P2".to_owned(), true), ("P1".to_owned(), false)];
    assert_eq!(given(&tokyo, &first).await, two, "what came late is not what was said last");
    for number in 0..40 {
        tokyo.answer(&id, said(&format!("PX{number}"), true, after(10))).await.unwrap().unwrap();
    }
    assert_eq!(given(&tokyo, &first).await.len(), 16);
}
