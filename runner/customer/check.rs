//! Customers and scenarios beside each other: what one gives and the other never asks for. Pure.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::{Map, Value};

use crate::customer::Customer;
use crate::finding::{Finding, Findings, did_you_mean};
use crate::scenario::model::{HandOff, Scenario, StepKind};
use crate::scenario::value::{Type, typed_json};
use crate::yaml::Place;

/// What is wrong in the files of customers. Only where `all_known`, that is when every scenario
/// they are for could be read, can be said what no scenario asks for.
pub fn customers(
    customers: &[Arc<Customer>],
    scenarios: &[Arc<Scenario>],
    all_known: bool,
) -> Vec<Finding> {
    let mut found = Vec::new();
    for customer in customers {
        let mut findings = Findings::of(&customer.file);
        let mut check = Check { customer, scenarios, all_known, findings: &mut findings };
        check.parameters("parameters", &customer.parameters);
        for host in &customer.hosts {
            check.parameters(&format!("hosts.{}", host.name), &host.parameters);
        }
        check.scenario_names();
        found.extend(findings.into_sorted());
    }
    found
}

struct Check<'a> {
    customer: &'a Customer,
    scenarios: &'a [Arc<Scenario>],
    all_known: bool,
    findings: &'a mut Findings,
}

impl Check<'_> {
    fn parameters(&mut self, whose: &str, given: &Map<String, Value>) {
        for (name, value) in given {
            let place = self.customer.place(&format!("{whose}.{name}"));
            let mut declared = false;
            for scenario in self.scenarios {
                let Some(parameter) = scenario.parameters.get(name) else { continue };
                declared = true;
                let is_for = scenario.rule.customers.is_empty()
                    || scenario.rule.customers.contains(&self.customer.id);
                if let Some(reason) = misfit(value, parameter.kind).filter(|_| is_for) {
                    self.findings.add(
                        "wrong-parameter",
                        place,
                        format!(
                            "{name} must be {}, as the scenario '{}' says: {reason}",
                            parameter.kind.words(),
                            scenario.id
                        ),
                        "correct the value; until then the scenario has none and goes to people",
                    );
                    // Once is enough, however many scenarios ask for it.
                    break;
                }
            }
            if !declared && self.all_known {
                self.unknown_parameter(name, place);
            }
        }
    }

    fn unknown_parameter(&mut self, name: &str, place: Place) {
        let known = self.scenarios.iter().flat_map(|it| it.parameters.keys().map(String::as_str));
        let remedy = match did_you_mean(name, known) {
            Some(near) => format!("did you mean '{near}'?"),
            None => "remove it, or declare it under 'parameters' of the scenario that needs it"
                .to_owned(),
        };
        let message = format!("no scenario has a parameter '{name}'");
        self.findings.warn("unknown-parameter", place, message, remedy);
    }

    fn scenario_names(&mut self) {
        if !self.all_known {
            return;
        }
        let modes = self.customer.modes.keys().filter(|name| *name != "default");
        let mut named: Vec<(&str, String)> =
            modes.map(|name| (name.as_str(), format!("modes.{name}"))).collect();
        for (index, suspension) in self.customer.suspensions.iter().enumerate() {
            let name = suspension.scenario.as_deref();
            named.extend(name.map(|name| (name, format!("suspensions.{index}"))));
        }
        for (index, window) in self.customer.maintenance.iter().enumerate() {
            let names = window.scenarios.iter();
            named.extend(names.map(|name| (name.as_str(), format!("maintenance.{index}"))));
        }
        let waived = self.customer.approval.scenarios();
        named.extend(waived.map(|(index, name)| (name, format!("approval.waived.{index}"))));
        for (name, at) in named {
            let mut known = self.scenarios.iter().map(|scenario| scenario.id.as_str());
            if known.clone().any(|id| id == name) {
                continue;
            }
            let remedy = match did_you_mean(name, &mut known) {
                Some(near) => format!("did you mean '{near}'?"),
                None => "write the id that stands behind 'scenario:' in its file".to_owned(),
            };
            let message = format!("there is no scenario '{name}', so this line changes nothing");
            self.findings.warn("unknown-scenario", self.customer.place(&at), message, remedy);
        }
    }
}

/// Why a value is not what its type says.
fn misfit(value: &Value, kind: Type) -> Option<String> {
    match kind {
        Type::Table if value.is_object() => None,
        Type::Table => Some("write a row per name: NAME: {FIELD: value}".to_owned()),
        kind => typed_json(value, kind).err().map(|error| error.to_string()),
    }
}

/// Hand-offs to a name that no customer has. Without customers nothing can be said.
pub fn destinations(customers: &[Arc<Customer>], scenarios: &[Arc<Scenario>]) -> Vec<Finding> {
    let mut found = Vec::new();
    if customers.is_empty() {
        return found;
    }
    let known: BTreeSet<&str> =
        customers.iter().flat_map(|it| it.destinations.keys().map(String::as_str)).collect();
    for scenario in scenarios {
        let mut findings = Findings::of(&scenario.file);
        let steps = scenario.walk();
        let own = steps.iter().filter_map(|step| match &step.kind {
            StepKind::HandOff(hand_off) => Some(hand_off),
            _ => None,
        });
        for HandOff { to, .. } in own.chain([&scenario.hand_off]) {
            let Some(to) = to.as_ref().filter(|to| to.needs().next().is_none()) else { continue };
            let name = to.source().trim();
            if known.contains(name) {
                continue;
            }
            let remedy = match did_you_mean(name, known.iter().copied()) {
                Some(near) => format!("did you mean '{near}'?"),
                None => "add it under 'destinations' of the customers it is for".to_owned(),
            };
            let message = format!("no customer has a destination '{name}'");
            findings.warn("unknown-destination", to.place(), message, remedy);
        }
        found.extend(findings.into_sorted());
    }
    found
}
