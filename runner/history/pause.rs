//! Who has paused what and why, in words. The claim store has only marks and an id.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// Where these lie in the history, each under the pause's id.
pub const SHELF: &str = "pause";

/// One pause as its operator said it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PauseWords {
    pub by: String,
    pub reason: String,
    /// What is paused; nothing of these means everything.
    pub customer: Option<String>,
    pub group: Option<String>,
    pub host: Option<String>,
    pub scenario: Option<String>,
    pub at: Option<Timestamp>,
    pub until: Option<Timestamp>,
    /// Who ended it before its time, and when.
    #[serde(default)]
    pub ended_by: Option<String>,
    #[serde(default)]
    pub ended_at: Option<Timestamp>,
}

impl PauseWords {
    /// `None` for what no version has written.
    pub fn of_text(text: &str) -> Option<Self> {
        serde_json::from_str(text).ok()
    }

    pub fn to_text(&self) -> String {
        serde_json::to_string(self).unwrap_or_default()
    }
}
