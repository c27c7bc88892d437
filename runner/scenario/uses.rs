//! Which values a step refers to: what must be there before it can go on.

use crate::scenario::expression::Expression;
use crate::scenario::probe::{ActionTemplate, From, On, Probe};
use crate::scenario::step::{Step, StepKind};
use crate::scenario::template::Template;

impl Probe {
    /// Everything that is filled in before it is carried out.
    pub fn templates(&self) -> Vec<&Template> {
        let on = match &self.on {
            On::Host(host) => Some(host),
            On::Runner | On::Target => None,
        };
        let action: Vec<&Template> = match &self.action {
            ActionTemplate::Script { env, .. } | ActionTemplate::Exec { env, .. } => {
                env.values().collect()
            }
            ActionTemplate::Http { url, headers, body, .. } => {
                std::iter::once(url).chain(headers.values()).chain(body).collect()
            }
            ActionTemplate::Tcp { address } => vec![address],
            ActionTemplate::Aws(call) => call.templates().collect(),
            ActionTemplate::Ask(_) => Vec::new(),
        };
        action.into_iter().chain(on).collect()
    }

    /// What its result is judged by.
    fn expressions(&self) -> impl Iterator<Item = &Expression> {
        let calculated = self.takes.iter().filter_map(|take| match &take.from {
            From::Calc(calc) => Some(calc),
            _ => None,
        });
        self.expect.that.iter().chain(calculated)
    }

    /// A command runs somewhere; what else a step does is done from AMS's own machine.
    pub const fn is_command(&self) -> bool {
        matches!(self.action, ActionTemplate::Script { .. } | ActionTemplate::Exec { .. })
    }
}

impl Step {
    /// Names it refers to itself, its `when` and the steps inside it left out.
    pub fn names(&self) -> Vec<&str> {
        let (mut templates, mut expressions) = (Vec::new(), Vec::new());
        match &self.kind {
            StepKind::Approve { ask, .. } => templates.push(ask),
            StepKind::Branch { cases, .. } => {
                expressions.extend(cases.iter().map(|case| &case.when));
            }
            StepKind::Each(each) => expressions.push(&each.of),
            StepKind::Resolve { message, .. } => templates.extend(message),
            StepKind::HandOff(hand_off) => {
                let all = [&hand_off.message, &hand_off.manual, &hand_off.to];
                templates.extend(all.into_iter().flatten());
            }
            _ => {}
        }
        if let Some(probe) = self.kind.probe() {
            templates.extend(probe.templates());
            expressions.extend(probe.expressions());
        }
        let filled = templates.into_iter().flat_map(Template::needs);
        filled.chain(expressions.into_iter().flat_map(Expression::names)).collect()
    }
}
