use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use ams::execute::actuator::{Action, Actuator as _, Ending, HttpMethod, HttpRequest};
use ams::limits;
use rustix::process::{Pid, Signal, kill_process};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::harness::commands::{Bench, LONG, exec, reason, set};
use crate::harness::wait;

/// Running, as opposed to gone or a zombie that nobody has collected yet.
fn lives(pid: Pid) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat.rsplit(')').next().unwrap_or_default().trim_start();
    !state.is_empty() && !state.starts_with(['Z', 'X'])
}

async fn is_killed(pid: Pid) {
    wait::until("the process to end", || !lives(pid)).await;
}

/// Ours to collect, so not even a zombie may stay.
fn is_reaped(pid: Pid) -> bool {
    !Path::new(&format!("/proc/{pid}")).exists()
}

#[tokio::test]
async fn a_script_gives_its_code_and_both_streams() {
    let bench = Bench::new();
    let seen = bench.run("echo 接続できません; echo oops >&2; exit 3").await;
    assert_eq!(seen.ending, Ending::Exited(3));
    assert_eq!(seen.stdout.head, "接続できません\n");
    assert_eq!(seen.stderr.head, "oops\n");
    assert_eq!(seen.stderr.total_bytes, 5);
    assert!(seen.stdout.is_whole() && seen.stdout.evidence.is_none());
    assert!(!bench.path("evidence").exists(), "a small output needs no file");
}

#[tokio::test]
async fn exec_knows_no_shell() {
    let bench = Bench::new();
    let seen = bench.act(&exec(&["echo", "$(id)", "; ls", "a  b"])).await;
    assert_eq!(seen.ending, Ending::Exited(0));
    assert_eq!(seen.stdout.head, "$(id) ; ls a  b\n");
}

#[tokio::test]
async fn the_environment_is_what_was_given_and_nothing_else() {
    let mut order = exec(&["/usr/bin/env"]);
    set(&mut order, "HOST", "web-1");
    set(&mut order, "AMS_NONCE", "forged");
    let seen = Bench::new().act(&order).await;
    let mut lines: Vec<_> = seen.stdout.head.lines().collect();
    lines.sort_unstable();
    let expected = [
        "AMS_INCIDENT=PT4KHLK",
        "AMS_NONCE=00ff",
        "AMS_RUN=2",
        "AMS_STEP=3",
        "HOST=web-1",
        "LANG=C.UTF-8",
        "PATH=/usr/local/bin:/usr/bin:/bin",
    ];
    assert_eq!(lines, expected);
}

#[tokio::test]
async fn a_hostile_value_stays_a_value() {
    let bench = Bench::new();
    let hostile = r#"$(touch "$DIR/x"); `touch "$DIR/x"` '; touch "$DIR/x"; "\ #"#;
    let mut order = bench.script(r#"printf %s "$TITLE"; echo $TITLE >&2"#);
    set(&mut order, "TITLE", hostile);
    let seen = bench.act(&order).await;
    assert_eq!(seen.ending, Ending::Exited(0));
    assert_eq!(seen.stdout.head, hostile);
    assert!(!bench.path("x").exists());
}

#[tokio::test]
async fn standard_input_is_empty() {
    let seen = Bench::new().run("cat; echo end").await;
    assert_eq!(seen.stdout.head, "end\n");
}

#[tokio::test]
async fn what_cannot_be_started_says_why() {
    let bench = Bench::new();
    let plain = bench.path("plain.txt");
    fs::write(&plain, "no program").unwrap();
    let plain = plain.display().to_string();

    let seen = bench.act(&exec(&["/no/such/program"])).await;
    assert_eq!(reason(&seen), "no such program: /no/such/program");
    let seen = bench.act(&exec(&["no-such-program-in-path"])).await;
    assert_eq!(reason(&seen), "no such program: no-such-program-in-path");
    let seen = bench.act(&exec(&[&plain])).await;
    assert_eq!(reason(&seen), format!("no permission to start {plain}"));
    let seen = bench.act(&exec(&[])).await;
    assert_eq!(reason(&seen), "the command names no program");
}

#[tokio::test]
async fn parameters_that_cannot_be_passed_unchanged_are_refused() {
    let bench = Bench::new();
    let mut order = exec(&["/bin/true"]);
    set(&mut order, "TITLE", "a\0b");
    let seen = bench.act(&order).await;
    assert_eq!(reason(&seen), "the value of TITLE contains a NUL character");

    let mut order = exec(&["/bin/true"]);
    set(&mut order, "PATH=/tmp/evil:", "x");
    let seen = bench.act(&order).await;
    assert!(reason(&seen).contains("cannot name an environment variable"));

    let mut order = exec(&["/bin/true"]);
    set(&mut order, "BODY", &"x".repeat(4 * 1024 * 1024));
    let seen = bench.act(&order).await;
    assert_eq!(reason(&seen), "the parameters are too long to start /bin/true");
}

#[tokio::test]
async fn a_request_is_not_a_command() {
    let mut order = exec(&["/bin/true"]);
    order.action = Action::Http(HttpRequest {
        method: HttpMethod::Get,
        url: "http://127.0.0.1/".to_owned(),
        headers: BTreeMap::new(),
        body: None,
    });
    let seen = Bench::new().act(&order).await;
    assert!(reason(&seen).contains("request"));
}

#[tokio::test]
async fn a_signal_is_not_an_exit() {
    let seen = Bench::new().run("echo before; kill -KILL $$").await;
    assert_eq!(seen.ending, Ending::Killed { signal: 9 });
    assert_eq!(seen.stdout.head, "before\n");
}

#[tokio::test]
async fn a_timeout_kills_the_whole_group_even_what_ignores_being_asked() {
    let bench = Bench::new();
    // The timeout is generous, so that all of it stands when time is up.
    let mut order = bench.script(
        r#"sh -c 'trap "" TERM; echo $$ > "$DIR/g.new"; mv "$DIR/g.new" "$DIR/grandchild"
                  while :; do sleep 1; done' &
           say_pid leader $$
           wait"#,
    );
    order.timeout = Duration::from_secs(2);
    let seen = bench.act(&order).await;
    assert_eq!(seen.ending, Ending::TimedOut);
    assert!(seen.took >= order.timeout + limits::KILL_GRACE);
    assert!(is_reaped(bench.pid("leader").await));
    is_killed(bench.pid("grandchild").await).await;
}

#[tokio::test]
async fn a_leader_that_ignores_being_asked_is_killed() {
    let bench = Bench::new();
    let order = bench.script("trap '' TERM; say_pid leader $$; while :; do sleep 1; done");
    let running = bench.start(order);
    let leader = bench.pid("leader").await;
    bench.cancel.cancel();
    let seen = running.await.unwrap();
    assert_eq!(seen.ending, Ending::Cancelled);
    assert!(seen.took >= limits::KILL_GRACE);
    assert!(is_reaped(leader));
}

#[tokio::test]
async fn a_command_that_obeys_is_not_waited_for_and_its_last_words_are_kept() {
    let bench = Bench::new();
    let order = bench.script(
        r#"trap 'echo "stopped at 3 of 7"; exit 0' TERM
           sleep 60 & say_pid sleeper $!
           say_pid leader $$
           wait"#,
    );
    let running = bench.start(order);
    let leader = bench.pid("leader").await;
    let asked = tokio::time::Instant::now();
    bench.cancel.cancel();
    let seen = running.await.unwrap();
    assert!(asked.elapsed() < limits::KILL_GRACE);
    assert_eq!(seen.ending, Ending::Cancelled);
    assert_eq!(seen.stdout.head, "stopped at 3 of 7\n");
    assert!(is_reaped(leader));
    assert!(!lives(bench.pid("sleeper").await));
}

#[tokio::test]
async fn a_cancelled_run_starts_nothing() {
    let bench = Bench::new();
    bench.cancel.cancel();
    let seen = bench.run(r#"touch "$DIR/x""#).await;
    assert_eq!(seen.ending, Ending::Cancelled);
    assert!(!bench.path("x").exists());
}

#[tokio::test]
async fn a_dropped_call_leaves_nothing_running() {
    let bench = Bench::new();
    let order = bench
        .script("trap '' TERM; sleep 60 & say_pid child $!; say_pid leader $$; wait; sleep 60");
    let running = bench.start(order);
    let (child, leader) = (bench.pid("child").await, bench.pid("leader").await);
    assert!(lives(child) && lives(leader));
    running.abort();
    assert!(running.await.unwrap_err().is_cancelled());
    is_killed(leader).await;
    is_killed(child).await;
    wait::until("the leader to be reaped", || is_reaped(leader)).await;
}

#[tokio::test]
async fn a_service_left_behind_neither_holds_the_step_nor_dies() {
    let bench = Bench::new();
    let seen = bench.run("sleep 60 & say_pid service $!; echo started").await;
    assert_eq!(seen.ending, Ending::Exited(0));
    assert_eq!(seen.stdout.head, "started\n");
    assert!(seen.took >= limits::OUTPUT_DRAIN && seen.took < LONG / 2);
    let service = bench.pid("service").await;
    assert!(lives(service));
    drop(bench);
    assert!(lives(service));
    kill_process(service, Signal::KILL).unwrap();
}

#[tokio::test]
async fn a_service_with_its_output_elsewhere_costs_no_time() {
    let bench = Bench::new();
    let script = "sleep 60 > /dev/null 2>&1 & say_pid service $!";
    let running = bench.start(bench.script(script));
    let seen = running.await.unwrap();
    assert_eq!(seen.ending, Ending::Exited(0));
    let service = bench.pid("service").await;
    assert!(lives(service));
    kill_process(service, Signal::KILL).unwrap();
}

#[tokio::test]
async fn waiting_for_a_slot_counts_and_is_bounded() {
    let bench = Bench::new();
    let mut running = JoinSet::new();
    for step in 0..limits::COMMANDS_AT_ONCE {
        let mut order = bench.script(r#": > "$DIR/running-$AMS_STEP"; exec sleep 60"#);
        order.step = step;
        let (commands, cancel) = (Arc::clone(&bench.commands), bench.cancel.clone());
        running.spawn(async move { commands.act(&order, &cancel).await });
    }
    let all = 0..limits::COMMANDS_AT_ONCE;
    let all: Vec<_> = all.map(|step| bench.path(&format!("running-{step}"))).collect();
    wait::until("all slots to be taken", || all.iter().all(|path| path.exists())).await;

    let mut late = bench.script(r#"touch "$DIR/x""#);
    late.timeout = Duration::from_millis(100);
    let seen = bench.act(&late).await;
    assert_eq!(reason(&seen), "64 commands are already running and none ended within 100ms");
    assert!(!bench.path("x").exists());

    let mut patient = bench.script("echo my turn");
    patient.timeout = LONG;
    let cancel = CancellationToken::new();
    let (seen, ()) = tokio::join!(bench.commands.act(&patient, &cancel), async {
        bench.cancel.cancel();
    });
    assert_eq!(seen.stdout.head, "my turn\n");
    for seen in running.join_all().await {
        assert_eq!(seen.ending, Ending::Cancelled);
    }
}
