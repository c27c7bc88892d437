//! What the history has of the runs of some days.

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use jiff::Timestamp;

use crate::commands::progress::Progress;
use crate::figures::Period;
use crate::history::figure::Figure;
use crate::history::{History, HistoryError};
use crate::limits;

#[derive(Default)]
pub(super) struct Kept {
    pub(super) figures: Vec<Figure>,
    pub(super) unreadable: usize,
}

/// Those of the period, and of some days behind it: an incident that is opened again was not handled.
pub(super) async fn figures(
    history: &dyn History,
    period: &Period,
    now: Timestamp,
    progress: &mut Progress,
) -> Result<Kept, Box<dyn std::error::Error>> {
    let behind = period.until.saturating_add(limits::REPORT_REOPENED_WITHIN);
    let last = behind.map_or(now, |behind| behind.min(now)).max(period.from);
    let shelves = Figure::shelves(period.from, last);
    let days = shelves.len();
    let pages = stream::iter(shelves).map(|shelf| async move {
        let pages = history.pages(&shelf).await?;
        Ok::<_, HistoryError>(pages)
    });
    let mut pages = pages.buffered(limits::REPORT_DAYS_AT_ONCE);
    let mut kept = Kept::default();
    let mut read = 0;
    while let Some(pages) = pages.try_next().await? {
        for (_, text) in &pages {
            match Figure::of_text(text) {
                // Only its being there matters of a run behind the period.
                Some(figure) if figure.run == 1 && !period.has(figure.claimed_at) => {}
                Some(figure) => kept.figures.push(figure),
                None => kept.unreadable += 1,
            }
        }
        if kept.figures.len() > limits::REPORT_RUNS {
            let most = limits::REPORT_RUNS;
            return Err(format!("there are more than {most} runs; ask for fewer days").into());
        }
        read += 1;
        progress.tell(|| format!("{read}/{days} days, {} runs", kept.figures.len()));
    }
    Ok(kept)
}
