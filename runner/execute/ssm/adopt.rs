//! Commands of which SSM does not tell enough: looked for by their comment, and asked for on the host.
//!
//! Asking the host is fencing: what has not begun by then cannot begin any more (`host_probe.rs`). So
//! the answer is certain whatever SSM still has on its way.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use tokio::time::{Instant, sleep};

use super::calls::{self, Command, Listed};
use super::desk::{Sent, Trouble};
use super::poll::Told;
use super::send::{Next, Talk, comment_start};
use crate::customer::aws::Platform;
use crate::execute::actuator::{Adopted, Ending, Order};
use crate::execute::host_probe::{Sought, Word, read_probe};
use crate::execute::local::{Streams, not_started};
use crate::limits::{SSM_ASK_AGAIN, SSM_PAGES};

/// Clocks of ours, of other runners and of AWS differ.
const CLOCKS: SignedDuration = SignedDuration::from_mins(5);

/// A host takes this long to answer a question; no more is waited for.
const QUESTION_SECONDS: u64 = 30;

impl Talk<'_> {
    /// The answer to a change's sending was lost: perhaps SSM has it. It is followed when it shows,
    /// and asked for on the host when it does not.
    pub(super) async fn look_for(
        &self,
        attempt: u32,
        (sent_at, why): (Timestamp, &str),
        platform: Platform,
        streams: &mut Streams<'_>,
    ) -> Ending {
        let run = &self.order.run;
        tracing::warn!(incident.id = %run.incident, why, "the answer to a command of run {run} was lost; it is looked for");
        let until = Instant::now() + self.desk.terms.visible;
        let wanted = format!("{}{attempt} ", comment_start(&self.order.nonce));
        loop {
            if let Ok(listed) = self.listed(sent_at).await
                && let Some(found) = listed.into_iter().find(|it| it.comment.starts_with(&wanted))
            {
                let sent_at = found.sent_at.unwrap_or(sent_at);
                return match self.follow((&found.id, sent_at), platform, streams).await {
                    Next::Over(ending) => ending,
                    Next::Again(why) => not_started(format!("{}: {why}", self.way.host())),
                };
            }
            if Instant::now() + self.desk.terms.poll >= until {
                break;
            }
            tokio::select! {
                () = sleep(self.desk.terms.poll) => {}
                () = self.cancel.cancelled() => return Ending::Cancelled,
            }
        }
        let why = format!("SSM's answer was lost, and it does not show the command ({why})");
        self.ask_host_or_give_up(&why, false, platform, streams).await
    }

    /// What is behind a word of SSM's that proves nothing. A look leaves no trace on the host.
    pub(super) async fn ask_host_or_give_up(
        &self,
        why: &str,
        refused: bool,
        platform: Platform,
        streams: &mut Streams<'_>,
    ) -> Ending {
        let host = self.way.host();
        let Some(attempt) = self.order.attempt else {
            return if refused { not_started(format!("{host}: {why}")) } else { self.unknown(why) };
        };
        loop {
            let said = self.ask_host(Some(attempt), platform).await;
            match said {
                Some((_, Word::Fenced)) => {
                    return not_started(format!(
                        "{host}: {why}; it has not begun there, and cannot begin any more"
                    ));
                }
                Some((_, Word::Exited(code))) => {
                    // What it printed is not to be had any more.
                    streams.stdout.is_cut();
                    streams.stderr.is_cut();
                    return Ending::Exited(code);
                }
                Some((_, Word::TimedOut)) => return Ending::TimedOut,
                Some((_, Word::Running)) if Instant::now() < self.last_words() => {}
                Some((_, Word::NoRoom)) | None if refused => {
                    return not_started(format!("{host}: {why}"));
                }
                Some(_) | None => return self.unknown(why),
            }
            tokio::select! {
                () = sleep(SSM_ASK_AGAIN) => {}
                () = self.cancel.cancelled() => return Ending::Cancelled,
            }
        }
    }

    /// Once somebody asks to stand down, what waits for its agent is kept from beginning: returns when
    /// it cannot begin any more. What has begun goes on.
    pub(super) async fn fenced_when_recalled(&self, platform: Platform) {
        if let (Some(permission), Some(attempt)) = (&self.order.permission, self.order.attempt) {
            permission.recalled().await;
            if let Some((_, Word::Fenced)) = self.ask_host(Some(attempt), platform).await {
                return;
            }
        }
        std::future::pending::<()>().await;
    }

    /// Finds out what became of a change of an earlier owner, and waits for its end.
    pub(super) async fn adopt(&self, streams: &mut Streams<'_>) -> Result<(Ending, u32), Adopted> {
        let announced = self.order.announced_at.unwrap_or_else(|| self.desk.clock.now());
        let platform = match self.desk.ping(self.way.instance()).await {
            Ok(Some(ping)) => ping.platform.or(self.way.platform()),
            Ok(None) | Err(_) => self.way.platform(),
        };
        let platform = platform.unwrap_or(Platform::Linux);
        if let Some((attempt, found)) = self.last_attempt(announced).await {
            let sent_at = found.sent_at.unwrap_or(announced);
            let order = &Order { attempt: Some(attempt), ..self.order.clone() };
            let talk = Talk { order, desk: Arc::clone(&self.desk), ..*self };
            return match talk.follow((&found.id, sent_at), platform, streams).await {
                Next::Over(Ending::Cancelled) => Err(Adopted::Cancelled),
                Next::Over(Ending::Unknown { reason }) => {
                    let run = &self.order.run;
                    tracing::warn!(incident.id = %run.incident, reason, "how a change of run {run} ended is unknown");
                    Err(Adopted::Unknown)
                }
                // The host was asked, or SSM never let it go.
                Next::Over(Ending::NotStarted { .. }) if attempt == 1 => Err(Adopted::NeverBegan),
                Next::Over(ending) => Ok((ending, attempt)),
                Next::Again(_) => Err(Adopted::NeverBegan),
            };
        }
        loop {
            match self.ask_host(None, platform).await {
                Some((_, Word::Fenced)) => return Err(Adopted::NeverBegan),
                Some((attempt, Word::Exited(code))) => {
                    streams.stdout.is_cut();
                    streams.stderr.is_cut();
                    return Ok((Ending::Exited(code), attempt));
                }
                Some((attempt, Word::TimedOut)) => return Ok((Ending::TimedOut, attempt)),
                Some((_, Word::Running)) if Instant::now() < self.last_words() => {}
                said => {
                    let run = &self.order.run;
                    tracing::warn!(incident.id = %run.incident, ?said, "a host cannot tell how a change of run {run} ended");
                    return Err(Adopted::Unknown);
                }
            }
            tokio::select! {
                () = sleep(SSM_ASK_AGAIN) => {}
                () = self.cancel.cancelled() => return Err(Adopted::Cancelled),
            }
        }
    }

    /// The last attempt under this name that SSM shows.
    async fn last_attempt(&self, announced: Timestamp) -> Option<(u32, Listed)> {
        let start = comment_start(&self.order.nonce);
        let listed = self.listed(announced).await.ok()?;
        let attempts = listed.into_iter().filter_map(|it| {
            let rest = it.comment.strip_prefix(&start)?;
            let number = rest.split(' ').next()?.parse().ok().filter(|number| *number > 0)?;
            Some((number, it))
        });
        attempts.max_by_key(|(number, _)| *number)
    }

    /// What was sent in this account since then, as far as it is shown.
    async fn listed(&self, since: Timestamp) -> Result<Vec<Listed>, Trouble> {
        let since = since.checked_sub(CLOCKS).unwrap_or(since);
        let (mut listed, mut next) = (Vec::new(), None);
        for _ in 0..SSM_PAGES * 4 {
            let from: Option<String> = next.take();
            let page =
                self.desk.read(|client| calls::commands(client, (since, from.clone()))).await?;
            listed.extend(page.all);
            next = page.next;
            if next.is_none() {
                break;
            }
        }
        Ok(listed)
    }

    /// Asks the host itself, with a command of its own. `None` when it does not answer.
    async fn ask_host(&self, attempt: Option<u32>, platform: Platform) -> Option<(u32, Word)> {
        let nonce = &self.order.nonce;
        let announced_ago = self.order.announced_ago(self.desk.clock.now());
        let sought = Sought { nonce, attempt, announced_ago };
        let text = match platform {
            Platform::Linux => sought.probe(&self.ssm.places),
            Platform::Windows => sought.powershell_probe(),
        };
        let comment = format!("ams question about {nonce} {}", self.order.run);
        let sent_at = self.desk.clock.now();
        for _ in 0..2 {
            self.desk.turn_to_send().await;
            let command = Command {
                instance: self.way.instance(),
                platform,
                text: &text,
                seconds: QUESTION_SECONDS,
                comment: &comment,
                output: None,
            };
            // A question that is asked twice does no harm.
            let id = match self.desk.send(&self.order.run, command).await {
                Sent::Taken(id) => id,
                Sent::NotYet(_) | Sent::InDoubt(_) => continue,
                Sent::Refused(_) => return None,
            };
            let mut watch = self.desk.watch((&id, self.way.instance()), sent_at);
            let until = Instant::now() + self.desk.terms.delivery + self.desk.terms.last_words;
            let told = tokio::time::timeout_at(until, watch.told()).await;
            let Ok(Told::Over(invocation)) = told else { return None };
            return read_probe(&invocation.stdout, nonce);
        }
        None
    }
}
