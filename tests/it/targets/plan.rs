//! What `ams plan` says of a target: which source answers, before anything runs.

use serde_json::Value;
use tempfile::TempDir;

use super::{CHAIN, HEAD, RESTART, SHOP};
use crate::scenario_files::{ams, folder};

fn files(alerts: &str) -> TempDir {
    let scenario = format!("{HEAD}{CHAIN}{RESTART}");
    let dir = folder(&[("scenarios/x.yaml", scenario.as_bytes())]);
    std::fs::write(dir.path().join("shop.yaml"), SHOP).unwrap();
    std::fs::write(dir.path().join("alerts.json"), alerts).unwrap();
    dir
}

fn plan(dir: &TempDir, title: &str, more: &[&str]) -> String {
    let args = ["plan", "--customers", "shop.yaml", "--service", "S", title];
    let ran = ams(dir.path(), &[&args[..], more].concat());
    assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""));
    ran.out
}

#[test]
fn a_plan_says_which_source_names_the_host() {
    let dir = files("{\"alerts\": [{\"body\": {\"details\": {\"host\": \"web01\"}}}]}");
    let by_title = plan(&dir, "web02 is down", &[]);
    assert!(by_title.contains("1. \"{{ capture.host }}\" names web02: taken"), "{by_title}");
    assert!(
        by_title.contains("2. alert details (event host, host) is not asked any more"),
        "{by_title}"
    );
    assert!(by_title.contains("target.host = web02"), "{by_title}");

    let open = plan(&dir, "down", &[]);
    assert!(open.contains("1. \"{{ capture.host }}\" names nobody"), "{open}");
    assert!(open.contains("2. alert details (event host, host) is asked when a step"), "{open}");
    assert!(!open.contains("target.host ="), "{open}");

    let by_alert = plan(&dir, "down", &["--alerts", "alerts.json"]);
    assert!(
        by_alert.contains("2. alert details (event host, host) names web01: taken"),
        "{by_alert}"
    );
    assert!(by_alert.contains("target.host = web01"), "{by_alert}");
}

#[test]
fn a_script_reads_the_same_of_a_plan() {
    let dir = files("[{\"details\": {\"host\": \"other9\"}}]");
    let args = ["--alerts", "alerts.json", "--format", "json"];
    let json: Value = serde_json::from_str(&plan(&dir, "down x", &args)).unwrap();
    let sources = json["target_sources"].as_array().unwrap();
    let answers: Vec<&Value> = sources.iter().map(|source| &source["answer"]).collect();
    assert_eq!(answers, ["nobody", "nobody", "asked_later"]);
    assert!(sources[1]["why"].as_str().unwrap().contains("other9"), "{json:#}");
    let ran = ams(dir.path(), &["plan", "--alerts", "shop.yaml", "down"]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.err.contains("shop.yaml cannot be read"), "{}", ran.err);
}
