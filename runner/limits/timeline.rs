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
