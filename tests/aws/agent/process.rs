//! A script as a process of this machine.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Stdio;

use rustix::process::{Pid, Signal, kill_process, kill_process_group};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep_until};

use crate::aws::hosts::Habits;
use crate::aws::ssm::Sent;

/// `StandardOutputContent` is "the first 24,000 characters", errors are 8,000. The agent puts its
/// remark inside of that.
const STDOUT_BYTES: usize = 24_000;
const STDERR_BYTES: usize = 8_000;
const CUT: &str = "--output truncated--";

const PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Outcome {
    Exited(i32),
    TimedOut,
    /// By `CancelCommand`.
    Stopped,
}

/// One start of a script on its host.
pub(super) struct Process<'a> {
    pub(super) folder: PathBuf,
    /// Of this run: script and output.
    pub(super) place: PathBuf,
    pub(super) sent: &'a Sent,
    pub(super) habits: &'a Habits,
}

impl Process<'_> {
    pub(super) async fn run(&self, expiry: Instant) -> (Outcome, String, String) {
        let place = &self.place;
        let outcome = match self.start(place) {
            Ok(group) => self.wait(group, expiry).await,
            Err(error) => {
                let said = format!("failed to run commands: {error}");
                return (Outcome::Exited(1), String::new(), said);
            }
        };
        (outcome, stdout(place), beginning(&place.join("stderr"), STDERR_BYTES))
    }

    async fn wait(&self, mut group: Group, expiry: Instant) -> Outcome {
        tokio::select! {
            biased;
            status = group.0.wait() => {
                // What a signal ended has no code: -1 in the agent's language.
                let code = status.ok().and_then(|status| status.code()).unwrap_or(-1);
                Outcome::Exited(code)
            }
            () = self.sent.stop.cancelled() => Outcome::Stopped,
            () = sleep_until(expiry) => Outcome::TimedOut,
        }
    }

    fn start(&self, place: &Path) -> io::Result<Group> {
        fs::create_dir_all(place)?;
        let script = place.join("_script.sh");
        fs::write(&script, &self.sent.script)?;
        fs::set_permissions(&script, fs::Permissions::from_mode(0o700))?;
        let home = self.folder.join("home");
        let directory = self.sent.working_directory.as_ref().map(PathBuf::from);
        let child = Command::new("/bin/sh")
            .arg("-c")
            .arg(&script)
            .current_dir(directory.unwrap_or_else(|| home.clone()))
            .env_clear()
            .env("PATH", self.path()?)
            .env("HOME", &home)
            .env("AWS_SSM_INSTANCE_ID", &self.sent.instance)
            .env("AWS_SSM_REGION_NAME", &self.sent.region)
            .stdin(Stdio::null())
            .stdout(File::create(place.join("stdout"))?)
            .stderr(File::create(place.join("stderr"))?)
            .process_group(0)
            .spawn()?;
        Ok(Group(child))
    }

    /// Where the host has its programs: this machine's, but for what is wrong with them.
    fn path(&self) -> io::Result<String> {
        let mut path = match self.habits.without.as_slice() {
            [] => PATH.to_owned(),
            missing => self.programs_but(missing)?.display().to_string(),
        };
        let seconds = self.habits.clock_off;
        if seconds != 0 {
            let folder = self.folder.join(format!("clock{seconds}"));
            fs::create_dir_all(&folder)?;
            let date = folder.join("date");
            let text = format!(
                "#!/bin/sh\n[ \"$*\" = +%s ] || exec /bin/date \"$@\"\n\
                 echo $(($(/bin/date +%s) + {seconds}))\n"
            );
            fs::write(&date, text)?;
            fs::set_permissions(&date, fs::Permissions::from_mode(0o700))?;
            path = format!("{}:{path}", folder.display());
        }
        Ok(path)
    }

    fn programs_but(&self, missing: &[String]) -> io::Result<PathBuf> {
        let programs = self.folder.join(format!("without-{}", missing.join("-")));
        if programs.exists() {
            return Ok(programs);
        }
        fs::create_dir_all(&programs)?;
        for folder in PATH.split(':') {
            let Ok(entries) = fs::read_dir(folder) else { continue };
            for entry in entries.flatten() {
                let (name, here) = (entry.file_name(), programs.join(entry.file_name()));
                let is_missing = missing.iter().any(|program| name == program.as_str());
                if !is_missing && here.symlink_metadata().is_err() {
                    symlink(entry.path(), here)?;
                }
            }
        }
        Ok(programs)
    }
}

/// A running script and everything it started, killed when dropped before its end. What a script
/// leaves running at its own end stays, as on a real host.
struct Group(Child);

impl Drop for Group {
    fn drop(&mut self) {
        // No id any more: it has ended by itself.
        let id = self.0.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        if let Some(id) = id {
            let killed = kill_process_group(id, Signal::KILL);
            tracing::debug!(?killed, "a script of a host is stopped");
        }
    }
}

/// As much of a run's output as the agent tells.
pub(super) fn stdout(place: &Path) -> String {
    beginning(&place.join("stdout"), STDOUT_BYTES)
}

/// As much of a stream as the agent tells.
fn beginning(path: &Path, most: usize) -> String {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(most as u64).read_to_end(&mut bytes));
    if read.is_ok_and(|read| read >= most) {
        bytes.truncate(most - CUT.len());
        bytes.extend_from_slice(CUT.as_bytes());
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Kills what scripts have left running: every process whose home lies in this folder.
pub(in super::super) fn kill_all(folder: &Path) {
    let mark = format!("\0HOME={}/", folder.display());
    let is_ours = |id: &i32| {
        let environment = fs::read(format!("/proc/{id}/environ")).unwrap_or_default();
        let environment = [b"\0", environment.as_slice()].concat();
        environment.windows(mark.len()).any(|part| part == mark.as_bytes())
    };
    // What is killed may have started something meanwhile.
    for _ in 0..3 {
        let Ok(processes) = fs::read_dir("/proc") else { return };
        let ids = processes.flatten().filter_map(|it| it.file_name().to_str()?.parse().ok());
        let mut found = false;
        for id in ids.filter(is_ours).filter_map(Pid::from_raw) {
            found |= kill_process(id, Signal::KILL).is_ok();
        }
        if !found {
            return;
        }
    }
}
