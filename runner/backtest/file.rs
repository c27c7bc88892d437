//! Past incidents out of a file: what `ams backtest --save` writes, and what `PagerDuty` answers.

use std::collections::HashSet;
use std::io::Read;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::incident::IncidentId;
use crate::limits;
use crate::report::PastIncident;

#[derive(Debug, Default)]
pub struct InFile {
    pub incidents: Vec<PastIncident>,
    /// Entries without id, title or time.
    pub unusable: usize,
    /// There are more incidents than are looked at.
    pub is_cut: bool,
}

#[derive(Debug, thiserror::Error)]
pub enum FileError {
    #[error("cannot read incidents from {}", path.display())]
    Unreadable { path: PathBuf, source: std::io::Error },
    #[error("{} has more than {} bytes; split it", path.display(), limits::BACKTEST_FILE_BYTES)]
    TooLarge { path: PathBuf },
    #[error("{} is no JSON of incidents: {source}; --file takes a list, PagerDuty's answers, or one incident per line", path.display())]
    NoJson { path: PathBuf, source: serde_json::Error },
    #[error("there is no incident in {}: each needs id, title and created_at", path.display())]
    Nothing { path: PathBuf },
}

/// A list, an answer with `incidents`, one incident, or any number of these behind each other.
pub fn read(path: &Path, source: impl Read) -> Result<InFile, FileError> {
    let unreadable = |source| FileError::Unreadable { path: path.to_owned(), source };
    let mut text = String::new();
    let mut bounded = source.take(limits::BACKTEST_FILE_BYTES + 1);
    bounded.read_to_string(&mut text).map_err(unreadable)?;
    if text.len() as u64 > limits::BACKTEST_FILE_BYTES {
        return Err(FileError::TooLarge { path: path.to_owned() });
    }
    let text = text.strip_prefix('\u{feff}').unwrap_or(&text);
    let (mut file, mut known) = (InFile::default(), HashSet::new());
    for value in serde_json::Deserializer::from_str(text).into_iter::<Value>() {
        let value = value.map_err(|source| FileError::NoJson { path: path.to_owned(), source })?;
        let list = value.as_array().or_else(|| value["incidents"].as_array());
        let list = list.map_or(std::slice::from_ref(&value), Vec::as_slice);
        for entry in list {
            add(&mut file, &mut known, entry);
        }
        if file.incidents.len() >= limits::BACKTEST_INCIDENTS {
            file.incidents.truncate(limits::BACKTEST_INCIDENTS);
            file.is_cut = true;
            break;
        }
    }
    if file.incidents.is_empty() {
        return Err(FileError::Nothing { path: path.to_owned() });
    }
    Ok(file)
}

fn add(file: &mut InFile, known: &mut HashSet<IncidentId>, entry: &Value) {
    match PastIncident::of(entry) {
        Some(incident) if known.insert(incident.id.clone()) => file.incidents.push(incident),
        // Pages overlap where incidents came while they were fetched.
        Some(_) => {}
        None => file.unusable += 1,
    }
}
