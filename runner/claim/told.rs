//! Where else people were told, as far as a run's journal knows: announced before it is done, so that
//! a take-over tells nobody twice. Pure.

use serde::{Deserialize, Serialize};

use super::journal::{Entry, Journal};

/// Told beside PagerDuty, once per run each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToldWhat {
    /// The customer's ticket.
    Ticket,
    /// A ticket of its own for what a workaround leaves to do.
    FollowUp,
    Chat,
    Mail,
}

impl ToldWhat {
    /// The word in journals, markers and metrics.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Ticket => "ticket",
            Self::FollowUp => "follow_up",
            Self::Chat => "chat",
            Self::Mail => "mail",
        }
    }
}

/// What became of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ToldResult {
    Sent,
    /// The other system said no.
    Refused,
    /// Sent, and nobody can say whether it arrived; not sent again.
    Unknown,
    /// Certainly not sent; time ran out.
    GivenUp,
}

impl ToldResult {
    pub const fn word(self) -> &'static str {
        match self {
            Self::Sent => "sent",
            Self::Refused => "refused",
            Self::Unknown => "unknown",
            Self::GivenUp => "given_up",
        }
    }
}

/// How far a run came with it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Telling {
    NotBegun,
    /// Announced; whether it was done is not recorded.
    InDoubt,
    Over {
        result: ToldResult,
        /// The other system's own id.
        reference: Option<String>,
    },
}

impl Journal {
    pub fn telling(&self, about: ToldWhat) -> Telling {
        self.entries().iter().fold(Telling::NotBegun, |known, entry| match entry {
            Entry::Telling { what, .. } if *what == about => Telling::InDoubt,
            Entry::Told { what, result, reference, .. } if *what == about => {
                Telling::Over { result: *result, reference: reference.clone() }
            }
            _ => known,
        })
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn what_was_announced_and_not_recorded_is_in_doubt() {
        let at = Timestamp::UNIX_EPOCH;
        let (what, result) = (ToldWhat::Ticket, ToldResult::Sent);
        let reference = Some("4711".to_owned());
        let journal = Journal::default();
        assert_eq!(journal.telling(what), Telling::NotBegun);
        let journal = journal.with(Entry::Telling { what, at });
        assert_eq!(journal.telling(what), Telling::InDoubt);
        assert_eq!(journal.telling(ToldWhat::Mail), Telling::NotBegun);
        let told = Entry::Told { what, result, reference: reference.clone(), at };
        assert_eq!(journal.with(told).telling(what), Telling::Over { result, reference });
    }
}
