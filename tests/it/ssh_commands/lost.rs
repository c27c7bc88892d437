use std::fs;
use std::sync::Arc;
use std::time::Duration;

use ams::execute::actuator::{Actuator as _, Adopted, Ending, Order};
use tokio_util::sync::CancellationToken;

use super::{Bench, change, exec, look, with_script, within};
use crate::harness::commands::reason;
use crate::harness::sshd::Sshd;
use crate::harness::wait;

/// Says that it began, waits to be told to go on, and ends with 4.
const WAITING: &str = "echo 始; echo oops >&2; echo begun >>\"$HOME/times\"
    while [ ! -e \"$HOME/go\" ]; do sleep 0.05; done; echo done; exit 4";

fn go(sshd: &Sshd) {
    fs::write(sshd.path("home").join("go"), "").unwrap();
}

async fn begun(sshd: &Sshd) {
    wait::until("the command to begin", || sshd.has("times")).await;
}

#[track_caller]
fn ended(adopted: Adopted) -> (Ending, String, u32) {
    match adopted {
        Adopted::Ended { seen, attempt } => (seen.ending, seen.stdout.head, attempt),
        other => panic!("not ended: {other:?}"),
    }
}

#[tokio::test]
async fn a_change_is_followed_to_its_end_over_a_new_connection() {
    let sshd = Sshd::start().await;
    let bench = Bench::new(&sshd);
    let running = bench.start(change(&sshd, WAITING));
    begun(&sshd).await;
    sshd.cut();
    go(&sshd);
    let seen = running.await.unwrap();
    assert_eq!(seen.ending, Ending::Exited(4), "{seen:?}");
    assert_eq!((seen.stdout.head.as_str(), seen.stderr.head.as_str()), ("始\ndone\n", "oops\n"));
    assert_eq!(sshd.read("times"), "begun\n");
}

#[tokio::test]
async fn a_host_that_is_away_for_a_while_is_waited_for() {
    let mut sshd = Sshd::start().await;
    let bench = Bench::new(&sshd);
    let running = bench.start(change(&sshd, WAITING));
    begun(&sshd).await;
    sshd.stop();
    go(&sshd);
    let ended = sshd.path("markers/ams-00ff-1/exit");
    wait::until("the command to end", || ended.exists()).await;
    sshd.start_again().await;
    let seen = running.await.unwrap();
    assert_eq!((seen.ending, seen.stdout.head.as_str()), (Ending::Exited(4), "始\ndone\n"));
}

#[tokio::test]
async fn a_host_that_stays_away_leaves_the_end_unknown() {
    let mut sshd = Sshd::start().await;
    let bench = Bench::new(&sshd);
    let running = bench.start(within(change(&sshd, WAITING), Duration::from_secs(4)));
    begun(&sshd).await;
    sshd.stop();
    let seen = running.await.unwrap();
    let Ending::Unknown { reason } = &seen.ending else { panic!("{seen:?}") };
    assert!(reason.starts_with("web01: the connection was lost while the command was running"));
    assert!(reason.contains("nothing listens at") && reason.contains("look there"), "{reason}");
}

#[tokio::test]
async fn a_look_whose_connection_is_lost_is_not_taken_for_an_answer() {
    let sshd = Sshd::start().await;
    let bench = Bench::new(&sshd);
    let running = bench.start(look(&sshd, WAITING));
    begun(&sshd).await;
    sshd.cut();
    let seen = running.await.unwrap();
    assert!(matches!(seen.ending, Ending::Unknown { .. }), "{seen:?}");
}

#[tokio::test]
async fn a_second_start_is_refused() {
    let sshd = Sshd::start().await;
    let bench = Bench::new(&sshd);
    let order = change(&sshd, "echo begun >>\"$HOME/times\"");
    assert_eq!(bench.act(&order).await.ending, Ending::Exited(0));
    let seen = bench.act(&order).await;
    assert_eq!(reason(&seen), "web01: another runner has begun or fenced off this attempt");
    assert_eq!(sshd.read("times"), "begun\n");
}

#[tokio::test]
async fn a_change_goes_on_without_its_runner_and_is_adopted() {
    let sshd = Sshd::start().await;
    let bench = Bench::new(&sshd);
    let order = change(&sshd, WAITING);
    let first = bench.start(order.clone());
    begun(&sshd).await;
    // What a runner that is killed does: nothing more.
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());

    let other = Bench::new(&sshd);
    let waiting = {
        let (commands, order) = (Arc::clone(&other.commands), order.clone());
        let trace = commands.trace(&order.action, order.host.as_ref());
        tokio::spawn(async move {
            commands.adopt(&order, trace.as_deref(), &CancellationToken::new()).await
        })
    };
    go(&sshd);
    let expected = (Ending::Exited(4), "始\ndone\n".to_owned(), 1);
    assert_eq!(ended(waiting.await.unwrap()), expected);
    // As often as it is asked, and by the first one too.
    assert_eq!(ended(bench.adopt(&order).await), expected);
    assert_eq!(sshd.read("times"), "begun\n");
}

#[tokio::test]
async fn a_runner_that_is_told_to_stop_leaves_the_change_running() {
    let sshd = Sshd::start().await;
    let bench = Bench::new(&sshd);
    let order = change(&sshd, WAITING);
    let first = bench.start(order.clone());
    begun(&sshd).await;
    bench.cancel.cancel();
    assert_eq!(first.await.unwrap().ending, Ending::Cancelled);
    go(&sshd);
    assert_eq!(ended(Bench::new(&sshd).adopt(&order).await).0, Ending::Exited(4));
}

#[tokio::test]
async fn what_never_began_cannot_begin_any_more_once_somebody_has_looked() {
    let sshd = Sshd::start().await;
    let bench = Bench::new(&sshd);
    let order = change(&sshd, "echo begun >>\"$HOME/times\"");
    assert_eq!(Bench::new(&sshd).adopt(&order).await, Adopted::NeverBegan);
    // The runner that was paused between its intent and its command goes on.
    let seen = bench.act(&order).await;
    assert!(reason(&seen).contains("fenced off"), "{seen:?}");
    assert_eq!(bench.adopt(&order).await, Adopted::NeverBegan);
    assert_eq!(sshd.read("times"), "");
}

#[tokio::test]
async fn a_change_that_was_killed_with_its_watcher_is_unknown() {
    let sshd = Sshd::start().await;
    let bench = Bench::new(&sshd);
    let order =
        change(&sshd, "echo $PPID >\"$HOME/new\"; mv \"$HOME/new\" \"$HOME/pid\"; sleep 60");
    let running = bench.start(order.clone());
    wait::until("the command to begin", || sshd.has("pid")).await;
    let watcher = sshd.read("pid").trim().parse().unwrap();
    let watcher = rustix::process::Pid::from_raw(watcher).unwrap();
    rustix::process::kill_process(watcher, rustix::process::Signal::KILL).unwrap();
    let seen = running.await.unwrap();
    let Ending::Unknown { reason } = &seen.ending else { panic!("{seen:?}") };
    assert!(reason.contains("killed there together with"), "{reason}");
    assert_eq!(bench.adopt(&order).await, Adopted::Unknown);
}

#[tokio::test]
async fn the_last_of_several_attempts_is_the_one_that_counts() {
    let sshd = Sshd::start().await;
    let bench = Bench::new(&sshd);
    for attempt in 1..=3 {
        let order = with_script(&change(&sshd, ""), &format!("echo try {attempt}; exit {attempt}"));
        let order = Order { attempt: Some(attempt), ..order };
        assert_eq!(bench.act(&order).await.ending, Ending::Exited(attempt.cast_signed()));
    }
    let adopted = Bench::new(&sshd).adopt(&change(&sshd, "true")).await;
    assert_eq!(ended(adopted), (Ending::Exited(3), "try 3\n".to_owned(), 3));
}

#[tokio::test]
async fn nobody_can_tell_of_a_change_whose_host_is_away_or_keeps_no_marker() {
    let mut sshd = Sshd::start().await;
    let bench = Bench::new(&sshd);
    let device = Order { attempt: Some(1), ..exec(&sshd, &["true"]) };
    let adopted = bench.commands.adopt(&device, None, &bench.cancel).await;
    assert_eq!(adopted, Adopted::Unknown);
    sshd.stop();
    let order = within(change(&sshd, "true"), Duration::from_millis(500));
    assert_eq!(bench.adopt(&order).await, Adopted::Unknown);
}
