//! The names at a place of a scenario file: what is defined there, and what a name that is not may
//! have been meant to be.

use std::collections::BTreeMap;

use crate::finding::did_you_mean;
use crate::scenario::capture::CaptureKind;
use crate::scenario::model::{Scenario, Take};
use crate::scenario::reading::Reading;
use crate::scenario::takes::BUILT_IN;
use crate::scenario::template::INCIDENT_NAMES;
use crate::scenario::value::Type;

const CUSTOMER_NAMES: [&str; 4] = ["id", "name", "contact", "ticket_project"];

const NOW_NAMES: [(&str, Type); 5] = [
    ("hour", Type::NUMBER),
    ("minute", Type::NUMBER),
    ("weekday", Type::TEXT),
    ("date", Type::TEXT),
    ("time", Type::TEXT),
];

/// The names at one place of the file.
#[derive(Clone, Default)]
pub(super) struct Scope {
    names: BTreeMap<String, Type>,
    /// `lookup.app`: what is below is known at run time only.
    open: Vec<String>,
}

impl Scope {
    pub(super) fn define(&mut self, name: impl Into<String>, kind: Type) {
        self.names.insert(name.into(), kind);
    }

    pub(super) fn known(&self, name: &str) -> Option<Type> {
        let below = |open: &String| {
            // `lookup.app` alone may be asked about; `vars` alone is nothing.
            (name == open && open.contains('.')) || name.starts_with(&format!("{open}."))
        };
        self.names.get(name).copied().or_else(|| self.open.iter().any(below).then_some(Type::Any))
    }

    pub(super) fn define_step(&mut self, id: &str, takes: &[Take]) {
        for (name, kind) in BUILT_IN {
            self.define(format!("steps.{id}.{name}"), kind);
        }
        for take in takes {
            self.define(format!("steps.{id}.{}", take.name), take.kind);
        }
    }

    /// What to write instead of a name that is not defined here. `own` is the step whose result is
    /// being judged: its values are there under their bare names.
    pub(super) fn instead_of(&self, name: &str, own: Option<&str>) -> Option<String> {
        if let Some((id, value)) = name.strip_prefix("steps.").and_then(|it| it.split_once('.')) {
            if own == Some(id) && self.names.contains_key(value) {
                return Some(format!("here in the step itself, write {value}"));
            }
            let start = format!("steps.{id}.");
            let has: Vec<&str> =
                self.names.keys().filter_map(|it| it.strip_prefix(&start)).collect();
            if !has.is_empty() {
                return Some(match did_you_mean(value, has.iter().copied()) {
                    Some(near) => format!("did you mean '{start}{near}'?"),
                    None => format!("the step '{id}' has {}", values_first(&has)),
                });
            }
        }
        if !name.contains('.')
            && let Some(whole) = self.below_some_root(name)
        {
            return Some(format!("write {whole}"));
        }
        let near = did_you_mean(name, self.names.keys().map(String::as_str))?;
        Some(format!("did you mean '{near}'?"))
    }

    /// `limit` where there is a `parameters.limit`.
    fn below_some_root(&self, name: &str) -> Option<String> {
        const ROOTS: [&str; 8] =
            ["parameters", "capture", "each", "lookup", "target", "customer", "incident", "now"];
        let mut whole = ROOTS.iter().map(|root| format!("{root}.{name}"));
        whole.find(|whole| self.known(whole).is_some()).or_else(|| {
            let is_built_in = BUILT_IN.iter().any(|(known, _)| *known == name);
            let end = format!(".{name}");
            let of_step = |it: &&String| it.starts_with("steps.") && it.ends_with(&end);
            // Of several steps nobody knows which one is meant.
            let mut steps = self.names.keys().filter(of_step);
            let first = steps.next().filter(|_| !is_built_in)?;
            steps.next().is_none().then(|| first.clone())
        })
    }
}

/// What the step reads before what every step has.
fn values_first(names: &[&str]) -> String {
    let built_in = |name: &&str| BUILT_IN.iter().any(|(known, _)| known == name);
    let own = names.iter().copied().filter(|name| !built_in(name));
    let all: Vec<&str> = own.chain(names.iter().copied().filter(built_in)).collect();
    all.join(", ")
}

/// The names that every step may use.
pub(super) fn base(
    scenario: &Scenario,
    vars: Option<&BTreeMap<String, String>>,
    reading: &Reading<'_>,
) -> Scope {
    let mut scope = Scope::default();
    if let Some(pattern) = &scenario.rule.pattern {
        for name in pattern.names() {
            let kind = pattern.kind(name).unwrap_or(CaptureKind::Text);
            scope.define(format!("capture.{name}"), Type::One(kind));
        }
    }
    match vars {
        None => scope.open.push("vars".to_owned()),
        Some(vars) => {
            for name in vars.keys() {
                scope.define(format!("vars.{name}"), Type::TEXT);
            }
        }
    }
    for name in INCIDENT_NAMES {
        scope.define(format!("incident.{name}"), Type::TEXT);
    }
    for name in CUSTOMER_NAMES {
        scope.define(format!("customer.{name}"), Type::TEXT);
    }
    for (name, kind) in NOW_NAMES {
        scope.define(format!("now.{name}"), kind);
    }
    for (name, parameter) in &scenario.parameters {
        scope.define(format!("parameters.{name}"), parameter.kind);
    }
    scope.open.extend(scenario.lookups.keys().map(|name| format!("lookup.{name}")));
    scope.open.extend(reading.unread.iter().cloned());
    if scenario.target.is_some() {
        scope.define("target.host", Type::One(CaptureKind::Hostname));
        scope.define("target.address", Type::One(CaptureKind::Hostname));
        scope.define("target.hosts", Type::List(CaptureKind::Hostname));
    }
    scope
}
