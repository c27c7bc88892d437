//! Outputs that are kept whole: where they lie, and for how long.
//!
//! Commands write them (`execute/output.rs`), one directory for each incident. Here is what comes
//! after: they go into a bucket where there is one, are found by people, and are forgotten when their
//! time is over.

mod keeping;
mod note;
mod old;
mod upload;

use std::collections::BTreeMap;
use std::fs::ReadDir;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use tokio::sync::mpsc::Sender;

use crate::limits;
use crate::metrics::Metrics;
pub use keeping::Keeping;
use old::Removed;
pub use upload::Store;
use upload::Uploads;

/// Where people find files that are no longer where they were written.
pub type Places = BTreeMap<PathBuf, String>;

/// The evidence of one process. Several may share a directory.
#[derive(Clone)]
pub struct Evidence {
    directory: Arc<PathBuf>,
    /// Since a file was written last.
    kept: Duration,
    /// Where the last round of looking for old files ended.
    going: Arc<Mutex<Option<ReadDir>>>,
    uploads: Option<Uploads>,
    metrics: Metrics,
}

/// A file that was written this long ago and is still here was not uploaded when it should have been.
const LEFT: Duration = Duration::from_mins(5);

impl Evidence {
    pub fn new(directory: PathBuf, kept: Duration, metrics: Metrics) -> Self {
        let going = Arc::new(Mutex::new(None));
        Self { directory: Arc::new(directory), kept, going, uploads: None, metrics }
    }

    /// The same, with a bucket that files go to. Needs a runtime.
    #[must_use]
    pub fn stored_in(self, store: Store) -> Self {
        let uploads = Some(Uploads::start(store, self.metrics.clone()));
        Self { uploads, ..self }
    }

    /// Files that wait for their upload, where there is a bucket.
    pub fn queue(&self) -> Option<Sender<PathBuf>> {
        self.uploads.as_ref().map(Uploads::queue)
    }

    /// Takes a file that is complete.
    pub fn offer(&self, path: &Path) {
        if let Some(uploads) = &self.uploads {
            uploads.offer(path);
        }
    }

    /// Where these are now, as far as that is not where they were written. Waits a moment for those
    /// that are on their way.
    pub async fn places(&self, paths: Vec<PathBuf>, wait: Duration) -> Places {
        let Some(uploads) = &self.uploads else { return Places::new() };
        // Without an answer by then the file is still here, and so is told.
        drop(tokio::time::timeout(wait, uploads.settled(&paths)).await);
        let mut places = Places::new();
        for path in paths {
            if !tokio::fs::try_exists(&path).await.unwrap_or(true)
                && let Some(link) = uploads.link(&path)
            {
                places.insert(path, link);
            }
        }
        places
    }

    /// Removes what is older than it is to be kept, and sends on what was left behind: a bounded part of
    /// it, the next call goes on.
    pub async fn sweep(&self, now: SystemTime) {
        self.forget_old(now).await;
        let (Some(uploads), Some(before)) = (&self.uploads, now.checked_sub(LEFT)) else { return };
        let directory = Arc::clone(&self.directory);
        let look = move || old::left(&directory, before, limits::EVIDENCE_QUEUE);
        match tokio::task::spawn_blocking(look).await {
            Ok(Ok(left)) => left.iter().for_each(|path| uploads.offer(path)),
            Ok(Err(error)) => tracing::warn!(%error, "evidence that waits cannot be looked for"),
            Err(error) => tracing::warn!(%error, "evidence that waits cannot be looked for"),
        }
    }

    async fn forget_old(&self, now: SystemTime) {
        let Some(before) = now.checked_sub(self.kept) else { return };
        let most = limits::EVIDENCE_FOLDERS_PER_ROUND;
        let (directory, going) = (Arc::clone(&self.directory), Arc::clone(&self.going));
        let round = move || old::remove(&directory, before, &going, most);
        let removed = tokio::task::spawn_blocking(round).await;
        match removed.unwrap_or_else(|error| Err(std::io::Error::other(error))) {
            Ok(Removed { files: 0, .. }) => {}
            Ok(Removed { files, bytes }) => {
                self.metrics.evidence_removed.inc_by(files);
                tracing::info!(files, bytes, "{files} old evidence files are removed");
            }
            Err(error) => {
                let path = self.directory.display();
                tracing::warn!(%error, "old evidence files in {path} are not removed yet");
            }
        }
    }
}
