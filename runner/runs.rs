//! The runs this process is carrying out, and the ways to reach them from outside.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::claim::protocol::StandDown;
use crate::incident::{IncidentId, RunId};
use crate::limits;
use crate::metrics::Metrics;

/// Clones share everything.
#[derive(Clone, Default)]
pub struct Runs {
    open: Arc<Mutex<Open>>,
    tasks: TaskTracker,
    /// Makes runs leave where nothing is under way.
    leave: CancellationToken,
    /// Stops runs where they are.
    halt: CancellationToken,
    /// No new ones.
    draining: Arc<AtomicBool>,
    metrics: Metrics,
}

#[derive(Default)]
struct Open {
    runs: HashMap<IncidentId, Reach>,
    enrolled: u64,
}

/// The way to reach a run.
struct Reach {
    /// Serial number of the enrolment.
    serial: u64,
    /// Number of the run.
    run: u32,
    opened_at: Timestamp,
    stand_down: watch::Sender<Option<StandDown>>,
    answers: watch::Sender<u64>,
}

/// A run's place among the open ones; leaving is dropping it.
pub struct Enrolled {
    runs: Runs,
    incident: IncidentId,
    /// An incident's next run may be enrolled before the last one has left.
    serial: u64,
    pub stand_down: watch::Receiver<Option<StandDown>>,
    /// Changes when a person has answered.
    pub answers: watch::Receiver<u64>,
    pub leave: CancellationToken,
    pub halt: CancellationToken,
}

impl Runs {
    pub fn new(metrics: Metrics) -> Self {
        Self { metrics, ..Self::default() }
    }

    /// Why no further run can begin here, if so.
    pub fn refuses(&self) -> Option<&'static str> {
        if self.draining.load(Ordering::Acquire) {
            Some("this process is shutting down")
        } else if self.open().runs.len() >= limits::RUNS_IN_FLIGHT {
            Some("this process carries as many runs as it may")
        } else {
            None
        }
    }

    pub fn has(&self, incident: &IncidentId) -> bool {
        self.open().runs.contains_key(incident)
    }

    /// Runs that are open here.
    pub fn count(&self) -> usize {
        self.open().runs.len()
    }

    /// When the oldest of them was claimed, by whomever.
    pub fn oldest(&self) -> Option<Timestamp> {
        self.open().runs.values().map(|reach| reach.opened_at).min()
    }

    /// Enters a run before it starts. `opened_at` is the time of its first claim.
    pub fn enrol(&self, run: &RunId, opened_at: Timestamp) -> Enrolled {
        let (stand_down_sender, stand_down) = watch::channel(None);
        let (knock, answers) = watch::channel(0);
        let mut open = self.open();
        open.enrolled += 1;
        let serial = open.enrolled;
        let reach = Reach {
            serial,
            run: run.number,
            opened_at,
            stand_down: stand_down_sender,
            answers: knock,
        };
        open.runs.insert(run.incident.clone(), reach);
        self.metrics.runs_open.set(i64::try_from(open.runs.len()).unwrap_or(i64::MAX));
        Enrolled {
            runs: self.clone(),
            incident: run.incident.clone(),
            serial,
            stand_down,
            answers,
            leave: self.leave.child_token(),
            halt: self.halt.child_token(),
        }
    }

    pub fn spawn(&self, run: impl Future<Output = ()> + Send + 'static) {
        self.tasks.spawn(run);
    }

    /// Tells the run, if it is one of ours. The incident's next one is not meant.
    pub fn stand_down(&self, run: &RunId, stand_down: StandDown) {
        let open = self.open();
        if let Some(reach) = open.runs.get(&run.incident).filter(|it| it.run == run.number) {
            reach.stand_down.send_if_modified(|current| {
                let first = current.is_none();
                if first {
                    *current = Some(stand_down);
                }
                first
            });
        }
    }

    /// A person's answer has been recorded: the run, if it is one of ours, looks at once.
    pub fn answered(&self, run: &RunId) {
        let open = self.open();
        if let Some(reach) = open.runs.get(&run.incident).filter(|it| it.run == run.number) {
            reach.answers.send_modify(|count| *count += 1);
        }
    }

    /// Waits until no run is open.
    pub async fn ended(&self) {
        self.tasks.close();
        self.tasks.wait().await;
    }

    /// Begins no further run. Open ones leave where they wait or look; a recovery that is under way
    /// and an end that is being told get `grace`, and then stop where they are.
    pub async fn drain(&self, grace: Duration) {
        self.draining.store(true, Ordering::Release);
        self.leave.cancel();
        self.tasks.close();
        if tokio::time::timeout(grace, self.tasks.wait()).await.is_err() {
            let left = self.open().runs.len();
            tracing::info!(runs.left = left, "{left} runs did not end in time; releasing them");
            self.halt.cancel();
            let patience = limits::KILL_GRACE + limits::SQLITE_BUSY + limits::OUTPUT_DRAIN;
            if tokio::time::timeout(patience, self.tasks.wait()).await.is_err() {
                tracing::error!("some runs could not be released; their lease will end instead");
            }
        }
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Enrolled {
    fn drop(&mut self) {
        let mut open = self.runs.open();
        if open.runs.get(&self.incident).is_some_and(|reach| reach.serial == self.serial) {
            open.runs.remove(&self.incident);
        }
        self.runs.metrics.runs_open.set(i64::try_from(open.runs.len()).unwrap_or(i64::MAX));
    }
}
