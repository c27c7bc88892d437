//! Writing down what each run counts for in `ams report`, once it has ended.
//!
//! Beside the runs: nothing waits for it, and nothing fails with it.

use jiff::Timestamp;

use crate::begun::Begun;
use crate::claim::journal::Entry;
use crate::execute::end::End;
use crate::history::History;
use crate::history::figure::Figure;
use crate::history::story::RunStory;
use crate::incident::{Outcome, RunId};
use crate::limits;
use crate::pipeline::Pipeline;

impl Pipeline {
    /// Keeps what the run is counted by. Its story says whose it was and when it came.
    pub(crate) async fn count(&self, begun: &Begun, end: &End, story: &RunStory) {
        let (run, outcome) = (begun.claim().run(), end.outcome());
        let ended_at = self.executor.clock.now();
        let people_s = matches!(outcome, Outcome::HandedOff | Outcome::Escalated);
        let is_told = people_s || matches!(outcome, Outcome::Resolved | Outcome::RecoveredItself);
        // An owner before us may have told it; then the end of the run is the nearest that is known.
        let told_at = begun.told_at.get().copied().unwrap_or(ended_at);
        let figure = Figure {
            customer: story.customer.clone(),
            service: story.service.clone(),
            scenario: Some(begun.scenario.id.clone()),
            stood_down: match end {
                End::StoodDown(stand_down) => Some(stand_down.reason),
                _ => None,
            },
            came_at: story.came_at,
            acted_at: acted_at(begun),
            told_at: Some(told_at).filter(|_| is_told),
            by_hand_seconds: begun.scenario.by_hand.map(|it| it.as_secs()),
            ..Figure::of(run, outcome, begun.claim().opened_at(), ended_at)
        };
        write(&*self.executor.history, &figure).await;
    }
}

/// When the first step began. Of what an earlier owner did only changes are in the journal.
fn acted_at(begun: &Begun) -> Option<Timestamp> {
    let recorded = begun.journal.entries().iter().filter_map(|entry| match entry {
        Entry::Intent { at, .. } | Entry::Asked { at, .. } => Some(*at),
        _ => None,
    });
    begun.reports.iter().map(|report| report.began_at).chain(recorded).min()
}

/// What no scenario is meant for is counted, too.
pub(crate) fn unmatched(run: &RunId, story: &RunStory, now: Timestamp) -> Figure {
    Figure {
        customer: story.customer.clone(),
        service: story.service.clone(),
        came_at: story.came_at,
        ..Figure::of(run, Outcome::Unmatched, now, now)
    }
}

pub(crate) async fn write(history: &dyn History, figure: &Figure) {
    let (run, shelf) = (figure.name(), Figure::shelf(figure.claimed_at));
    let until = figure.claimed_at.saturating_add(limits::FIGURES_KEPT).ok();
    let kept = match figure.to_text() {
        Ok(text) => {
            let put = history.put_page(&shelf, &run, text, until).await;
            put.map_err(|error| error.to_string())
        }
        Err(error) => Err(error.to_string()),
    };
    if let Err(error) = kept {
        tracing::warn!(run, %error, "run {run} is missing in the figures of ams report");
    }
}
