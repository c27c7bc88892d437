//! Every bound of the product in one place: name, unit, reason.
//!
//! A bound that operators tune is a setting in `config/` whose default stands here.

use std::time::Duration;

mod aws;
mod doctor;
mod escalation;
mod figures;
mod packet;
mod pagerduty;
mod timeline;
mod ways;

pub use aws::*;
pub use doctor::*;
pub use escalation::*;
pub use figures::*;
pub use packet::*;
pub use pagerduty::*;
pub use timeline::*;
pub use ways::*;

// --- receive -----------------------------------------------------------------------------------

/// Where webhooks come in; the path of every subscription that leads to AMS.
pub const WEBHOOK_PATH: &str = "/webhooks/pagerduty";

/// Bytes of a webhook body. PagerDuty drops anything above 256 KiB before sending.
pub const WEBHOOK_BODY_BYTES: usize = 256 * 1024;

/// From the request's head to its answer. PagerDuty waits 5 s; this leaves room for the network.
pub const WEBHOOK_ANSWER: Duration = Duration::from_secs(4);

/// `v1=` entries looked at in one signature header. PagerDuty sends one per active secret.
pub const SIGNATURES_PER_REQUEST: usize = 16;

/// What is known of an incident may be gone after this: ask PagerDuty before acting on it. A
/// webhook that comes at once is younger; one that was retried is not.
pub const KNOWLEDGE_FRESH: Duration = Duration::from_secs(5);

// --- claim -------------------------------------------------------------------------------------

/// One sign of life per process and interval.
pub const HEARTBEAT_EVERY: Duration = Duration::from_secs(1);

/// A claim is honoured this long without a sign of life.
pub const LEASE: Duration = Duration::from_secs(6);

/// An owner that could not renew stops this much before its lease ends for others.
pub const LEASE_MARGIN: Duration = Duration::from_secs(2);

/// How long an ended run is remembered, to absorb late deliveries: PagerDuty retries for 48 h.
pub const CLAIM_KEPT: Duration = Duration::from_hours(96);

/// Writes joined into one durable commit.
pub const COMMIT_GROUP: usize = 256;

/// Store requests waiting for the writer; beyond it callers are refused, which is a 503 outside.
pub const STORE_QUEUE: usize = 4_096;

/// How long another process may hold the SQLite file before a write gives up.
pub const SQLITE_BUSY: Duration = Duration::from_secs(3);

/// Bytes of a record that runs share. What guards count for an ordinary customer has half a
/// thousand; each thousand is a write unit in every region.
pub const LEDGER_BYTES: usize = 64 * 1024;

/// People whose answers to one question are kept. An incident has a handful of responders.
pub const ANSWERS: usize = 16;

/// Pauses in force at once; with more of them, one that says `--all` is what is meant.
pub const PAUSES: usize = 100;

// --- secrets -----------------------------------------------------------------------------------

/// How often AMS's own secrets are read again where they may have changed.
pub const SECRETS_EVERY: Duration = Duration::from_mins(1);

/// The shortest of that: each look costs a request per secret.
pub const SECRETS_OFTEN: Duration = Duration::from_secs(1);

/// A file that is the same after this long is not being written.
pub const SECRET_SETTLES: Duration = Duration::from_millis(200);

/// For one secret, with all attempts.
pub const SECRET_FETCH: Duration = Duration::from_secs(10);

/// Bytes of a secret: AWS Secrets Manager takes 65,536.
pub const SECRET_BYTES: usize = 65_536;

// --- peers -------------------------------------------------------------------------------------

/// For how long living processes may go by different scenarios: a release reaches one after the other.
pub const RULES_DIFFER: Duration = Duration::from_mins(2);

/// The line of figures that alarms go by.
pub const FIGURES_EVERY: Duration = Duration::from_mins(1);

// --- reconcile ---------------------------------------------------------------------------------

/// How often PagerDuty is asked for open incidents that nobody claimed: their webhooks were lost.
pub const RECONCILE_EVERY: Duration = Duration::from_mins(3);

/// An incident younger than this may still be on its way to us.
pub const RECONCILE_MIN_AGE: Duration = Duration::from_mins(1);

/// An older one is people's: they have been looking at it, and its claim may be forgotten.
pub const RECONCILE_MAX_AGE: Duration = Duration::from_hours(24);

/// An acknowledgement of ours that outlived its run is taken back within it, or in the next round.
pub const GIVE_BACK_WITHIN: Duration = Duration::from_secs(30);

/// Incidents whose end was heard of before their beginning, and for how long that is remembered:
/// webhooks overtake each other.
pub const EARLY_ENDS: usize = 10_000;
pub const EARLY_END_KEPT: Duration = Duration::from_mins(10);

// --- DynamoDB ----------------------------------------------------------------------------------

/// Until a connection stands, TLS included; a healthy region takes some milliseconds.
pub const DYNAMODB_CONNECT: Duration = Duration::from_millis(800);

/// One request. A write to three regions takes tens of milliseconds, so an answer that is not there
/// by now is lost, and asking again is faster than waiting. It leaves time for three such losses.
pub const DYNAMODB_REQUEST: Duration = Duration::from_secs(1);

/// One question to the store with all its attempts, so that a webhook still gets its 503 in time.
pub const DYNAMODB_ANSWER: Duration = Duration::from_millis(3_500);

/// Attempts of one question, the first one included. Time ends most of them earlier.
pub const DYNAMODB_ATTEMPTS: usize = 16;

/// Wait before the second attempt, plus jitter; it doubles with each further one.
pub const DYNAMODB_FIRST_WAIT: Duration = Duration::from_millis(25);

/// Wait between two attempts, jitter included.
pub const DYNAMODB_LONGEST_WAIT: Duration = Duration::from_millis(400);

/// Requests under way at once, each on a connection of its own; others wait their turn within
/// [`DYNAMODB_ANSWER`], [`STORE_QUEUE`] of them at most.
pub const DYNAMODB_AT_ONCE: usize = 256;

/// Pages of one listing, 1 MiB each: 20,000 open runs are four.
pub const DYNAMODB_PAGES: usize = 64;

/// Items remembered as we wrote them last, in each of two generations: together the runs in flight.
pub const DYNAMODB_REMEMBERED: usize = RUNS_IN_FLIGHT / 2;

/// Shared records remembered as we wrote them last, in each of two generations: one of each customer,
/// of some thousand. Half a thousand bytes of an ordinary one; without it a question costs a write more.
pub const LEDGERS_REMEMBERED: usize = 4_096;

/// Ways on which changes of shared records line up, so that those of one record go one after the
/// other in one process. Two records on the same way wait for each other, some milliseconds.
pub const LEDGER_LINES: usize = 256;

/// One clean-up, an hour apart; the next one goes on where it ended.
pub const DYNAMODB_SWEEP: Duration = Duration::from_mins(1);

/// Deletions under way at once in a clean-up.
pub const DYNAMODB_DELETIONS_AT_ONCE: usize = 16;

/// Bytes of a run's texts in one item. An item may have 400 KiB, names and numbers included.
pub const DYNAMODB_TEXT_BYTES: usize = 300 * 1024;

/// Bytes of a run's story. Ordinary ones have two to six thousand.
pub const STORY_BYTES: usize = 64 * 1024;

/// Bytes of a page of the history: who paused what, what a run in shadow would have done.
pub const PAGE_BYTES: usize = 64 * 1024;

/// Steps a story names, and characters of each name.
pub const STORY_STEPS: usize = 200;
pub const STORY_NAME_CHARS: usize = 120;

/// Lines and characters of a step's output in a story: the note and the evidence file have more.
pub const STORY_OUTPUT_LINES: usize = 6;
pub const STORY_OUTPUT_CHARS: usize = 600;

/// Items that one run's texts may fill.
pub const DYNAMODB_TEXT_PARTS: usize = 32;

// --- guard -------------------------------------------------------------------------------------

/// How far back a guard may look, and how long it may keep a recovery back. The record of a customer
/// that had none for [`CLAIM_KEPT`] is forgotten, and must not be needed by then.
pub const GUARD_WINDOW: Duration = Duration::from_hours(72);

/// How far back a storm gate may look: "at once" is a matter of minutes.
pub const STORM_WINDOW: Duration = Duration::from_hours(1);

/// Runs remembered that came to a recovery in that time; a storm gate lets fewer through.
pub const STORM_RUNS: usize = 200;

/// The highest count an operator may write for a guard; more is no limit.
pub const GUARD_COUNT: u32 = 10_000;

/// The same for a storm gate, well below what it remembers.
pub const STORM_COUNT: u32 = 100;

/// Runs in the way of a recovery whose claims are looked up at once; more are looked up when it is
/// asked for again.
pub const GUARD_HOLDERS: usize = 16;

// --- execute -----------------------------------------------------------------------------------

/// Runs a process carries at once. Claims beyond it are refused (503), so the other region or a
/// later delivery takes them.
pub const RUNS_IN_FLIGHT: usize = 20_000;

/// Commands running at once on this machine; further ones queue within their own deadline.
pub const COMMANDS_AT_ONCE: usize = 64;

/// Until the shell of a host answers over SSH, all jump hosts included. A host that is well takes
/// one or two seconds; the client itself gives every connection ten.
pub const SSH_CONNECT: Duration = Duration::from_secs(30);

/// Connections to the hosts of one customer at once; further ones queue within their own deadline.
/// A server takes ten that are not logged in yet before it refuses some (sshd's `MaxStartups`).
pub const SSH_PER_CUSTOMER: usize = 8;

/// Wait before a broken connection is made again; it doubles with each further attempt.
pub const SSH_FIRST_WAIT: Duration = Duration::from_millis(250);

/// Wait between two attempts, at most.
pub const SSH_LONGEST_WAIT: Duration = Duration::from_secs(5);

/// How long a host is tried that has a change of which nobody knows the end. After it people decide.
pub const SSH_ADOPT: Duration = Duration::from_mins(1);

/// A change may begin this long after it was sent, by the host's clock: clocks are wrong by minutes.
/// What really keeps it from a second start is its marker.
pub const HOST_START_SLACK: Duration = Duration::from_secs(630);

/// Bytes of a program and its values over SSH. Linux starts nothing with more than two mebibytes.
pub const SSH_PROGRAM_BYTES: usize = 1024 * 1024;

/// Output bytes kept in memory per stream: half from the start, half from the end.
pub const OUTPUT_MEMORY_BYTES: usize = 64 * 1024;

/// Output longer than this is kept whole in an evidence file as well.
pub const OUTPUT_INLINE_BYTES: usize = 2 * 1024;

/// Bytes written to one evidence file; a command that prints without end is cut here.
pub const EVIDENCE_FILE_BYTES: u64 = 64 * 1024 * 1024;

/// How long an evidence file is kept after it was written, unless the settings say so.
pub const EVIDENCE_KEPT: Duration = Duration::from_hours(24 * 90);

/// One evidence file to a bucket, all attempts together.
pub const EVIDENCE_UPLOAD: Duration = Duration::from_mins(2);

/// Evidence files that wait for their upload; further ones wait on the disk for the hourly round.
pub const EVIDENCE_QUEUE: usize = 1_000;

/// Uploads at once, and mebibytes of files that are in memory for them.
pub const EVIDENCE_UPLOADS_AT_ONCE: usize = 4;
pub const EVIDENCE_UPLOAD_MEBIBYTES: u32 = 96;

/// How long an end note waits for uploads of its run, so that it can name the object.
pub const EVIDENCE_NOTE_WAIT: Duration = Duration::from_secs(3);

/// Incidents' directories looked at in one hourly round for what is too old: some seconds on a slow
/// disk. The next round goes on behind them, so 480,000 are looked at in a day.
pub const EVIDENCE_FOLDERS_PER_ROUND: usize = 20_000;

/// After the process group was told to stop (TERM), it is killed (KILL) when this has passed.
pub const KILL_GRACE: Duration = Duration::from_secs(2);

/// A command that ended may leave children holding its output open; reading stops after this.
pub const OUTPUT_DRAIN: Duration = Duration::from_millis(500);

/// A disk that does not take the rest of an evidence file in this time loses it, not the step.
pub const EVIDENCE_FLUSH: Duration = Duration::from_secs(2);

/// Bytes of an HTTP answer that are read; the rest is counted as unread.
pub const HTTP_BODY_BYTES: usize = 1024 * 1024;

/// Until all sources of a target have answered; PagerDuty's client tries for most of a minute.
pub const LOCATE: Duration = Duration::from_mins(1);

/// Hosts of one target: more are no target but a mistake.
pub const TARGET_HOSTS: usize = 100;

/// How deep the details of alerts are looked into, texts that hold JSON included. Monitoring tools
/// need three or four levels.
pub const ALERT_DEPTH: usize = 8;

/// Fields, entries and lines in all details of an incident's alerts together. PagerDuty's answer ends
/// at [`PAGERDUTY_ANSWER_BYTES`]; looking at this many takes some milliseconds.
pub const ALERT_ENTRIES: usize = 20_000;

/// Default time for a step's action.
pub const STEP_TIMEOUT: Duration = Duration::from_mins(1);

/// Default time for a whole run, hand-off included.
pub const RUN_DEADLINE: Duration = Duration::from_mins(20);

// --- rules ---------------------------------------------------------------------------------------

/// How often scenario and customer files are looked at for changes. A change comes into force
/// when it has stood still for one more look.
pub const RELOAD_EVERY: Duration = Duration::from_secs(5);

// --- report ------------------------------------------------------------------------------------

/// One PagerDuty request, connection included.
pub const PAGERDUTY_REQUEST: Duration = Duration::from_secs(10);

/// PagerDuty requests under way at once from one process.
pub const PAGERDUTY_AT_ONCE: usize = 16;

/// Further requests for escalations only, so that a storm of notes never delays a page.
pub const PAGERDUTY_ESCALATIONS_AT_ONCE: usize = 4;

/// Attempts of one PagerDuty call that failed in passing (429, 5xx, no connection).
pub const PAGERDUTY_ATTEMPTS: usize = 6;

/// Wait before the second attempt, plus jitter; it doubles with each further one.
pub const PAGERDUTY_FIRST_WAIT: Duration = Duration::from_millis(200);

/// Wait between two attempts, jitter included, where PagerDuty names none.
pub const PAGERDUTY_LONGEST_WAIT: Duration = Duration::from_secs(10);

/// Part of PagerDuty's own `ratelimit-reset` that is honoured. Its windows are one minute.
pub const PAGERDUTY_RATE_LIMIT_WAIT: Duration = Duration::from_mins(1);

/// Open incidents of an account that are looked at for a step that asks about others.
pub const OPEN_INCIDENTS: usize = 500;

/// Webhook subscriptions of an account that are looked at.
pub const SUBSCRIPTIONS: usize = 1_000;

/// Pages of 100 on-call entries read for one escalation policy (20 rules of 10 targets at most).
pub const PAGERDUTY_ON_CALL_PAGES: usize = 5;

/// Characters of a PagerDuty error shown to people.
pub const PAGERDUTY_MESSAGE_CHARS: usize = 300;

/// Bytes of a PagerDuty answer that are read.
pub const PAGERDUTY_ANSWER_BYTES: usize = 4 * 1024 * 1024;

/// A run that lasts longer than this says so in title and note; a shorter one only tells its end.
pub const START_REPORT_AFTER: Duration = Duration::from_secs(1);

/// A start report that is under way when the run ends gets this long to finish.
pub const START_REPORT_GRACE: Duration = Duration::from_secs(2);

// --- shutdown ----------------------------------------------------------------------------------

/// Runs get this long to end after SIGTERM; what is left is released to the other region.
pub const SHUTDOWN_GRACE: Duration = Duration::from_secs(20);
