//! Scenarios and customers in force, exchanged as a whole while runs go on.

use std::collections::{HashSet, VecDeque};
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

use crate::customer::Customer;
use crate::customer::catalog::Customers;
use crate::digest;
use crate::incident::{Incident, Named};
use crate::matching::{Choice, Index};
use crate::scenario::catalog::Catalog;
use crate::scenario::model::{Mode, Scenario};

/// One consistent set. Runs keep the scenario they began with; new ones see the newest set.
#[derive(Debug, Default)]
pub struct RuleSet {
    pub catalog: Catalog,
    pub customers: Customers,
    index: Index,
    version: String,
}

impl RuleSet {
    pub fn new(catalog: Catalog, customers: Customers) -> Self {
        let index = Index::of(&catalog.scenarios);
        let version = version(&catalog, customers.hashes());
        Self { catalog, customers, index, version }
    }

    /// The same for the same files that are used, wherever they lie.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// `title` is the one the incident came with.
    pub fn customer_of(&self, incident: &Incident, title: &str) -> Option<Arc<Customer>> {
        self.customers.of(incident, title)
    }

    /// The scenario that is meant for this incident of this customer.
    pub fn choose(&self, title: &str, incident: &Incident, customer: Option<&Customer>) -> Choice {
        self.index.choose_where(title, &|scenario| is_for(scenario, incident, customer))
    }

    /// Is there a scenario that some title of this service could get?
    pub fn could_act(&self, service: &Named, customer: Option<&Customer>) -> bool {
        let mut all = self.catalog.scenarios.iter();
        all.any(|scenario| is_for_service(scenario, Some(service), customer))
    }
}

/// Of these scenarios with these customers, each by id and version.
pub fn version<'a>(
    catalog: &'a Catalog,
    customers: impl Iterator<Item = (&'a str, &'a str)>,
) -> String {
    let scenarios =
        catalog.scenarios.iter().map(|it| ("scenario", it.id.as_str(), it.hash.as_str()));
    let customers = customers.map(|(id, hash)| ("customer", id, hash));
    let mut parts: Vec<_> = scenarios.chain(customers).collect();
    parts.sort_unstable();
    digest::short(format!("{parts:?}"))
}

/// The filters beside the title: customer, service, urgency, and whether it may act at all.
fn is_for(scenario: &Scenario, incident: &Incident, customer: Option<&Customer>) -> bool {
    let urgency = scenario.rule.urgency;
    urgency.is_none_or(|urgency| urgency == incident.urgency)
        && is_for_service(scenario, incident.service.as_ref(), customer)
}

fn is_for_service(
    scenario: &Scenario,
    service: Option<&Named>,
    customer: Option<&Customer>,
) -> bool {
    let rule = &scenario.rule;
    let service_fits = rule.services.is_empty()
        || service.is_some_and(|service| {
            rule.services.iter().any(|known| *known == service.id || *known == service.name)
        });
    let customer_fits = rule.customers.is_empty()
        || customer.is_some_and(|customer| rule.customers.contains(&customer.id));
    let mode = customer.map_or(scenario.mode, |it| it.mode(&scenario.id, scenario.mode));
    service_fits && customer_fits && mode != Mode::Off
}

/// The set in force. Clones share it.
#[derive(Clone, Debug)]
pub struct Rules(Arc<RwLock<InForce>>);

#[derive(Debug)]
struct InForce {
    set: Arc<RuleSet>,
    /// Versions that were in force before, newest first: runs that began with one may be taken
    /// over after the change.
    earlier: VecDeque<Arc<Scenario>>,
    /// Why a newer set is not in force.
    refused: Option<String>,
}

/// Scenario versions remembered after a change.
const EARLIER: usize = 2_000;

impl Rules {
    pub fn new(set: RuleSet) -> Self {
        let (set, earlier) = (Arc::new(set), VecDeque::new());
        Self(Arc::new(RwLock::new(InForce { set, earlier, refused: None })))
    }

    pub fn current(&self) -> Arc<RuleSet> {
        Arc::clone(&self.in_force().set)
    }

    /// A scenario in exactly this version, in force now or before.
    pub fn version(&self, id: &str, hash: &str) -> Option<Arc<Scenario>> {
        let in_force = self.in_force();
        let current = in_force.set.catalog.by_id(id).into_iter();
        let mut known = current.chain(&in_force.earlier);
        known.find(|scenario| scenario.id == id && scenario.hash == hash).cloned()
    }

    /// From the next incident on.
    pub fn replace(&self, set: RuleSet) {
        // Compared before anything is locked: webhooks wait for this lock.
        let newer: HashSet<&str> =
            set.catalog.scenarios.iter().map(|scenario| scenario.hash.as_str()).collect();
        let before = self.current();
        let gone: Vec<Arc<Scenario>> = before
            .catalog
            .scenarios
            .iter()
            .filter(|scenario| !newer.contains(scenario.hash.as_str()))
            .take(EARLIER)
            .cloned()
            .collect();
        let set = Arc::new(set);
        let mut in_force = self.0.write().unwrap_or_else(PoisonError::into_inner);
        in_force.set = set;
        for scenario in gone {
            in_force.earlier.push_front(scenario);
        }
        in_force.earlier.truncate(EARLIER);
        in_force.refused = None;
    }

    /// A newer set is wrong; the one in force stays.
    pub fn refuse(&self, why: String) {
        self.0.write().unwrap_or_else(PoisonError::into_inner).refused = Some(why);
    }

    /// Why a newer set is not in force, if so.
    pub fn refused(&self) -> Option<String> {
        self.in_force().refused.clone()
    }

    fn in_force(&self) -> RwLockReadGuard<'_, InForce> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }
}
