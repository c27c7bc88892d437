use std::collections::BTreeMap;

use super::*;
use crate::aws::Fault;

#[tokio::test]
async fn sessions_lead_back_to_the_incident_and_are_kept() {
    let site = Site::new().await;
    let bench = Bench::new(&site).await;
    for _ in 0..3 {
        assert_eq!(bench.act(&look("true")).await.ending, Ending::Exited(0));
    }
    let sessions = site.aws.sessions();
    let named: Vec<&str> = sessions.iter().map(|it| it.name.as_str()).collect();
    assert_eq!(named, ["ams-look", "ams-PT4KHLK-2"]);
    assert!(sessions.iter().all(|it| it.external_id.as_deref() == Some(ID) && it.region == TOKYO));
    let tags = [("ams:customer", "shop"), ("ams:incident", "PT4KHLK"), ("ams:run", "2")];
    let tags: BTreeMap<String, String> =
        tags.map(|(name, value)| (name.to_owned(), value.to_owned())).into_iter().collect();
    assert_eq!((&sessions[0].tags, &sessions[1].tags), (&BTreeMap::new(), &tags));
    // The question whether it opens without the id is the third.
    assert_eq!(site.aws.asked("AssumeRole"), 3);
}

#[tokio::test]
async fn many_that_ask_at_once_open_a_role_once() {
    let site = Site::new().await;
    let bench = Bench::new(&site).await;
    let all: Vec<_> = (0..20).map(|_| bench.start(look("true"))).collect();
    for running in all {
        assert_eq!(running.await.unwrap().ending, Ending::Exited(0));
    }
    assert_eq!(site.aws.asked("AssumeRole"), 3);
    assert_eq!(site.aws.asked("DescribeInstanceInformation"), 1);
}

#[tokio::test]
async fn a_wrong_external_id_opens_nothing_and_is_not_tried_for_a_while() {
    let site = Site::new().await;
    let bench = Bench::new(&site).await;
    let wrong = AwsAccountWords { external_id: "ams-0000-shop".to_owned(), ..words() };
    for _ in 0..5 {
        let seen = bench.act(&by(way(&wrong, WEB), script("true"))).await;
        let reason = not_begun(&seen);
        assert!(reason.contains("cannot be taken on (AccessDenied"), "{reason}");
        assert!(reason.contains("and the external id ams-0000-shop"), "{reason}");
    }
    assert_eq!((site.aws.asked("AssumeRole"), site.sent()), (2, 0));
}

#[tokio::test]
async fn a_role_that_opens_without_external_id_is_not_used() {
    let site = Site::new().await;
    site.account.role("Open");
    let bench = Bench::new(&site).await;
    let open = AwsAccountWords { role: format!("arn:aws:iam::{SHOP}:role/Open"), ..words() };
    for _ in 0..2 {
        let seen = bench.act(&by(way(&open, WEB), script("true"))).await;
        let reason = not_begun(&seen);
        assert!(reason.contains("can be taken on without its external id"), "{reason}");
        assert!(reason.contains("sts:ExternalId = ams-7f3a-shop"), "{reason}");
    }
    assert_eq!((site.sent(), site.aws.asked("DescribeInstanceInformation")), (0, 0));
}

#[tokio::test]
async fn a_role_that_takes_no_tags_is_told_so_or_gets_none() {
    let site = Site::new().await;
    site.account.role("Ams").without_tags();
    let bench = Bench::new(&site).await;
    let seen = bench.act(&look("true")).await;
    assert!(not_begun(&seen).contains("sts:TagSession unless `session_tags: false`"), "{seen:?}");
    let without = AwsAccountWords { session_tags: false, ..words() };
    let bench = Bench::new(&site).await;
    let seen = bench.act(&by(way(&without, WEB), script("true"))).await;
    assert_eq!(seen.ending, Ending::Exited(0), "{seen:?}");
}

#[tokio::test]
async fn what_a_role_may_not_do_is_told_with_the_remedy() {
    let site = Site::new().await;
    site.account.role("Ams").denies("ssm:SendCommand");
    let bench = Bench::new(&site).await;
    let seen = bench.act(&change("true")).await;
    assert!(not_begun(&seen).contains("allow it ssm:SendCommand on this instance"), "{seen:?}");
}

#[tokio::test]
async fn credentials_that_end_while_a_command_runs_are_renewed() {
    let site = Site::new().await;
    let bench = Bench::new(&site).await;
    let text = "echo begun >\"$HOME/begun\"; while [ ! -e \"$HOME/go\" ]; do sleep 0.05; done";
    let running = bench.start(change(text));
    let has = |name: &str| site.host.home().join(name).exists();
    crate::harness::wait::until("it to begin", || has("begun")).await;
    site.account.expire_sessions();
    std::fs::write(site.host.home().join("go"), "").unwrap();
    assert_eq!(running.await.unwrap().ending, Ending::Exited(0));
    // The run's own session as well.
    let again = Order { attempt: Some(2), ..change("exit 5") };
    assert_eq!(bench.act(&again).await.ending, Ending::Exited(5));
    assert_eq!(site.sent(), 2);
    let names: Vec<String> = site.aws.sessions().into_iter().map(|it| it.name).collect();
    assert_eq!(names, ["ams-look", "ams-PT4KHLK-2", "ams-look", "ams-PT4KHLK-2"]);
}

#[tokio::test]
async fn sts_that_does_not_answer_is_asked_again() {
    let site = Site::new().await;
    let bench = Bench::new(&site).await;
    for fault in [Fault::LoseAnswer, Fault::Throttle, Fault::ErrorBefore] {
        site.aws.account("999900001111").meets(1, "AssumeRole", fault);
    }
    assert_eq!(bench.act(&look("true")).await.ending, Ending::Exited(0));
}

/// Two customers with a host of the same name: each reaches its own, with its own role.
#[tokio::test]
async fn customers_reach_their_own_hosts_with_their_own_roles() {
    const MALL: &str = "444455556666";
    const MALL_WEB: &str = "i-0fedcba9876543210";
    let site = Site::new().await;
    let mall = site.aws.account(MALL);
    mall.role("Ams").external_id("ams-mall-1");
    let mall_host = mall.host(TOKYO, MALL_WEB);
    let mall_words = AwsAccountWords {
        customer: "mall".to_owned(),
        account: MALL.to_owned(),
        role: format!("arn:aws:iam::{MALL}:role/Ams"),
        external_id: "ams-mall-1".to_owned(),
        ..words()
    };
    let bench = Bench::new(&site).await;
    let text = "echo here >>\"$HOME/times\"";
    assert_eq!(bench.act(&change(text)).await.ending, Ending::Exited(0));
    let theirs = by(way(&mall_words, MALL_WEB), change(text));
    assert_eq!(bench.act(&theirs).await.ending, Ending::Exited(0));
    assert_eq!(
        (site.host.read("times"), mall_host.read("times")),
        ("here\n".into(), "here\n".into())
    );
    // A machine of another account is none that this role knows.
    let stolen = by(way(&words(), MALL_WEB), script("true"));
    assert!(not_begun(&bench.act(&stolen).await).contains("SSM does not know"));
    // Nor does a role open with another customer's id, though its session is there already.
    let borrowed = AwsAccountWords { external_id: ID.to_owned(), ..mall_words };
    let borrowed = AwsAccountWords { customer: "shop".to_owned(), ..borrowed };
    let seen = bench.act(&by(way(&borrowed, MALL_WEB), script("true"))).await;
    assert!(not_begun(&seen).contains("cannot be taken on"), "{seen:?}");
    for session in site.aws.sessions() {
        let own = if session.account == SHOP { ID } else { "ams-mall-1" };
        assert_eq!(session.external_id.as_deref(), Some(own));
    }
    assert_eq!(mall_host.commands().len(), 1);
}
