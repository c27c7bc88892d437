//! The steps of a run: the journal has those that changed something, the story has all that the
//! last owner saw to the end.

use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use crate::claim::journal::{DoneResult, Entry, StepAt};
use crate::explain::{CarrierAccount, Evidence, Heartbeat, in_lang};
use crate::history::story::{ScenarioKnown, StepTold};
use crate::incident::Owner;
use crate::lang::Lang;
use crate::report::text as sentences;

#[derive(Clone, Debug, Serialize)]
pub struct StepAccount {
    /// From 1.
    pub number: usize,
    /// At which turn of the loops around it, from 0, the outermost first.
    pub turn: Vec<u32>,
    pub kind: Option<String>,
    pub name: Option<String>,
    /// The loop entry it was for.
    pub entry: Option<String>,
    pub state: State,
    /// The result in words.
    pub words: String,
    pub began_at: Option<Timestamp>,
    pub ended_at: Option<Timestamp>,
    pub attempts: Option<u32>,
    pub took_ms: Option<u64>,
    /// First lines of what it printed.
    pub output: Vec<String>,
    /// Where all of it is, by region.
    pub evidence: Option<String>,
    /// Begun by this process, found ended by a later one, which did not repeat it.
    pub adopted_from: Option<Owner>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    Ended,
    /// Announced; its owner is at it.
    UnderWay,
    /// Announced; whether it ran is unknown.
    InDoubt,
}

/// What is known of one step at one turn.
#[derive(Default)]
struct Traces<'a> {
    announced: Option<Timestamp>,
    done: Option<(Timestamp, DoneResult)>,
    passed: Option<DoneResult>,
    told: Option<&'a StepTold>,
}

/// In the order in which they were carried out, as far as that is known.
pub(super) fn all(
    evidence: &Evidence,
    plan: Option<&ScenarioKnown>,
    carriers: &[CarrierAccount],
    lang: Lang,
) -> Vec<StepAccount> {
    let traces = gathered(evidence);
    let is_open = evidence.item.as_ref().is_some_and(|item| item.outcome.is_none());
    let is_lost = evidence.item.as_ref().is_some_and(|item| item.released)
        || evidence.heartbeat.is_some_and(|beat| beat != Heartbeat::Alive);
    let unended = if is_open && !is_lost { State::UnderWay } else { State::InDoubt };
    traces.iter().map(|(at, traces)| account(at, traces, (plan, carriers), unended, lang)).collect()
}

fn gathered(evidence: &Evidence) -> Vec<(StepAt, Traces<'_>)> {
    let mut all: Vec<(StepAt, Traces<'_>)> = Vec::new();
    let entries = evidence.item.as_ref().map_or(&[][..], |item| item.journal.entries());
    for entry in entries {
        match entry {
            Entry::Way { seen, .. } => {
                for passed in seen {
                    // Effects among them have entries of their own.
                    of(&mut all, &passed.step).passed = Some(passed.result);
                }
            }
            // A step that was begun again is told of its last beginning.
            Entry::Intent { step, at, .. } => {
                let traces = of(&mut all, step);
                (traces.announced, traces.done) = (Some(*at), None);
            }
            Entry::Done { step, result, at } => of(&mut all, step).done = Some((*at, *result)),
            Entry::Deferred { .. }
            | Entry::Asked { .. }
            | Entry::Answered { .. }
            | Entry::NotPaged { .. }
            | Entry::LastResort { .. }
            | Entry::Telling { .. }
            | Entry::Told { .. }
            | Entry::Closing { .. } => {}
        }
    }
    if let Some(end) = evidence.story.as_ref().and_then(|story| story.end.as_ref()) {
        for told in &end.steps {
            of(&mut all, &told.at).told = Some(told);
        }
        if evidence.item.is_none() {
            for at in &end.in_doubt {
                of(&mut all, at).announced = None;
            }
        }
    }
    all
}

fn of<'a, 'b>(all: &'b mut Vec<(StepAt, Traces<'a>)>, at: &StepAt) -> &'b mut Traces<'a> {
    let known = all.iter().position(|(it, _)| it == at);
    let index = known.unwrap_or_else(|| {
        all.push((at.clone(), Traces::default()));
        all.len() - 1
    });
    &mut all[index].1
}

fn account(
    at: &StepAt,
    traces: &Traces<'_>,
    (plan, carriers): (Option<&ScenarioKnown>, &[CarrierAccount]),
    unended: State,
    lang: Lang,
) -> StepAccount {
    let Traces { announced, done, passed, told } = traces;
    let known = plan.and_then(|plan| plan.steps.iter().find(|step| step.number == at.step));
    let result = done.map(|(_, result)| result).or(*passed);
    let is_ended = result.is_some() || told.is_some();
    let state = if is_ended { State::Ended } else { unended };
    let kind = known.map_or("", |step| step.kind.as_str());
    let words = match (told, result) {
        (Some(told), _) => in_lang(&told.result, lang),
        (None, Some(result)) => sentences::result(lang, kind, result).to_owned(),
        (None, None) if state == State::UnderWay => under_way(lang).to_owned(),
        (None, None) => sentences::in_doubt(lang).to_owned(),
    };
    let ended_told =
        told.and_then(|told| Some(told.began_at + Duration::from_millis(told.took_ms?)));
    let known_times = announced.zip(*done);
    let adopted_from = known_times.and_then(|(began, (ended, _))| left_by(carriers, began, ended));
    // Of what was adopted, only how long its end took to be found was measured.
    let took_ms = told.and_then(|told| told.took_ms).filter(|_| adopted_from.is_none());
    StepAccount {
        number: at.step + 1,
        turn: at.turn.clone(),
        kind: known.map(|step| step.kind.clone()),
        name: known.map(|step| step.name.clone()),
        entry: told.and_then(|told| told.entry.clone()),
        state,
        words,
        began_at: announced.or(told.map(|told| told.began_at)),
        ended_at: done.map(|(at, _)| at).or(ended_told),
        attempts: told.map(|told| told.attempts),
        took_ms,
        output: told.map(|told| told.output.clone()).unwrap_or_default(),
        evidence: told.and_then(|told| told.evidence.clone()),
        adopted_from,
    }
}

/// Who began what somebody else saw the end of.
fn left_by(carriers: &[CarrierAccount], began: Timestamp, ended: Timestamp) -> Option<Owner> {
    let pairs = carriers.iter().zip(carriers.iter().skip(1));
    let mut left = pairs.filter(|(_, next)| {
        next.since.is_some_and(|since| (began..=ended).contains(&since) && since != began)
    });
    left.next().map(|(before, _)| before.owner.clone())
}

const fn under_way(lang: Lang) -> &'static str {
    match lang {
        Lang::Ja => "実行中（開始を記録済み、結果はまだない）",
        Lang::En => "under way (announced, no result yet)",
    }
}
