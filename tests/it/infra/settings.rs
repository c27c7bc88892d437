//! One ams.yaml for both regions: what differs comes from the environment that the template gives.

use std::collections::BTreeMap;
use std::path::Path;

use ams::config::Config;

use super::{Names, all, read};

/// What the template's values become in Tokyo: without a bucket for scenarios and a queue, and with them.
const ENVIRONMENT: [(&str, &str, &str); 14] = [
    ("AMS_REGION", "tokyo", "tokyo"),
    ("AMS_LISTEN", "0.0.0.0:8080", "0.0.0.0:8080"),
    ("AMS_LOG_FORMAT", "json", "json"),
    ("AMS_STORE_DYNAMODB_TABLE", "ams-claims", "ams-claims"),
    ("AMS_STORE_DYNAMODB_HISTORY_TABLE", "ams-history", "ams-history"),
    ("AMS_STORE_DYNAMODB_REGION", "ap-northeast-1", "ap-northeast-1"),
    ("AMS_AWS_REGION", "ap-northeast-1", "ap-northeast-1"),
    ("AMS_EVIDENCE", "/var/lib/ams/evidence", "/var/lib/ams/evidence"),
    ("AMS_EVIDENCE_S3_BUCKET", "ams-evidence-111122223333", "ams-evidence-111122223333"),
    ("AMS_EVIDENCE_S3_REGION", "ap-northeast-1", "ap-northeast-1"),
    ("AMS_EVIDENCE_KEPT", "90d", "90d"),
    ("AMS_SCENARIOS", "", "s3://example-msp-scenarios/scenarios"),
    ("AMS_CUSTOMERS", "", "s3://example-msp-scenarios/customers"),
    ("AMS_EVENTBRIDGE_SQS_REGION", "", "ap-northeast-1"),
];
const QUEUE: &str = "https://sqs.ap-northeast-1.amazonaws.com/111122223333/ams";

/// Variables of the template, by name.
fn given() -> Vec<String> {
    all(r"Name: (AMS_[A-Z0-9_]+)", &read("infra/region.yaml"))
}

#[test]
fn every_variable_of_the_template_is_a_setting() {
    let page = read("docs/operations/configuration.md");
    let rows = page.lines().filter(|line| line.starts_with("| `"));
    let settings: Names = rows.flat_map(|row| all("`(AMS_[A-Z0-9_]+)`", row)).collect();
    let unknown: Vec<String> =
        given().into_iter().filter(|name| !settings.contains(name)).collect();
    assert!(unknown.is_empty(), "{unknown:?}");
}

#[test]
fn the_example_is_accepted_with_the_templates_environment() {
    let named: Names = ENVIRONMENT.iter().map(|(name, ..)| (*name).to_owned()).collect();
    let mut template: Names = given().into_iter().collect();
    assert!(template.remove("AMS_EVENTBRIDGE_SQS_QUEUE"));
    assert_eq!(named, template);

    let load = |env: &BTreeMap<String, String>| {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("infra/example/ams.yaml");
        Config::load(&file, env).unwrap_or_else(|findings| panic!("{findings:#?}"))
    };
    let owned = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let mut small: BTreeMap<String, String> =
        ENVIRONMENT.iter().map(|(name, value, _)| owned(name, value)).collect();
    small.extend([owned("AMS_EVENTBRIDGE_SQS_QUEUE", "")]);
    let config = load(&small);
    assert_eq!((config.region.as_str(), config.listen.port()), ("tokyo", 8080));
    assert!(config.evidence.bucket.is_some() && config.aws.is_some());
    assert!(config.eventbridge.queue.is_none());

    let mut whole: BTreeMap<String, String> =
        ENVIRONMENT.iter().map(|(name, _, value)| owned(name, value)).collect();
    whole.extend([owned("AMS_EVENTBRIDGE_SQS_QUEUE", QUEUE)]);
    assert_eq!(load(&whole).eventbridge.queue.map(|queue| queue.url), Some(QUEUE.to_owned()));
}

/// What the file names, the role may read: in both regions, and nothing more.
#[test]
fn the_examples_secrets_are_those_of_the_deployment() {
    let example = read("infra/example/ams.yaml");
    let lines = example.lines().filter(|line| !line.trim_start().starts_with('#'));
    let named: Names =
        lines.flat_map(|line| all("secretsmanager:([A-Za-z0-9/_-]+)", line)).collect();
    assert!(named.len() >= 3, "{named:?}");
    let deployment = read("infra/example.env");
    for region in ["FIRST", "SECOND"] {
        let given = all(&format!("(?m)^{region}_SECRETS=(.*)$"), &deployment).remove(0);
        let given: Names = all("secret:([^,]+)-[A-Za-z]{6}", &given).into_iter().collect();
        assert_eq!(given, named, "{region}");
    }
}
