use super::*;
use crate::aws::Fault;

const EXTEND: [(&str, &str); 2] = [("id", DISK), ("size", "40")];

fn reason(seen: &Observation) -> &str {
    match &seen.ending {
        Ending::NotStarted { reason } | Ending::Unknown { reason } => reason,
        other => panic!("{other:?}"),
    }
}

async fn extending(fault: Fault) -> (Bench, Observation) {
    let bench = Bench::new().await;
    bench.account.volume(TOKYO, DISK, 20);
    bench.account.meets(1, "ModifyVolume", fault);
    let seen = bench.ask("extend_volume", &EXTEND).await;
    (bench, seen)
}

/// Sent once, whatever comes back: EC2 allows one change of a volume in six hours.
#[tokio::test]
async fn a_change_that_may_have_been_carried_out_is_unknown_and_not_repeated() {
    for fault in [Fault::LoseAnswer, Fault::ErrorAfter, Fault::ErrorBefore, Fault::LoseRequest] {
        let (bench, seen) = extending(fault).await;
        assert!(matches!(seen.ending, Ending::Unknown { .. }), "{fault:?} {:?}", seen.ending);
        assert!(reason(&seen).contains("extend_volume"), "{}", reason(&seen));
        assert_eq!(bench.aws.asked("ModifyVolume"), 1, "{fault:?}");
    }
}

#[tokio::test]
async fn an_answer_that_does_not_come_is_waited_for_no_longer_than_the_step_allows() {
    let bench = Bench::new().await;
    bench.account.volume(TOKYO, DISK, 20);
    bench.account.meets(1, "ModifyVolume", Fault::Hang);
    let order = Order { timeout: Duration::from_secs(2), ..order("extend_volume", &EXTEND) };
    let seen = bench.calls.act(&order, &CancellationToken::new()).await;
    assert!(matches!(seen.ending, Ending::Unknown { .. }), "{:?}", seen.ending);
    assert!(seen.took < Duration::from_secs(8), "{:?}", seen.took);
}

/// Not carried out: worth another try.
#[tokio::test]
async fn a_change_that_was_surely_not_carried_out_is_tried_again() {
    for fault in [Fault::Throttle, Fault::Expire] {
        let (bench, seen) = extending(fault).await;
        assert_eq!(seen.ending, Ending::Answered { status: 200 }, "{fault:?}");
        assert_eq!(bench.aws.asked("ModifyVolume"), 2, "{fault:?}");
    }
}

#[tokio::test]
async fn a_look_is_repeated_and_in_the_end_says_nothing_about_what_it_looks_at() {
    let bench = Bench::new().await;
    bench.account.volume(TOKYO, DISK, 20);
    bench.account.meets(2, "DescribeVolumes", Fault::ErrorBefore);
    bench.told("volume", &[("id", DISK)]).await;
    assert_eq!(bench.aws.asked("DescribeVolumes"), 3);
    bench.account.meets(9, "DescribeVolumes", Fault::ErrorBefore);
    let seen = bench.ask("volume", &[("id", DISK)]).await;
    assert!(matches!(seen.ending, Ending::NotStarted { .. }), "{:?}", seen.ending);
    assert!(reason(&seen).contains("AWS cannot be asked"), "{}", reason(&seen));
}

#[tokio::test]
async fn people_are_told_what_to_change() {
    let bench = Bench::new().await;
    bench.account.volume(TOKYO, DISK, 20);
    let none = bench.ask("volume", &[("id", "vol-0fedcba9876543210")]).await;
    assert!(reason(&none).contains("there is no such thing in account 111122223333"), "{none:?}");
    let none = bench.ask("scaling_group", &[("name", "nowhere")]).await;
    assert!(reason(&none).contains("AWS knows no scaling group nowhere"), "{none:?}");
    bench.account.role("Ams").denies("ec2:ModifyVolume");
    let denied = bench.ask("extend_volume", &EXTEND).await;
    assert!(matches!(denied.ending, Ending::NotStarted { .. }), "{denied:?}");
    assert!(reason(&denied).contains("role/Ams may not"), "{}", reason(&denied));
    let smaller = bench.ask("extend_volume", &[("id", DISK), ("size", "10")]).await;
    assert!(matches!(smaller.ending, Ending::NotStarted { .. }), "{smaller:?}");
}

#[tokio::test]
async fn without_a_role_or_settings_nothing_is_asked() {
    let bench = Bench::new().await;
    bench.account.role("Ams").closed();
    let seen = bench.ask("volume", &[("id", DISK)]).await;
    assert!(reason(&seen).contains("cannot be taken on"), "{}", reason(&seen));
    let bench = Bench { calls: AwsCalls { sessions: None, ..bench.calls }, ..bench };
    let seen = bench.ask("volume", &[("id", DISK)]).await;
    assert!(reason(&seen).contains("not set up for AWS"), "{}", reason(&seen));
    assert_eq!(bench.aws.asked("DescribeVolumes"), 0);
}

#[tokio::test]
async fn a_look_ends_when_the_run_is_to_leave() {
    let bench = Bench::new().await;
    bench.account.volume(TOKYO, DISK, 20);
    bench.account.meets(9, "DescribeVolumes", Fault::Hang);
    let (order, cancel) = (order("volume", &[("id", DISK)]), CancellationToken::new());
    let asking = bench.calls.act(&order, &cancel);
    let leaving = async {
        crate::harness::wait::until("the question", || bench.aws.asked("DescribeVolumes") == 1)
            .await;
        cancel.cancel();
    };
    let (seen, ()) = tokio::join!(asking, leaving);
    assert_eq!(seen.ending, Ending::Cancelled);
}
