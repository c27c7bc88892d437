//! Bounds of what people see of an incident in PagerDuty.

use std::time::Duration;

/// PagerDuty titles come from Events API summaries, which end at 1,024 characters. Counted in UTF-16
/// units, in which an emoji is two: whichever way PagerDuty counts, a title fits.
pub const TITLE_CHARS: usize = 1_024;

/// PagerDuty's note limit is 65,535 single-byte characters (its page "Edit Incidents"); Japanese
/// counts three bytes each.
pub const NOTE_BYTES: usize = 60_000;

/// Bytes of each text of an author's in a note: one that is filled in with a whole log must leave
/// room for what AMS saw and did.
pub const NOTE_PART_BYTES: usize = 12_000;

/// A note that did not fit is written to where evidence is kept; a disk that does not take it by
/// then leaves people with the part that fits.
pub const NOTE_KEPT_WITHIN: Duration = Duration::from_secs(2);

/// Until PagerDuty has said what a title was before it was shortened: within a webhook's time.
pub const WHOLE_TITLE: Duration = Duration::from_millis(1_500);

/// What the account's plan lacks is asked for again after this.
pub const PLAN_REMEMBERED: Duration = Duration::from_hours(1);

/// Bytes of a status update. PagerDuty documents no limit; it goes out as mail, push and text message.
pub const STATUS_UPDATE_BYTES: usize = 4_000;

/// A status update, or the custom fields, with all attempts: the outcome is recorded after it.
pub const BESIDE_WITHIN: Duration = Duration::from_secs(15);

/// Between two edits of a run's start note, at least: each is a request of the account's 960 a minute.
pub const PROGRESS_EVERY_LEAST: Duration = Duration::from_secs(30);

/// Steps that a start note shows as done, the newest; a loop over many hosts has hundreds.
pub const PROGRESS_STEPS: usize = 60;
