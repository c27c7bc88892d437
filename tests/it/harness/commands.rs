//! A runner's commands as tests see them.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use ams::claim::heartbeat::{LeaseTerms, Pulse};
use ams::claim::hold::{Hold, Permission};
use ams::claim::memory::MemoryClaims;
use ams::claim::protocol::{Opening, StandDown};
use ams::claim::{ClaimAnswer, Claims};
use ams::clock::SystemClock;
use ams::execute::actuator::{Action, Actuator as _, Command, Ending, Observation, Order, Program};
use ams::execute::detached::Detached;
use ams::execute::local::LocalCommands;
use ams::incident::{IncidentId, Owner, RunId};
use rustix::process::Pid;
use tempfile::TempDir;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::wait;

/// Never reached by a test that passes.
pub(crate) const LONG: Duration = Duration::from_mins(1);

/// Written atomically (rename), so that a test never reads half a number.
pub(crate) const SAY_PID: &str = r#"say_pid() { echo "$2" > "$DIR/$1.new"; mv "$DIR/$1.new" "$DIR/$1"; }
"#;

/// A runner's commands and a directory they can leave traces in (`$DIR`).
pub(crate) struct Bench {
    pub(crate) dir: TempDir,
    pub(crate) commands: Arc<LocalCommands>,
    pub(crate) cancel: CancellationToken,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let commands =
            LocalCommands::new(dir.path().join("evidence"), detached(dir.path()), inherited());
        Self { dir, commands: Arc::new(commands), cancel: CancellationToken::new() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn script(&self, text: &str) -> Order {
        let dir = self.dir.path().display().to_string();
        order(Command {
            program: Program::Script(format!("{SAY_PID}{text}")),
            env: BTreeMap::from([("DIR".to_owned(), dir)]),
        })
    }

    pub(crate) async fn act(&self, order: &Order) -> Observation {
        self.commands.act(order, &self.cancel).await
    }

    pub(crate) async fn run(&self, text: &str) -> Observation {
        self.act(&self.script(text)).await
    }

    pub(crate) fn start(&self, order: Order) -> JoinHandle<Observation> {
        let (commands, cancel) = (Arc::clone(&self.commands), self.cancel.clone());
        tokio::spawn(async move { commands.act(&order, &cancel).await })
    }

    /// The pid a script said by `say_pid`.
    pub(crate) async fn pid(&self, name: &str) -> Pid {
        let path = self.path(name);
        let pid = wait::for_some(name, || fs::read_to_string(&path).ok()).await;
        Pid::from_raw(pid.trim().parse().expect("a number")).expect("a process id")
    }
}

pub(crate) fn detached(dir: &std::path::Path) -> Detached {
    Detached::open(&dir.join("commands")).expect("a folder for commands")
}

pub(crate) fn inherited() -> BTreeMap<String, String> {
    let pairs = [
        ("PATH", "/usr/local/bin:/usr/bin:/bin"),
        ("LANG", "C.UTF-8"),
        ("PAGERDUTY_TOKEN", "not for commands"),
        ("LD_PRELOAD", "/nowhere.so"),
    ];
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    pairs.map(owned).into_iter().collect()
}

pub(crate) fn order(command: Command) -> Order {
    Order {
        run: RunId { incident: IncidentId::parse("PT4KHLK").expect("an incident id"), number: 2 },
        step: 3,
        entry: None,
        nonce: "00ff".to_owned(),
        attempt: None,
        announced_at: None,
        permission: None,
        action: Action::Command(command),
        host: None,
        timeout: LONG,
    }
}

pub(crate) fn exec(words: &[&str]) -> Order {
    let words = words.iter().map(|word| (*word).to_owned()).collect();
    order(Command { program: Program::Exec(words), env: BTreeMap::new() })
}

pub(crate) fn set(order: &mut Order, name: &str, value: &str) {
    let Action::Command(command) = &mut order.action else {
        panic!("not a command");
    };
    command.env.insert(name.to_owned(), value.to_owned());
}

pub(crate) fn reason(observation: &Observation) -> &str {
    match &observation.ending {
        Ending::NotStarted { reason } => reason,
        other => panic!("started: {other:?}"),
    }
}

/// A run whose claim is in force, and the way people tell it to stand down.
pub(crate) async fn held() -> (Permission, watch::Sender<Option<StandDown>>) {
    let clock = Arc::new(SystemClock);
    let store = Arc::new(MemoryClaims::new(Arc::clone(&clock) as Arc<_>));
    let claims = Claims::new(store, Owner::new("tokyo-1"), clock);
    let incident = IncidentId::parse("PT4KHLK").unwrap();
    let pulse = Pulse::new(LeaseTerms::default());
    assert!(pulse.beat(&claims, 1).await);
    let breaks = pulse.breaks();
    let answer = claims.claim(&incident, Opening::Triggered, None, None).await.unwrap();
    let ClaimAnswer::Won(claim) = answer else { panic!("{answer:?}") };
    let (wish, wishes) = watch::channel(None);
    let hold = Arc::new(Hold::new(claims, pulse, claim, breaks, wishes));
    (Permission { hold, consent: true }, wish)
}
