//! A step's action with every value filled in. Pure.

use std::collections::BTreeMap;

use crate::execute::actuator::{Action, Command, HttpMethod, HttpRequest, Program};
use crate::scenario::action::Method;
use crate::scenario::model::ActionTemplate;
use crate::scenario::template::{Template, TemplateError, Values};

pub fn action(template: &ActionTemplate, values: &Values) -> Result<Action, TemplateError> {
    Ok(match template {
        ActionTemplate::Script { text, env } => Action::Command(Command {
            program: Program::Script(text.clone()),
            env: filled(env, values)?,
        }),
        ActionTemplate::Exec { argv, env } => Action::Command(Command {
            program: Program::Exec(argv.clone()),
            env: filled(env, values)?,
        }),
        ActionTemplate::Http { method, url, headers, body } => Action::Http(HttpRequest {
            method: match method {
                Method::Get => HttpMethod::Get,
                Method::Head => HttpMethod::Head,
                Method::Post => HttpMethod::Post,
                Method::Put => HttpMethod::Put,
            },
            url: url.render_url(values)?,
            headers: filled(headers, values)?,
            body: body.as_ref().map(|body| body.render_body(values)).transpose()?,
        }),
    })
}

fn filled(
    templates: &BTreeMap<String, Template>,
    values: &Values,
) -> Result<BTreeMap<String, String>, TemplateError> {
    templates.iter().map(|(name, template)| Ok((name.clone(), template.render(values)?))).collect()
}
