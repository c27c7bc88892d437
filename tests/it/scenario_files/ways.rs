//! The way to a host by SSH: each thing that can be wrong with it, once, at its place.

use serde_json::Value;

use super::{GOOD, ams, folder};

const USER: &str = "user: ams";
const IDENTITY: &str = "identity: /etc/ams/keys/shop";
const KEYS: &str = "known_hosts: /etc/ams/known_hosts";
const KEY: &str = "host_keys: [\"10.0.1.11 ssh-ed25519 AAAAC3Nz\"]";

/// What stands under `ssh` in line 3, and what is found; line 5 is a host that is reached so.
fn of_the_customer() -> Vec<(String, &'static [&'static str])> {
    let with = |parts: &[&str]| parts.join(", ");
    let more = |part: &str| with(&[USER, IDENTITY, KEYS, part]);
    let user = |user: &str| with(&[&format!("user: {user}"), IDENTITY, KEYS]);
    let identity = |identity: &str| with(&[USER, identity, KEYS]);
    let keys = |keys: &str| with(&[USER, IDENTITY, keys]);
    vec![
        (more("port: 2222"), &[]),
        (keys(KEY), &[]),
        (identity("agent: /run/ams/agent.sock"), &[]),
        (more("jump: [\"ops@bastion.example.jp:2222\"]"), &[]),
        (user("\"a b\""), &["5:46 bad-way"]),
        (user("-oProxyCommand=x"), &["5:46 bad-way"]),
        (user("$(id)"), &["5:46 bad-way"]),
        (user("[a, b]"), &["3:13 wrong-type", "5:46 host-without-way"]),
        (identity("identity: keys/shop"), &["5:46 bad-way"]),
        (identity("identity: \"/etc/my key\""), &["5:46 bad-way"]),
        (identity("agent: agent.sock"), &["5:46 bad-way"]),
        (identity("identity: /etc/a, agent: /run/b"), &["3:6 bad-way"]),
        (keys("known_hosts: known_hosts"), &["5:46 bad-way"]),
        (keys("known_hosts: /etc/%h"), &["5:46 bad-way"]),
        (keys("host_keys: [ssh-ed25519 AAAA]"), &["5:46 bad-way"]),
        (keys(&format!("{KEYS}, {KEY}")), &["3:6 bad-way"]),
        (keys("host_keys: []"), &["5:46 host-without-way"]),
        (more("port: 0"), &["3:89 bad-way"]),
        (more("port: 65536"), &["3:89 bad-way"]),
        (more("port: ssh"), &["3:89 wrong-type"]),
        (more("jump: \"bastion example\""), &["5:46 bad-way"]),
        (more("jump: bastion:0"), &["5:46 bad-way"]),
        (more("jump: [a, b, c, d, e]"), &["5:46 bad-way"]),
        (more("device: perhaps"), &["3:91 unknown-word"]),
        (more("pasword: secret"), &["3:83 unknown-key"]),
        (with(&[IDENTITY, KEYS]), &["5:46 host-without-way"]),
        (with(&[USER, KEYS]), &["5:46 host-without-way"]),
        (with(&[USER, IDENTITY]), &["5:46 host-without-way"]),
    ]
}

/// What one host says of itself in line 5, where the customer's part is right.
const OF_THE_HOST: [(&str, &[&str]); 7] = [
    ("name: web01, address: 10.0.1.11, reach: ssh", &[]),
    ("name: web01, address: \"10.0.1.11 -v\", reach: ssh", &["5:51 bad-way"]),
    ("name: web01, address: -oProxyCommand=x, reach: ssh", &["5:53 bad-way"]),
    ("name: \"web 01\", reach: ssh", &["5:29 bad-way"]),
    ("name: web01, reach: sssh", &["5:26 unknown-word"]),
    ("name: web01, reach: ssh, ssh: {user: \"a b\"}", &["5:26 bad-way"]),
    ("name: web01, reach: ssh, ssh: {port: -1}", &["5:43 bad-way"]),
];

/// `LINE:COLUMN id` of what is found in a customer's file.
fn found(ssh: &str, host: &str) -> Vec<String> {
    let customer = format!("customer: shop\nname: Shop\nssh: {{{ssh}}}\nhosts:\n  - {{{host}}}\n");
    let dir = folder(&[("scenarios/web-down.yaml", GOOD.as_bytes())]);
    std::fs::write(dir.path().join("shop.yaml"), customer).unwrap();
    let args = ["validate", "--customers", "shop.yaml", "--format", "json", "scenarios"];
    let report: Value = serde_json::from_str(&ams(dir.path(), &args).out).unwrap();
    let findings = report["findings"].as_array().unwrap().iter();
    findings
        .map(|it| {
            assert_eq!(it["file"], "shop.yaml", "{it:#}");
            assert!(it["remedy"].as_str().unwrap().len() > 5, "{it:#}");
            format!("{}:{} {}", it["line"], it["column"], it["id"].as_str().unwrap())
        })
        .collect()
}

#[test]
fn what_is_wrong_with_a_customers_way_is_found_at_its_place() {
    let mut wrong = Vec::new();
    for (ssh, expected) in of_the_customer() {
        let found = found(&ssh, "name: web01, address: 10.0.1.11, reach: ssh");
        if found != expected {
            wrong.push(format!("{ssh}: expected {expected:?}, found {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn what_is_wrong_with_a_hosts_own_way_is_found_at_its_place() {
    let mut wrong = Vec::new();
    for (host, expected) in OF_THE_HOST {
        let found = found(&[USER, IDENTITY, KEYS].join(", "), host);
        if found != *expected {
            wrong.push(format!("{host}: expected {expected:?}, found {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
