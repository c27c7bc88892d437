use ams::incident::Outcome;

use super::*;
use crate::harness::world::{World, WorldBuilder};

const GROW: &str = "\
scenario: volume-full
about: ボリュームの拡張
match:
  all: [volume, full]
  pattern: 'volume=(?<volume>\\S+) account=(?<account>\\S+)'
  captures: {volume: text, account: text}
steps:
  - check:
      id: volume
      name: 大きさ
      aws: {volume: \"{{ capture.volume }}\", account: \"{{ capture.account }}\"}
      values:
        size: {json: /size, type: number}
        wanted: {calc: size + 10}
      expect: {that: size >= 30}
      when_healthy: resolve
  - recover:
      name: 拡張
      aws:
        extend_volume: {id: \"{{ capture.volume }}\", size: \"{{ steps.volume.wanted }}\"}
        account: \"{{ capture.account }}\"
  - verify:
      name: 拡張後
      aws: {volume: \"{{ capture.volume }}\", account: \"{{ capture.account }}\"}
      values: {size: {json: /size, type: number}}
      expect: {that: size >= 30}
      within: 20s
      every: 200ms
";

fn customer(id: &str, account: &str, external_id: &str) -> String {
    format!(
        "customer: {id}\nname: {id}\nbelongs: {{title: {{all: [\"[{id}]\"]}}}}\n\
         aws:\n  - account: \"{account}\"\n    role: arn:aws:iam::{account}:role/Ams\n    \
         external_id: {external_id}\n    regions: [{TOKYO}]\n"
    )
}

fn reaching(aws: &Aws, scenario: &str) -> WorldBuilder {
    World::with(scenario).customer(&customer("shop", SHOP, ID)).in_tokyo(aws)
}

#[tokio::test]
async fn a_volume_is_extended_once_and_the_incident_resolved() {
    let aws = Aws::start().await;
    let account = aws.account(SHOP);
    account.role("Ams").external_id(ID);
    let volume = account.volume(TOKYO, DISK, 20);
    let world = reaching(&aws, GROW).start().await;
    let incident = world.fire(&format!("[shop] volume full volume={DISK} account={SHOP}"));
    world.expect(&incident, Outcome::Resolved).await;
    assert_eq!((volume.size(), aws.asked("ModifyVolume")), (30, 1));
    world.end().await;
}

#[tokio::test]
async fn a_lost_answer_hands_off_and_extends_nothing_twice() {
    let aws = Aws::start().await;
    let account = aws.account(SHOP);
    account.role("Ams").external_id(ID);
    account.volume(TOKYO, DISK, 20);
    account.meets(1, "ModifyVolume", crate::aws::Fault::LoseAnswer);
    let world = reaching(&aws, GROW).start().await;
    let incident = world.fire(&format!("[shop] volume full volume={DISK} account={SHOP}"));
    world.expect(&incident, Outcome::Escalated).await;
    assert_eq!(aws.asked("ModifyVolume"), 1);
    let note = world.last_note(&incident);
    assert!(note.contains("AWS did not say whether it was carried out"), "{note}");
    world.end().await;
}

/// A title may name whatever it likes: a run reaches its own customer's accounts and no other's.
#[tokio::test]
async fn a_run_reaches_no_account_of_another_customer() {
    const MALL: &str = "444455556666";
    const MALL_DISK: &str = "vol-0fedcba9876543210";
    let aws = Aws::start().await;
    let (shop, mall) = (aws.account(SHOP), aws.account(MALL));
    shop.role("Ams").external_id(ID);
    mall.role("Ams").external_id("ams-mall-1");
    let theirs = mall.volume(TOKYO, MALL_DISK, 20);
    shop.volume(TOKYO, DISK, 20);
    let world = reaching(&aws, GROW).customer(&customer("mall", MALL, "ams-mall-1")).start().await;
    for (volume, account) in [
        (MALL_DISK, MALL),
        (MALL_DISK, SHOP),
        ("vol-1&VolumeId.2=vol-0fedcba9876543210", SHOP),
        ("arn:aws:ec2:::volume/x", SHOP),
    ] {
        let title = format!("[shop] volume full volume={volume} account={account}");
        let incident = world.fire(&title);
        world.expect(&incident, Outcome::Escalated).await;
    }
    assert_eq!((theirs.size(), mall.asked("DescribeVolumes")), (20, 0));
    assert_eq!(aws.asked("ModifyVolume"), 0);
    let sessions = aws.sessions();
    assert!(sessions.iter().all(|session| session.account == SHOP), "{sessions:?}");
    // Its own customer's incident does.
    let incident = world.fire(&format!("[mall] volume full volume={MALL_DISK} account={MALL}"));
    world.expect(&incident, Outcome::Resolved).await;
    assert_eq!(theirs.size(), 30);
    world.end().await;
}
