//! What AWS itself is asked to change, in a customer's account.

use ams::incident::Outcome;

use super::{Chapter, Recorder};
use crate::aws::Aws;
use crate::harness::world::World;

const TOKYO: &str = "ap-northeast-1";
const SHOP: &str = "111122223333";

const CUSTOMER: &str = "\
customer: example-shop
name: Example Shop Ltd.
language: en
services: [Sandbox web shop]
aws:
  - account: \"111122223333\"
    role: arn:aws:iam::111122223333:role/AmsFirstResponse
    external_id: ams-6f0c2b7e-example-shop
    regions: [ap-northeast-1]
parameters: {volume_cap: 40}
";

const SCENARIO: &str = "\
scenario: volume-full
about: A volume that is full is extended, up to the customer's cap
match:
  all: [volume, full]
  pattern: '(?<volume>vol-[0-9a-f]+)'
  captures: {volume: word}
parameters:
  volume_cap: {type: number}
deadline: 2m
steps:
  - check:
      id: volume
      name: How large it is
      aws: {volume: \"{{ capture.volume }}\"}
      values:
        size: {json: /size, type: number}
        wanted: {calc: size + 10}
      expect: {that: size >= 30}
      when_healthy: resolve
  - recover:
      name: Extend it
      when: steps.volume.wanted <= parameters.volume_cap
      aws: {extend_volume: {id: \"{{ capture.volume }}\", size: \"{{ steps.volume.wanted }}\"}}
      effect: once
  - verify:
      name: Has it the new size
      aws: {volume: \"{{ capture.volume }}\"}
      values: {size: {json: /size, type: number}}
      expect: {that: size >= 30}
      within: 20s
      every: 200ms
";

pub(super) async fn volume() -> Chapter {
    let aws = Aws::start().await;
    let account = aws.account(SHOP);
    account.role("AmsFirstResponse").external_id("ams-6f0c2b7e-example-shop");
    let volume = account.volume(TOKYO, "vol-0a1b2c3d4e5f60718", 20);
    let world = World::with(SCENARIO).customer(CUSTOMER).in_tokyo(&aws).start().await;
    let told = Recorder::of(&world)
        .await
        .record("[SHOP] volume full: vol-0a1b2c3d4e5f60718", Outcome::Resolved)
        .await;
    assert_eq!((volume.size(), aws.asked("ModifyVolume")), (30, 1));
    world.end().await;
    Chapter {
        heading: "A call of AWS",
        about: "`aws:` steps ask the customer's account itself; here EC2, about a volume. The same program \
                of the tests answers.",
        customer: CUSTOMER.to_owned(),
        scenario: SCENARIO.to_owned(),
        webhook: told.webhook,
        timeline: told.timeline,
        account: told.account,
        left: "At AWS the volume has 30 GiB, by one `ModifyVolume`.".to_owned(),
    }
}
