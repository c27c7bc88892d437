//! Everything a step may refer to at one moment: title, parameters, customer, earlier steps. Pure.

use std::sync::Arc;

use jiff::Zoned;
use serde_json::{Map, Value, json};

use crate::customer::{Customer, Host};
use crate::execute::end::Lack;
use crate::execute::memory::Memory;
use crate::execute::target::Found;
use crate::incident::Named;
use crate::mask::Mask;
use crate::scenario::model::Scenario;
use crate::scenario::template::TemplateError;
use crate::scenario::value::{Type, Values, typed, typed_json};

/// What does not change during a run.
#[derive(Clone, Debug, Default)]
pub struct World {
    /// `capture`, `vars`, `incident`.
    pub base: Values,
    pub customer: Option<Arc<Customer>>,
    /// Of the run's incident.
    pub service: Option<Named>,
    /// What may not leave the process.
    pub mask: Mask,
}

/// The loops around a step: their turns and current entries.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Frame {
    pub turn: Vec<u32>,
    pub each: Map<String, Value>,
}

impl World {
    /// The captures of a title, typed as the pattern says.
    pub fn captures(
        scenario: &Scenario,
        captured: &std::collections::BTreeMap<String, String>,
    ) -> Value {
        let kind = |name: &str| scenario.rule.pattern.as_ref().and_then(|it| it.kind(name));
        let value = |(name, text): (&String, &String)| {
            let value = kind(name).and_then(|kind| typed(text, kind).ok());
            (name.clone(), value.unwrap_or_else(|| Value::from(text.as_str())))
        };
        Value::Object(captured.iter().map(value).collect())
    }

    /// All values, for a step that acts on `host` (else on the target).
    pub fn values(
        &self,
        scenario: &Scenario,
        (memory, now): (&Memory, &Zoned),
        frame: &Frame,
        host: Option<&str>,
    ) -> Values {
        let mut values = self.before_target(scenario, (memory, now), frame);
        let found = self.target(scenario, memory, &values);
        let own = host.map(|name| self.host(memory, name));
        let acting = match (&own, &found) {
            (Some(own), _) => own.as_deref(),
            (None, Found::One(host)) => Some(&**host),
            (None, _) => None,
        };
        match &found {
            Found::One(host) => values.set(
                "target",
                json!({ "host": host.name, "address": address(host), "hosts": [host.name] }),
            ),
            Found::Several(hosts) => {
                let names: Vec<&str> = hosts.iter().map(|host| host.name.as_str()).collect();
                values.set("target", json!({ "hosts": names }));
            }
            Found::Nobody(_) => values.set("target", json!({ "hosts": [] })),
            Found::NotWanted | Found::Unasked | Found::Nothing(_) => {}
        }
        values.set("parameters", self.parameters(scenario, acting));
        let lookups = Self::lookups(scenario, &values);
        values.set("lookup", lookups);
        values
    }

    /// What is known before the target is, and what it is found by.
    pub fn before_target(
        &self,
        scenario: &Scenario,
        (memory, now): (&Memory, &Zoned),
        frame: &Frame,
    ) -> Values {
        let mut values = self.base.clone();
        if let Some(customer) = &self.customer {
            let Customer { id, name, contact, ticket_project, .. } = &**customer;
            values.set(
                "customer",
                json!({
                    "id": id, "name": name, "contact": contact, "ticket_project": ticket_project,
                }),
            );
        }
        values.set("now", times(now));
        values.set("steps", steps(scenario, memory, frame));
        values.set("each", Value::Object(frame.each.clone()));
        // A target may be looked up in the customer's tables.
        values.set("parameters", self.parameters(scenario, None));
        let lookups = Self::lookups(scenario, &values);
        values.set("lookup", lookups);
        values
    }

    /// Host before customer before default. A value of the wrong type is no value.
    fn parameters(&self, scenario: &Scenario, host: Option<&Host>) -> Value {
        let given = |name: &str, kind: Type| {
            let own = host.and_then(|host| host.parameters.get(name));
            let customers = self.customer.as_ref().and_then(|it| it.parameters.get(name));
            let value = own.or(customers)?;
            // Of the wrong type it is no value: the default is not what the customer meant.
            Some(match kind {
                Type::Table => value.is_object().then(|| value.clone()),
                kind => typed_json(value, kind).ok(),
            })
        };
        let values = scenario.parameters.iter().filter_map(|(name, parameter)| {
            let value = match given(name, parameter.kind) {
                Some(given) => given?,
                None => parameter.default.clone()?,
            };
            Some((name.clone(), value))
        });
        Value::Object(values.collect())
    }

    fn lookups(scenario: &Scenario, values: &Values) -> Value {
        let rows = scenario.lookups.iter().filter_map(|(name, lookup)| {
            let table = values.get(&format!("parameters.{}", lookup.table))?;
            let row = table.get(lookup.by.render(values).ok()?)?;
            Some((name.clone(), row.clone()))
        });
        Value::Object(rows.collect())
    }

    pub(super) fn cause(&self, scenario: &Scenario, values: &Values, error: TemplateError) -> Lack {
        match error {
            TemplateError::Missing(name) if name.starts_with("target.") => Lack::NoValue(name),
            TemplateError::Missing(name) => self.why_no_value(scenario, values, &name),
            TemplateError::Bad(reason) => Lack::Other(reason),
        }
    }

    /// Why a value is not there.
    pub fn why_missing(
        &self,
        scenario: &Scenario,
        memory: &Memory,
        values: &Values,
        name: &str,
    ) -> Lack {
        if !name.starts_with("target.") {
            return self.why_no_value(scenario, values, name);
        }
        match self.target(scenario, memory, values) {
            Found::Nothing(why) | Found::Nobody(why) => why,
            _ => Lack::NoValue(name.to_owned()),
        }
    }

    /// The same for what is not about the target.
    fn why_no_value(&self, scenario: &Scenario, values: &Values, name: &str) -> Lack {
        let (root, rest) = name.split_once('.').unwrap_or((name, ""));
        let no_value = || Lack::NoValue(name.to_owned());
        match root {
            "lookup" => {
                let lookup = rest.split('.').next().and_then(|it| scenario.lookups.get(it));
                let row = lookup.and_then(|lookup| lookup.by.render(values).ok());
                match (lookup, row) {
                    (Some(lookup), Some(row)) => {
                        Lack::NotInTable { row, table: lookup.table.clone() }
                    }
                    _ => no_value(),
                }
            }
            "parameters" | "customer" => match &self.customer {
                Some(customer) => {
                    Lack::NotGiven { customer: customer.name.clone(), name: rest.to_owned() }
                }
                None => Lack::NoCustomer,
            },
            _ => no_value(),
        }
    }
}

fn address(host: &Host) -> &str {
    host.address.as_deref().unwrap_or(&host.name)
}

fn times(now: &Zoned) -> Value {
    json!({
        "hour": now.hour(),
        "minute": now.minute(),
        "weekday": now.strftime("%a").to_string().to_lowercase(),
        "date": now.strftime("%Y-%m-%d").to_string(),
        "time": now.strftime("%H:%M").to_string(),
    })
}

/// The result of a step that has not run: there, so that it can be compared.
const NOT_RUN: &str = "not_run";

fn steps(scenario: &Scenario, memory: &Memory, frame: &Frame) -> Value {
    let known = scenario.walk().into_iter().filter_map(|step| {
        let id = step.id.clone()?;
        let mut values = Map::new();
        let mut result = NOT_RUN;
        if let Some(seen) = memory.nearest(step.number, &frame.turn) {
            values.clone_from(&seen.values);
            result = seen.result.word();
        }
        values.insert("result".to_owned(), Value::from(result));
        values.insert("began".to_owned(), Value::from(memory.began(step.number)));
        Some((id, Value::Object(values)))
    });
    Value::Object(known.collect())
}
