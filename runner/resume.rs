//! A run that somebody else began, from its journal: what may be repeated is repeated, what may
//! not is handed to people as unknown.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use crate::claim::Claim;
use crate::claim::journal::{DoneResult, Entry, Journal, Standing};
use crate::claim::protocol::RunItem;
use crate::execute::plan::End;
use crate::execute::run::StepReport;
use crate::execute::verdict::{Verdict, Why};
use crate::incident::{Incident, IncidentId, Status, Urgency};
use crate::matching::{Choice, Index};
use crate::pipeline::{Begun, Pipeline};
use crate::report::title;
use crate::runs::Enrolled;
use crate::scenario::model::{Effect, Scenario};

/// What is left to do of a run somebody else began.
pub(crate) async fn pick_up(
    pipeline: &Pipeline,
    claim: Claim,
    seen: &RunItem,
    place: Enrolled,
) -> Begun {
    let id = &seen.run.incident;
    // The claim holds no titles, so PagerDuty is asked; without an answer people are told what
    // can be told.
    let (incident, unknown) = match pipeline.reporter.platform.incident(id).await {
        Ok(incident) => (incident, None),
        Err(error) => (nameless(id), Some(End::Ours { what: error.to_string() })),
    };
    let title = title::original(&incident.title);
    let known = seen.scenario.as_ref().and_then(|named| {
        let scenario = pipeline.catalog.by_id(&named.id)?;
        (scenario.hash == named.hash).then(|| Arc::clone(scenario))
    });
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
    let (last, standing_end) = resume_at(&scenario, seen);
    Begun {
        claim,
        incident,
        scenario,
        captures,
        journal: seen.journal.clone(),
        reports: known_steps(&seen.journal),
        last,
        taken_over: true,
        end: standing_end.or(end),
        place,
    }
}

/// What the journal tells of the steps an earlier owner carried out.
fn known_steps(journal: &Journal) -> Vec<StepReport> {
    let steps = journal.entries().iter().filter_map(|entry| match entry {
        Entry::Done { step, result, at } => Some((*step, *result, *at)),
        Entry::Intent { .. } | Entry::Closing { .. } => None,
    });
    steps
        .map(|(step, result, began_at)| StepReport {
            step,
            verdict: match result {
                DoneResult::Met => Verdict::Met,
                DoneResult::NotMet => Verdict::NotMet(Why::RecordedOnly),
                DoneResult::Unclear => Verdict::Unclear(Why::RecordedOnly),
            },
            seen: None,
            attempts: 1,
            began_at,
            took: Duration::ZERO,
        })
        .collect()
}

type Last = Option<(usize, DoneResult)>;

/// From the journal alone: the step that ended last, or the end that is left to tell.
fn resume_at(scenario: &Scenario, seen: &RunItem) -> (Last, Option<End>) {
    let last = seen.journal.last_done();
    match seen.journal.standing() {
        Standing::Between { .. } => (last, None),
        Standing::InDoubt { step, .. } => {
            let effect = scenario.steps.get(step).map(|step| step.kind.effect());
            let end = (effect != Some(Effect::Idempotent)).then_some(End::OutcomeUnknown { step });
            (last, end)
        }
        Standing::Closing { reason, .. } => {
            (last, Some(End::recorded(reason, seen.stand_down.clone())))
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
        service: None,
        escalation_policy: None,
        assignees: Vec::new(),
        html_url: None,
        seen_at: jiff::Timestamp::UNIX_EPOCH,
    }
}
