//! Hands each order to the adapter that can carry it out.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::actuator::{Action, Actuator, Adopted, Ending, Observation, Order, Output, TargetHost};
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

    fn trace(&self, action: &Action, host: Option<&TargetHost>) -> Option<String> {
        is_local(action, host).then(|| self.local.trace(action, host)).flatten()
    }

    async fn adopt(
        &self,
        order: &Order,
        trace: Option<&str>,
        cancel: &CancellationToken,
    ) -> Adopted {
        if is_local(&order.action, order.host.as_ref()) {
            self.local.adopt(order, trace, cancel).await
        } else {
            Adopted::Unknown
        }
    }

    async fn forget(&self, before: jiff::Timestamp) {
        self.local.forget(before).await;
    }
}

fn is_local(action: &Action, host: Option<&TargetHost>) -> bool {
    matches!(action, Action::Command(_)) && host.is_none_or(|host| host.reach == Reach::Local)
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
