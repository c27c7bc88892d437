//! Customers' roles: taken on with the external id, kept until shortly before their end, never shared.
//!
//! A session belongs to a customer and a role of its. What acts has one of its own for each run, which
//! carries the incident's name into the customer's `CloudTrail`; what only looks shares one.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_ssm::config::Credentials;
use aws_sdk_sts::types::Tag;
use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::Aws;
use super::failure::{Failure, UNSENT};
use crate::clock::Clock;
use crate::customer::aws::{AwsAccount, AwsAccountWords};
use crate::incident::RunId;
use crate::limits;

/// Characters of a session's name: the reference of `AssumeRole`.
const NAME_CHARS: usize = 64;

/// Seconds a session lasts. A role that is taken on with a role's credentials has an hour at most.
const LASTS: i32 = 3_600;

/// Takes on customers' roles.
pub struct Sessions {
    aws: Aws,
    sts: aws_sdk_sts::Client,
    clock: Arc<dyn Clock>,
    roles: Mutex<HashMap<RoleKey, Arc<Role>>>,
    kept: Mutex<Kept>,
}

/// The customer and the role's ARN: sessions of one customer are never found for another.
type RoleKey = (String, String);

/// A role, and the run that acts with it; none for what only looks.
type SessionKey = (RoleKey, Option<RunId>);

type Slot = Arc<tokio::sync::Mutex<Option<Arc<Session>>>>;

/// Two generations, so that what nobody has used for long is forgotten.
#[derive(Default)]
struct Kept {
    new: HashMap<SessionKey, Slot>,
    old: HashMap<SessionKey, Slot>,
}

/// What is known of a role in this process.
#[derive(Default)]
struct Role {
    state: tokio::sync::Mutex<RoleState>,
}

#[derive(Default)]
struct RoleState {
    /// It does not open without the external id.
    is_closed: bool,
    /// Not asked again before then.
    refused: Option<(Instant, NoSession)>,
}

/// Credentials in a customer's account.
pub struct Session {
    pub credentials: Credentials,
    aws: Aws,
    /// From then on a new one is taken.
    renew_at: Timestamp,
    clients: Mutex<HashMap<String, aws_sdk_ssm::Client>>,
}

/// Why there is none. The words are for people.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NoSession {
    #[error(
        "the role {role} cannot be taken on ({message}); its trust policy must name AMS's own role \
         and the external id {external_id}, and allow sts:TagSession unless `session_tags: false`"
    )]
    Denied { role: String, external_id: String, message: String },
    #[error(
        "the role {role} can be taken on without its external id, by whoever fools AMS; add the \
         condition sts:ExternalId = {external_id} to its trust policy, and it is used again"
    )]
    Open { role: String, external_id: String },
    #[error("AMS's own credentials at AWS cannot be used ({0}); see its `aws` settings")]
    Own(String),
    #[error("STS did not say whether the role {role} can be taken on ({message})")]
    NoAnswer { role: String, message: String },
}

impl Session {
    /// Systems Manager of a region.
    pub fn ssm(&self, region: &str) -> aws_sdk_ssm::Client {
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || self.aws.ssm(region, self.credentials.clone());
        clients.entry(region.to_owned()).or_insert_with(new).clone()
    }

    pub const fn aws(&self) -> &Aws {
        &self.aws
    }
}

impl Sessions {
    pub fn new(aws: Aws, clock: Arc<dyn Clock>) -> Self {
        let sts = aws.sts();
        Self { aws, sts, clock, roles: Mutex::default(), kept: Mutex::default() }
    }

    /// For what only looks.
    pub async fn look(&self, account: &AwsAccount) -> Result<Arc<Session>, NoSession> {
        self.session(account, None).await
    }

    /// For what a run does.
    pub async fn act(&self, account: &AwsAccount, run: &RunId) -> Result<Arc<Session>, NoSession> {
        self.session(account, Some(run)).await
    }

    /// AWS says that its credentials are over: the next one is new. Another one is left alone.
    pub async fn forget(&self, account: &AwsAccount, run: Option<&RunId>, over: &Arc<Session>) {
        let slot = self.slot(&(role_key(account), run.cloned()));
        let mut kept = slot.lock().await;
        if kept.as_ref().is_some_and(|kept| Arc::ptr_eq(kept, over)) {
            *kept = None;
        }
    }

    /// Whoever asks for the same one meanwhile waits for it.
    async fn session(
        &self,
        account: &AwsAccount,
        run: Option<&RunId>,
    ) -> Result<Arc<Session>, NoSession> {
        let slot = self.slot(&(role_key(account), run.cloned()));
        let mut kept = slot.lock().await;
        if let Some(session) = kept.as_ref().filter(|it| self.clock.now() < it.renew_at) {
            return Ok(Arc::clone(session));
        }
        let role = self.role(role_key(account));
        self.may_be_used(&role, account).await?;
        match self.assume(account.words(), run, true).await {
            Ok((credentials, ends)) => {
                let session = Arc::new(Session {
                    credentials,
                    aws: self.aws.clone(),
                    renew_at: self.renew_at(ends),
                    clients: Mutex::default(),
                });
                *kept = Some(Arc::clone(&session));
                Ok(session)
            }
            Err(failure) => {
                let why = no_session(account.words(), failure);
                if matches!(why, NoSession::Denied { .. }) {
                    let until = Instant::now() + limits::AWS_DENIED_KEPT;
                    role.state.lock().await.refused = Some((until, why.clone()));
                }
                Err(why)
            }
        }
    }

    /// A role that opens without the external id could be used against its owner: by anyone who
    /// writes its ARN into a file of another customer.
    async fn may_be_used(&self, role: &Role, account: &AwsAccount) -> Result<(), NoSession> {
        let mut state = role.state.lock().await;
        if let Some((until, why)) = &state.refused
            && Instant::now() < *until
        {
            return Err(why.clone());
        }
        state.refused = None;
        if state.is_closed {
            return Ok(());
        }
        let words = account.words();
        match self.assume(words, None, false).await {
            Err(failure) if failure.is_denied() => {
                state.is_closed = true;
                Ok(())
            }
            Err(failure) => Err(no_session(words, failure)),
            Ok(_) => {
                let (role, external_id) = (words.role.clone(), words.external_id.clone());
                tracing::error!(role, "a customer's role can be taken on without its external id");
                let why = NoSession::Open { role, external_id };
                let until = Instant::now() + limits::AWS_DENIED_KEPT;
                state.refused = Some((until, why.clone()));
                Err(why)
            }
        }
    }

    /// Credentials and their end.
    async fn assume(
        &self,
        account: &AwsAccountWords,
        run: Option<&RunId>,
        with_external_id: bool,
    ) -> Result<(Credentials, Timestamp), Failure> {
        let name = match run {
            Some(run) => format!("ams-{}-{}", run.incident, run.number),
            None if with_external_id => "ams-look".to_owned(),
            None => "ams-check".to_owned(),
        };
        let mut request = self
            .sts
            .assume_role()
            .role_arn(&account.role)
            .role_session_name(name.chars().take(NAME_CHARS).collect::<String>())
            .duration_seconds(LASTS);
        if with_external_id {
            request = request.external_id(&account.external_id);
        }
        if let Some(run) = run.filter(|_| account.session_tags) {
            for (key, value) in [
                ("ams:incident", run.incident.to_string()),
                ("ams:run", run.number.to_string()),
                ("ams:customer", tag_value(&account.customer)),
            ] {
                let tag = Tag::builder().key(key).value(value).build();
                request = request.tags(tag.map_err(|error| Failure::Refused {
                    code: "BadTag".to_owned(),
                    message: error.to_string(),
                })?);
            }
        }
        let answer = request.send().await.map_err(|error| Failure::of(&error))?;
        let Some(given) = answer.credentials() else {
            return Err(Failure::Uncertain("STS gave no credentials".to_owned()));
        };
        let ends = Timestamp::from_second(given.expiration().secs()).unwrap_or(Timestamp::MAX);
        let (id, secret, token) =
            (given.access_key_id(), given.secret_access_key(), given.session_token());
        Ok((Credentials::new(id, secret, Some(token.to_owned()), None, "ams"), ends))
    }

    /// Ten minutes before its end, or after two thirds of a short one.
    fn renew_at(&self, ends: Timestamp) -> Timestamp {
        let now = self.clock.now();
        let lasts = ends.duration_since(now).max(SignedDuration::ZERO);
        let early = SignedDuration::try_from(limits::AWS_SESSION_MARGIN).unwrap_or_default();
        ends.checked_sub(early.min(lasts / 3)).unwrap_or(now)
    }

    fn role(&self, key: RoleKey) -> Arc<Role> {
        let mut roles = self.roles.lock().unwrap_or_else(PoisonError::into_inner);
        if roles.len() >= limits::AWS_ROLES && !roles.contains_key(&key) {
            roles.clear();
        }
        Arc::clone(roles.entry(key).or_default())
    }

    fn slot(&self, key: &SessionKey) -> Slot {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(slot) = kept.new.get(key) {
            return Arc::clone(slot);
        }
        let slot = kept.old.remove(key).unwrap_or_default();
        if kept.new.len() >= limits::AWS_SESSIONS {
            kept.old = std::mem::take(&mut kept.new);
        }
        kept.new.insert(key.clone(), Arc::clone(&slot));
        slot
    }
}

fn role_key(account: &AwsAccount) -> RoleKey {
    (account.words().customer.clone(), account.words().role.clone())
}

/// Of letters, digits, spaces and `_.:/=+-@`, 256 at most: the reference of `Tag`.
fn tag_value(text: &str) -> String {
    let known = |it: &char| it.is_alphanumeric() || " _.:/=+-@".contains(*it);
    text.chars().filter(known).take(256).collect()
}

fn no_session(account: &AwsAccountWords, failure: Failure) -> NoSession {
    let role = account.role.clone();
    let message = failure.reason();
    match failure {
        Failure::Expired(_) => NoSession::Own(message),
        Failure::Busy(_) | Failure::NotSent(_) | Failure::Uncertain(_) => {
            NoSession::NoAnswer { role, message }
        }
        Failure::Refused { code, .. } if code == UNSENT => NoSession::Own(message),
        Failure::Refused { .. } => {
            NoSession::Denied { role, external_id: account.external_id.clone(), message }
        }
    }
}
