//! What is sent to other machines, carried out by the shells that are found on them. It must do
//! what it was told once, in time, with every value as it was; or nothing.

// Values and scripts arrive as they were.
mod arriving;
// What began once begins never again; what never began can be kept from it.
mod beginning;
// Timeouts, lost connections, output.
mod ending;

use std::io::Write as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Output, Stdio};
use std::time::Duration;

use ams::execute::actuator::{Order, Program};
use ams::execute::host_probe::{Sought, Word, read_probe};
use ams::execute::host_program::{Carrier, HostProgram, Places};
use jiff::Timestamp;
use tempfile::TempDir;

use crate::harness::commands::{LONG, order};

const MOST_BYTES: usize = 1024 * 1024;

/// The shells that `/bin/sh` is on servers: Debian's, Red Hat's (by that name), Alpine's.
fn shells() -> Vec<&'static str> {
    let all = ["/bin/sh", "/bin/bash", "/bin/busybox"];
    all.into_iter().filter(|shell| Path::new(shell).exists()).collect()
}

/// Another machine, as its shell sees it.
struct Host {
    dir: TempDir,
    shell: &'static str,
    places: Places,
}

impl Host {
    fn new(shell: &'static str) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let places = Places::new([dir.path().join("markers").display().to_string()]).unwrap();
        if shell.ends_with("busybox") {
            // Alpine has nothing else.
            let programs = dir.path().join("programs");
            std::fs::create_dir(&programs).unwrap();
            let mut install = Command::new(shell);
            assert!(install.args(["--install", "-s"]).arg(programs).status().unwrap().success());
        }
        Self { dir, shell, places }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_default()
    }

    fn program(&self, order: &Order, carrier: Carrier) -> String {
        self.program_until(order, carrier, now() + Duration::from_mins(10))
    }

    fn program_until(&self, order: &Order, carrier: Carrier, not_after: Timestamp) -> String {
        let places = &self.places;
        let limit = order.timeout;
        let program = HostProgram { order, places, not_after, limit, most_bytes: MOST_BYTES };
        program.shell(carrier).unwrap()
    }

    /// Starts the text as a connection does: on standard input, which stays open.
    fn start(&self, text: &str) -> (Child, ChildStdin) {
        let mut child = self.shell().arg("-s").stdin(Stdio::piped()).spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        // A shell that has refused does not read on.
        stdin.write_all(text.as_bytes()).ok();
        (child, stdin)
    }

    fn run(&self, text: &str) -> Output {
        let (child, _stdin) = self.start(text);
        child.wait_with_output().unwrap()
    }

    /// Runs the text as an agent does: a file.
    fn run_file(&self, text: &str) -> Output {
        let file = self.path("script");
        std::fs::write(&file, text).unwrap();
        self.shell().arg(&file).stdin(Stdio::null()).output().unwrap()
    }

    fn shell(&self) -> Command {
        let mut shell = Command::new(self.shell);
        shell.env_clear().env("HOME", self.dir.path());
        if self.shell.ends_with("busybox") {
            shell.arg("sh").env("PATH", self.path("programs"));
        } else {
            shell.arg0("sh").env("PATH", "/usr/bin:/bin");
        }
        shell.stdout(Stdio::piped()).stderr(Stdio::piped());
        shell
    }

    fn probe(&self, attempt: Option<u32>, ago: Option<Duration>) -> (u32, Word) {
        let sought = Sought { nonce: "00ff", attempt, announced_ago: ago };
        let said = self.run(&sought.probe(&self.places));
        read_probe(&text(&said.stdout), "00ff").unwrap_or_else(|| panic!("{said:?}"))
    }
}

/// `$HOME` is the host's folder.
fn change(script: &str) -> Order {
    Order { attempt: Some(1), ..look(script) }
}

fn look(script: &str) -> Order {
    let env = std::collections::BTreeMap::new();
    let program = Program::Script(script.to_owned());
    Order { timeout: LONG, ..order(ams::execute::actuator::Command { program, env }) }
}

#[expect(clippy::disallowed_methods, reason = "hosts have the machine's clock")]
fn now() -> Timestamp {
    Timestamp::now()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
