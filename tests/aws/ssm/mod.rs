//! SSM Run Command: JSON 1.1, one action per `X-Amz-Target`.
//!
//! Shapes, bounds and errors are those of the AWS Systems Manager API reference. What is known
//! right after sending follows "AWS Systems Manager Run Command" in the user guide ("eventual
//! consistency model"), statuses follow "Understanding command statuses" there.

mod phase;
mod read;
mod send;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::Value;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

pub(super) use self::phase::{Phase, Status};
pub(super) use self::read::output_key;
use super::refusal::Why;
use super::world::{Caller, Shared};

pub(super) fn answer(
    shared: &Arc<Shared>,
    caller: &Caller,
    action: &str,
    body: &Value,
) -> Result<Value, Why> {
    match action {
        "SendCommand" => send::send(shared, caller, body),
        "GetCommandInvocation" => read::invocation(shared, caller, body),
        "ListCommands" => read::commands(shared, caller, body),
        "ListCommandInvocations" => read::invocations(shared, caller, body),
        "CancelCommand" => read::cancel(shared, caller, body),
        "DescribeInstanceInformation" => read::instances(shared, caller, body),
        _ => Err(Why::stated("UnknownOperationException", action)),
    }
}

/// The hosts that a request names.
pub(super) fn instances(body: &Value) -> Vec<String> {
    let one = body["InstanceId"].as_str();
    let all = body["InstanceIds"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let filters = body["Filters"].as_array().into_iter().flatten();
    let filters = filters.filter(|filter| filter["Key"] == "InstanceIds");
    let filtered = filters.filter_map(|filter| filter["Values"].as_array()).flatten();
    let filtered = filtered.filter_map(Value::as_str);
    one.into_iter().chain(all).chain(filtered).map(str::to_owned).collect()
}

/// A command that SSM has taken, for one host.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    pub(crate) id: String,
    pub(crate) account: String,
    pub(crate) region: String,
    pub(crate) instance: String,
    pub(crate) document: String,
    pub(crate) comment: String,
    /// As the agent writes it to a file: `{{ssm:..}}` is filled in.
    pub(crate) script: String,
    /// The parameters of the customer's Parameter Store that went into it.
    pub(crate) filled_in: Vec<String>,
    pub(crate) timeout_seconds: u64,
    /// As the agent takes it, in seconds.
    pub(crate) execution_timeout: u64,
    pub(crate) working_directory: Option<String>,
    pub(crate) output: Option<OutputPlace>,
    pub(crate) at: Instant,
    /// Each time that the script began.
    pub(crate) runs: Vec<Run>,
    /// When SSM knew that it had ended.
    pub(crate) ended: Option<Instant>,
    pub(super) requested: Timestamp,
    pub(super) commands: Vec<String>,
    pub(super) phases: Vec<(Instant, Phase)>,
    pub(super) stop: CancellationToken,
}

/// Where `OutputS3BucketName` and its neighbours send the output.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OutputPlace {
    pub(crate) region: String,
    pub(crate) bucket: String,
    pub(crate) prefix: String,
}

/// One start of a script on its host.
#[derive(Clone, Debug)]
pub(crate) struct Run {
    /// `None`: it goes on, or was killed.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

/// What a PowerShell script of ours carries in base64.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PowerShell {
    /// Every text, in the order in which it stands there.
    pub(crate) texts: Vec<String>,
}

impl Sent {
    pub(super) fn phase(&self) -> &Phase {
        // The first one stands there from the beginning.
        &self.phases[self.phases.len() - 1].1
    }

    /// As it was this long ago.
    fn phase_before(&self, wait: Duration) -> &Phase {
        let known = |(since, _): &&(Instant, Phase)| since.elapsed() >= wait;
        &self.phases.iter().rev().find(known).unwrap_or(&self.phases[0]).1
    }

    /// As SSM tells it: `ExecutionTimedOut`.
    pub(crate) fn details(&self) -> &str {
        &self.phase().details
    }

    /// The texts that a PowerShell script decodes, decoded.
    pub(crate) fn powershell(&self) -> PowerShell {
        let quoted = self.script.split('\'').skip(1).step_by(2);
        let bytes = quoted.filter_map(|text| STANDARD.decode(text).ok());
        let texts = bytes.filter_map(|bytes| String::from_utf8(bytes).ok());
        PowerShell { texts: texts.collect() }
    }
}

/// Every command, oldest first.
#[derive(Default)]
pub(super) struct Commands {
    all: Vec<Sent>,
    by_id: HashMap<String, usize>,
    /// By account and region.
    places: HashMap<(String, String), Vec<usize>>,
}

impl Commands {
    fn add(&mut self, sent: Sent) {
        let place = (sent.account.clone(), sent.region.clone());
        self.by_id.insert(sent.id.clone(), self.all.len());
        self.places.entry(place).or_default().push(self.all.len());
        self.all.push(sent);
    }

    pub(super) fn get(&self, id: &str) -> Option<&Sent> {
        self.by_id.get(id).and_then(|index| self.all.get(*index))
    }

    pub(super) fn change<T>(&mut self, id: &str, change: impl FnOnce(&mut Sent) -> T) -> Option<T> {
        let index = self.by_id.get(id)?;
        self.all.get_mut(*index).map(change)
    }

    /// What SSM says from now on. An end is the end.
    pub(super) fn tell(&mut self, id: &str, phase: Phase) {
        self.change(id, |sent| {
            if sent.phase().status.is_final() {
                return;
            }
            if phase.status.is_final() {
                sent.ended = Some(Instant::now());
            }
            sent.phases.push((Instant::now(), phase));
        });
    }

    pub(super) fn all(&self) -> &[Sent] {
        &self.all
    }

    /// Those of one account and region.
    pub(super) fn of(&self, account: &str, region: &str) -> impl DoubleEndedIterator<Item = Sent> {
        self.known(account, region).cloned()
    }

    fn known(&self, account: &str, region: &str) -> impl DoubleEndedIterator<Item = &Sent> {
        let place = (account.to_owned(), region.to_owned());
        let indices = self.places.get(&place).map(Vec::as_slice).unwrap_or_default();
        indices.iter().filter_map(|index| self.all.get(*index))
    }
}
