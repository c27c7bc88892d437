//! Whether a host's agent is there: asked for many hosts at once, and remembered for a moment.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep};

use super::calls;
use super::desk::{Desk, Trouble};
use crate::customer::aws::Platform;
use crate::limits;

/// What SSM knows of an agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Ping {
    pub(super) is_online: bool,
    /// SSM's word for it.
    pub(super) word: String,
    pub(super) last: Option<Timestamp>,
    pub(super) platform: Option<Platform>,
}

type Answer = Result<Option<Ping>, Trouble>;

/// Machines in one question; more are asked for in several.
const IN_ONE: usize = 50;

#[derive(Default)]
pub(super) struct Pings {
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    known: HashMap<String, (Instant, Ping)>,
    waiting: Vec<(String, oneshot::Sender<Answer>)>,
}

impl Pings {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Desk {
    /// `None` where SSM does not know the machine.
    pub(super) async fn ping(self: &Arc<Self>, instance: &str) -> Answer {
        let (tell, told) = oneshot::channel();
        {
            let mut state = self.pings.state();
            if let Some((at, ping)) = state.known.get(instance)
                && at.elapsed() < self.terms.ping_kept
            {
                return Ok(Some(ping.clone()));
            }
            if state.waiting.is_empty() {
                tokio::spawn(Arc::clone(self).ask_for_pings());
            }
            state.waiting.push((instance.to_owned(), tell));
        }
        told.await.unwrap_or_else(|_| Err(Trouble::stopped()))
    }

    /// One that SSM does not take keeps it from answering for all others.
    async fn ping_alone(&self, instance: &str) -> Answer {
        let one = vec![instance.to_owned()];
        match self.read(|client| calls::pings(client, one.clone())).await {
            Ok(known) => Ok(known.get(instance).cloned()),
            Err(trouble) if trouble.is_about_one_machine() => Ok(None),
            Err(trouble) => Err(trouble),
        }
    }

    /// Others who ask meanwhile are asked for as well.
    async fn ask_for_pings(self: Arc<Self>) {
        sleep(limits::SSM_PING_JOIN).await;
        let waiting = std::mem::take(&mut self.pings.state().waiting);
        let mut instances: Vec<String> = waiting.iter().map(|(id, _)| id.clone()).collect();
        instances.sort();
        instances.dedup();
        let mut found: HashMap<String, Answer> = HashMap::new();
        for some in instances.chunks(IN_ONE) {
            let answer = self.read(|client| calls::pings(client, some.to_vec())).await;
            for instance in some {
                let own = match &answer {
                    Err(trouble) if trouble.is_about_one_machine() => {
                        self.ping_alone(instance).await
                    }
                    answer => answer.clone().map(|known| known.get(instance).cloned()),
                };
                found.insert(instance.clone(), own);
            }
        }
        {
            let mut state = self.pings.state();
            let kept = self.terms.ping_kept;
            state.known.retain(|_, (at, _)| at.elapsed() < kept);
            // One that is away may be back the next moment.
            for (instance, answer) in &found {
                if let Ok(Some(ping)) = answer
                    && ping.is_online
                {
                    state.known.insert(instance.clone(), (Instant::now(), ping.clone()));
                }
            }
        }
        for (instance, tell) in waiting {
            let answer = found.get(&instance).cloned().unwrap_or(Ok(None));
            // Whoever does not wait any more needs no answer.
            drop(tell.send(answer));
        }
    }
}
