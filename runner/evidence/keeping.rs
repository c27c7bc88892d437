//! Actions as they are, and their outputs on the way to where they are kept.

use std::sync::Arc;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::Evidence;
use crate::execute::actuator::{Action, Actuator, Adopted, Observation, Order, TargetHost};

/// Whatever an action leaves as evidence is complete when it has ended.
pub struct Keeping {
    pub actuator: Arc<dyn Actuator>,
    pub evidence: Evidence,
}

impl Keeping {
    fn offer(&self, seen: &Observation) {
        for output in [&seen.stdout, &seen.stderr] {
            if let Some(path) = &output.evidence {
                self.evidence.offer(path);
            }
        }
    }
}

#[async_trait]
impl Actuator for Keeping {
    async fn act(&self, order: &Order, cancel: &CancellationToken) -> Observation {
        let seen = self.actuator.act(order, cancel).await;
        self.offer(&seen);
        seen
    }

    fn trace(&self, action: &Action, host: Option<&TargetHost>) -> Option<String> {
        self.actuator.trace(action, host)
    }

    async fn adopt(
        &self,
        order: &Order,
        trace: Option<&str>,
        cancel: &CancellationToken,
    ) -> Adopted {
        let adopted = self.actuator.adopt(order, trace, cancel).await;
        if let Adopted::Ended { seen, .. } = &adopted {
            self.offer(seen);
        }
        adopted
    }

    async fn forget(&self, before: jiff::Timestamp) {
        self.actuator.forget(before).await;
    }
}
