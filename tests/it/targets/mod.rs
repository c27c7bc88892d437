//! Which hosts a run is about: title, alerts' details, inventory, look-up by tag; none and several.

// What authors write wrong about a target.
mod files;
// Sources in their order, in paused time.
mod chain;
// Servers that only tags name, from webhook to outcome.
mod in_aws;
// None, several, and a source without an answer.
mod ends;
// EC2 in the accounts of customers.
mod look_up;
// What `ams plan` says of it.
mod plan;

use std::path::Path;
use std::sync::Arc;

use ams::rehearse::file;
use ams::rehearse::perform::{customers_of, perform};

/// `web02` is down, or nobody says what; a name may stand behind it.
const HEAD: &str = "scenario: x\nabout: x\nmatch:\n  all: [down]\n  \
    pattern: '^(?:(?<host>\\S+) is )?down(?: (?<name>.+))?$'\n  \
    captures: {host: hostname, name: text}\n";

/// The title, then the alerts, then AWS.
const CHAIN: &str = "target:\n  host:\n    - \"{{ capture.host }}\"\n    \
    - alert: [Event host, host]\n    \
    - look_up: {tag: Name, is: \"{{ capture.name }}\"}\n";

const RESTART: &str =
    "steps:\n  - recover: {name: r, run: restart}\n  - verify: {name: v, run: check}\n";

const SHOP: &str = "customer: shop\nname: サンプル商店\nservices: [S]\nhosts:\n  \
    - {name: web01, address: 10.0.1.11, aliases: [web01.example.jp], instance: i-0a1b2c3d4e5f60718, \
       reach: local}\n  \
    - {name: web02, address: 10.0.1.12, groups: [web], reach: local}\n";

/// What differs from the test's expectation. `test` begins with its title.
async fn differences(scenario: &str, test: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("customer.yaml"), SHOP).unwrap();
    let mut text = "customer: customer.yaml\ntests:\n  - name: x\n".to_owned();
    text.extend(test.lines().map(|line| format!("    {line}\n")));
    let file = file::read(&folder.path().join("x.test.yaml"), &text).unwrap();
    let scenario = format!("{HEAD}{scenario}");
    let scenario = ams::scenario::file::read(Path::new("x.yaml"), &scenario, None).unwrap().0;
    let customers = customers_of(&file).unwrap();
    let found = perform(&file, &file.tests[0], &Arc::new(scenario), customers).await.unwrap();
    found.iter().map(|difference| format!("{difference:?}")).collect()
}

async fn holds(scenario: &str, test: &str) {
    let found = differences(scenario, test).await;
    assert!(found.is_empty(), "{test}\n{found:#?}");
}
