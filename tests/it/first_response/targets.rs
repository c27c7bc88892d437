//! Hosts that only the alerts name, over take-overs and against hostile values.

use ams::incident::{IncidentId, Outcome};
use ams::sandbox::pagerduty::{Fault, NewIncident};
use serde_json::{Map, Value, json};

use crate::harness::world::{SHORT_LEASE, World};

const SHOP: &str = "customer: shop\nname: サンプル商店\nservices: [Sandbox web shop]\nhosts:\n  \
    - {name: web01, address: 10.0.1.11, reach: local}\n  \
    - {name: web02, address: 10.0.1.12, reach: local}\n";

/// Restarts the host that the alerts name, and looks at it again later.
const LOCATED: &str = "\
scenario: located
about: アラートの示すホストを再起動する
match: {all: [service, down]}
deadline: 2m
target:
  host: {alert: [Event host, host]}
steps:
  - gather:
      name: 前の記録
      on: runner
      run: echo before >> \"$FOLDER/before\"
      env: {FOLDER: \"{{ vars.folder }}\"}
  - recover:
      name: 起動
      run: echo \"$HOST\" >> \"$FOLDER/recoveries\"
      env: {HOST: \"{{ target.host }}\", FOLDER: \"{{ vars.folder }}\"}
  - wait: {name: 様子を見る, for: 100ms}
  - verify:
      name: 確認
      run: echo \"$HOST\" >> \"$FOLDER/verified\"
      env: {HOST: \"{{ target.host }}\", FOLDER: \"{{ vars.folder }}\"}
";

const ALERTS: &str = "/incidents/{id}/alerts";

fn fire(world: &World, details: Value) -> IncidentId {
    let incident = NewIncident { details, ..NewIncident::titled("service is down") };
    world.pagerduty().trigger(incident).unwrap()
}

#[tokio::test]
async fn the_host_is_found_in_whatever_shape_the_alert_has() {
    let world = World::with(LOCATED).customer(SHOP).start().await;
    let deep = (0..5).fold(json!({ "host": "web02" }), |below, _| json!({ "in": below }));
    let mut large: Map<String, Value> =
        (0..10_000).map(|it| (format!("label{it}"), json!("x"))).collect();
    large.insert("host".to_owned(), json!("web01"));
    let shapes = [
        (json!({ "Event host": "web01", "host": "web02" }), "web01"),
        (json!("{\"host\": \"web02\"}"), "web02"),
        (json!({ "custom_details": { "host": "10.0.1.11:9100" } }), "web01"),
        (json!({ "custom_details": "{\"host\": [\"web02\"]}" }), "web02"),
        (json!("State: DOWN\nHost: web01"), "web01"),
        (deep, "web02"),
        (json!({ "log": "x".repeat(1024 * 1024), "host": "web01" }), "web01"),
        (Value::Object(large), "web01"),
    ];
    for (number, (details, host)) in (1..).zip(shapes) {
        let incident = fire(&world, details);
        world.expect(&incident, Outcome::Resolved).await;
        let recovered = world.read("recoveries");
        assert_eq!(recovered.lines().last(), Some(host));
        assert_eq!(recovered.lines().count(), number);
    }
    assert_eq!(world.read("verified"), world.read("recoveries"));
    world.end().await;
}

#[tokio::test]
async fn where_the_alerts_name_no_host_of_the_customers_people_are_told() {
    let world = World::with(LOCATED).customer(SHOP).start().await;
    let nested = (0..50).fold(json!({ "host": "web01" }), |below, _| json!({ "in": below }));
    for (details, why) in [
        (Value::Null, "対象ホストが示されていません"),
        (json!({ "message": "web01 is down" }), "対象ホストが示されていません"),
        (json!({ "host": "db09.example.jp" }), "ホスト「db09.example.jp」の登録がありません"),
        (json!({ "host": "web01,web02" }), "対象ホストが複数あります: web01, web02"),
        (nested, "対象ホストが示されていません"),
    ] {
        let incident = fire(&world, details);
        world.expect(&incident, Outcome::Escalated).await;
        let note = world.last_note(&incident);
        assert!(note.contains(why), "{note}");
    }
    assert_eq!(world.read("before").lines().count(), 5, "looking goes on before the host is known");
    assert_eq!(world.read("recoveries"), "");
    world.end().await;
}

#[tokio::test]
async fn of_several_hosts_the_scenario_says_which() {
    let two = json!({ "host": ["web01", "10.0.1.12"] });
    let first = LOCATED.replace("  host: {", "  when_several: first\n  host: {");
    let world = World::with(&first).customer(SHOP).start().await;
    let incident = fire(&world, two.clone());
    world.expect(&incident, Outcome::Resolved).await;
    assert_eq!((world.read("recoveries"), world.read("verified")), (one("web01"), one("web01")));
    world.end().await;

    let (head, steps) = LOCATED.split_once("  - recover:").unwrap();
    let inside: String = format!("  - recover:{steps}")
        .replace("{{ target.host }}", "{{ each.host }}")
        .replace(
            "      run: echo \"$HOST\"",
            "      on: \"{{ each.host }}\"\n      run: echo \"$HOST\"",
        )
        .lines()
        .flat_map(|line| ["      ", line, "\n"])
        .collect();
    let all = format!(
        "{}  - each:\n      item: host\n      of: target.hosts\n      steps:\n{inside}",
        head.replace("  host: {", "  when_several: all\n  host: {")
    );
    let world = World::with(&all).customer(SHOP).start().await;
    let incident = fire(&world, two);
    world.expect(&incident, Outcome::Resolved).await;
    assert_eq!(world.read("recoveries"), one("web01") + &one("web02"));
    assert_eq!(world.read("verified"), world.read("recoveries"));
    world.end().await;
}

fn one(line: &str) -> String {
    format!("{line}\n")
}

/// What is no host name names nobody, and what a step reads of it stays a value.
#[tokio::test]
async fn hostile_details_are_refused_as_names_and_stay_data_elsewhere() {
    let reads = LOCATED.replace(
        "  - recover:",
        "  - gather:\n      id: alert\n      name: 本文\n      pagerduty: alerts\n      \
         values: {text: {json: /0/details/host}}\n  \
         - gather:\n      name: 値\n      on: runner\n      run: 'printf \"<%s>\" \"$TEXT\"'\n      \
         env: {TEXT: \"{{ steps.alert.text }}\"}\n  - recover:",
    );
    let world = World::with(&reads).customer(SHOP).start().await;
    for hostile in [
        "$(reboot)",
        "`touch pwned`",
        "web01; touch pwned",
        "web01\" && touch pwned \"",
        "{{ vars.folder }}",
        "-oProxyCommand=reboot",
        "\u{202e}10bew",
        "web01\u{200f}",
        "../../etc/passwd",
    ] {
        let incident = fire(&world, json!({ "host": hostile }));
        world.expect(&incident, Outcome::Escalated).await;
        let note = world.last_note(&incident);
        assert!(note.contains("対象ホストが示されていません"), "{hostile:?}: {note}");
        let shown = ams::plain::plain(hostile);
        assert!(note.contains(&format!("<{shown}>")), "{hostile:?}: {note}");
    }
    // A text has no line breaks.
    let incident = fire(&world, json!({ "host": "web01\nweb02" }));
    world.expect(&incident, Outcome::Escalated).await;
    assert!(world.last_note(&incident).contains("is no text"), "{}", world.last_note(&incident));
    assert_eq!(world.read("recoveries"), "");
    assert!(!world.path("pwned").exists());
    world.end().await;
}

/// A run whose owner was killed between its recovery and its verify.
async fn killed_after_the_recovery() -> (World, IncidentId, usize) {
    let slow = LOCATED.replace("for: 100ms", "for: 4s");
    let mut world = World::with(&slow).customer(SHOP).settings(SHORT_LEASE).start().await;
    let incident = fire(&world, json!({ "host": "web02" }));
    world.until_done(&incident, 1).await;
    let owner = world.owner(&incident).await;
    world.kill(owner).await;
    (world, incident, owner)
}

#[tokio::test]
async fn whoever_takes_over_goes_on_with_the_same_hosts() {
    let (mut world, incident, owner) = killed_after_the_recovery().await;
    let asked = world.pagerduty().request_count("GET", ALERTS);
    let run = world.expect(&incident, Outcome::Resolved).await;
    assert_eq!(run.epoch, 2, "taken over once");
    assert_eq!(world.read("verified"), "web02\n");
    // The one more look is for alerts that joined the incident, before it is resolved.
    let since = world.pagerduty().request_count("GET", ALERTS) - asked;
    assert_eq!(since, 1, "nobody is asked for the hosts again");
    world.restart(owner).await;
    world.end().await;
}

/// The alerts may say something else by now.
#[tokio::test]
async fn what_was_begun_on_hosts_that_nobody_remembers_is_left_to_people() {
    let (mut world, incident, owner) = killed_after_the_recovery().await;
    let history = world.cluster.claims().with_extension("history.db");
    let history = rusqlite::Connection::open(history).unwrap();
    assert_eq!(history.execute("DELETE FROM run_memory", []).unwrap(), 1);
    world.expect(&incident, Outcome::Escalated).await;
    let note = world.last_note(&incident);
    assert!(note.contains("対象ホストの記録を引き継げませんでした"), "{note}");
    assert_eq!(
        (world.read("recoveries").as_str(), world.read("verified").as_str()),
        ("web02\n", "")
    );
    world.restart(owner).await;
    world.end().await;
}

#[tokio::test]
async fn alerts_that_cannot_be_read_are_not_alerts_without_a_host() {
    let ours = LOCATED
        .replace("host: {alert: [Event host, host]}", "host: {alert: host}\n  when_none: none");
    let world = World::with(&ours).customer(SHOP).start().await;
    world.pagerduty().fail_next_of(1, Fault::Status(403), "GET", ALERTS);
    let incident = fire(&world, json!({ "host": "web01" }));
    world.expect(&incident, Outcome::Escalated).await;
    let note = world.last_note(&incident);
    assert!(note.contains("アラートの詳細から対象ホストを調べられませんでした"), "{note}");
    assert_eq!(world.read("recoveries"), "");
    world.end().await;
}

/// Two customers share the service, and the name, alias and address of a host; one's instance is an
/// alias at the other. A host that only one of them has is beside it.
const NORTH: &str = "customer: north\nname: North Ltd.\nbelongs: {title: {all: [\"[NORTH]\"]}}\n\
    hosts:\n  \
    - {name: web01, aliases: [shared], address: 10.0.0.1, instance: i-0a1b2c3d4e5f60718, \
       reach: local, parameters: {whose: north}}\n  \
    - {name: web09, aliases: [north.example], address: 10.9.9.9, instance: i-99999999999999999, \
       reach: local, parameters: {whose: north}}\n";

fn south() -> String {
    let only_shared: Vec<&str> = NORTH.lines().take(5).collect();
    only_shared
        .join("\n")
        .replace("[shared]", "[shared, i-0a1b2c3d4e5f60718]")
        .replace("instance: i-0a1b2c3d4e5f60718, ", "")
        .replace("north", "south")
        .replace("NORTH", "SOUTH")
        .replace("North", "South")
}

#[tokio::test]
async fn hosts_of_another_customer_are_never_found() {
    let whose = LOCATED
        .replace("deadline: 2m", "deadline: 2m\nparameters: {whose: word}")
        .replace("echo \"$HOST\" >> \"$FOLDER/rec", "echo \"$HOST of $WHOSE\" >> \"$FOLDER/rec")
        .replacen("env: {HOST:", "env: {WHOSE: \"{{ parameters.whose }}\", HOST:", 1);
    let world = World::with(&whose).customer(NORTH).customer(&south()).start().await;
    let fire = |title: &str, name: &str| {
        let details = json!({ "host": name });
        let title = format!("{title} service down");
        world.pagerduty().trigger(NewIncident { details, ..NewIncident::titled(&title) }).unwrap()
    };
    for name in ["web01", "shared", "10.0.0.1", "i-0a1b2c3d4e5f60718"] {
        for (of, whose) in [("[SOUTH]", "south"), ("[NORTH]", "north")] {
            let incident = fire(of, name);
            world.expect(&incident, Outcome::Resolved).await;
            let expected = format!("web01 of {whose}");
            let last = world.read("recoveries").lines().last().map(str::to_owned);
            assert_eq!(last, Some(expected), "{name}");
        }
    }
    for name in ["web09", "north.example", "10.9.9.9", "i-99999999999999999"] {
        let incident = fire("[SOUTH]", name);
        world.expect(&incident, Outcome::Escalated).await;
        let note = world.last_note(&incident);
        assert!(note.contains(&format!("ホスト「{name}」の登録がありません")), "{note}");
    }
    assert_eq!(world.read("recoveries").lines().count(), 8);
    world.end().await;
}
