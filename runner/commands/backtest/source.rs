//! Where past incidents come from.

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::Path;

use jiff::Timestamp;

use super::{Args, Past, page_every};
use crate::backtest::fetch::{Asked, Fetched, Position, fetch};
use crate::backtest::file::{self, FileError};
use crate::commands::progress::Progress;
use crate::config::Rulebook;
use crate::limits;
use crate::mask::Mask;
use crate::report::PastIncident;
use crate::report::pagerduty::{PagerDuty, Settings};

pub(super) async fn incidents(
    args: &Args,
    rulebook: &Rulebook,
    span: (Timestamp, Timestamp),
) -> Result<Past, Box<dyn std::error::Error>> {
    match &args.file {
        Some(path) => Ok(from_file(path, span)?),
        None => from_pagerduty(args, rulebook, span).await,
    }
}

fn from_file(path: &Path, (since, until): (Timestamp, Timestamp)) -> Result<Past, FileError> {
    let unreadable = |source| FileError::Unreadable { path: path.to_owned(), source };
    let source: Box<dyn io::Read> = if path == Path::new("-") {
        Box::new(io::stdin().lock())
    } else {
        Box::new(File::open(path).map_err(unreadable)?)
    };
    let mut file = file::read(path, source)?;
    file.incidents.retain(|it| since <= it.created_at && it.created_at < until);
    let mut remarks = Vec::new();
    if file.unusable > 0 {
        let count = file.unusable;
        remarks.push(format!("note: {count} entries without id, title or created_at are left out"));
    }
    remarks.extend(file.is_cut.then(cut));
    Ok(Past { incidents: file.incidents, remarks })
}

fn cut() -> String {
    let most = limits::BACKTEST_INCIDENTS;
    format!("note: there are more than {most} incidents; the rest is not looked at")
}

async fn from_pagerduty(
    args: &Args,
    rulebook: &Rulebook,
    (since, until): (Timestamp, Timestamp),
) -> Result<Past, Box<dyn std::error::Error>> {
    let account = rulebook.pagerduty.as_ref().ok_or("the configuration names no account")?;
    let settings = Settings::new(&account.url, account.token.clone(), &account.from);
    let platform = PagerDuty::new(settings)
        .map_err(|error| format!("PagerDuty cannot be asked with these settings: {error}"))?;
    let asked = Asked {
        since,
        until,
        services: args.service.clone(),
        page_every: page_every(args.requests_per_minute),
        reach: limits::PAGERDUTY_LIST_REACH,
    };
    let mut save = args.save.as_deref().map(|path| Save::to(path, &rulebook.mask)).transpose()?;
    let mut progress = Progress::default();
    let seconds = until.duration_since(since).as_secs().max(1);
    let fetched = fetch(&platform, &asked, |at: Position, new: &[PastIncident]| {
        let done = at.at.duration_since(since).as_secs().clamp(0, seconds) * 100 / seconds;
        progress.tell(|| format!("{} incidents, until {} ({done}%)", at.incidents, at.at));
        save.as_mut().map_or(Ok(()), |save| save.add(new))
    })
    .await;
    progress.end();
    if let Some(save) = save {
        save.end()?;
    }
    let Fetched { incidents, incomplete, is_cut, .. } = fetched?;
    let mut remarks: Vec<String> = incomplete
        .iter()
        .map(|day| format!("note: {day} has more incidents than PagerDuty lists; some are missing"))
        .collect();
    remarks.extend(is_cut.then(cut));
    Ok(Past { incidents, remarks })
}

/// A file that grows with each page: what was fetched before a failure is not lost.
struct Save<'a> {
    file: BufWriter<File>,
    path: &'a Path,
    mask: &'a Mask,
}

impl<'a> Save<'a> {
    fn to(path: &'a Path, mask: &'a Mask) -> Result<Self, String> {
        let file = File::create(path)
            .map_err(|error| format!("cannot save to {}: {error}", path.display()))?;
        Ok(Self { file: BufWriter::new(file), path, mask })
    }

    fn add(&mut self, new: &[PastIncident]) -> io::Result<()> {
        for incident in new {
            writeln!(self.file, "{}", incident.to_value(&self.mask.apply(&incident.title)))?;
        }
        Ok(())
    }

    fn end(mut self) -> Result<(), String> {
        let path = self.path.display();
        self.file.flush().map_err(|error| format!("cannot save to {path}: {error}"))
    }
}
