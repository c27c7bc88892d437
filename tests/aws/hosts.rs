//! Customers' servers and what their agents do wrong, as a test sets them up.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use super::accounts::Account;
use super::faults::{Fault, Planned};
use super::query::Machine;
use super::ssm::Sent;

/// What a host is to SSM.
pub(super) struct HostState {
    pub(super) platform: Platform,
    pub(super) name: String,
    pub(super) tags: BTreeMap<String, String>,
    /// What `DescribeInstanceInformation` says; `None`: it never heard of the host.
    pub(super) ping: Option<Ping>,
    /// Whether the agent takes commands and tells how they went.
    pub(super) reachable: watch::Sender<bool>,
    /// That it dies now.
    pub(super) death: watch::Sender<Option<Begun>>,
    pub(super) habits: Habits,
    pub(super) machine: Machine,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Platform {
    Linux,
    Windows,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ping {
    Online,
    ConnectionLost,
}

/// What becomes of a command that was begun when its agent dies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Begun {
    /// The machine is off.
    Dies,
    /// The agent alone is gone.
    GoesOn,
}

/// What `CancelCommand` does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Cancel {
    /// SIGKILL to the command's process group.
    #[default]
    Stops,
    /// The command is told as cancelled, and goes on.
    IsToldOnly,
    /// Nothing: "no guarantee that the command will be terminated".
    IsIgnored,
}

/// A command that is not really carried out.
#[derive(Clone, Debug, Default)]
pub(crate) struct Played {
    pub(crate) lasts: Duration,
    pub(crate) code: i32,
    pub(crate) stdout: String,
}

type Player = Arc<dyn Fn(&Sent) -> Played + Send + Sync>;

/// How a host and its agent behave.
#[derive(Clone, Default)]
pub(super) struct Habits {
    pub(super) visible_after: Duration,
    pub(super) listed_after: Duration,
    pub(super) lists_behind: Duration,
    pub(super) delivered_after: Duration,
    pub(super) starts_late: bool,
    pub(super) delivered_again_after: Option<Duration>,
    pub(super) dies_after: Option<(Duration, Begun)>,
    pub(super) ends_as: Option<String>,
    pub(super) player: Option<Player>,
    pub(super) cancel: Cancel,
    pub(super) uploads_after: Duration,
    pub(super) no_upload: bool,
    pub(super) clock_off: i64,
    pub(super) without: Vec<String>,
}

/// A server of a customer.
#[derive(Clone)]
pub(crate) struct Host {
    account: Account,
    region: String,
    id: String,
}

impl Host {
    pub(super) fn new(account: &Account, region: &str, id: &str) -> Self {
        assert!(is_instance(id), "{id:?} cannot name an instance; AWS would refuse it");
        let host = Self { account: account.clone(), region: region.to_owned(), id: id.to_owned() };
        let made = std::fs::create_dir_all(host.home());
        assert!(made.is_ok(), "no room for a home: {made:?}");
        let state = HostState {
            platform: Platform::Linux,
            name: format!("host-{}", &id[id.len() - 4..]),
            tags: BTreeMap::new(),
            ping: Some(Ping::Online),
            reachable: watch::Sender::new(true),
            death: watch::Sender::new(None),
            habits: Habits::default(),
            machine: Machine::default(),
        };
        let mut world = account.shared.world();
        let hosts = &mut world.accounts.entry(account.id.clone()).or_default().hosts;
        hosts.entry((region.to_owned(), id.to_owned())).or_insert(state);
        drop(world);
        host
    }

    pub(super) fn change(&self, change: impl FnOnce(&mut HostState)) -> &Self {
        let mut world = self.account.shared.world();
        let place = (self.region.clone(), self.id.clone());
        let account = world.accounts.get_mut(&self.account.id);
        if let Some(state) = account.and_then(|account| account.hosts.get_mut(&place)) {
            change(state);
        }
        self
    }

    fn habit(&self, change: impl FnOnce(&mut Habits)) -> &Self {
        self.change(|state| change(&mut state.habits))
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    /// The home directory of whoever runs commands there; markers can lie in it (`~/.ams`).
    pub(crate) fn home(&self) -> PathBuf {
        self.account.shared.folder(&self.account.id, &self.region, &self.id).join("home")
    }

    /// A file in its home directory; empty where there is none.
    pub(crate) fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.home().join(name)).unwrap_or_default()
    }

    /// What was sent to it, oldest first.
    pub(crate) fn commands(&self) -> Vec<Sent> {
        let world = self.account.shared.world();
        let account = self.account.id.as_str();
        world.commands.of(account, &self.region).filter(|sent| sent.instance == self.id).collect()
    }

    /// Whether its agent answers nobody.
    pub(crate) fn is_gone(&self) -> bool {
        let mut gone = true;
        self.change(|state| gone = !*state.reachable.borrow());
        gone
    }

    /// PowerShell is not carried out but answered by the player, or with code 0 and no output.
    pub(crate) fn windows(&self) -> &Self {
        self.change(|state| state.platform = Platform::Windows)
    }

    pub(crate) fn named(&self, name: &str) -> &Self {
        self.change(|state| name.clone_into(&mut state.name))
    }

    pub(crate) fn tag(&self, name: &str, value: &str) -> &Self {
        self.change(|state| drop(state.tags.insert(name.to_owned(), value.to_owned())))
    }

    /// SSM never heard of its agent: `InvalidInstanceId`.
    pub(crate) fn unregistered(&self) -> &Self {
        self.change(|state| state.ping = None)
    }

    /// SSM knows that its agent is gone. Commands are taken all the same, and wait.
    pub(crate) fn offline(&self) -> &Self {
        self.change(|state| {
            state.ping = Some(Ping::ConnectionLost);
            state.reachable.send_replace(false);
        })
    }

    /// Its agent is gone and SSM does not know yet.
    pub(crate) fn silent(&self) -> &Self {
        self.change(|state| {
            state.reachable.send_replace(false);
        })
    }

    pub(crate) fn online(&self) -> &Self {
        self.change(|state| {
            state.death.send_replace(None);
            state.ping = Some(Ping::Online);
            state.reachable.send_replace(true);
        })
    }

    /// `GetCommandInvocation` does not know a command before this.
    pub(crate) fn visible_after(&self, wait: Duration) -> &Self {
        self.habit(|habits| habits.visible_after = wait)
    }

    /// Lists do not have a command before this.
    pub(crate) fn listed_after(&self, wait: Duration) -> &Self {
        self.habit(|habits| habits.listed_after = wait)
    }

    /// Lists tell how things were this long ago.
    pub(crate) fn lists_behind(&self, wait: Duration) -> &Self {
        self.habit(|habits| habits.lists_behind = wait)
    }

    /// The agent gets a command this long after it was sent.
    pub(crate) fn delivered_after(&self, wait: Duration) -> &Self {
        self.habit(|habits| habits.delivered_after = wait)
    }

    /// What comes after `TimeoutSeconds` runs all the same, long told as not delivered.
    pub(crate) fn starts_late(&self) -> &Self {
        self.habit(|habits| habits.starts_late = true)
    }

    /// The agent gets every command twice and does not notice; the second is not told of.
    pub(crate) fn delivered_again_after(&self, wait: Duration) -> &Self {
        self.habit(|habits| habits.delivered_again_after = Some(wait))
    }

    /// Its agent dies now, and SSM does not know yet.
    pub(crate) fn dies(&self, begun: Begun) -> &Self {
        self.silent().change(|state| {
            state.death.send_replace(Some(begun));
        })
    }

    /// Its agent dies this long after a command began.
    pub(crate) fn dies_after(&self, time: Duration, begun: Begun) -> &Self {
        self.habit(|habits| habits.dies_after = Some((time, begun)))
    }

    /// Commands are told to have ended like this, and never begin: `Undeliverable`, `Success`.
    pub(crate) fn ends_as(&self, details: &str) -> &Self {
        self.habit(|habits| habits.ends_as = Some(details.to_owned()))
    }

    /// Commands are not carried out but answered.
    pub(crate) fn plays(&self, player: impl Fn(&Sent) -> Played + Send + Sync + 'static) -> &Self {
        self.habit(|habits| habits.player = Some(Arc::new(player)))
    }

    pub(crate) fn cancel(&self, cancel: Cancel) -> &Self {
        self.habit(|habits| habits.cancel = cancel)
    }

    /// The whole output lies in its bucket this long after the command's end is told.
    pub(crate) fn uploads_after(&self, wait: Duration) -> &Self {
        self.habit(|habits| habits.uploads_after = wait)
    }

    /// Its own role does not let it write to the bucket. Nobody is told.
    pub(crate) fn cannot_upload(&self) -> &Self {
        self.habit(|habits| habits.no_upload = true)
    }

    /// Its clock is this many seconds ahead; behind, when negative.
    pub(crate) fn clock_off(&self, seconds: i64) -> &Self {
        self.habit(|habits| habits.clock_off = seconds)
    }

    /// A program that is not installed: `base64`.
    pub(crate) fn without(&self, program: &str) -> &Self {
        self.habit(|habits| habits.without.push(program.to_owned()))
    }

    /// Requests about this host with this action meet this fault, so many times.
    pub(crate) fn meets(&self, times: usize, action: &str, fault: Fault) -> &Self {
        let (account, about) = (Some(self.account.id.clone()), Some(self.id.clone()));
        let planned = Planned { left: times, action: action.to_owned(), account, about, fault };
        self.account.shared.world().planned.push(planned);
        self
    }
}

impl Debug for Host {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{} in {} of {:?}", self.id, self.region, self.account)
    }
}

/// `i-` and 8 or 17 characters, or `mi-` and 17: the pattern of the API reference.
pub(super) fn is_instance(id: &str) -> bool {
    let known = |text: &str| text.bytes().all(|it| it.is_ascii_alphanumeric() || it == b'_');
    match (id.strip_prefix("mi-"), id.strip_prefix("i-")) {
        (Some(rest), _) => rest.len() == 17 && known(rest),
        (None, Some(rest)) => [8, 17].contains(&rest.len()) && known(rest),
        (None, None) => false,
    }
}
