use ams::claim::protocol::{StandDown, StandDownReason};
use ams::clock::Clock as _;

use super::*;
use crate::harness::commands::held;
use crate::harness::wait;

fn acknowledged() -> StandDown {
    let (reason, at) = (StandDownReason::Acknowledged, SystemClock.now());
    StandDown { reason, by: None, at }
}

#[tokio::test]
async fn nothing_is_sent_once_somebody_has_asked_to_stop() {
    let site = Site::new().await;
    let bench = Bench::new(&site).await;
    let (permission, wish) = held().await;
    wish.send(Some(acknowledged())).unwrap();
    let order = Order { permission: Some(permission), ..change("true") };
    not_begun(&bench.act(&order).await);
    assert_eq!(site.aws.asked("SendCommand"), 0);
    assert_eq!(site.account.asked("DescribeInstanceInformation"), 1, "its host was there");
}

#[tokio::test]
async fn what_waits_for_its_agent_is_called_back_and_what_runs_goes_on() {
    let site = Site::new().await;
    let bench = Bench::new(&site).await;
    let (permission, wish) = held().await;
    let order = Order {
        permission: Some(permission),
        ..change("echo begun >>\"$HOME/times\"; while [ ! -e \"$HOME/go\" ]; do sleep 0.1; done")
    };
    let runs = bench.start(order.clone());
    wait::until("it to begin", || !site.host.read("times").is_empty()).await;
    // Another one, whose agent is slow.
    site.host.delivered_after(ms(1_000));
    let waits = bench.start(Order { nonce: "11aa".to_owned(), ..order });
    wait::until("it to be sent", || site.sent() == 2).await;
    site.host.delivered_after(ms(0));
    wish.send(Some(acknowledged())).unwrap();
    let seen = waits.await.unwrap();
    assert!(not_begun(&seen).ends_with("asked to stop before it began there"), "{seen:?}");
    std::fs::write(site.host.home().join("go"), "").unwrap();
    assert_eq!(runs.await.unwrap().ending, Ending::Exited(0));
    assert_eq!(site.host.read("times"), "begun\n");
}
