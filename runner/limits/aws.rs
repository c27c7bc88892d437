//! Bounds of what is asked of AWS: sessions, Systems Manager, signed requests.

use std::time::Duration;

/// Until a connection to AWS stands, TLS included; the far side may be on another continent.
pub const AWS_CONNECT: Duration = Duration::from_secs(3);

/// One request to AWS that only reads, or that takes on a role.
pub const AWS_REQUEST: Duration = Duration::from_secs(3);

/// Pages of a list: S3 puts a thousand objects on one, and may put fewer.
pub const S3_PAGES: usize = 200;

/// One copy of a prefix, with its list.
pub const MIRROR_WITHIN: Duration = Duration::from_mins(5);

/// Objects of a prefix that scenarios or customers are copied from.
pub const MIRROR_OBJECTS: usize = 20_000;

/// Bytes of one of them.
pub const MIRROR_OBJECT_BYTES: usize = 1024 * 1024;

/// Objects that are fetched at once.
pub const MIRROR_AT_ONCE: usize = 16;

/// A bucket is looked at once in so many looks at a directory: each costs a request.
pub const MIRROR_LOOKS: u32 = 3;

/// One attempt of a signed request: uploads of tens of mebibytes among them.
pub const AWS_REQUEST_SIGNED: Duration = Duration::from_secs(30);

/// Attempts of a signed request, the first one included, where another one is safe.
pub const AWS_ATTEMPTS: u32 = 4;

/// Wait before the second attempt; it doubles with each further one.
pub const AWS_FIRST_WAIT: Duration = Duration::from_millis(300);

/// Bytes of an answer of AWS. A page of a hundred instances has some hundred thousand.
pub const AWS_ANSWER_BYTES: usize = 4 * 1024 * 1024;

/// A session in a customer's account is renewed this long before its end, or after two thirds of it:
/// what is begun with it must be able to end.
pub const AWS_SESSION_MARGIN: Duration = Duration::from_mins(10);

/// A role that cannot be used is not tried again for so long, however many runs ask.
pub const AWS_DENIED_KEPT: Duration = Duration::from_mins(1);

/// Sessions remembered, in each of two generations: runs that act at about the same time.
pub const AWS_SESSIONS: usize = 2_048;

/// Roles of which is known that they do not open without external id; four for each customer.
pub const AWS_ROLES: usize = 10_000;

/// The request that sends a command. Giving up on it early costs half a minute of looking for it.
pub const SSM_SEND: Duration = Duration::from_secs(10);

/// A command that no agent has begun by then is not begun: the shortest that SSM takes.
pub const SSM_DELIVERY: Duration = Duration::from_secs(30);

/// A command that was sent may be invisible for this long: SSM is "eventually consistent".
pub const SSM_VISIBLE: Duration = Duration::from_secs(30);

/// An agent stops a command in time and says so; the news take a while.
pub const SSM_LAST_WORDS: Duration = Duration::from_secs(10);

/// How often the commands of one account are looked at, all together.
pub const SSM_POLL: Duration = Duration::from_secs(1);

/// The same when all of them have been running for [`SSM_LONG`].
pub const SSM_POLL_LONG: Duration = Duration::from_secs(3);
pub const SSM_LONG: Duration = Duration::from_mins(5);

/// Requests that read, in one region of one account from one process: a second's, and at once. AWS
/// documents no figure for Run Command; aws-rfdk (issue 1723) was throttled by many one-second polls.
pub const SSM_READS_PER_SECOND: u32 = 5;
pub const SSM_READS_AT_ONCE: u32 = 10;

/// The same for commands that are sent.
pub const SSM_SENDS_PER_SECOND: u32 = 5;
pub const SSM_SENDS_AT_ONCE: u32 = 10;

/// Wait of a whole account after "rate exceeded"; it doubles with each further one.
pub const SSM_FIRST_WAIT: Duration = Duration::from_millis(500);
pub const SSM_LONGEST_WAIT: Duration = Duration::from_secs(15);

/// Pages of 50 commands that are read in one look at an account; what is further back is asked for
/// one by one.
pub const SSM_PAGES: usize = 3;

/// Commands that no page shows and that are asked for one by one in one look at an account.
pub const SSM_SINGLE_LOOKS: usize = 3;

/// Questions for agents that are there are joined for this long, and their answers kept for that.
pub const SSM_PING_JOIN: Duration = Duration::from_millis(50);
pub const SSM_PING_KEPT: Duration = Duration::from_secs(15);

/// How often a host is asked about a change that still runs and that SSM does not show.
pub const SSM_ASK_AGAIN: Duration = Duration::from_secs(3);

/// Bytes of a program and its values in a command. SSM takes 64 KiB with all that is around it.
pub const SSM_PROGRAM_BYTES: usize = 56 * 1024;

/// Characters of an output that SSM hands over; beyond it is cut.
pub const SSM_STDOUT_CHARS: usize = 24_000;
pub const SSM_STDERR_CHARS: usize = 8_000;

/// Fetching an output from a bucket; the step's result waits for it.
pub const S3_FETCH: Duration = Duration::from_secs(30);
