//! The only loop that acts: record, act, record, until the plan says the run has ended.

use std::sync::Arc;
use std::time::Duration;

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};
use tokio::sync::{Notify, watch};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;

use crate::claim::heartbeat::Pulse;
use crate::claim::hold::Hold;
use crate::claim::journal::{DoneResult, Journal, StepAt};
use crate::claim::protocol::{Refusal, StandDown};
use crate::claim::{Claim, Claims};
use crate::clock::Clock;
use crate::execute::actuator::{Actuator, Observation};
use crate::execute::end::{End, Told};
use crate::execute::memory::{Memory, Seen};
pub use crate::execute::people::{Allowed, AskPeople, Passes, Question};
use crate::execute::plan::{self, Next, Ready};
use crate::execute::prepare::Moment;
use crate::execute::round::entry;
use crate::execute::so_far::SoFar;
use crate::execute::sources::Sources;
use crate::execute::verdict::{Verdict, Why};
use crate::execute::world::World;
use crate::guard::{self, Guards};
use crate::history::History;
use crate::incident::{Outcome, Urgency};
use crate::rules::Rules;
use crate::scenario::model::{Effect, HandOff, Mode, Scenario, StepKind, Ticket};
use crate::scenario::template::Template;
use crate::scenario::value::Values;

/// What a run acts with; the same for all runs of a process.
pub struct Executor {
    pub claims: Claims,
    pub pulse: Pulse,
    pub actuator: Arc<dyn Actuator>,
    pub clock: Arc<dyn Clock>,
    pub history: Arc<dyn History>,
    /// What customers say now: a suspension may come in the middle of a run.
    pub rules: Rules,
    pub guards: Guards,
    /// What limits recoveries everywhere.
    pub limits: guard::rules::Rules,
    /// Whom a run asks which hosts it is about.
    pub sources: Sources,
}

/// One run as it begins or is taken over.
pub struct RunPlan<'a> {
    pub hold: &'a Arc<Hold>,
    pub scenario: &'a Scenario,
    pub world: World,
    /// Times of day are meant in this zone.
    pub zone: TimeZone,
    pub mode: Mode,
    /// What earlier owners recorded; empty at the beginning.
    pub journal: Journal,
    /// What they saw and decided.
    pub memory: Memory,
    /// Set when only what always runs at the end is left.
    pub end: Option<End>,
    /// Steps must have ended by then; what is left is for telling people.
    pub act_until: Instant,
    /// The time for steps, from the run's beginning.
    pub room: Duration,
    pub signals: RunSignals,
}

impl RunPlan<'_> {
    pub(super) fn claim(&self) -> &Claim {
        self.hold.claim()
    }
}

/// What reaches a run from outside while it goes on, and what it says meanwhile.
#[derive(Clone)]
pub struct RunSignals {
    /// Somebody asked to stand down.
    pub stand_down: watch::Receiver<Option<StandDown>>,
    /// The process shuts down: leave the run to others where nothing is under way.
    pub leave: CancellationToken,
    /// Stop where you are, also in the middle of a recovery.
    pub halt: CancellationToken,
    /// Told right before the first change, so that the incident's title can say it.
    pub about_to_change: Arc<Notify>,
    /// How far it has come, for who tells people meanwhile.
    pub so_far: watch::Sender<SoFar>,
    /// Changes when a person has answered here, and the run's record is worth a look.
    pub answers: watch::Receiver<u64>,
    pub people: Arc<dyn AskPeople>,
}

/// One step as it went, for people.
#[derive(Clone, Debug, PartialEq)]
pub struct StepReport {
    pub at: StepAt,
    /// The loop entry it was for: `web01`.
    pub entry: Option<String>,
    pub verdict: Verdict,
    /// The last attempt's; `None` for a wait and for a step that could not be prepared.
    pub seen: Option<Observation>,
    pub attempts: u32,
    pub began_at: Timestamp,
    pub took: Duration,
    pub passes: Passes,
}

#[derive(Clone, Debug, PartialEq)]
pub enum Carried {
    Ended {
        end: End,
        told: Told,
        reports: Vec<StepReport>,
        journal: Journal,
    },
    /// Somebody else owns the run now, or it is over: say nothing, do nothing.
    Lost(Refusal),
    /// Halted between or inside steps; the journal says how far it came.
    Halted {
        journal: Journal,
    },
}

/// Why the loop ended before the plan did.
pub(super) enum Stop {
    End(End),
    Lost(Refusal),
    Halted,
}

/// Which steps are being carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    Main,
    /// What always runs at the end: a person's wish to stop is no reason to leave it out.
    Always,
}

pub(super) struct Progress<'a> {
    pub plan: RunPlan<'a>,
    pub reports: Vec<StepReport>,
    pub phase: Phase,
    /// Recoveries that people have allowed, or need not be asked about.
    pub allowed: Vec<(StepAt, Allowed)>,
}

impl Executor {
    /// Carries the run from where its journal stands to its end.
    pub async fn carry_out(&self, mut plan: RunPlan<'_>) -> Carried {
        let preset = plan.end.take();
        let (phase, reports, allowed) = (Phase::Main, Vec::new(), Vec::new());
        let mut progress = Progress { plan, reports, phase, allowed };
        progress.show(0);
        let stop = match preset {
            Some(end) => Stop::End(end),
            None => self.main(&mut progress).await,
        };
        let stop = match stop {
            Stop::End(end) => self.always(&mut progress, end).await,
            other => other,
        };
        let stop = match stop {
            Stop::End(end) => Stop::End(progress.in_mode(end)),
            other => other,
        };
        match stop {
            Stop::End(end) => {
                let told = progress.told(&end, &self.now(&progress.plan));
                let Progress { plan, reports, .. } = progress;
                Carried::Ended { end, told, reports, journal: plan.journal }
            }
            Stop::Lost(refusal) => Carried::Lost(refusal),
            Stop::Halted => Carried::Halted { journal: progress.plan.journal },
        }
    }

    async fn main(&self, progress: &mut Progress<'_>) -> Stop {
        loop {
            let now = self.now(&progress.plan);
            let RunPlan { scenario, world, memory, .. } = &mut progress.plan;
            match plan::next(scenario, world, memory, &now) {
                Next::End(end) => return Stop::End(end),
                Next::Steps(ready) => {
                    if let Err(stop) = self.round(progress, ready).await {
                        return stop;
                    }
                }
                Next::Locate(ready) => {
                    if let Err(stop) = self.locate(progress, ready).await {
                        return stop;
                    }
                }
            }
        }
    }

    /// Carries out what always runs, whatever the end; a failure of it is for people.
    async fn always(&self, progress: &mut Progress<'_>, end: End) -> Stop {
        let untouched = matches!(end, End::Shadowed { .. } | End::Suspended { .. });
        if progress.plan.scenario.always.is_empty() || untouched {
            return Stop::End(end);
        }
        progress.phase = Phase::Always;
        progress.plan.act_until = Instant::now() + ALWAYS_WITHIN;
        loop {
            let ready = match self.next_of_always(progress).await {
                Ok(Some(ready)) => ready,
                Ok(None) => break,
                Err(stop) => return stop,
            };
            match self.round(progress, ready.clone()).await {
                Ok(()) => {}
                // It could not be prepared or its time is over; the others still run.
                Err(Stop::End(end)) => progress.give_up(ready, &end, self.clock.now()),
                Err(other) => return other,
            }
        }
        let failed = progress.plan.scenario.always.iter().find(|step| {
            let seen = progress.plan.memory.seen(&StepAt::plain(step.number));
            matches!(step.kind, StepKind::Recover { .. })
                && seen.is_some_and(|seen| seen.result != DoneResult::Met)
        });
        // Where people have it anyway, the note tells of both.
        let well = matches!(end.outcome(), Outcome::Resolved | Outcome::RecoveredItself);
        Stop::End(match failed {
            Some(step) if well => End::AlwaysFailed { step: step.number },
            _ => end,
        })
    }

    pub(super) fn now(&self, plan: &RunPlan<'_>) -> Zoned {
        self.clock.now().to_zoned(plan.zone.clone())
    }
}

/// For everything that always runs at the end, together.
const ALWAYS_WITHIN: Duration = Duration::from_mins(2);

impl Progress<'_> {
    pub(super) fn moment<'b>(&'b self, now: &'b Zoned) -> Moment<'b> {
        let RunPlan { scenario, world, memory, .. } = &self.plan;
        Moment { scenario, world, memory, now }
    }

    /// A step that could not be carried out is told like one that was.
    fn give_up(&mut self, ready: Vec<Ready>, end: &End, now: Timestamp) {
        let why = match end {
            End::CannotGoOn { lack, .. } => Why::Lacks(lack.clone()),
            End::Ours { what } => Why::NotStarted(what.clone()),
            _ => Why::TimedOut,
        };
        for Ready { at, frame } in ready {
            // What ended beside it has its own result.
            if self.plan.memory.seen(&at).is_some() {
                continue;
            }
            let (result, values) = (DoneResult::Unclear, serde_json::Map::new());
            self.plan.memory.keep(at.clone(), Seen { result, values });
            self.reports.push(StepReport {
                at,
                entry: entry(&frame.each),
                verdict: Verdict::Unclear(why.clone()),
                seen: None,
                attempts: 1,
                began_at: now,
                took: Duration::ZERO,
                passes: Passes::default(),
            });
        }
    }

    /// In the mode `shadow` nothing ends but the looking.
    fn in_mode(&self, end: End) -> End {
        let shadow = self.plan.mode() == Mode::Shadow;
        if !shadow || matches!(end.outcome(), Outcome::Shadowed | Outcome::StoodDown) {
            return end;
        }
        let step = self.reports.last().map_or(0, |report| report.at.step);
        End::Shadowed { step, would_end: Some(end.outcome()) }
    }

    /// What the author says at this end. A value that is not there leaves a gap, not silence.
    fn told(&self, end: &End, now: &Zoned) -> Told {
        let values = self.moment(now).values(&self.plan.memory.ended_in, None);
        let told = told(self.plan.scenario, end, &values);
        let follows = matches!(end, End::Guarded(no) if no.follows(self.plan.claim().run()));
        let page = if follows { Some(false) } else { told.page };
        let priority = self.priority(end).or(told.priority);
        Told { untouched: self.plan.memory.untouched(), page, priority, ..told }
    }
}

/// What the author says at this end: the step's own words before the scenario's.
pub fn told(scenario: &Scenario, end: &End, values: &Values) -> Told {
    let own = |step: &usize| scenario.step(*step).map(|step| &step.kind);
    let filled = |template: Option<Template>| template.map(|it| it.render_leniently(values));
    // Who follows from afar cannot tell what a gap meant.
    let whole = |template: Option<Template>| template.and_then(|it| it.render_message(values).ok());
    let hand_off = match end {
        End::ResolvedByStep { step, recovered } => {
            let own = match own(step) {
                Some(StepKind::Resolve { message, stakeholders, ticket }) => {
                    (message.clone(), stakeholders.clone(), *ticket)
                }
                _ => Default::default(),
            };
            let (message, stakeholders, ticket) = own;
            let general = scenario.when_resolved.clone().filter(|_| *recovered);
            let stakeholders = whole(stakeholders.or(general));
            return Told { message: filled(message), stakeholders, ticket, ..Told::default() };
        }
        End::Verified => {
            let stakeholders = whole(scenario.when_resolved.clone());
            return Told { stakeholders, ..Told::default() };
        }
        End::Healthy { .. } | End::Shadowed { .. } | End::Suspended { .. } | End::StoodDown(_) => {
            return Told::default();
        }
        End::HandedOffByStep { step } => match own(step) {
            Some(StepKind::HandOff(hand_off)) => hand_off.or(&scenario.hand_off),
            _ => scenario.hand_off.clone(),
        },
        _ => scenario.hand_off.clone(),
    };
    let HandOff { message, manual, priority, to, urgency, page, ticket, stakeholders } = hand_off;
    let stakeholders = whole(stakeholders);
    let (message, manual, to) = (filled(message), filled(manual), filled(to));
    // Leaving people asleep is for ends the author had in mind, not for what went wrong.
    let by_design =
        end.outcome() == Outcome::HandedOff && !matches!(end, End::Guarded(_) | End::Paused(_));
    let (urgency, page) = (urgency.filter(|_| by_design), page.filter(|_| by_design));
    let page = page.or((urgency == Some(Urgency::Low)).then_some(false));
    // Nor is doing without a ticket.
    let ticket = ticket.filter(|it| by_design || *it != Ticket::None).unwrap_or_default();
    let untouched = Vec::new();
    Told { message, manual, to, priority, urgency, page, ticket, stakeholders, untouched }
}

impl RunPlan<'_> {
    /// How far this run may go. One that has changed something under another mode cannot only look
    /// from then on: it asks.
    pub(super) fn mode(&self) -> Mode {
        match self.mode {
            Mode::Shadow if self.memory.has_acted() => Mode::Approve,
            mode => mode,
        }
    }

    /// Before each step: nobody asked to stop, and there is time left.
    pub(super) fn may_go_on(&self, step: usize, phase: Phase) -> Result<(), Stop> {
        self.halted()?;
        if phase == Phase::Main
            && let Some(stand_down) = self.signals.stand_down.borrow().clone()
        {
            return Err(Stop::End(End::StoodDown(stand_down)));
        }
        if Instant::now() >= self.act_until {
            return Err(Stop::End(match phase {
                Phase::Main => End::Deadline { step },
                Phase::Always => End::AlwaysFailed { step },
            }));
        }
        Ok(())
    }

    pub(super) fn halted(&self) -> Result<(), Stop> {
        if self.signals.leave.is_cancelled() { Err(Stop::Halted) } else { Ok(()) }
    }

    /// Sleeps, unless the run is told to stop or its time ends first.
    pub(super) async fn sleep(
        &self,
        duration: Duration,
        step: usize,
        phase: Phase,
    ) -> Result<(), Stop> {
        let mut stand_down = self.signals.stand_down.clone();
        tokio::select! {
            () = tokio::time::sleep(duration) => {}
            () = tokio::time::sleep_until(self.act_until) => {}
            () = self.signals.leave.cancelled() => {}
            // The sender lives as long as the run; if it is gone, nobody can ask any more.
            Ok(_) = stand_down.wait_for(Option::is_some), if phase == Phase::Main => {}
        }
        self.may_go_on(step, phase)
    }
}

/// Changes something, so it must be announced.
pub(super) fn acts(ready: &Ready, scenario: &Scenario) -> bool {
    scenario.step(ready.at.step).is_some_and(|step| step.kind.effect() != Effect::Read)
}
