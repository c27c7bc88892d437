use std::collections::BTreeMap;
use std::time::Duration;

use ams::claim::journal::{Entry, Journal, StepAt};
use ams::claim::protocol::{Opening, Refusal};
use ams::claim::{Claim, ClaimAnswer, Claims, StoreError};
use ams::incident::{IncidentId, Outcome};
use futures_util::stream::{self, StreamExt as _};
use tokio::time::Instant;

use super::dynamodb_table::Table;
use super::keeping::beat;
use super::{as_open, claim, incident, restart_web};
use crate::fault_proxy::{Cut, Fault, FaultProxy, Faults};

/// The claim, or none where it is another's. What is ours although no answer said so in time is
/// taken up as the sweep does it.
async fn win(runner: &Claims, id: &IncidentId) -> Option<Claim> {
    match until_known(runner, id).await {
        ClaimAnswer::Won(claim) => return Some(claim),
        ClaimAnswer::Lost(Refusal::TakenBy { owner, .. }) if owner == *runner.owner() => {}
        _ => return None,
    }
    loop {
        let Ok(Some(item)) = runner.store().read(id).await else { continue };
        match runner.take_over(&as_open(&item)).await {
            Ok(Ok(taken)) => return Some(taken.claim),
            Ok(Err(refusal)) => panic!("a run of ours is not ours: {refusal}"),
            // Taken over all the same, maybe: then it is so at a higher epoch.
            Err(_) => {}
        }
    }
}

/// As a delivery is repeated that was answered 503.
async fn until_known(runner: &Claims, id: &IncidentId) -> ClaimAnswer {
    for _ in 0..20 {
        if let Ok(answer) = runner.claim(id, Opening::Triggered, Some(restart_web()), None).await {
            return answer;
        }
    }
    panic!("{} never learnt whose {id} is", runner.owner());
}

fn intent() -> Journal {
    let at = "2026-03-02T12:00:01Z".parse().unwrap();
    let entry = Entry::Intent { step: StepAt::plain(2), nonce: "n".to_owned(), trace: None, at };
    Journal::default().with(entry)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn eight_runners_race_over_bad_ways_and_every_incident_has_one_owner() {
    const INCIDENTS: usize = 300;
    let table = Table::new().await;
    let faults = Faults {
        lose_request: 0.10,
        conflict: 0.10,
        lose_answer: 0.25,
        error_before: 0.025,
        error_after: 0.025,
        ..Faults::default()
    };
    let (mut races, mut proxies) = (Vec::new(), Vec::new());
    for runner in 0..8 {
        let proxy = FaultProxy::start(table.engine.url(), runner).await.unwrap();
        let claims = table.runner(proxy.url(), &format!("runner-{runner}")).await;
        proxy.set(faults.clone());
        races.push(tokio::spawn(race(claims, INCIDENTS)));
        proxies.push(proxy);
    }
    let mut owners: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut gave_up = 0;
    for race in races {
        let (owner, won, unknown) = race.await.unwrap();
        gave_up += unknown;
        for id in won {
            owners.entry(id.to_string()).or_default().push(owner.clone());
        }
    }

    let store = table.runner(table.engine.url(), "judge").await;
    for number in 0..INCIDENTS {
        let id = incident(&format!("P{number:05}"));
        let item = store.store().read(&id).await.unwrap().unwrap();
        let owners = owners.remove(id.as_str()).unwrap_or_default();
        assert_eq!(owners, [item.owner.to_string()], "who won {id}, and whose it is");
        assert_eq!(item.outcome, Some(Outcome::Resolved), "{id} was carried out to its end");
        assert_eq!(item.journal, intent());
    }
    let met = |fault| proxies.iter().map(|proxy| proxy.counts().faults(fault)).sum::<u64>();
    for fault in [Fault::LoseRequest, Fault::LoseAnswer, Fault::Conflict, Fault::ErrorAfter] {
        assert!(met(fault) > 20, "{fault:?} happened {} times", met(fault));
    }
    println!("300 incidents, 8 runners: {gave_up} answers were not known in time and asked again");
}

/// Claims every incident and carries out what it wins. Answers with its name, what it won, and
/// how many answers were not known in time.
async fn race(claims: Claims, incidents: usize) -> (String, Vec<IncidentId>, u32) {
    let (mut mine, mut unknown) = (Vec::new(), 0);
    let mut race = stream::iter(0..incidents)
        .map(async |number| {
            let id = incident(&format!("P{number:05}"));
            let claim = win(&claims, &id).await?;
            Some((id, carry_out(&claims, &claim).await))
        })
        .buffer_unordered(4);
    while let Some(carried_out) = race.next().await {
        if let Some((id, not_known)) = carried_out {
            unknown += not_known;
            mine.push(id);
        }
    }
    drop(race);
    (claims.owner().to_string(), mine, unknown)
}

async fn carry_out(claims: &Claims, claim: &Claim) -> u32 {
    let mut unknown = 0;
    while claims.intend(claim, &intent()).await.map_err(|_| unknown += 1).is_err() {}
    loop {
        match claims.finish(claim, Outcome::Resolved, &intent()).await {
            Ok(finished) => return finished.map(|()| unknown).unwrap(),
            Err(_) => unknown += 1,
        }
    }
}

#[tokio::test]
async fn an_answer_that_was_lost_is_looked_up_whatever_was_written() {
    let table = Table::new().await;
    let proxy = FaultProxy::start(table.engine.url(), 1).await.unwrap();
    let tokyo = table.runner(proxy.url(), "tokyo-1").await;
    for (number, fault) in [Fault::LoseAnswer, Fault::ErrorAfter].into_iter().enumerate() {
        let id = incident(&format!("P{number}"));
        proxy.plan(1, "PutItem", fault);
        let mine = claim(&tokyo, &id).await;
        proxy.plan(1, "PutItem", fault);
        tokyo.intend(&mine, &intent()).await.unwrap().unwrap();
        proxy.plan(1, "PutItem", fault);
        tokyo.finish(&mine, Outcome::Resolved, &intent()).await.unwrap().unwrap();
        let item = tokyo.store().read(&id).await.unwrap().unwrap();
        assert_eq!((item.epoch, item.outcome), (1, Some(Outcome::Resolved)));
    }
    assert_eq!(proxy.counts().faults(Fault::LoseAnswer), 3);
}

#[tokio::test]
async fn a_cut_way_is_an_answer_in_time_and_nothing_is_won() {
    let table = Table::new().await;
    let proxy = FaultProxy::start(table.engine.url(), 1).await.unwrap();
    let (tokyo, osaka) = (
        table.runner(proxy.url(), "tokyo-1").await,
        table.runner(table.engine.url(), "osaka-1").await,
    );
    for (number, cut) in [Cut::Closed, Cut::Silent].into_iter().enumerate() {
        let id = incident(&format!("P{number}"));
        proxy.cut(Some(cut));
        let began = Instant::now();
        let told = tokyo.claim(&id, Opening::Triggered, Some(restart_web()), None).await;
        assert!(matches!(told, Err(StoreError::Unreachable { .. })), "{told:?}");
        assert!(began.elapsed() < ams::limits::WEBHOOK_ANSWER, "{:?}", began.elapsed());
        assert!(tokyo.store().beat(&beat(tokyo.owner().as_str(), 2, 0)).await.is_err());
        claim(&osaka, &id).await;
        proxy.cut(None);
        assert!(matches!(until_known(&tokyo, &id).await, ClaimAnswer::Lost(_)));
    }
}

/// A write that its sender has given up on must not undo what came after it.
#[tokio::test]
async fn a_write_that_comes_late_changes_nothing_any_more() {
    let table = Table::new().await;
    let proxy = FaultProxy::start(table.engine.url(), 1).await.unwrap();
    let tokyo = table.runner(proxy.url(), "tokyo-1").await;
    let id = incident("PT4KHLK");
    let mine = claim(&tokyo, &id).await;
    proxy.set(Faults { slow_request: Duration::from_millis(1_500), ..Faults::default() });
    let journal = intent();
    let late = tokyo.intend(&mine, &journal);
    let healed = async {
        tokio::time::sleep(Duration::from_millis(900)).await;
        proxy.set(Faults::default());
    };
    let (recorded, ()) = tokio::join!(late, healed);
    recorded.unwrap().unwrap();
    tokyo.finish(&mine, Outcome::Resolved, &intent()).await.unwrap().unwrap();
    // The first write reaches the store only now.
    tokio::time::sleep(Duration::from_secs(1)).await;
    assert_eq!(proxy.counts().conditions_failed("PutItem"), 1, "{:?}", proxy.counts());
    let item = tokyo.store().read(&id).await.unwrap().unwrap();
    assert_eq!(item.outcome, Some(Outcome::Resolved));
}
