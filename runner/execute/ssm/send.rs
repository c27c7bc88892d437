//! One order on its way: is its host there, is it sent, and what came of it.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_util::sync::CancellationToken;

use super::SsmCommands;
use super::calls::{self, Command};
use super::desk::{Desk, Sent, Trouble};
use super::poll::Told;
use super::refused;
use super::status::Says;
use crate::aws::failure::Failure;
use crate::customer::aws::{Platform, SsmWay};
use crate::execute::actuator::{Action, Ending, Order, Program};
use crate::execute::host_program::{Carrier, HostProgram};
use crate::execute::local::{Streams, not_started};
use crate::limits::{HOST_START_SLACK, SSM_PROGRAM_BYTES};

/// Characters of a command's comment: the reference of `SendCommand`.
const COMMENT_CHARS: usize = 100;

pub(super) struct Talk<'a> {
    pub(super) ssm: &'a SsmCommands,
    pub(super) desk: Arc<Desk>,
    pub(super) order: &'a Order,
    pub(super) way: &'a SsmWay,
    /// When the command's time is over.
    pub(super) expiry: Instant,
    pub(super) cancel: &'a CancellationToken,
}

/// What a sending came to.
pub(super) enum Next {
    Over(Ending),
    /// It has certainly not begun, and may be sent again.
    Again(String),
}

impl Talk<'_> {
    pub(super) async fn carry_out(&self, streams: &mut Streams<'_>) -> Ending {
        let platform = tokio::select! {
            biased;
            () = self.cancel.cancelled() => return Ending::Cancelled,
            there = self.is_there() => match there {
                Ok(platform) => platform,
                Err(why) => return not_started(why),
            },
            () = sleep_until(self.expiry) => return self.cannot_be_asked(),
        };
        let mut again = 0;
        loop {
            tokio::select! {
                biased;
                () = self.cancel.cancelled() => return Ending::Cancelled,
                () = self.desk.turn_to_send() => {}
                () = sleep_until(self.expiry) => return self.cannot_be_asked(),
            }
            let why = match self.send(platform, again, streams).await {
                Next::Over(ending) => return ending,
                Next::Again(why) => why,
            };
            again += 1;
            if again > SENDINGS || Instant::now() >= self.expiry {
                return not_started(format!("{}: it was not sent ({why})", self.way.host()));
            }
            tokio::select! {
                () = self.cancel.cancelled() => return Ending::Cancelled,
                () = sleep_until(self.soon()) => {}
            }
        }
    }

    /// What the host runs, when its agent is there.
    async fn is_there(&self) -> Result<Platform, String> {
        let host = self.way.host();
        let ping = loop {
            match self.desk.ping(self.way.instance()).await {
                Ok(Some(ping)) => break ping,
                Ok(None) => return Err(refused::unknown_to_ssm(self.way)),
                Err(trouble) if trouble.may_pass() && self.expiry > self.soon() => {
                    tracing::debug!(%trouble, host, "whether an agent is there is asked again");
                    sleep_until(self.soon()).await;
                }
                Err(trouble) => return Err(format!("{host}: SSM cannot be asked: {trouble}")),
            }
        };
        if !ping.is_online {
            return Err(refused::away(self.way, &ping.word, ping.last, self.desk.clock.now()));
        }
        match (self.way.platform(), ping.platform) {
            (Some(said), Some(own)) if said != own => Err(format!(
                "{host}: the customer's file says {} and its agent {}; correct `platform`",
                said.word(),
                own.word()
            )),
            (_, Some(own)) => Ok(own),
            (said, None) => Ok(said.unwrap_or_else(|| self.platform_of_step())),
        }
    }

    fn soon(&self) -> Instant {
        Instant::now() + self.desk.terms.poll
    }

    fn platform_of_step(&self) -> Platform {
        match &self.order.action {
            Action::Command(command) if matches!(command.program, Program::PowerShell(_)) => {
                Platform::Windows
            }
            _ => Platform::Linux,
        }
    }

    async fn send(&self, platform: Platform, again: u32, streams: &mut Streams<'_>) -> Next {
        let text = match self.program(platform) {
            Ok(text) => text,
            Err(unfit) => return Next::Over(not_started(unfit)),
        };
        // The last moment before it begins.
        if let Some(permission) = &self.order.permission
            && let Err(doubt) = permission.ask().await
        {
            return Next::Over(not_started(doubt.to_string()));
        }
        let (sent_at, comment) = (self.desk.clock.now(), self.comment());
        let command = Command {
            instance: self.way.instance(),
            platform,
            text: &text,
            seconds: seconds(self.order.timeout),
            comment: &comment,
            output: self.desk.account.words().output.as_ref(),
        };
        let sent = self.desk.send(&self.order.run, command).await;
        match (sent, self.order.attempt) {
            (Sent::Taken(id), _) => self.follow((&id, sent_at), platform, streams).await,
            (Sent::NotYet(why), _) => Next::Again(why),
            (Sent::Refused(trouble), _) => Next::Over(not_started(self.refused(&trouble))),
            // A look that is made twice does no harm.
            (Sent::InDoubt(why), None) if again == 0 => Next::Again(why),
            (Sent::InDoubt(why), None) => Next::Over(self.unknown(&why)),
            (Sent::InDoubt(why), Some(attempt)) => {
                Next::Over(self.look_for(attempt, (sent_at, &why), platform, streams).await)
            }
        }
    }

    /// Waits for a command's end. What changes something goes on when we are told to leave.
    pub(super) async fn follow(
        &self,
        (id, sent_at): (&str, Timestamp),
        platform: Platform,
        streams: &mut Streams<'_>,
    ) -> Next {
        let mut watch = self.desk.watch((id, self.way.instance()), sent_at);
        let told = tokio::select! {
            biased;
            told = watch.told() => told,
            () = self.cancel.cancelled() => {
                if self.order.attempt.is_none() {
                    self.call_off(id);
                }
                return Next::Over(Ending::Cancelled);
            }
            () = self.fenced_when_recalled(platform) => {
                self.call_off(id);
                let host = self.way.host();
                return Next::Over(not_started(format!(
                    "{host}: somebody asked to stop before it began there"
                )));
            }
            () = sleep_until(self.last_words()) => {
                self.call_off(id);
                let why = format!("SSM did not say in time how it ended{}", self.desk.trouble());
                return Next::Over(self.ask_host_or_give_up(&why, false, platform, streams).await);
            }
        };
        drop(watch);
        let invocation = match told {
            Told::Over(invocation) => invocation,
            Told::Vanished => {
                let why = "SSM took it and has not shown it since";
                return Next::Over(self.ask_host_or_give_up(why, false, platform, streams).await);
            }
        };
        let host = self.way.host();
        match invocation.says(&self.order.nonce) {
            Says::Waiting | Says::Ended(_) => {}
            Says::NotSent(why) => return Next::Over(not_started(format!("{host}: {why}"))),
            Says::Again => return Next::Again("SSM has too many commands".to_owned()),
            Says::Doubt { why, refused } => {
                let ending = self.ask_host_or_give_up(&why, refused, platform, streams).await;
                return Next::Over(ending);
            }
        }
        self.keep_output((id, platform), &invocation, streams).await;
        match invocation.says(&self.order.nonce) {
            Says::Ended(ending) => Next::Over(ending),
            _ => Next::Over(self.unknown("SSM took back what it had said")),
        }
    }

    /// There is no promise that it stops, so nobody waits for that.
    fn call_off(&self, id: &str) {
        let (desk, run, id) = (Arc::clone(&self.desk), self.order.run.clone(), id.to_owned());
        tokio::spawn(async move {
            let Ok(session) = desk.session(Some(&run)).await else { return };
            let asked = calls::cancel(session.ssm(&desk.region), &id);
            if let Ok(Err(failure)) = timeout(crate::limits::AWS_REQUEST, asked).await {
                tracing::debug!(reason = failure.reason(), "a command was not called off");
            }
        });
    }

    fn program(&self, platform: Platform) -> Result<String, String> {
        let program = HostProgram {
            order: self.order,
            places: &self.ssm.places,
            not_after: self.desk.clock.now() + HOST_START_SLACK,
            limit: self.order.timeout,
            most_bytes: SSM_PROGRAM_BYTES,
        };
        let text = match platform {
            Platform::Linux => program.shell(Carrier::Agent),
            Platform::Windows => program.powershell(),
        };
        text.map_err(|unfit| unfit.to_string())
    }

    /// How a command is found again, by us and by the customer: the name of the attempt first.
    fn comment(&self) -> String {
        let Order { run, step, nonce, attempt, .. } = self.order;
        let attempt = attempt.unwrap_or_default();
        let text = format!("{}{attempt} {run} step {step}", comment_start(nonce));
        text.chars().take(COMMENT_CHARS).collect()
    }

    /// By then an end must have been told: an agent takes what it may still take, and stops it in time.
    pub(super) fn last_words(&self) -> Instant {
        let delivery = self.order.attempt.map_or(Duration::ZERO, |_| self.desk.terms.delivery);
        self.expiry + delivery + self.desk.terms.last_words
    }

    fn refused(&self, trouble: &Trouble) -> String {
        match trouble {
            Trouble::Aws(Failure::Refused { code, message }) => {
                refused::by_ssm(self.way, code, message)
            }
            other => format!("{}: {other}", self.way.host()),
        }
    }

    fn cannot_be_asked(&self) -> Ending {
        let host = self.way.host();
        not_started(format!(
            "{host}: SSM gave no answer, or no turn, within the step's time{}",
            self.desk.trouble()
        ))
    }

    pub(super) fn unknown(&self, what: &str) -> Ending {
        let host = self.way.host();
        Ending::Unknown { reason: format!("{host}: {what}; look there how far it came") }
    }
}

/// Sendings of one order that SSM has refused for the moment; its time ends most of them earlier.
const SENDINGS: u32 = 20;

/// `ams 0a1b..-`, then the attempt.
pub(super) fn comment_start(nonce: &str) -> String {
    format!("ams {nonce}-")
}

fn seconds(timeout: Duration) -> u64 {
    timeout.as_secs() + u64::from(timeout.subsec_nanos() > 0)
}
