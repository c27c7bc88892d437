//! Customers' accounts and their roles, as a test sets them up.

use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use uuid::Uuid;

use super::faults::{Fault, Planned};
use super::hosts::Host;
use super::s3::Bucket;
use super::sqs::Queue;
use super::world::{Holder, Shared};

/// An access key. Those of sessions come with a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Keys {
    pub(crate) id: String,
    pub(crate) secret: String,
    pub(crate) token: Option<String>,
}

impl Keys {
    /// `AKIA` for lasting ones, `ASIA` for those of sessions.
    pub(super) fn new(kind: &str) -> Self {
        let id = format!("{kind}{}", &Uuid::new_v4().simple().to_string().to_uppercase()[..16]);
        let token = (kind == "ASIA").then(|| format!("token//{}==", Uuid::new_v4().simple()));
        Self { id, secret: format!("secret+{}/", Uuid::new_v4().simple()), token }
    }
}

/// A role as its account knows it.
#[derive(Clone, Debug, Default)]
pub(super) struct Role {
    /// The trust policy's condition; without one the role opens to whoever knows its name.
    pub(super) external_id: Option<String>,
    /// The trust policy does not let anybody in.
    pub(super) closed: bool,
    /// The trust policy does not allow `sts:TagSession`.
    pub(super) no_tags: bool,
    /// What its policies leave out: `ssm:SendCommand`.
    pub(super) denied: Vec<String>,
    /// In place of what the caller asks for.
    pub(super) session: Option<Duration>,
}

/// A session that was opened.
#[derive(Clone, Debug)]
pub(crate) struct Session {
    pub(crate) account: String,
    /// STS's own region.
    pub(crate) region: String,
    pub(crate) role: String,
    pub(crate) name: String,
    pub(crate) tags: BTreeMap<String, String>,
    pub(crate) external_id: Option<String>,
    pub(crate) seconds: u64,
    pub(crate) key_id: String,
}

/// A customer's account.
#[derive(Clone)]
pub(crate) struct Account {
    pub(super) shared: Arc<Shared>,
    pub(super) id: String,
}

impl Account {
    fn change(&self, change: impl FnOnce(&mut super::world::Account)) {
        change(self.shared.world().accounts.entry(self.id.clone()).or_default());
    }

    /// A role that the runner's account may open.
    pub(crate) fn role(&self, name: &str) -> RoleInAccount {
        let role = RoleInAccount { account: self.clone(), name: name.to_owned() };
        role.change(|_| {});
        role
    }

    /// A server with an agent that is online: Linux, for `i-..` and `mi-..` ids.
    pub(crate) fn host(&self, region: &str, instance: &str) -> Host {
        Host::new(self, region, instance)
    }

    /// A bucket of this account.
    pub(crate) fn bucket(&self, region: &str, name: &str) -> Bucket {
        Bucket::new(self, region, name)
    }

    /// A queue of this account, in every region.
    pub(crate) fn queue(&self, name: &str) -> Queue {
        Queue::new(self, name)
    }

    /// A lasting key that may do everything in this account.
    pub(crate) fn keys(&self) -> Keys {
        let keys = Keys::new("AKIA");
        let holder = Holder {
            keys: keys.clone(),
            account: self.id.clone(),
            arn: format!("arn:aws:iam::{}:user/admin", self.id),
            role: None,
            expires: None,
        };
        self.shared.world().holders.insert(keys.id.clone(), holder);
        keys
    }

    /// Something in this account's Parameter Store.
    pub(crate) fn parameter(&self, region: &str, name: &str, value: &str) -> &Self {
        let place = (region.to_owned(), name.to_owned());
        self.change(|account| drop(account.parameters.insert(place, value.to_owned())));
        self
    }

    /// A secret of this account, with this value from now on.
    pub(crate) fn secret(&self, region: &str, name: &str, value: &str) -> &Self {
        let place = (region.to_owned(), name.to_owned());
        self.change(|account| drop(account.secrets.insert(place, value.to_owned())));
        self
    }

    /// More requests to one service of one region than this within a second are throttled.
    pub(crate) fn most_per_second(&self, most: usize) -> &Self {
        self.change(|account| account.most_per_second = Some(most));
        self
    }

    /// Statuses are told as the user guide writes them: `Execution Timed Out`.
    pub(crate) fn spaced_words(&self) -> &Self {
        self.change(|account| account.spaced_words = true);
        self
    }

    /// Requests of this account with this action meet this fault, so many times.
    pub(crate) fn meets(&self, times: usize, action: &str, fault: Fault) -> &Self {
        let account = Some(self.id.clone());
        let action = action.to_owned();
        let planned = Planned { left: times, action, account, about: None, fault };
        self.shared.world().planned.push(planned);
        self
    }

    /// Every session that is open in this account ends now.
    pub(crate) fn expire_sessions(&self) {
        let now = self.shared.clock.now();
        for holder in self.shared.world().holders.values_mut() {
            if holder.account == self.id && holder.keys.token.is_some() {
                holder.expires = Some(now);
            }
        }
    }

    /// How often this action was asked for in this account.
    pub(crate) fn asked(&self, action: &str) -> usize {
        let world = self.shared.world();
        let same = |account: &str, known: &str| account == self.id && known == action;
        world.asked.iter().filter(|asked| same(&asked.account, &asked.action)).count()
    }
}

impl Debug for Account {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_tuple("Account").field(&self.id).finish()
    }
}

/// A role, to be said more about.
#[derive(Clone, Debug)]
pub(crate) struct RoleInAccount {
    account: Account,
    name: String,
}

impl RoleInAccount {
    fn change(&self, change: impl FnOnce(&mut Role)) -> &Self {
        self.account.change(|account| change(account.roles.entry(self.name.clone()).or_default()));
        self
    }

    pub(crate) fn arn(&self) -> String {
        format!("arn:aws:iam::{}:role/{}", self.account.id, self.name)
    }

    /// Opens to nobody without it. A role that this is not said of opens without any.
    pub(crate) fn external_id(&self, id: &str) -> &Self {
        self.change(|role| role.external_id = Some(id.to_owned()))
    }

    pub(crate) fn closed(&self) -> &Self {
        self.change(|role| role.closed = true)
    }

    /// Whoever brings tags is denied.
    pub(crate) fn without_tags(&self) -> &Self {
        self.change(|role| role.no_tags = true)
    }

    /// `ssm:SendCommand` and the like are denied to its sessions.
    pub(crate) fn denies(&self, action: &str) -> &Self {
        self.change(|role| role.denied.push(action.to_owned()))
    }

    /// Requests for a session of it meet this fault, so many times.
    pub(crate) fn meets(&self, times: usize, fault: Fault) -> &Self {
        let (action, about) = ("AssumeRole".to_owned(), Some(self.arn()));
        let planned = Planned { left: times, action, account: None, about, fault };
        self.account.shared.world().planned.push(planned);
        self
    }

    /// Its sessions end after this, whatever was asked for.
    pub(crate) fn sessions_last(&self, time: Duration) -> &Self {
        self.change(|role| role.session = Some(time))
    }
}
