//! Hands each order to the adapter that can carry it out.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio_util::sync::CancellationToken;

use super::actuator::{Action, Actuator, Adopted, Ending, Observation, Order, Output, TargetHost};
use super::aws_api::AwsCalls;
use super::http::HttpRequests;
use super::local::LocalCommands;
use super::ssh::SshCommands;
use super::ssm::SsmCommands;
use super::tcp::TcpConnections;
use crate::customer::Reach;

/// Every way this machine can act.
pub struct Actuators {
    pub local: LocalCommands,
    pub ssh: SshCommands,
    pub ssm: SsmCommands,
    pub http: HttpRequests,
    pub tcp: TcpConnections,
    pub aws: AwsCalls,
    pub platform: Arc<dyn Actuator>,
}

#[async_trait]
impl Actuator for Actuators {
    async fn act(&self, order: &Order, cancel: &CancellationToken) -> Observation {
        match (&order.action, &order.host) {
            (Action::Command(_), host) => match host.as_ref().map(|host| (&host.reach, host)) {
                None | Some((Reach::Local, _)) => self.local.act(order, cancel).await,
                Some((Reach::Ssh(_), _)) => self.ssh.act(order, cancel).await,
                Some((Reach::Ssm(_), _)) => self.ssm.act(order, cancel).await,
                Some((Reach::None, host)) => no_way_to(&host.name),
            },
            (Action::Http(_), _) => self.http.act(order, cancel).await,
            (Action::Tcp(_), _) => self.tcp.act(order, cancel).await,
            (Action::Aws(_), _) => self.aws.act(order, cancel).await,
            (Action::Ask { .. }, _) => self.platform.act(order, cancel).await,
        }
    }

    fn trace(&self, action: &Action, host: Option<&TargetHost>) -> Option<String> {
        self.keeper(action, host)?.trace(action, host)
    }

    async fn adopt(
        &self,
        order: &Order,
        trace: Option<&str>,
        cancel: &CancellationToken,
    ) -> Adopted {
        match self.keeper(&order.action, order.host.as_ref()) {
            Some(keeper) => keeper.adopt(order, trace, cancel).await,
            None => Adopted::Unknown,
        }
    }

    async fn forget(&self, before: jiff::Timestamp) {
        self.local.forget(before).await;
        self.ssh.forget(before).await;
    }
}

impl Actuators {
    /// The adapter that keeps traces of such an action.
    fn keeper(&self, action: &Action, host: Option<&TargetHost>) -> Option<&dyn Actuator> {
        if !matches!(action, Action::Command(_)) {
            return None;
        }
        match host.map(|host| &host.reach) {
            None | Some(Reach::Local) => Some(&self.local),
            Some(Reach::Ssh(_)) => Some(&self.ssh),
            Some(Reach::Ssm(_)) => Some(&self.ssm),
            Some(Reach::None) => None,
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
