use ams::claim::protocol::{ClaimToken, Event, Opening, Refusal, StandDownReason};
use ams::claim::{ClaimAnswer, Which};
use ams::incident::{Outcome, Owner, RunId};
use tokio::task::JoinSet;

use super::{Place, claim, incident, lost, open, restart_web, try_claim};

pub(crate) async fn the_first_claim_wins_and_the_second_is_told_whose_it_is(place: &Place) {
    let (tokyo, osaka) = (place.runner("tokyo-1"), place.runner("osaka-1"));
    let id = incident("PT4KHLK");

    let won = claim(&tokyo, &id).await;

    let run = RunId { incident: id.clone(), number: 1 };
    assert_eq!((won.run(), won.epoch(), won.owner().as_str()), (&run, 1, "tokyo-1"));
    let refusal = lost(try_claim(&osaka, &id, Opening::Triggered).await);
    assert_eq!(refusal, Refusal::TakenBy { run, owner: Owner::new("tokyo-1") });
    // A second delivery to the same process is no second run either.
    assert_eq!(lost(try_claim(&tokyo, &id, Opening::Triggered).await), refusal);
    let item = place.store.read(&id).await.unwrap().unwrap();
    assert_eq!((item.scenario, item.outcome), (Some(restart_web()), None));
}

pub(crate) async fn a_claim_whose_answer_was_lost_is_recognised_as_ours(place: &Place) {
    let id = incident("PT4KHLK");
    let claim = |token: &str| Event::Claim {
        opening: Opening::Triggered,
        owner: Owner::new("tokyo-1"),
        token: ClaimToken::from_text(token),
        scenario: Some(restart_web()),
        outcome: None,
    };

    let first = place.store.apply(&id, claim("a")).await.unwrap().unwrap();
    let again = place.store.apply(&id, claim("a")).await.unwrap().unwrap();

    assert_eq!(again, first);
    let other = place.store.apply(&id, claim("b")).await.unwrap();
    assert!(matches!(other, Err(Refusal::TakenBy { .. })), "{other:?}");
}

pub(crate) async fn of_64_claims_at_once_exactly_one_wins(place: &Place) {
    let id = incident("PT4KHLK");
    let mut racers = JoinSet::new();
    for number in 0..64 {
        let (runner, id) = (place.runner(&format!("racer-{number}")), id.clone());
        racers.spawn(async move { try_claim(&runner, &id, Opening::Triggered).await });
    }
    let answers = racers.join_all().await;

    let winners: Vec<_> = answers.iter().filter(|a| matches!(a, ClaimAnswer::Won(_))).collect();
    let [ClaimAnswer::Won(winner)] = winners.as_slice() else { panic!("{winners:?}") };
    let taken = Refusal::TakenBy { run: winner.run().clone(), owner: winner.owner().clone() };
    let told = answers.iter().filter(|answer| **answer == ClaimAnswer::Lost(taken.clone()));
    assert_eq!(told.count(), 63);
}

pub(crate) async fn an_unmatched_incident_is_noted_once_and_over_at_once(place: &Place) {
    let (tokyo, osaka) = (place.runner("tokyo-1"), place.runner("osaka-1"));
    let id = incident("PT4KHLK");
    let unmatched = Some(Outcome::Unmatched);

    let noted = tokyo.claim(&id, Opening::Triggered, None, unmatched).await.unwrap();
    let again = osaka.claim(&id, Opening::Triggered, None, unmatched).await.unwrap();

    let run = RunId { incident: id.clone(), number: 1 };
    assert_eq!(noted, ClaimAnswer::Noted(run.clone()));
    assert_eq!(lost(again), Refusal::Over { run, outcome: Outcome::Unmatched });
    assert_eq!(open(&*place.store, Which::All).await, []);
}

pub(crate) async fn nobody_can_act_on_an_incident_that_nobody_claimed(place: &Place) {
    let tokyo = place.runner("tokyo-1");
    let id = incident("PT4KHLK");

    let stand_down =
        tokyo.stand_down(&id, StandDownReason::Acknowledged, None, None).await.unwrap();

    assert_eq!(stand_down, Err(Refusal::Unclaimed { incident: id.clone() }));
    assert_eq!(place.store.read(&id).await.unwrap(), None);
}
