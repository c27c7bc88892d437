//! `{{ capture.host }}`: values filled into environment variables, addresses, bodies and messages.
//!
//! Never into scripts or arguments: those are exactly what the author wrote. Only plain `{{ }}`
//! values are allowed, so a template cannot loop or decide.

use std::collections::BTreeSet;

use minijinja::value::Serde;
use minijinja::{Environment, UndefinedBehavior};
use serde_json::{Map, Value};

use crate::mask::Mask;
use crate::scenario::value::{Values, written};
use crate::yaml::Place;

/// A checked template and the values it needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Template {
    source: String,
    /// Dotted names: `capture.host`, `vars.log_dir`.
    needs: BTreeSet<String>,
    place: Place,
}

/// Bytes between two braces.
const MAX_NAME: usize = 200;

/// Names below `incident.`.
pub const INCIDENT_NAMES: [&str; 5] = ["id", "title", "url", "urgency", "service"];

/// First names whose values the operator or the author wrote: they may hold a whole address.
const TRUSTED: [&str; 4] = ["vars", "parameters", "lookup", "target"];

/// First names whose values were read from outputs.
const FROM_OUTPUTS: [&str; 2] = ["steps", "each"];

#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    #[error("{0}")]
    Bad(String),
    /// The value is not there now: not captured, not read, not found.
    #[error("there is no value for {0}")]
    Missing(String),
}

impl Template {
    pub fn parse(source: &str) -> Result<Self, TemplateError> {
        let bad = |reason: &str| Err(TemplateError::Bad(reason.to_owned()));
        if source.contains("{%") || source.contains("{#") {
            return bad("only {{ name }} can be filled in here");
        }
        let mut needs = BTreeSet::new();
        for rest in source.split("{{").skip(1) {
            let Some((inside, _)) = rest.split_once("}}") else {
                return bad("'{{' has no '}}' behind it");
            };
            if !is_plain(inside) {
                return bad("only {{ name }} can be filled in here");
            }
            needs.insert(inside.trim().to_owned());
        }
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

    pub fn source(&self) -> &str {
        &self.source
    }

    pub fn needs(&self) -> impl Iterator<Item = &str> {
        self.needs.iter().map(String::as_str)
    }

    /// Fills in the values as they are; a list becomes one line per entry.
    pub fn render(&self, values: &Values) -> Result<String, TemplateError> {
        self.fill(values, |_, value| written(value, "\n"))
    }

    /// Fills in a sentence for people; a list becomes `a, b`.
    pub fn render_message(&self, values: &Values) -> Result<String, TemplateError> {
        self.fill(values, |_, value| written(value, ", "))
    }

    /// The same, with a dash for every value that is not there.
    pub fn render_leniently(&self, values: &Values) -> String {
        self.render_with_gaps(values, &|_| "-".to_owned())
    }

    /// The same, with something else in the place of a value that is not there.
    pub fn render_with_gaps(&self, values: &Values, gap: &dyn Fn(&str) -> String) -> String {
        let mut filled = Map::new();
        for name in &self.needs {
            let text = values.get(name).map_or_else(|| gap(name), |it| written(it, ", "));
            insert(&mut filled, name, text);
        }
        environment()
            .render_str(&self.source, Serde(&filled))
            .unwrap_or_else(|_| self.source.clone())
    }

    /// Fills in a request body. In JSON, values from outside stay inside their quotes. What was read
    /// from outputs may hold a secret that whoever gets the request is not to have.
    pub fn render_body(&self, values: &Values, mask: &Mask) -> Result<String, TemplateError> {
        let start = self.source.trim_start();
        let is_json = start.starts_with(['{', '[']) && !start.starts_with("{{");
        self.fill(values, |root, value| {
            let text = written(value, "\n");
            let text = if FROM_OUTPUTS.contains(&root) { mask.apply(&text) } else { text };
            if !is_json {
                return text;
            }
            let json = Value::from(text).to_string();
            json[1..json.len() - 1].to_owned()
        })
    }

    /// Fills in a URL: what came from outside is percent-encoded, so it stays one segment or one
    /// query value.
    pub fn render_url(&self, values: &Values) -> Result<String, TemplateError> {
        self.fill(values, |root, value| {
            let text = written(value, ",");
            if TRUSTED.contains(&root) { text } else { percent_encode(&text) }
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

    fn fill(
        &self,
        values: &Values,
        text: impl Fn(&str, &Value) -> String,
    ) -> Result<String, TemplateError> {
        if self.needs.is_empty() && !self.source.contains("{{") {
            return Ok(self.source.clone());
        }
        let mut filled = Map::new();
        for name in &self.needs {
            let value = values.get(name).ok_or_else(|| TemplateError::Missing(name.clone()))?;
            let root = name.split('.').next().unwrap_or(name);
            insert(&mut filled, name, text(root, value));
        }
        environment()
            .render_str(&self.source, Serde(&filled))
            .map_err(|error| TemplateError::Bad(error.to_string()))
    }
}

/// A dotted name and nothing else: thousands of files are read without asking the engine.
fn is_plain(inside: &str) -> bool {
    // The engine goes down one level per part of a name; a long one would end the process.
    inside.len() <= MAX_NAME
        && inside.trim().split('.').all(|part| {
            part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        })
}

/// Puts a text at its dotted name.
fn insert(tree: &mut Map<String, Value>, name: &str, text: String) {
    match name.split_once('.') {
        None => {
            tree.insert(name.to_owned(), Value::from(text));
        }
        Some((first, rest)) => {
            let below = tree.entry(first).or_insert_with(|| Value::Object(Map::new()));
            if let Value::Object(below) = below {
                insert(below, rest, text);
            }
        }
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
    use serde_json::json;

    use super::*;

    fn values(q: &str) -> Values {
        let mut values = Values::default();
        values.set("capture", json!({ "q": q }));
        values.set("vars", json!({ "base": "http://127.0.0.1:8080/v1" }));
        values.set("steps", json!({ "failed": { "units": ["a", "b"], "count": 2, "none": null } }));
        values
    }

    #[test]
    fn names_are_known_without_running() {
        let template = Template::parse("{{ vars.base }}/x?q={{ capture.q }}").unwrap();
        assert_eq!(template.needs().collect::<Vec<_>>(), ["capture.q", "vars.base"]);
    }

    #[test]
    fn text_from_outside_stays_one_value_in_a_url() {
        let values = values("a b/../?x=1&y=日");
        let template = Template::parse("{{ vars.base }}/x?q={{ capture.q }}").unwrap();
        assert_eq!(
            template.render_url(&values).unwrap(),
            "http://127.0.0.1:8080/v1/x?q=a%20b%2F..%2F%3Fx%3D1%26y%3D%E6%97%A5"
        );
        assert!(template.render(&values).unwrap().ends_with("q=a b/../?x=1&y=日"));
    }

    #[test]
    fn a_missing_value_is_an_error_and_statements_are_refused() {
        for missing in ["{{ capture.nope }}", "{{ steps.failed.none }}"] {
            let template = Template::parse(missing).unwrap();
            assert!(matches!(template.render(&values("")), Err(TemplateError::Missing(_))));
        }
        assert!(Template::parse("{% for x in y %}{% endfor %}").is_err());
        assert!(Template::parse("{{ capture.x | upper }}").is_err());
        assert!(Template::parse("{{ capture.x if vars.y else 1 }}").is_err());
        assert!(Template::parse("{{ capture.").is_err());
    }

    #[test]
    fn a_title_cannot_change_the_shape_of_a_json_body() {
        let template = Template::parse(r#"{"name": "{{ capture.q }}"}"#).unwrap();
        let values = values("a\", \"admin\": \"yes");
        let body = template.render_body(&values, &Mask::default()).unwrap();
        let json: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(json, json!({ "name": "a\", \"admin\": \"yes" }));
    }

    #[test]
    fn in_a_body_only_what_outputs_said_is_masked() {
        let mut values = values("password=of-the-title");
        values.set("steps", json!({ "log": { "output": "DB_PASSWORD=\"hunter2\"\nok" } }));
        let mask = Mask::default();
        let json = Template::parse(r#"{"a": "{{ capture.q }}", "b": "{{ steps.log.output }}"}"#);
        let body = json.unwrap().render_body(&values, &mask).unwrap();
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(body, json!({ "a": "password=of-the-title", "b": "DB_PASSWORD=\"****\"\nok" }));
        let plain = Template::parse("{{ steps.log.output }}, {{ capture.q }}").unwrap();
        let body = plain.render_body(&values, &mask).unwrap();
        assert_eq!(body, "DB_PASSWORD=\"****\"\nok, password=of-the-title");
        // What goes to the customer's own host is what was read.
        assert!(plain.render(&values).unwrap().contains("hunter2"));
    }

    #[test]
    fn values_are_not_templates_themselves_and_lists_are_written_out() {
        let template = Template::parse("{{ capture.q }}").unwrap();
        assert_eq!(template.render(&values("{{ vars.base }}")).unwrap(), "{{ vars.base }}");
        let units = Template::parse("{{ steps.failed.count }}: {{ steps.failed.units }}").unwrap();
        assert_eq!(units.render(&values("")).unwrap(), "2: a\nb");
        assert_eq!(units.render_message(&values("")).unwrap(), "2: a, b");
    }
}
