//! Long random histories of one incident: whatever is asked in whatever order, the invariants of
//! docs/claim-protocol.md hold after every single event.

use std::collections::BTreeMap;

use ams::claim::journal::{Entry, Journal, StepAt};
use ams::claim::protocol::{
    Answer, ClaimToken, Event, Opening, RUNS_PER_INCIDENT, RunItem, StandDownReason, Verdict, judge,
};
use ams::incident::{Outcome, Owner};
use jiff::{SignedDuration, Timestamp};

use super::incident;

const HISTORIES: u64 = 2_000;
const EVENTS: u32 = 60;

/// Small and the same everywhere, so that a seed in a failure message repeats it.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: u64) -> u64 {
        // splitmix64
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (bits ^ (bits >> 31)) % limit
    }

    fn coin(&mut self) -> bool {
        self.below(2) == 0
    }
}

/// What has been seen of one incident so far.
#[derive(Default)]
struct World {
    item: Option<RunItem>,
    owners: BTreeMap<u64, Owner>,
    tokens: u64,
    writes: u32,
}

#[test]
fn invariants_hold_in_every_history() {
    let (mut runs, mut take_overs, mut refusals) = (0, 0, 0);
    for seed in 0..HISTORIES {
        let mut dice = Dice(seed);
        let mut world = World::default();
        let mut at: Timestamp = "2026-03-02T12:00:00Z".parse().unwrap();
        for number in 0..EVENTS {
            at += SignedDuration::from_secs(1);
            let event = world.any_event(&mut dice, at);
            let context = || format!("seed {seed}, event {number}: {event:?}\n{:?}", world.item);
            let verdict = judge(&incident("PT4KHLK"), world.item.as_ref(), &event, at);
            let before = world.item.as_ref();
            match &verdict {
                Verdict::Write(after) => {
                    check_write(before, &event, after, &context());
                    check_owner(&mut world.owners, after, &format!("seed {seed}, {number}"));
                    check_repeat(&event, after, at, &format!("seed {seed}, {number}"));
                    take_overs += u32::from(matches!(event, Event::TakeOver { .. }));
                    runs += u32::from(matches!(event, Event::Claim { .. }));
                    world.item = Some(after.clone());
                    world.writes += 1;
                }
                Verdict::AlreadySo(item) => assert_eq!(Some(item), before, "{}", context()),
                Verdict::Refuse(_) => refusals += 1,
            }
        }
    }
    println!("{HISTORIES} histories: {runs} runs, {take_overs} take-overs, {refusals} refusals");
    // The dice reach the interesting corners, or the test proves nothing.
    assert!(runs > 2_500 && take_overs > 2_000 && refusals > 10_000);
}

/// What one written event may change.
fn check_write(before: Option<&RunItem>, event: &Event, after: &RunItem, context: &str) {
    let Some(before) = before else {
        assert_eq!((after.run.number, after.epoch), (1, 1), "{context}");
        assert!(matches!(event, Event::Claim { .. }), "{context}");
        return;
    };
    assert!(after.epoch >= before.epoch, "the epoch fell: {context}");
    assert!(after.run.number <= RUNS_PER_INCIDENT, "{context}");
    if after.run == before.run {
        assert!(before.outcome.is_none(), "written after the outcome: {context}");
        assert_eq!(after.opened_at, before.opened_at, "{context}");
        if before.stand_down.is_some() {
            assert_eq!(after.stand_down, before.stand_down, "a wish was lost: {context}");
            assert!(!matches!(event, Event::Record { consent: true, .. }), "{context}");
        }
        let new_owner = after.owner != before.owner || after.token != before.token;
        assert_eq!(after.epoch, before.epoch + u64::from(new_owner), "{context}");
        let writes_journal = matches!(event, Event::Record { .. } | Event::Finish { .. });
        assert!(writes_journal || after.journal == before.journal, "{context}");
    } else {
        assert!(before.outcome.is_some(), "two runs at once: {context}");
        assert_eq!(after.run.number, before.run.number + 1, "{context}");
        assert_eq!(after.epoch, before.epoch + 1, "{context}");
        assert!(after.opening != before.opening, "the same opening twice: {context}");
        assert!(after.stand_down.is_none() && !after.released, "{context}");
        assert_eq!(after.journal, Journal::default(), "{context}");
    }
}

/// Two owners of one epoch would both be allowed to act.
fn check_owner(owners: &mut BTreeMap<u64, Owner>, after: &RunItem, context: &str) {
    let owner = owners.entry(after.epoch).or_insert_with(|| after.owner.clone());
    assert_eq!(*owner, after.owner, "two owners of epoch {}: {context}", after.epoch);
}

/// An answer may be lost: asking again must find the first answer, not a second effect.
fn check_repeat(event: &Event, after: &RunItem, at: Timestamp, context: &str) {
    let again = judge(&after.run.incident, Some(after), event, at);
    match (event, again) {
        (
            Event::Claim { .. }
            | Event::TakeOver { .. }
            | Event::Record { .. }
            | Event::Finish { .. }
            | Event::StandDown { .. }
            | Event::Answer(_),
            again,
        ) => assert_eq!(again, Verdict::AlreadySo(after.clone()), "{context}"),
        (Event::Release { .. }, again) => {
            assert_eq!(again, Verdict::Write(after.clone()), "{context}");
        }
    }
}

impl World {
    /// Mostly plausible, sometimes from somebody who is late or wrong.
    fn any_event(&mut self, dice: &mut Dice, at: Timestamp) -> Event {
        let owner = self.owner(dice);
        let current = self.item.as_ref().map_or(1, |item| item.epoch);
        let epoch = if dice.below(4) == 0 { dice.below(current + 2) } else { current };
        match dice.below(13) {
            0..=2 => Event::Claim {
                opening: opening(dice),
                token: self.token(dice),
                scenario: None,
                outcome: (dice.below(8) == 0).then_some(Outcome::Unmatched),
                owner,
            },
            3..=5 => {
                Event::Record { owner, epoch, journal: self.journal(at), consent: dice.coin() }
            }
            6 => {
                let reasons = [StandDownReason::Acknowledged, StandDownReason::Merged];
                let by = dice.coin().then(|| "PLH1HKV".to_owned());
                Event::StandDown {
                    reason: reasons[usize::from(dice.coin())],
                    by,
                    happened: None,
                    run: None,
                }
            }
            7 => Event::Release { owner, epoch },
            10 => {
                let by = Some(["P1", "P2"][usize::from(dice.coin())].to_owned());
                Event::Answer(Answer { approved: dice.coin(), by, at })
            }
            8 | 9 => Event::TakeOver {
                seen_owner: owner,
                seen_epoch: epoch,
                by: Owner::new(["a", "b", "c"][usize::try_from(dice.below(3)).unwrap()]),
                token: self.token(dice),
            },
            _ => Event::Finish {
                owner,
                epoch,
                outcome: [Outcome::Resolved, Outcome::Escalated][usize::from(dice.coin())],
                journal: self.journal(at),
            },
        }
    }

    fn owner(&self, dice: &mut Dice) -> Owner {
        match &self.item {
            Some(item) if dice.below(4) > 0 => item.owner.clone(),
            _ => Owner::new(["a", "b", "c"][usize::try_from(dice.below(3)).unwrap()]),
        }
    }

    /// A fresh one, or now and then one that was used: a request that was sent again.
    fn token(&mut self, dice: &mut Dice) -> ClaimToken {
        if dice.below(10) > 0 {
            self.tokens += 1;
        }
        ClaimToken::from_text(self.tokens.to_string())
    }

    fn journal(&self, at: Timestamp) -> Journal {
        let entry = Entry::Intent {
            step: StepAt::plain(0),
            nonce: self.writes.to_string(),
            trace: None,
            at,
        };
        let asked = Entry::Asked { step: StepAt::plain(0), number: 1, until: at, at };
        let journal = Journal::default().with(entry);
        if self.writes.is_multiple_of(2) { journal.with(asked) } else { journal }
    }
}

fn opening(dice: &mut Dice) -> Opening {
    match dice.below(10) {
        0..=2 => Opening::Triggered,
        hour => Opening::Reopened { at: format!("2026-03-02T1{hour}:00:00Z") },
    }
}
