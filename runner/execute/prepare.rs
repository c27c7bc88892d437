//! A step's action with every value filled in. Pure.

use std::collections::BTreeMap;

use jiff::Zoned;

use crate::customer::belongs::{Belongs, Neighbours};
use crate::execute::actuator::{Action, Command, HttpMethod, HttpRequest, Program, TargetHost};
use crate::execute::end::{End, Lack};
use crate::execute::memory::Memory;
use crate::execute::plan::Ready;
use crate::execute::target::Found;
use crate::execute::world::{Frame, World};
use crate::mask::Mask;
use crate::scenario::action::Method;
use crate::scenario::model::{ActionTemplate, On, Probe, Scenario, Shell};
use crate::scenario::template::{Template, TemplateError};
use crate::scenario::value::Values;

/// An action that can be carried out, and the values it was made with.
pub struct Prepared {
    pub action: Action,
    pub host: Option<TargetHost>,
    pub values: Values,
}

/// A run's knowledge at one moment.
#[derive(Clone, Copy)]
pub struct Moment<'a> {
    pub scenario: &'a Scenario,
    pub world: &'a World,
    pub memory: &'a Memory,
    pub now: &'a Zoned,
}

impl Moment<'_> {
    pub fn values(&self, frame: &Frame, host: Option<&str>) -> Values {
        self.world.values(self.scenario, (self.memory, self.now), frame, host)
    }

    /// The end that a value which is not there leads to.
    pub fn no_value(&self, step: usize, values: &Values, error: &TemplateError) -> End {
        let lack = match error {
            TemplateError::Missing(name) => {
                self.world.why_missing(self.scenario, self.memory, values, name)
            }
            TemplateError::Bad(reason) => Lack::Other(reason.clone()),
        };
        End::CannotGoOn { step, lack }
    }

    /// The hosts a step is about: the one it runs on, and the run's target. As far as they are known.
    pub fn hosts(&self, ready: &Ready) -> Vec<String> {
        let values = self.values(&ready.frame, None);
        let target = values.get("target.host").and_then(|host| host.as_str());
        let step = self.scenario.step(ready.at.step);
        let own = step
            .and_then(|step| self.host_name(step.number, step.kind.probe()?, &values).ok()?)
            .and_then(|name| self.world.host(self.memory, &name));
        let mut hosts: Vec<String> = own.iter().map(|host| host.name.clone()).collect();
        hosts.extend(target.map(str::to_owned));
        hosts
    }

    /// What stands under `on:`, for commands.
    fn host_name(
        &self,
        step: usize,
        probe: &Probe,
        values: &Values,
    ) -> Result<Option<String>, End> {
        let source = match &probe.on {
            _ if !probe.is_command() => return Ok(None),
            On::Runner => return Ok(None),
            On::Target if self.scenario.target.is_none() => return Ok(None),
            On::Target => "{{ target.host }}",
            On::Host(template) => template.source(),
        };
        let name = Template::parse(source).and_then(|template| template.render(values));
        name.map(Some).map_err(|error| self.no_value(step, values, &error))
    }

    /// Nothing is recovered where the scenario names a target and nobody knows it.
    pub fn target_is_known(&self, step: usize, frame: &Frame) -> Result<(), End> {
        let values = self.world.before_target(self.scenario, (self.memory, self.now), frame);
        match self.world.target(self.scenario, self.memory, &values) {
            Found::Nothing(lack) => Err(End::CannotGoOn { step, lack }),
            _ => Ok(()),
        }
    }

    pub fn prepare(&self, step: usize, probe: &Probe, frame: &Frame) -> Result<Prepared, End> {
        let general = self.values(frame, None);
        let name = self.host_name(step, probe, &general)?;
        let host = name.map(|name| self.host(step, &name)).transpose()?;
        let values = match &host {
            Some(host) => self.values(frame, Some(&host.name)),
            None => general,
        };
        let action = match &probe.action {
            ActionTemplate::Ask(question) => {
                Action::Ask { question: question.clone(), neighbours: self.neighbours() }
            }
            ActionTemplate::Aws(call) => Action::Aws(self.aws(step, call, &values)?),
            other => action(other, &values, &self.world.mask)
                .map_err(|error| self.no_value(step, &values, &error))?,
        };
        Ok(Prepared { action, host, values })
    }

    /// The incidents this run may know of: its customer's, else those of its own service.
    fn neighbours(&self) -> Neighbours {
        let service = self.world.service.clone();
        let belongs = match &self.world.customer {
            Some(customer) => customer.belongs.clone(),
            None => Belongs {
                services: service.iter().map(|service| service.id.clone()).collect(),
                title: None,
            },
        };
        Neighbours { belongs, service }
    }

    /// A host of this run's customer, and of no other.
    fn host(&self, step: usize, name: &str) -> Result<TargetHost, End> {
        let Some(host) = self.world.host(self.memory, name) else {
            let lack = match &self.world.customer {
                Some(customer) => {
                    Lack::NoHost { customer: customer.name.clone(), host: name.to_owned() }
                }
                None => Lack::NoCustomer,
            };
            return Err(End::CannotGoOn { step, lack });
        };
        Ok(TargetHost { name: host.name.clone(), reach: host.reach.clone() })
    }
}

pub fn action(
    template: &ActionTemplate,
    values: &Values,
    mask: &Mask,
) -> Result<Action, TemplateError> {
    let command =
        |program, env| Ok(Action::Command(Command { program, env: filled(env, values)? }));
    match template {
        ActionTemplate::Script { shell: Shell::Sh, text, env } => {
            command(Program::Script(text.clone()), env)
        }
        ActionTemplate::Script { shell: Shell::PowerShell, text, env } => {
            command(Program::PowerShell(text.clone()), env)
        }
        ActionTemplate::Exec { argv, env } => command(Program::Exec(argv.clone()), env),
        ActionTemplate::Http { method, url, headers, body } => Ok(Action::Http(HttpRequest {
            method: match method {
                Method::Get => HttpMethod::Get,
                Method::Head => HttpMethod::Head,
                Method::Post => HttpMethod::Post,
                Method::Put => HttpMethod::Put,
            },
            url: url.render_url(values)?,
            headers: filled(headers, values)?,
            body: body.as_ref().map(|body| body.render_body(values, mask)).transpose()?,
        })),
        ActionTemplate::Tcp { address } => Ok(Action::Tcp(address.render(values)?)),
        // Both need to know whose run it is.
        ActionTemplate::Aws(_) => Err(TemplateError::Bad("AWS is asked for a customer".to_owned())),
        ActionTemplate::Ask(question) => {
            Ok(Action::Ask { question: question.clone(), neighbours: Neighbours::default() })
        }
    }
}

fn filled(
    templates: &BTreeMap<String, Template>,
    values: &Values,
) -> Result<BTreeMap<String, String>, TemplateError> {
    templates.iter().map(|(name, template)| Ok((name.clone(), template.render(values)?))).collect()
}
