//! Removes old evidence files, and only what is surely one.

use std::ffi::OsStr;
use std::fs::{self, DirEntry, Metadata, ReadDir};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

use crate::incident::IncidentId;

/// What one round has removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Removed {
    pub(super) files: u64,
    pub(super) bytes: u64,
}

/// One round: looks at `most` incidents' directories and goes on behind them next time.
///
/// A directory is opened only when nothing was written into it for so long; that costs one look at
/// it for an incident whose files are still to be kept. Links are never followed.
pub(super) fn remove(
    directory: &Path,
    before: SystemTime,
    going: &Mutex<Option<ReadDir>>,
    most: usize,
) -> io::Result<Removed> {
    let mut going = going.lock().unwrap_or_else(PoisonError::into_inner);
    let mut entries = match going.take() {
        Some(entries) => entries,
        None => fs::read_dir(directory)?,
    };
    let mut removed = Removed::default();
    for _ in 0..most {
        // Others remove, too: what is gone meanwhile is no trouble.
        match entries.next() {
            None => return Ok(removed),
            Some(Ok(entry)) => incident(&entry, before, &mut removed),
            Some(Err(_)) => {}
        }
    }
    *going = Some(entries);
    Ok(removed)
}

/// Files that were written before and are still here, the first `most` that are found.
pub(super) fn left(directory: &Path, before: SystemTime, most: usize) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for folder in fs::read_dir(directory)?.flatten() {
        if !folder.file_type().is_ok_and(|it| it.is_dir()) {
            continue;
        }
        for file in fs::read_dir(folder.path()).into_iter().flatten().flatten() {
            let Ok(known) = file.metadata() else { continue };
            let path = file.path();
            if known.is_file() && is_old(&known, before) && is_evidence_path(&path) {
                found.push(path);
            }
            if found.len() >= most {
                return Ok(found);
            }
        }
    }
    Ok(found)
}

/// `…/Q1ABCDEF/1-0-26bc57c402f1436c-stdout.txt`.
pub(super) fn is_evidence_path(path: &Path) -> bool {
    let text = |part: Option<&OsStr>| part.and_then(OsStr::to_str).map(str::to_owned);
    let folder = text(path.parent().and_then(Path::file_name));
    folder.is_some_and(|it| IncidentId::parse(&it).is_some())
        && text(path.file_name()).is_some_and(|it| is_evidence(&it))
}

fn incident(folder: &DirEntry, before: SystemTime, removed: &mut Removed) {
    let is_incident = folder.file_name().to_str().is_some_and(|it| IncidentId::parse(it).is_some());
    let Ok(known) = folder.metadata() else { return };
    if !is_incident || !known.is_dir() || !is_old(&known, before) {
        return;
    }
    for file in fs::read_dir(folder.path()).into_iter().flatten().flatten() {
        let Ok(known) = file.metadata() else { continue };
        let ours = file.file_name().to_str().is_some_and(is_evidence);
        if ours && known.is_file() && is_old(&known, before) && fs::remove_file(file.path()).is_ok()
        {
            removed.files += 1;
            removed.bytes += known.len();
        }
    }
    // Refused while somebody else's file is in it.
    drop(fs::remove_dir(folder.path()));
}

fn is_old(known: &Metadata, before: SystemTime) -> bool {
    known.modified().is_ok_and(|at| at < before)
}

/// `1-0-26bc57c402f1436c-stdout.txt`: run, step, nonce, stream.
fn is_evidence(name: &str) -> bool {
    let Some(name) = name.strip_suffix(".txt") else { return false };
    let parts: Vec<&str> = name.split('-').collect();
    let [run, step, nonce, stream] = parts.as_slice() else { return false };
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    let is_word = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_alphanumeric());
    let is_stream = ["stdout", "stderr", "body", "note"].contains(stream);
    is_number(run) && is_number(step) && is_word(nonce) && is_stream
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_round_is_bounded_and_the_next_one_goes_on_behind_it() {
        let dir = tempfile::tempdir().unwrap();
        for number in 0..25 {
            let folder = dir.path().join(format!("Q{number}"));
            fs::create_dir(&folder).unwrap();
            fs::write(folder.join("1-0-00ff-stdout.txt"), "output").unwrap();
        }
        let written = fs::metadata(dir.path()).unwrap().modified().unwrap();
        let (going, later) = (Mutex::new(None), written + Duration::from_hours(1));
        let round = || remove(dir.path(), later, &going, 10).unwrap().files;
        assert_eq!([round(), round(), round()], [10, 10, 5]);
        // The next one begins again.
        fs::create_dir(dir.path().join("QNEW")).unwrap();
        fs::write(dir.path().join("QNEW/1-0-00ff-body.txt"), "output").unwrap();
        assert_eq!(round(), 1);
    }

    #[test]
    fn only_names_of_evidence_are_evidence() {
        for name in ["1-0-00ff-stdout.txt", "12-34-26bc57c402f1436c-body.txt", "1-0-00ff-note.txt"]
        {
            assert!(is_evidence(name), "{name}");
        }
        for name in
            ["notes.txt", "1-0-00ff-stdout", "1-0--stdout.txt", "a-0-0-stdout.txt", "1-0-0-x.txt"]
        {
            assert!(!is_evidence(name), "{name}");
        }
    }
}
