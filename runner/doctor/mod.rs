//! `ams doctor`: whether a deployment would do its work, looked at from outside.
//!
//! `matter.rs` has everything that may be said; the files named after an area decide what is, and
//! are pure; `deployment.rs` and `account.rs` ask, `http.rs` is what receivers are asked with. Nothing is changed but what
//! its caller asks for by name (a subscription enabled again).

mod account;
mod deployment;
pub mod escalation;
mod http;
pub mod matter;
pub mod services;
pub mod subscriptions;
pub mod text;

use crate::config::{Config, PagerDutyConfig};
use crate::report::pagerduty::{Pace, PagerDuty, Settings};

use http::Http;
pub use matter::{Area, Level, Matter};

/// What was found in one area.
#[derive(Clone, Debug)]
pub struct Section {
    pub area: Area,
    pub matters: Vec<Matter>,
}

/// What is looked at, and what may be put right at once.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Subscriptions that PagerDuty has stopped using are enabled again.
    pub enable: bool,
    /// Receivers are not knocked at: for machines that do not reach them.
    pub no_receivers: bool,
}

/// Why nothing could be looked at.
#[derive(Debug, thiserror::Error)]
pub enum Trouble {
    /// For example a token that cannot stand in a header.
    #[error("cannot make the client for PagerDuty: {0}")]
    Client(String),
}

/// A client for who waits at a terminal: it gives up sooner than a run does.
pub fn client(config: &PagerDutyConfig) -> Result<PagerDuty, Trouble> {
    let PagerDutyConfig { url, token, from, .. } = config;
    let mut settings = Settings::new(url.clone(), token.clone(), from.clone());
    settings.pace = Pace { attempts: crate::limits::DOCTOR_ATTEMPTS, ..Pace::default() };
    PagerDuty::new(settings).map_err(|error| Trouble::Client(error.to_string()))
}

/// Looks at everything, area by area, and tells of each as soon as it is known.
pub async fn examine(
    config: &Config,
    options: Options,
    mut tell: impl FnMut(&Section),
) -> Result<Vec<Section>, Trouble> {
    let platform = client(&config.pagerduty)?;
    let http = Http::new().map_err(|error| Trouble::Client(error.to_string()))?;
    let mut sections = Vec::new();
    let mut add = |area, matters: Vec<Matter>| {
        let section = Section { area, matters };
        tell(&section);
        sections.push(section);
    };
    let (matters, rules) = deployment::configuration(config);
    add(Area::Configuration, matters);
    let (matters, claims) = deployment::store(config).await;
    add(Area::Store, matters);
    if let Some(claims) = claims {
        add(Area::Regions, deployment::regions(config, &*claims).await);
    }
    let (matters, mut known) = account::platform(config, &platform, &http, &rules).await;
    add(Area::PagerDuty, matters);
    if known.is_reached {
        let matters =
            account::subscriptions(config, (&platform, options), &mut known, &rules).await;
        add(Area::Subscriptions, matters);
    }
    if !options.no_receivers && !config.regions.is_empty() {
        add(Area::Receivers, account::receivers(config, &http).await);
    }
    if known.is_reached {
        add(Area::Escalation, account::escalation(config, &known, &rules));
        add(Area::Services, account::services(&known, &rules));
    }
    Ok(sections)
}
