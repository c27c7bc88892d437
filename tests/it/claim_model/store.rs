//! The store of the model: the product's own `judge`, applied to the product's own item.

use std::cell::RefCell;
use std::collections::HashMap;

use ams::claim::journal::{DoneResult, Doubt, Entry, Journal, Reason, Standing, StepAt};
use ams::claim::protocol::{
    Answer as Said, Answers, ClaimToken, Event, Opening as Opened, Refusal, RunItem, ScenarioRef,
    StandDown, StandDownReason, Verdict, judge,
};
use ams::incident::{IncidentId, Owner, RunId};
use jiff::{SignedDuration, Timestamp};

use super::planted::Planted;
use super::state::{self, Ask, How, Item, Nonce, Note, Opening, Request, Token};

const NOW: Timestamp = Timestamp::UNIX_EPOCH;
pub(super) const REOPENED_AT: &str = "2026-03-02T12:00:00Z";

/// What the sender hears.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// It is so; whether it had to be written does not matter to the sender.
    Yes,
    StandDown,
    /// To be delivered again.
    StillOpen,
    No,
}

type Asked = (Option<Item>, Request, Option<Planted>);
type Judged = (Option<Item>, Answer);

thread_local! {
    /// `judge` is pure, so what it said once holds; names and times need not be made again.
    static JUDGED: RefCell<HashMap<Asked, Judged>> = RefCell::default();
}

/// Judges the request, and answers with the item as it is then.
pub(super) fn apply(item: Option<&Item>, request: &Request, planted: Option<Planted>) -> Judged {
    let key = (item.cloned(), request.clone(), planted);
    let known = JUDGED.with_borrow(|judged| judged.get(&key).cloned());
    known.unwrap_or_else(|| {
        let judged = ask(item, request, planted);
        JUDGED.with_borrow_mut(|all| all.insert(key, judged.clone()));
        judged
    })
}

fn ask(item: Option<&Item>, request: &Request, planted: Option<Planted>) -> Judged {
    let mut found = item.map(run_item);
    let mut event = event(request);
    if let Some(planted) = planted {
        planted.before_judge(&mut found, &mut event);
    }
    match judge(&incident(), found.as_ref(), &event, NOW) {
        Verdict::Write(mut new) => {
            if let Some(planted) = planted {
                planted.after_judge(item.map_or(0, |item| item.epoch), &event, &mut new);
            }
            (Some(small_item(&new)), Answer::Yes)
        }
        Verdict::AlreadySo(_) => (item.cloned(), Answer::Yes),
        Verdict::Refuse(refusal) => {
            let answer = match refusal {
                Refusal::StandDown { .. } => Answer::StandDown,
                Refusal::StillOpen { .. } => Answer::StillOpen,
                _ => Answer::No,
            };
            (item.cloned(), answer)
        }
    }
}

/// Where a run stands for a new owner, by the product's own reading of the journal.
pub(super) fn standing(notes: &[Note]) -> Stand {
    match journal(notes).standing() {
        Standing::Between => Stand::Between,
        Standing::InDoubt { effects } => {
            let Doubt { step, nonce, .. } = effects.last().unwrap();
            Stand::InDoubt(small_nonce(step, nonce))
        }
        Standing::Closing { reason, .. } => Stand::Closing(how_of(reason)),
    }
}

/// [`Standing`] in small.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stand {
    Between,
    InDoubt(Nonce),
    Closing(How),
}

fn incident() -> IncidentId {
    IncidentId::parse("PT4KHLK").unwrap()
}

fn owner(name: u8) -> Owner {
    Owner::new(name.to_string())
}

fn token(token: Token) -> ClaimToken {
    ClaimToken::from_text(format!("{}.{}", token.by, token.number))
}

fn opened(opening: Opening) -> Opened {
    match opening {
        Opening::Triggered => Opened::Triggered,
        Opening::Reopened => Opened::Reopened { at: REOPENED_AT.to_owned() },
    }
}

fn reason(how: How) -> Reason {
    match how {
        How::Verified => Reason::Verified,
        How::StoodDown => Reason::StoodDown,
        How::Unknown => Reason::OutcomeUnknown { step: 0 },
        How::NotBegun => Reason::Ours,
    }
}

fn how_of(reason: Reason) -> How {
    match reason {
        Reason::Verified => How::Verified,
        Reason::StoodDown => How::StoodDown,
        Reason::OutcomeUnknown { .. } => How::Unknown,
        _ => How::NotBegun,
    }
}

fn entry(note: Note) -> Entry {
    match note {
        Note::Asked(step) => Entry::Asked {
            step: StepAt::plain(step.into()),
            number: u32::from(step) + 1,
            until: Timestamp::MAX,
            at: asked_at(step),
        },
        Note::Intent(Nonce { by, epoch, step }) => Entry::Intent {
            step: StepAt::plain(step.into()),
            nonce: format!("{by}.{epoch}"),
            trace: None,
            at: NOW,
        },
        Note::Done(step) => {
            Entry::Done { step: StepAt::plain(step.into()), result: DoneResult::Met, at: NOW }
        }
        Note::Closing(how) => Entry::Closing {
            outcome: how.outcome(),
            reason: reason(how),
            escalate_to: None,
            at: NOW,
        },
    }
}

fn journal(notes: &[Note]) -> Journal {
    notes.iter().fold(Journal::default(), |journal, note| journal.with(entry(*note)))
}

fn event(Request { from, ask }: &Request) -> Event {
    let by = owner(*from);
    match ask {
        Ask::Claim { opening, token: own } => Event::Claim {
            opening: opened(*opening),
            owner: by,
            token: token(*own),
            scenario: Some(scenario()),
            outcome: None,
        },
        Ask::TakeOver { seen_owner, seen_epoch, token: own } => Event::TakeOver {
            seen_owner: owner(*seen_owner),
            seen_epoch: (*seen_epoch).into(),
            by,
            token: token(*own),
        },
        Ask::Record { epoch, notes, consent } => Event::Record {
            owner: by,
            epoch: (*epoch).into(),
            journal: journal(notes),
            consent: *consent,
        },
        Ask::StandDown => Event::StandDown {
            reason: StandDownReason::Acknowledged,
            by: None,
            happened: None,
            run: None,
        },
        Ask::Answer(step) => Event::Answer(said(*step)),
        Ask::Release { epoch } => Event::Release { owner: by, epoch: (*epoch).into() },
        Ask::Finish { epoch, how, notes } => Event::Finish {
            owner: by,
            epoch: (*epoch).into(),
            outcome: how.outcome(),
            journal: journal(notes),
        },
    }
}

/// Questions follow each other so fast that an answer to one might be taken for one to the next: the
/// clocks that date them may be five seconds apart.
fn asked_at(step: u8) -> Timestamp {
    NOW + SignedDuration::from_secs(4 * i64::from(step) + 10)
}

fn said(step: u8) -> Said {
    let at = asked_at(step) + SignedDuration::from_secs(2);
    Said { approved: true, by: Some("P1".to_owned()), at }
}

fn step_answered(at: Timestamp) -> u8 {
    (0..=u8::MAX).find(|step| said(*step).at == at).unwrap()
}

fn scenario() -> ScenarioRef {
    ScenarioRef { id: "s".to_owned(), hash: String::new(), customer: None }
}

fn run_item(item: &Item) -> RunItem {
    let stand_down = StandDown { reason: StandDownReason::Acknowledged, by: None, at: NOW };
    RunItem {
        run: RunId { incident: incident(), number: item.run.into() },
        opening: opened(item.opening),
        owner: owner(item.owner),
        epoch: item.epoch.into(),
        token: token(item.token),
        scenario: Some(scenario()),
        journal: journal(&item.notes),
        stand_down: item.stand_down.then_some(stand_down),
        released: item.released,
        outcome: item.outcome.map(How::outcome),
        opened_at: NOW,
        changed_at: NOW,
        answers: Answers {
            heard: item.answers.heard.map(|step| said(step).at),
            given: item.answers.given.map(said).into_iter().collect(),
        },
    }
}

/// The way back; whatever the small item cannot hold would be noticed here.
fn small_item(item: &RunItem) -> Item {
    let small = Item {
        run: item.run.number.try_into().unwrap(),
        opening: match item.opening {
            Opened::Triggered => Opening::Triggered,
            Opened::Reopened { .. } => Opening::Reopened,
        },
        owner: item.owner.as_str().parse().unwrap(),
        epoch: item.epoch.try_into().unwrap(),
        token: small_token(&item.token),
        notes: item.journal.entries().iter().map(note).collect(),
        stand_down: item.stand_down.is_some(),
        released: item.released,
        outcome: item.outcome.map(|outcome| {
            let all = [How::Verified, How::StoodDown, How::Unknown, How::NotBegun];
            all.into_iter().find(|how| how.outcome() == outcome).unwrap()
        }),
        answers: state::Answers {
            heard: item.answers.heard.map(step_answered),
            given: item.answers.given.last().map(|answer| step_answered(answer.at)),
        },
    };
    assert_eq!(run_item(&small), *item, "the model would forget something");
    small
}

fn small_token(token: &ClaimToken) -> Token {
    let text = serde_json::to_value(token).unwrap();
    let (by, number) = text.as_str().unwrap().split_once('.').unwrap();
    Token { by: by.parse().unwrap(), number: number.parse().unwrap() }
}

fn note(entry: &Entry) -> Note {
    match entry {
        Entry::Intent { step, nonce, .. } => Note::Intent(small_nonce(step, nonce)),
        Entry::Done { step, .. } => Note::Done(step.step.try_into().unwrap()),
        Entry::Closing { reason, .. } => Note::Closing(how_of(*reason)),
        Entry::Asked { step, .. } => Note::Asked(step.step.try_into().unwrap()),
        Entry::Way { .. }
        | Entry::Deferred { .. }
        | Entry::Answered { .. }
        | Entry::NotPaged { .. }
        | Entry::LastResort { .. }
        | Entry::Telling { .. }
        | Entry::Told { .. } => {
            unreachable!("the model writes no such entry")
        }
    }
}

fn small_nonce(step: &StepAt, nonce: &str) -> Nonce {
    let (by, epoch) = nonce.split_once('.').unwrap();
    let (by, epoch) = (by.parse().unwrap(), epoch.parse().unwrap());
    Nonce { by, epoch, step: step.step.try_into().unwrap() }
}
