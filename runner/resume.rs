//! A run that somebody else began, from its journal: what may be repeated is repeated, what may
//! not is handed to people as unknown.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use crate::begun::Begun;
use crate::claim::hold::Hold;
use crate::claim::journal::{DoneResult, Entry, Journal, Standing};
use crate::claim::protocol::{Opening, RunItem, StandDown, StandDownReason};
use crate::execute::end::{End, Told};
use crate::execute::memory::Memory;
use crate::execute::run::{Passes, StepReport};
use crate::execute::verdict::{Verdict, Why};
use crate::incident::{Incident, IncidentId, Outcome, RunId, Status, Urgency};
use crate::limits;
use crate::matching::{Choice, Index};
use crate::pipeline::Pipeline;
use crate::report::{original, title};
use crate::runs::Enrolled;
use crate::scenario::model::Scenario;

/// What is left to do of a run somebody else began.
pub(crate) async fn pick_up(
    pipeline: &Pipeline,
    hold: Arc<Hold>,
    seen: &RunItem,
    place: Enrolled,
) -> Begun {
    let id = &seen.run.incident;
    // The claim holds no titles, so PagerDuty is asked; without an answer people are told what
    // can be told.
    let (incident, unknown) = match pipeline.reporter.platform.incident(id).await {
        Ok(incident) => (original::in_full(&*pipeline.reporter.platform, incident).await, None),
        Err(error) => (nameless(id), Some(End::Ours { what: error.to_string() })),
    };
    let title = title::original(&incident.title);
    let rules = pipeline.rules().current();
    let known =
        seen.scenario.as_ref().and_then(|named| pipeline.rules().version(&named.id, &named.hash));
    let mut captures = BTreeMap::new();
    let mut end = unknown;
    let scenario = if let Some(scenario) = known {
        // The title may have been edited since; then its captures are not to be trusted.
        match Index::of(std::slice::from_ref(&scenario)).choose(title) {
            Choice::Scenario { meant, .. } => captures = meant.captures,
            _ if scenario.rule.pattern.is_some() => {
                let what = "the title no longer fits the scenario that was begun".to_owned();
                end = end.or(Some(End::Ours { what }));
            }
            _ => {}
        }
        scenario
    } else {
        let what = "this region does not have the scenario in the version that was begun";
        end = end.or(Some(End::Ours { what: what.to_owned() }));
        let named = seen.scenario.as_ref().map(|named| (named.id.as_str(), named.hash.as_str()));
        let (id, hash) = named.unwrap_or(("unknown", ""));
        Arc::new(Scenario::only_named(id, hash))
    };
    let customer = rules.customer_of(&incident, title);
    if seen.scenario.as_ref().and_then(|named| named.customer.as_ref())
        != customer.as_ref().map(|it| it.mark()).as_ref()
    {
        let what = "the incident is another customer's now than when the run began".to_owned();
        end = end.or(Some(End::Ours { what }));
    }
    let reopened = reopened_since(&incident, seen, &pipeline.bot_user);
    let standing_end = reopened.map(End::StoodDown).or_else(|| resume_at(&scenario, seen));
    let beside = recalled(pipeline, &seen.run).await;
    let memory = Memory::of(&seen.journal, beside);
    Begun {
        reporter: pipeline.reporter_for(&hold, customer.as_deref()),
        hold,
        incident,
        scenario,
        captures,
        customer,
        journal: seen.journal.clone(),
        memory,
        told: Told::default(),
        beside: Vec::new(),
        reports: known_steps(&seen.journal),
        taken_over: true,
        start_under_way: true,
        in_doubt: Vec::new(),
        paged: None,
        cleared: None,
        end: standing_end.or(end),
        told_at: OnceLock::new(),
        place,
    }
}

/// What the journal tells of the steps an earlier owner carried out.
fn known_steps(journal: &Journal) -> Vec<StepReport> {
    let steps = journal.entries().iter().filter_map(|entry| match entry {
        Entry::Done { step, result, at } => Some((step.clone(), *result, *at)),
        _ => None,
    });
    steps
        .map(|(at, result, began_at)| StepReport {
            at,
            entry: None,
            verdict: match result {
                DoneResult::Met => Verdict::Met,
                DoneResult::NotMet => Verdict::NotMet(Why::RecordedOnly),
                DoneResult::Unclear => Verdict::Unclear(Why::RecordedOnly),
            },
            seen: None,
            attempts: 1,
            began_at,
            took: Duration::ZERO,
            passes: Passes::default(),
        })
        .collect()
}

/// Somebody opened the incident again after the owner before us had resolved it: the next run takes
/// care of it. An owner who was about to hand it off had not resolved it.
fn reopened_since(incident: &Incident, seen: &RunItem, bot_user: &str) -> Option<StandDown> {
    let at = incident.reopened_at.filter(|_| seen.stand_down.is_none())?;
    let by = incident.status_by.clone().filter(|by| by != bot_user)?;
    if let Standing::Closing { reason, .. } = seen.journal.standing() {
        let outcome = End::recorded(reason, None).outcome();
        if matches!(outcome, Outcome::HandedOff | Outcome::Escalated) {
            return None;
        }
    }
    let is_later = match &seen.opening {
        // PagerDuty's clock against that of whoever claimed it.
        Opening::Triggered => at > seen.opened_at - limits::CLOCKS_DIFFER,
        // Both are PagerDuty's.
        Opening::Reopened { at: before } => before.parse().is_ok_and(|before| at > before),
    };
    is_later.then_some(StandDown { reason: StandDownReason::Reopened, by: Some(by), at })
}

/// From the journal alone: the end that is left to tell, if there is one.
fn resume_at(scenario: &Scenario, seen: &RunItem) -> Option<End> {
    match seen.journal.standing() {
        // What became of effects in doubt is found out when the way comes to them.
        Standing::Between => None,
        Standing::InDoubt { effects } => {
            let strange = effects.into_iter().find(|it| scenario.step(it.step.step).is_none());
            strange.map(|it| End::OutcomeUnknown { step: it.step.step })
        }
        Standing::Closing { reason, .. } => Some(End::recorded(reason, seen.stand_down.clone())),
    }
}

/// Texts the run had read. Without them it goes on and hands off where it needs one.
async fn recalled(pipeline: &Pipeline, run: &RunId) -> Option<Memory> {
    match pipeline.executor.history.recall(run).await {
        Ok(memory) => serde_json::from_str(&memory?).ok(),
        Err(error) => {
            tracing::warn!(%run, %error, "what run {run} had read is not known here");
            None
        }
    }
}

fn nameless(id: &IncidentId) -> Incident {
    Incident {
        id: id.clone(),
        title: String::new(),
        status: Status::Triggered,
        urgency: Urgency::High,
        number: None,
        created_at: None,
        status_by: None,
        reopened_at: None,
        service: None,
        escalation_policy: None,
        acknowledged_by: Vec::new(),
        assignees: Vec::new(),
        html_url: None,
        seen_at: jiff::Timestamp::UNIX_EPOCH,
    }
}
