//! A test double of AWS: many accounts in one process, on a free port of this machine, spoken to
//! in AWS's own protocols by clients that do not know the difference. It really carries commands
//! out, as processes of this machine, and misbehaves as told.
//!
//! ```ignore
//! let aws = Aws::start().await;
//! let account = aws.account("111122223333");
//! account.role("AmsFirstResponse").external_id("ams-7f3a");
//! let web = account.host("ap-northeast-1", "i-0123456789abcdef0");
//! web.visible_after(Duration::from_secs(2)).meets(1, "SendCommand", Fault::LoseAnswer);
//! ```
//!
//! One address serves all services and regions (`endpoint_url`): which is meant stands in the
//! signature, and so does the caller. Signatures are checked (`sign.rs`). The account of the runner
//! is there from the start; whatever else is asked for needs a role or a key.
//!
//! Each part names the AWS page that it follows. Where pages disagree, or nobody has written down
//! what happens, the behaviour is a knob and its comment says so:
//!
//! - A list of commands by instance leaves out those that wait: the API reference forbids the
//!   question `InstanceId` with `Status` = `Pending` "because the command hasn't reached the managed
//!   node yet", and says nothing of the question without it.
//! - Whether a command may start after `TimeoutSeconds`: the API reference says no; the user guide
//!   waits for that plus `executionTimeout`. Here it does not start, except on hosts that
//!   [start late](Host::starts_late).
//! - How long lists and invocations stay behind: nowhere told.

mod accounts;
mod agent;
mod door;
mod faults;
mod form;
mod hosts;
mod query;
mod refusal;
mod s3;
mod secrets;
mod sign;
mod sqs;
mod ssm;
mod sts;
mod world;

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use ams::clock::{Clock, SystemClock};
use axum::Router;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio::time::Instant;

pub(crate) use self::accounts::{Account, Keys, Session};
pub(crate) use self::faults::{Asked, Fault, busiest_seconds};
pub(crate) use self::hosts::{Begun, Cancel, Host, Played};
pub(crate) use self::s3::{Bucket, Object};
pub(crate) use self::sqs::Queue;
pub(crate) use self::ssm::Sent;
use self::world::{Holder, Shared};

/// Where AMS itself runs.
const RUNNER: &str = "999900001111";

/// Stops when dropped, with everything that its hosts run.
pub(crate) struct Aws {
    url: String,
    shared: Arc<Shared>,
    server: JoinHandle<()>,
}

impl Aws {
    pub(crate) async fn start() -> Self {
        Self::start_at(Arc::new(SystemClock)).await
    }

    /// With a clock of the test's own, for what stands in answers: signatures, expiries, times.
    pub(crate) async fn start_at(clock: Arc<dyn Clock>) -> Self {
        let keys = Keys::new("AKIA");
        let arn = format!("arn:aws:iam::{RUNNER}:user/ams-runner");
        let account = RUNNER.to_owned();
        let runner = Holder { keys, account, arn, role: None, expires: None };
        let dir = tempfile::tempdir().expect("no room for the homes of hosts");
        let shared = Arc::new(Shared::new(clock, dir, runner));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.expect("no free port on this machine");
        let url = format!("http://{}", listener.local_addr().expect("a port was given"));
        let router = Router::new().fallback(door::take).with_state(Arc::clone(&shared));
        let server = tokio::spawn(async move {
            if let Err(error) = axum::serve(listener, router).await {
                tracing::error!(%error, "the test double of AWS has ended");
            }
        });
        Self { url, shared, server }
    }

    /// What to give to every client as its endpoint.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// The runner's own key: it may open roles, and nothing in customers' accounts.
    pub(crate) fn runner(&self) -> Keys {
        self.shared.runner.clone()
    }

    /// The runner's own account, which is no customer's.
    pub(crate) fn home(&self) -> Account {
        self.account(RUNNER)
    }

    /// A customer's account.
    pub(crate) fn account(&self, id: &str) -> Account {
        self.shared.world().accounts.entry(id.to_owned()).or_default();
        Account { shared: Arc::clone(&self.shared), id: id.to_owned() }
    }

    /// What was asked of AWS, oldest first.
    pub(crate) fn requests(&self) -> Vec<Asked> {
        self.shared.world().asked.clone()
    }

    /// How often this action was asked for, by anybody.
    pub(crate) fn asked(&self, action: &str) -> usize {
        self.shared.world().asked.iter().filter(|asked| asked.action == action).count()
    }

    /// Sessions of roles that were opened, oldest first.
    pub(crate) fn sessions(&self) -> Vec<Session> {
        self.shared.world().sessions.clone()
    }

    /// What was sent to hosts of all accounts, oldest first.
    pub(crate) fn commands(&self) -> Vec<Sent> {
        self.shared.world().commands.all().to_vec()
    }

    /// No service of this region answers any more.
    pub(crate) fn region_down(&self, region: &str) {
        self.shared.world().down.insert(region.to_owned());
    }

    pub(crate) fn region_up(&self, region: &str) {
        self.shared.world().down.remove(region);
    }

    /// How long each second of `TimeoutSeconds` lasts; SSM takes none below 30.
    pub(crate) fn delivery_second_lasts(&self, time: Duration) {
        self.shared.world().pace.delivery = time;
    }

    /// How long it takes from now on until instances have started and volumes have grown; nothing
    /// at all if not said.
    pub(crate) fn changes_take(&self, time: Duration) {
        self.shared.world().pace.change = time;
    }

    /// Instances have started, volumes have grown. Agents of hosts stay as they are.
    pub(crate) fn changes_are_over(&self) {
        self.shared.world().pace.over = Some(Instant::now());
    }

    /// How long each second of `executionTimeout` lasts; agents take none below 5.
    pub(crate) fn execution_second_lasts(&self, time: Duration) {
        self.shared.world().pace.execution = time;
    }
}

impl Drop for Aws {
    fn drop(&mut self) {
        self.server.abort();
        self.shared.over.cancel();
        if self.commands().iter().any(|sent| !sent.runs.is_empty()) {
            agent::kill_all(self.shared.dir.path());
        }
    }
}
