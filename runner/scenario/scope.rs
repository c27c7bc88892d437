//! Which names exist where, and what they hold: every value a step uses must be defined, and of a
//! type that makes sense there.

use std::collections::{BTreeMap, BTreeSet};

use crate::scenario::capture::{CaptureKind, Pattern};
use crate::scenario::expression::Expression;
use crate::scenario::model::{
    ActionTemplate, Each, From, HandOff, Probe, Scenario, Step, StepKind,
};
use crate::scenario::names::{Scope, base};
use crate::scenario::reading::Reading;
use crate::scenario::takes::BUILT_IN;
use crate::scenario::template::Template;
use crate::scenario::value::Type;
use crate::yaml::Place;

struct Checker<'a, 'b> {
    /// Types could be read; else every host would look wrong.
    types_known: bool,
    scenario: &'a Scenario,
    reading: &'a mut Reading<'b>,
    used: BTreeSet<String>,
    ids: BTreeMap<&'a str, Place>,
    /// Every step's values, for what runs at the end.
    all_steps: Scope,
    /// The step whose own values are being looked at.
    own: Option<&'a str>,
}

/// `vars` are the configuration's, `None` when there is none at hand.
pub(super) fn check(
    scenario: &Scenario,
    vars: Option<&BTreeMap<String, String>>,
    pattern: Place,
    reading: &mut Reading<'_>,
) {
    let mut scope = base(scenario, vars, reading);
    let (ids, all_steps, used) = (BTreeMap::new(), scope.clone(), BTreeSet::new());
    let types_known = !reading.findings.has_errors();
    let mut checker = Checker { types_known, scenario, reading, used, ids, all_steps, own: None };
    checker.declarations(&scope);
    checker.steps(&scenario.steps, &mut scope);
    let mut end = std::mem::take(&mut checker.all_steps);
    checker.steps(&scenario.always, &mut end);
    checker.hand_off(&scenario.hand_off, &end);
    if let Some(told) = &scenario.when_resolved {
        checker.template(told, &end, "resolved");
    }
    checker.report_unused(pattern);
}

impl<'a> Checker<'a, '_> {
    fn declarations(&mut self, scope: &Scope) {
        for (name, lookup) in &self.scenario.lookups {
            self.template(&lookup.by, scope, &format!("lookup '{name}'"));
            self.used.insert(format!("parameters.{}", lookup.table));
            let kind = self.scenario.parameters.get(&lookup.table).map(|table| table.kind);
            if kind != Some(Type::Table) {
                self.reading.findings.add(
                    "lookup-without-table",
                    lookup.place,
                    format!(
                        "there is no table parameter '{}' to look '{name}' up in",
                        lookup.table
                    ),
                    format!("declare it: parameters: {{{}: table}}", lookup.table),
                );
            }
        }
        if let Some(target) = &self.scenario.target {
            // A host may be known only after a step has asked for it.
            let mut later = scope.clone();
            for step in self.scenario.walk() {
                if let (Some(id), Some(probe)) = (&step.id, step.kind.probe()) {
                    later.define_step(id, &probe.takes);
                }
            }
            for template in target.templates() {
                self.template(template, &later, "the target");
            }
        }
    }

    fn steps(&mut self, steps: &'a [Step], scope: &mut Scope) {
        for step in steps {
            self.step(step, scope);
        }
    }

    fn step(&mut self, step: &'a Step, scope: &mut Scope) {
        let what = format!("step '{}'", step.name);
        if let Some(when) = &step.when {
            self.condition(when, scope, &what);
        }
        if let Some(probe) = step.kind.probe() {
            self.probe(probe, step.id.as_deref(), scope, &what);
        }
        match &step.kind {
            StepKind::Approve { ask, .. } => self.template(ask, scope, &what),
            StepKind::Resolve { message, stakeholders, .. } => {
                for template in [message, stakeholders].into_iter().flatten() {
                    self.template(template, scope, &what);
                }
            }
            StepKind::HandOff(hand_off) => self.hand_off(hand_off, scope),
            StepKind::Branch { cases, otherwise } => {
                for case in cases {
                    self.condition(&case.when, scope, &what);
                    self.steps(&case.steps, &mut scope.clone());
                }
                self.steps(otherwise, &mut scope.clone());
            }
            StepKind::Parallel { steps } => self.steps(steps, scope),
            StepKind::Each(each) => self.each(each, scope, &what),
            StepKind::Ladder { rungs, .. } => {
                for rung in rungs {
                    self.steps(&rung.steps, &mut scope.clone());
                }
            }
            _ => {}
        }
        if let Some(id) = &step.id {
            self.remember(id, step, scope);
        }
    }

    fn remember(&mut self, id: &'a str, step: &'a Step, scope: &mut Scope) {
        if let Some(first) = self.ids.insert(id, step.place) {
            self.reading.findings.add(
                "duplicate-step-id",
                step.place,
                format!("the id '{id}' is already used by the step in line {}", first.line),
                "give each step an id of its own",
            );
        }
        let takes = step.kind.probe().map_or(&[][..], |probe| &probe.takes);
        scope.define_step(id, takes);
        self.all_steps.define_step(id, takes);
    }

    fn each(&mut self, each: &'a Each, scope: &Scope, what: &str) {
        let kind = match self.expression(&each.of, scope, what) {
            Some(Type::List(kind)) => Type::One(kind),
            Some(Type::Any) | None => Type::Any,
            Some(other) => {
                self.reading.findings.add(
                    "each-of-no-list",
                    each.of.place(),
                    format!("'{}' is {}, not a list", each.of.source(), other.words()),
                    "use target.hosts, a list parameter, or a value read with 'list:'",
                );
                Type::Any
            }
        };
        let mut inside = scope.clone();
        inside.define(format!("each.{}", each.item), kind);
        self.steps(&each.steps, &mut inside);
    }

    fn hand_off(&mut self, hand_off: &HandOff, scope: &Scope) {
        let HandOff { message, manual, to, stakeholders, .. } = hand_off;
        for template in [message, manual, to, stakeholders].into_iter().flatten() {
            self.template(template, scope, "hand_off");
        }
    }

    fn probe(&mut self, probe: &'a Probe, id: Option<&'a str>, scope: &Scope, what: &str) {
        for template in probe.templates() {
            self.template(template, scope, what);
        }
        if let ActionTemplate::Http { url: address, .. } | ActionTemplate::Tcp { address } =
            &probe.action
        {
            self.host(address, scope);
        }
        // What the step reads itself is there under its bare name.
        self.own = id;
        let mut own = scope.clone();
        for (name, kind) in BUILT_IN {
            own.define(name, kind);
        }
        for take in &probe.takes {
            if let From::Calc(calc) = &take.from {
                self.expression(calc, &own, what);
            }
            own.define(&take.name, take.kind);
            own.define(format!("previous.{}", take.name), take.kind);
        }
        for condition in &probe.expect.that {
            self.condition(condition, &own, what);
        }
        self.own = None;
    }

    fn condition(&mut self, condition: &Expression, scope: &Scope, what: &str) {
        let kind = self.expression(condition, scope, what);
        if !matches!(kind, None | Some(Type::Bool | Type::Any)) {
            self.reading.findings.add(
                "no-condition",
                condition.place(),
                format!("'{}' is neither true nor false", condition.source()),
                "compare it with something: used >= 90",
            );
        }
    }

    /// What it gives; `None` with a finding.
    fn expression(&mut self, expression: &Expression, scope: &Scope, what: &str) -> Option<Type> {
        for name in expression.names() {
            self.name(name, expression.place(), scope, what);
        }
        match expression.check(&|name| scope.known(name)) {
            Ok(kind) => Some(kind),
            Err(mistake) => {
                self.reading.mistake(expression.place(), mistake);
                None
            }
        }
    }

    fn template(&mut self, template: &Template, scope: &Scope, what: &str) {
        for need in template.needs() {
            self.name(need, template.place(), scope, what);
        }
    }

    fn name(&mut self, name: &str, place: Place, scope: &Scope, what: &str) {
        self.used.insert(name.to_owned());
        if scope.known(name).is_some() {
            return;
        }
        let remedy = match scope.instead_of(name, self.own) {
            Some(remedy) => remedy,
            None if self.all_steps.known(name).is_some() || self.will_exist(name) => {
                "the step that reads it is not certain to have run before; read it earlier, or in \
                 the same branch"
                    .to_owned()
            }
            None => "define it in match.pattern (capture.…), parameters, the configuration \
                     (vars.…), or under 'values' of an earlier step with an id (steps.…)"
                .to_owned(),
        };
        self.reading.findings.add(
            "undefined-value",
            place,
            format!("{what} uses {name}, which nothing defines"),
            remedy,
        );
    }

    fn will_exist(&self, name: &str) -> bool {
        let Some(id) = name.strip_prefix("steps.").and_then(|rest| rest.split('.').next()) else {
            return false;
        };
        self.scenario.walk().iter().any(|step| step.id.as_deref() == Some(id))
    }

    /// Where a request goes is the operator's to say, or a host name's that was read as such.
    fn host(&mut self, address: &Template, scope: &Scope) {
        if !self.types_known {
            return;
        }
        for need in address.host_needs() {
            let ours = ["vars.", "parameters.", "lookup.", "target."];
            let kind = scope.known(&need);
            let is_host =
                matches!(kind, None | Some(Type::One(CaptureKind::Hostname | CaptureKind::Number)));
            if is_host || ours.iter().any(|root| need.starts_with(root)) {
                continue;
            }
            self.reading.findings.add(
                "host-from-title",
                address.place(),
                format!("{{{{ {need} }}}} would decide which host the request goes to"),
                "give the value the type hostname (or number for a port), or use a parameter",
            );
        }
    }

    /// What nothing uses is a mistake: a capture's type would refuse titles for nothing.
    fn report_unused(&mut self, pattern: Place) {
        let used = |root: &str, name: &str| {
            let whole = format!("{root}.{name}");
            let below = format!("{whole}.");
            self.used.iter().any(|it| *it == whole || it.starts_with(&below))
        };
        let mut unused = Vec::new();
        for name in self.scenario.rule.pattern.iter().flat_map(Pattern::names) {
            if !used("capture", name) {
                unused.push(("unused-capture", pattern, "capture", name));
            }
        }
        for (name, parameter) in &self.scenario.parameters {
            if !used("parameters", name) {
                unused.push(("unused-parameter", parameter.place, "parameter", name.as_str()));
            }
        }
        for (name, lookup) in &self.scenario.lookups {
            if !used("lookup", name) {
                unused.push(("unused-parameter", lookup.place, "lookup", name.as_str()));
            }
        }
        // A step that could not be read may use it.
        if self.reading.incomplete {
            return;
        }
        for (id, place, what, name) in unused {
            let remedy = match id {
                "unused-capture" => "use it in a step, or make the group unnamed: (?:…)",
                _ => "use it in a step, or remove it",
            };
            let message = format!("the {what} '{name}' is never used");
            self.reading.findings.add(id, place, message, remedy);
        }
    }
}
