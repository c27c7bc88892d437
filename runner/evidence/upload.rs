//! Evidence in a bucket: written there in the background, from the files that commands wrote.
//!
//! The local file is the spool: it goes when the bucket has it, and is tried again every hour until
//! then. Whether a file is still there is all that has to be known, also after a restart.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use tokio::sync::{Notify, Semaphore, mpsc};

use super::old;
use crate::aws::failure::Failure;
use crate::aws::own::Own;
use crate::aws::s3::Bucket;
use crate::aws::signed::Signed;
use crate::limits;
use crate::metrics::Metrics;

/// How files get into a bucket.
pub struct Store {
    pub bucket: Bucket,
    pub signed: Signed,
    pub own: Own,
}

/// Clones share the queue.
#[derive(Clone)]
pub(super) struct Uploads {
    inside: Arc<Inside>,
    queue: mpsc::Sender<PathBuf>,
}

struct Inside {
    store: Store,
    metrics: Metrics,
    /// Waiting or under way; bounded by the queue and by what is sent at once.
    at_it: Mutex<HashSet<PathBuf>>,
    /// Something is no longer under way.
    done: Notify,
    room: Semaphore,
}

const MEBIBYTE: u64 = 1024 * 1024;

impl Uploads {
    /// Begins to work in the background.
    pub(super) fn start(store: Store, metrics: Metrics) -> Self {
        let (queue, mut waiting) = mpsc::channel::<PathBuf>(limits::EVIDENCE_QUEUE);
        let inside = Arc::new(Inside {
            store,
            metrics,
            at_it: Mutex::default(),
            done: Notify::new(),
            room: Semaphore::new(limits::EVIDENCE_UPLOAD_MEBIBYTES as usize),
        });
        let working = Arc::clone(&inside);
        let slots = Arc::new(Semaphore::new(limits::EVIDENCE_UPLOADS_AT_ONCE));
        tokio::spawn(async move {
            while let Some(path) = waiting.recv().await {
                let Ok(slot) = Arc::clone(&slots).acquire_owned().await else { return };
                let working = Arc::clone(&working);
                tokio::spawn(async move {
                    working.upload(&path).await;
                    working.at_it().remove(&path);
                    working.done.notify_waiters();
                    drop(slot);
                });
            }
        });
        Self { inside, queue }
    }

    pub(super) fn queue(&self) -> mpsc::Sender<PathBuf> {
        self.queue.clone()
    }

    /// Takes a file that is complete. One that finds no room waits for the hourly round.
    pub(super) fn offer(&self, path: &Path) {
        if !old::is_evidence_path(path) || !self.inside.at_it().insert(path.to_owned()) {
            return;
        }
        if self.queue.try_send(path.to_owned()).is_err() {
            self.inside.at_it().remove(path);
            self.inside.metrics.evidence_upload_failures.inc();
            tracing::debug!(path = %path.display(), "an evidence file waits for the next round");
        }
    }

    /// Waits until none of them is waiting or under way.
    pub(super) async fn settled(&self, paths: &[PathBuf]) {
        loop {
            let done = self.inside.done.notified();
            if !paths.iter().any(|path| self.inside.at_it().contains(path)) {
                return;
            }
            done.await;
        }
    }

    /// Where people find what was written to this path.
    pub(super) fn link(&self, path: &Path) -> Option<String> {
        let bucket = &self.inside.store.bucket;
        Some(bucket.link(&bucket.key(&name(path)?)))
    }
}

impl Inside {
    fn at_it(&self) -> MutexGuard<'_, HashSet<PathBuf>> {
        self.at_it.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn upload(&self, path: &Path) {
        match self.try_upload(path).await {
            Ok(()) => {
                self.metrics.evidence_uploads.inc();
            }
            Err(reason) => {
                self.metrics.evidence_upload_failures.inc();
                let (path, bucket) = (path.display(), &self.store.bucket.name);
                tracing::warn!(
                    reason,
                    "the evidence file {path} is not in the bucket {bucket} yet; it is tried again every hour",
                );
            }
        }
    }

    async fn try_upload(&self, path: &Path) -> Result<(), String> {
        let as_it_was = known(path).await?;
        let (_, bytes) = as_it_was;
        let size = u32::try_from(bytes.div_ceil(MEBIBYTE)).unwrap_or(u32::MAX);
        let size = size.clamp(1, limits::EVIDENCE_UPLOAD_MEBIBYTES);
        let _room = self.room.acquire_many(size).await.map_err(|error| error.to_string())?;
        let body = tokio::fs::read(path).await.map_err(|error| error.to_string())?;
        let name = name(path).ok_or("it has no name")?;
        self.put(&name, body).await.map_err(|failure| failure.reason())?;
        // A command that was adopted may have written it anew: then it comes once more.
        if known(path).await? == as_it_was {
            tokio::fs::remove_file(path).await.map_err(|error| error.to_string())?;
            if let Some(folder) = path.parent() {
                // Refused while the incident has other files.
                drop(tokio::fs::remove_dir(folder).await);
            }
        }
        Ok(())
    }

    /// Credentials may be over though they did not say when.
    async fn put(&self, name: &str, body: Vec<u8>) -> Result<(), Failure> {
        let Store { bucket, signed, own } = &self.store;
        let key = bucket.key(name);
        let credentials = own.credentials().await?;
        match bucket.put(signed, &credentials, &key, body.clone()).await {
            Err(Failure::Expired(_)) => {
                own.forget().await;
                let credentials = own.credentials().await?;
                bucket.put(signed, &credentials, &key, body).await
            }
            other => other,
        }
    }
}

/// When it was written, and its length.
async fn known(path: &Path) -> Result<(SystemTime, u64), String> {
    let known = tokio::fs::symlink_metadata(path).await.map_err(|error| error.to_string())?;
    if !known.is_file() {
        return Err("it is no file".to_owned());
    }
    Ok((known.modified().map_err(|error| error.to_string())?, known.len()))
}

/// `Q1ABCDEF/1-0-26bc57c402f1436c-stdout.txt`: the nonce makes it one in the world.
fn name(path: &Path) -> Option<String> {
    let (incident, file) = (path.parent()?.file_name()?.to_str()?, path.file_name()?.to_str()?);
    Some(format!("{incident}/{file}"))
}
