//! What a deployment has on its own side: files, store, processes.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use secrecy::{ExposeSecret as _, SecretString};
use tokio::time::{Instant, sleep};

use super::matter::Matter;
use super::subscriptions;
use crate::app::{StartError, Stores, stores};
use crate::claim::{Beat, ClaimStore, StoreError};
use crate::clock::{Clock, SystemClock};
use crate::config::{Config, SecretPlace, StoreConfig};
use crate::customer::catalog::Customers;
use crate::finding::{Finding, Level};
use crate::rules::RuleSet;
use crate::scenario::catalog::Catalog;
use crate::secret::lines;

// --- configuration -----------------------------------------------------------------------------

pub(super) fn configuration(config: &Config) -> (Vec<Matter>, RuleSet) {
    let mut matters = Vec::new();
    let catalog = scenarios(config, &mut matters);
    let customers = customers(config, &mut matters);
    // Events may come by EventBridge alone.
    let by_eventbridge = config.eventbridge.queue.is_some() || !config.eventbridge.keys.is_empty();
    if config.webhook_secrets.is_empty() && !by_eventbridge {
        matters.push(Matter::NoWebhookSecret);
    }
    let own = config.region.as_str();
    if config.regions.is_empty() && by_eventbridge {
        matters.push(Matter::ByEventBridge);
    } else if config.regions.is_empty() {
        matters.push(Matter::NoRegions);
    } else if !config.regions.iter().any(|it| it.name == config.region) {
        matters.push(Matter::OwnRegionUnlisted { region: own.to_owned() });
    }
    for region in &config.regions {
        let name = region.name.as_str().to_owned();
        let host = subscriptions::host(&region.url);
        let is_here = host == "localhost" || host.starts_with("127.");
        if region.url.starts_with("http://") && !is_here {
            let url = region.url.clone();
            matters.push(Matter::PlainAddress { region: name.clone(), url });
        }
        let Some(place) = &region.secret else { continue };
        match place.read(&config.variables) {
            // Another region's variable is not here, and need not be.
            Err(_) if matches!(place, SecretPlace::Variable(_)) && region.name != config.region => {
            }
            Err(why) => matters.push(Matter::SecretUnread { region: name, why }),
            Ok(secrets) if region.name == config.region => {
                let known = lines(&config.webhook_secrets);
                let is_known = |secret: &SecretString| {
                    known.iter().any(|it| it.expose_secret() == secret.expose_secret())
                };
                if !secrets.iter().any(is_known) {
                    matters.push(Matter::SecretUnused { region: name });
                }
            }
            Ok(_) => {}
        }
    }
    (matters, RuleSet::new(catalog, customers))
}

fn scenarios(config: &Config, matters: &mut Vec<Matter>) -> Catalog {
    let path = shown(&config.scenarios);
    let catalog = match Catalog::load(&config.scenarios, Some(&config.vars)) {
        Ok(catalog) => catalog,
        Err(error) => {
            matters.push(Matter::ScenariosMissing { path, why: error.to_string() });
            return Catalog::default();
        }
    };
    if catalog.scenarios.is_empty() {
        let why = format!("{} files, none of which can be used", catalog.files);
        matters.push(Matter::ScenariosMissing { path: path.clone(), why });
    } else {
        matters.push(Matter::ScenariosRead { count: catalog.scenarios.len() });
    }
    if let Some((mistakes, first)) = mistakes(&catalog.findings) {
        matters.push(Matter::ScenariosRefused { path, mistakes, first });
    }
    catalog
}

fn customers(config: &Config, matters: &mut Vec<Matter>) -> Customers {
    let Some(path) = &config.customers else {
        matters.push(Matter::NoCustomers);
        return Customers::default();
    };
    let mut customers = match Customers::load(path) {
        Ok(customers) => customers,
        Err(error) => {
            let why = error.to_string();
            matters.push(Matter::CustomersMissing { path: shown(path), why });
            return Customers::default();
        }
    };
    customers.look_up_secrets(&config.variables.0);
    matters.push(Matter::CustomersRead { count: customers.len() });
    if let Some((mistakes, first)) = mistakes(&customers.findings) {
        matters.push(Matter::CustomersRefused { path: shown(path), mistakes, first });
    }
    customers
}

fn mistakes(findings: &[Finding]) -> Option<(usize, String)> {
    let wrong = || findings.iter().filter(|it| it.level == Level::Error);
    Some((wrong().count(), wrong().next()?.to_string()))
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

// --- store and regions -------------------------------------------------------------------------

/// The store is opened as a region opens it. A file that is not there is not made.
pub(super) async fn store(config: &Config) -> (Vec<Matter>, Option<Arc<dyn ClaimStore>>) {
    let mut store = config.store.clone();
    let mut matters = Vec::new();
    let name = match &mut store {
        StoreConfig::Sqlite(path) => {
            let store = format!("SQLite {}", path.display());
            let hosts: BTreeSet<String> =
                config.regions.iter().map(|it| subscriptions::host(&it.url)).collect();
            if hosts.len() > 1 {
                let (store, hosts) = (store.clone(), hosts.into_iter().collect());
                matters.push(Matter::StoreOfOneMachine { store, hosts });
            }
            if !path.exists() {
                matters.push(Matter::StoreUnborn { store });
                return (matters, None);
            }
            store
        }
        StoreConfig::DynamoDb(settings) => {
            // What the settings say of one region does not make a table safe for several.
            settings.single_region &= config.regions.len() < 2;
            format!("DynamoDB {} ({})", settings.table, settings.location.region)
        }
    };
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    match stores(&store, &clock).await {
        Ok(Stores { claims, history, .. }) => {
            if let Err(error) = history {
                matters.push(Matter::HistoryWrong { problem: error.to_string() });
            }
            if matters.is_empty() {
                matters.push(Matter::StoreFine { store: name });
            }
            (matters, Some(claims))
        }
        Err(StartError::Store(StoreError::Unfit { what, problem, remedy })) => {
            let problem = format!("{what}: {problem}");
            matters.push(Matter::StoreWrong { problem, remedy: Some(remedy) });
            (matters, None)
        }
        Err(error) => {
            matters.push(Matter::StoreWrong { problem: error.to_string(), remedy: None });
            (matters, None)
        }
    }
}

/// Watches the heartbeats until every region has shown life, for one lease at most.
pub(super) async fn regions(config: &Config, claims: &dyn ClaimStore) -> Vec<Matter> {
    let mut regions: Vec<String> =
        config.regions.iter().map(|it| it.name.as_str().to_owned()).collect();
    if regions.is_empty() {
        regions.push(config.region.as_str().to_owned());
    }
    let began = Instant::now();
    let mut first: BTreeMap<String, u64> = BTreeMap::new();
    let mut alive: BTreeMap<String, String> = BTreeMap::new();
    loop {
        let beats = match claims.signs().await {
            Ok(signs) => signs.beats,
            Err(error) => return vec![Matter::SignsUnread { why: error.to_string() }],
        };
        for Beat { owner, number, rules, .. } in beats {
            let owner = owner.as_str().to_owned();
            let before = *first.entry(owner.clone()).or_insert(number);
            if number > before {
                alive.insert(owner, rules);
            }
        }
        let living = |region: &String| alive.keys().filter(|it| is_of(it, region)).count();
        let is_over = began.elapsed() >= config.lease.lease;
        if is_over || regions.iter().all(|region| living(region) > 0) {
            return lives(&regions, &alive);
        }
        sleep(config.lease.beat_every / 2).await;
    }
}

/// `alive` says by which scenarios and customers each process goes.
fn lives(regions: &[String], alive: &BTreeMap<String, String>) -> Vec<Matter> {
    let told = |region: Option<&String>| -> Vec<String> {
        let of = |owner: &str| region.is_none_or(|region| is_of(owner, region));
        let rules = alive.iter().filter(|(owner, _)| of(owner)).map(|(_, rules)| rules.clone());
        let rules: BTreeSet<String> = rules.filter(|rules| !rules.is_empty()).collect();
        rules.into_iter().collect()
    };
    let each = regions.iter().map(|region| {
        let processes = alive.keys().filter(|it| is_of(it, region)).count();
        let (rules, region) = (told(Some(region)), region.clone());
        match processes {
            0 => Matter::RegionSilent { region },
            _ => Matter::RegionLives { region, processes, rules },
        }
    });
    let versions = told(None);
    let differ = (versions.len() > 1).then_some(Matter::RulesDiffer { versions });
    each.chain(differ).collect()
}

/// A process is named after its region and eight more characters.
fn is_of(owner: &str, region: &str) -> bool {
    owner.rsplit_once('-').is_some_and(|(name, _)| name == region)
}
