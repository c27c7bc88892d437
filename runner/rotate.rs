//! Fetches AMS's own secrets, and again while it runs: one that is exchanged where it is kept comes
//! into force without a restart. What cannot be read or cannot be the secret leaves the one before.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use tokio::io::AsyncReadExt as _;
use tokio_util::sync::CancellationToken;

use crate::aws::Settings;
use crate::aws::secrets::Vault;
use crate::clock::SystemClock;
use crate::finding::{Finding, Findings};
use crate::limits;
use crate::mask::Learned;
use crate::metrics::Metrics;
use crate::secret::{Origin, Reference, Secret};

/// What helps who is nobody at AWS.
const NO_ROLE: &str = "give AMS a role, or set AWS_PROFILE";

/// Fetches what AWS keeps. `file` is where the references stand, for the findings.
pub async fn fetch(
    file: &Path,
    secrets: &[Secret],
    aws: Option<&Settings>,
) -> Result<Option<Vault>, Vec<Finding>> {
    let at_aws = |secret: &&Secret| secret.origin().is_some_and(|it| it.reference.is_at_aws());
    let wanted: Vec<&Secret> = secrets.iter().filter(at_aws).collect();
    let Some(first) = wanted.first().and_then(|secret| secret.origin()) else { return Ok(None) };
    let mut findings = Findings::of(file);
    let mut refuse = |origin: &Origin, why: &str, remedy: &str| {
        findings.add("bad-setting", origin.place, format!("'{}' {why}", origin.key), remedy);
    };
    let Some(settings) = aws else {
        let remedy = "add 'aws: {region: ap-northeast-1}', or set AMS_AWS_REGION";
        refuse(first, "is kept at AWS, and 'aws.region' is not set", remedy);
        return Err(findings.into_sorted());
    };
    let vault = match Vault::open(settings, Arc::new(SystemClock)).await {
        Ok(vault) => vault,
        Err(error) => {
            refuse(first, &format!("cannot be fetched: {error}"), NO_ROLE);
            return Err(findings.into_sorted());
        }
    };
    let read = read_all(wanted.iter().copied(), Some(&vault)).await;
    for secret in wanted {
        let Some(origin) = secret.origin() else { continue };
        let remedy = match read.get(&origin.reference) {
            Some(Err(why)) if why.starts_with("NoCredentials") => NO_ROLE,
            _ => "put the secret there, and let AMS's role read it",
        };
        match read.get(&origin.reference) {
            Some(Ok(value)) => match secret.objection(value.expose_secret()) {
                None => drop(secret.exchange(value.clone())),
                Some(objection) => refuse(origin, &objection, remedy),
            },
            Some(Err(why)) => {
                let reference = &origin.reference;
                refuse(origin, &format!("cannot be fetched from {reference}: {why}"), remedy);
            }
            None => {}
        }
    }
    if findings.is_empty() { Ok(Some(vault)) } else { Err(findings.into_sorted()) }
}

type Read = BTreeMap<Reference, Result<SecretString, String>>;

/// One question for each place, however many settings name it.
async fn read_all(secrets: impl Iterator<Item = &Secret>, vault: Option<&Vault>) -> Read {
    let references = secrets.filter_map(|secret| Some(secret.origin()?.reference.clone()));
    let mut read = Read::new();
    for reference in references.filter(Reference::may_change) {
        if let Entry::Vacant(place) = read.entry(reference) {
            let value = read_one(place.key(), vault).await;
            place.insert(value);
        }
    }
    read
}

async fn read_one(reference: &Reference, vault: Option<&Vault>) -> Result<SecretString, String> {
    let read = async {
        match (reference, vault) {
            (Reference::File { path, .. }, _) => read_file(path).await,
            (_, Some(vault)) => vault.read(reference).await,
            (_, None) => Err("AWS is not asked".to_owned()),
        }
    };
    let told = || format!("no answer within {:?}", limits::SECRET_FETCH);
    tokio::time::timeout(limits::SECRET_FETCH, read).await.unwrap_or_else(|_| Err(told()))
}

/// Whole: one that is being written at this moment is left for the next look.
async fn read_file(path: &Path) -> Result<SecretString, String> {
    let first = read_once(path).await?;
    tokio::time::sleep(limits::SECRET_SETTLES).await;
    let second = read_once(path).await?;
    let is_settled = first.expose_secret() == second.expose_secret();
    if is_settled { Ok(second) } else { Err("it is being written".to_owned()) }
}

async fn read_once(path: &Path) -> Result<SecretString, String> {
    let read = async {
        let most = u64::try_from(limits::SECRET_BYTES).unwrap_or(u64::MAX);
        let mut text = String::new();
        tokio::fs::File::open(path).await?.take(most).read_to_string(&mut text).await?;
        Ok::<_, std::io::Error>(SecretString::from(text.trim()))
    };
    read.await.map_err(|error| error.to_string())
}

/// What looks for secrets that were exchanged.
pub struct Rotation {
    pub secrets: Vec<Secret>,
    pub vault: Option<Vault>,
    pub every: Duration,
    /// What must not be said from now on.
    pub learned: Learned,
    pub metrics: Metrics,
}

impl Rotation {
    /// Looks until cancelled.
    pub async fn look_until(self, stop: CancellationToken) {
        if !self.secrets.iter().any(|it| it.origin().is_some_and(|it| it.reference.may_change())) {
            return;
        }
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(self.every.max(limits::SECRETS_OFTEN)) => {}
            }
            let read = read_all(self.secrets.iter(), self.vault.as_ref()).await;
            self.secrets.iter().for_each(|secret| self.take(secret, &read));
        }
    }

    fn take(&self, secret: &Secret, read: &Read) {
        let Some(origin) = secret.origin() else { return };
        let Some(value) = read.get(&origin.reference) else { return };
        let value = value.as_ref().map_err(Clone::clone);
        let value = value.and_then(|value| match secret.objection(value.expose_secret()) {
            None => Ok(value),
            Some(objection) => Err(objection),
        });
        let Origin { key, reference, .. } = origin;
        match value {
            Ok(value) => {
                // Before it can be said anywhere.
                self.learned.add(value);
                if secret.exchange(value.clone()) {
                    self.metrics.secrets_changed.inc();
                    tracing::info!(
                        "the secret {key} was exchanged: what {reference} holds now is in force"
                    );
                }
            }
            Err(why) => {
                self.metrics.secret_failures.inc();
                tracing::error!("the secret {key} stays as it was: {reference}: {why}");
            }
        }
    }
}
