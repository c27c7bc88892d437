//! One order over connections: looks, changes, and changes whose connection or runner was lost.

use std::time::Duration;

use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;

use super::SshCommands;
use super::client::{Heard, Line, NoLine, connect};
use super::wire::Wire;
use crate::customer::ssh::SshWay;
use crate::execute::actuator::{Adopted, Ending, Order};
use crate::execute::host_probe::{Sought, Word};
use crate::execute::host_program::{Carrier, HostProgram, refusal};
use crate::execute::local::{Streams, not_started};
use crate::limits::{
    HOST_START_SLACK, KILL_GRACE, SSH_ADOPT, SSH_FIRST_WAIT, SSH_LONGEST_WAIT, SSH_PROGRAM_BYTES,
};

/// A host stops a command whose time is over, which takes [`KILL_GRACE`], and then says so. It
/// counts in whole seconds, and the network takes its time.
const LAST_WORDS: Duration = Duration::from_secs(4);

/// The shell at the other end: constant, so that a process list says nothing.
const SHELL: &str = "/bin/sh -s";

/// The exit code of the client when the connection, not the command, is what failed: ssh(1).
pub(super) const CONNECTION_FAILED: i32 = 255;

#[derive(Clone, Copy)]
pub(super) struct Talk<'a> {
    pub(super) ssh: &'a SshCommands,
    pub(super) order: &'a Order,
    pub(super) way: &'a SshWay,
    /// When the command's time is over.
    pub(super) expiry: Instant,
    pub(super) cancel: &'a CancellationToken,
}

/// What a host has said of a change that was begun earlier.
enum Attached {
    Told(u32, Word),
    Cancelled,
    /// For people; and whether the host was there at all.
    Failed {
        why: String,
        was_there: bool,
    },
}

impl Talk<'_> {
    pub(super) async fn look(&self, streams: &mut Streams<'_>) -> Ending {
        if let Err(ending) = self.program() {
            return ending;
        }
        let mut line = match self.connect(self.expiry).await {
            Ok(line) => line,
            Err(no_line) => return no_line.into(),
        };
        let mut wire = Wire::new(&self.order.nonce);
        let ending = self.look_over(&mut line, &mut wire, streams).await;
        streams.stdout.add(&wire.rest()).await;
        line.close().await;
        ending
    }

    async fn look_over(
        &self,
        line: &mut Line,
        wire: &mut Wire,
        streams: &mut Streams<'_>,
    ) -> Ending {
        let program = match self.program() {
            Ok(program) => program,
            Err(ending) => return ending,
        };
        // What came of it is seen by listening.
        if let Err(error) = line.send(&program, self.last_words()).await {
            tracing::debug!(error, "a program could not be sent whole");
        }
        match line.hear(wire, streams, self.last_words(), self.cancel).await {
            Heard::Ended(word) => self.ending(word),
            Heard::Cancelled => Ending::Cancelled,
            Heard::Expired => Ending::TimedOut,
            Heard::Lost(Some(code)) if !wire.begun && code != CONNECTION_FAILED => {
                self.not_begun(code)
            }
            // It may have begun: that is told over the same connection.
            Heard::Lost(_) => self.unknown("the connection was lost before the command ended"),
        }
    }

    /// Carries a change out. Cancelled, it goes on without us.
    pub(super) async fn change(&self, attempt: u32, streams: &mut Streams<'_>) -> Ending {
        if let Err(ending) = self.program() {
            return ending;
        }
        let mut line = match self.connect(self.expiry).await {
            Ok(line) => line,
            Err(no_line) => return no_line.into(),
        };
        // The host has answered, so this is the last moment before the change begins.
        if let Some(permission) = &self.order.permission
            && let Err(doubt) = permission.ask().await
        {
            line.close().await;
            return not_started(doubt.to_string());
        }
        let program = match self.program() {
            Ok(program) => program,
            Err(ending) => return ending,
        };
        let mut wire = Wire::new(&self.order.nonce);
        let sent = line.send(&program, self.last_words()).await;
        if let Err(error) = &sent {
            tracing::debug!(error, "a program could not be sent whole");
        }
        let heard = line.hear(&mut wire, streams, self.last_words(), self.cancel).await;
        line.close().await;
        match heard {
            Heard::Ended(word) => self.ending(word),
            Heard::Cancelled => Ending::Cancelled,
            Heard::Expired => self.unknown("it did not say in time how the command ended"),
            Heard::Lost(Some(code)) if !wire.begun && refusal(code).is_some() => {
                self.not_begun(code)
            }
            Heard::Lost(_) => self.follow(attempt, streams).await,
        }
    }

    /// The connection is gone and the change may go on: it is followed over new ones to its end.
    async fn follow(&self, attempt: u32, streams: &mut Streams<'_>) -> Ending {
        let run = &self.order.run;
        tracing::warn!(incident.id = %run.incident, "a connection was lost while a change of run {run} was running; it is followed");
        let mut pause = SSH_FIRST_WAIT;
        loop {
            let why = match self.attach(Some(attempt), streams).await {
                Attached::Told(_, Word::Fenced) => {
                    return not_started(format!(
                        "{}: the connection was lost before the command began; it can be tried again",
                        self.way.words().host
                    ));
                }
                Attached::Told(_, word) => return self.ending(word),
                Attached::Cancelled => return Ending::Cancelled,
                Attached::Failed { why, .. } => why,
            };
            if Instant::now() + pause >= self.last_words() {
                return self.unknown(&format!(
                    "the connection was lost while the command was running and could not be made \
                     again in its time ({why})"
                ));
            }
            tokio::select! {
                () = sleep(pause) => {}
                () = self.cancel.cancelled() => return Ending::Cancelled,
            }
            pause = (pause * 2).min(SSH_LONGEST_WAIT);
        }
    }

    /// Finds out what became of a change of an earlier owner, and waits for its end.
    pub(super) async fn adopt(&self, streams: &mut Streams<'_>) -> Result<(Ending, u32), Adopted> {
        let mut give_up = Instant::now() + SSH_ADOPT;
        let mut pause = SSH_FIRST_WAIT;
        loop {
            let why = match self.attach(None, streams).await {
                Attached::Told(attempt, word @ (Word::Exited(_) | Word::TimedOut)) => {
                    return Ok((self.ending(word), attempt));
                }
                Attached::Told(_, Word::Fenced) => return Err(Adopted::NeverBegan),
                Attached::Told(_, word) => {
                    let run = &self.order.run;
                    tracing::warn!(incident.id = %run.incident, ?word, "a host cannot tell how a change of run {run} ended");
                    return Err(Adopted::Unknown);
                }
                Attached::Cancelled => return Err(Adopted::Cancelled),
                Attached::Failed { why, was_there } => {
                    if was_there {
                        give_up = Instant::now() + SSH_ADOPT;
                        pause = SSH_FIRST_WAIT;
                    }
                    why
                }
            };
            if Instant::now() + pause >= give_up.min(self.last_words()) {
                let run = &self.order.run;
                tracing::warn!(incident.id = %run.incident, why, "a host that may know of a change of run {run} cannot be asked");
                return Err(Adopted::Unknown);
            }
            tokio::select! {
                () = sleep(pause) => {}
                () = self.cancel.cancelled() => return Err(Adopted::Cancelled),
            }
            pause = (pause * 2).min(SSH_LONGEST_WAIT);
        }
    }

    /// Asks the host for a change by its name and reads on where reading stopped. Standard error is
    /// read from its start: the client's own messages are in between.
    async fn attach(&self, attempt: Option<u32>, streams: &mut Streams<'_>) -> Attached {
        let mut line = match self.connect(self.last_words()).await {
            Ok(line) => line,
            Err(NoLine::Cancelled) => return Attached::Cancelled,
            Err(NoLine::Failed(why)) => return Attached::Failed { why, was_there: false },
        };
        streams.stderr.start_again();
        let announced_ago = self.order.announced_ago(self.ssh.clock.now());
        let sought = Sought { nonce: &self.order.nonce, attempt, announced_ago };
        let known = (streams.stdout.total_bytes(), 0);
        let mut wire = Wire::new(&self.order.nonce);
        let failed = |why: &str| Attached::Failed { why: why.to_owned(), was_there: true };
        let sent = line.send(&sought.attach(&self.ssh.places, known), self.last_words()).await;
        let heard = line.hear(&mut wire, streams, self.last_words(), self.cancel).await;
        line.close().await;
        match (heard, wire.probed) {
            (Heard::Cancelled, _) => Attached::Cancelled,
            (Heard::Ended(word), Some((attempt, _))) => Attached::Told(attempt, word),
            (_, Some((attempt, word @ (Word::Fenced | Word::NoRoom | Word::Rebooted)))) => {
                Attached::Told(attempt, word)
            }
            (Heard::Expired, _) => failed("its time is over"),
            _ if sent.is_err() => failed("the connection takes nothing"),
            _ => failed("the connection was lost again"),
        }
    }

    async fn connect(&self, until: Instant) -> Result<Line, NoLine> {
        let client = self.ssh.client(self.way, SHELL).map_err(NoLine::Failed)?;
        connect(client, self.way, &self.order.nonce, until, self.cancel).await
    }

    fn program(&self) -> Result<String, Ending> {
        let not_after = self.ssh.clock.now() + HOST_START_SLACK;
        let limit = self.expiry.saturating_duration_since(Instant::now());
        let (order, places) = (self.order, &self.ssh.places);
        let most_bytes = SSH_PROGRAM_BYTES;
        let program = HostProgram { order, places, not_after, limit, most_bytes };
        program.shell(Carrier::Connection).map_err(|unfit| not_started(unfit.to_string()))
    }

    fn last_words(&self) -> Instant {
        self.expiry + KILL_GRACE + LAST_WORDS
    }

    fn ending(&self, word: Word) -> Ending {
        match word {
            Word::Exited(code) => Ending::Exited(code),
            Word::TimedOut => Ending::TimedOut,
            Word::Lost => {
                self.unknown("the command was killed there together with what watched over it")
            }
            Word::Rebooted => self.unknown("it was restarted while the command was running"),
            Word::Fenced | Word::NoRoom | Word::Running => {
                self.unknown("it does not know how the command ended")
            }
        }
    }

    fn not_begun(&self, code: i32) -> Ending {
        let host = &self.way.words().host;
        not_started(match refusal(code) {
            Some(refusal) => format!("{host}: {refusal}"),
            None => format!("{host}: the shell there ended with {code} before the command began"),
        })
    }

    fn unknown(&self, what: &str) -> Ending {
        let host = &self.way.words().host;
        Ending::Unknown { reason: format!("{host}: {what}; look there how far it came") }
    }
}
