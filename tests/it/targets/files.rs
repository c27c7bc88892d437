//! Mistakes about a target, each at its place.

use serde_json::Value;

use crate::scenario_files::{ams, folder};

const HEAD: &str = "scenario: NAME\nabout: x\nmatch: {all: [NAME]}\n";
const STEPS: &str = "steps:\n  - gather: {run: df}\n";

/// Name, what stands from line 4 on, and what is found.
const MISTAKES: [(&str, &str, &[&str]); 15] = [
    ("no-source", "target: {host: []}\n", &["4:16 empty-source"]),
    ("no-key", "target: {host: {alert: []}}\n", &["4:24 empty-source"]),
    ("blank-key", "target: {host: [{alert: [host, ' ']}]}\n", &["4:32 empty-source"]),
    ("nothing", "target: {host: [{}]}\n", &["4:17 missing-field"]),
    ("empty", "target: {host: [null]}\n", &["4:17 wrong-type"]),
    ("list-in-list", "target: {host: [[host]]}\n", &["4:17 wrong-type"]),
    (
        "both",
        "target: {host: [{alert: host, look_up: {tag: Name, is: x}}]}\n",
        &["4:17 several-sources"],
    ),
    ("unknown", "target: {host: [{alerts: host}]}\n", &["4:17 missing-field", "4:18 unknown-key"]),
    ("no-tag", "target: {host: {look_up: {is: x}}}\n", &["4:26 missing-field"]),
    ("no-value", "target: {host: {look_up: {tag: Name}}}\n", &["4:26 missing-field"]),
    ("tag", "target: {host: {look_up: {tag: 'Na*e', is: x}}}\n", &["4:32 bad-tag"]),
    ("any", "target: {host: {look_up: {tag: Name, is: 'web*'}}}\n", &["4:42 bad-tag"]),
    ("word", "target: {host: web01, when_none: skip}\n", &["4:34 unknown-word"]),
    (
        "undefined",
        "target: {host: ['{{ capture.h }}', {alert: host}]}\n",
        &["4:17 undefined-value"],
    ),
    (
        "undefined-tag",
        "target: {host: {look_up: {tag: Name, is: '{{ capture.h }}'}}}\n",
        &["4:42 undefined-value"],
    ),
];

#[test]
fn every_mistake_about_a_target_is_found_at_its_place() {
    let files: Vec<(String, String)> = MISTAKES
        .iter()
        .map(|(name, target, _)| {
            let head = HEAD.replace("NAME", name);
            (format!("{name}.yaml"), format!("{head}{target}{STEPS}"))
        })
        .collect();
    let files: Vec<(&str, &[u8])> =
        files.iter().map(|(name, text)| (name.as_str(), text.as_bytes())).collect();
    let dir = folder(&files);
    let ran = ams(dir.path(), &["validate", "--format", "json", "."]);
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    let findings = report["findings"].as_array().unwrap();
    for (name, _, expected) in MISTAKES {
        let found: Vec<String> = findings
            .iter()
            .filter(|it| it["file"] == format!("./{name}.yaml"))
            .map(|it| format!("{}:{} {}", it["line"], it["column"], it["id"].as_str().unwrap()))
            .collect();
        assert_eq!(found, *expected, "{name}: {findings:#?}");
    }
    assert!(findings.iter().all(|it| it["remedy"].as_str().unwrap().len() > 5));
}

#[test]
fn an_instance_id_that_aws_never_gave_is_found() {
    let customer = "customer: shop\nname: Shop\nhosts:\n  - {name: web01, instance: i-web01}\n";
    let scenario =
        format!("{}target: {{host: {{alert: host}}}}\n{STEPS}", HEAD.replace("NAME", "x"));
    let dir = folder(&[("scenarios/x.yaml", scenario.as_bytes())]);
    std::fs::write(dir.path().join("shop.yaml"), customer).unwrap();
    let ran = ams(dir.path(), &["validate", "--customers", "shop.yaml", "scenarios"]);
    assert!(ran.out.contains("error[bad-instance]: 'i-web01'"), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("shop.yaml:4:29"), "{}", ran.out);
}
