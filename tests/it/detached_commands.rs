//! Commands that change something: they outlive the runner, and whoever takes the run over finds
//! out how they went instead of doing it again.

use std::fs;
use std::sync::Arc;
use std::time::Duration;

use ams::execute::actuator::{Actuator as _, Adopted, Ending, Order};
use ams::execute::local::LocalCommands;
use rustix::process::{Signal, kill_process};

use crate::harness::commands::{Bench, detached, inherited};
use crate::harness::wait;

/// A recovery's command, under the name its intent was recorded with.
fn recovery(bench: &Bench, text: &str) -> Order {
    Order { nonce: "00ff".to_owned(), attempt: Some(1), ..bench.script(text) }
}

/// Another runner of the same machine.
fn another(bench: &Bench) -> Bench {
    let commands =
        LocalCommands::new(bench.path("evidence"), detached(bench.dir.path()), inherited());
    let mut other = Bench::new();
    other.commands = Arc::new(commands);
    other
}

async fn adopt(bench: &Bench, order: &Order) -> Adopted {
    let trace = bench.commands.trace(&order.action, None);
    bench.commands.adopt(order, trace.as_deref(), &bench.cancel).await
}

#[track_caller]
fn ended(adopted: Adopted) -> (Ending, String, u32) {
    match adopted {
        Adopted::Ended { seen, attempt } => (seen.ending, seen.stdout.head, attempt),
        other => panic!("not ended: {other:?}"),
    }
}

#[tokio::test]
async fn a_recovery_gives_its_code_and_both_streams() {
    let bench = Bench::new();
    let seen = bench.act(&recovery(&bench, "echo 再起動; echo oops >&2; exit 3")).await;
    assert_eq!(seen.ending, Ending::Exited(3));
    assert_eq!((seen.stdout.head.as_str(), seen.stderr.head.as_str()), ("再起動\n", "oops\n"));
}

#[tokio::test]
async fn a_recovery_goes_on_without_its_runner_and_is_adopted() {
    let bench = Bench::new();
    let order = recovery(
        &bench,
        r#"echo begun >> "$DIR/times"; while [ ! -e "$DIR/go" ]; do sleep 0.05; done; echo done; exit 4"#,
    );
    let first = bench.start(order.clone());
    wait::until("the command to begin", || bench.path("times").exists()).await;
    // What a runner that is killed does: nothing more, not even tidying up.
    first.abort();
    assert!(first.await.unwrap_err().is_cancelled());

    let other = another(&bench);
    let waiting = {
        let (other, order) = (Arc::clone(&other.commands), order.clone());
        let trace = other.trace(&order.action, None);
        tokio::spawn(async move {
            other.adopt(&order, trace.as_deref(), &tokio_util::sync::CancellationToken::new()).await
        })
    };
    fs::write(bench.path("go"), "").unwrap();
    assert_eq!(ended(waiting.await.unwrap()), (Ending::Exited(4), "done\n".to_owned(), 1));
    // As often as it is asked.
    assert_eq!(ended(adopt(&other, &order).await).0, Ending::Exited(4));
    assert_eq!(fs::read_to_string(bench.path("times")).unwrap(), "begun\n");
}

#[tokio::test]
async fn a_runner_that_is_told_to_stop_leaves_the_recovery_running() {
    let bench = Bench::new();
    let order = recovery(&bench, r#"touch "$DIR/begun"; sleep 0.5; touch "$DIR/ended""#);
    let first = bench.start(order.clone());
    wait::until("the command to begin", || bench.path("begun").exists()).await;
    bench.cancel.cancel();
    assert_eq!(first.await.unwrap().ending, Ending::Cancelled);
    assert_eq!(ended(adopt(&another(&bench), &order).await).0, Ending::Exited(0));
    assert!(bench.path("ended").exists());
}

#[tokio::test]
async fn what_never_began_cannot_begin_any_more_once_somebody_has_looked() {
    let bench = Bench::new();
    let order = recovery(&bench, r#"touch "$DIR/begun""#);
    assert_eq!(adopt(&another(&bench), &order).await, Adopted::NeverBegan);
    // The runner that was paused between its intent and its command goes on.
    let seen = bench.act(&order).await;
    assert!(matches!(seen.ending, Ending::NotStarted { .. }), "{seen:?}");
    assert!(!bench.path("begun").exists());
    assert_eq!(adopt(&another(&bench), &order).await, Adopted::NeverBegan);
}

#[tokio::test]
async fn a_recovery_that_was_killed_with_its_runner_is_unknown() {
    let bench = Bench::new();
    let order = recovery(&bench, "say_pid wrapper $PPID; sleep 60");
    let first = bench.start(order.clone());
    let wrapper = bench.pid("wrapper").await;
    first.abort();
    assert!(first.await.is_err());
    kill_process(wrapper, Signal::KILL).unwrap();
    assert_eq!(adopt(&another(&bench), &order).await, Adopted::Unknown);
}

#[tokio::test]
async fn another_machine_cannot_tell() {
    let bench = Bench::new();
    let order = recovery(&bench, "true");
    let elsewhere = Bench::new();
    let trace = elsewhere.commands.trace(&order.action, None);
    let adopted = bench.commands.adopt(&order, trace.as_deref(), &bench.cancel).await;
    assert_eq!(adopted, Adopted::Unknown);
    // Nothing was recorded that could be looked for.
    assert_eq!(bench.commands.adopt(&order, None, &bench.cancel).await, Adopted::Unknown);
}

#[tokio::test]
async fn the_last_of_several_attempts_is_the_one_that_counts() {
    let bench = Bench::new();
    for attempt in 1..=3 {
        let order = Order {
            attempt: Some(attempt),
            ..recovery(&bench, &format!("echo try {attempt}; exit {attempt}"))
        };
        assert_eq!(bench.act(&order).await.ending, Ending::Exited(attempt.cast_signed()));
    }
    let adopted = adopt(&another(&bench), &recovery(&bench, "true")).await;
    assert_eq!(ended(adopted), (Ending::Exited(3), "try 3\n".to_owned(), 3));
}

#[tokio::test]
async fn an_adopted_recovery_that_hangs_is_stopped_with_everything_it_started() {
    let bench = Bench::new();
    let order = recovery(&bench, "sleep 60 & say_pid child $!; wait");
    let first = bench.start(order.clone());
    let child = bench.pid("child").await;
    first.abort();
    assert!(first.await.is_err());
    let order = Order { timeout: Duration::from_millis(300), ..order };
    assert_eq!(ended(adopt(&another(&bench), &order).await).0, Ending::TimedOut);
    let path = format!("/proc/{child}/stat");
    let is_gone = || fs::read_to_string(&path).map_or(true, |stat| stat.contains(") Z"));
    wait::until("the child to end", is_gone).await;
}

#[tokio::test]
async fn long_output_is_read_while_it_grows_and_kept_whole() {
    let bench = Bench::new();
    let order = recovery(&bench, "seq 1 3000000");
    let seen = bench.act(&order).await;
    assert_eq!(seen.ending, Ending::Exited(0));
    assert_eq!(seen.stdout.total_bytes, 22_888_896);
    assert!(seen.stdout.head.starts_with("1\n2\n") && seen.stdout.tail.ends_with("\n3000000\n"));
    let evidence = seen.stdout.evidence.unwrap();
    assert_eq!(fs::metadata(evidence).unwrap().len(), 22_888_896);
}
