use std::process::{Command, Stdio};
use std::time::Duration;

use ams::execute::host_probe::{Sought, Word};
use ams::execute::host_program::Carrier;

use super::{Host, change, look, shells, text};
use crate::harness::wait;

fn lives(pid: &str) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", pid.trim())).unwrap_or_default();
    !stat.is_empty() && !stat.contains(") Z ")
}

const SAY_PID: &str = r#"say() { echo "$2" >"$HOME/$1.new"; mv "$HOME/$1.new" "$HOME/$1"; }; "#;

async fn pid(host: &Host, name: &str) -> String {
    wait::for_some(name, || std::fs::read_to_string(host.path(name)).ok()).await
}

#[test]
fn an_agent_is_told_the_exit_code_and_what_it_would_misunderstand_in_words() {
    for shell in shells() {
        let host = Host::new(shell);
        for (code, told) in [(0, 0), (3, 3), (96, 96), (137, 1), (194, 1)] {
            let order = look(&format!("echo out; echo err >&2; exit {code}"));
            let ran = host.run_file(&host.program(&order, Carrier::Agent));
            assert_eq!(ran.status.code(), Some(told), "{shell}");
            assert_eq!(text(&ran.stdout), "AMS-BEGIN 00ff\nout\n");
            let exit = if code == told { String::new() } else { format!("AMS-EXIT 00ff {code}\n") };
            assert_eq!(text(&ran.stderr), format!("err\n{exit}"));
        }
        let ran = host.run_file(&host.program(&change("exit 194"), Carrier::Agent));
        assert_eq!(ran.status.code(), Some(1));
        assert_eq!(host.probe(None, None), (1, Word::Exited(194)));
    }
}

#[test]
fn a_connection_carries_both_streams_byte_for_byte_and_the_end() {
    for shell in shells() {
        let host = Host::new(shell);
        let script = r"printf 'a\377\000b'; printf 'no line break' >&2; exit 7";
        for order in [look(script), change(script)] {
            let ran = host.run(&host.program(&order, Carrier::Connection));
            let expected = b"AMS-BEGIN 00ff\na\xff\0b\nAMS-END 00ff EXIT 7\n";
            assert_eq!(ran.stdout, expected, "{shell} {}", text(&ran.stdout));
            assert_eq!(text(&ran.stderr), "no line break", "{shell}");
        }
    }
}

#[tokio::test]
async fn what_ignores_being_asked_is_killed_with_all_it_started() {
    let script = format!(
        "{SAY_PID}trap '' TERM; sleep 60 & say child $!; say leader $$; echo begun; wait; sleep 60"
    );
    let hosts: Vec<Host> = shells().into_iter().chain(shells()).map(Host::new).collect();
    let (looks, _) = hosts.split_at(hosts.len() / 2);
    let started: Vec<_> = hosts
        .iter()
        .enumerate()
        .map(|(index, host)| {
            let mut order = if index < looks.len() { look(&script) } else { change(&script) };
            order.timeout = Duration::from_millis(900);
            host.start(&host.program(&order, Carrier::Connection))
        })
        .collect();
    for (host, (child, _stdin)) in hosts.iter().zip(started) {
        let ran = child.wait_with_output().unwrap();
        let expected = "AMS-BEGIN 00ff\nbegun\n\nAMS-END 00ff TIMEOUT\n";
        assert_eq!((text(&ran.stdout).as_str(), text(&ran.stderr).as_str()), (expected, ""));
        for name in ["leader", "child"] {
            let pid = pid(host, name).await;
            wait::until("it to be gone", || !lives(&pid)).await;
        }
    }
    for host in &hosts[looks.len()..] {
        assert_eq!(host.probe(None, None), (1, Word::TimedOut));
    }
}

#[tokio::test]
async fn a_look_ends_with_its_connection() {
    for shell in shells() {
        let host = Host::new(shell);
        let order = look(&format!("{SAY_PID}say leader $$; sleep 60; touch \"$HOME/after\""));
        let (mut child, stdin) = host.start(&host.program(&order, Carrier::Connection));
        let leader = pid(&host, "leader").await;
        drop(stdin);
        wait::until("the look to end", || !lives(&leader)).await;
        child.wait().unwrap();
        assert!(!host.path("after").exists());
    }
}

#[tokio::test]
async fn a_change_goes_on_without_its_connection_and_is_followed_from_any_byte() {
    for shell in shells() {
        let host = Host::new(shell);
        let script = "echo first; echo oops >&2; touch \"$HOME/begun\"; \
                      while [ ! -e \"$HOME/go\" ]; do sleep 0.05; done; echo second; exit 5";
        let (mut child, stdin) = host.start(&host.program(&change(script), Carrier::Connection));
        wait::until("the change to begin", || host.path("begun").exists()).await;
        // What a connection that breaks does: nobody reads, nobody writes, and the shell is gone.
        child.kill().unwrap();
        child.wait().unwrap();
        drop(stdin);
        wait::until("it to be told as running", || host.probe(None, None).1 == Word::Running).await;

        let sought = Sought { nonce: "00ff", attempt: Some(1), announced_ago: None };
        let (following, _stdin) = host.start(&sought.attach(&host.places, (6, 2)));
        std::fs::write(host.path("go"), "").unwrap();
        let seen = following.wait_with_output().unwrap();
        let said = text(&seen.stdout);
        assert!(said.starts_with("AMS-PROBE 00ff 1 "), "{shell} {said}");
        assert!(said.ends_with("\nsecond\n\nAMS-END 00ff EXIT 5\n"), "{shell} {said}");
        assert!(!said.contains("first"));
        assert_eq!(text(&seen.stderr), "ps\n");
        assert_eq!(host.probe(None, None), (1, Word::Exited(5)));
    }
}

#[tokio::test]
async fn a_change_that_was_killed_with_all_that_watched_it_is_lost() {
    for shell in shells() {
        let host = Host::new(shell);
        let script = format!("{SAY_PID}say wrapper $PPID; exec sleep 60");
        let order = change(&script);
        let (child, _stdin) = host.start(&host.program(&order, Carrier::Connection));
        let wrapper = pid(&host, "wrapper").await;
        assert_eq!(host.probe(None, None), (1, Word::Running), "{shell}");
        assert!(Command::new("kill").args(["-KILL", wrapper.trim()]).status().unwrap().success());
        let ran = child.wait_with_output().unwrap();
        assert!(text(&ran.stdout).ends_with("AMS-END 00ff LOST\n"), "{shell} {ran:?}");
        assert_eq!(host.probe(None, None), (1, Word::Lost));
    }
}

#[test]
fn a_service_that_is_left_behind_neither_holds_a_change_nor_dies() {
    for shell in shells() {
        let host = Host::new(shell);
        let order = change("sleep 60 & echo $! >\"$HOME/service\"; echo started");
        let ran = host.run(&host.program(&order, Carrier::Connection));
        assert_eq!(
            text(&ran.stdout),
            "AMS-BEGIN 00ff\nstarted\n\nAMS-END 00ff EXIT 0\n",
            "{shell}"
        );
        let service = host.read("service");
        assert!(lives(&service), "{shell}");
        Command::new("kill").arg(service.trim()).stderr(Stdio::null()).status().unwrap();
    }
}

#[test]
fn output_without_end_takes_a_bounded_place_on_the_host() {
    let host = Host::new("/bin/sh");
    let order = change("head -c 100000000 /dev/zero | tr '\\0' x; echo end >&2");
    let ran = host.run(&host.program(&order, Carrier::Connection));
    let kept = std::fs::metadata(host.path("markers/ams-00ff-1/stdout")).unwrap().len();
    assert_eq!(kept, 64 * 1024 * 1024);
    assert_eq!(text(&ran.stderr), "end\n");
    assert!(ran.stdout.ends_with(b"x\nAMS-END 00ff EXIT 0\n"));
}

#[test]
fn markers_of_long_ago_are_removed_and_nothing_else() {
    let host = Host::new("/bin/sh");
    for name in ["ams-00aa-1", "ams-00bb-1", "backup"] {
        std::fs::create_dir_all(host.path("markers").join(name)).unwrap();
    }
    for name in ["ams-00aa-1", "backup"] {
        let path = host.path("markers").join(name);
        assert!(
            Command::new("touch").args(["-d", "10 days ago"]).arg(path).status().unwrap().success()
        );
    }
    host.run_file(&host.program(&change("true"), Carrier::Agent));
    let mut left: Vec<_> = std::fs::read_dir(host.path("markers")).unwrap().flatten().collect();
    left.sort_by_key(std::fs::DirEntry::file_name);
    let left: Vec<_> = left.iter().map(|it| it.file_name().into_string().unwrap()).collect();
    assert_eq!(left, ["ams-00bb-1", "ams-00ff-1", "backup"]);
}
