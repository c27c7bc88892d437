use serde_json::json;

use super::*;
use crate::harness::wait;

#[tokio::test]
async fn an_instance_is_looked_at_and_started_and_stopped() {
    let bench = Bench::new().await;
    let host = bench.account.host(TOKYO, WEB);
    host.stopped();
    let told = bench.told("instance", &[("id", WEB)]).await;
    assert_eq!((&told["id"], &told["state"]), (&json!(WEB), &json!("stopped")), "{told}");
    let started = bench.told("start_instance", &[("id", WEB)]).await;
    assert_eq!((&started["before"], &started["state"]), (&json!("stopped"), &json!("pending")));
    let mut state = Value::Null;
    while state != "running" {
        state = bench.told("instance", &[("id", WEB)]).await["state"].clone();
    }
    host.impaired();
    let told = bench.told("instance", &[("id", WEB)]).await;
    assert_eq!(told["instance_check"], "impaired", "{told}");
    bench.told("reboot_instance", &[("id", WEB)]).await;
    assert_eq!(host.reboots(), 1);
    let stopped = bench.told("stop_instance", &[("id", WEB)]).await;
    assert_eq!((&stopped["before"], &stopped["state"]), (&json!("running"), &json!("stopping")));
}

#[tokio::test]
async fn a_volume_grows_and_says_how_far_it_is() {
    let bench = Bench::new().await;
    let volume = bench.account.volume(TOKYO, DISK, 20);
    volume.attached_to(WEB);
    let told = bench.told("volume", &[("id", DISK)]).await;
    assert_eq!((&told["size"], &told["instance"]), (&json!(20), &json!(WEB)), "{told}");
    let never = bench.told("volume_change", &[("id", DISK)]).await;
    assert_eq!(never, json!({ "id": DISK, "state": "none" }));
    let extended = bench.told("extend_volume", &[("id", DISK), ("size", "40")]).await;
    assert_eq!((&extended["before"], &extended["size"]), (&json!(20), &json!(40)), "{extended}");
    wait::until("the volume to have grown", || volume.size() == 40).await;
    let change = bench.told("volume_change", &[("id", DISK)]).await;
    assert!(["optimizing", "completed"].contains(&change["state"].as_str().unwrap()), "{change}");
}

#[tokio::test]
async fn a_database_gets_more_storage() {
    let bench = Bench::new().await;
    let database = bench.account.database(TOKYO, "shop-db", 100);
    database.replica_of("shop-primary");
    let told = bench.told("database", &[("id", "shop-db")]).await;
    assert_eq!((&told["size"], &told["state"]), (&json!(100), &json!("available")), "{told}");
    assert_eq!(told["replica_of"], "shop-primary");
    bench.told("extend_database", &[("id", "shop-db"), ("size", "120")]).await;
    wait::until("the database to have grown", || database.size() == 120).await;
}

#[tokio::test]
async fn targets_are_told_with_their_health_and_let_in_and_out() {
    let bench = Bench::new().await;
    let group = bench.account.target_group(TOKYO, "web");
    group.healthy(WEB).unhealthy("i-0fedcba9876543210", "Target.Timeout");
    let told = bench.told("target_health", &[("group", group.arn())]).await;
    assert_eq!((&told["total"], &told["healthy"]), (&json!(2), &json!(1)), "{told}");
    let ill = told["targets"].as_array().unwrap().iter().find(|it| it["state"] == "unhealthy");
    assert_eq!(ill.unwrap()["reason"], "Target.Timeout");
    bench.told("remove_target", &[("group", group.arn()), ("id", WEB)]).await;
    let told = bench.told("target_health", &[("group", group.arn())]).await;
    assert_eq!(told["healthy"], 0, "{told}");
    bench.told("add_target", &[("group", group.arn()), ("id", WEB)]).await;
    let mut healthy = Value::Null;
    while healthy != 1 {
        let told = bench.told("target_health", &[("group", group.arn())]).await;
        healthy = told["healthy"].clone();
    }
}

#[tokio::test]
async fn a_scaling_group_gets_the_size_it_is_told() {
    let bench = Bench::new().await;
    let group = bench.account.scaling_group(TOKYO, "web", (1..=6, 2));
    let told = bench.told("scaling_group", &[("name", "web")]).await;
    let sizes = [&told["size"], &told["smallest"], &told["largest"], &told["in_service"]];
    assert_eq!(sizes, [&json!(2), &json!(1), &json!(6), &json!(2)], "{told}");
    bench.told("set_capacity", &[("name", "web"), ("size", "4")]).await;
    assert_eq!(group.desired(), 4);
}

/// The customer's own records say whose incident it was.
#[tokio::test]
async fn what_changes_something_leads_back_to_its_run() {
    let bench = Bench::new().await;
    bench.account.volume(TOKYO, DISK, 20);
    bench.told("volume", &[("id", DISK)]).await;
    bench.told("extend_volume", &[("id", DISK), ("size", "40")]).await;
    let by = |action: &str| {
        let asked = bench.aws.requests().into_iter().find(|it| it.action == action);
        asked.unwrap().caller
    };
    assert!(by("DescribeVolumes").ends_with("/ams-look"), "{}", by("DescribeVolumes"));
    assert!(by("ModifyVolume").ends_with("/ams-PT4KHLK-3"), "{}", by("ModifyVolume"));
}
