//! Checks requests and answers against PagerDuty's own description of its REST API.
//!
//! The description is not part of this repository (its licence does not allow that). Tests that
//! need it skip where it is absent: `AMS_SHARED`, or `../shared` beside the repository.

use std::path::PathBuf;

use jsonschema::Draft;
use serde_json::{Map, Value, json};

pub(crate) struct Description {
    /// OpenAPI 3.0, turned into JSON Schema where the two differ.
    document: Value,
}

impl Description {
    /// `None`, after saying so, if this machine does not have it.
    #[expect(
        clippy::print_stdout,
        reason = "whoever reads a test's output should see that it tested nothing"
    )]
    pub(crate) fn load() -> Option<Self> {
        let path = shared_dir().join("pagerduty/openapi.json");
        let Ok(text) = std::fs::read_to_string(&path) else {
            println!("skipped: there is no {}", path.display());
            return None;
        };
        let mut document = serde_json::from_str(&text).unwrap();
        correct_known_faults(&mut document);
        nullable_to_type(&mut document);
        Some(Self { document })
    }

    /// What is wrong with an answer; empty if nothing is.
    pub(crate) fn check_response(
        &self,
        method: &str,
        path_template: &str,
        status: u16,
        body: &Value,
    ) -> Vec<String> {
        let operation = operation(method, path_template);
        if self.document.pointer(&operation).is_none() {
            return vec![format!("{method} {path_template} is not described")];
        }
        let mut place = format!("{operation}/responses/{status}");
        if self.document.pointer(&place).is_none() {
            // Some operations forget to say that they refuse bad input.
            if status != 400 {
                return vec![format!("{method} {path_template} never answers {status}")];
            }
            "/components/responses/ArgumentError".clone_into(&mut place);
        }
        self.check(&self.follow(place), body)
    }

    /// What is wrong with the body of a request; empty if nothing is.
    pub(crate) fn check_request(
        &self,
        method: &str,
        path_template: &str,
        body: &Value,
    ) -> Vec<String> {
        let operation = operation(method, path_template);
        let Some(described) = self.document.pointer(&operation) else {
            return vec![format!("{method} {path_template} is not described")];
        };
        if described.get("requestBody").is_none() {
            return match body {
                Value::Null => Vec::new(),
                _ => vec![format!("{method} {path_template} takes no body")],
            };
        }
        self.check(&self.follow(format!("{operation}/requestBody")), body)
    }

    /// The place a `$ref` at this place leads to.
    fn follow(&self, place: String) -> String {
        let found = self.document.pointer(&place);
        let reference = found.and_then(|found| found["$ref"].as_str());
        reference.map_or(place, |target| target.trim_start_matches('#').to_owned())
    }

    fn check(&self, place: &str, body: &Value) -> Vec<String> {
        let schema = format!("{place}/content/application~1json/schema");
        if self.document.pointer(&schema).is_none() {
            return match body {
                Value::Null => Vec::new(),
                _ => vec![format!("{place} has no body")],
            };
        }
        let mut root = self.document.clone();
        let place = schema.replace('{', "%7B").replace('}', "%7D");
        root["allOf"] = json!([{ "$ref": format!("#{place}") }]);
        // In OpenAPI 3.0, as in draft 7, what stands beside a `$ref` is ignored.
        let options = jsonschema::options().with_draft(Draft::Draft7);
        let validator = options.should_validate_formats(true).build(&root).unwrap();
        let problems = validator.iter_errors(body);
        let told = problems.map(|problem| format!("{}: {problem}", problem.instance_path()));
        told.collect()
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "where the description lies is this machine's affair, not a setting of AMS"
)]
pub(crate) fn shared_dir() -> PathBuf {
    let beside = || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared");
    std::env::var("AMS_SHARED").map_or_else(|_| beside(), PathBuf::from)
}

fn operation(method: &str, path_template: &str) -> String {
    let path = path_template.replace('~', "~0").replace('/', "~1");
    format!("/paths/{path}/{}", method.to_ascii_lowercase())
}

/// Where the description contradicts itself, so that no answer at all could be right.
fn correct_known_faults(document: &mut Value) {
    // The same log entry type under two spellings.
    let place = "/components/schemas/AcknowledgeLogEntry/allOf/1/properties/type/enum";
    *document.pointer_mut(place).unwrap() = json!(["acknowledge_log_entry"]);
    // "Exactly one of" variants that have no required field, so that every channel is several.
    let channel = document.pointer_mut("/components/schemas/Channel").unwrap();
    let variants = channel.as_object_mut().unwrap().remove("oneOf").unwrap();
    channel["anyOf"] = variants;
    // A value is said to be an object that holds a value; the examples, and PagerDuty, have it bare.
    let value = json!({ "type": ["boolean", "number", "string", "array", "null"] });
    let fields = document.pointer_mut("/components/schemas/CustomFieldsFieldValue").unwrap();
    fields["properties"]["value"] = value.clone();
    *document.pointer_mut("/components/schemas/CustomFieldsEditableFieldValue").unwrap() = json!({
        "type": "object",
        "required": ["value"],
        "properties": { "name": { "type": "string", "maxLength": 50 }, "id": { "type": "string" }, "value": value },
        "anyOf": [{ "required": ["name"] }, { "required": ["id"] }],
    });
}

/// OpenAPI 3.0 says `nullable: true` where JSON Schema has the type `null`.
fn nullable_to_type(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.values_mut().for_each(nullable_to_type);
            if fields.remove("nullable") == Some(Value::Bool(true)) {
                allow_null(fields);
            }
        }
        Value::Array(items) => items.iter_mut().for_each(nullable_to_type),
        _ => {}
    }
}

fn allow_null(schema: &mut Map<String, Value>) {
    if let Some(kind) = schema.get_mut("type") {
        *kind = json!([kind.take(), "null"]);
    }
    if let Some(Value::Array(values)) = schema.get_mut("enum") {
        values.push(Value::Null);
    }
}
