//! Commands on servers and network devices without an agent, by OpenSSH's own client.
//!
//! The client is what operators know, configure and keep up to date; what it is told stands in a
//! file per host (`config.rs`). A shell at the other end gets the host program on its standard
//! input, so that neither a process list nor a login shell sees a value (`client.rs`). Looks end
//! with their connection; changes go on, and are followed over a new one (`change.rs`). Network
//! devices have no shell: they get one line (`device.rs`).

mod change;
mod client;
mod config;
mod device;
mod refused;
mod wire;

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio::process::Command;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

use self::change::Talk;
use super::actuator::{Action, Actuator, Adopted, Ending, Observation, Order, TargetHost};
use super::host_program::Places;
use super::local::{Streams, not_started};
use crate::clock::Clock;
use crate::customer::Reach;
use crate::customer::ssh::{SshHostKeys, SshIdentity, SshWay};
use crate::limits::{COMMANDS_AT_ONCE, SSH_PER_CUSTOMER};

/// What the client sees of our environment. Agents are named in its configuration.
const INHERITED: [&str; 2] = ["PATH", "HOME"];

pub struct SshCommands {
    evidence_dir: PathBuf,
    /// Configurations of the client.
    folder: PathBuf,
    environment: BTreeMap<String, String>,
    places: Places,
    clock: Arc<dyn Clock>,
    pub(crate) slots: Arc<Semaphore>,
    customers: Mutex<HashMap<String, Arc<Semaphore>>>,
}

type Slot<'a> = (OwnedSemaphorePermit, SemaphorePermit<'a>);

impl SshCommands {
    /// `folder` is made where it is missing, for us alone. `places` are where markers lie on hosts;
    /// `inherited` is the runner's own environment, of which the client sees only a few names.
    pub fn open(
        evidence_dir: PathBuf,
        folder: PathBuf,
        mut inherited: BTreeMap<String, String>,
        places: Places,
        clock: Arc<dyn Clock>,
    ) -> io::Result<Self> {
        make(&folder)?;
        inherited.retain(|name, _| INHERITED.contains(&name.as_str()));
        // Its messages are read (refused.rs).
        inherited.insert("LC_ALL".to_owned(), "C".to_owned());
        let slots = Arc::new(Semaphore::new(COMMANDS_AT_ONCE));
        let customers = Mutex::default();
        Ok(Self { evidence_dir, folder, environment: inherited, places, clock, slots, customers })
    }

    async fn carry_out(
        &self,
        order: &Order,
        cancel: &CancellationToken,
        streams: &mut Streams<'_>,
    ) -> Ending {
        let Some(way) = way_of(order.host.as_ref()) else {
            return not_started("no way by SSH is set up to this host");
        };
        let expiry = Instant::now() + order.timeout;
        let talk = Talk { ssh: self, order, way, expiry, cancel };
        let _slot = match self.slot(&talk).await {
            Ok(slot) => slot,
            Err(ending) => return ending,
        };
        match order.attempt {
            _ if way.words().device => talk.device(streams).await,
            None => talk.look(streams).await,
            Some(attempt) => talk.change(attempt, streams).await,
        }
    }

    /// A turn among the connections of this customer, and among all.
    async fn slot(&self, talk: &Talk<'_>) -> Result<Slot<'_>, Ending> {
        let customer = &talk.way.words().customer;
        let own = {
            let mut all = self.customers.lock().unwrap_or_else(PoisonError::into_inner);
            let new = || Arc::new(Semaphore::new(SSH_PER_CUSTOMER));
            Arc::clone(all.entry(customer.clone()).or_insert_with(new))
        };
        let both =
            async { Some((own.acquire_owned().await.ok()?, self.slots.acquire().await.ok()?)) };
        tokio::select! {
            biased;
            () = talk.cancel.cancelled() => Err(Ending::Cancelled),
            Some(both) = both => Ok(both),
            () = sleep_until(talk.expiry) => Err(not_started(format!(
                "{SSH_PER_CUSTOMER} connections to hosts of this customer, or {COMMANDS_AT_ONCE} in \
                 all, are in use and none ended within {:?}", talk.order.timeout
            ))),
        }
    }

    /// OpenSSH's client for this way, with what it needs in place.
    fn client(&self, way: &SshWay, command: &str) -> Result<Command, String> {
        let words = way.words();
        let needed = match &words.identity {
            SshIdentity::File(path) => ("the private key", path),
            SshIdentity::Agent(path) => ("the socket of the agent", path),
        };
        let keys = match &words.host_keys {
            SshHostKeys::File(path) => Some(("the file of host keys", path)),
            SshHostKeys::Lines(_) => None,
        };
        for (what, path) in [Some(needed), keys].into_iter().flatten() {
            if !Path::new(path).exists() {
                return Err(format!(
                    "{}: {what} {path} is not there; put it there, or correct the customer's file",
                    words.host
                ));
            }
        }
        let config = self.write_config(way).map_err(|error| {
            let folder = self.folder.display();
            format!("the configuration of ssh cannot be written to {folder}: {error}")
        })?;
        let mut client = Command::new("ssh");
        client.args(client::words(&config, command)).env_clear().envs(&self.environment);
        Ok(client::piped(client))
    }

    /// Files are named after what is in them, and written anew each time: so none changes under a
    /// client, and those that nobody has used for long can be removed.
    fn write_config(&self, way: &SshWay) -> io::Result<PathBuf> {
        // It lies among the traces of commands, of which those that nobody uses are removed.
        make(&self.folder)?;
        let mut known_hosts = PathBuf::new();
        if let SshHostKeys::Lines(lines) = &way.words().host_keys {
            known_hosts = self.write(&(lines.join("\n") + "\n"), "keys")?;
        }
        self.write(&config::client(way, &known_hosts.display().to_string()), "conf")
    }

    fn write(&self, text: &str, ending: &str) -> io::Result<PathBuf> {
        let path = self.folder.join(format!("{}.{ending}", config::hash(text)));
        let new = self.folder.join(format!("{}.new", uuid::Uuid::new_v4().simple()));
        let mut options = fs::OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        options.open(&new)?.write_all(text.as_bytes())?;
        fs::rename(&new, &path)?;
        Ok(path)
    }
}

#[async_trait]
impl Actuator for SshCommands {
    async fn act(&self, order: &Order, cancel: &CancellationToken) -> Observation {
        let started = Instant::now();
        let mut streams = Streams::of(&self.evidence_dir, order);
        let ending = self.carry_out(order, cancel, &mut streams).await;
        streams.finish(ending, started.elapsed()).await
    }

    /// `None` for devices, which keep no markers.
    fn trace(&self, _action: &Action, host: Option<&TargetHost>) -> Option<String> {
        let way = way_of(host)?;
        (!way.words().device).then(|| config::place(way))
    }

    async fn adopt(
        &self,
        order: &Order,
        trace: Option<&str>,
        cancel: &CancellationToken,
    ) -> Adopted {
        // The record must be of this host of this customer, however the files have changed since.
        let own = self.trace(&order.action, order.host.as_ref());
        let (Some(way), true) =
            (way_of(order.host.as_ref()), own.is_some() && own.as_deref() == trace)
        else {
            return Adopted::Unknown;
        };
        let started = Instant::now();
        let talk = Talk { ssh: self, order, way, expiry: started + order.timeout, cancel };
        let _slot = match self.slot(&talk).await {
            Ok(slot) => slot,
            Err(Ending::Cancelled) => return Adopted::Cancelled,
            Err(_) => return Adopted::Unknown,
        };
        let mut streams = Streams::of(&self.evidence_dir, order);
        match talk.adopt(&mut streams).await {
            Ok((ending, attempt)) => {
                let seen = Box::new(streams.finish(ending, started.elapsed()).await);
                Adopted::Ended { seen, attempt }
            }
            Err(adopted) => adopted,
        }
    }

    async fn forget(&self, before: Timestamp) {
        if let Err(error) = forget(&self.folder, before.into()) {
            tracing::warn!(%error, "old configurations of ssh are not removed yet");
        }
    }
}

fn way_of(host: Option<&TargetHost>) -> Option<&SshWay> {
    match &host?.reach {
        Reach::Ssh(way) => Some(way),
        Reach::None | Reach::Local | Reach::Ssm(_) => None,
    }
}

fn make(folder: &Path) -> io::Result<()> {
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

fn forget(folder: &Path, before: SystemTime) -> io::Result<()> {
    for entry in fs::read_dir(folder)?.flatten() {
        if entry.metadata().and_then(|it| it.modified()).is_ok_and(|at| at < before) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}
