//! The schema of the files that people write agrees with their readers, their fixtures and the
//! reference.

use std::path::{Path, PathBuf};

use jsonschema::Validator;
use serde_json::{Value, json};

use ams::schema::json::json_schema;
use ams::schema::{CUSTOMERS, Document, SCENARIOS, TESTS};
use ams::yaml;

use crate::scenario_files::{GOOD, ams, folder, mistakes};

// The readers ask for exactly these fields, and take what the schema allows.
mod agreement;
// The tables of docs/scenarios/reference.md.
mod reference;

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn validator(document: &Document) -> Validator {
    let schema = json_schema(document);
    jsonschema::draft7::meta::validate(&schema).unwrap();
    jsonschema::draft7::new(&schema).unwrap()
}

fn json_of(text: &str) -> Value {
    yaml::parse(text).unwrap().to_json()
}

fn errors(validator: &Validator, value: &Value) -> Vec<String> {
    validator.iter_errors(value).map(|it| format!("{}: {it}", it.instance_path())).collect()
}

/// Every `*.yaml` below a folder.
fn files_below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files_below(&path));
        } else if path.extension().is_some_and(|ending| ending == "yaml") {
            found.push(path);
        }
    }
    found
}

#[test]
fn schemas_accept_every_file_of_our_own() {
    let (scenarios, customers, tests) =
        (validator(&SCENARIOS), validator(&CUSTOMERS), validator(&TESTS));
    assert_eq!(errors(&scenarios, &json_of(GOOD)), Vec::<String>::new());
    let mut wrong = Vec::new();
    let files = files_below(&root().join("scenarios"));
    assert!(files.len() > 40, "{files:?}");
    for file in files {
        let validator = match file.to_string_lossy() {
            name if name.ends_with(".test.yaml") => &tests,
            name if name.contains("/customers/") => &customers,
            _ => &scenarios,
        };
        let found = errors(validator, &json_of(&std::fs::read_to_string(&file).unwrap()));
        wrong.extend(found.into_iter().map(|it| format!("{}: {it}", file.display())));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Mistakes that need more than the shape of the file: names, types of expressions, what stands
/// before and after, the inside of patterns and scripts. `ams validate` finds them.
const ONLY_THE_LOADER_SEES: [&str; 14] = [
    "ages",
    "bad-template",
    "changing-check",
    "filter",
    "host-from-title",
    "not-in-pattern",
    "pattern",
    "recover",
    "resolving-check",
    "status-of-command",
    "undefined-value",
    "unused",
    "value-in-exec",
    "value-in-run",
];

#[test]
fn the_schema_refuses_every_mistake_of_shape() {
    let validator = validator(&SCENARIOS);
    let mut accepted = Vec::new();
    let mut refused = 0;
    for (name, content, _) in mistakes::all_mistakes() {
        // What is no YAML is nothing a schema can be held against.
        let Some(node) = String::from_utf8(content).ok().and_then(|it| yaml::parse(&it).ok())
        else {
            continue;
        };
        if validator.is_valid(&node.to_json()) {
            accepted.push(name.trim_end_matches(".yaml").to_owned());
        } else {
            refused += 1;
        }
    }
    accepted.sort();
    assert_eq!(accepted, ONLY_THE_LOADER_SEES);
    assert!(refused > 20, "{refused}");
}

#[test]
fn the_schema_command_prints_a_schema_for_each_kind_of_file() {
    let dir = folder(&[]);
    let of = |args: &[&str]| {
        let ran = ams(dir.path(), args);
        assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{args:?}");
        let schema: Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(schema["$schema"], "http://json-schema.org/draft-07/schema#");
        schema
    };
    let scenarios = of(&["schema"]);
    assert_eq!(scenarios, of(&["schema", "scenarios"]));
    assert_eq!(scenarios["additionalProperties"], false);
    assert_eq!(scenarios["required"], json!(["scenario", "about", "match", "steps"]));
    assert_eq!(scenarios["properties"]["mode"]["default"], "auto");
    assert_eq!(scenarios["properties"]["mode"]["enum"].as_array().unwrap().len(), 4);
    assert_eq!(of(&["schema", "customers"])["required"], json!(["customer", "name"]));
    assert_eq!(of(&["schema", "tests"])["required"], json!(["tests"]));
    let unknown = ams(dir.path(), &["schema", "words"]);
    assert_eq!(unknown.code, Some(2), "{unknown:?}");
    let help = ams(dir.path(), &["schema", "--help"]);
    assert!(help.out.contains("yaml-language-server") && help.out.contains("Exit codes: 0"));
}

/// An editor shows these: every field says what it is, in both languages.
#[test]
fn every_field_is_described_and_its_default_and_example_fit() {
    let mut wrong = Vec::new();
    for document in [&SCENARIOS, &CUSTOMERS, &TESTS] {
        let schema = json_schema(document);
        let definitions = schema["definitions"].as_object().unwrap();
        for (name, mapping) in definitions.iter().chain([(&"the file".to_owned(), &schema)]) {
            for (field, of_field) in mapping["properties"].as_object().unwrap() {
                let words = of_field["description"].as_str().unwrap();
                let japanese = of_field["x-ja"].as_str().unwrap();
                if !words.ends_with(['.', '?']) || japanese.is_ascii() {
                    wrong.push(format!("{name}.{field}: {words} / {japanese}"));
                }
                let mut whole = of_field.clone();
                whole["definitions"] = schema["definitions"].clone();
                let validator = jsonschema::draft7::new(&whole).unwrap();
                let examples = of_field["examples"].as_array().into_iter().flatten();
                for value in examples.chain(of_field.get("default")) {
                    let found = errors(&validator, value);
                    wrong.extend(found.into_iter().map(|it| format!("{name}.{field}: {it}")));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
