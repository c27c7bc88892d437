//! Commands that outlive the runner: what changes something goes on when AMS is killed, and who
//! takes the run over finds out how it went instead of doing it again.
//!
//! A shell wrapper (`wrapper.sh`) makes a directory named after the attempt, runs the command with
//! its output going to files, and writes the exit code beside them. Making a directory is atomic:
//! of a runner that was paused and one that took over, only one can start the attempt. All of it
//! works between processes of one machine; another machine sees a different place.

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use rustix::process::{Pid, Signal, kill_process_group, test_kill_process};
use tokio::process::Command;

/// Started with `sh -c`, then the directory, then the command's own words.
const WRAPPER: &str = include_str!("wrapper.sh");

/// The wrapper's own exit codes, when it wrote no record.
const BEGUN_BEFORE: i32 = 97;
const NO_DIRECTORY: i32 = 98;

/// Attempts of one effect that are looked for; no step has more.
const MOST_ATTEMPTS: u32 = 1_000;

/// The directory under which commands leave their traces.
pub struct Detached {
    folder: PathBuf,
    place: String,
}

impl Detached {
    /// Opens the directory, or makes it: nobody else may read what commands printed.
    pub fn open(folder: &Path) -> io::Result<Self> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let folder = folder.to_owned();
        let place = place_of(&folder)?;
        Ok(Self { folder, place })
    }

    /// Names this directory everywhere, so that a record found elsewhere is not looked for here.
    pub(super) fn place(&self) -> &str {
        &self.place
    }

    pub(super) fn attempt(&self, nonce: &str, number: u32) -> Attempt {
        let nonce: String = nonce.chars().filter(char::is_ascii_alphanumeric).collect();
        Attempt { dir: self.folder.join(format!("{nonce}-{number}")), nonce }
    }

    /// The last attempt that was begun under this name.
    pub(super) fn last_attempt(&self, nonce: &str) -> Option<(u32, Attempt)> {
        (1..=MOST_ATTEMPTS)
            .map(|number| (number, self.attempt(nonce, number)))
            .take_while(|(_, attempt)| attempt.dir.exists())
            .last()
    }

    /// Removes traces older than this; by then every run that could ask for them is over.
    pub(super) fn forget(&self, before: SystemTime) -> io::Result<()> {
        for entry in fs::read_dir(&self.folder)?.flatten() {
            let is_old = entry.metadata().and_then(|it| it.modified()).is_ok_and(|at| at < before);
            let path = entry.path();
            if is_old && path.is_dir() {
                fs::remove_dir_all(path)?;
            }
        }
        Ok(())
    }
}

/// Several processes may open a new directory at once: the first name stays.
fn place_of(folder: &Path) -> io::Result<String> {
    let path = folder.join("place");
    if let Ok(place) = fs::read_to_string(&path) {
        return Ok(place.trim().to_owned());
    }
    let place = uuid::Uuid::new_v4().simple().to_string();
    let new = folder.join(format!("place-{place}"));
    fs::write(&new, &place)?;
    let linked = fs::hard_link(&new, &path);
    fs::remove_file(&new)?;
    match linked {
        Ok(()) => Ok(place),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            Ok(fs::read_to_string(&path)?.trim().to_owned())
        }
        Err(error) => Err(error),
    }
}

/// One attempt's traces.
pub(super) struct Attempt {
    dir: PathBuf,
    nonce: String,
}

/// What the traces say now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Trace {
    Exited(i32),
    Running(Pid),
    /// The wrapper is about to say its process id.
    Starting,
    /// Kept from ever starting.
    Fenced,
    /// It ran, it does not run any more, and it left no exit code.
    Lost,
}

impl Attempt {
    pub(super) fn stdout(&self) -> PathBuf {
        self.dir.join("stdout")
    }

    pub(super) fn stderr(&self) -> PathBuf {
        self.dir.join("stderr")
    }

    /// The same command, run by the wrapper.
    pub(super) fn wrapped(&self, command: &Command) -> Command {
        let command = command.as_std();
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", WRAPPER, "ams"]).arg(&self.dir);
        shell.arg(command.get_program()).args(command.get_args());
        let environment = command.get_envs().filter_map(|(name, value)| Some((name, value?)));
        shell.env_clear().envs(environment).process_group(0);
        let null = std::process::Stdio::null;
        shell.stdin(null()).stdout(null()).stderr(null());
        shell
    }

    /// What an end of the wrapper without a record means; `None` when it was killed.
    pub(super) fn not_started(&self, code: i32) -> Option<String> {
        match code {
            BEGUN_BEFORE => Some("another runner has begun or fenced off this attempt".to_owned()),
            NO_DIRECTORY => Some(format!("{} cannot be made", self.dir.display())),
            _ => None,
        }
    }

    /// Keeps the attempt from ever starting. `false`: somebody has begun it.
    pub(super) fn fence(&self) -> io::Result<bool> {
        match fs::DirBuilder::new().mode(0o700).create(&self.dir) {
            Ok(()) => fs::write(self.dir.join("fenced"), "").map(|()| true),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(error) => Err(error),
        }
    }

    pub(super) fn trace(&self) -> Trace {
        let read = |name| fs::read_to_string(self.dir.join(name)).ok();
        if let Some(code) = read("exit").and_then(|text| text.trim().parse().ok()) {
            return Trace::Exited(code);
        }
        let pid = read("pid").and_then(|text| text.trim().parse().ok());
        match pid.and_then(Pid::from_raw) {
            Some(pid) if self.is_ours(pid) => Trace::Running(pid),
            // It may have ended since we looked for its record.
            Some(_) => match read("exit").and_then(|text| text.trim().parse().ok()) {
                Some(code) => Trace::Exited(code),
                None => Trace::Lost,
            },
            None if self.dir.join("fenced").exists() => Trace::Fenced,
            None => Trace::Starting,
        }
    }

    /// Process ids are given out again; the environment says whose it is.
    fn is_ours(&self, pid: Pid) -> bool {
        let named = format!("AMS_NONCE={}", self.nonce);
        let environment = fs::read(format!("/proc/{pid}/environ"));
        match environment {
            Ok(bytes) => bytes.split(|byte| *byte == 0).any(|it| it == named.as_bytes()),
            // Without /proc: alive is the best that can be said.
            Err(error) => error.kind() != io::ErrorKind::NotFound && test_kill_process(pid).is_ok(),
        }
    }
}

/// Tells a command of an earlier runner, and everything it started, to end.
pub(super) fn signal(pid: Pid, signal: Signal) {
    if let Err(error) = kill_process_group(pid, signal) {
        tracing::debug!(%pid, ?signal, %error, "a command could not be signalled");
    }
}

/// How often the traces of a command that is not our child are looked at.
pub(super) const LOOK_EVERY: Duration = Duration::from_millis(100);
