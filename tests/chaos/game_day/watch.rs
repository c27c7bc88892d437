//! Watches from outside: who is ready, and whose heart beats.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use ams::claim::ClaimStore;
use ams::clock::{Clock as _, SystemClock};
use ams::incident::Owner;
use ams::sandbox::cluster::RegionProcess;
use jiff::Timestamp;
use tokio::task::JoinSet;

/// Between two questions to a process.
const READY_EVERY: Duration = Duration::from_millis(50);

/// Between two looks at the heartbeats, of which there is one a second.
const BEATS_EVERY: Duration = Duration::from_millis(200);

/// A process as its load balancer knows it.
#[derive(Clone)]
pub(crate) struct Process {
    pub(crate) name: String,
    pub(crate) webhooks: String,
    ready_url: String,
    ready: Arc<AtomicBool>,
}

impl Process {
    pub(crate) fn of(process: &RegionProcess) -> Self {
        Self {
            name: process.name.clone(),
            webhooks: process.webhook_url(),
            ready_url: process.url("/readyz"),
            ready: Arc::new(AtomicBool::new(true)),
        }
    }

    pub(crate) fn is_ready(&self) -> bool {
        self.ready.load(Ordering::SeqCst)
    }
}

/// Ends when dropped.
pub(crate) struct Watch {
    seen: Arc<Mutex<Seen>>,
    _tasks: JoinSet<()>,
}

/// All that was seen, in the order it happened.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    /// A process and whether it is ready from then on.
    pub(crate) ready: Vec<(Timestamp, String, bool)>,
    /// A heartbeat that was new.
    pub(crate) beats: Vec<(Timestamp, Owner)>,
}

impl Watch {
    pub(crate) fn start(processes: &[Process], store: Arc<dyn ClaimStore>) -> Self {
        let seen = Arc::new(Mutex::new(Seen::default()));
        let mut tasks = JoinSet::new();
        for process in processes {
            tasks.spawn(watch_ready(process.clone(), Arc::clone(&seen)));
        }
        tasks.spawn(watch_beats(store, Arc::clone(&seen)));
        Self { seen, _tasks: tasks }
    }

    pub(crate) fn seen(&self) -> Seen {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn watch_ready(process: Process, seen: Arc<Mutex<Seen>>) {
    // One that does not answer at once is of no use to a load balancer either.
    let http = reqwest::Client::builder().no_proxy().timeout(Duration::from_secs(1)).build();
    let Ok(http) = http else { return };
    loop {
        let answer = http.get(&process.ready_url).send().await;
        let ready = answer.is_ok_and(|answer| answer.status().is_success());
        if process.ready.swap(ready, Ordering::SeqCst) != ready {
            let change = (SystemClock.now(), process.name.clone(), ready);
            seen.lock().unwrap_or_else(PoisonError::into_inner).ready.push(change);
        }
        tokio::time::sleep(READY_EVERY).await;
    }
}

async fn watch_beats(store: Arc<dyn ClaimStore>, seen: Arc<Mutex<Seen>>) {
    let mut known = BTreeMap::new();
    loop {
        // A store that does not answer is asked again.
        for (owner, number) in store.heartbeats().await.unwrap_or_default() {
            if known.insert(owner.clone(), number) != Some(number) {
                let beat = (SystemClock.now(), owner);
                seen.lock().unwrap_or_else(PoisonError::into_inner).beats.push(beat);
            }
        }
        tokio::time::sleep(BEATS_EVERY).await;
    }
}
