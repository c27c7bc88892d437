//! Incidents from webhook to outcome on a server that its customer's file says how to reach.

use ams::incident::{IncidentId, Outcome};
use ams::sandbox::pagerduty::NewIncident;
use serde_json::json;

use crate::harness::sshd::Sshd;
use crate::harness::wait;
use crate::harness::world::{SHORT_LEASE, World, WorldBuilder};

/// A service on a server of the customer's: up when a file `up` is in its home.
const REPAIR: &str = "\
scenario: service-down
about: サービスの停止を起動で復旧する
match: {all: [service, down]}
target: {host: {alert: [host]}}
deadline: 3m
steps:
  - check:
      name: 稼働確認
      run: test -e \"$HOME/up\"
      when_healthy: resolve
  - gather:
      name: 状況
      run: printf '%s' \"$TITLE\" >\"$HOME/title\"; echo 状況の出力
      env: {TITLE: \"{{ incident.title }}\"}
  - recover:
      name: 起動
      run: |
        echo \"$INCIDENT\" >>\"$HOME/recoveries\"
        while [ -e \"$HOME/slow\" ]; do sleep 0.1; done
        touch \"$HOME/up\"
      env: {INCIDENT: \"{{ incident.id }}\"}
  - verify: {name: 起動後の稼働確認, run: test -e \"$HOME/up\"}
hand_off: {manual: 担当チームへ電話する}
";

/// The customer's file as an operator would write it.
fn customer(sshd: &Sshd) -> String {
    let words = sshd.words();
    let ams::customer::ssh::SshHostKeys::Lines(keys) = &words.host_keys else {
        panic!("{words:?}");
    };
    format!(
        "customer: shop\nname: サンプル商店\nservices: [Sandbox web shop]\nssh:\n  user: {}\n  \
         port: {}\n  identity: {}\n  host_keys: [\"{}\"]\nhosts:\n  \
         - {{name: web01, address: 127.0.0.1, reach: ssh}}\n  \
         - {{name: web02, address: 127.0.0.1}}\n",
        words.door.user,
        words.door.port,
        sshd.path("user").display(),
        keys.join("\", \""),
    )
}

fn reaching(sshd: &Sshd, customer: &str) -> WorldBuilder {
    let markers = sshd.path("markers").display().to_string();
    World::with(REPAIR).customer(customer).settings(&format!("host_markers: [\"{markers}\"]\n"))
}

fn fire(world: &World, title: &str, host: &str) -> IncidentId {
    let details = json!({ "host": host });
    world.pagerduty().trigger(NewIncident { details, ..NewIncident::titled(title) }).unwrap()
}

#[tokio::test]
async fn an_incident_is_recovered_over_ssh() {
    let sshd = Sshd::start().await;
    let world = reaching(&sshd, &customer(&sshd)).start().await;
    let title = "service down $(touch x) '\"` {{ vars.folder }} %s -n \u{202e}";
    let incident = fire(&world, title, "web01");
    world.expect(&incident, Outcome::Resolved).await;
    assert_eq!(sshd.read("recoveries"), format!("{incident}\n"));
    assert_eq!(sshd.read("title"), title, "it arrives as it is");
    assert!(!sshd.has("x"));
    assert!(world.last_note(&incident).contains("状況の出力"), "{}", world.last_note(&incident));
    let markers = std::fs::read_dir(sshd.path("markers")).unwrap().count();
    assert_eq!(markers, 1, "one change, one marker, where the settings say");

    // It is well by now.
    let again = fire(&world, "service down", "web01");
    world.expect(&again, Outcome::RecoveredItself).await;
    // A host without a way is nobody's guess.
    let unreached = fire(&world, "service down", "web02");
    world.expect(&unreached, Outcome::Escalated).await;
    let note = world.last_note(&unreached);
    assert!(note.contains("no way to reach web02"), "{note}");
    assert_eq!(sshd.read("recoveries").lines().count(), 1);
    world.end().await;
}

#[tokio::test]
async fn a_recovery_over_ssh_whose_runner_dies_is_adopted_and_not_repeated() {
    let sshd = Sshd::start().await;
    std::fs::write(sshd.path("home").join("slow"), "").unwrap();
    let mut world = reaching(&sshd, &customer(&sshd)).settings(SHORT_LEASE).start().await;
    let incident = fire(&world, "service down", "web01");
    wait::until("the recovery to begin", || sshd.has("recoveries")).await;
    let owner = world.owner(&incident).await;
    world.kill(owner).await;
    world.until_epoch(&incident, 2).await;
    std::fs::remove_file(sshd.path("home").join("slow")).unwrap();
    world.expect(&incident, Outcome::Resolved).await;
    assert_eq!(sshd.read("recoveries").lines().count(), 1);
    world.restart(owner).await;
    world.end().await;
}

#[tokio::test]
async fn people_are_told_when_a_server_is_not_the_one_the_file_knows() {
    let (sshd, other) = (Sshd::start().await, Sshd::start().await);
    let key = |sshd: &Sshd| std::fs::read_to_string(sshd.path("host.pub")).unwrap();
    let (own, wrong) = (key(&sshd), key(&other));
    let word = |line: &str| line.split(' ').nth(1).unwrap().to_owned();
    let strange = customer(&sshd).replace(&word(&own), &word(&wrong));
    let world = reaching(&sshd, &strange).start().await;
    let incident = fire(&world, "service down", "web01");
    world.expect(&incident, Outcome::Escalated).await;
    let note = world.last_note(&incident);
    assert!(note.contains("host key"), "{note}");
    assert_eq!((sshd.read("title"), sshd.read("recoveries")), (String::new(), String::new()));
    world.end().await;
}
