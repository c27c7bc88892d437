//! What people and analysts ask about later, and texts a run needs after a take-over.
//!
//! Nothing's safety depends on it: a run whose texts cannot be recalled hands off instead. It may
//! hold customers' text, so it never lies where the claim table may lie.

pub mod dynamodb;
pub mod figure;
pub mod pause;
pub mod shadow;
pub mod sqlite;
pub mod story;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;

use crate::incident::RunId;
use crate::limits;

#[derive(Debug, thiserror::Error)]
#[error("the history cannot be used: {0}")]
pub struct HistoryError(pub String);

fn check_page(text: &str) -> Result<(), HistoryError> {
    if text.len() <= limits::PAGE_BYTES {
        return Ok(());
    }
    Err(HistoryError(format!("a page of {} bytes is too long", text.len())))
}

/// Adapters: `sqlite.rs`, `dynamodb.rs`, and [`Forgetful`] for rehearsals and tests.
#[async_trait]
pub trait History: Send + Sync {
    /// Keeps what a run has read so far, in place of what was kept before.
    async fn keep(&self, run: &RunId, memory: String) -> Result<(), HistoryError>;

    async fn recall(&self, run: &RunId) -> Result<Option<String>, HistoryError>;

    /// Keeps the run's story ([`story::RunStory`]), in place of what was kept before.
    async fn write_story(&self, run: &RunId, story: String) -> Result<(), HistoryError>;

    async fn read_story(&self, run: &RunId) -> Result<Option<String>, HistoryError>;

    /// Keeps a text under a shelf and a name, in place of what was there: for good, or until it is
    /// swept after this time. [`limits::PAGE_BYTES`] at most.
    async fn put_page(
        &self,
        shelf: &str,
        name: &str,
        text: String,
        until: Option<Timestamp>,
    ) -> Result<(), HistoryError>;

    async fn read_page(&self, shelf: &str, name: &str) -> Result<Option<String>, HistoryError>;

    /// All of a shelf, with their names, in their order.
    async fn pages(&self, shelf: &str) -> Result<Vec<(String, String)>, HistoryError>;

    /// Forgets what was kept before this time, stories too, and pages that were to be kept until
    /// then.
    async fn sweep(&self, before: Timestamp) -> Result<(), HistoryError>;
}

/// Lives as long as the process.
#[derive(Default)]
pub struct Forgetful {
    memories: Mutex<HashMap<RunId, String>>,
    stories: Mutex<HashMap<RunId, String>>,
    pages: Mutex<BTreeMap<(String, String), String>>,
}

#[async_trait]
impl History for Forgetful {
    async fn keep(&self, run: &RunId, memory: String) -> Result<(), HistoryError> {
        self.memories.lock().unwrap_or_else(PoisonError::into_inner).insert(run.clone(), memory);
        Ok(())
    }

    async fn write_story(&self, run: &RunId, story: String) -> Result<(), HistoryError> {
        self.stories.lock().unwrap_or_else(PoisonError::into_inner).insert(run.clone(), story);
        Ok(())
    }

    async fn read_story(&self, run: &RunId) -> Result<Option<String>, HistoryError> {
        Ok(self.stories.lock().unwrap_or_else(PoisonError::into_inner).get(run).cloned())
    }

    async fn put_page(
        &self,
        shelf: &str,
        name: &str,
        text: String,
        _until: Option<Timestamp>,
    ) -> Result<(), HistoryError> {
        check_page(&text)?;
        let key = (shelf.to_owned(), name.to_owned());
        self.pages.lock().unwrap_or_else(PoisonError::into_inner).insert(key, text);
        Ok(())
    }

    async fn read_page(&self, shelf: &str, name: &str) -> Result<Option<String>, HistoryError> {
        let key = (shelf.to_owned(), name.to_owned());
        Ok(self.pages.lock().unwrap_or_else(PoisonError::into_inner).get(&key).cloned())
    }

    async fn pages(&self, shelf: &str) -> Result<Vec<(String, String)>, HistoryError> {
        let pages = self.pages.lock().unwrap_or_else(PoisonError::into_inner);
        let mine = pages.iter().filter(|((it, _), _)| it == shelf);
        Ok(mine.map(|((_, name), text)| (name.clone(), text.clone())).collect())
    }

    async fn sweep(&self, _before: Timestamp) -> Result<(), HistoryError> {
        Ok(())
    }

    async fn recall(&self, run: &RunId) -> Result<Option<String>, HistoryError> {
        Ok(self.memories.lock().unwrap_or_else(PoisonError::into_inner).get(run).cloned())
    }
}
