use ams::incident::Outcome;

use super::*;
use crate::harness::wait;
use crate::harness::world::{SHORT_LEASE, World, WorldBuilder};

/// A service on a server of the customer's: up when a file `up` is in its home.
const REPAIR: &str = "\
scenario: service-down
about: サービスの停止を起動で復旧する
match: {all: [service, down], pattern: 'host=(?<host>\\S+)', captures: {host: hostname}}
target: \"{{ capture.host }}\"
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

fn customer(id: &str, site_account: &str, external_id: &str, instance: &str) -> String {
    format!(
        "customer: {id}\nname: {id}\nbelongs: {{title: {{all: [\"[{id}]\"]}}}}\n\
         aws:\n  - account: \"{site_account}\"\n    role: arn:aws:iam::{site_account}:role/Ams\n    \
         external_id: {external_id}\n    regions: [{TOKYO}]\n\
         hosts:\n  - {{name: web01, instance: {instance}, reach: ssm}}\n"
    )
}

fn reaching(site: &Site) -> WorldBuilder {
    World::with(REPAIR)
        .customer(&customer("shop", SHOP, ID, WEB))
        .settings("host_markers: [~/.ams]\n")
        .in_tokyo(&site.aws)
}

#[tokio::test]
async fn an_incident_is_recovered_on_the_customers_server() {
    let site = Site::new().await;
    site.account.parameter(TOKYO, "canary", "the customer's password");
    let world = reaching(&site).start().await;
    let title = "[shop] service down host=web01 $(touch x) '\"` {{ssm:canary}} \u{202e}";
    let incident = world.fire(title);
    world.expect(&incident, Outcome::Resolved).await;
    assert_eq!(site.host.read("recoveries"), format!("{incident}\n"));
    let told = site.host.read("title");
    assert!(told.contains("$(touch x) '\"` {{ssm:canary}}"), "{told}");
    assert!(!site.host.home().join("x").exists());
    assert!(site.host.commands().iter().all(|sent| sent.filled_in.is_empty()));
    let acting = format!("ams-{incident}-1");
    let sessions = site.aws.sessions();
    let acts = sessions.iter().filter(|it| it.name == acting);
    assert_eq!(acts.map(|it| it.tags["ams:customer"].as_str()).collect::<Vec<_>>(), ["shop"]);
    assert!(world.last_note(&incident).contains("状況の出力"), "{}", world.last_note(&incident));
    // Nobody else's hands: all that was sent was sent by this run's session.
    let sendings = site.aws.requests().into_iter().filter(|it| it.action == "SendCommand");
    assert!(sendings.into_iter().all(|it| it.caller.ends_with(&acting)));
    world.end().await;
}

#[tokio::test]
async fn a_recovery_whose_runner_dies_is_adopted_and_not_repeated() {
    let site = Site::new().await;
    std::fs::write(site.host.home().join("slow"), "").unwrap();
    let mut world = reaching(&site).settings(SHORT_LEASE).start().await;
    let incident = world.fire("[shop] service down host=web01");
    wait::until("the recovery to begin", || !site.host.read("recoveries").is_empty()).await;
    let owner = world.owner(&incident).await;
    world.kill(owner).await;
    world.until_epoch(&incident, 2).await;
    std::fs::remove_file(site.host.home().join("slow")).unwrap();
    world.expect(&incident, Outcome::Resolved).await;
    assert_eq!(site.host.read("recoveries").lines().count(), 1);
    world.restart(owner).await;
    world.end().await;
}

#[tokio::test]
async fn people_are_told_what_keeps_a_server_from_being_reached() {
    let site = Site::new().await;
    site.host.offline();
    let world = reaching(&site).start().await;
    let incident = world.fire("[shop] service down host=web01");
    world.expect(&incident, Outcome::Escalated).await;
    let note = world.last_note(&incident);
    assert!(note.contains("its agent is not there (ConnectionLost"), "{note}");

    site.host.online();
    site.account.role("Ams").external_id("ams-changed");
    let incident = world.fire("[shop] service down host=web01");
    world.expect(&incident, Outcome::Escalated).await;
    let note = world.last_note(&incident);
    assert!(note.contains("cannot be taken on") && note.contains(ID), "{note}");
    assert_eq!(site.host.read("recoveries"), "");
    world.end().await;
}

/// Both have a host `web01`; a run has its own customer's and no other's.
#[tokio::test]
async fn each_customer_s_incident_reaches_its_own_server() {
    const MALL: &str = "444455556666";
    const MALL_WEB: &str = "i-0fedcba9876543210";
    let site = Site::new().await;
    let mall = site.aws.account(MALL);
    mall.role("Ams").external_id("ams-mall-1");
    let mall_host = mall.host(TOKYO, MALL_WEB);
    let world =
        reaching(&site).customer(&customer("mall", MALL, "ams-mall-1", MALL_WEB)).start().await;
    let ours = world.fire("[shop] service down host=web01");
    let theirs = world.fire("[mall] service down host=web01");
    world.expect(&ours, Outcome::Resolved).await;
    world.expect(&theirs, Outcome::Resolved).await;
    assert_eq!(site.host.read("recoveries"), format!("{ours}\n"));
    assert_eq!(mall_host.read("recoveries"), format!("{theirs}\n"));
    // Another customer's machine is none of its hosts, by whatever name.
    for name in [MALL_WEB, "mall.web01"] {
        let incident = world.fire(&format!("[shop] service down host={name}"));
        world.expect(&incident, Outcome::Escalated).await;
    }
    assert_eq!(mall_host.read("recoveries").lines().count(), 1);
    world.end().await;
}
