//! A note that was too long for PagerDuty, kept whole.

use std::path::{Path, PathBuf};

use sha2::{Digest as _, Sha256};
use tokio::io::AsyncWriteExt as _;

use super::Evidence;
use crate::incident::RunId;
use crate::limits;

impl Evidence {
    /// Writes it beside the outputs of its run; `None` where that did not work in time. The same
    /// text goes to the same file, so that a repetition leaves one.
    pub async fn keep_note(&self, run: &RunId, text: &str) -> Option<PathBuf> {
        if self.directory.as_os_str().is_empty() {
            return None;
        }
        let digest = Sha256::digest(text.as_bytes());
        let nonce = digest.iter().take(8).fold(0_u64, |it, byte| it << 8 | u64::from(*byte));
        let folder = self.directory.join(run.incident.as_str());
        let path = folder.join(format!("{}-0-{nonce:016x}-note.txt", run.number));
        let written = tokio::time::timeout(limits::NOTE_KEPT_WITHIN, write(&folder, &path, text));
        let failed = match written.await {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(_) => Some("the disk does not take it in time".to_owned()),
        };
        if let Some(reason) = failed {
            let path = path.display();
            tracing::warn!(incident.id = %run.incident, reason, "a long note is not kept whole in {path}");
            return None;
        }
        self.offer(&path);
        Some(path)
    }
}

/// As outputs are: nobody but the operator's user can list or open it.
async fn write(folder: &Path, path: &Path, text: &str) -> std::io::Result<()> {
    let mut builder = tokio::fs::DirBuilder::new();
    builder.recursive(true).mode(0o700).create(folder).await?;
    let mut options = tokio::fs::OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(path).await?;
    file.write_all(text.as_bytes()).await?;
    file.flush().await
}
