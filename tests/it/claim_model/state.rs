//! What a moment of the modelled world is made of. Small numbers instead of names and times, so
//! that hundreds of thousands of moments fit; `store.rs` turns them into the product's own types.

use ams::incident::Outcome;

/// A process, named anew at each start: even numbers start in one region, odd ones in the other.
pub(super) type Name = u8;
pub(super) type Epoch = u8;

/// One announced attempt at a step's effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Nonce {
    pub by: Name,
    pub epoch: Epoch,
    pub step: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Token {
    pub by: Name,
    pub number: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Opening {
    Triggered,
    Reopened,
}

/// How a run ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum How {
    Verified,
    StoodDown,
    /// An effect was announced, and whether it ran is not known.
    Unknown,
    /// The store did not take the intent: the step was not begun.
    NotBegun,
}

impl How {
    pub(super) const fn outcome(self) -> Outcome {
        match self {
            Self::Verified => Outcome::Resolved,
            Self::StoodDown => Outcome::StoodDown,
            Self::Unknown => Outcome::Escalated,
            Self::NotBegun => Outcome::HandedOff,
        }
    }
}

/// A journal entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Note {
    /// People were asked about this step.
    Asked(u8),
    Intent(Nonce),
    Done(u8),
    Closing(How),
}

pub(super) type Notes = Vec<Note>;

/// The store's item, one to one with `RunItem`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Item {
    pub run: u8,
    pub opening: Opening,
    pub owner: Name,
    pub epoch: Epoch,
    pub token: Token,
    pub notes: Notes,
    pub stand_down: bool,
    pub released: bool,
    pub outcome: Option<How>,
    pub answers: Answers,
}

/// What people said; an answer is named by the step they were asked about.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Answers {
    pub heard: Option<u8>,
    pub given: Option<u8>,
}

/// A request to the store: who sent it, and what it asks.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Request {
    pub from: Name,
    pub ask: Ask,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Ask {
    Claim {
        opening: Opening,
        token: Token,
    },
    TakeOver {
        seen_owner: Name,
        seen_epoch: Epoch,
        token: Token,
    },
    Record {
        epoch: Epoch,
        notes: Notes,
        consent: bool,
    },
    StandDown,
    /// A person's, to the question about this step.
    Answer(u8),
    Release {
        epoch: Epoch,
    },
    Finish {
        epoch: Epoch,
        how: How,
        notes: Notes,
    },
}

/// What becomes of a request and its answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Luck {
    Answered,
    /// It took effect; the sender does not know.
    AnswerLost,
    /// It took no effect; the sender does not know.
    RequestLost,
    /// The sender has given up waiting; it takes effect at any later time.
    Late,
    /// Answered, and a copy of it arrives at any later time.
    Doubled,
}

impl Luck {
    pub(super) const ALL: [Self; 5] =
        [Self::Answered, Self::AnswerLost, Self::RequestLost, Self::Late, Self::Doubled];
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Life {
    Up,
    /// Not scheduled for longer than a lease; it goes on later where it stood.
    Paused,
    /// Its heartbeats have not reached the store for long, and it knows.
    Cut,
    Down,
}

/// One process.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Runner {
    pub name: Name,
    pub life: Life,
    /// Tokens that may still be about.
    pub tokens: u8,
    /// A webhook waits for the answer of a claim that is uncertain.
    pub door: Option<(Opening, Token)>,
    /// A take-over that is uncertain: of whom, at which epoch.
    pub sweep: Option<(Name, Epoch, Token)>,
    pub jobs: Vec<Job>,
}

/// A run as its process carries it out.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Job {
    pub run: u8,
    pub epoch: Epoch,
    /// The process's own copy.
    pub notes: Notes,
    pub phase: Phase,
    /// Its process stood still since it knows that its intent was accepted.
    pub stood_still: bool,
    /// Its process has read that people allow the next step.
    pub allowed: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Phase {
    /// Between steps.
    Next,
    /// An intent is uncertain.
    Intending(Nonce),
    /// The intent is accepted; the effect is about to start.
    MayStart(Nonce),
    /// The effect has started.
    Running(Nonce),
    /// Taken over with this effect in doubt: the host is asked by its marker.
    Asking(Nonce),
    /// The marker was there: its result is waited for.
    Adopting(Nonce),
    /// How the run ends is known here.
    Ending(How),
    /// People are told; the outcome is to be written.
    Told(How),
}

/// How much may still go wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Faults {
    /// Requests and answers that are lost, late or doubled.
    pub messages: u8,
    /// Processes that are killed or told to stop.
    pub crashes: u8,
    /// Processes that stand still or lose their way to the store, for longer than a lease.
    pub stalls: u8,
    /// Processes that come back under a new name.
    pub restarts: u8,
}

/// Webhooks that PagerDuty still has for a region.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Mail {
    pub triggered: u8,
    pub reopened: u8,
    /// A person took the incident.
    pub taken: u8,
}

/// What was found wrong on the way here, one bit per property.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Broken(u16);

impl Broken {
    pub(super) const fn has(self, rule: Rule) -> bool {
        self.0 & (1 << rule as u16) != 0
    }

    pub(super) const fn add(&mut self, rule: Rule) {
        self.0 |= 1 << rule as u16;
    }

    pub(super) const fn any(self) -> bool {
        self.0 != 0
    }
}

/// What must hold whenever something is written or started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    OneOwner,
    Once,
    Consent,
    EndedForGood,
    AbandonedForGood,
    WinnerIsTold,
    NoLateStart,
    ClosedForGood,
    /// No effect that nobody has allowed.
    Approved,
    AskedOnce,
}

/// Everything at one moment.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Moment {
    pub item: Option<Item>,
    pub runners: [Runner; 2],
    /// Requests that arrive at some later time, sorted.
    pub late: Vec<Request>,
    pub mail: [Mail; 2],
    /// Answers of people that PagerDuty still has for each region, one bit for each step.
    pub answers: [u8; 2],
    pub faults: Faults,
    /// The markers on the host, sorted.
    pub markers: Vec<Nonce>,
    // What follows only observes.
    pub observed: Observed,
}

/// What an observer remembers who sees everything.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub(super) struct Observed {
    /// Who wrote or acted under each epoch, from epoch 1.
    pub actors: Vec<Option<Name>>,
    /// Intents accepted while nobody had asked to stand down, sorted.
    pub consented: Vec<Nonce>,
    /// Attempts whose marker was taken by a take-over before they started, sorted.
    pub abandoned: Vec<Nonce>,
    /// Run and step of each start, sorted; twice in it is twice started.
    pub started: Vec<(u8, u8)>,
    /// Epochs named by take-overs that were asked for while the reason held, and arrived late.
    pub taken_late: Vec<Epoch>,
    /// People are asked before each step in this world.
    pub asks: bool,
    /// Run and step of each question that a person has answered, sorted.
    pub approved: Vec<(u8, u8)>,
    pub broken: Broken,
}

/// Keeps a list sorted and without doubles.
pub(super) fn insert<T: Ord>(list: &mut Vec<T>, one: T) {
    if let Err(place) = list.binary_search(&one) {
        list.insert(place, one);
    }
}
