//! The fields as JSON Schema (draft-07), for editors and for checks without AMS.

use serde_json::{Map, Value, json};

use crate::schema::steps::STEP;
use crate::schema::{DURATION, Document, Field, Form, Kind, Mapping};
use crate::yaml;

/// Steps of one list.
const MOST_STEPS: usize = 100;

pub fn json_schema(document: &Document) -> Value {
    let mut definitions = Definitions::default();
    let mut schema = definitions.mapping(document.root);
    definitions.define_all();
    schema.insert("$schema".to_owned(), json!("http://json-schema.org/draft-07/schema#"));
    schema.insert("title".to_owned(), json!(document.title));
    schema.insert("definitions".to_owned(), Value::Object(definitions.done));
    Value::Object(schema)
}

/// Mappings that others refer to.
#[derive(Default)]
struct Definitions {
    wanted: Vec<&'static Mapping>,
    done: Map<String, Value>,
}

impl Definitions {
    /// Steps hold steps: what is referred to is defined once and later.
    fn define_all(&mut self) {
        while let Some(mapping) = self.wanted.pop() {
            let name = definition_name(mapping);
            if !self.done.contains_key(&name) {
                self.done.insert(name.clone(), Value::Null);
                let definition = self.mapping(mapping);
                self.done.insert(name, Value::Object(definition));
            }
        }
    }

    fn reference(&mut self, mapping: &'static Mapping) -> Value {
        self.wanted.push(mapping);
        json!({ "$ref": format!("#/definitions/{}", definition_name(mapping)) })
    }

    fn mapping(&mut self, mapping: &'static Mapping) -> Map<String, Value> {
        let is_step = std::ptr::eq(mapping, &raw const STEP);
        let mut schema = Map::new();
        let mut set = |name: &str, value: Value| schema.insert(name.to_owned(), value);
        set("description", json!(mapping.about));
        let may_be_empty = mapping.may_be_empty() && !is_step;
        set("type", if may_be_empty { json!(["object", "null"]) } else { json!("object") });
        let fields = mapping.fields().map(|field| (field.name.to_owned(), self.field(field)));
        set("properties", Value::Object(fields.collect()));
        set("additionalProperties", json!(false));
        let required: Vec<&str> =
            mapping.fields().filter(|field| field.required).map(|field| field.name).collect();
        if !required.is_empty() {
            set("required", json!(required));
        }
        if is_step {
            set("minProperties", json!(1));
            set("maxProperties", json!(1));
        }
        if !mapping.one_of.is_empty() {
            set("oneOf", one_of(mapping.one_of));
        }
        if !mapping.any_of.is_empty() {
            set("anyOf", required_each(mapping.any_of));
        }
        if !mapping.not_both.is_empty() {
            let pairs: Vec<Value> = mapping.not_both.iter().flat_map(|set| pairs(set)).collect();
            set("not", json!({ "anyOf": pairs }));
        }
        if !mapping.needs.is_empty() {
            let needs = mapping
                .needs
                .iter()
                .map(|(name, needs)| ((*name).to_owned(), json!({"anyOf": required_each(needs)})));
            set("dependencies", Value::Object(needs.collect()));
        }
        schema
    }

    fn field(&mut self, field: &'static Field) -> Value {
        let mut schema = match self.kind(&field.kind) {
            // Beside a reference nothing else counts.
            Value::Object(kind) if kind.contains_key("$ref") => {
                Map::from_iter([("allOf".to_owned(), json!([kind]))])
            }
            Value::Object(kind) => kind,
            _ => Map::new(),
        };
        schema.insert("description".to_owned(), json!(field.about.replace('`', "'")));
        schema.insert("x-ja".to_owned(), json!(field.ja));
        if let Some(default) = field.default {
            schema.insert("default".to_owned(), value(default));
        }
        if let Some(example) = field.example {
            schema.insert("examples".to_owned(), json!([value(example)]));
        }
        Value::Object(schema)
    }

    fn kind(&mut self, kind: &'static Kind) -> Value {
        match kind {
            Kind::Text | Kind::Template | Kind::Expression => scalar(),
            Kind::Form(form) => form_schema(*form),
            Kind::Word(words) => json!({ "enum": words }),
            Kind::Number(from, to) => number(*from, *to),
            Kind::Duration => json!({ "type": "string", "pattern": DURATION }),
            Kind::Bool => json!({ "enum": [true, false, "true", "false"] }),
            Kind::True => json!({ "const": true }),
            Kind::Anything => json!({}),
            Kind::Map(mapping) => self.reference(mapping),
            Kind::List(kind) => json!({ "type": "array", "items": self.kind(kind) }),
            Kind::OneOrMany(least, kind) => {
                let one = self.kind(kind);
                let many = json!({ "type": "array", "minItems": least, "items": one });
                json!({ "anyOf": [one, many] })
            }
            Kind::ByName(form, kind) => {
                let mut schema = json!({
                    "type": ["object", "null"],
                    "additionalProperties": self.kind(kind),
                });
                if !form.pattern.is_empty() {
                    schema["propertyNames"] = json!({ "pattern": form.pattern });
                }
                schema
            }
            Kind::Either(kinds) => {
                let kinds: Vec<Value> = kinds.iter().map(|kind| self.kind(kind)).collect();
                json!({ "anyOf": kinds })
            }
            Kind::Steps(words, least) => self.steps(words, *least),
        }
    }

    fn steps(&mut self, words: &[&str], least: usize) -> Value {
        let mut items = self.reference(&STEP);
        if !words.is_empty() {
            items = json!({ "allOf": [items], "propertyNames": { "enum": words } });
        }
        json!({ "type": "array", "minItems": least, "maxItems": MOST_STEPS, "items": items })
    }
}

/// A text, a whole number or a truth value. Numbers with a point, and those beyond the machine's,
/// have lost what the author wrote.
fn scalar() -> Value {
    json!({ "type": ["string", "integer", "boolean"], "minimum": i64::MIN, "maximum": i64::MAX })
}

/// `steps/check` as `steps.check`: a slash would lead into the definition.
fn definition_name(mapping: &Mapping) -> String {
    mapping.name.replace('/', ".")
}

fn form_schema(form: Form) -> Value {
    let mut schema = if form.scalar { scalar() } else { json!({ "type": "string" }) };
    if !form.pattern.is_empty() {
        schema["pattern"] = json!(form.pattern);
    }
    schema
}

fn number(from: i64, to: i64) -> Value {
    let mut schema = json!({ "type": "integer" });
    if from != i64::MIN {
        schema["minimum"] = json!(from);
    }
    if to != i64::MAX {
        schema["maximum"] = json!(to);
    }
    schema
}

fn one_of(sets: &[&[&str]]) -> Value {
    let alternatives = sets.iter().enumerate().map(|(own, set)| {
        let others = sets.iter().enumerate().filter(|(other, _)| *other != own);
        let others: Vec<&str> = others.flat_map(|(_, set)| set.iter().copied()).collect();
        // A single name of each needs no more: two of them make two alternatives.
        if set.len() == 1 && others.len() == sets.len() - 1 {
            return json!({ "required": set });
        }
        json!({ "required": set, "not": { "anyOf": required_each(&others) } })
    });
    alternatives.collect()
}

fn required_each(names: &[&str]) -> Value {
    names.iter().map(|name| json!({ "required": [name] })).collect()
}

fn pairs(names: &[&str]) -> Vec<Value> {
    let mut pairs = Vec::new();
    for (at, first) in names.iter().enumerate() {
        pairs.extend(names[at + 1..].iter().map(|second| json!({ "required": [first, second] })));
    }
    pairs
}

/// What an author would write, as the value it stands for.
pub fn value(written: &str) -> Value {
    yaml::parse(written).map_or_else(|_| json!(written), |node| node.to_json())
}
