//! Did a sample incident end as it should? Looks at PagerDuty, the claim and the patients.

use std::time::Duration;

use super::cases::Case;
use super::cluster::Cluster;
use super::pagerduty::{ENGINEER, IncidentView};
use super::patients::Patients;
use crate::claim::ClaimStore;
use crate::claim::protocol::RunItem;
use crate::incident::{IncidentId, Outcome, RunId};
use crate::report::note::{Kind, marker};

/// A fired sample incident.
#[derive(Clone, Debug)]
pub struct Fired {
    pub case: Case,
    pub incident: IncidentId,
}

/// How it ended.
#[derive(Clone, Debug)]
pub struct Judged {
    pub fired: Fired,
    pub view: IncidentView,
    /// `None` when nobody claimed it.
    pub claim: Option<RunItem>,
    /// What is not as it should be; empty is good.
    pub wrong: Vec<String>,
}

/// Between two looks at the claim store.
const LOOK_EVERY: Duration = Duration::from_millis(25);

/// Waits until the incident's run has an outcome.
pub async fn await_outcome(
    store: &dyn ClaimStore,
    incident: &IncidentId,
    within: Duration,
) -> Option<RunItem> {
    let ended = async {
        loop {
            if let Ok(Some(item)) = store.read(incident).await
                && item.outcome.is_some()
            {
                return item;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    };
    tokio::time::timeout(within, ended).await.ok()
}

/// Waits for the end of a fired incident and judges it. `lang` is an index: 0 Japanese, 1 English.
pub async fn judge(
    cluster: &Cluster,
    store: &dyn ClaimStore,
    patients: &Patients,
    fired: Fired,
    (lang, within): (usize, Duration),
) -> Option<Judged> {
    let claim = await_outcome(store, &fired.incident, within).await;
    let view = cluster.pagerduty.incident(&fired.incident)?;
    let expected = fired.case.expected();
    let mut wrong = fired.case.witness(patients);
    let mut expect = |ok: bool, what: String| {
        if !ok {
            wrong.push(what);
        }
    };
    let outcome = claim.as_ref().and_then(|item| item.outcome);
    expect(
        outcome == Some(expected.outcome),
        format!(
            "the outcome is {}, not {}",
            outcome.map_or("open", Outcome::word),
            expected.outcome
        ),
    );
    expect(
        view.status == expected.status,
        format!("PagerDuty shows {}, not {}", view.status.word(), expected.status.word()),
    );
    let title = expected.title[lang];
    expect(
        if title.is_empty() {
            !view.title.starts_with("[AMS")
        } else {
            view.title.starts_with(title)
        },
        format!("the title is '{}'", view.title),
    );
    expect(
        view.paged().any(|user| user == ENGINEER) == expected.paged,
        format!("people were {}paged", if expected.paged { "not " } else { "" }),
    );
    if let Some(item) = &claim {
        expect(
            item.run.number == 1 && item.epoch == 1,
            format!("run {} has epoch {}: it was begun more than once", item.run, item.epoch),
        );
        let untouched = expected.outcome == Outcome::Unmatched;
        for problem in repeated_notes(&view, &item.run, untouched) {
            expect(false, problem);
        }
    }
    Some(Judged { fired, view, claim, wrong })
}

/// Every note at most once; the end note exactly once, unless AMS leaves the incident alone.
pub fn repeated_notes(view: &IncidentView, run: &RunId, untouched: bool) -> Vec<String> {
    let count = |kind| {
        let marker = marker(run, kind);
        view.notes.iter().filter(|note| note.content.contains(&marker)).count()
    };
    let mut problems = Vec::new();
    if count(Kind::Start) > 1 {
        problems.push("the start note was posted more than once".to_owned());
    }
    let wanted = usize::from(!untouched);
    if count(Kind::End) != wanted {
        problems.push(format!("there are {} end notes, not {wanted}", count(Kind::End)));
    }
    problems
}
