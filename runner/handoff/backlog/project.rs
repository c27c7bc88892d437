//! What a Backlog project is made of, in ids: asked for once in a while.

use std::sync::PoisonError;

use serde_json::Value;
use tokio::time::Instant;

use super::Backlog;
use super::api::{self, Failure};
use crate::limits;

/// Backlog's id of the state "closed" in every project; own states have other ids
/// (<https://developer.nulab.com/docs/backlog/api/2/get-status-list-of-project/>).
const CLOSED: u64 = 4;

/// Backlog's id of the middle priority.
const NORMAL: u64 = 3;

#[derive(Clone, Debug)]
pub(super) struct Project {
    pub(super) id: u64,
    /// AMS's own user.
    pub(super) me: u64,
    /// States of issues that are not closed.
    pub(super) open: Vec<u64>,
    types: Vec<(u64, String)>,
    priorities: Vec<(u64, String)>,
    known_since: Instant,
}

impl Project {
    /// By name. A name that is not there costs nobody the ticket.
    pub(super) fn issue_type(&self, name: Option<&str>) -> u64 {
        let first = self.types.first().map_or(0, |(id, _)| *id);
        pick(&self.types, name, "issue type").unwrap_or(first)
    }

    pub(super) fn priority(&self, name: Option<&str>) -> u64 {
        pick(&self.priorities, name, "priority").unwrap_or(NORMAL)
    }
}

fn pick(known: &[(u64, String)], name: Option<&str>, what: &str) -> Option<u64> {
    let name = name?;
    let found = known.iter().find(|(_, it)| it == name).map(|(id, _)| *id);
    if found.is_none() {
        tracing::warn!(
            "Backlog has no {what} '{name}'; another is used. Change the customer's file"
        );
    }
    found
}

impl Backlog {
    pub(super) async fn project(&self, key: &str) -> Result<Project, Failure> {
        let known = self.projects.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned();
        if let Some(project) = known
            && project.known_since.elapsed() < limits::BACKLOG_KNOWN
        {
            return Ok(project);
        }
        let project = self.ask_for_project(key).await?;
        let mut all = self.projects.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= limits::BACKLOG_PROJECTS {
            all.clear();
        }
        all.insert(key.to_owned(), project.clone());
        Ok(project)
    }

    async fn ask_for_project(&self, key: &str) -> Result<Project, Failure> {
        let id = number(&self.get(&["projects", key], &[]).await?)?;
        let of = id.to_string();
        let me = number(&self.get(&["users", "myself"], &[]).await?)?;
        let types = named(self.get(&["projects", &of, "issueTypes"], &[]).await?);
        let states = named(self.get(&["projects", &of, "statuses"], &[]).await?);
        let priorities = named(self.get(&["priorities"], &[]).await?);
        let open = states.into_iter().map(|(id, _)| id).filter(|id| *id != CLOSED).collect();
        Ok(Project { id, me, open, types, priorities, known_since: Instant::now() })
    }
}

fn number(value: &Value) -> Result<u64, Failure> {
    let id = value["id"].as_u64();
    id.ok_or_else(|| Failure::Refused("Backlog: an answer without an id".to_owned()))
}

fn named(value: Value) -> Vec<(u64, String)> {
    api::list(value)
        .iter()
        .filter_map(|item| Some((item["id"].as_u64()?, item["name"].as_str()?.to_owned())))
        .collect()
}
