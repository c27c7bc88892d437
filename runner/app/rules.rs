//! Scenarios and customers as they are at start: good files are used beside bad ones.

use std::sync::Arc;

use super::StartError;
use crate::clock::Clock;
use crate::config::Config;
use crate::customer::catalog::Customers;
use crate::finding::Level;
use crate::mirror::Mirror;
use crate::rules::RuleSet;
use crate::scenario::catalog::Catalog;

/// What scenarios and customers are read from, copied.
pub(super) async fn mirrors(
    config: &Config,
    clock: &Arc<dyn Clock>,
) -> Result<Vec<Mirror>, StartError> {
    let mut mirrors = Vec::new();
    for mirror in &config.mirrors {
        mirrors.push(Mirror::start(mirror.clone(), Arc::clone(clock)).await?);
    }
    Ok(mirrors)
}

pub(super) fn load(config: &Config) -> Result<RuleSet, StartError> {
    let mut customers = match &config.customers {
        None => Customers::default(),
        Some(path) => Customers::load(path)
            .map_err(|source| StartError::Customers { path: path.clone(), source })?,
    };
    customers.look_up_secrets(&config.variables.0);
    for finding in &customers.findings {
        match finding.level {
            Level::Error => tracing::error!("customer file refused: {finding}"),
            Level::Warning => tracing::warn!("customer file: {finding}"),
        }
    }
    Ok(RuleSet::new(load_scenarios(config)?, customers))
}

fn load_scenarios(config: &Config) -> Result<Catalog, StartError> {
    let catalog = Catalog::load(&config.scenarios, Some(&config.vars))?;
    if catalog.scenarios.is_empty() {
        let (path, Catalog { files, findings, .. }) = (config.scenarios.clone(), catalog);
        return Err(match files {
            0 => StartError::NoScenarioFile { path },
            _ => StartError::NoScenario { path, findings },
        });
    }
    for finding in &catalog.findings {
        match finding.level {
            Level::Error => tracing::error!("scenario file refused: {finding}"),
            Level::Warning => tracing::warn!("scenario file: {finding}"),
        }
    }
    Ok(catalog)
}
