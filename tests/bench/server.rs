//! One server process in a fresh folder.

use std::io;
use std::net::SocketAddr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::{Child, Command};
use tokio::time::{Instant, sleep, timeout};

use crate::http::Connection;
use crate::load::SECRET;
use crate::usage::{self, Usage};

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Kind {
    /// One fdatasync per webhook.
    Floor,
    /// One fdatasync for all webhooks that wait.
    FloorGrouped,
    Ams,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Floor, Self::FloorGrouped, Self::Ams];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Floor => "floor",
            Self::FloorGrouped => "floor, grouped",
            Self::Ams => "ams",
        }
    }
}

pub(crate) struct Server {
    pub(crate) address: SocketAddr,
    /// From before the process existed until it said that it is ready.
    pub(crate) ready_after: Duration,
    pid: u32,
    child: Child,
    /// Removed when the server is dropped.
    _folder: TempDir,
}

/// A server must be ready within this, on a busy machine too.
const START: Duration = Duration::from_secs(20);
const LOOK: Duration = Duration::from_millis(1);

const SCENARIO: &str = "\
scenario: bench
about: One local command
match:
  all: [bench, answering]
steps:
  - check:
      name: The command
      exec: [/bin/true]
      when_healthy: resolve
";

impl Server {
    pub(crate) async fn start(kind: Kind, sink: SocketAddr, ams: &Path) -> io::Result<Self> {
        // Beside the build, which is on a disk: a temporary folder may be memory, where a flush
        // costs nothing.
        let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR"))?;
        let mut command = match kind {
            Kind::Floor | Kind::FloorGrouped => floor(kind, folder.path(), sink)?,
            Kind::Ams => runner(ams, folder.path(), sink)?,
        };
        let began = Instant::now();
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
        let address = timeout(START, ready(&mut child)).await??;
        let ready_after = began.elapsed();
        let pid = child.id().ok_or_else(ended)?;
        Ok(Self { address, ready_after, pid, child, _folder: folder })
    }

    pub(crate) fn usage(&self) -> io::Result<Usage> {
        usage::of(self.pid)
    }

    /// Nothing of it is needed any more, so it gets no time to say good-bye.
    pub(crate) async fn stop(mut self) -> io::Result<()> {
        self.child.kill().await
    }
}

fn floor(kind: Kind, folder: &Path, sink: SocketAddr) -> io::Result<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("serve").arg("--file").arg(folder.join("webhooks.log"));
    command.arg("--sink").arg(sink.to_string());
    if kind == Kind::FloorGrouped {
        command.arg("--grouped");
    }
    Ok(command)
}

fn runner(ams: &Path, folder: &Path, sink: SocketAddr) -> io::Result<Command> {
    std::fs::create_dir(folder.join("scenarios"))?;
    std::fs::write(folder.join("scenarios/bench.yaml"), SCENARIO)?;
    // Relative paths start at the file.
    let config = format!(
        "region: bench\nlisten: 127.0.0.1:0\nlang: en\nscenarios: scenarios\nevidence: evidence\n\
         store: {{sqlite: claims.db}}\nlog: {{level: warn}}\npagerduty:\n  url: http://{sink}\n  \
         from: ams@bench.example\n  bot_user: PBOT001\n  requests_per_minute: 10000000\n"
    );
    let path = folder.join("ams.yaml");
    std::fs::write(&path, config)?;
    let mut command = Command::new(ams);
    command.arg("serve").arg("--config").arg(path);
    command.env("AMS_PAGERDUTY_TOKEN", "bench-token").env("AMS_WEBHOOK_SECRET", SECRET);
    Ok(command)
}

/// Reads the address from the line a server prints, then asks until it says that it is ready.
async fn ready(child: &mut Child) -> io::Result<SocketAddr> {
    let stdout = child.stdout.take().ok_or_else(ended)?;
    let line = BufReader::new(stdout).lines().next_line().await?.ok_or_else(ended)?;
    let address = line.rsplit("http://").next().and_then(|address| address.parse().ok());
    let address = address.ok_or_else(|| io::Error::other(format!("a server says '{line}'")))?;
    let mut connection = Connection::open(address).await?;
    while connection.ask(b"GET /readyz HTTP/1.1\r\nhost: bench\r\n\r\n").await? != 200 {
        sleep(LOOK).await;
    }
    Ok(address)
}

fn ended() -> io::Error {
    io::Error::other("a server did not start")
}
