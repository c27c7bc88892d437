//! One contract for every claim store: whatever keeps the claims, the same stories hold.
//!
//! A new adapter is one line in [`contract`]; it needs a way to open an empty [`Place`].

use std::any::Any;
use std::future::{Ready, ready};
use std::path::PathBuf;
use std::sync::Arc;

use ams::claim::ledger::Ledger;
use ams::claim::memory::MemoryClaims;
use ams::claim::protocol::{Opening, Refusal, RunItem, ScenarioRef};
use ams::claim::sqlite::SqliteClaims;
use ams::claim::{Claim, ClaimAnswer, ClaimStore, Claims, OpenRun, Which};
use ams::clock::{Clock, SetClock};
use ams::incident::{IncidentId, Outcome, Owner};
use tempfile::TempDir;

// What people say to a run's questions.
mod answering;
// Who wins, and who is told what.
mod claiming;
// What only DynamoDB can get wrong: tables that do not do, and what a write costs.
pub(crate) mod dynamodb_table;
// The same over a path that loses and repeats.
mod dynamodb_under_faults;
// Shared records over a path that loses and repeats, and what they cost.
mod dynamodb_ledger;
// Signs of life and what is forgotten.
mod keeping;
// Records that runs share.
mod ledger;
// `protocol::judge` under long random histories.
mod protocol;
// What an owner may write, and from when on not any more.
mod owning;
// Runs after the first.
mod reopening;
// What only a file can get wrong.
mod sqlite_file;
// Two real processes at one file.
mod two_processes;

/// Every story as a test of one adapter.
macro_rules! stories {
    ($open:path; $($module:ident: $($story:ident),+;)+) => { $($(
        #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
        async fn $story() {
            crate::claim_store::$module::$story(&$open().await).await;
        }
    )+)+ };
}

macro_rules! contract {
    ($($adapter:ident = $open:path;)+) => { $(
        mod $adapter {
            stories! { $open;
                claiming:
                    the_first_claim_wins_and_the_second_is_told_whose_it_is,
                    a_claim_whose_answer_was_lost_is_recognised_as_ours,
                    of_64_claims_at_once_exactly_one_wins,
                    an_unmatched_incident_is_noted_once_and_over_at_once,
                    nobody_can_act_on_an_incident_that_nobody_claimed;
                owning:
                    only_the_owner_at_its_epoch_may_write,
                    nothing_is_written_after_the_outcome,
                    an_intent_is_refused_after_a_stand_down_and_what_was_done_is_kept,
                    a_late_record_takes_nothing_back,
                    the_first_stand_down_is_the_one_that_counts,
                    a_take_over_needs_exactly_the_owner_and_epoch_that_were_seen,
                    of_two_take_overs_one_succeeds,
                    a_take_over_goes_on_from_what_was_written_last,
                    a_released_run_is_taken_over_and_not_released_any_more,
                    the_end_may_be_written_twice_by_its_owner_only;
                answering:
                    any_region_records_an_answer_and_only_to_a_question,
                    a_new_question_has_no_answers_yet,
                    the_last_answer_of_each_person_is_kept;
                reopening:
                    a_reopening_begins_the_next_run_in_a_higher_epoch,
                    a_reopening_before_the_last_run_has_ended_is_to_be_delivered_again,
                    what_a_person_did_before_the_reopening_does_not_stop_the_next_run,
                    a_wish_for_one_run_does_not_stop_the_next,
                    an_opening_that_was_handled_opens_nothing,
                    an_earlier_reopening_opens_nothing_however_its_time_is_written,
                    an_incident_that_keeps_reopening_is_left_to_people;
                keeping:
                    heartbeats_are_the_last_number_of_each_owner,
                    what_is_paused_comes_with_the_heartbeats,
                    open_runs_and_stand_downs_are_those_without_an_outcome,
                    open_runs_are_found_by_owner_and_by_release,
                    the_sweep_forgets_what_ended_long_ago_and_nothing_else,
                    the_sweep_keeps_the_heartbeats_that_somebody_may_still_watch;
                ledger:
                    a_record_is_what_was_written_last,
                    records_do_not_touch_each_other,
                    what_is_left_alone_is_told_as_it_is,
                    the_function_is_told_the_time,
                    of_64_asks_at_once_as_many_are_let_in_as_there_is_room_for,
                    who_asks_again_is_recognised,
                    a_record_that_grows_too_long_is_refused_and_stays_as_it_was,
                    the_sweep_forgets_what_guards_counted_long_ago_and_never_a_pause,
                    records_are_neither_runs_nor_heartbeats;
            }
        }
    )+ };
}

contract! {
    memory = crate::claim_store::Place::in_memory;
    sqlite = crate::claim_store::Place::in_a_file;
    dynamodb = crate::claim_store::Place::in_dynamodb;
}

/// An empty claim store and the clock it tells the time by.
pub(crate) struct Place {
    pub(crate) store: Arc<dyn ClaimStore>,
    pub(crate) ledger: Arc<dyn Ledger>,
    pub(crate) clock: Arc<SetClock>,
    _ends_with_it: Option<Box<dyn Any + Send + Sync>>,
}

impl Place {
    pub(crate) fn in_memory() -> Ready<Self> {
        let clock = noon();
        let store = MemoryClaims::new(Arc::clone(&clock) as Arc<dyn Clock>);
        ready(Self::of(store, clock, None))
    }

    pub(crate) fn in_a_file() -> Ready<Self> {
        let file = StoreFile::new();
        let clock = noon();
        ready(Self::of(file.open_at(&clock), clock, Some(Box::new(file.dir))))
    }

    pub(crate) async fn in_dynamodb() -> Self {
        let table = dynamodb_table::Table::new().await;
        let clock = noon();
        let store = table.open_at(table.engine.url(), &clock).await.unwrap();
        Self::of(store, clock, Some(Box::new(table)))
    }

    fn of(
        store: impl ClaimStore + Ledger + 'static,
        clock: Arc<SetClock>,
        ends_with_it: Option<Box<dyn Any + Send + Sync>>,
    ) -> Self {
        let store = Arc::new(store);
        let ledger = Arc::clone(&store) as Arc<dyn Ledger>;
        Self { store, ledger, clock, _ends_with_it: ends_with_it }
    }

    /// A process at this store.
    pub(crate) fn runner(&self, name: &str) -> Claims {
        let clock = Arc::clone(&self.clock) as Arc<dyn Clock>;
        Claims::new(Arc::clone(&self.store), Owner::new(name), clock)
    }
}

/// A SQLite file that can be opened several times, as several processes would.
pub(crate) struct StoreFile {
    dir: TempDir,
}

impl StoreFile {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self) -> PathBuf {
        self.dir.path().join("claims.db")
    }

    pub(crate) fn open(&self) -> SqliteClaims {
        self.open_at(&noon())
    }

    fn open_at(&self, clock: &Arc<SetClock>) -> SqliteClaims {
        SqliteClaims::open(&self.path(), Arc::clone(clock) as Arc<dyn Clock>).unwrap()
    }

    /// A process that has just opened the file.
    pub(crate) fn runner(&self, name: &str) -> Claims {
        Claims::new(Arc::new(self.open()), Owner::new(name), noon())
    }
}

pub(crate) fn noon() -> Arc<SetClock> {
    Arc::new(SetClock::at("2026-03-02T12:00:00Z".parse().unwrap()))
}

pub(crate) fn incident(id: &str) -> IncidentId {
    IncidentId::parse(id).unwrap()
}

pub(crate) fn restart_web() -> ScenarioRef {
    ScenarioRef { id: "restart-web".to_owned(), hash: "0123456789ab".to_owned(), customer: None }
}

pub(crate) fn reopened(at: &str) -> Opening {
    Opening::Reopened { at: at.to_owned() }
}

pub(crate) async fn try_claim(runner: &Claims, id: &IncidentId, opening: Opening) -> ClaimAnswer {
    runner.claim(id, opening, Some(restart_web()), None).await.unwrap()
}

/// Claims the first run of an incident, which must be free.
pub(crate) async fn claim(runner: &Claims, id: &IncidentId) -> Claim {
    won(try_claim(runner, id, Opening::Triggered).await)
}

pub(crate) async fn end(runner: &Claims, claim: &Claim, outcome: Outcome) {
    let journal = ams::claim::journal::Journal::default();
    runner.finish(claim, outcome, &journal).await.unwrap().unwrap();
}

/// What a sweep would know of it, were it open.
pub(crate) fn as_open(item: &RunItem) -> OpenRun {
    let RunItem { run, owner, epoch, released, .. } = item;
    OpenRun { run: run.clone(), owner: owner.clone(), epoch: *epoch, released: *released }
}

/// The incidents of these open runs, in order.
pub(crate) async fn open(store: &dyn ClaimStore, which: Which) -> Vec<IncidentId> {
    let runs = store.open_runs(&which).await.unwrap();
    let mut incidents: Vec<_> = runs.into_iter().map(|open| open.run.incident).collect();
    incidents.sort();
    incidents
}

pub(crate) fn won(answer: ClaimAnswer) -> Claim {
    match answer {
        ClaimAnswer::Won(claim) => claim,
        other => panic!("not won: {other:?}"),
    }
}

pub(crate) fn lost(answer: ClaimAnswer) -> Refusal {
    match answer {
        ClaimAnswer::Lost(refusal) => refusal,
        other => panic!("not lost: {other:?}"),
    }
}
