//! What AWS knows: accounts, who holds which key, what was asked.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ams::clock::Clock;
use jiff::Timestamp;
use tempfile::TempDir;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use super::accounts::{Keys, Role, Session};
use super::faults::{Asked, Fault, Planned};
use super::hosts::HostState;
use super::query::Estate;
use super::s3::Buckets;
use super::sqs::Queues;
use super::ssm::Commands;

pub(super) struct Shared {
    pub(super) clock: Arc<dyn Clock>,
    /// Hosts have their homes here.
    pub(super) dir: TempDir,
    /// Agents end with the server.
    pub(super) over: CancellationToken,
    pub(super) runner: Keys,
    world: Mutex<World>,
}

#[derive(Default)]
pub(super) struct World {
    pub(super) accounts: BTreeMap<String, Account>,
    /// By access key id.
    pub(super) holders: HashMap<String, Holder>,
    pub(super) planned: Vec<Planned>,
    pub(super) asked: Vec<Asked>,
    pub(super) sessions: Vec<Session>,
    pub(super) commands: Commands,
    pub(super) buckets: Buckets,
    pub(super) queues: Queues,
    pub(super) pace: Pace,
    /// Regions that nobody reaches.
    pub(super) down: BTreeSet<String>,
}

/// How long things last here, so that tests need not wait for half a minute.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pace {
    /// A second of `TimeoutSeconds`.
    pub(super) delivery: Duration,
    /// A second of `executionTimeout`.
    pub(super) execution: Duration,
    /// A change of an instance, a volume or the like that begins now.
    pub(super) change: Duration,
    /// What began before this is over.
    pub(super) over: Option<Instant>,
}

impl Default for Pace {
    fn default() -> Self {
        let second = Duration::from_secs(1);
        Self { delivery: second, execution: second, change: Duration::ZERO, over: None }
    }
}

#[derive(Default)]
pub(super) struct Account {
    pub(super) roles: BTreeMap<String, Role>,
    /// By region and id.
    pub(super) hosts: BTreeMap<(String, String), HostState>,
    /// By region.
    pub(super) estates: BTreeMap<String, Estate>,
    /// Secrets Manager, by region and name.
    pub(super) secrets: BTreeMap<(String, String), String>,
    /// Parameter Store, by region and name.
    pub(super) parameters: BTreeMap<(String, String), String>,
    /// More requests to one service than this within a second are throttled.
    pub(super) most_per_second: Option<usize>,
    /// `Execution Timed Out` in place of `ExecutionTimedOut`.
    pub(super) spaced_words: bool,
}

/// Whose key it is.
#[derive(Clone, Debug)]
pub(super) struct Holder {
    pub(super) keys: Keys,
    pub(super) account: String,
    /// As IAM names it.
    pub(super) arn: String,
    /// `None`: everything in its account is allowed.
    pub(super) role: Option<String>,
    pub(super) expires: Option<Timestamp>,
}

/// Who asks, and where.
#[derive(Clone, Debug)]
pub(super) struct Caller {
    pub(super) account: String,
    pub(super) region: String,
    pub(super) arn: String,
}

impl Caller {
    /// The same thing of another kind, in the caller's account and region.
    pub(super) fn place(&self, name: &str) -> (String, String) {
        (self.region.clone(), name.to_owned())
    }
}

impl Shared {
    pub(super) fn new(clock: Arc<dyn Clock>, dir: TempDir, runner: Holder) -> Self {
        let keys = runner.keys.clone();
        let mut world = World::default();
        world.holders.insert(keys.id.clone(), runner);
        let over = CancellationToken::new();
        Self { clock, dir, over, runner: keys, world: Mutex::new(world) }
    }

    pub(super) fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The folder of a host.
    pub(super) fn folder(&self, account: &str, region: &str, instance: &str) -> PathBuf {
        self.dir.path().join(account).join(region).join(instance)
    }
}

impl World {
    /// Writes a request down and says what shall happen to it.
    pub(super) fn meet(&mut self, asked: Asked) -> Option<Fault> {
        let planned = self.planned.iter_mut().find(|planned| planned.meets(&asked));
        let fault = planned.map(|planned| {
            planned.left -= 1;
            planned.fault
        });
        let down = self.down.contains(&asked.region).then_some(Fault::LoseRequest);
        let busy = self.is_busy(&asked);
        self.asked.push(asked);
        down.or(fault).or_else(|| busy.then_some(Fault::Throttle))
    }

    /// Has this account asked this service too often in the last second?
    fn is_busy(&self, asked: &Asked) -> bool {
        let account = self.accounts.get(&asked.account);
        let Some(most) = account.and_then(|account| account.most_per_second) else { return false };
        let recent = |other: &&Asked| asked.at.duration_since(other.at) < Duration::from_secs(1);
        let same = |other: &&Asked| {
            other.account == asked.account
                && other.service == asked.service
                && other.region == asked.region
        };
        self.asked.iter().rev().take_while(recent).filter(same).count() >= most
    }

    pub(super) fn host(&self, caller: &Caller, instance: &str) -> Option<&HostState> {
        self.accounts.get(&caller.account)?.hosts.get(&caller.place(instance))
    }
}

/// Of a wait that began then.
pub(super) fn has_passed(since: Instant, wait: Duration) -> bool {
    since.elapsed() >= wait
}
