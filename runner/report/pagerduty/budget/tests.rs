use super::*;
use crate::metrics::Metrics;

fn budget(limit: u32, places: Places) -> Arc<Budget> {
    let terms = Terms {
        limit,
        window: Duration::from_mins(1),
        first_wait: limits::PAGERDUTY_FIRST_WAIT,
        longest_wait: limits::PAGERDUTY_LONGEST_WAIT,
        reset_most: limits::PAGERDUTY_RATE_LIMIT_WAIT,
    };
    Budget::new(terms, places, Metrics::default())
}

const ROOM: Places = Places { all: 16, pages: 4 };

/// Takes turns in the background, each for no time at all, and says when each had its.
fn take(budget: &Arc<Budget>, lane: Lane, count: usize) -> Vec<tokio::task::JoinHandle<Duration>> {
    let one = |number: usize| {
        let budget = Arc::clone(budget);
        tokio::spawn(async move {
            let mut turn = budget.turn(lane, &format!("run {number}")).await.ok().unwrap();
            turn.used();
            budget.now()
        })
    };
    (0..count).map(one).collect()
}

async fn last(turns: Vec<tokio::task::JoinHandle<Duration>>) -> Duration {
    let mut last = Duration::ZERO;
    for turn in turns {
        last = last.max(turn.await.unwrap());
    }
    last
}

#[tokio::test(start_paused = true)]
async fn pages_go_at_once_while_notes_wait_for_their_rate() {
    let budget = budget(960, ROOM);
    let notes = take(&budget, Lane::Note, 240);
    tokio::task::yield_now().await;
    assert!(last(take(&budget, Lane::Escalate, 250)).await < Duration::from_secs(1));
    let notes = last(notes).await;
    assert!(notes >= Duration::from_secs(50), "{notes:?}");
    assert!(budget.lock().queue.oldest().is_none());
}

#[tokio::test(start_paused = true)]
async fn who_goes_away_leaves_neither_a_place_nor_a_charge() {
    let budget = budget(960, Places { all: 1, pages: 0 });
    let held = budget.turn(Lane::Note, "A").await.ok().unwrap();
    let waits = take(&budget, Lane::Note, 3);
    tokio::task::yield_now().await;
    assert_eq!(budget.lock().queue.count(Lane::Note), 3);
    for wait in &waits {
        wait.abort();
    }
    for wait in waits {
        wait.await.unwrap_err();
    }
    drop(held);
    let state = budget.lock();
    assert_eq!((state.queue.count(Lane::Note), state.under_way), (0, 0));
}

#[tokio::test(start_paused = true)]
async fn a_turn_that_never_comes_is_given_up() {
    let budget = budget(960, Places { all: 1, pages: 0 });
    let held = budget.turn(Lane::Note, "A").await.ok().unwrap();
    let error = budget.turn(Lane::Escalate, "B").await.err().unwrap().to_string();
    assert!(error.starts_with("there was no turn within 30 s"), "{error}");
    drop(held);
    budget.turn(Lane::Escalate, "B").await.ok().unwrap();
}

#[tokio::test(start_paused = true)]
async fn a_storm_is_seen_while_requests_wait_and_ends_by_itself() {
    let budget = budget(60, ROOM);
    let notes = take(&budget, Lane::Note, 20);
    tokio::time::sleep(limits::PAGERDUTY_STORM_WAIT + Duration::from_secs(1)).await;
    assert!(budget.is_storm());
    last(notes).await;
    assert!(budget.is_storm(), "it is not calm yet");
    tokio::time::sleep(limits::PAGERDUTY_STORM_CALM).await;
    assert!(!budget.is_storm());
}

#[tokio::test(start_paused = true)]
async fn a_reset_closes_all_lanes_but_pages() {
    let budget = budget(960, ROOM);
    let turn = budget.turn(Lane::Title, "A").await.ok().unwrap();
    let said = Said { reset: Some(Duration::from_secs(20)), ..Said::default() };
    turn.heard(Some(429), said, Duration::ZERO);
    drop(turn);
    let (note, page) = (take(&budget, Lane::Note, 1), take(&budget, Lane::Escalate, 1));
    assert!(last(page).await <= limits::PAGERDUTY_PAGE_GAP);
    assert!(last(note).await >= Duration::from_secs(20));
}
