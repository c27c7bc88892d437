//! All that is known of each incident when everything is over.

use std::collections::{BTreeMap, BTreeSet};

use ams::claim::journal::{DoneResult, Entry, Reason};
use ams::claim::protocol::RunItem;
use ams::incident::{IncidentId, Outcome, RunId};
use ams::report::note::{Kind as NoteKind, marker};
use ams::sandbox::pagerduty::{BOT, IncidentView};
use ams::scenario::model::Effect as EffectClass;

use crate::kinds::{Act, Acts};
use crate::observer::Runs;
use crate::schedule::Planned;
use crate::witness::Effect;

/// One incident, from every side.
#[derive(Clone)]
pub(crate) struct Case<'a> {
    pub(crate) planned: &'a Planned,
    /// In PagerDuty.
    pub(crate) view: IncidentView,
    /// In the claim store.
    pub(crate) runs: Runs,
    /// By the witness.
    pub(crate) effects: Vec<Effect>,
    /// What regions logged as a run's end: number and outcome.
    pub(crate) endings: Vec<(u32, String)>,
    pub(crate) acts: &'a Acts,
}

impl Case<'_> {
    pub(crate) fn id(&self) -> &IncidentId {
        &self.view.id
    }

    /// A later run of the same incident took its place in the store.
    pub(crate) fn is_followed(&self, item: &RunItem) -> bool {
        self.runs.keys().any(|other| *other > item.run.number)
    }

    /// How a run ended: by the store, or, where the next run came before anybody looked, by what
    /// its region said.
    pub(crate) fn outcome(&self, item: &RunItem) -> Option<Outcome> {
        let number = item.run.number;
        let said = || {
            let followed = self.is_followed(item);
            let said = self.endings.iter().find(|(said, _)| followed && *said == number);
            said.and_then(|(_, outcome)| Outcome::parse(outcome))
        };
        item.outcome.or_else(said)
    }

    pub(crate) fn last_run(&self) -> Option<&RunItem> {
        self.runs.values().next_back()
    }

    /// What a step of this scenario does.
    pub(crate) fn act(&self, step: usize) -> Option<&Act> {
        self.acts.get(&(self.planned.kind.name.to_owned(), step))
    }

    /// Was the step recorded as tried and not done?
    pub(crate) fn failed(&self, item: &RunItem, name: &str) -> bool {
        item.journal.entries().iter().any(|entry| match entry {
            Entry::Done { step, result, .. } => {
                *result != DoneResult::Met && self.act(step.step).is_some_and(|it| it.name == name)
            }
            _ => false,
        })
    }

    /// How often the witness saw each effect of a run.
    pub(crate) fn times(&self, run: u32) -> BTreeMap<(&str, &str), usize> {
        let mut times = BTreeMap::new();
        for effect in self.effects.iter().filter(|effect| effect.run == run) {
            *times.entry((effect.step.as_str(), effect.host.as_str())).or_default() += 1;
        }
        times
    }

    pub(crate) fn is(&self, step: &str, class: EffectClass) -> bool {
        let here = |(scenario, _): &&(String, usize)| scenario == self.planned.kind.name;
        let acts = self.acts.iter().filter(|(key, _)| here(key));
        let named = acts.filter(|(_, act)| act.name == step);
        named.into_iter().all(|(_, act)| act.effect == class)
    }

    pub(crate) fn notes(&self, run: &RunId, kind: NoteKind) -> usize {
        let marker = marker(run, kind);
        self.view.notes.iter().filter(|note| note.content.contains(&marker)).count()
    }

    /// Did somebody else than AMS end it?
    pub(crate) fn ended_by_others(&self) -> bool {
        use ams::incident::Status;
        use ams::sandbox::pagerduty::Agent;
        self.view.status == Status::Resolved
            && self.view.status_changed_by != Agent::User(BOT.to_owned())
    }

    /// Of people.
    pub(crate) fn pages(&self) -> usize {
        self.view.paged().filter(|user| *user != BOT).count()
    }
}

/// What is counted over all incidents, besides what must hold.
#[derive(Default)]
pub(crate) struct Figures {
    pub(crate) outcomes: BTreeMap<&'static str, u64>,
    /// Why runs ended as they did, as their journals say.
    pub(crate) reasons: BTreeMap<String, u64>,
    pub(crate) runs: u64,
    pub(crate) take_overs: u64,
    /// Runs that went to people because nobody could say whether a recovery had run.
    pub(crate) unknown: u64,
    pub(crate) effects: u64,
    /// Steps that were recorded as tried and not done, recoveries that are meant to fail aside.
    pub(crate) not_done: u64,
    /// Effects of idempotent steps beyond the first of a run.
    pub(crate) repeated: u64,
    /// Notes that stand there more than once, each counted beyond the first.
    pub(crate) double_notes: u64,
    /// Pages beyond the first of an incident that nobody else touched.
    pub(crate) double_pages: u64,
}

impl Figures {
    pub(crate) fn of(cases: &[Case<'_>]) -> Self {
        let mut figures = Self::default();
        for case in cases {
            figures.add(case);
        }
        figures
    }

    fn add(&mut self, case: &Case<'_>) {
        for item in case.runs.values() {
            self.runs += 1;
            if let Some(outcome) = case.outcome(item) {
                *self.outcomes.entry(outcome.word()).or_default() += 1;
            }
            for kind in [NoteKind::Start, NoteKind::End] {
                self.double_notes += case.notes(&item.run, kind).saturating_sub(1) as u64;
            }
            let closing = item.journal.entries().iter().find_map(|entry| match entry {
                Entry::Closing { reason, .. } => Some(*reason),
                _ => None,
            });
            let word = closing.map_or_else(|| "none recorded".to_owned(), reason);
            *self.reasons.entry(word).or_default() += 1;
            let acts = case.planned.kind.effects.iter().filter_map(|it| it.split(' ').next());
            let acts: BTreeSet<&str> = acts.collect();
            self.not_done += acts.iter().filter(|act| case.failed(item, act)).count() as u64;
            self.unknown += u64::from(matches!(closing, Some(Reason::OutcomeUnknown { .. })));
            for times in case.times(item.run.number).values() {
                self.repeated += (times - 1) as u64;
            }
        }
        if let Some(last) = case.last_run() {
            self.take_overs += last.epoch.saturating_sub(u64::from(last.run.number));
        }
        self.effects += case.effects.len() as u64;
        if case.planned.touched.is_none() {
            self.double_pages += case.pages().saturating_sub(1) as u64;
        }
    }
}

/// A reason without its step.
fn reason(reason: Reason) -> String {
    let whole = format!("{reason:?}");
    whole.split(' ').next().unwrap_or_default().to_owned()
}

/// `run Q…/1 ended: resolved`, wherever a region logged it.
pub(crate) fn endings(logs: &[String]) -> BTreeMap<String, Vec<(u32, String)>> {
    let mut endings: BTreeMap<String, Vec<(u32, String)>> = BTreeMap::new();
    for line in logs.iter().flat_map(|log| log.lines()) {
        let Some((before, after)) = line.split_once(" ended: ") else { continue };
        let run = before.rsplit("run ").next().unwrap_or_default();
        let Some((incident, number)) = run.split_once('/') else { continue };
        let outcome = after.split_whitespace().next().unwrap_or_default();
        if let Ok(number) = number.parse() {
            endings.entry(incident.to_owned()).or_default().push((number, outcome.to_owned()));
        }
    }
    endings
}

/// What regions found out about effects that an owner before them had announced, by their logs.
#[derive(Clone, Copy, Default)]
pub(crate) struct Doubts {
    pub(crate) adopted: usize,
    pub(crate) never_begun: usize,
    pub(crate) repeated: usize,
    pub(crate) unknown: usize,
}

impl Doubts {
    pub(crate) fn of(logs: &[String]) -> Self {
        let count = |what: &str| logs.iter().map(|log| log.matches(what).count()).sum::<usize>();
        let repeated = count("ran; it is repeated");
        Self {
            adopted: count("was begun before and is adopted"),
            never_begun: count("was announced and never begun"),
            repeated,
            unknown: count("nobody knows whether a recovery of run").saturating_sub(repeated),
        }
    }

    pub(crate) const fn all(self) -> usize {
        self.adopted + self.never_begun + self.repeated + self.unknown
    }
}
