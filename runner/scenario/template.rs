//! `{{ capture.host }}`: values filled into environment variables, URLs and HTTP bodies.
//!
//! Never into scripts or arguments: those are exactly what the author wrote. Only plain `{{ }}`
//! values are allowed, so a template cannot loop or decide.

use std::collections::{BTreeMap, BTreeSet};

use minijinja::{Environment, UndefinedBehavior};
use serde::Serialize;

use crate::yaml::Place;

/// A checked template and the values it needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    source: String,
    /// Dotted names: `capture.host`, `vars.log_dir`.
    needs: BTreeSet<String>,
    place: Place,
}

/// What templates may refer to.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Values {
    /// From the title, typed.
    pub capture: BTreeMap<String, String>,
    /// From the operator's configuration, trusted.
    pub vars: BTreeMap<String, String>,
    pub incident: BTreeMap<String, String>,
}

/// Bytes between two braces.
const MAX_NAME: usize = 200;

/// Names below `incident.`.
pub const INCIDENT_NAMES: [&str; 3] = ["id", "title", "url"];

#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct TemplateError(String);

impl Template {
    pub fn parse(source: &str) -> Result<Self, TemplateError> {
        let plain = |inside: &str| {
            // The engine goes down one level per part of a name; a long one would end the process.
            inside.len() <= MAX_NAME
                && inside.trim().split('.').all(|part| {
                    !part.is_empty() && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
                })
        };
        let values = source.split("{{").skip(1).filter_map(|rest| rest.split_once("}}"));
        let all_plain = values.map(|(inside, _)| inside).all(plain);
        if source.contains("{%") || source.contains("{#") || !all_plain {
            return Err(TemplateError("only {{ name }} can be filled in here".to_owned()));
        }
        let environment = environment();
        let template = environment
            .template_from_str(source)
            .map_err(|error| TemplateError(error.to_string()))?;
        let needs = template.undeclared_variables(true).into_iter().collect();
        Ok(Self { source: source.to_owned(), needs, place: Place::default() })
    }

    /// The same template, at its place in the author's file.
    #[must_use]
    pub fn at(self, place: Place) -> Self {
        Self { place, ..self }
    }

    pub const fn place(&self) -> Place {
        self.place
    }

    pub fn needs(&self) -> impl Iterator<Item = &str> {
        self.needs.iter().map(String::as_str)
    }

    /// Fills in the values as they are.
    pub fn render(&self, values: &Values) -> Result<String, TemplateError> {
        if self.needs.is_empty() && !self.source.contains("{{") {
            return Ok(self.source.clone());
        }
        environment().render_str(&self.source, minijinja::value::Serde(values)).map_err(|error| {
            let needs: Vec<&str> = self.needs().collect();
            TemplateError(format!("{error} (it uses {})", needs.join(", ")))
        })
    }

    /// Fills in a request body. In JSON, values from outside stay inside their quotes.
    pub fn render_body(&self, values: &Values) -> Result<String, TemplateError> {
        if !self.source.trim_start().starts_with(['{', '['])
            || self.source.trim_start().starts_with("{{")
        {
            return self.render(values);
        }
        let quoted = |text: &String| {
            let json = serde_json::Value::from(text.as_str()).to_string();
            json[1..json.len() - 1].to_owned()
        };
        let escaped = |map: &BTreeMap<String, String>| {
            map.iter().map(|(name, value)| (name.clone(), quoted(value))).collect()
        };
        self.render(&Values {
            capture: escaped(&values.capture),
            vars: values.vars.clone(),
            incident: escaped(&values.incident),
        })
    }

    /// The values that decide which host a URL goes to.
    pub fn host_needs(&self) -> Vec<String> {
        // Without a scheme the address begins with a variable that holds one.
        let rest = self.source.split_once("://").map_or(self.source.as_str(), |(_, rest)| rest);
        let host = rest.split(['/', '?', '#']).next().unwrap_or(rest);
        let values = host.split("{{").skip(1).filter_map(|rest| rest.split_once("}}"));
        values.map(|(inside, _)| inside.trim().to_owned()).collect()
    }

    /// Fills in a URL: what came from outside is percent-encoded, so it stays one segment or one
    /// query value; `vars` are the operator's own and may hold a whole address.
    pub fn render_url(&self, values: &Values) -> Result<String, TemplateError> {
        let encoded = |map: &BTreeMap<String, String>| {
            map.iter().map(|(name, value)| (name.clone(), percent_encode(value))).collect()
        };
        self.render(&Values {
            capture: encoded(&values.capture),
            vars: values.vars.clone(),
            incident: encoded(&values.incident),
        })
    }
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::empty();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment
}

/// Everything but RFC 3986's unreserved characters.
fn percent_encode(text: &str) -> String {
    const HEX: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            out.push(char::from(byte));
        } else {
            let (high, low) = (usize::from(byte >> 4), usize::from(byte & 15));
            out.extend(['%', HEX[high], HEX[low]]);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn values() -> Values {
        Values {
            capture: BTreeMap::from([("q".to_owned(), "a b/../?x=1&y=日".to_owned())]),
            vars: BTreeMap::from([("base".to_owned(), "http://127.0.0.1:8080/v1".to_owned())]),
            incident: BTreeMap::new(),
        }
    }

    #[test]
    fn names_are_known_without_running() {
        let template = Template::parse("{{ vars.base }}/x?q={{ capture.q }}").unwrap();
        assert_eq!(template.needs().collect::<Vec<_>>(), ["capture.q", "vars.base"]);
    }

    #[test]
    fn text_from_outside_stays_one_value_in_a_url() {
        let template = Template::parse("{{ vars.base }}/x?q={{ capture.q }}").unwrap();
        assert_eq!(
            template.render_url(&values()).unwrap(),
            "http://127.0.0.1:8080/v1/x?q=a%20b%2F..%2F%3Fx%3D1%26y%3D%E6%97%A5"
        );
        assert!(template.render(&values()).unwrap().ends_with("q=a b/../?x=1&y=日"));
    }

    #[test]
    fn a_missing_value_is_an_error_and_statements_are_refused() {
        let template = Template::parse("{{ capture.nope }}").unwrap();
        assert!(template.render(&values()).is_err());
        assert!(Template::parse("{% for x in y %}{% endfor %}").is_err());
        assert!(Template::parse("{{ capture.x | upper }}").is_err());
        assert!(Template::parse("{{ capture.x if vars.y else 1 }}").is_err());
        assert!(Template::parse("{{ capture.").is_err());
    }

    #[test]
    fn a_title_cannot_change_the_shape_of_a_json_body() {
        let mut values = values();
        values.capture.insert("q".to_owned(), "a\", \"admin\": \"yes".to_owned());
        let template = Template::parse(r#"{"name": "{{ capture.q }}"}"#).unwrap();
        let body = template.render_body(&values).unwrap();
        let json: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(json, serde_json::json!({ "name": "a\", \"admin\": \"yes" }));
    }

    #[test]
    fn values_are_not_templates_themselves() {
        let mut nested = values();
        nested.capture.insert("q".to_owned(), "{{ vars.base }}".to_owned());
        let template = Template::parse("{{ capture.q }}").unwrap();
        assert_eq!(template.render(&nested).unwrap(), "{{ vars.base }}");
    }
}
