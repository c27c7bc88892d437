//! Tickets in Nulab's Backlog: an issue for a hand-off, or a comment on the one that is open already.
//!
//! API v2: <https://developer.nulab.com/docs/backlog/>. Bodies are forms, the key is part of the
//! address. An issue carries markers in its description; they are what it is found by, because the
//! search by keyword goes over an index that may lag behind.

mod api;
mod project;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::Timestamp;
use reqwest::{Client, Url};
use serde_json::Value;
use tokio::sync::Semaphore;

use super::http;
use super::once::{Attempt, Found, Way};
use crate::limits;
use crate::report::packet::Sent;
use crate::secret::Secret;
use api::Failure;
use project::Project;

/// How Backlog is reached.
#[derive(Clone, Debug)]
pub struct Settings {
    /// `https://example.backlog.com`.
    pub url: String,
    pub key: Secret,
}

/// One space of Backlog's.
pub struct Backlog {
    http: Client,
    base: Url,
    key: Secret,
    projects: Mutex<BTreeMap<String, Project>>,
    turns: Semaphore,
}

/// A ticket that a run wants.
#[derive(Clone, Debug)]
pub struct Order {
    /// By its key.
    pub project: String,
    /// By name; without it, the project's first.
    pub issue_type: Option<String>,
    /// By name; without it, the middle one.
    pub priority: Option<String>,
    pub summary: String,
    pub description: String,
    /// What is said on an issue that is open already.
    pub comment: String,
    /// Of this run and this ticket alone.
    pub marker: String,
    /// Of all issues that this one may be told on, as long as they are open.
    pub same: String,
    /// Whether it is told on an open one at all.
    pub append: bool,
    /// Nothing of the run is older.
    pub since: Timestamp,
}

/// A run's ticket, and where it goes.
pub struct Ticket {
    pub backlog: Arc<Backlog>,
    pub order: Order,
}

impl Backlog {
    /// What is under way; [`limits::PACKET_AT_ONCE`] at most.
    pub fn busy(&self) -> usize {
        limits::PACKET_AT_ONCE.saturating_sub(self.turns.available_permits())
    }

    pub fn open(settings: &Settings) -> Result<Self, String> {
        let base = Url::parse(&settings.url).map_err(|error| format!("backlog.url: {error}"))?;
        let http = http::client().map_err(|error| error.to_string())?;
        let turns = Semaphore::new(limits::PACKET_AT_ONCE);
        Ok(Self { http, base, key: settings.key.clone(), projects: Mutex::default(), turns })
    }

    /// An issue by the id that a journal holds, as people are shown it.
    pub async fn shown(&self, id: &str) -> Option<String> {
        let issue = self.get(&["issues", id], &[]).await.ok()?;
        Some(self.show(&issue).0)
    }

    /// Key and address of an issue, and its id.
    fn show(&self, issue: &Value) -> (String, Option<String>) {
        let key = issue["issueKey"].as_str().unwrap_or("?");
        let mut page = self.base.clone();
        page.set_query(None);
        if let Ok(mut path) = page.path_segments_mut() {
            path.pop_if_empty().extend(["view", key]);
        }
        (format!("{key} {page}"), issue["id"].as_u64().map(|id| id.to_string()))
    }

    fn sent(&self, issue: &Value, appended: bool) -> Sent {
        let (shown, reference) = self.show(issue);
        Sent { shown, reference, appended }
    }

    /// AMS's own issues of a project, the last ones first.
    async fn issues(
        &self,
        project: &Project,
        sort: &str,
        further: &[(&'static str, String)],
    ) -> Result<Vec<Value>, Failure> {
        let mut query = vec![
            ("projectId[]", project.id.to_string()),
            ("createdUserId[]", project.me.to_string()),
            ("sort", sort.to_owned()),
            ("order", "desc".to_owned()),
            ("count", limits::BACKLOG_PAGE.to_string()),
        ];
        query.extend_from_slice(further);
        let mut all = Vec::new();
        for offset in (0..limits::BACKLOG_ISSUES).step_by(limits::BACKLOG_PAGE) {
            let page = [("offset", offset.to_string())];
            let query: Vec<_> = query.iter().cloned().chain(page).collect();
            let issues = api::list(self.get(&["issues"], &query).await?);
            let is_last = issues.len() < limits::BACKLOG_PAGE;
            all.extend(issues);
            if is_last {
                break;
            }
        }
        Ok(all)
    }

    /// The open issue that the order may be told on.
    async fn open_issue(&self, project: &Project, order: &Order) -> Result<Option<Value>, Failure> {
        if !order.append {
            return Ok(None);
        }
        let open: Vec<(&'static str, String)> =
            project.open.iter().map(|id| ("statusId[]", id.to_string())).collect();
        let issues = self.issues(project, "created", &open).await?;
        Ok(issues.into_iter().find(|issue| has(issue, "description", &order.same)))
    }

    async fn create(&self, project: &Project, order: &Order) -> Result<Sent, Failure> {
        let description = signed(
            &order.description,
            &format!("{}\n{}", order.same, order.marker),
            limits::BACKLOG_DESCRIPTION_CHARS,
        );
        let summary = one_line(&order.summary, limits::BACKLOG_SUMMARY_CHARS);
        let form = [
            ("projectId", project.id.to_string()),
            ("summary", summary),
            ("issueTypeId", project.issue_type(order.issue_type.as_deref()).to_string()),
            ("priorityId", project.priority(order.priority.as_deref()).to_string()),
            ("description", description),
        ];
        let issue = self.post(&["issues"], &form).await?;
        Ok(self.sent(&issue, false))
    }

    async fn comment(&self, issue: &Value, order: &Order) -> Result<Sent, Failure> {
        let content = signed(&order.comment, &order.marker, limits::BACKLOG_COMMENT_CHARS);
        let id = issue["id"].as_u64().unwrap_or_default().to_string();
        self.post(&["issues", &id, "comments"], &[("content", content)]).await?;
        Ok(self.sent(issue, true))
    }

    async fn file(&self, order: &Order) -> Result<Sent, Failure> {
        let project = self.project(&order.project).await.map_err(Failure::before)?;
        match self.open_issue(&project, order).await.map_err(Failure::before)? {
            Some(issue) => self.comment(&issue, order).await,
            None => self.create(&project, order).await,
        }
    }

    /// An issue, or a comment of one, that carries the order's marker.
    async fn find(&self, order: &Order) -> Result<Option<Sent>, Failure> {
        let project = self.project(&order.project).await?;
        // Backlog counts days where it is; the run may have begun just before midnight.
        let day = jiff::SignedDuration::from_hours(24);
        let since = (order.since - day).to_zoned(jiff::tz::TimeZone::UTC).date().to_string();
        let made = self.issues(&project, "created", &[("createdSince", since.clone())]).await?;
        if let Some(issue) = made.iter().find(|it| has(it, "description", &order.marker)) {
            return Ok(Some(self.sent(issue, false)));
        }
        if !order.append {
            return Ok(None);
        }
        let touched = self.issues(&project, "updated", &[("updatedSince", since)]).await?;
        for issue in touched.iter().filter(|it| has(it, "description", &order.same)) {
            let id = issue["id"].as_u64().unwrap_or_default().to_string();
            let query =
                [("order", "desc".to_owned()), ("count", limits::BACKLOG_COMMENTS.to_string())];
            let comments = api::list(self.get(&["issues", &id, "comments"], &query).await?);
            if comments.iter().any(|comment| has(comment, "content", &order.marker)) {
                return Ok(Some(self.sent(issue, true)));
            }
        }
        Ok(None)
    }
}

#[async_trait]
impl Way for Ticket {
    fn turns(&self) -> &Semaphore {
        &self.backlog.turns
    }

    async fn look(&self) -> Found {
        match self.backlog.find(&self.order).await {
            Ok(Some(sent)) => Found::There(sent),
            Ok(None) => Found::Not,
            Err(Failure::Refused(why)) => Found::Cannot(why),
            Err(Failure::Later { why, .. } | Failure::Lost(why)) => Found::Later(why),
        }
    }

    async fn send(&self) -> Attempt {
        match self.backlog.file(&self.order).await {
            Ok(sent) => Attempt::Sent(sent),
            Err(Failure::Refused(why)) => Attempt::Refused(why),
            Err(Failure::Later { why, after }) => Attempt::Later { why, after },
            Err(Failure::Lost(why)) => Attempt::Lost(why),
        }
    }
}

/// On a line of its own: a title or an output that has it within others is not taken for it.
fn has(value: &Value, field: &str, marker: &str) -> bool {
    value[field].as_str().is_some_and(|text| text.lines().any(|line| line.trim() == marker))
}

/// A text with its marker behind it, within the length.
fn signed(text: &str, marker: &str, most: usize) -> String {
    let room = most.saturating_sub(marker.chars().count() + 2);
    let text: String = text.trim_end().chars().take(room).collect();
    format!("{text}\n\n{marker}")
}

/// Without line breaks and other control characters, within the length.
pub(super) fn one_line(text: &str, most: usize) -> String {
    let spaced: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let line = words.join(" ");
    if line.chars().count() <= most {
        return line;
    }
    line.chars().take(most - 1).chain(['…']).collect()
}
