//! Outputs that are kept whole: where they lie, and for how long.
//!
//! Commands write them (`execute/output.rs`), one directory for each incident. Here is what comes
//! after: they are found by people, and forgotten when their time is over.

mod old;

use std::fs::ReadDir;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use crate::limits;
use crate::metrics::Metrics;
use old::Removed;

/// The evidence of one process. Several may share a directory.
#[derive(Clone)]
pub struct Evidence {
    directory: Arc<PathBuf>,
    /// Since a file was written last.
    kept: Duration,
    /// Where the last round of looking for old files ended.
    going: Arc<Mutex<Option<ReadDir>>>,
    metrics: Metrics,
}

impl Evidence {
    pub fn new(directory: PathBuf, kept: Duration, metrics: Metrics) -> Self {
        let going = Arc::new(Mutex::new(None));
        Self { directory: Arc::new(directory), kept, going, metrics }
    }

    /// Removes what is older than it is to be kept: a bounded part of it, the next call goes on.
    pub async fn forget_old(&self, now: SystemTime) {
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
