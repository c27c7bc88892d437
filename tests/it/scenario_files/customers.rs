use serde_json::Value;

use super::{GOOD, Ran, ams, folder};

const CUSTOMER: &str = "customer: shop\nname: Shop\nservices: [P1]\n\
    parameters:\n  limit: 90\n  units: [a, b]\n\
    hosts:\n  - name: web01\n    parameters: {limit: 80}\n\
    destinations: {network: {policy: PNETWORK}}\n\
    modes: {default: auto, web-down: shadow}\n\
    suspensions:\n  - {from: \"2026-12-01\", until: \"2026-12-02\", scenario: web-down, reason: x}\n";

/// A scenario that asks for a limit and for units, and hands off to the network people.
fn scenario() -> String {
    let parameters = "parameters:\n  limit: number\n  units: {list: word, default: []}\n";
    let steps = "  - gather: {run: 'echo $A $B', env: {A: '{{ parameters.limit }}', \
                 B: '{{ parameters.units }}'}}\nhand_off: {to: network}\n";
    format!("{}{steps}", GOOD.replace("steps:", &format!("{parameters}steps:")))
}

fn validate(scenario: &str, customer: &str, args: &[&str]) -> Ran {
    let dir = folder(&[("scenarios/web.yaml", scenario.as_bytes())]);
    for place in ["scenarios/customers", "elsewhere"] {
        std::fs::create_dir_all(dir.path().join(place)).unwrap();
        std::fs::write(dir.path().join(place).join("shop.yaml"), customer).unwrap();
    }
    ams(dir.path(), args)
}

/// `FILE:LINE:COLUMN id`, and the remedies.
fn found(ran: &Ran) -> (Vec<String>, String) {
    let report: Value = serde_json::from_str(&ran.out).unwrap();
    let findings = report["findings"].as_array().unwrap();
    let places = findings.iter().map(|it| {
        let (file, id) = (it["file"].as_str().unwrap(), it["id"].as_str().unwrap());
        format!("{file}:{}:{} {id}", it["line"], it["column"])
    });
    let remedies: Vec<&str> = findings.iter().map(|it| it["remedy"].as_str().unwrap()).collect();
    (places.collect(), remedies.join("\n"))
}

const JSON: [&str; 4] = ["validate", "--format", "json", "scenarios"];

#[test]
fn a_customer_that_fits_is_counted_and_no_more() {
    let ran = validate(&scenario(), CUSTOMER, &["validate", "scenarios"]);
    assert_eq!(ran.out, "2 files checked (1 of a customer), 0 findings\n");
    let both =
        validate(&scenario(), CUSTOMER, &["validate", "scenarios", "--customers", "elsewhere"]);
    assert_eq!(both.out, "3 files checked (2 of customers), 0 findings\n");
    let json = validate(&scenario(), CUSTOMER, &JSON);
    let report: Value = serde_json::from_str(&json.out).unwrap();
    assert_eq!((&report["files"], &report["customers"]), (&Value::from(2), &Value::from(1)));
    let shown = validate(&scenario(), CUSTOMER, &["validate", "--show-version", "scenarios"]);
    let version = report["version"].as_str().unwrap();
    assert!(shown.out.ends_with(&format!("\nversion {version}\n")), "{}", shown.out);
    let alone = validate(&scenario(), CUSTOMER, &["validate", "scenarios/customers"]);
    assert_eq!(alone.out, "1 file checked (1 of a customer), 0 findings\n");
    let none =
        validate(&scenario(), CUSTOMER, &["validate", "scenarios", "--customers", "nowhere"]);
    assert_eq!((none.code, none.out.as_str()), (Some(2), ""));
}

#[test]
fn mistakes_in_a_customer_are_found_like_any_other() {
    let wrong = CUSTOMER.replace("services", "servces").replace("default: auto", "default: audo");
    let ran = validate(&scenario(), &wrong, &JSON);
    let (places, _) = found(&ran);
    let file = "scenarios/customers/shop.yaml";
    assert_eq!(places, [format!("{file}:3:1 unknown-key"), format!("{file}:11:18 unknown-word")]);
    assert_eq!(ran.code, Some(1));
}

#[test]
fn a_limit_on_a_group_that_no_host_is_in_is_found() {
    let grouped = CUSTOMER.replace("- name: web01", "- name: web01\n    groups: [web]");
    let limited = |groups: &str| format!("{grouped}limits: {{one_at_a_time: {groups}}}\n");
    for good in ["web", "target", "[target, web]"] {
        assert_eq!(found(&validate(&scenario(), &limited(good), &JSON)).0, [""; 0], "{good}");
    }
    let (places, remedies) = found(&validate(&scenario(), &limited("[target, wbe]"), &JSON));
    assert_eq!(places, ["scenarios/customers/shop.yaml:15:34 unknown-group"]);
    assert_eq!(remedies, "did you mean 'web'?");
}

#[test]
fn what_customers_give_is_compared_with_what_scenarios_ask_for() {
    let wrong = CUSTOMER
        .replace("limit: 90", "limit: many\n  lmit: 3")
        .replace("{limit: 80}", "{limit: [80], colour: red}")
        .replace("web-down: shadow", "web-dwon: shadow")
        .replace("scenario: web-down", "scenario: other");
    let (places, remedies) = found(&validate(&scenario(), &wrong, &JSON));
    let file = "scenarios/customers/shop.yaml";
    assert_eq!(
        places,
        [
            format!("{file}:5:10 wrong-parameter"),
            format!("{file}:6:9 unknown-parameter"),
            format!("{file}:10:25 wrong-parameter"),
            format!("{file}:10:39 unknown-parameter"),
            format!("{file}:12:24 unknown-scenario"),
            format!("{file}:14:57 unknown-scenario"),
        ]
    );
    assert!(remedies.contains("did you mean 'limit'?"), "{remedies}");
    assert!(remedies.contains("did you mean 'web-down'?"), "{remedies}");
}

#[test]
fn a_hand_off_to_a_name_that_no_customer_has_is_found() {
    let elsewhere = scenario().replace("to: network", "to: netwrok");
    let (places, remedies) = found(&validate(&elsewhere, CUSTOMER, &JSON));
    assert_eq!(places, ["scenarios/web.yaml:18:16 unknown-destination"]);
    assert_eq!(remedies, "did you mean 'network'?");
    // Nobody knows the destinations of customers that are not here.
    let dir = folder(&[("web.yaml", elsewhere.as_bytes())]);
    assert_eq!(ams(dir.path(), &["validate", "."]).out, "1 file checked, 0 findings\n");
}

/// What one of many scenarios does not ask for, another one may.
#[test]
fn of_some_scenarios_only_what_is_certain_is_said() {
    let dir = folder(&[
        ("scenarios/web.yaml", scenario().as_bytes()),
        ("scenarios/sub/other.yaml", GOOD.replace("web-down", "other").as_bytes()),
    ]);
    let customers = dir.path().join("scenarios/customers");
    std::fs::create_dir(&customers).unwrap();
    std::fs::write(customers.join("shop.yaml"), CUSTOMER.replace("a, b", "'?', b")).unwrap();
    let (sub, _) = found(&ams(dir.path(), &["validate", "--format", "json", "scenarios/sub"]));
    assert_eq!(sub, [""; 0]);
    let one = ["validate", "--format", "json", "scenarios/web.yaml"];
    let (one, _) = found(&ams(dir.path(), &one));
    assert_eq!(one, ["scenarios/customers/shop.yaml:6:10 wrong-parameter"]);
}

#[test]
fn what_a_customer_calls_secret_is_checked_and_needs_no_secret_to_be_there() {
    let with = |mask: &str| validate(&scenario(), &format!("{CUSTOMER}mask: {mask}\n"), &JSON);
    let good =
        with("{patterns: ['no=(?<secret>[0-9]+)'], values: ['env:NOT_HERE', 'file:nor/here']}");
    assert_eq!(good.code, Some(0), "{}", good.out);
    let (places, remedies) = found(&with("{patterns: ['a(b'], values: [hunter2]}"));
    let file = "scenarios/customers/shop.yaml:14";
    let expected =
        [format!("{file}:19 bad-mask-pattern"), format!("{file}:36 secret-in-plain-text")];
    assert_eq!(places, expected);
    assert!(remedies.contains("env:NAME or file:PATH"), "{remedies}");
}
