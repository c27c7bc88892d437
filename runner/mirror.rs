//! Copies scenarios or customers out of a bucket into a directory, which is read like any other
//! (reload.rs). A release is many objects: it is copied once two looks in a row have seen the same, and
//! comes into place in one step.

use std::io;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::aws::own::Own;
use crate::aws::s3::{Bucket, Listed};
use crate::aws::signed::Signed;
use crate::clock::Clock;
use crate::config::MirrorConfig;
use crate::digest;
use crate::limits;
use crate::metrics::Metrics;

/// Why there is no copy.
#[derive(Debug, thiserror::Error)]
pub enum MirrorError {
    #[error("AWS's tools find no credentials")]
    NoCredentials,
    #[error("no HTTP client: {0}")]
    HttpClient(String),
    #[error("s3://{bucket}/{prefix}: {why}")]
    Bucket { bucket: String, prefix: String, why: String },
    #[error("cannot write below {}: {source}", path.display())]
    Folder { path: PathBuf, source: io::Error },
}

/// One prefix of one bucket.
pub struct Mirror {
    source: Arc<Source>,
    /// What is in place.
    copied: Vec<Listed>,
}

struct Source {
    config: MirrorConfig,
    signed: Signed,
    own: Own,
}

impl Mirror {
    /// Copies what is there now. Without that there is nothing to begin with.
    pub async fn start(config: MirrorConfig, clock: Arc<dyn Clock>) -> Result<Self, MirrorError> {
        let own = Own::find(&config.bucket.region, Arc::clone(&clock)).await;
        let own = own.ok_or(MirrorError::NoCredentials)?;
        let signed =
            Signed::new(clock).map_err(|error| MirrorError::HttpClient(error.to_string()))?;
        let source = Arc::new(Source { config, signed, own });
        let mut mirror = Self { source, copied: Vec::new() };
        let copied = async {
            let listed = mirror.source.list().await?;
            mirror.copy(listed).await
        };
        let copied = tokio::time::timeout(limits::MIRROR_WITHIN, copied).await;
        copied.unwrap_or_else(|_| Err(mirror.source.too_long()))?;
        Ok(mirror)
    }

    /// Looks until cancelled.
    pub async fn look_until(mut self, every: Duration, metrics: Metrics, stop: CancellationToken) {
        let mut before = self.copied.clone();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(every) => {}
            }
            let looked = tokio::time::timeout(limits::MIRROR_WITHIN, self.look(&mut before)).await;
            if let Err(error) = looked.unwrap_or_else(|_| Err(self.source.too_long())) {
                metrics.reload_failures.inc();
                tracing::warn!(%error, "the copy before stays in force: {error}");
            }
        }
    }

    async fn look(&mut self, before: &mut Vec<Listed>) -> Result<(), MirrorError> {
        let now = self.source.list().await?;
        let has_settled = now == *before;
        before.clone_from(&now);
        if has_settled && now != self.copied {
            self.copy(now).await?;
        }
        Ok(())
    }

    /// Into a directory of its own, which then takes the place of the one before.
    async fn copy(&mut self, listed: Vec<Listed>) -> Result<(), MirrorError> {
        let source = &self.source;
        let folder = source.config.folder.clone();
        let version = digest::short(format!("{listed:?}"));
        let part = folder.join(format!("{version}.{}.part", std::process::id()));
        let mut under_way = JoinSet::new();
        for object in listed.clone() {
            let path = source.path(&part, &object)?;
            if under_way.len() >= limits::MIRROR_AT_ONCE {
                source.joined(under_way.join_next().await)?;
            }
            let source = Arc::clone(source);
            under_way.spawn(async move { source.fetch(&object.key, path).await });
        }
        while let Some(fetched) = under_way.join_next().await {
            source.joined(Some(fetched))?;
        }
        let place = folder.clone();
        let placed = tokio::task::spawn_blocking(move || put_in_place(&folder, &version, &part));
        let placed = placed.await.map_err(|error| source.failed(error.to_string()))?;
        placed.map_err(|source| MirrorError::Folder { path: place, source })?;
        self.copied = listed;
        Ok(())
    }
}

impl Source {
    /// Files that the rules are read from. Tests are not among them: nobody runs them here.
    async fn list(&self) -> Result<Vec<Listed>, MirrorError> {
        let most = limits::MIRROR_OBJECTS;
        let bucket = &self.config.bucket;
        let mut listed = bucket
            .list(&self.signed, &self.own, most)
            .await
            .map_err(|failure| self.failed(failure.reason()))?;
        let is_rule = |key: &str| {
            let is_yaml = Path::new(key).extension().is_some_and(|ending| ending == "yaml");
            is_yaml && !key.ends_with(".test.yaml")
        };
        listed.retain(|it| is_rule(&it.key));
        listed.sort();
        Ok(listed)
    }

    fn failed(&self, why: String) -> MirrorError {
        let Bucket { name, prefix, .. } = &self.config.bucket;
        MirrorError::Bucket { bucket: name.clone(), prefix: prefix.clone(), why }
    }

    fn too_long(&self) -> MirrorError {
        self.failed(format!("no copy within {:?}", limits::MIRROR_WITHIN))
    }

    fn joined(
        &self,
        fetched: Option<Result<Result<(), MirrorError>, tokio::task::JoinError>>,
    ) -> Result<(), MirrorError> {
        match fetched {
            None => Ok(()),
            Some(Ok(fetched)) => fetched,
            Some(Err(error)) => Err(self.failed(error.to_string())),
        }
    }

    /// Keys are others' words: none leads out of the directory.
    fn path(&self, part: &Path, object: &Listed) -> Result<PathBuf, MirrorError> {
        let Listed { key, size, .. } = object;
        let name = key.strip_prefix(&self.config.bucket.prefix).unwrap_or(key);
        let name = Path::new(name.trim_start_matches('/'));
        let mut parts = name.components().peekable();
        let is_plain = parts.peek().is_some() && parts.all(|it| matches!(it, Component::Normal(_)));
        if !is_plain {
            return Err(self.failed(format!("the key {key:?} is no path of a file")));
        }
        if *size > limits::MIRROR_OBJECT_BYTES {
            let most = limits::MIRROR_OBJECT_BYTES;
            return Err(self.failed(format!("{key} is longer than {most} bytes")));
        }
        Ok(part.join(name))
    }

    async fn fetch(&self, key: &str, path: PathBuf) -> Result<(), MirrorError> {
        let fetched = self.config.bucket.fetch(&self.signed, &self.own, key).await;
        let body =
            fetched.map_err(|failure| self.failed(format!("{key}: {}", failure.reason())))?;
        let write = async {
            if let Some(folder) = path.parent() {
                tokio::fs::create_dir_all(folder).await?;
            }
            tokio::fs::write(&path, body).await
        };
        let written: io::Result<()> = write.await;
        written.map_err(|source| MirrorError::Folder { path: path.clone(), source })
    }
}

/// A link is exchanged in one step. The copy before stays, for who is just reading it; earlier ones go.
fn put_in_place(folder: &Path, version: &str, part: &Path) -> io::Result<()> {
    std::fs::create_dir_all(part)?;
    let place = folder.join(version);
    if std::fs::rename(part, &place).is_err() {
        // It was in force once, and is whole.
        std::fs::remove_dir_all(part)?;
    }
    let before = std::fs::read_link(folder.join("current")).ok();
    let before = before.map(|name| folder.join(name));
    let link = folder.join(format!("current.{}", std::process::id()));
    match std::fs::remove_file(&link) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => std::os::unix::fs::symlink(version, &link)?,
    }
    std::fs::rename(&link, folder.join("current"))?;
    for entry in std::fs::read_dir(folder)?.flatten() {
        let path = entry.path();
        let is_kept = path == place || Some(&path) == before.as_ref();
        if entry.file_type()?.is_dir() && !is_kept {
            std::fs::remove_dir_all(path)?;
        }
    }
    Ok(())
}
