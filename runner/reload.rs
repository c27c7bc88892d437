//! Exchanges scenarios and customers while runs go on, when their files change.
//!
//! A changed directory is read and checked as a whole. Without an error it comes into force for
//! the next incident; with one, the set before stays in force and everybody is told: log, metric,
//! readiness. Files are looked at by their times and sizes, which works on every file system that
//! configuration is mounted from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio_util::sync::CancellationToken;

use crate::config::Variables;
use crate::customer::catalog::Customers;
use crate::finding::{Finding, Level};
use crate::matching::overlap;
use crate::metrics::Metrics;
use crate::rules::{RuleSet, Rules};
use crate::scenario::catalog::Catalog;

/// Where the rules come from, and who is told.
pub struct Reload {
    pub scenarios: PathBuf,
    pub customers: Option<PathBuf>,
    pub vars: BTreeMap<String, String>,
    /// Customers' secrets may be among them.
    pub variables: Variables,
    pub every: Duration,
    /// Of the files as they were right before they were loaded, so that no change is missed.
    pub loaded: Print,
    pub rules: Rules,
    pub metrics: Metrics,
}

/// Times and sizes of every file; two that are equal mean that nothing changed.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Print(BTreeMap<PathBuf, (Option<SystemTime>, u64)>);

impl Print {
    pub fn of(scenarios: &Path, customers: Option<&Path>) -> Self {
        let mut print = Self::default();
        let mut left = MOST_ENTRIES;
        for path in std::iter::once(scenarios).chain(customers) {
            look(path, &mut print.0, &mut left, 0);
        }
        print
    }
}

/// Files and directories looked at for changes; more than the catalog takes. Directories that
/// link to each other end here.
const MOST_ENTRIES: usize = 50_000;

/// Why a changed directory does not come into force.
#[derive(Debug)]
pub struct Refused {
    pub findings: Vec<Finding>,
    pub reason: String,
}

impl Reload {
    /// Looks until cancelled.
    pub async fn look_until(self, stop: CancellationToken) {
        let reload = Arc::new(self);
        let mut in_force = reload.loaded.clone();
        let mut before = in_force.clone();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(reload.every) => {}
            }
            let now = reload.print().await;
            // A change that is still going on is not read: half of a release is no release.
            let settled = now == before;
            before.clone_from(&now);
            if settled && now != in_force {
                in_force = now;
                reload.exchange().await;
            }
        }
    }

    /// Reading thousands of files must not keep a webhook waiting.
    async fn print(self: &Arc<Self>) -> Print {
        let reload = Arc::clone(self);
        let looked = tokio::task::spawn_blocking(move || {
            Print::of(&reload.scenarios, reload.customers.as_deref())
        });
        looked.await.unwrap_or_default()
    }

    async fn exchange(self: &Arc<Self>) {
        let reload = Arc::clone(self);
        let read = tokio::task::spawn_blocking(move || reload.read()).await;
        match read {
            Ok(Ok(set)) => {
                let scenarios = set.catalog.scenarios.len();
                self.rules.replace(set);
                self.metrics.reloads.inc();
                self.metrics.rules_loaded.set(i64::try_from(scenarios).unwrap_or(i64::MAX));
                self.metrics.rules_refused.set(0);
                tracing::info!(scenarios, "changed scenarios are in force: {scenarios} scenarios");
            }
            Ok(Err(refused)) => {
                let Refused { findings, reason } = &refused;
                self.metrics.rules_refused.set(1);
                self.metrics.reload_failures.inc();
                tracing::error!("changed scenarios are refused, the set before stays: {reason}");
                findings.iter().take(TOLD).for_each(|finding| tracing::error!("{finding}"));
                self.rules.refuse(reason.clone());
            }
            Err(error) => tracing::error!(%error, "a bug: scenarios could not be read again"),
        }
    }

    fn read(&self) -> Result<RuleSet, Refused> {
        let failed = |reason: String| Refused { findings: Vec::new(), reason };
        let catalog = Catalog::load(&behind(&self.scenarios), Some(&self.vars))
            .map_err(|error| failed(error.to_string()))?;
        let mut customers = match &self.customers {
            Some(path) => Customers::load(&behind(path))
                .map_err(|error| failed(format!("{}: {error}", path.display())))?,
            None => Customers::default(),
        };
        customers.look_up_secrets(&self.variables.0);
        for finding in customers.findings.iter().filter(|it| it.level == Level::Warning).take(TOLD)
        {
            tracing::warn!("customer file: {finding}");
        }
        let between = overlap::findings(&catalog.scenarios);
        let all = catalog.findings.iter().chain(&customers.findings).chain(&between);
        let findings: Vec<Finding> =
            all.filter(|finding| finding.level == Level::Error).cloned().collect();
        if findings.is_empty() && !catalog.scenarios.is_empty() {
            return Ok(RuleSet::new(catalog, customers));
        }
        let reason = match findings.first() {
            Some(first) => {
                format!("{} errors, the first in {}", findings.len(), first.file.display())
            }
            None => format!("there is no scenario in {}", self.scenarios.display()),
        };
        Err(Refused { findings, reason })
    }
}

/// Where a link leads: what is exchanged by a link is read as it was when the reading began.
fn behind(path: &Path) -> PathBuf {
    std::fs::read_link(path).map_or_else(|_| path.to_owned(), |to| path.with_file_name(to))
}

/// Findings of a refused change that are logged; `ams validate` shows them all.
const TOLD: usize = 20;

fn look(
    path: &Path,
    print: &mut BTreeMap<PathBuf, (Option<SystemTime>, u64)>,
    left: &mut usize,
    depth: usize,
) {
    const DEEPEST: usize = 16;
    if *left == 0 || depth > DEEPEST {
        return;
    }
    *left -= 1;
    let Ok(metadata) = std::fs::metadata(path) else { return };
    if !metadata.is_dir() {
        print.insert(path.to_owned(), (metadata.modified().ok(), metadata.len()));
        return;
    }
    for entry in std::fs::read_dir(path).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_ours = !name.starts_with('.') && !name.ends_with(".test.yaml");
        if is_ours {
            look(&entry.path(), print, left, depth + 1);
        }
    }
}
