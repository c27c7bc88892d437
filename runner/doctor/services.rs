//! Which services' incidents AMS would do something about. Pure.

use super::matter::Matter;
use crate::customer::Customer;
use crate::finding::did_you_mean;
use crate::report::account::Service;
use crate::rules::RuleSet;

/// The services whose incidents AMS is for: those that customers and scenarios name; all, where
/// nothing is named.
pub fn meant<'a>(services: &'a [Service], rules: &RuleSet) -> Vec<&'a Service> {
    let mut named = rules
        .customers
        .all()
        .iter()
        .flat_map(|customer| &customer.belongs.services)
        .chain(rules.catalog.scenarios.iter().flat_map(|it| &it.rule.services))
        .collect::<Vec<_>>();
    named.sort_unstable();
    let is_named = |service: &&Service| {
        let has = |name: &String| named.binary_search(&name).is_ok();
        has(&service.name.id) || has(&service.name.name)
    };
    let in_use = || services.iter().filter(|it| !it.is_disabled);
    if named.is_empty() { in_use().collect() } else { in_use().filter(is_named).collect() }
}

pub fn judge(services: &[Service], rules: &RuleSet) -> Vec<Matter> {
    let mut matters = unknown(services, rules);
    let customers = rules.customers.all();
    let by_title = || customers.iter().filter(|it| it.belongs.title.is_some());
    let (mut nobody_s, mut left) = (Vec::new(), Vec::new());
    let in_use: Vec<&Service> = services.iter().filter(|it| !it.is_disabled).collect();
    for service in &in_use {
        let own = rules.customers.of_service(&service.name);
        if own.is_none() && !customers.is_empty() && by_title().next().is_none() {
            nobody_s.push(service.name.name.clone());
        }
        let could = |customer: Option<&Customer>| rules.could_act(&service.name, customer);
        let is_covered = match own {
            Some(customer) => could(Some(customer)),
            None => could(None) || by_title().any(|customer| could(Some(customer))),
        };
        if !is_covered {
            left.push(service.name.name.clone());
        }
    }
    if !nobody_s.is_empty() {
        matters.push(Matter::ServicesWithoutCustomer { services: nobody_s });
    }
    let covered = in_use.len() - left.len();
    if !left.is_empty() {
        matters.push(Matter::ServicesWithoutScenario { services: left });
    }
    matters.insert(0, Matter::ServicesCovered { count: covered });
    matters
}

/// Names that no service has: whoever wrote them believes that something is watched.
fn unknown(services: &[Service], rules: &RuleSet) -> Vec<Matter> {
    let names = || services.iter().flat_map(|it| [it.name.id.as_str(), it.name.name.as_str()]);
    let mut known: Vec<&str> = names().collect();
    known.sort_unstable();
    let is_unknown = |written: &&String| known.binary_search(&written.as_str()).is_err();
    let near = |written: &str| did_you_mean(written, names()).map(str::to_owned);
    let of_customers = rules.customers.all().iter().flat_map(|customer| {
        let unknown = customer.belongs.services.iter().filter(is_unknown);
        unknown.map(|service| Matter::ServiceUnknown {
            customer: customer.id.clone(),
            service: service.clone(),
            near: near(service),
        })
    });
    let of_scenarios = rules.catalog.scenarios.iter().flat_map(|scenario| {
        let unknown = scenario.rule.services.iter().filter(is_unknown);
        unknown.map(|service| Matter::ScenarioServiceUnknown {
            scenario: scenario.id.clone(),
            service: service.clone(),
            near: near(service),
        })
    });
    of_customers.chain(of_scenarios).collect()
}
