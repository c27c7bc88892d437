//! Hands each order to the adapter that can carry it out.

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::actuator::{Action, Actuator, Observation, Order};
use super::http::HttpRequests;
use super::local::LocalCommands;

/// Every way this machine can act.
pub struct Actuators {
    pub local: LocalCommands,
    pub http: HttpRequests,
}

#[async_trait]
impl Actuator for Actuators {
    async fn act(&self, order: &Order, cancel: &CancellationToken) -> Observation {
        match order.action {
            Action::Command(_) => self.local.act(order, cancel).await,
            Action::Http(_) => self.http.act(order, cancel).await,
        }
    }
}
