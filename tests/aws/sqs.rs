//! SQS: JSON 1.0, one action per `X-Amz-Target`.
//!
//! Shapes, bounds and errors are those of the Amazon SQS API reference; what a receipt handle is good
//! for, and what a queue does with a message that was handed out too often, follow "Amazon SQS
//! visibility timeout" and "Using dead-letter queues in Amazon SQS" of the developer guide. Digests
//! of bodies (`MD5OfBody`) are left out: nobody here looks at them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use super::accounts::Account;
use super::refusal::Why;
use super::world::{Caller, Shared};

/// How often a long poll looks: far below what a test can notice.
const LOOK: Duration = Duration::from_millis(5);

/// A queue as its account knows it.
#[derive(Default)]
pub(super) struct Queues(BTreeMap<String, State>);

#[derive(Default)]
struct State {
    messages: Vec<Held>,
    /// Messages that were handed out too often.
    dead: Vec<String>,
    most_receives: Option<u32>,
    deleted: Vec<String>,
    waiting: usize,
}

struct Held {
    body: String,
    receives: u32,
    receipt: Option<String>,
    hidden_until: Option<Instant>,
}

impl Held {
    fn is_hidden(&self) -> bool {
        self.hidden_until.is_some_and(|until| Instant::now() < until)
    }
}

/// A queue, as a test sees it.
#[derive(Clone)]
pub(crate) struct Queue {
    shared: Arc<Shared>,
    path: String,
}

impl Queue {
    /// A standard queue of this account.
    pub(super) fn new(account: &Account, name: &str) -> Self {
        let path = format!("/{}/{name}", account.id);
        account.shared.world().queues.0.insert(path.clone(), State::default());
        Self { shared: Arc::clone(&account.shared), path }
    }

    /// `host` is where AWS is.
    pub(crate) fn url(&self, host: &str) -> String {
        format!("{host}{}", self.path)
    }

    /// As EventBridge puts an event in.
    pub(crate) fn send(&self, body: &str) {
        let body = body.to_owned();
        let held = Held { body, receives: 0, receipt: None, hidden_until: None };
        self.change(|state| state.messages.push(held));
    }

    /// `maxReceiveCount` of the redrive policy.
    pub(crate) fn gives_up_after(&self, receives: u32) {
        self.change(|state| state.most_receives = Some(receives));
    }

    /// Messages that are there, also those that are hidden.
    pub(crate) fn len(&self) -> usize {
        self.change(|state| state.messages.len())
    }

    /// How often the messages that are there were handed out.
    pub(crate) fn receives(&self) -> Vec<u32> {
        self.change(|state| state.messages.iter().map(|held| held.receives).collect())
    }

    /// Messages that were removed, oldest first.
    pub(crate) fn deleted(&self) -> Vec<String> {
        self.change(|state| state.deleted.clone())
    }

    /// The dead-letter queue.
    pub(crate) fn dead(&self) -> Vec<String> {
        self.change(|state| state.dead.clone())
    }

    /// Somebody is waiting for messages.
    pub(crate) fn is_polled(&self) -> bool {
        self.change(|state| state.waiting > 0)
    }

    /// All that is hidden is seen again at once.
    pub(crate) fn hidden_time_is_over(&self) {
        self.change(|state| {
            state.messages.iter_mut().for_each(|held| held.hidden_until = None);
        });
    }

    fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(self.shared.world().queues.0.get_mut(&self.path).expect("it was made"))
    }
}

/// A long poll: until there is something, or its time is over.
pub(super) async fn wait(shared: &Shared, action: &str, body: &Value) {
    if action != "ReceiveMessage" {
        return;
    }
    let seconds = body["WaitTimeSeconds"].as_u64().unwrap_or_default().min(20);
    let until = Instant::now() + Duration::from_secs(seconds);
    let path = path_of(body);
    let _waiting = Waiting::new(shared, &path);
    while Instant::now() < until {
        let found = |state: &State| state.messages.iter().any(|held| !held.is_hidden());
        if shared.world().queues.0.get(&path).is_none_or(found) {
            return;
        }
        sleep(LOOK).await;
    }
}

/// Counted as long as its client stays.
struct Waiting<'a>(&'a Shared, &'a str);

impl<'a> Waiting<'a> {
    fn new(shared: &'a Shared, path: &'a str) -> Self {
        if let Some(state) = shared.world().queues.0.get_mut(path) {
            state.waiting += 1;
        }
        Self(shared, path)
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        if let Some(state) = self.0.world().queues.0.get_mut(self.1) {
            state.waiting -= 1;
        }
    }
}

pub(super) fn answer(
    shared: &Shared,
    caller: &Caller,
    action: &str,
    body: &Value,
) -> Result<Value, Why> {
    let path = path_of(body);
    // Another account's queue needs a policy, which none of these has.
    let is_own = path.strip_prefix('/').and_then(|it| it.split('/').next());
    if is_own != Some(caller.account.as_str()) {
        return Err(Why::denied(&caller.arn, &format!("sqs:{action}"), &path));
    }
    let mut world = shared.world();
    let state = world.queues.0.get_mut(&path).ok_or_else(|| {
        let message = "The specified queue does not exist.";
        Why::stated("com.amazonaws.sqs#QueueDoesNotExist", message)
    })?;
    match action {
        "ReceiveMessage" => state.receive(body),
        "DeleteMessageBatch" => batch(body, |entry| state.delete(entry)),
        "ChangeMessageVisibilityBatch" => batch(body, |entry| state.hide(entry)),
        _ => Err(Why::stated("com.amazon.coral.service#UnknownOperationException", action)),
    }
}

impl State {
    fn receive(&mut self, body: &Value) -> Result<Value, Why> {
        let most = number(body, "MaxNumberOfMessages", 1..=10)?.unwrap_or(1);
        number(body, "WaitTimeSeconds", 0..=20)?;
        let hidden = number(body, "VisibilityTimeout", 0..=43_200)?.unwrap_or(30);
        let until = Instant::now() + Duration::from_secs(hidden);
        let mut told = Vec::new();
        let mut kept = Vec::new();
        for mut held in std::mem::take(&mut self.messages) {
            let has_room = u64::try_from(told.len()).is_ok_and(|count| count < most);
            if held.is_hidden() || !has_room {
                kept.push(held);
                continue;
            }
            if self.most_receives.is_some_and(|most| held.receives >= most) {
                self.dead.push(held.body);
                continue;
            }
            held.receives += 1;
            held.hidden_until = Some(until);
            let receipt = Uuid::new_v4().to_string();
            held.receipt = Some(receipt.clone());
            told.push(json!({
                "MessageId": Uuid::new_v4().to_string(),
                "ReceiptHandle": receipt,
                "Body": held.body,
                "Attributes": { "ApproximateReceiveCount": held.receives.to_string() },
            }));
            kept.push(held);
        }
        self.messages = kept;
        // "If no messages are available", there is no list at all.
        Ok(if told.is_empty() { json!({}) } else { json!({ "Messages": told }) })
    }

    /// A receipt of an earlier hand-out may or may not do; here it does not.
    fn delete(&mut self, entry: &Value) -> Result<(), &'static str> {
        let receipt = entry["ReceiptHandle"].as_str().ok_or("MissingParameter")?;
        let at = self.messages.iter().position(|held| held.receipt.as_deref() == Some(receipt));
        if let Some(at) = at {
            let held = self.messages.remove(at);
            self.deleted.push(held.body);
        }
        Ok(())
    }

    fn hide(&mut self, entry: &Value) -> Result<(), &'static str> {
        let receipt = entry["ReceiptHandle"].as_str().ok_or("MissingParameter")?;
        let seconds = entry["VisibilityTimeout"].as_u64().ok_or("MissingParameter")?;
        if seconds > 43_200 {
            return Err("InvalidParameterValue");
        }
        let held = self.messages.iter_mut().find(|it| it.receipt.as_deref() == Some(receipt));
        let held = held.filter(|held| held.is_hidden()).ok_or("MessageNotInflight")?;
        held.hidden_until = Some(Instant::now() + Duration::from_secs(seconds));
        Ok(())
    }
}

/// Each entry succeeds or fails by itself.
fn batch(
    body: &Value,
    mut each: impl FnMut(&Value) -> Result<(), &'static str>,
) -> Result<Value, Why> {
    let entries = body["Entries"].as_array().map(Vec::as_slice).unwrap_or_default();
    let error = |code: &str| Err(Why::stated(&format!("com.amazonaws.sqs#{code}"), "of a batch"));
    if entries.is_empty() {
        return error("EmptyBatchRequest");
    }
    if entries.len() > 10 {
        return error("TooManyEntriesInBatchRequest");
    }
    let ids: BTreeSet<&str> = entries.iter().filter_map(|entry| entry["Id"].as_str()).collect();
    if ids.len() != entries.len() {
        return error("BatchEntryIdsNotDistinct");
    }
    let is_id = |id: &str| {
        let known = |it: char| it.is_ascii_alphanumeric() || "-_".contains(it);
        (1..=80).contains(&id.len()) && id.chars().all(known)
    };
    if !ids.iter().all(|id| is_id(id)) {
        return error("InvalidBatchEntryId");
    }
    let (mut successful, mut failed) = (Vec::new(), Vec::new());
    for entry in entries {
        match each(entry) {
            Ok(()) => successful.push(json!({ "Id": entry["Id"] })),
            Err(code) => {
                failed.push(json!({ "Id": entry["Id"], "Code": code, "SenderFault": true }));
            }
        }
    }
    Ok(json!({ "Successful": successful, "Failed": failed }))
}

fn number(
    body: &Value,
    name: &str,
    bounds: std::ops::RangeInclusive<u64>,
) -> Result<Option<u64>, Why> {
    let Some(number) = body[name].as_u64() else { return Ok(None) };
    if bounds.contains(&number) {
        return Ok(Some(number));
    }
    let message = format!("Value {number} for parameter {name} is invalid.");
    Err(Why::stated("com.amazonaws.sqs#InvalidParameterValueException", message))
}

/// `/111122223333/ams`, whatever the address before it.
fn path_of(body: &Value) -> String {
    let url = body["QueueUrl"].as_str().unwrap_or_default();
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.find('/').map_or_else(String::new, |at| rest[at..].to_owned())
}
