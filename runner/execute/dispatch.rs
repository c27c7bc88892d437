//! Hands each order to the adapter that can carry it out.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::actuator::{Action, Actuator, Ending, Observation, Order, Output};
use super::http::HttpRequests;
use super::local::LocalCommands;
use super::tcp::TcpConnections;
use crate::customer::Reach;

/// Every way this machine can act.
pub struct Actuators {
    pub local: LocalCommands,
    pub http: HttpRequests,
    pub tcp: TcpConnections,
    pub platform: Arc<dyn Actuator>,
}

#[async_trait]
impl Actuator for Actuators {
    async fn act(&self, order: &Order, cancel: &CancellationToken) -> Observation {
        match (&order.action, &order.host) {
            (Action::Command(_), Some(host)) if host.reach != Reach::Local => no_way_to(&host.name),
            (Action::Command(_), _) => self.local.act(order, cancel).await,
            (Action::Http(_), _) => self.http.act(order, cancel).await,
            (Action::Tcp(_), _) => self.tcp.act(order, cancel).await,
            (Action::Ask { .. }, _) => self.platform.act(order, cancel).await,
        }
    }
}

fn no_way_to(host: &str) -> Observation {
    let reason = format!("no way to reach {host} is set up in its customer's file");
    Observation {
        ending: Ending::NotStarted { reason },
        stdout: Output::default(),
        stderr: Output::default(),
        took: Duration::ZERO,
    }
}
