//! What a host prints does not leave the process with its secrets; the evidence keeps it whole.

use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

use ams::incident::{IncidentId, Outcome};

use super::explain::{explain, said, until_told};
use crate::harness::receiver::Receiver;
use crate::harness::world::World;

/// Prints a secret of every kind, the last one right where a note cuts a long output, and sends it on.
const LEAKS: &str = "\
scenario: leaks
about: 設定ファイルの確認
match: {all: [config]}
parameters:
  hook: {type: text}
steps:
  - gather:
      id: settings
      name: 設定
      run: cat \"$FOLDER/printed\"; head -c 100000 /dev/zero | tr '\\0' '.'; cat \"$FOLDER/last\"
      env: {FOLDER: \"{{ vars.folder }}\"}
      values: {account: {pattern: 'account=(\\S+)'}}
  - check:
      name: 会員
      run: 'true'
      expect: {that: 'steps.settings.output == \"\"'}
  - notify:
      name: 連絡
      http:
        method: POST
        url: \"{{ parameters.hook }}\"
        body: '{\"event\": {\"text\": \"{{ steps.settings.output }}\", \"customer\": \"{{ customer.name }}\"}}'
hand_off:
  message: '設定: {{ steps.settings.output }}'
";

/// Nothing that leaves may have any of these.
const SECRETS: [&str; 7] = [
    "correct-horse-battery",
    "customers-own-value",
    "hunter2hunter2",
    "12345678",
    "MIIEowIBAAKCAQEAsome",
    "wJalrXUtnFEMI",
    "bPxRfiCYEXAMPLEKEY",
];

const PRINTED: &str = "\
account=web 会員番号: 12345678 rack R-777
known: correct-horse-battery and customers-own-value
DB_PASSWORD=hunter2hunter2
-----BEGIN RSA PRIVATE KEY-----
MIIEowIBAAKCAQEAsome+base64/textAAAA
-----END RSA PRIVATE KEY-----
";

async fn world(hook: &str) -> World {
    let customer = format!(
        "customer: shop\nname: password=of-a-name\nservices: [Sandbox web shop]\n\
         parameters: {{hook: '{hook}'}}\n\
         mask: {{patterns: ['会員番号: (?<secret>[0-9]{{8}})'], values: ['file:own.secret']}}\n"
    );
    let settings = "mask: {patterns: ['R-[0-9]{3}'], values: ['file:known.secret']}\n";
    let world = World::with(LEAKS).customer(&customer).settings(settings);
    let world = world.secret("cluster/known.secret", "correct-horse-battery\n");
    let world = world.secret("customers/own.secret", "customers-own-value").start().await;
    world.write("printed", PRINTED);
    // The end of an output that is shown from its end: the key's beginning is not shown.
    let filler = "x ".repeat(380);
    world.write(
        "last",
        &format!("AKIAIOSFODNN7EXAMPLE wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY {filler}"),
    );
    world
}

fn evidence(world: &World, incident: &IncidentId) -> Vec<PathBuf> {
    let folder = world.path("cluster/evidence").join(incident.as_str());
    std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect()
}

#[tokio::test]
async fn no_secret_leaves_by_any_door_and_the_evidence_is_whole() {
    let receiver = Receiver::start(&[]).await;
    let world = world(&receiver.url).await;
    let incident = world.fire("config changed");
    world.expect(&incident, Outcome::HandedOff).await;
    let told = until_told(&world, &incident).await.to_string();
    let config = &world.cluster.regions[0].config;
    let text = said(&explain(config, &[incident.as_str(), "--lang", "ja"]));
    let posted = receiver.first(1).await.remove(0);
    let logs: String = world
        .cluster
        .regions
        .iter()
        .map(|region| std::fs::read_to_string(&region.log).unwrap_or_default())
        .collect();
    let note = world.last_note(&incident);
    let body = String::from_utf8(posted.raw.to_vec()).unwrap();
    for (door, said) in [
        ("note", &note),
        ("story", &told),
        ("explain", &text),
        ("body", &body),
        ("log", &logs),
        ("resolution and titles", &world.view(&incident).title),
    ] {
        for secret in SECRETS.iter().chain(&["R-777"]) {
            assert!(!said.contains(secret), "{door} says {secret}: {said}");
        }
    }
    assert!(note.contains("会員番号: **** rack ****"), "{note}");
    assert!(note.contains("known: **** and ****"), "{note}");
    assert!(body.contains("account=web"), "what is no secret is sent: {body}");
    assert!(
        body.contains("password=of-a-name"),
        "what did not come from an output is sent: {body}"
    );

    let files = evidence(&world, &incident);
    assert_eq!(files.len(), 1, "{files:?}");
    let kept = std::fs::read_to_string(&files[0]).unwrap();
    assert!(SECRETS.iter().all(|secret| kept.contains(secret)), "the evidence is whole");
    let mode = std::fs::metadata(&files[0]).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode, 0o600);
    world.end().await;
}

/// The texts a take-over needs are kept; what a step printed is among them without its secrets.
#[tokio::test]
async fn what_is_kept_for_a_take_over_has_no_secret_of_an_output() {
    let scenario = "\
scenario: leaks
about: 設定ファイルの確認
match: {all: [config]}
steps:
  - check:
      id: settings
      name: 設定
      run: 'echo \"unit=httpd DB_PASSWORD=hunter2hunter2\"; exit 1'
      values: {unit: {pattern: 'unit=(\\S+)'}}
  - recover: {name: 起動, run: 'true'}
  - verify: {name: 確認, run: 'true'}
";
    let world = World::with(scenario).start().await;
    let incident = world.fire("config changed");
    world.expect(&incident, Outcome::Resolved).await;
    let history = world.cluster.claims().with_extension("history.db");
    let mut kept = Vec::new();
    for ending in ["db", "db-wal"] {
        kept.extend(std::fs::read(history.with_extension(ending)).unwrap_or_default());
    }
    let kept = String::from_utf8_lossy(&kept);
    assert!(kept.contains("httpd") && kept.contains("DB_PASSWORD=****"), "the history has it");
    assert!(!kept.contains("hunter2hunter2"));
    world.end().await;
}
