//! What comes next in a run: a walk through its scenario with what was seen so far. Pure.
//!
//! The walk begins at the first step every time and takes results and decisions from the run's
//! memory, so a run that was taken over finds its way by the same function as a live one.

use jiff::Zoned;
use serde_json::Value;

use crate::claim::journal::{DoneResult, StepAt};
use crate::execute::end::{End, Lack};
use crate::execute::memory::Memory;
use crate::execute::world::{Frame, World};
use crate::scenario::expression::{Expression, NoResult};
use crate::scenario::model::{Each, Rung, Scenario, Step, StepKind, Then, WhenHealthy};
use crate::scenario::value::{Values, written};

#[derive(Clone, Debug, PartialEq)]
pub enum Next {
    /// Carry these out, side by side, and ask again.
    Steps(Vec<Ready>),
    /// Find the target, which this step needs, and ask again.
    Locate(Ready),
    End(End),
}

/// A step to carry out, and the loops it stands in.
#[derive(Clone, Debug, PartialEq)]
pub struct Ready {
    pub at: StepAt,
    pub frame: Frame,
}

/// A walk through one scenario.
struct Walk<'a> {
    scenario: &'a Scenario,
    world: &'a World,
    memory: &'a mut Memory,
    now: &'a Zoned,
    /// Among what always runs.
    at_the_end: bool,
    /// A recovery on the way that no verify has passed after.
    unverified: Option<usize>,
    recovered: bool,
}

/// Where a block of steps led.
enum Way {
    /// Through it.
    On,
    /// These steps first.
    Do(Vec<Ready>),
    /// This one needs the target, and it is not known yet.
    Locate(Ready),
    End(End),
}

impl From<End> for Way {
    fn from(end: End) -> Self {
        Self::End(end)
    }
}

/// What is to be done now. `now` decides conditions about the time; each decision is kept.
pub fn next(scenario: &Scenario, world: &World, memory: &mut Memory, now: &Zoned) -> Next {
    let mut walk = Walk {
        scenario,
        world,
        memory,
        now,
        at_the_end: false,
        unverified: None,
        recovered: false,
    };
    match walk.block(&scenario.steps, &Frame::default()) {
        Way::Do(ready) => Next::Steps(ready),
        Way::Locate(ready) => Next::Locate(ready),
        Way::End(end) => Next::End(end),
        Way::On => Next::End(walk.reached_the_end()),
    }
}

/// What always runs at the end; `None` when all of it has run.
pub fn next_always(
    scenario: &Scenario,
    world: &World,
    memory: &mut Memory,
    now: &Zoned,
) -> Option<Next> {
    let mut walk =
        Walk { scenario, world, memory, now, at_the_end: true, unverified: None, recovered: false };
    // A step of it that fails does not keep the others from running.
    scenario.always.iter().find_map(|step| match walk.step(step, &Frame::default()) {
        Way::Do(ready) => Some(Next::Steps(ready)),
        Way::Locate(ready) => Some(Next::Locate(ready)),
        Way::On | Way::End(_) => None,
    })
}

impl Walk<'_> {
    /// The way is through. No verified recovery, no resolve: authors may go on after a verify that
    /// did not pass, but not to this end.
    fn reached_the_end(&self) -> End {
        match self.unverified {
            Some(step) => End::NotVerified { step },
            None if self.recovered => End::Verified,
            None => End::Gathered,
        }
    }

    /// What a step that has its result means for the end.
    fn passed(&mut self, step: &Step, result: DoneResult) {
        match &step.kind {
            StepKind::Recover { .. } => {
                self.recovered = true;
                self.unverified = Some(step.number);
            }
            StepKind::Verify { .. } if result == DoneResult::Met => self.unverified = None,
            // The note names what did not pass, not what it was to prove.
            StepKind::Verify { .. } if self.unverified.is_some() => {
                self.unverified = Some(step.number);
            }
            _ => {}
        }
    }

    fn block(&mut self, steps: &[Step], frame: &Frame) -> Way {
        for step in steps {
            match self.step(step, frame) {
                Way::On => {}
                other => return other,
            }
        }
        Way::On
    }

    fn step(&mut self, step: &Step, frame: &Frame) -> Way {
        let way = self.way(step, frame);
        if matches!(way, Way::End(_)) && !step.kind.is_flow() {
            self.memory.ended_in = frame.clone();
        }
        way
    }

    fn way(&mut self, step: &Step, frame: &Frame) -> Way {
        let at = StepAt { step: step.number, turn: frame.turn.clone() };
        if let Some(when) = &step.when {
            match self.decide(&Memory::entry_of(&at), step, frame, std::slice::from_ref(when)) {
                Ok(0) => return Way::On,
                Ok(_) => {}
                // What undoes something is repeatable, and better done once too often.
                Err(Way::End(_)) if self.at_the_end => {}
                Err(way) => return way,
            }
        }
        if self.awaits_target(step, &at) {
            return Way::Locate(Ready { at, frame: frame.clone() });
        }
        match &step.kind {
            StepKind::Branch { cases, otherwise } => {
                let conditions: Vec<Expression> =
                    cases.iter().map(|case| case.when.clone()).collect();
                match self.decide(&at, step, frame, &conditions) {
                    Ok(0) => self.block(otherwise, frame),
                    Ok(case) => match cases.get(case as usize - 1) {
                        Some(case) => self.block(&case.steps, frame),
                        None => Way::End(ours("the journal names a case that is not there")),
                    },
                    Err(way) => way,
                }
            }
            StepKind::Parallel { steps } => self.side_by_side(steps, frame),
            StepKind::Each(each) => self.each(each, step, &at, frame),
            StepKind::Ladder { rungs, tries } => self.ladder(rungs, *tries, frame),
            StepKind::Resolve { .. } => Way::End(match self.unverified {
                Some(step) => End::NotVerified { step },
                None => End::ResolvedByStep { step: step.number, recovered: self.recovered },
            }),
            StepKind::HandOff(_) => Way::End(End::HandedOffByStep { step: step.number }),
            kind => match self.memory.seen(&at).map(|seen| seen.result) {
                None => Way::Do(vec![Ready { at, frame: frame.clone() }]),
                Some(result) => {
                    self.passed(step, result);
                    end_after(kind, step.number, result).map_or(Way::On, Way::End)
                }
            },
        }
    }

    /// What has its result or its choice needs the target no more.
    fn awaits_target(&self, step: &Step, at: &StepAt) -> bool {
        self.memory.seen(at).is_none()
            && self.memory.chosen(at).is_none()
            && self.world.step_awaits(self.scenario, self.memory, step)
    }

    /// The first condition that holds, from 1; 0 for none. Decided once.
    fn decide(
        &mut self,
        at: &StepAt,
        step: &Step,
        frame: &Frame,
        conditions: &[Expression],
    ) -> Result<u32, Way> {
        if let Some(choice) = self.memory.chosen(at) {
            return Ok(choice);
        }
        let names = conditions.iter().flat_map(Expression::names);
        if self.world.awaits(self.scenario, self.memory, names) {
            let at = StepAt { step: step.number, turn: frame.turn.clone() };
            return Err(Way::Locate(Ready { at, frame: frame.clone() }));
        }
        let values = self.world.values(self.scenario, (self.memory, self.now), frame, None);
        let mut choice = 0;
        for (number, condition) in (1..).zip(conditions) {
            match condition.holds(&values) {
                Ok(true) => {
                    choice = number;
                    break;
                }
                Ok(false) => {}
                Err(NoResult::Missing(name)) => {
                    let lack = self.why_missing(&values, &name);
                    return Err(End::CannotGoOn { step: step.number, lack }.into());
                }
                Err(NoResult::Failed(what)) => {
                    let lack = Lack::Other(what);
                    return Err(End::CannotGoOn { step: step.number, lack }.into());
                }
            }
        }
        self.memory.choose(at.clone(), choice);
        Ok(choice)
    }

    fn why_missing(&self, values: &Values, name: &str) -> Lack {
        self.world.why_missing(self.scenario, self.memory, values, name)
    }

    /// All that is left to do; when nothing is, the first end in the order of the file.
    fn side_by_side(&mut self, steps: &[Step], frame: &Frame) -> Way {
        let (mut ready, mut end) = (Vec::new(), None);
        for step in steps {
            match self.step(step, frame) {
                Way::Do(more) => ready.extend(more),
                Way::End(one) => end = end.or(Some(one)),
                Way::On => {}
                Way::Locate(ready) => return Way::Locate(ready),
            }
        }
        match (ready.is_empty(), end) {
            (false, _) => Way::Do(ready),
            (true, Some(end)) => Way::End(end),
            (true, None) => Way::On,
        }
    }

    /// Group after group; inside a group step by step, side by side.
    fn each(&mut self, each: &Each, step: &Step, at: &StepAt, frame: &Frame) -> Way {
        let entries = match self.entries(each, step, frame) {
            Ok(entries) => entries,
            Err(end) => return Way::End(end),
        };
        let count = u32::try_from(entries.len()).unwrap_or(u32::MAX);
        match self.memory.chosen(at) {
            None => self.memory.choose(at.clone(), count),
            Some(known) if known == count => {}
            Some(_) => return Way::End(ours("the list is not the one the run began with")),
        }
        let names = entries.iter().map(|entry| written(entry, ", ")).collect();
        self.memory.goes_over(at.clone(), names);
        let numbered: Vec<(u32, &Value)> = (0..).zip(&entries).collect();
        for group in numbered.chunks(each.at_once) {
            let (mut ready, mut end) = (Vec::new(), None);
            for (turn, entry) in group {
                let mut inside = frame.clone();
                inside.turn.push(*turn);
                inside.each.insert(each.item.clone(), (*entry).clone());
                match self.block(&each.steps, &inside) {
                    Way::Do(more) => ready.extend(more),
                    Way::End(one) => end = end.or(Some(one)),
                    Way::On => {}
                    Way::Locate(ready) => return Way::Locate(ready),
                }
            }
            // One that went wrong stops the whole: what is left stays untouched.
            if let Some(end) = end {
                return Way::End(end);
            }
            if !ready.is_empty() {
                return Way::Do(ready);
            }
        }
        Way::On
    }

    fn entries(&self, each: &Each, step: &Step, frame: &Frame) -> Result<Vec<Value>, End> {
        let cannot = |lack: Lack| End::CannotGoOn { step: step.number, lack };
        let values = self.world.values(self.scenario, (self.memory, self.now), frame, None);
        let entries = match each.of.evaluate(&values) {
            Ok(Value::Array(entries)) => entries,
            Ok(_) => return Err(cannot(Lack::NoValue(each.of.source().to_owned()))),
            Err(NoResult::Missing(name)) => {
                return Err(cannot(self.why_missing(&values, &name)));
            }
            Err(NoResult::Failed(what)) => return Err(cannot(Lack::Other(what))),
        };
        if entries.len() > each.at_most {
            return Err(cannot(Lack::TooMany { found: entries.len(), most: each.at_most }));
        }
        Ok(entries)
    }

    /// From the first rung up, each as often as it may be tried.
    fn ladder(&mut self, rungs: &[Rung], tries: Option<u32>, frame: &Frame) -> Way {
        let attempts = (0..).zip(rungs).flat_map(|(number, rung): (u32, &Rung)| {
            (0..rung.tries).map(move |attempt| (number * 10 + attempt, rung))
        });
        let attempts: Vec<(u32, &Rung)> =
            attempts.take(tries.map_or(usize::MAX, |tries| tries as usize)).collect();
        let mut last = Way::On;
        for (turn, rung) in attempts {
            let mut inside = frame.clone();
            inside.turn.push(turn);
            last = self.block(&rung.steps, &inside);
            let did_not_help =
                matches!(last, Way::End(End::NotVerified { .. } | End::RecoverFailed { .. }));
            if !did_not_help {
                return last;
            }
        }
        last
    }
}

fn ours(what: &str) -> End {
    End::Ours { what: what.to_owned() }
}

fn end_after(kind: &StepKind, step: usize, result: DoneResult) -> Option<End> {
    match (kind, result) {
        (StepKind::Check { when_healthy, .. }, DoneResult::Met) => match when_healthy {
            WhenHealthy::Resolve => Some(End::Healthy { step }),
            WhenHealthy::HandOff => Some(End::AlertAndHostDisagree { step }),
            WhenHealthy::Continue => None,
        },
        (StepKind::Check { when_broken: Then::HandOff, .. }, DoneResult::NotMet) => {
            Some(End::BrokenForPeople { step })
        }
        (
            StepKind::Check { when_unclear: Then::HandOff, .. }
            | StepKind::Recover { when_unclear: Then::HandOff, .. }
            | StepKind::Verify { when_broken: Then::HandOff, .. },
            DoneResult::Unclear,
        ) => Some(End::Unclear { step }),
        (StepKind::Recover { when_failed: Then::HandOff, .. }, DoneResult::NotMet) => {
            Some(End::RecoverFailed { step })
        }
        (StepKind::Verify { when_broken: Then::HandOff, .. }, DoneResult::NotMet) => {
            Some(End::NotVerified { step })
        }
        (
            StepKind::Approve { when_not_approved: Then::HandOff, .. },
            DoneResult::NotMet | DoneResult::Unclear,
        ) => Some(End::NotApproved { step }),
        _ => None,
    }
}
