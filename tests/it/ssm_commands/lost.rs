use super::*;
use crate::aws::Fault;
use crate::harness::wait;

/// Says that it began, waits to be told to go on, and ends with 4.
const WAITING: &str = "echo 始; echo begun >>\"$HOME/times\"
    while [ ! -e \"$HOME/go\" ]; do sleep 0.05; done; echo done; exit 4";

async fn begun(site: &Site) {
    wait::until("the command to begin", || !site.host.read("times").is_empty()).await;
}

fn go(site: &Site) {
    std::fs::write(site.host.home().join("go"), "").unwrap();
}

#[track_caller]
fn ended(adopted: Adopted) -> (Ending, String, u32) {
    match adopted {
        Adopted::Ended { seen, attempt } => (seen.ending, seen.stdout.head, attempt),
        other => panic!("not ended: {other:?}"),
    }
}

/// As the next owner has it: with the time at which it was announced.
fn announced(order: &Order) -> Order {
    use ams::clock::Clock as _;
    Order { announced_at: Some(SystemClock.now()), attempt: Some(1), ..order.clone() }
}

#[tokio::test]
async fn a_change_goes_on_without_its_runner_and_is_adopted() {
    let site = Site::new().await;
    let bench = Bench::new(&site).await;
    let order = announced(&change(WAITING));
    let first = bench.start(order.clone());
    begun(&site).await;
    // What a runner that is killed does: nothing more.
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());
    let other = Bench::new(&site).await;
    let (commands, adopted) = (Arc::clone(&other.commands), order.clone());
    let waiting = tokio::spawn(async move {
        let trace = commands.trace(&adopted.action, adopted.host.as_ref());
        commands.adopt(&adopted, trace.as_deref(), &CancellationToken::new()).await
    });
    go(&site);
    let expected = (Ending::Exited(4), "始\ndone\n".to_owned(), 1);
    assert_eq!(ended(waiting.await.unwrap()), expected);
    // As often as it is asked, and by the first one too.
    assert_eq!(ended(bench.adopt(&order).await), expected);
    assert_eq!((site.host.read("times").as_str(), site.sent()), ("begun\n", 1));
}

#[tokio::test]
async fn a_runner_that_is_told_to_stop_leaves_the_change_running() {
    let site = Site::new().await;
    let bench = Bench::new(&site).await;
    let order = announced(&change(WAITING));
    let first = bench.start(order.clone());
    begun(&site).await;
    bench.cancel.cancel();
    assert_eq!(first.await.unwrap().ending, Ending::Cancelled);
    go(&site);
    assert_eq!(ended(Bench::new(&site).await.adopt(&order).await).0, Ending::Exited(4));
    assert_eq!(site.aws.asked("CancelCommand"), 0);
}

#[tokio::test]
async fn what_never_began_cannot_begin_any_more_once_somebody_has_looked() {
    let site = Site::new().await;
    let bench = Bench::new(&site).await;
    let order = announced(&change("echo begun >>\"$HOME/times\""));
    assert_eq!(Bench::new(&site).await.adopt(&order).await, Adopted::NeverBegan);
    // The runner that was paused between its intent and its command goes on.
    let seen = bench.act(&order).await;
    assert!(not_begun(&seen).contains("fenced off"), "{seen:?}");
    assert_eq!(bench.adopt(&order).await, Adopted::NeverBegan);
    assert_eq!(site.host.read("times"), "");
}

#[tokio::test]
async fn what_ssm_does_not_list_is_asked_for_on_the_host() {
    let site = Site::new().await;
    let bench = Bench::new(&site).await;
    let order = announced(&change("echo begun >>\"$HOME/times\"; exit 4"));
    assert_eq!(bench.act(&order).await.ending, Ending::Exited(4));
    site.host.listed_after(Duration::from_mins(1));
    assert_eq!(ended(bench.adopt(&order).await), (Ending::Exited(4), String::new(), 1));
    assert_eq!(site.host.read("times"), "begun\n");
}

#[tokio::test]
async fn the_last_of_several_attempts_is_the_one_that_counts() {
    let site = Site::new().await;
    let bench = Bench::new(&site).await;
    for attempt in 1..=3 {
        let order = change(&format!("echo try {attempt}; exit {attempt}"));
        let order = Order { attempt: Some(attempt), ..order };
        assert_eq!(bench.act(&order).await.ending, Ending::Exited(attempt.cast_signed()));
    }
    let adopted = Bench::new(&site).await.adopt(&announced(&change("true"))).await;
    assert_eq!(ended(adopted), (Ending::Exited(3), "try 3\n".to_owned(), 3));
}

#[tokio::test]
async fn nobody_can_tell_of_a_change_whose_host_is_away() {
    let site = Site::new().await;
    let bench = Bench::new(&site).await;
    let order = within(announced(&change("true")), ms(300));
    site.host.silent();
    assert_eq!(bench.adopt(&order).await, Adopted::Unknown);
    site.account.meets(100, "SendCommand", Fault::Deny);
    assert_eq!(bench.adopt(&order).await, Adopted::Unknown);
}

/// Machines of two customers, and one machine under two customers' names, are two.
#[tokio::test]
async fn a_record_of_another_customer_is_not_looked_for() {
    let site = Site::new().await;
    let bench = Bench::new(&site).await;
    let ours = announced(&change("true"));
    bench.act(&ours).await;
    let other = AwsAccountWords { customer: "other".to_owned(), ..words() };
    let theirs = by(way(&other, WEB), ours.clone());
    let trace = bench.commands.trace(&ours.action, ours.host.as_ref());
    assert_ne!(trace, bench.commands.trace(&theirs.action, theirs.host.as_ref()));
    let adopted = bench.commands.adopt(&theirs, trace.as_deref(), &bench.cancel).await;
    assert_eq!(adopted, Adopted::Unknown);
}
