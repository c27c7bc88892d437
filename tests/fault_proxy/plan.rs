//! Which faults there are, how often they happen, and what is counted.

use std::collections::BTreeMap;
use std::time::Duration;

/// What can happen to one request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Fault {
    /// The path is cut.
    Cut,
    /// The connection is closed before anything took effect.
    LoseRequest,
    /// The connection is closed after it took effect.
    LoseAnswer,
    /// `ReplicatedWriteConflictException`: not carried out. Writes of DynamoDB only.
    Conflict,
    /// `ProvisionedThroughputExceededException`: not carried out. DynamoDB only.
    Throttle,
    /// `AccessDeniedException`: not carried out. By plan only.
    Deny,
    /// HTTP 500, not carried out.
    ErrorBefore,
    /// HTTP 500, carried out all the same.
    ErrorAfter,
}

/// How a cut path looks from the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    /// Every connection is closed at once.
    Closed,
    /// Nothing is ever answered, as where packets are dropped.
    Silent,
}

/// Chances are parts of 1, and together at most 1: each request meets one fault or none.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Faults {
    pub(crate) cut: Option<Cut>,
    /// On the way there. What was sent takes effect even when its client has gone meanwhile.
    pub(crate) slow_request: Duration,
    /// On the way back.
    pub(crate) slow_answer: Duration,
    pub(crate) lose_request: f64,
    pub(crate) lose_answer: f64,
    pub(crate) conflict: f64,
    pub(crate) throttle: f64,
    pub(crate) error_before: f64,
    pub(crate) error_after: f64,
}

impl Faults {
    /// The fault at this point between 0 and 1.
    pub(super) fn pick(&self, mut point: f64, operation: &str) -> Option<Fault> {
        let chances = [
            (Fault::LoseRequest, self.lose_request),
            (Fault::LoseAnswer, self.lose_answer),
            (Fault::Conflict, self.conflict),
            (Fault::Throttle, self.throttle),
            (Fault::ErrorBefore, self.error_before),
            (Fault::ErrorAfter, self.error_after),
        ];
        let met = chances.into_iter().find(|(_, chance)| {
            point -= chance;
            point < 0.0
        });
        met.map(|(fault, _)| fault).filter(|fault| fault.can_meet(operation))
    }
}

impl Fault {
    fn can_meet(self, operation: &str) -> bool {
        // DynamoDB's operations are words like PutItem, HTTP's methods are capitals.
        let is_dynamodb = operation.contains(char::is_lowercase);
        match self {
            Self::Conflict => ["PutItem", "UpdateItem", "DeleteItem"].contains(&operation),
            Self::Throttle => is_dynamodb,
            _ => true,
        }
    }
}

/// A fault that is certain.
pub(super) struct Planned {
    pub(super) left: usize,
    pub(super) operation: String,
    pub(super) fault: Fault,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Carried {
    pub(crate) requests: u64,
    /// KiB of each request's body, rounded up: an upper bound of the write units it costs.
    pub(crate) kib: u64,
}

/// By operation: `PutItem` for DynamoDB, `GET` for others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Requests that came to the proxy.
    pub(crate) asked: BTreeMap<String, u64>,
    /// Requests that upstream has answered: what DynamoDB would bill.
    pub(crate) carried_out: BTreeMap<String, u64>,
    /// Those of them whose condition did not hold; they are billed as writes.
    pub(crate) conditions_failed: BTreeMap<String, u64>,
    /// By table and operation, of what was carried out.
    pub(crate) tables: BTreeMap<(String, String), Carried>,
    pub(crate) faults: BTreeMap<Fault, u64>,
}

impl Counts {
    pub(crate) fn carried_out(&self, operation: &str) -> u64 {
        self.carried_out.get(operation).copied().unwrap_or_default()
    }

    pub(crate) fn conditions_failed(&self, operation: &str) -> u64 {
        self.conditions_failed.get(operation).copied().unwrap_or_default()
    }

    pub(crate) fn faults(&self, fault: Fault) -> u64 {
        self.faults.get(&fault).copied().unwrap_or_default()
    }
}

/// Chance that can be repeated (`SplitMix64`).
pub(super) struct Dice(u64);

impl Dice {
    pub(super) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// At least 0 and below 1.
    pub(super) fn roll(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        // 32 bits are exact in a float, and fine enough.
        f64::from(u32::try_from(mixed >> 32).unwrap_or(u32::MAX)) / (f64::from(u32::MAX) + 1.0)
    }
}
