//! From the webhook to the outcome on a server that only AWS's tags name.

use ams::incident::Outcome;

use crate::aws::{Aws, Host};
use crate::harness::wait;
use crate::harness::world::{SHORT_LEASE, World, WorldBuilder};

const SHOP: &str = "111122223333";
const MALL: &str = "444455556666";
const TOKYO: &str = "ap-northeast-1";
const NEW: &str = "i-0123456789abcdef0";
const MALL_NEW: &str = "i-0fedcba9876543210";

const REPAIR: &str = "\
scenario: service-down
about: タグで見つけたサーバーのサービスを起動する
match: {all: [service, down], pattern: 'on (?<system>.+)$', captures: {system: text}}
target:
  host:
    - alert: [host]
    - look_up: {tag: Name, is: \"{{ capture.system }}\"}
deadline: 3m
steps:
  - recover:
      name: 起動
      run: |
        echo \"$HOST $ADDRESS\" >>\"$HOME/recoveries\"
        while [ -e \"$HOME/slow\" ]; do sleep 0.1; done
      env: {HOST: \"{{ target.host }}\", ADDRESS: \"{{ target.address }}\"}
  - verify: {name: 起動後の確認, run: test -e \"$HOME/recoveries\"}
";

fn customer(id: &str, account: &str) -> String {
    format!(
        "customer: {id}\nname: {id}\nbelongs: {{title: {{all: [\"[{id}]\"]}}}}\n\
         aws:\n  - account: \"{account}\"\n    role: arn:aws:iam::{account}:role/Ams\n    \
         external_id: ams-{id}-1\n    regions: [{TOKYO}]\n"
    )
}

/// Two customers with a server of the same name, and no inventory.
async fn site() -> (Aws, Host, Host, WorldBuilder) {
    let aws = Aws::start().await;
    let server = |id: &str, account: &str, instance: &str| {
        let account = aws.account(account);
        account.role("Ams").external_id(&format!("ams-{id}-1"));
        let host = account.host(TOKYO, instance);
        host.tag("Name", "queue");
        host
    };
    let (shop, mall) = (server("shop", SHOP, NEW), server("mall", MALL, MALL_NEW));
    let world = World::with(REPAIR)
        .customer(&customer("shop", SHOP))
        .customer(&customer("mall", MALL))
        .settings("host_markers: [~/.ams]\n")
        .in_tokyo(&aws);
    (aws, shop, mall, world)
}

#[tokio::test]
async fn a_server_that_nobody_has_listed_is_recovered_in_its_customers_account() {
    let (aws, shop, mall, world) = site().await;
    let world = world.start().await;
    let incident = world.fire("[shop] service down on queue");
    world.expect(&incident, Outcome::Resolved).await;
    assert_eq!(shop.read("recoveries"), format!("{NEW} 10.0.0.1\n"));
    assert_eq!(mall.read("recoveries"), "", "the same tag in another customer's account");
    assert!(aws.requests().iter().all(|asked| asked.account != MALL));

    // A second one with the tag: nobody can say which is meant.
    aws.account(SHOP).host(TOKYO, "i-00000000000000001").tag("Name", "queue");
    let incident = world.fire("[shop] service down on queue");
    world.expect(&incident, Outcome::Escalated).await;
    let note = world.last_note(&incident);
    assert!(note.contains("対象ホストが複数あります") && note.contains(NEW), "{note}");

    for hostile in ["*", "que?e", "queue*", "$(reboot)", "{{ vars.folder }}", "\u{202e}eueuq"] {
        let incident = world.fire(&format!("[shop] service down on {hostile}"));
        world.expect(&incident, Outcome::Escalated).await;
        let note = world.last_note(&incident);
        assert!(note.contains("対象ホストが示されていません"), "{hostile}: {note}");
    }
    assert_eq!(shop.read("recoveries").lines().count(), 1);
    world.end().await;
}

#[tokio::test]
async fn a_take_over_goes_on_with_the_server_that_was_looked_up() {
    let (aws, shop, _mall, world) = site().await;
    std::fs::write(shop.home().join("slow"), "").unwrap();
    let mut world = world.settings(SHORT_LEASE).start().await;
    let incident = world.fire("[shop] service down on queue");
    wait::until("the recovery to begin", || !shop.read("recoveries").is_empty()).await;
    let owner = world.owner(&incident).await;
    world.kill(owner).await;
    // By now the tag stands for another server.
    shop.tag("Name", "old queue");
    let other = aws.account(SHOP).host(TOKYO, "i-00000000000000001");
    other.tag("Name", "queue");
    world.until_epoch(&incident, 2).await;
    std::fs::remove_file(shop.home().join("slow")).unwrap();
    world.expect(&incident, Outcome::Resolved).await;
    assert_eq!(shop.read("recoveries").lines().count(), 1, "adopted, not repeated");
    assert!(other.commands().is_empty(), "{:?}", other.commands());
    assert_eq!(aws.asked("DescribeInstances"), 1);
    world.restart(owner).await;
    world.end().await;
}

#[tokio::test]
async fn people_are_told_why_nothing_could_be_looked_up() {
    let (aws, shop, _mall, world) = site().await;
    aws.account(SHOP).role("Ams").denies("ec2:DescribeInstances");
    let world = world.start().await;
    let incident = world.fire("[shop] service down on queue");
    world.expect(&incident, Outcome::Escalated).await;
    let note = world.last_note(&incident);
    assert!(note.contains("AWS のタグから対象ホストを調べられませんでした"), "{note}");
    assert!(note.contains("UnauthorizedOperation"), "{note}");
    assert_eq!(shop.read("recoveries"), "");
    world.end().await;
}
