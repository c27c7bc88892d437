//! The port through which a step touches the world, and what comes back.
//!
//! Adapters: `local.rs` (commands on this machine), `ssh/` and `ssm/` (commands on others), `http.rs`
//! (requests from this machine). They report what they saw; whether that is good or bad is judged in `plan.rs`.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use jiff::Timestamp;
use tokio_util::sync::CancellationToken;

use crate::claim::hold::Permission;
use crate::customer::Reach;
use crate::customer::aws::AwsAccount;
use crate::customer::belongs::Neighbours;
use crate::incident::RunId;
use crate::scenario::aws_call::Call;
use crate::scenario::model::Question;

/// One action, every parameter resolved.
#[derive(Clone, Debug)]
pub struct Order {
    pub run: RunId,
    /// Position of the step in the scenario, from 0.
    pub step: usize,
    /// The entry of the loops around the step: `web01`.
    pub entry: Option<String>,
    /// Names this one attempt everywhere it leaves a trace (evidence files, journal).
    pub nonce: String,
    /// For what changes something, which must be found again after a crash: the number of the
    /// attempt, from 1. `None` for what only looks.
    pub attempt: Option<u32>,
    /// When an earlier owner announced it, where that is to be found out about.
    pub announced_at: Option<Timestamp>,
    /// For what changes something: to be asked right before it begins, after any wait.
    pub permission: Option<Permission>,
    pub action: Action,
    /// The machine a command runs on; `None` for AMS's own.
    pub host: Option<TargetHost>,
    /// After this the action is stopped and everything it started with it.
    pub timeout: Duration,
}

impl Order {
    /// How long ago an earlier owner announced it, at least; clocks of runners differ a little.
    pub fn announced_ago(&self, now: Timestamp) -> Option<Duration> {
        const CLOCKS: Duration = Duration::from_secs(5);
        let ago = now.duration_since(self.announced_at?);
        Some(Duration::try_from(ago).unwrap_or_default() + CLOCKS)
    }
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Action {
    Command(Command),
    Http(HttpRequest),
    /// Connect to `host:port` and read what comes first.
    Tcp(String),
    /// Ask AWS for something in an account of the run's customer.
    Aws(AwsCall),
    /// Ask PagerDuty about the run's incident, or about its neighbours: another customer's incidents
    /// are none of this run's business.
    Ask {
        question: Question,
        neighbours: Neighbours,
    },
}

/// A customer's host, and the way to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetHost {
    pub name: String,
    pub reach: Reach,
}

/// One call of AWS. Only `prepare.rs` makes one, with an account of the run's own customer and values
/// that fit their forms.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AwsCall {
    pub word: &'static Call,
    pub fields: BTreeMap<&'static str, String>,
    pub account: Arc<AwsAccount>,
    pub region: String,
}

impl AwsCall {
    /// `extend_volume vol-1 36`, for people.
    pub fn told(&self) -> String {
        let values = self.word.fields.iter().filter_map(|field| self.fields.get(field.name));
        let values: Vec<&str> = values.map(String::as_str).collect();
        format!("{} {}", self.word.word, values.join(" "))
    }
}

/// A command on one machine. `env` is the only way parameters reach it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Command {
    pub program: Program,
    pub env: BTreeMap<String, String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Program {
    /// Text for `/bin/sh`, exactly as the author wrote it. Nothing is ever pasted into it.
    Script(String),
    /// Text for PowerShell, exactly as the author wrote it.
    PowerShell(String),
    /// Program and arguments, started without a shell.
    Exec(Vec<String>),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HttpRequest {
    pub method: HttpMethod,
    pub url: String,
    pub headers: BTreeMap<String, String>,
    pub body: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpMethod {
    Get,
    Head,
    Post,
    Put,
}

impl HttpMethod {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
        }
    }
}

/// What an action gave.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Observation {
    pub ending: Ending,
    /// A command's standard output, or an HTTP body.
    pub stdout: Output,
    pub stderr: Output,
    pub took: Duration,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The command ended by itself.
    Exited(i32),
    /// Something killed the command; not us.
    Killed { signal: i32 },
    /// The timeout passed; the whole process group was killed, or the request dropped.
    TimedOut,
    /// It was stopped because the run was told to stop.
    Cancelled,
    /// The other side took the connection.
    Connected,
    /// An HTTP answer came.
    Answered { status: u16 },
    /// No HTTP answer: refused, reset, no such name, TLS. The reason is for people.
    NoAnswer { reason: String },
    /// The action was never begun: no such program, no permission, a limit of ours.
    NotStarted { reason: String },
    /// It was sent, and nobody can say whether it ran: an answer that was lost, a host that is gone.
    Unknown { reason: String },
}

/// Output, capped in memory; what exceeds the cap is whole in the evidence file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Output {
    /// The first bytes as text (lossy UTF-8), or everything when the output is whole.
    pub head: String,
    /// The last bytes, when something was left out between.
    pub tail: String,
    /// Bytes produced in all, as far as that is known.
    pub total_bytes: u64,
    /// More was produced than came here: whoever carried it cut it.
    pub cut: bool,
    /// Where all of it is, when it is longer than [`crate::limits::OUTPUT_INLINE_BYTES`].
    pub evidence: Option<PathBuf>,
}

impl Output {
    /// All of it in memory?
    pub fn is_whole(&self) -> bool {
        self.tail.is_empty() && !self.cut
    }
}

#[async_trait]
pub trait Actuator: Send + Sync {
    /// Carries the order out and waits for its end, at most `order.timeout` plus what
    /// stopping takes ([`crate::limits::KILL_GRACE`], then [`crate::limits::OUTPUT_DRAIN`] and
    /// [`crate::limits::EVIDENCE_FLUSH`] where something hangs). Never fails as a call: what went wrong is the observation.
    ///
    /// What changes something is not stopped by `cancel`: it goes on, and is adopted later.
    async fn act(&self, order: &Order, cancel: &CancellationToken) -> Observation;

    /// Where a later owner can find out what became of such an order; recorded with its intent.
    fn trace(&self, action: &Action, host: Option<&TargetHost>) -> Option<String> {
        let (_, _) = (action, host);
        None
    }

    /// Finds out what became of an order that an earlier owner announced, and waits for its end
    /// where it still goes on, at most `order.timeout`.
    async fn adopt(
        &self,
        order: &Order,
        trace: Option<&str>,
        cancel: &CancellationToken,
    ) -> Adopted {
        let (_, _, _) = (order, trace, cancel);
        Adopted::Unknown
    }

    /// Forgets traces older than this.
    async fn forget(&self, before: Timestamp) {
        let _ = before;
    }
}

/// What became of an effect whose owner is gone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Adopted {
    /// Its last attempt, as if we had carried it out ourselves.
    Ended { seen: Box<Observation>, attempt: u32 },
    /// It never began, and cannot begin any more under its name.
    NeverBegan,
    /// Nobody can tell.
    Unknown,
    /// We were told to stop waiting.
    Cancelled,
}
