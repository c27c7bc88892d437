//! Everything a step may refer to at one moment: title, parameters, customer, earlier steps. Pure.

use std::sync::Arc;

use jiff::Zoned;
use serde_json::{Map, Value, json};

use crate::customer::{Customer, Host};
use crate::execute::end::Lack;
use crate::execute::memory::Memory;
use crate::incident::Named;
use crate::mask::Mask;
use crate::scenario::model::{Scenario, Wanted, WhenSeveral};
use crate::scenario::template::{Template, TemplateError};
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

/// What was found for the scenario's `target`.
#[derive(Clone, Debug)]
pub enum Found<'a> {
    /// The scenario names none.
    NotWanted,
    One(&'a Host),
    Several(Vec<&'a Host>),
    Nothing(Lack),
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
        let found = self.target(scenario, &values);
        let acting = match (host, &found) {
            (Some(name), _) => self.customer.as_ref().and_then(|customer| customer.host(name)),
            (None, Found::One(host)) => Some(*host),
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
            Found::NotWanted | Found::Nothing(_) => {}
        }
        values.set("parameters", self.parameters(scenario, acting));
        let lookups = Self::lookups(scenario, &values);
        values.set("lookup", lookups);
        values
    }

    /// The host or hosts the scenario is about, in the customer's inventory.
    pub fn target(&self, scenario: &Scenario, values: &Values) -> Found<'_> {
        let Some(target) = &scenario.target else { return Found::NotWanted };
        let Some(customer) = &self.customer else {
            return Found::Nothing(Lack::NoCustomer);
        };
        let hosts = match &target.wanted {
            Wanted::Group(group) => match group.render(values) {
                Ok(group) if customer.group(&group).is_empty() => {
                    let customer = customer.name.clone();
                    return Found::Nothing(Lack::EmptyGroup { customer, group });
                }
                Ok(group) => customer.group(&group),
                Err(error) => return Found::Nothing(self.cause(scenario, values, error)),
            },
            Wanted::Host(host) => {
                let names = match names(host, values) {
                    Ok(names) => names,
                    Err(error) => return Found::Nothing(self.cause(scenario, values, error)),
                };
                let mut hosts: Vec<&Host> = Vec::new();
                for name in names {
                    let Some(host) = customer.host(&name) else {
                        let customer = customer.name.clone();
                        return Found::Nothing(Lack::NoHost { customer, host: name });
                    };
                    if !hosts.iter().any(|known| known.name == host.name) {
                        hosts.push(host);
                    }
                }
                hosts
            }
        };
        match (hosts.as_slice(), target.when_several) {
            ([], _) => Found::Nothing(Lack::NoHostNamed),
            ([one], WhenSeveral::HandOff | WhenSeveral::First)
            | ([one, ..], WhenSeveral::First) => Found::One(one),
            (several, WhenSeveral::HandOff) => {
                let names = several.iter().map(|host| host.name.clone()).collect();
                Found::Nothing(Lack::SeveralHosts(names))
            }
            (_, WhenSeveral::All) => Found::Several(hosts),
        }
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

    fn cause(&self, scenario: &Scenario, values: &Values, error: TemplateError) -> Lack {
        match error {
            TemplateError::Missing(name) if name.starts_with("target.") => Lack::NoValue(name),
            TemplateError::Missing(name) => self.why_missing(scenario, values, &name),
            TemplateError::Bad(reason) => Lack::Other(reason),
        }
    }

    /// Why a value is not there.
    pub fn why_missing(&self, scenario: &Scenario, values: &Values, name: &str) -> Lack {
        let (root, rest) = name.split_once('.').unwrap_or((name, ""));
        let no_value = || Lack::NoValue(name.to_owned());
        match root {
            "target" => match self.target(scenario, values) {
                Found::Nothing(why) => why,
                _ => no_value(),
            },
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

/// One name, or the entries of a list where the template is nothing but that list.
fn names(template: &Template, values: &Values) -> Result<Vec<String>, TemplateError> {
    let written = template.render(values)?;
    Ok(written.lines().map(str::trim).filter(|it| !it.is_empty()).map(str::to_owned).collect())
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
