//! A server of a customer, by the agent of AWS Systems Manager.

use std::fs;

use ams::incident::Outcome;

use super::{Chapter, Recorder, WEB_SERVICE};
use crate::aws::Aws;
use crate::harness::world::World;

const TOKYO: &str = "ap-northeast-1";

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
hosts:
  - {name: web01, instance: i-0a1b2c3d4e5f60718, groups: [web], reach: ssm, parameters: {web_service: httpd}}
";

pub(super) async fn server() -> Chapter {
    let aws = Aws::start().await;
    let account = aws.account("111122223333");
    account.role("AmsFirstResponse").external_id("ams-6f0c2b7e-example-shop");
    let host = account.host(TOKYO, "i-0a1b2c3d4e5f60718");
    let log = "[error] (28)No space left on device: could not create the rewrite mutex\n";
    fs::write(host.home().join("error.log"), log).unwrap();
    let world = World::with(WEB_SERVICE)
        .customer(CUSTOMER)
        .settings("host_markers: [~/.ams]\n")
        .in_tokyo(&aws)
        .start()
        .await;
    let told =
        Recorder::of(&world).await.record("[SHOP] web01: httpd is down", Outcome::Resolved).await;
    let started = host.read("started");
    assert_eq!(started, "httpd\n");
    world.end().await;
    // A role is tried without its external id when it is first used, which must be refused.
    let sessions: Vec<String> = aws
        .sessions()
        .into_iter()
        .filter(|session| session.name.ends_with("-1"))
        .map(|session| {
            let tags = session.tags.iter().filter(|(name, _)| !name.ends_with("incident"));
            let tags: Vec<String> = tags.map(|(name, value)| format!("{name}={value}")).collect();
            format!("ams-QINCIDENT-1  {}", tags.join(" "))
        })
        .collect();
    Chapter {
        heading: "A server by AWS Systems Manager",
        about: "`reach: ssm`, over the protocols of SSM and STS. What answers them is a program of the tests: it \
                checks signatures, roles and external ids, and truly runs what it is sent. No account at AWS was used.",
        customer: CUSTOMER.to_owned(),
        scenario: WEB_SERVICE.to_owned(),
        webhook: told.webhook,
        timeline: told.timeline,
        account: told.account,
        left: format!(
            "On the server, the recovery's own record:\n\n```text\n{started}```\n\nThe sessions in which it was \
             sent, as the customer's CloudTrail shows them:\n\n```text\n{}\n```",
            sessions.join("\n")
        ),
    }
}
