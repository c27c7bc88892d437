//! What people and analysts ask about later, and texts a run needs after a take-over.
//!
//! Nothing's safety depends on it: a run whose texts cannot be recalled hands off instead. It may
//! hold customers' text, so it never lies where the claim table may lie.

pub mod dynamodb;
pub mod sqlite;
pub mod story;

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use jiff::Timestamp;

use crate::incident::RunId;

#[derive(Debug, thiserror::Error)]
#[error("the history cannot be used: {0}")]
pub struct HistoryError(pub String);

/// Adapters: `sqlite.rs`, `dynamodb.rs`, and [`Forgetful`] for rehearsals and tests.
#[async_trait]
pub trait History: Send + Sync {
    /// Keeps what a run has read so far, in place of what was kept before.
    async fn keep(&self, run: &RunId, memory: String) -> Result<(), HistoryError>;

    async fn recall(&self, run: &RunId) -> Result<Option<String>, HistoryError>;

    /// Keeps the run's story ([`story::RunStory`]), in place of what was kept before.
    async fn write_story(&self, run: &RunId, story: String) -> Result<(), HistoryError>;

    async fn read_story(&self, run: &RunId) -> Result<Option<String>, HistoryError>;

    /// Forgets what was kept before this time, stories too.
    async fn sweep(&self, before: Timestamp) -> Result<(), HistoryError>;
}

/// Lives as long as the process.
#[derive(Default)]
pub struct Forgetful {
    memories: Mutex<HashMap<RunId, String>>,
    stories: Mutex<HashMap<RunId, String>>,
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

    async fn sweep(&self, _before: Timestamp) -> Result<(), HistoryError> {
        Ok(())
    }

    async fn recall(&self, run: &RunId) -> Result<Option<String>, HistoryError> {
        Ok(self.memories.lock().unwrap_or_else(PoisonError::into_inner).get(run).cloned())
    }
}
