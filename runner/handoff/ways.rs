//! The ways to tell people beside PagerDuty that this process has: credentials are the settings', who
//! is told is the customers'.

use std::sync::Arc;

use super::{backlog, email, slack};

/// What is set up.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    pub backlog: Option<backlog::Settings>,
    pub slack: Option<slack::Settings>,
    pub email: Option<email::Settings>,
}

#[derive(Clone, Default)]
pub struct Ways {
    pub backlog: Option<Arc<backlog::Backlog>>,
    pub slack: Option<Arc<slack::Slack>>,
    pub email: Option<Arc<email::Email>>,
}

impl Ways {
    /// Connects to nothing yet. `Err` says which setting does not do.
    pub fn open(settings: &Settings) -> Result<Self, String> {
        let backlog = settings.backlog.as_ref().map(backlog::Backlog::open).transpose()?;
        let slack = settings.slack.as_ref().map(slack::Slack::open).transpose()?;
        let email = settings.email.as_ref().map(email::Email::open).transpose()?;
        Ok(Self {
            backlog: backlog.map(Arc::new),
            slack: slack.map(Arc::new),
            email: email.map(Arc::new),
        })
    }
}
