//! Which hosts a run's target is: what its sources name, in the customer's inventory. Pure.
//!
//! The first source that names a host of the customer's is taken. One that names something else
//! beside it ends the search: going on would be a guess.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::customer::instance::Instance;
use crate::customer::{Customer, Host};
use crate::execute::alert_names;
use crate::execute::end::{Asked, Lack};
use crate::execute::memory::Memory;
use crate::execute::world::World;
use crate::limits;
use crate::scenario::model::{
    ActionTemplate, On, Scenario, Source, Step, StepKind, Target, Wanted, WhenNone, WhenSeveral,
};
use crate::scenario::template::{Template, TemplateError};
use crate::scenario::value::Values;

/// What was found for the scenario's `target`.
#[derive(Clone, Debug)]
pub enum Found<'a> {
    /// The scenario names none.
    NotWanted,
    /// Somebody outside has to be asked, and was not yet.
    Unasked,
    One(Cow<'a, Host>),
    Several(Vec<Cow<'a, Host>>),
    /// None, and the scenario goes on without.
    Nobody(Lack),
    /// Steps that need a host cannot go on.
    Nothing(Lack),
}

/// What the sources outside gave, kept for all later steps and for whoever takes over.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Located {
    /// Position of the source that was taken; `None` where none named a host.
    pub source: Option<usize>,
    pub hosts: Vec<LocatedHost>,
    /// A name that no host of the customer has, where nothing else was found.
    pub strange: Option<String>,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LocatedHost {
    /// In the inventory, by its name there.
    Listed(String),
    /// In one of the customer's accounts.
    Instance(Instance),
}

/// What one source says.
pub(super) enum Heard {
    Hosts(Vec<LocatedHost>),
    /// It names no host of this customer's.
    Nobody(Lack),
    /// What it says cannot be taken, and not be passed over either.
    Doubtful(Lack),
}

impl LocatedHost {
    pub(super) fn name(&self) -> String {
        match self {
            Self::Listed(name) => name.clone(),
            Self::Instance(instance) => instance.id.to_string(),
        }
    }

    fn host<'a>(&self, customer: &'a Customer) -> Option<Cow<'a, Host>> {
        match self {
            Self::Listed(name) => customer.host(name).map(Cow::Borrowed),
            Self::Instance(instance) => customer.host_of(instance).map(Cow::Owned),
        }
    }
}

impl Located {
    /// No source named a host: the most telling reason is kept.
    pub(super) fn nobody(lacks: &[Lack]) -> Self {
        let strange = lacks.iter().find_map(|lack| match lack {
            Lack::NoHost { host, .. } => Some(host.clone()),
            _ => None,
        });
        Self { strange, ..Self::default() }
    }
}

impl World {
    /// The host or hosts the scenario is about. What was found outside stands in the memory.
    pub fn target(&self, scenario: &Scenario, memory: &Memory, values: &Values) -> Found<'_> {
        let Some(target) = &scenario.target else { return Found::NotWanted };
        let Some(customer) = &self.customer else {
            return Found::Nothing(Lack::NoCustomer);
        };
        if target.is_outside() {
            return match (memory.located(), memory.not_located()) {
                (Some(located), _) => remembered(target, customer, located),
                (None, Some(lack)) => Found::Nothing(lack.clone()),
                (None, None) => Found::Unasked,
            };
        }
        let sources = match &target.wanted {
            Wanted::Host(sources) => sources,
            Wanted::Group(group) => return self.group(scenario, values, (target, group)),
        };
        let mut lacks = Vec::new();
        for source in sources {
            let Source::Named(template) = source else { continue };
            match self.named(scenario, values, template) {
                Heard::Hosts(hosts) => {
                    return settled(target, hosts.iter().filter_map(|it| it.host(customer)));
                }
                Heard::Nobody(lack) => lacks.push(lack),
                Heard::Doubtful(lack) => return Found::Nothing(lack),
            }
        }
        let is_strange = |lack: &&Lack| matches!(lack, Lack::NoHost { .. });
        let lack = match lacks.as_slice() {
            [only] => only.clone(),
            several => several.iter().find(is_strange).cloned().unwrap_or(Lack::NoHostNamed),
        };
        nobody(target, lack)
    }

    fn group(
        &self,
        scenario: &Scenario,
        values: &Values,
        (target, group): (&Target, &Template),
    ) -> Found<'_> {
        let Some(customer) = &self.customer else { return Found::Nothing(Lack::NoCustomer) };
        match group.render(values) {
            Ok(group) => match customer.group(&group) {
                hosts if hosts.is_empty() => {
                    nobody(target, Lack::EmptyGroup { customer: customer.name.clone(), group })
                }
                hosts => settled(target, hosts.into_iter().map(Cow::Borrowed)),
            },
            Err(error) => Found::Nothing(self.cause(scenario, values, error)),
        }
    }

    /// What a text with values names in the inventory.
    pub(super) fn named(&self, scenario: &Scenario, values: &Values, host: &Template) -> Heard {
        let Some(customer) = &self.customer else { return Heard::Doubtful(Lack::NoCustomer) };
        match names(host, values) {
            Ok(names) => listed(customer, &names),
            Err(error @ TemplateError::Missing(_)) => {
                Heard::Nobody(self.cause(scenario, values, error))
            }
            Err(TemplateError::Bad(reason)) => Heard::Doubtful(Lack::Other(reason)),
        }
    }

    /// A host of this run's customer by any of its names, or one that was looked up for this run.
    pub fn host<'a>(&'a self, memory: &Memory, name: &str) -> Option<Cow<'a, Host>> {
        let customer = self.customer.as_deref()?;
        if let Some(host) = customer.host(name) {
            return Some(Cow::Borrowed(host));
        }
        let located = memory.located()?.hosts.iter().find(|located| {
            matches!(located, LocatedHost::Instance(instance) if instance.id.as_str() == name)
        });
        located?.host(customer)
    }

    /// The target must be found before anybody looks at these names. A step that a source waits for
    /// goes on with what its customer says.
    pub(super) fn awaits<'n>(
        &self,
        scenario: &Scenario,
        memory: &Memory,
        mut names: impl Iterator<Item = &'n str>,
    ) -> bool {
        let Some(target) = &scenario.target else { return false };
        if !self.is_unasked(target, memory) {
            return false;
        }
        let has_run = |need: &str| {
            let id = need.strip_prefix("steps.").and_then(|rest| rest.split('.').next());
            let is_step = |step: &&Step| step.id.as_deref() == id;
            let step = id.and_then(|_| scenario.walk().into_iter().find(is_step));
            step.is_none_or(|step| memory.nearest(step.number, &[]).is_some())
        };
        // A parameter may be the host's own.
        let ready = || target.templates().into_iter().flat_map(Template::needs).all(has_run);
        names.any(|name| match name.split('.').next() {
            Some("target") => true,
            Some("parameters" | "lookup") => ready(),
            _ => false,
        })
    }

    /// The same for a step: what it fills in and judges by, where it runs, and whether it recovers
    /// something, because suspensions and limits are about the host.
    pub(super) fn step_awaits(&self, scenario: &Scenario, memory: &Memory, step: &Step) -> bool {
        let Some(target) = &scenario.target else { return false };
        let runs_there = step.kind.probe().is_some_and(|probe| match &probe.action {
            // Without a place of its own it asks where the target is.
            ActionTemplate::Aws(call) => call.account.is_none() || call.region.is_none(),
            _ => probe.is_command() && probe.on == On::Target,
        });
        let recovers = matches!(step.kind, StepKind::Recover { .. });
        self.is_unasked(target, memory)
            && (runs_there || recovers || self.awaits(scenario, memory, step.names().into_iter()))
    }

    fn is_unasked(&self, target: &Target, memory: &Memory) -> bool {
        target.is_outside()
            && self.customer.is_some()
            && memory.located().is_none()
            && memory.not_located().is_none()
    }
}

/// What the alerts name: the first key that names a host of the customer's.
pub(super) fn in_alerts(
    customer: &Customer,
    alerts: &[serde_json::Value],
    keys: &[String],
) -> Heard {
    let named = match alert_names::names(alerts, keys) {
        Ok(named) => named,
        Err(error) => {
            return Heard::Doubtful(Lack::Unanswered {
                asked: Asked::Alerts,
                why: error.to_string(),
            });
        }
    };
    let mut lack = Lack::NoHostNamed;
    for names in named.iter().filter(|names| !names.is_empty()) {
        match listed(customer, names) {
            Heard::Nobody(why) if lack == Lack::NoHostNamed => lack = why,
            Heard::Nobody(_) => {}
            heard => return heard,
        }
    }
    Heard::Nobody(lack)
}

/// What a look-up gave. An instance that the inventory has is the host it is there.
pub(super) fn looked_up(customer: &Customer, instances: Vec<Instance>) -> Heard {
    let mut hosts: Vec<LocatedHost> = Vec::new();
    for instance in instances {
        if customer.host_of(&instance).is_none() {
            // Whoever gave it has looked into somebody else's account.
            let (customer, host) = (customer.name.clone(), instance.id.to_string());
            return Heard::Doubtful(Lack::NoHost { customer, host });
        }
        let host = match customer.host_with(&instance.id) {
            Some(host) => LocatedHost::Listed(host.name.clone()),
            None => LocatedHost::Instance(instance),
        };
        if !hosts.contains(&host) {
            hosts.push(host);
        }
    }
    match hosts.len() {
        0 => Heard::Nobody(Lack::NoHostNamed),
        found if found > limits::TARGET_HOSTS => {
            Heard::Doubtful(Lack::TooMany { found, most: limits::TARGET_HOSTS })
        }
        _ => Heard::Hosts(hosts),
    }
}

/// Names as somebody wrote them, in the customer's inventory.
fn listed(customer: &Customer, names: &[String]) -> Heard {
    if names.len() > limits::TARGET_HOSTS {
        let (found, most) = (names.len(), limits::TARGET_HOSTS);
        return Heard::Doubtful(Lack::TooMany { found, most });
    }
    let (mut hosts, mut strange) = (Vec::new(), None);
    for name in names {
        match customer.host(name) {
            Some(host) => {
                let host = LocatedHost::Listed(host.name.clone());
                if !hosts.contains(&host) {
                    hosts.push(host);
                }
            }
            None => strange = strange.or(Some(name)),
        }
    }
    let no_host =
        |host: &String| Lack::NoHost { customer: customer.name.clone(), host: host.clone() };
    match (hosts.is_empty(), strange) {
        (true, None) => Heard::Nobody(Lack::NoHostNamed),
        (true, Some(name)) => Heard::Nobody(no_host(name)),
        (false, Some(name)) => Heard::Doubtful(no_host(name)),
        (false, None) => Heard::Hosts(hosts),
    }
}

/// One name, or the entries of a list where the template is nothing but that list.
pub(super) fn names(template: &Template, values: &Values) -> Result<Vec<String>, TemplateError> {
    let written = template.render(values)?;
    Ok(written.lines().map(str::trim).filter(|it| !it.is_empty()).map(str::to_owned).collect())
}

fn remembered<'a>(target: &Target, customer: &'a Customer, located: &Located) -> Found<'a> {
    let no_host =
        |host: &str| Lack::NoHost { customer: customer.name.clone(), host: host.to_owned() };
    if located.hosts.is_empty() {
        return nobody(target, located.strange.as_deref().map_or(Lack::NoHostNamed, no_host));
    }
    // Another region may have another version of the customer's file.
    if let Some(gone) = located.hosts.iter().find(|it| it.host(customer).is_none()) {
        return Found::Nothing(no_host(&gone.name()));
    }
    settled(target, located.hosts.iter().filter_map(|it| it.host(customer)))
}

fn settled<'a>(target: &Target, hosts: impl Iterator<Item = Cow<'a, Host>>) -> Found<'a> {
    let mut hosts: Vec<Cow<'a, Host>> = hosts.collect();
    match (hosts.len(), target.when_several) {
        (0, _) => nobody(target, Lack::NoHostNamed),
        (_, WhenSeveral::All) => Found::Several(hosts),
        (1, _) | (_, WhenSeveral::First) => Found::One(hosts.swap_remove(0)),
        (_, WhenSeveral::HandOff) => {
            let names = hosts.iter().map(|host| host.name.clone()).collect();
            Found::Nothing(Lack::SeveralHosts(names))
        }
    }
}

fn nobody<'a>(target: &Target, lack: Lack) -> Found<'a> {
    match target.when_none {
        WhenNone::HandOff => Found::Nothing(lack),
        WhenNone::None => Found::Nobody(lack),
    }
}
