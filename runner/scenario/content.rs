//! The text of one file, whatever the file is: in bounded time and memory, and never blocking.

use std::fs::File;
use std::io::Read as _;
use std::num::NonZero;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use crate::yaml::{MAX_FILE_BYTES, Place};

/// Why a file has no text that could be looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unreadable {
    pub place: Place,
    pub message: String,
    pub remedy: &'static str,
}

/// The whole file, if it is text.
pub fn read(path: &Path) -> Result<String, Unreadable> {
    String::from_utf8(bytes(path)?).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        not_utf8(error.as_bytes(), valid)
    })
}

/// The file as far as it can be shown; `None` when there is nothing to show.
pub fn to_show(path: &Path) -> Option<String> {
    let bytes = bytes(path).ok()?;
    Some(match String::from_utf8(bytes) {
        Ok(text) => text,
        Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
    })
}

fn bytes(path: &Path) -> Result<Vec<u8>, Unreadable> {
    let unreadable = |error: std::io::Error| Unreadable {
        place: Place::START,
        message: format!("the file cannot be read: {error}"),
        remedy: "look at the file, its rights and where it leads",
    };
    // Before it is opened: opening a named pipe waits for somebody to write into it.
    if !std::fs::metadata(path).map_err(unreadable)?.is_file() {
        return Err(not_a_file());
    }
    // Files below /proc and files being written have more than they say.
    let limit = MAX_FILE_BYTES as u64 + 1;
    let mut file = File::open(path).map_err(unreadable)?;
    let size = file.metadata().map_err(unreadable)?.len();
    let expected = usize::try_from(size.min(limit)).unwrap_or(MAX_FILE_BYTES);
    let mut bytes = Vec::with_capacity(expected + 1);
    file.by_ref().take(limit).read_to_end(&mut bytes).map_err(unreadable)?;
    if bytes.len() <= MAX_FILE_BYTES {
        return Ok(bytes);
    }
    let size = size.max(limit);
    Err(Unreadable {
        place: Place::START,
        message: format!("the file has {size} bytes; the limit is {MAX_FILE_BYTES}"),
        remedy: "a scenario is a short text; split it",
    })
}

/// Pipes, devices and sockets: reading them may wait for ever or never end.
pub fn not_a_file() -> Unreadable {
    Unreadable {
        place: Place::START,
        message: "this is no regular file but a pipe, a device or a socket".to_owned(),
        remedy: "put a file there, or give it another ending",
    }
}

fn not_utf8(bytes: &[u8], valid: usize) -> Unreadable {
    if bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) {
        return Unreadable {
            place: Place::START,
            message: "the file is UTF-16".to_owned(),
            remedy: "save it as UTF-8 (some editors call UTF-16 'Unicode')",
        };
    }
    let text = String::from_utf8_lossy(&bytes[..valid]);
    Unreadable {
        place: end_of(&text).with_length(1),
        message: "this character is not UTF-8".to_owned(),
        remedy: "save the file as UTF-8 (it may be Shift_JIS now)",
    }
}

/// The place behind the last character.
fn end_of(text: &str) -> Place {
    let text = text.trim_start_matches('\u{feff}');
    let last = text.rsplit('\n').next().unwrap_or("");
    let lines = text.matches('\n').count() + 1;
    Place::at(lines as u64, last.chars().count() as u64 + 1)
}

/// Bytes of all files of a catalog together: what they say is kept in memory.
pub const MAX_BYTES: u64 = 256 * 1024 * 1024;
/// Files that are worth a thread of their own.
const FILES_PER_THREAD: usize = 64;
/// Bytes of a reading thread's stack, as much as the first thread has.
const STACK_BYTES: usize = 8 * 1024 * 1024;

/// Reads many files on all processors; the result is in their order. `None`: they have more than
/// [`MAX_BYTES`] together.
pub fn read_all<T: Send>(
    files: &[PathBuf],
    each: impl Fn(&Path, Result<String, Unreadable>) -> T + Sync,
) -> Option<Vec<T>> {
    let (next, bytes) = (AtomicUsize::new(0), AtomicU64::new(0));
    let work = || {
        let mut done = Vec::new();
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            let Some(file) = files.get(index) else { break };
            if bytes.load(Ordering::Relaxed) > MAX_BYTES {
                break;
            }
            let content = read(file);
            let size = content.as_ref().map_or(0, |content| content.len() as u64);
            bytes.fetch_add(size, Ordering::Relaxed);
            done.push((index, each(file, content)));
        }
        done
    };
    let processors = std::thread::available_parallelism().map_or(1, NonZero::get);
    let helpers = (files.len() / FILES_PER_THREAD).min(processors.saturating_sub(1));
    let mut all = std::thread::scope(|scope| {
        // Where no thread can be had, this one does it all.
        let thread = || std::thread::Builder::new().stack_size(STACK_BYTES);
        let started: Vec<_> =
            (0..helpers).filter_map(|_| thread().spawn_scoped(scope, work).ok()).collect();
        let mut all = work();
        for thread in started {
            match thread.join() {
                Ok(done) => all.extend(done),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        all
    });
    all.sort_unstable_by_key(|(index, _)| *index);
    (bytes.into_inner() <= MAX_BYTES).then(|| all.into_iter().map(|(_, read)| read).collect())
}
