//! One connection: OpenSSH's client as a process of ours, with a shell at its other end.
//!
//! Nothing is sent before that shell has answered, so a connection that failed earlier has begun
//! nothing for certain. Its command line is the same for every command of a host.

use std::process::Stdio;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::{ChildStderr, ChildStdin, ChildStdout, Command};
use tokio::time::{Instant, sleep_until, timeout, timeout_at};
use tokio_util::sync::CancellationToken;

use super::config::TARGET;
use super::refused::{reason, too_slow};
use super::wire::Wire;
use crate::customer::ssh::SshWay;
use crate::execute::actuator::Ending;
use crate::execute::host_probe::Word;
use crate::execute::local::{Streams, not_started, start};
use crate::execute::process_group::Group;
use crate::limits::{OUTPUT_DRAIN, SSH_CONNECT};

const READY: &str = "AMS-READY";

/// Bytes of one read.
const CHUNK_BYTES: usize = 16 * 1024;

/// Bytes of what the client, or a login file, says before the shell is there.
const SAID_BYTES: usize = 16 * 1024;

/// Why there is no connection.
#[derive(Debug)]
pub(super) enum NoLine {
    Cancelled,
    /// For people: which host, what, what to do.
    Failed(String),
}

impl From<NoLine> for Ending {
    fn from(no_line: NoLine) -> Self {
        match no_line {
            NoLine::Cancelled => Self::Cancelled,
            NoLine::Failed(reason) => not_started(reason),
        }
    }
}

/// A shell on the host that waits for what it is to do.
pub(super) struct Line {
    group: Group,
    stdin: ChildStdin,
    stdout: ChildStdout,
    stderr: ChildStderr,
    /// What came after the shell's answer already.
    early: Vec<u8>,
}

/// How listening ended.
#[derive(Debug)]
pub(super) enum Heard {
    Ended(Word),
    /// The connection is gone; the client's exit code, which may be the shell's.
    Lost(Option<i32>),
    Cancelled,
    Expired,
}

/// Makes a connection, within the time it may take at most.
pub(super) async fn connect(
    client: Command,
    way: &SshWay,
    nonce: &str,
    until: Instant,
    cancel: &CancellationToken,
) -> Result<Line, NoLine> {
    let began = Instant::now();
    let until = until.min(began + SSH_CONNECT);
    let (mut group, stdout, stderr) = start(client).await.map_err(|reason| {
        NoLine::Failed(format!(
            "{reason}; OpenSSH's client is needed to reach {}",
            way.words().host
        ))
    })?;
    let (Some(mut stdin), Some(stdout), Some(stderr)) = (group.stdin(), stdout, stderr) else {
        return Err(NoLine::Failed("the ssh client has no pipes".to_owned()));
    };
    // A client that has ended says why on its standard error.
    let asked = stdin.write_all(format!("echo {READY} {nonce}\n").as_bytes()).await;
    if let Err(error) = asked {
        tracing::debug!(%error, "the ssh client takes nothing");
    }
    let mut line = Line { group, stdin, stdout, stderr, early: Vec::new() };
    let mut said = Vec::new();
    let ready = tokio::select! {
        biased;
        () = cancel.cancelled() => Err(NoLine::Cancelled),
        ready = line.await_ready(nonce, &mut said) => {
            if ready { Ok(()) } else { Err(NoLine::Failed(reason(way, &text(&said)))) }
        }
        () = sleep_until(until) => {
            Err(NoLine::Failed(too_slow(way, until.duration_since(began))))
        }
    };
    match ready {
        Ok(()) => Ok(line),
        Err(no_line) => {
            line.close().await;
            Err(no_line)
        }
    }
}

impl Line {
    /// Waits for the shell's answer; `false` when the client ended without one.
    async fn await_ready(&mut self, nonce: &str, said: &mut Vec<u8>) -> bool {
        let answer = format!("{READY} {nonce}\n");
        let mut greeting: Vec<u8> = Vec::new();
        let mut errors_open = true;
        loop {
            tokio::select! {
                read = self.stdout.read_buf(&mut greeting) => match read {
                    Ok(0) | Err(_) => break,
                    Ok(_) => {
                        let found = greeting.windows(answer.len()).position(|it| it == answer.as_bytes());
                        if let Some(start) = found {
                            self.early = greeting.split_off(start + answer.len());
                            return true;
                        }
                        let excess = greeting.len().saturating_sub(SAID_BYTES);
                        greeting.drain(..excess);
                    }
                },
                read = self.stderr.read_buf(said), if errors_open => match read {
                    Ok(0) | Err(_) => errors_open = false,
                    Ok(_) => said.truncate(SAID_BYTES),
                },
            }
        }
        // Its last words explain most.
        if errors_open {
            let rest = timeout(OUTPUT_DRAIN, self.stderr.read_to_end(said)).await;
            tracing::trace!(?rest, "an ssh client ended");
        }
        // A login that is switched off says so where output is.
        said.extend_from_slice(&greeting);
        false
    }

    /// Gives the shell what it is to do.
    pub(super) async fn send(&mut self, program: &str, until: Instant) -> Result<(), String> {
        match timeout_at(until, self.stdin.write_all(program.as_bytes())).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(error.to_string()),
            Err(_) => Err("it took nothing more".to_owned()),
        }
    }

    /// Reads to the command's end, or the connection's. What may be half an end stays in `wire`.
    pub(super) async fn hear(
        &mut self,
        wire: &mut Wire,
        streams: &mut Streams<'_>,
        until: Instant,
        cancel: &CancellationToken,
    ) -> Heard {
        let early = std::mem::take(&mut self.early);
        streams.stdout.add(&wire.take(&early)).await;
        match (self.listen(wire, streams, until, cancel).await, wire.ended) {
            (Some(heard), _) => heard,
            (None, Some(word)) => Heard::Ended(word),
            (None, None) => Heard::Lost(self.group.code_within(OUTPUT_DRAIN).await),
        }
    }

    /// `None` when nothing more is to come.
    async fn listen(
        &mut self,
        wire: &mut Wire,
        streams: &mut Streams<'_>,
        until: Instant,
        cancel: &CancellationToken,
    ) -> Option<Heard> {
        let (mut out, mut err) = (Vec::new(), Vec::new());
        let (mut out_open, mut err_open) = (true, true);
        let mut until = until;
        while out_open || err_open {
            out.clear();
            err.clear();
            out.reserve(CHUNK_BYTES);
            err.reserve(CHUNK_BYTES);
            tokio::select! {
                biased;
                () = cancel.cancelled() => return Some(Heard::Cancelled),
                read = self.stdout.read_buf(&mut out), if out_open => {
                    out_open = matches!(read, Ok(count) if count > 0);
                    let had_ended = wire.ended.is_some();
                    streams.stdout.add(&wire.take(&out)).await;
                    if wire.ended.is_some() && !had_ended {
                        // What the command left running may hold its output open.
                        until = until.min(Instant::now() + OUTPUT_DRAIN);
                    }
                }
                read = self.stderr.read_buf(&mut err), if err_open => {
                    err_open = matches!(read, Ok(count) if count > 0);
                    streams.stderr.add(&err).await;
                }
                () = sleep_until(until) => {
                    return wire.ended.is_none().then_some(Heard::Expired);
                }
            }
        }
        None
    }

    /// Ends the connection; a look on the host ends with it, a change does not.
    pub(super) async fn close(self) {
        let Self { mut group, stdin, stdout, stderr, .. } = self;
        drop((stdin, stdout, stderr));
        if group.code_within(CLOSING).await.is_none() {
            group.stop().await;
        }
    }
}

/// A client whose host has ended the session ends by itself in this time.
const CLOSING: Duration = Duration::from_millis(100);

/// The client's command line. Values and scripts never stand in it.
pub(super) fn words(config: &std::path::Path, command: &str) -> Vec<String> {
    let config = config.display().to_string();
    ["-F", &config, "-T", "--", TARGET, command].map(str::to_owned).to_vec()
}

pub(super) fn piped(mut client: Command) -> Command {
    client.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).process_group(0);
    client
}

pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
