//! One customer's account in one region: everything that is asked there goes through here.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_ssm::Client;
use tokio::time::{Instant, timeout};

use super::calls::{self, Command};
use super::pace::{Kind, Pace};
use super::ping::Pings;
use super::poll::Polls;
use crate::aws::failure::Failure;
use crate::aws::sessions::{NoSession, Session, Sessions};
use crate::clock::Clock;
use crate::customer::aws::{AwsAccount, SsmWay};
use crate::incident::RunId;
use crate::limits;

/// How long things take; tests have less time.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// [`limits::SSM_VISIBLE`].
    pub visible: Duration,
    /// [`limits::SSM_POLL`].
    pub poll: Duration,
    /// [`limits::SSM_PING_KEPT`].
    pub ping_kept: Duration,
    /// [`limits::SSM_DELIVERY`] as far as it is waited for here.
    pub delivery: Duration,
    /// [`limits::SSM_LAST_WORDS`].
    pub last_words: Duration,
}

impl Default for Terms {
    fn default() -> Self {
        Self {
            visible: limits::SSM_VISIBLE,
            poll: limits::SSM_POLL,
            ping_kept: limits::SSM_PING_KEPT,
            delivery: limits::SSM_DELIVERY,
            last_words: limits::SSM_LAST_WORDS,
        }
    }
}

/// Why a question has no answer.
#[derive(Clone, Debug)]
pub(super) enum Trouble {
    NoSession(NoSession),
    Aws(Failure),
}

impl Trouble {
    /// The process is about to end.
    pub(super) fn stopped() -> Self {
        Self::Aws(Failure::Uncertain("nobody asked any more".to_owned()))
    }

    /// SSM does not take one of the ids in the question.
    pub(super) fn is_about_one_machine(&self) -> bool {
        matches!(self, Self::Aws(Failure::Refused { code, .. }) if code == "InvalidInstanceId")
    }

    /// Another try may go well.
    pub(super) const fn may_pass(&self) -> bool {
        match self {
            Self::NoSession(why) => matches!(why, NoSession::NoAnswer { .. }),
            Self::Aws(failure) => !matches!(failure, Failure::Refused { .. }),
        }
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoSession(why) => why.fmt(f),
            Self::Aws(failure) => f.write_str(&failure.reason()),
        }
    }
}

pub(super) struct Desk {
    pub(super) account: Arc<AwsAccount>,
    pub(super) region: String,
    pub(super) terms: Terms,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) pings: Pings,
    pub(super) polls: Polls,
    sessions: Arc<Sessions>,
    pace: Pace,
}

/// What became of the request that sends a command.
pub(super) enum Sent {
    /// SSM's id of it.
    Taken(String),
    /// It was not, and may be asked again.
    NotYet(String),
    /// It was not.
    Refused(Trouble),
    /// Nobody can say.
    InDoubt(String),
}

impl Desk {
    pub(super) fn new(
        way: &SsmWay,
        (sessions, clock): (Arc<Sessions>, Arc<dyn Clock>),
        terms: Terms,
    ) -> Self {
        Self {
            account: Arc::clone(way.account()),
            region: way.region().to_owned(),
            terms,
            clock,
            pings: Pings::default(),
            polls: Polls::default(),
            sessions,
            pace: Pace::new(),
        }
    }

    /// Asks something that changes nothing. Credentials that are over are renewed once.
    pub(super) async fn read<T, F>(&self, ask: impl Fn(Client) -> F) -> Result<T, Trouble>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        let mut renewed = false;
        loop {
            self.pace.turn(Kind::Read).await;
            let session = self.session(None).await?;
            let asked_at = Instant::now();
            let answer = timeout(limits::AWS_REQUEST, ask(session.ssm(&self.region))).await;
            let late = || Err(Failure::Uncertain("SSM did not answer in time".to_owned()));
            let answer = answer.unwrap_or_else(|_| late());
            self.learn(asked_at, answer.as_ref().err());
            match answer {
                Err(Failure::Expired(_)) if !renewed => {
                    renewed = true;
                    self.sessions.forget(&self.account, None, &session).await;
                }
                answer => return answer.map_err(Trouble::Aws),
            }
        }
    }

    /// A turn among the commands of this account. To be waited for before the last questions are asked.
    pub(super) async fn turn_to_send(&self) {
        self.pace.turn(Kind::Send).await;
    }

    /// Sends a command, once.
    pub(super) async fn send(&self, run: &RunId, command: Command<'_>) -> Sent {
        let session = match self.session(Some(run)).await {
            Ok(session) => session,
            Err(trouble) if trouble.may_pass() => return Sent::NotYet(trouble.to_string()),
            Err(trouble) => return Sent::Refused(trouble),
        };
        let asked_at = Instant::now();
        let answer = timeout(limits::SSM_SEND, calls::send(session.ssm(&self.region), command));
        let late = || Err(Failure::Uncertain("SSM did not answer in time".to_owned()));
        let answer = answer.await.unwrap_or_else(|_| late());
        self.learn(asked_at, answer.as_ref().err());
        match answer {
            Ok(id) => Sent::Taken(id),
            Err(failure @ Failure::Expired(_)) => {
                self.sessions.forget(&self.account, Some(run), &session).await;
                Sent::NotYet(failure.reason())
            }
            Err(Failure::Busy(why) | Failure::NotSent(why)) => Sent::NotYet(why),
            Err(Failure::Uncertain(why)) => Sent::InDoubt(why),
            Err(refused @ Failure::Refused { .. }) => Sent::Refused(Trouble::Aws(refused)),
        }
    }

    /// The session with which a run acts, or the one that only looks.
    pub(super) async fn session(&self, run: Option<&RunId>) -> Result<Arc<Session>, Trouble> {
        let session = match run {
            Some(run) => self.sessions.act(&self.account, run).await,
            None => self.sessions.look(&self.account).await,
        };
        session.map_err(Trouble::NoSession)
    }

    fn learn(&self, asked_at: Instant, failure: Option<&Failure>) {
        match failure {
            Some(Failure::Busy(_)) => self.pace.throttled(asked_at),
            Some(_) => {}
            None => self.pace.well(asked_at),
        }
    }
}
