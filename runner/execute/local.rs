//! Commands on this machine, each in a process group of its own (`process_group.rs`).

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::pin::pin;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::process::{ChildStderr, ChildStdout};
use tokio::sync::Semaphore;
use tokio::time::{Instant, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::actuator::{
    Action, Actuator, Adopted, Command, Ending, Observation, Order, Program, TargetHost,
};
use super::detached::Detached;
use super::follow::{Followed, await_end, change};
use super::output::{Capture, Stream};
use super::process_group::{Group, Started};
use crate::limits::{COMMANDS_AT_ONCE, OUTPUT_DRAIN};

/// What commands see of our own environment. Everything else (tokens, proxies) is ours alone.
const INHERITED: [&str; 6] = ["PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR"];

pub struct LocalCommands {
    evidence_dir: PathBuf,
    detached: Detached,
    environment: BTreeMap<String, String>,
    pub(crate) slots: Arc<Semaphore>,
}

impl LocalCommands {
    /// `inherited` is the runner's own environment, of which commands see only a named few.
    pub fn new(
        evidence_dir: PathBuf,
        detached: Detached,
        mut inherited: BTreeMap<String, String>,
    ) -> Self {
        inherited.retain(|name, _| INHERITED.contains(&name.as_str()));
        let slots = Arc::new(Semaphore::new(COMMANDS_AT_ONCE));
        Self { evidence_dir, detached, environment: inherited, slots }
    }

    async fn carry_out(
        &self,
        order: &Order,
        cancel: &CancellationToken,
        streams: &mut Streams<'_>,
    ) -> Ending {
        let Action::Command(command) = &order.action else {
            return not_started("a request cannot be carried out as a command");
        };
        let mut expiry = pin!(sleep(order.timeout));
        let _slot = tokio::select! {
            biased;
            () = cancel.cancelled() => return Ending::Cancelled,
            Ok(slot) = self.slots.acquire() => slot,
            () = &mut expiry => return not_started(format!(
                "{COMMANDS_AT_ONCE} commands are already running and none ended within {:?}",
                order.timeout
            )),
        };
        if let Some(permission) = &order.permission
            && let Err(doubt) = permission.ask().await
        {
            return not_started(doubt.to_string());
        }
        let prepared = match self.prepare(order, command) {
            Ok(prepared) => prepared,
            Err(reason) => return not_started(reason),
        };
        if let Some(number) = order.attempt {
            let attempt = self.detached.attempt(&order.nonce, number);
            return change(&attempt, prepared, (cancel, expiry), streams).await;
        }
        let (mut group, stdout, stderr) = match start(prepared).await {
            Ok(started) => started,
            Err(reason) => return not_started(reason),
        };
        // Output is read while the group is being stopped as well: its last words explain most.
        let ending = group.ending(cancel, expiry);
        let reading = streams.read(stdout, stderr);
        alongside(ending, reading).await
    }

    /// Text and arguments go in as they are, parameters as environment variables.
    ///
    /// Without user, directory or pre-exec hooks the standard library starts a program that is
    /// named by its path with `posix_spawn`, which does not copy our page tables.
    fn prepare(&self, order: &Order, command: &Command) -> Result<tokio::process::Command, String> {
        let mut prepared = match &command.program {
            Program::Script(text) => {
                let mut shell = tokio::process::Command::new("/bin/sh");
                shell.arg("-c").arg(text);
                shell
            }
            Program::PowerShell(text) => {
                let mut shell = tokio::process::Command::new("pwsh");
                shell.args(["-NoProfile", "-NonInteractive", "-Command"]).arg(text);
                shell
            }
            Program::Exec(words) => {
                let [program, arguments @ ..] = words.as_slice() else {
                    return Err("the command names no program".to_owned());
                };
                let mut program = tokio::process::Command::new(program);
                program.args(arguments);
                program
            }
        };
        for (name, value) in &command.env {
            // A name with `=` would set another variable than the one it says.
            if name.is_empty() || name.contains(['=', '\0']) {
                return Err(format!("{name:?} cannot name an environment variable"));
            }
            if value.contains('\0') {
                return Err(format!("the value of {name} contains a NUL character"));
            }
        }
        prepared
            .env_clear()
            .envs(&self.environment)
            .envs(&command.env)
            .env("AMS_INCIDENT", order.run.incident.as_str())
            .env("AMS_RUN", order.run.number.to_string())
            .env("AMS_STEP", order.step.to_string())
            .env("AMS_NONCE", &order.nonce)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .process_group(0);
        Ok(prepared)
    }
}

#[async_trait]
impl Actuator for LocalCommands {
    async fn act(&self, order: &Order, cancel: &CancellationToken) -> Observation {
        let started = Instant::now();
        let mut streams = Streams::of(&self.evidence_dir, order);
        let ending = self.carry_out(order, cancel, &mut streams).await;
        streams.finish(ending, started.elapsed()).await
    }

    fn trace(&self, _action: &Action, _host: Option<&TargetHost>) -> Option<String> {
        Some(self.detached.place().to_owned())
    }

    async fn adopt(
        &self,
        order: &Order,
        trace: Option<&str>,
        cancel: &CancellationToken,
    ) -> Adopted {
        if trace != Some(self.detached.place()) {
            return Adopted::Unknown;
        }
        let started = Instant::now();
        let Some((number, attempt)) = self.detached.last_attempt(&order.nonce) else {
            return match self.detached.attempt(&order.nonce, 1).fence() {
                Ok(true) => Adopted::NeverBegan,
                Ok(false) => Adopted::Unknown,
                Err(error) => {
                    tracing::warn!(%error, "a command could not be kept from starting late");
                    Adopted::Unknown
                }
            };
        };
        let mut streams = Streams::of(&self.evidence_dir, order);
        match await_end(&attempt, order.timeout, cancel).await {
            Ok(ending) => {
                Followed::of(&attempt).read_on(&mut streams).await;
                let seen = Box::new(streams.finish(ending, started.elapsed()).await);
                Adopted::Ended { seen, attempt: number }
            }
            Err(adopted) => adopted,
        }
    }

    async fn forget(&self, before: Timestamp) {
        if let Err(error) = self.detached.forget(before.into()) {
            tracing::warn!(%error, "traces of old commands are not removed yet");
        }
    }
}

pub(super) struct Streams<'a> {
    pub(super) stdout: Capture<'a>,
    pub(super) stderr: Capture<'a>,
}

impl<'a> Streams<'a> {
    pub(super) fn of(evidence_dir: &'a Path, order: &'a Order) -> Self {
        Self {
            stdout: Capture::new(evidence_dir, order, Stream::Stdout),
            stderr: Capture::new(evidence_dir, order, Stream::Stderr),
        }
    }

    pub(super) async fn finish(self, ending: Ending, took: Duration) -> Observation {
        let (stdout, stderr) = tokio::join!(self.stdout.finish(), self.stderr.finish());
        Observation { ending, stdout, stderr, took }
    }

    pub(super) async fn read(&mut self, stdout: Option<ChildStdout>, stderr: Option<ChildStderr>) {
        let stdout = async {
            if let Some(pipe) = stdout {
                self.stdout.read(pipe).await;
            }
        };
        let stderr = async {
            if let Some(pipe) = stderr {
                self.stderr.read(pipe).await;
            }
        };
        tokio::join!(stdout, stderr);
    }
}

/// Reads until the command has ended, and a little longer while something holds its output open.
///
/// That something is usually a service the command started, so it is left alone. Our end of the
/// pipe closes here: a service that still writes to it gets SIGPIPE, as it would after a logout.
/// Scenarios send a service's output elsewhere (`>/dev/null 2>&1 &`).
pub(super) async fn alongside(
    ending: impl Future<Output = Ending>,
    reading: impl Future<Output = ()>,
) -> Ending {
    let (mut ending, mut reading) = (pin!(ending), pin!(reading));
    let mut all_read = false;
    let ending = loop {
        tokio::select! {
            biased;
            ending = &mut ending => break ending,
            () = &mut reading, if !all_read => all_read = true,
        }
    };
    if !all_read && timeout(OUTPUT_DRAIN, reading).await.is_err() {
        tracing::debug!("a command ended and left something behind that holds its output open");
    }
    ending
}

/// Starting a program stops its thread until the program runs: not one that answers webhooks.
pub(super) async fn start(prepared: tokio::process::Command) -> Result<Started, String> {
    tokio::task::spawn_blocking(|| Group::start(prepared))
        .await
        .unwrap_or_else(|error| Err(error.to_string()))
}

pub(super) fn not_started(reason: impl Into<String>) -> Ending {
    Ending::NotStarted { reason: reason.into() }
}
