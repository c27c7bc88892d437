//! Watching a command that leaves traces (detached.rs): as its parent, or after its parent died.

use std::os::fd::AsFd as _;
use std::path::PathBuf;
use std::pin::Pin;
use std::time::Duration;

use rustix::fs::{FallocateFlags, SeekFrom, fallocate, seek};
use rustix::process::Signal;
use tokio::fs::File;
use tokio::process::Command;
use tokio::time::{Instant, Sleep, sleep};
use tokio_util::sync::CancellationToken;

use super::actuator::{Adopted, Ending};
use super::detached::{Attempt, LOOK_EVERY, Trace, signal};
use super::local::{Streams, not_started, start};
use super::output::Capture;
use crate::limits::KILL_GRACE;

/// Bytes of output that were read and may stay on the disk.
const KEPT_ON_DISK: u64 = 8 * 1024 * 1024;

/// Between making its directory and saying its process id, a wrapper may take this long.
const STARTING: Duration = Duration::from_secs(2);

/// Carries a change out by the wrapper. Cancelled, it goes on without us.
pub(super) async fn change(
    attempt: &Attempt,
    command: Command,
    (cancel, expiry): (&CancellationToken, Pin<&mut Sleep>),
    streams: &mut Streams<'_>,
) -> Ending {
    let mut group = match start(attempt.wrapped(&command)).await {
        Ok((group, ..)) => group,
        Err(reason) => return not_started(reason),
    };
    group.leave();
    let mut followed = Followed::of(attempt);
    let never = CancellationToken::new();
    let ending = tokio::select! {
        biased;
        ending = group.ending(&never, expiry) => ending,
        () = cancel.cancelled() => return Ending::Cancelled,
        () = followed.follow(streams) => return Ending::Cancelled,
    };
    followed.read_on(streams).await;
    match (ending, attempt.trace()) {
        (Ending::TimedOut, _) => Ending::TimedOut,
        (_, Trace::Exited(code)) => Ending::Exited(code),
        (Ending::Exited(code), _) => match attempt.not_started(code) {
            Some(reason) => not_started(reason),
            None => Ending::Killed { signal: 0 },
        },
        (ending, _) => ending,
    }
}

/// Waits for the end of a command whose parent is gone.
pub(super) async fn await_end(
    attempt: &Attempt,
    within: Duration,
    cancel: &CancellationToken,
) -> Result<Ending, Adopted> {
    let began = Instant::now();
    loop {
        let trace = attempt.trace();
        match trace {
            Trace::Exited(code) => return Ok(Ending::Exited(code)),
            Trace::Fenced => return Err(Adopted::NeverBegan),
            Trace::Lost => return Err(Adopted::Unknown),
            Trace::Starting if began.elapsed() >= STARTING => return Err(Adopted::Unknown),
            Trace::Running(pid) if began.elapsed() >= within => {
                signal(pid, Signal::TERM);
                sleep(KILL_GRACE).await;
                signal(pid, Signal::KILL);
                return Ok(Ending::TimedOut);
            }
            Trace::Starting | Trace::Running(_) => {}
        }
        tokio::select! {
            () = sleep(LOOK_EVERY) => {}
            () = cancel.cancelled() => return Err(Adopted::Cancelled),
        }
    }
}

/// Output files that are read while they grow.
pub(super) struct Followed {
    stdout: Growing,
    stderr: Growing,
}

impl Followed {
    pub(super) fn of(attempt: &Attempt) -> Self {
        Self { stdout: Growing::at(attempt.stdout()), stderr: Growing::at(attempt.stderr()) }
    }

    /// Reads what comes, for ever.
    async fn follow(&mut self, streams: &mut Streams<'_>) {
        loop {
            sleep(LOOK_EVERY).await;
            self.read_on(streams).await;
        }
    }

    pub(super) async fn read_on(&mut self, streams: &mut Streams<'_>) {
        self.stdout.read_on(&mut streams.stdout).await;
        self.stderr.read_on(&mut streams.stderr).await;
    }
}

struct Growing {
    path: PathBuf,
    file: Option<File>,
    /// Bytes from the start that do not take room on the disk any more.
    given_back: u64,
}

impl Growing {
    const fn at(path: PathBuf) -> Self {
        Self { path, file: None, given_back: 0 }
    }

    async fn read_on(&mut self, capture: &mut Capture<'_>) {
        if self.file.is_none() {
            let mut options = tokio::fs::OpenOptions::new();
            options.read(true).write(true);
            // It appears when the command begins.
            let Ok(file) = options.open(&self.path).await else { return };
            // A reader before us may have given its start back.
            self.given_back = seek(file.as_fd(), SeekFrom::Data(0)).unwrap_or(0);
            capture.count_unread(self.given_back);
            self.file = Some(file);
        }
        let Some(file) = &mut self.file else { return };
        capture.read(&mut *file).await;
        let ready = capture.total_bytes().saturating_sub(self.given_back);
        if ready > KEPT_ON_DISK {
            let flags = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
            // Where the file system cannot do this, the output takes the room it takes.
            if fallocate(file.as_fd(), flags, self.given_back, ready).is_ok() {
                self.given_back += ready;
            }
        }
    }
}
