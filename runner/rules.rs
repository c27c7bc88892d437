//! Scenarios and customers in force, exchanged as a whole while runs go on.

use std::sync::{Arc, PoisonError, RwLock};

use crate::customer::Customer;
use crate::customer::catalog::Customers;
use crate::incident::Incident;
use crate::matching::{Choice, Index};
use crate::scenario::catalog::Catalog;
use crate::scenario::model::{Mode, Scenario};

/// One consistent set. Runs keep the scenario they began with; new ones see the newest set.
#[derive(Debug, Default)]
pub struct RuleSet {
    pub catalog: Catalog,
    pub customers: Customers,
    index: Index,
}

impl RuleSet {
    pub fn new(catalog: Catalog, customers: Customers) -> Self {
        let index = Index::of(&catalog.scenarios);
        Self { catalog, customers, index }
    }

    pub fn customer_of(&self, incident: &Incident) -> Option<Arc<Customer>> {
        self.customers.of(incident)
    }

    /// The scenario that is meant for this incident of this customer.
    pub fn choose(&self, title: &str, incident: &Incident, customer: Option<&Customer>) -> Choice {
        self.index.choose_where(title, &|scenario| is_for(scenario, incident, customer))
    }
}

/// The filters beside the title: customer, service, urgency, and whether it may act at all.
fn is_for(scenario: &Scenario, incident: &Incident, customer: Option<&Customer>) -> bool {
    let rule = &scenario.rule;
    let service = incident.service.as_ref();
    let service_fits = rule.services.is_empty()
        || service.is_some_and(|service| {
            rule.services.iter().any(|known| *known == service.id || *known == service.name)
        });
    let customer_fits = rule.customers.is_empty()
        || customer.is_some_and(|customer| rule.customers.contains(&customer.id));
    let mode = customer.map_or(scenario.mode, |it| it.mode(&scenario.id, scenario.mode));
    service_fits
        && customer_fits
        && rule.urgency.is_none_or(|urgency| urgency == incident.urgency)
        && mode != Mode::Off
}

/// The set in force. Clones share it.
#[derive(Clone, Debug)]
pub struct Rules(Arc<RwLock<Arc<RuleSet>>>);

impl Rules {
    pub fn new(set: RuleSet) -> Self {
        Self(Arc::new(RwLock::new(Arc::new(set))))
    }

    pub fn current(&self) -> Arc<RuleSet> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// From the next incident on.
    pub fn replace(&self, set: RuleSet) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(set);
    }
}
