//! A command's process group: everything it started, stopped together.
//!
//! The group is what is stopped, never only the process that was started: a script that hangs
//! usually hangs in a child. A child that leaves its group on purpose (`setsid`) is out of reach.

use std::fs;
use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::pin::Pin;
use std::process::ExitStatus;
use std::time::Duration;

use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process_group, test_kill_process_group};
use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout};
use tokio::time::{Sleep, sleep, timeout};
use tokio_util::sync::CancellationToken;

use super::actuator::Ending;
use crate::limits::{KILL_GRACE, OUTPUT_DRAIN};

/// There is no event for "the last process of a group is gone", so we look, less and less often.
const FIRST_LOOK: Duration = Duration::from_millis(10);
const LAST_LOOK: Duration = Duration::from_millis(200);

/// A running command and everything it started, killed when dropped before its end.
pub(super) struct Group {
    leader: Child,
    id: Pid,
    /// Whether the group is ours to kill. It is not once the leader ended by itself (what it
    /// left running is meant to stay), nor once the group is empty (the id may be reused).
    ours: bool,
}

/// A group and the ends of its output that are ours to read.
pub(super) type Started = (Group, Option<ChildStdout>, Option<ChildStderr>);

impl Group {
    pub(super) fn start(mut command: tokio::process::Command) -> Result<Started, String> {
        let mut leader = command.spawn().map_err(|error| {
            let program = command.as_std().get_program().display();
            spawn_failure(&program, &error)
        })?;
        let id = leader.id().and_then(|id| i32::try_from(id).ok());
        let id = id.and_then(Pid::from_raw).ok_or("the command has no process id")?;
        let (stdout, stderr) = (leader.stdout.take(), leader.stderr.take());
        let group = Self { leader, id, ours: true };
        Ok((group, stdout, stderr))
    }

    /// Waits for the command's own end, the order's expiry or the run's cancellation.
    pub(super) async fn ending(
        &mut self,
        cancel: &CancellationToken,
        expiry: Pin<&mut Sleep>,
    ) -> Ending {
        let ending = tokio::select! {
            biased;
            status = self.leader.wait() => {
                self.ours = false;
                return ending_of(status);
            }
            () = cancel.cancelled() => Ending::Cancelled,
            () = expiry => Ending::TimedOut,
        };
        self.stop().await;
        ending
    }

    /// Our end of its standard input, where it was given one.
    pub(super) fn stdin(&mut self) -> Option<ChildStdin> {
        self.leader.stdin.take()
    }

    /// The command's exit code, where it ends by itself in this time.
    pub(super) async fn code_within(&mut self, within: Duration) -> Option<i32> {
        let status = timeout(within, self.leader.wait()).await.ok()?;
        self.ours = false;
        status.ok()?.code()
    }

    /// It goes on when we do not, and is not killed with us.
    pub(super) fn leave(&mut self) {
        self.ours = false;
    }

    /// Asks, waits, then kills. The leader is reaped on every path.
    pub(super) async fn stop(&mut self) {
        self.signal(Signal::TERM);
        if timeout(KILL_GRACE, self.emptied()).await.is_err() {
            self.signal(Signal::KILL);
            // Only a process stuck in the kernel outlives this; the runtime reaps it later.
            if timeout(OUTPUT_DRAIN, self.leader.wait()).await.is_err() {
                tracing::warn!(pid = %self.id, "a killed command has not ended yet");
            }
        }
        self.ours = false;
    }

    /// The id stays reserved while one process of the group lives, and ids are given out in turn:
    /// between two looks it cannot come to name a stranger's group.
    async fn emptied(&mut self) {
        if let Err(error) = self.leader.wait().await {
            tracing::warn!(pid = %self.id, %error, "a command's end could not be read");
        }
        let mut pause = FIRST_LOOK;
        while test_kill_process_group(self.id) != Err(Errno::SRCH) {
            let id = self.id;
            let lives = tokio::task::spawn_blocking(move || a_member_lives(id));
            if matches!(lives.await, Ok(false)) {
                // Nothing is left to be asked; this is for what was born while we looked.
                self.signal(Signal::KILL);
                return;
            }
            sleep(pause).await;
            pause = (pause * 2).min(LAST_LOOK);
        }
    }

    /// A group that is gone already is what a signal is meant to achieve.
    fn signal(&self, signal: Signal) {
        if let Err(error) = kill_process_group(self.id, signal)
            && error != Errno::SRCH
        {
            tracing::warn!(pid = %self.id, ?signal, %error, "a command could not be signalled");
        }
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if self.ours {
            self.signal(Signal::KILL);
        }
    }
}

fn ending_of(status: io::Result<ExitStatus>) -> Ending {
    match status.map(|status| (status.code(), status.signal())) {
        Ok((Some(code), _)) => Ending::Exited(code),
        Ok((None, signal)) => Ending::Killed { signal: signal.unwrap_or_default() },
        Err(error) => {
            // It ran and nobody knows how it ended, which must not look like "never begun".
            tracing::error!(%error, "a command's end could not be read");
            Ending::Killed { signal: 0 }
        }
    }
}

fn spawn_failure(program: &impl std::fmt::Display, error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => format!("no such program: {program}"),
        io::ErrorKind::PermissionDenied => format!("no permission to start {program}"),
        io::ErrorKind::ArgumentListTooLong => {
            format!("the parameters are too long to start {program}")
        }
        _ => format!("cannot start {program}: {error}"),
    }
}

/// Whether the group has a member that is more than a zombie.
///
/// A signal "reaches" zombies too, and an orphan stays one until the machine's first process
/// collects it; in a container that may be never, and each stop would take its whole grace.
fn a_member_lives(group: Pid) -> bool {
    let Ok(processes) = fs::read_dir("/proc") else {
        return true;
    };
    let group = group.to_string();
    processes.filter_map(Result::ok).any(|process| {
        let stat = fs::read_to_string(process.path().join("stat")).unwrap_or_default();
        // `pid (name) state parent group ..`, where a name may hold spaces and parentheses.
        let fields = stat.rsplit(')').next().unwrap_or_default();
        let mut fields = fields.split_ascii_whitespace();
        let state = fields.next();
        fields.nth(1) == Some(group.as_str()) && !matches!(state, Some("Z" | "X"))
    })
}
