//! How a command goes, in SSM's words.

use std::borrow::Cow;

use jiff::Timestamp;

/// The word of `Status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Status {
    Pending,
    Delayed,
    InProgress,
    Success,
    Cancelled,
    Failed,
    TimedOut,
}

impl Status {
    pub(in super::super) const fn word(self) -> &'static str {
        match self {
            Self::Pending => "Pending",
            Self::Delayed => "Delayed",
            Self::InProgress => "InProgress",
            Self::Success => "Success",
            Self::Cancelled => "Cancelled",
            Self::Failed => "Failed",
            Self::TimedOut => "TimedOut",
        }
    }

    pub(in super::super) const fn is_final(self) -> bool {
        !matches!(self, Self::Pending | Self::Delayed | Self::InProgress)
    }
}

/// What SSM says about a command at one time.
#[derive(Clone, Debug)]
pub(in super::super) struct Phase {
    pub(in super::super) status: Status,
    /// The word of `StatusDetails`, without spaces.
    pub(in super::super) details: Cow<'static, str>,
    /// −1 as long as no script has ended.
    pub(in super::super) code: i32,
    pub(in super::super) stdout: String,
    pub(in super::super) stderr: String,
    /// When the script began and ended.
    pub(in super::super) times: [Option<Timestamp>; 2],
}

impl Phase {
    pub(in super::super) fn new(status: Status, details: impl Into<Cow<'static, str>>) -> Self {
        let (stdout, stderr) = (String::new(), String::new());
        Self { status, details: details.into(), code: -1, stdout, stderr, times: [None; 2] }
    }

    /// Where the detail is the status.
    pub(in super::super) fn plain(status: Status) -> Self {
        Self::new(status, status.word())
    }

    /// An end by its detailed word alone.
    pub(in super::super) fn ended(details: &str) -> Self {
        let status = match details {
            "Success" => Status::Success,
            "ExecutionTimedOut" | "DeliveryTimedOut" => Status::TimedOut,
            "Cancelled" | "Terminated" => Status::Cancelled,
            _ => Status::Failed,
        };
        let code = if status == Status::Success { 0 } else { -1 };
        Self { code, ..Self::new(status, details.to_owned()) }
    }

    /// `ExecutionTimedOut`, or with spaces as the user guide has it.
    pub(in super::super) fn details(&self, spaced: bool) -> String {
        let mut words = String::new();
        for character in self.details.chars() {
            if spaced && character.is_uppercase() && !words.is_empty() {
                words.push(' ');
            }
            words.push(character);
        }
        words
    }
}
