//! Telling people beside PagerDuty: tickets, chat, mail.

use std::time::Duration;

/// The last note waits this long for the ticket's key and the rest, after the page. Longer, and who
/// was woken finds an incident without a note.
pub const PACKET_BEFORE_NOTE: Duration = Duration::from_secs(8);

/// Chat and mail wait this long for the ticket's key, within the time of the note.
pub const PACKET_TICKET_FIRST: Duration = Duration::from_secs(4);

/// From the page until a place that does not answer is given up. The run stays open until then.
pub const PACKET_LATEST: Duration = Duration::from_mins(2);

/// One request to a ticket system or chat, or one conversation with a mail server.
pub const PACKET_REQUEST: Duration = Duration::from_secs(10);

/// A request whose answer was lost has arrived after this, or never does.
pub const PACKET_ARRIVES: Duration = Duration::from_secs(2);

/// Between attempts, growing.
pub const PACKET_FIRST_PAUSE: Duration = Duration::from_millis(500);
pub const PACKET_LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// Runs that tell one system something at once. In a storm the others wait within their own time.
pub const PACKET_AT_ONCE: usize = 4;

/// Bytes of an answer. Fifty issues come with their descriptions, of 100,000 characters each at most.
pub const PACKET_ANSWER_BYTES: usize = 32 * 1024 * 1024;

/// Issues that are looked at for an open one, or for one that was made already: the newest.
pub const BACKLOG_ISSUES: usize = 500;

/// Of them in one answer, the most that Backlog gives (Backlog API, Get Issue List).
pub const BACKLOG_PAGE: usize = 100;

/// Comments of an issue that are looked at for one that was made already: the newest.
pub const BACKLOG_COMMENTS: usize = 50;

/// Characters that Backlog takes; it refuses more (error 7, measured by others:
/// <https://qiita.com/otLenz/items/8e21020b37880f6392c6>).
pub const BACKLOG_SUMMARY_CHARS: usize = 255;
pub const BACKLOG_DESCRIPTION_CHARS: usize = 100_000;
pub const BACKLOG_COMMENT_CHARS: usize = 50_000;

/// What a Backlog project has (issue types, states) is asked for again after this.
pub const BACKLOG_KNOWN: Duration = Duration::from_mins(10);

/// Projects whose parts are remembered.
pub const BACKLOG_PROJECTS: usize = 1_000;

/// Block Kit: blocks in a message, characters of a section, of a header, of a field of a section
/// (<https://docs.slack.dev/reference/block-kit/blocks>).
pub const SLACK_BLOCKS: usize = 50;
pub const SLACK_SECTION_CHARS: usize = 3_000;
pub const SLACK_HEADER_CHARS: usize = 150;
pub const SLACK_FIELD_CHARS: usize = 2_000;

/// Characters of all blocks together. Slack documents no such limit and refuses more than about 13,200
/// (`msg_blocks_too_long`, <https://github.com/slackapi/bolt-js/issues/2509>).
pub const SLACK_MESSAGE_CHARS: usize = 12_000;

/// Messages of a channel or thread that are looked at for one that was posted already.
pub const SLACK_MESSAGES: usize = 100;

/// How long an incident's thread is remembered. A later reopening begins a new one.
pub const SLACK_THREAD_KEPT: Duration = Duration::from_hours(24 * 30);

/// Characters of a subject; RFC 5322 folds long ones, and phones show forty.
pub const MAIL_SUBJECT_CHARS: usize = 200;
