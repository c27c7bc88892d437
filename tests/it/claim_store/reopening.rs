use ams::claim::journal::Journal;
use ams::claim::protocol::{Opening, RUNS_PER_INCIDENT, Refusal, StandDownReason};
use ams::incident::Outcome;

use super::{Place, claim, end, incident, lost, reopened, try_claim, won};

pub(crate) async fn a_reopening_begins_the_next_run_in_a_higher_epoch(place: &Place) {
    let (tokyo, osaka) = (place.runner("tokyo-1"), place.runner("osaka-1"));
    let id = incident("PT4KHLK");
    let first = claim(&tokyo, &id).await;
    tokyo.stand_down(&id, StandDownReason::ResolvedByPerson, None, None).await.unwrap().unwrap();
    end(&tokyo, &first, Outcome::StoodDown).await;

    let second = won(try_claim(&osaka, &id, reopened("2026-03-02T13:00:00Z")).await);

    assert_eq!((second.run().number, second.epoch()), (2, 2));
    let item = place.store.read(&id).await.unwrap().unwrap();
    assert_eq!((item.stand_down, item.outcome, item.released), (None, None, false));
    assert_eq!(item.journal, Journal::default());
    // The owner of the run before has no say in this one.
    let late = tokyo.done(&first, &Journal::default()).await.unwrap();
    assert!(matches!(late, Err(Refusal::NotOwner { epoch: 2, .. })), "{late:?}");
}

/// The webhook of an acknowledgement may come after the reopening that followed it.
pub(crate) async fn what_a_person_did_before_the_reopening_does_not_stop_the_next_run(
    place: &Place,
) {
    let tokyo = place.runner("tokyo-1");
    let id = incident("PT4KHLK");
    let first = claim(&tokyo, &id).await;
    end(&tokyo, &first, Outcome::Resolved).await;
    let second = won(try_claim(&tokyo, &id, reopened("2026-03-02T13:00:00Z")).await);

    let reason = StandDownReason::Acknowledged;
    let before = "2026-03-02T12:59:59Z".parse().ok();
    let refused = tokyo.stand_down(&id, reason, None, before).await.unwrap();
    assert_eq!(refused, Err(Refusal::Late { run: second.run().clone() }));
    assert_eq!(tokyo.confirm(&second).await.unwrap(), Ok(()));

    let after = "2026-03-02T13:00:01Z".parse().ok();
    tokyo.stand_down(&id, reason, None, after).await.unwrap().unwrap();
    assert!(matches!(tokyo.confirm(&second).await.unwrap(), Err(Refusal::StandDown { .. })));
}

/// A reopening asks the run before to stand down, and that one ends on the way.
pub(crate) async fn a_wish_for_one_run_does_not_stop_the_next(place: &Place) {
    let (tokyo, osaka) = (place.runner("tokyo-1"), place.runner("osaka-1"));
    let id = incident("PT4KHLK");
    let first = claim(&tokyo, &id).await;
    let reason = StandDownReason::Reopened;
    let (run, wish) = osaka.stand_down_run(first.run(), reason, None).await.unwrap().unwrap();
    assert_eq!((&run, wish.reason), (first.run(), reason));
    end(&tokyo, &first, Outcome::StoodDown).await;
    let second = won(try_claim(&osaka, &id, reopened("2026-03-02T13:00:00Z")).await);

    let late = tokyo.stand_down_run(first.run(), reason, None).await.unwrap();
    assert_eq!(late, Err(Refusal::Late { run: second.run().clone() }));
    assert_eq!(osaka.confirm(&second).await.unwrap(), Ok(()));
    assert_eq!(place.store.stand_downs(osaka.owner()).await.unwrap(), []);
}

pub(crate) async fn an_opening_that_was_handled_opens_nothing(place: &Place) {
    let (tokyo, osaka) = (place.runner("tokyo-1"), place.runner("osaka-1"));
    let id = incident("PT4KHLK");
    let at = || reopened("2026-03-02T13:00:00Z");
    let first = claim(&tokyo, &id).await;
    end(&tokyo, &first, Outcome::Resolved).await;

    let over = Refusal::Over { run: first.run().clone(), outcome: Outcome::Resolved };
    assert_eq!(lost(try_claim(&osaka, &id, Opening::Triggered).await), over);
    let second = won(try_claim(&tokyo, &id, at()).await);
    end(&tokyo, &second, Outcome::Escalated).await;
    let over = Refusal::Over { run: second.run().clone(), outcome: Outcome::Escalated };
    for late in [at(), Opening::Triggered] {
        assert_eq!(lost(try_claim(&osaka, &id, late).await), over);
    }
}

pub(crate) async fn an_earlier_reopening_opens_nothing_however_its_time_is_written(place: &Place) {
    let tokyo = place.runner("tokyo-1");
    let id = incident("PT4KHLK");
    let first = claim(&tokyo, &id).await;
    end(&tokyo, &first, Outcome::Resolved).await;
    let second = won(try_claim(&tokyo, &id, reopened("2026-03-02T13:00:00Z")).await);
    end(&tokyo, &second, Outcome::Resolved).await;

    for not_later in
        ["2026-03-02T12:59:59Z", "2026-03-02T13:00:00.000Z", "2026-03-02T22:00:00+09:00"]
    {
        let refusal = lost(try_claim(&tokyo, &id, reopened(not_later)).await);
        assert!(matches!(refusal, Refusal::Over { .. }), "{not_later}: {refusal:?}");
    }
    // In text this is the smaller one; in time it is half a second later.
    let third = won(try_claim(&tokyo, &id, reopened("2026-03-02T13:00:00.500Z")).await);
    assert_eq!((third.run().number, third.epoch()), (3, 3));
}

pub(crate) async fn an_incident_that_keeps_reopening_is_left_to_people(place: &Place) {
    let tokyo = place.runner("tokyo-1");
    let id = incident("PT4KHLK");
    let mut run = claim(&tokyo, &id).await;
    for hour in 1..RUNS_PER_INCIDENT {
        end(&tokyo, &run, Outcome::Resolved).await;
        run = won(try_claim(&tokyo, &id, reopened(&format!("2026-03-02T1{hour}:00:00Z"))).await);
    }
    assert_eq!((run.run().number, run.epoch()), (RUNS_PER_INCIDENT, u64::from(RUNS_PER_INCIDENT)));
    end(&tokyo, &run, Outcome::Resolved).await;

    let refusal = lost(try_claim(&tokyo, &id, reopened("2026-03-02T20:00:00Z")).await);

    assert_eq!(refusal, Refusal::TooManyRuns { incident: id, limit: RUNS_PER_INCIDENT });
}

pub(crate) async fn a_reopening_before_the_last_run_has_ended_is_to_be_delivered_again(
    place: &Place,
) {
    let (tokyo, id) = (place.runner("tokyo-1"), incident("PT4KHLK"));
    let first = claim(&tokyo, &id).await;
    let refusal = lost(try_claim(&tokyo, &id, reopened("2026-03-02T13:00:00Z")).await);
    assert!(matches!(refusal, Refusal::StillOpen { .. }), "{refusal}");
    end(&tokyo, &first, Outcome::Resolved).await;
    won(try_claim(&tokyo, &id, reopened("2026-03-02T13:00:00Z")).await);
}
