//! Bounds of the second way in, events by Amazon EventBridge, and of the way traces go out.

use std::time::Duration;

/// Where EventBridge's API destinations deliver.
pub const EVENTBRIDGE_PATH: &str = "/webhooks/eventbridge";

/// Characters of a key that opens it, at least: what is shorter can be tried out.
pub const EVENTBRIDGE_KEY_CHARS: usize = 16;

/// How long SQS is asked to wait for a message: the most it takes.
pub const QUEUE_WAIT: Duration = Duration::from_secs(20);

/// Messages in one answer: the most SQS gives. All of them are in memory, a mebibyte each at most.
pub const QUEUE_MESSAGES: usize = 10;

/// For one message, from its arrival to a durable claim. Beside PagerDuty's five seconds there is no
/// hurry here, and a store that is slow now is no reason to read the message again.
pub const QUEUE_TAKE: Duration = Duration::from_secs(10);

/// How long SQS hides a message that we were given. Longer than all we do with it: claiming, and
/// removing it with its attempts; a runner that dies meanwhile costs the message this long.
pub const QUEUE_HIDDEN: Duration = Duration::from_mins(1);

/// Wait before a message that could not be taken comes again; it doubles each time.
pub const QUEUE_FIRST_WAIT: Duration = Duration::from_secs(1);

/// The same at most. A hundred hand-outs are an hour and a half: then the queue's own rule
/// (`maxReceiveCount`) moves the message to where people see it.
pub const QUEUE_LONGEST_WAIT: Duration = Duration::from_mins(1);

/// How often a process that may not begin anything looks whether it may again.
pub const QUEUE_UNREADY: Duration = Duration::from_secs(1);

/// Spans of traces that wait to be sent; further ones are dropped. Some kilobytes each at most, and a
/// run has about ten.
pub const TRACES_QUEUE: usize = 4_096;

/// How often spans are sent.
pub const TRACES_EVERY: Duration = Duration::from_secs(2);

/// One request to the collector of traces.
pub const TRACES_REQUEST: Duration = Duration::from_secs(5);

/// For the last spans of a process that stops.
pub const TRACES_LAST: Duration = Duration::from_secs(2);
