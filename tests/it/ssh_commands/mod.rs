//! Commands over SSH, against a real OpenSSH server.

// What a command is given and what comes back.
mod carrying;
// Whether a recovery may begin is asked when its host is there, not before.
mod permitted;
// No connection, no command; and people are told what to do.
mod refused;
// Incidents from webhook to outcome.
mod incidents;
// Connections and runners that are lost while something runs.
mod lost;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ams::clock::SystemClock;
use ams::customer::Reach;
use ams::customer::ssh::{SshWay, SshWords};
use ams::execute::actuator::{
    Action, Actuator as _, Adopted, Command, Observation, Order, Program, TargetHost,
};
use ams::execute::host_program::Places;
use ams::execute::ssh::SshCommands;
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::harness::commands::{LONG, inherited, order};
use crate::harness::sshd::Sshd;

/// A runner that reaches hosts by SSH.
struct Bench {
    dir: TempDir,
    commands: Arc<SshCommands>,
    cancel: CancellationToken,
}

impl Bench {
    /// Markers lie in a folder of the server's own, so that tests leave nothing in others.
    fn new(sshd: &Sshd) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let places = Places::new([sshd.path("markers").display().to_string()]).unwrap();
        let (evidence, folder) = (dir.path().join("evidence"), dir.path().join("ssh"));
        let commands =
            SshCommands::open(evidence, folder, inherited(), places, Arc::new(SystemClock));
        Self { dir, commands: Arc::new(commands.unwrap()), cancel: CancellationToken::new() }
    }

    async fn act(&self, order: &Order) -> Observation {
        self.commands.act(order, &self.cancel).await
    }

    fn start(&self, order: Order) -> JoinHandle<Observation> {
        let (commands, cancel) = (Arc::clone(&self.commands), self.cancel.clone());
        tokio::spawn(async move { commands.act(&order, &cancel).await })
    }

    async fn adopt(&self, order: &Order) -> Adopted {
        let trace = self.commands.trace(&order.action, order.host.as_ref());
        assert!(trace.is_some());
        self.commands.adopt(order, trace.as_deref(), &self.cancel).await
    }

    fn configurations(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.dir.path().join("ssh")).unwrap();
        entries.flatten().map(|entry| entry.path()).collect()
    }
}

fn by(way: SshWay, order: Order) -> Order {
    let name = way.words().host.clone();
    Order { host: Some(TargetHost { name, reach: Reach::Ssh(Arc::new(way)) }), ..order }
}

fn script(text: &str) -> Order {
    let program = Program::Script(text.to_owned());
    order(Command { program, env: std::collections::BTreeMap::new() })
}

/// A look on the server.
fn look(sshd: &Sshd, text: &str) -> Order {
    by(sshd.way(), script(text))
}

/// A recovery on the server, under the name its intent was recorded with.
fn change(sshd: &Sshd, text: &str) -> Order {
    Order { attempt: Some(1), ..look(sshd, text) }
}

fn changed(sshd: &Sshd, change: impl Fn(&mut SshWords)) -> SshWay {
    let mut words = sshd.words();
    change(&mut words);
    SshWay::new(words).unwrap()
}

fn exec(sshd: &Sshd, words: &[&str]) -> Order {
    let way = changed(sshd, |it| it.device = true);
    by(way, crate::harness::commands::exec(words))
}

/// `order.action`'s script is another one.
fn with_script(order: &Order, text: &str) -> Order {
    let mut order = order.clone();
    if let Action::Command(command) = &mut order.action {
        command.program = Program::Script(text.to_owned());
    }
    order
}

fn within(order: Order, timeout: Duration) -> Order {
    assert!(timeout < LONG);
    Order { timeout, ..order }
}
