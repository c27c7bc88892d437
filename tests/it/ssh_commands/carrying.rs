use std::fs;
use std::sync::Arc;
use std::time::Duration;

use ams::customer::ssh::{SshDoor, SshHostKeys, SshIdentity};
use ams::execute::actuator::{Ending, Order, Program};
use ams::limits;

use super::{Bench, by, change, changed, exec, look, script, with_script, within};
use crate::harness::commands::{reason, set};
use crate::harness::sshd::{Agent, Sshd};
use crate::harness::wait;

#[tokio::test]
async fn a_command_gives_its_code_and_both_streams() {
    let sshd = Sshd::start().await;
    let bench = Bench::new(&sshd);
    for order in [look(&sshd, "echo 接続できません; echo oops >&2; exit 3"), change(&sshd, "")]
    {
        let order = with_script(&order, "echo 接続できません; echo oops >&2; exit 3");
        let seen = bench.act(&order).await;
        assert_eq!(seen.ending, Ending::Exited(3), "{seen:?}");
        assert_eq!(seen.stdout.head, "接続できません\n");
        assert_eq!(seen.stderr.head, "oops\n");
        assert!(seen.stdout.is_whole() && seen.stdout.evidence.is_none());
    }
    let seen = bench.act(&look(&sshd, "exit 255")).await;
    assert_eq!(seen.ending, Ending::Exited(255), "the client's own code for a failure");
    assert!(!bench.configurations().is_empty());
}

#[tokio::test]
async fn hostile_values_stay_values() {
    let sshd = Sshd::start().await;
    let bench = Bench::new(&sshd);
    let long: String = "あ'\"$(x)`\\".chars().cycle().take(1_024).collect();
    let values = [
        "$(reboot)",
        "`touch x`",
        "'; touch x; '",
        "\"; touch x; \"",
        "{{ssm:x}} {{ y }}",
        "a\nb\n\n",
        "\u{202e}gnp.exe",
        "-n",
        "%s",
        "",
        "\\",
        &long,
    ];
    let says = |index| format!("printf '<%s>' \"$V{index}\"");
    let text = (0..values.len()).map(says).collect::<Vec<_>>().join("\n");
    let expected: Vec<String> = values.iter().map(|value| format!("<{value}>")).collect();
    for mut order in [look(&sshd, &text), change(&sshd, &text)] {
        for (index, value) in values.iter().enumerate() {
            set(&mut order, &format!("V{index}"), value);
        }
        let seen = bench.act(&order).await;
        assert_eq!(
            (&seen.ending, seen.stdout.head.as_str()),
            (&Ending::Exited(0), &*expected.concat())
        );
    }
    assert!(!sshd.has("x"));
}

#[tokio::test]
async fn program_and_arguments_are_no_shell_text() {
    let sshd = Sshd::start().await;
    let order = by(sshd.way(), crate::harness::commands::exec(&["echo", "$(id)", "; ls", "a  b"]));
    let seen = Bench::new(&sshd).act(&order).await;
    assert_eq!((seen.ending, seen.stdout.head.as_str()), (Ending::Exited(0), "$(id) ; ls a  b\n"));
}

#[tokio::test]
async fn a_process_list_shows_neither_values_nor_scripts() {
    let sshd = Sshd::start().await;
    let bench = Bench::new(&sshd);
    // What anybody on either machine sees, from inside the command.
    let list =
        "for it in /proc/[0-9]*/cmdline; do tr '\\0' ' ' <\"$it\"; echo; done 2>/dev/null; :";
    let mut order = look(&sshd, list);
    set(&mut order, "TOKEN", "c0ffee-secret");
    let seen = bench.act(&order).await;
    assert_eq!(seen.ending, Ending::Exited(0));
    let config = bench.configurations();
    let config =
        config.iter().find(|path| path.extension().is_some_and(|it| it == "conf")).unwrap();
    let ours = format!("ssh -F {} -T -- ams-target /bin/sh -s ", config.display());
    let all = match &seen.stdout.evidence {
        Some(file) => String::from_utf8_lossy(&fs::read(file).unwrap()).into_owned(),
        None => seen.stdout.head,
    };
    assert!(all.lines().any(|line| line == ours), "{ours} is not in the list");
    let key = sshd.path("user").display().to_string();
    assert!(!all.contains("c0ffee-secret") && !all.contains(&key));
}

#[tokio::test]
async fn a_jump_host_is_gone_through_and_both_are_known_by_their_keys() {
    let (sshd, jump) = (Sshd::start().await, Sshd::start().await);
    fs::copy(sshd.path("authorized"), jump.path("authorized")).unwrap();
    let bench = Bench::new(&sshd);
    let keys = |host: &Sshd| match host.words().host_keys {
        SshHostKeys::Lines(lines) => lines,
        SshHostKeys::File(_) => unreachable!(),
    };
    let through = |known: &[&Sshd]| {
        changed(&sshd, |it| {
            it.jumps = vec![jump.words().door];
            it.host_keys = SshHostKeys::Lines(known.iter().flat_map(|it| keys(it)).collect());
        })
    };
    let order = by(through(&[&sshd, &jump]), script("echo \"$HOME\""));
    let seen = bench.act(&order).await;
    assert_eq!(seen.stdout.head.trim(), sshd.path("home").display().to_string(), "{seen:?}");
    assert!(fs::read_to_string(jump.path("log")).unwrap().contains("Accepted publickey"));

    for known in [&sshd, &jump] {
        let order = by(through(&[known]), script("touch \"$HOME/x\""));
        let seen = bench.act(&order).await;
        assert!(
            reason(&seen).contains("its host key is not in the customer's `host_keys`"),
            "{seen:?}"
        );
    }
    assert!(!sshd.has("x"));
    let mut order = by(through(&[&sshd, &jump]), script("true"));
    let port = jump.port;
    drop(jump);
    order.timeout = Duration::from_secs(20);
    let seen = bench.act(&order).await;
    let expected =
        format!("on the way to web01, at a jump host: nothing listens at 127.0.0.1, port {port};");
    assert!(reason(&seen).starts_with(&expected), "{seen:?}");
}

#[tokio::test]
async fn a_key_may_be_in_an_agent() {
    let sshd = Sshd::start().await;
    let socket = sshd.path("agent");
    let _agent = Agent::start(&socket, &sshd.path("user")).await;
    let way = changed(&sshd, |it| it.identity = SshIdentity::Agent(socket.display().to_string()));
    let seen = Bench::new(&sshd).act(&by(way, script("echo in"))).await;
    assert_eq!((seen.ending, seen.stdout.head.as_str()), (Ending::Exited(0), "in\n"));
}

#[tokio::test]
async fn what_ignores_being_asked_is_killed_at_its_timeout() {
    let sshd = Sshd::start().await;
    let bench = Bench::new(&sshd);
    let text = "trap '' TERM; echo $$ >\"$HOME/new\"; mv \"$HOME/new\" \"$HOME/pid\"; echo begun
                while :; do sleep 1; done";
    for order in [look(&sshd, text), change(&sshd, text)] {
        let order = within(order, Duration::from_secs(3));
        let seen = bench.act(&order).await;
        assert_eq!((&seen.ending, seen.stdout.head.as_str()), (&Ending::TimedOut, "begun\n"));
        assert!(seen.took < order.timeout + limits::KILL_GRACE + Duration::from_secs(5));
        let stat = format!("/proc/{}/stat", sshd.read("pid").trim());
        wait::until("it to be gone", || fs::read_to_string(&stat).is_err()).await;
    }
}

#[tokio::test]
async fn a_run_that_leaves_stops_its_looks_on_the_host() {
    let sshd = Sshd::start().await;
    let bench = Bench::new(&sshd);
    let text = "echo $$ >\"$HOME/new\"; mv \"$HOME/new\" \"$HOME/pid\"; sleep 60";
    let running = bench.start(look(&sshd, text));
    wait::until("the look to begin", || sshd.has("pid")).await;
    bench.cancel.cancel();
    assert_eq!(running.await.unwrap().ending, Ending::Cancelled);
    let stat = format!("/proc/{}/stat", sshd.read("pid").trim());
    wait::until("it to be gone", || fs::read_to_string(&stat).is_err()).await;
}

#[tokio::test]
async fn long_output_is_bounded_in_memory_and_kept_as_evidence() {
    let sshd = Sshd::start().await;
    let bench = Bench::new(&sshd);
    let text = "head -c 104857600 /dev/zero | tr '\\0' x; echo; echo end";
    let seen = bench.act(&look(&sshd, text)).await;
    assert_eq!(seen.ending, Ending::Exited(0), "{:?}", seen.stderr);
    assert_eq!(seen.stdout.total_bytes, 104_857_605);
    assert!(seen.stdout.head.len() + seen.stdout.tail.len() <= limits::OUTPUT_MEMORY_BYTES);
    assert!(seen.stdout.tail.ends_with("x\nend\n"));
    let evidence = fs::metadata(seen.stdout.evidence.unwrap()).unwrap();
    assert_eq!(evidence.len(), limits::EVIDENCE_FILE_BYTES);

    // Of a change the host keeps as much as an evidence file takes.
    let seen = bench.act(&change(&sshd, text)).await;
    assert_eq!(seen.ending, Ending::Exited(0), "{:?}", seen.stderr);
    assert_eq!(seen.stdout.total_bytes, limits::EVIDENCE_FILE_BYTES);
    let evidence = fs::metadata(seen.stdout.evidence.unwrap()).unwrap();
    assert_eq!(evidence.len(), limits::EVIDENCE_FILE_BYTES);
}

#[tokio::test]
async fn connections_of_one_customer_are_bounded_and_waiting_counts() {
    let sshd = Sshd::start().await;
    let bench = Bench::new(&sshd);
    let all: Vec<_> = (0..limits::SSH_PER_CUSTOMER)
        .map(|step| {
            let text = "touch \"$HOME/running-$AMS_STEP\"; sleep 60";
            bench.start(Order { step, ..look(&sshd, text) })
        })
        .collect();
    let names: Vec<String> = (0..all.len()).map(|step| format!("running-{step}")).collect();
    wait::until("all turns to be taken", || names.iter().all(|name| sshd.has(name))).await;
    let late = within(look(&sshd, "touch \"$HOME/x\""), Duration::from_millis(200));
    let seen = bench.act(&late).await;
    assert!(reason(&seen).starts_with("8 connections to hosts of this customer"), "{seen:?}");
    // Another customer is not held up by it.
    let other = changed(&sshd, |it| "other".clone_into(&mut it.customer));
    assert_eq!(bench.act(&by(other, script("true"))).await.ending, Ending::Exited(0));
    bench.cancel.cancel();
    for running in all {
        assert_eq!(running.await.unwrap().ending, Ending::Cancelled);
    }
    assert!(!sshd.has("x"));
}

#[tokio::test]
async fn a_network_device_gets_one_line_and_nothing_else() {
    let sshd = Sshd::start().await;
    let bench = Bench::new(&sshd);
    let seen = bench.act(&exec(&sshd, &["echo", "show", "ip-route", "10.0.0.0/8"])).await;
    assert_eq!(
        (seen.ending, seen.stdout.head.as_str()),
        (Ending::Exited(0), "show ip-route 10.0.0.0/8\n")
    );
    for words in [&["echo", "$(id)"][..], &["echo", "a;b"], &["echo", "a\nb"], &["-x"], &[]] {
        let seen = bench.act(&exec(&sshd, words)).await;
        assert!(reason(&seen).contains("is made of letters, digits"), "{seen:?}");
    }
    let mut order = exec(&sshd, &["true"]);
    set(&mut order, "TITLE", "x");
    assert!(reason(&bench.act(&order).await).contains("takes no environment"));
    let order = with_script(&exec(&sshd, &["true"]), "true");
    assert!(reason(&bench.act(&order).await).contains("has no shell"));
    let mut order = exec(&sshd, &["sleep", "60"]);
    order.timeout = Duration::from_secs(1);
    assert_eq!(bench.act(&order).await.ending, Ending::TimedOut);
    let order = Order { attempt: Some(1), ..exec(&sshd, &["true"]) };
    let trace = ams::execute::actuator::Actuator::trace(
        &*bench.commands,
        &order.action,
        order.host.as_ref(),
    );
    assert_eq!(trace, None, "nothing could be found again");
}

#[tokio::test]
async fn powershell_is_not_for_servers_with_a_shell() {
    let sshd = Sshd::start().await;
    let mut order = look(&sshd, "");
    if let ams::execute::actuator::Action::Command(command) = &mut order.action {
        command.program = Program::PowerShell("Get-Date".to_owned());
    }
    let seen = Bench::new(&sshd).act(&order).await;
    assert!(reason(&seen).contains("PowerShell cannot be run here"), "{seen:?}");
}

/// Ways of two customers to hosts of the same name are two.
#[tokio::test]
async fn a_host_of_another_customer_is_another_host() {
    let sshd = Sshd::start().await;
    let bench = Bench::new(&sshd);
    let ours = change(&sshd, "true");
    bench.act(&ours).await;
    let other = changed(&sshd, |it| "other".clone_into(&mut it.customer));
    let theirs = by(other, ours.clone());
    let commands = Arc::clone(&bench.commands);
    let trace = |order: &Order| {
        ams::execute::actuator::Actuator::trace(&*commands, &order.action, order.host.as_ref())
    };
    assert_ne!(trace(&ours), trace(&theirs));
    let adopted = ams::execute::actuator::Actuator::adopt(
        &*commands,
        &theirs,
        trace(&ours).as_deref(),
        &bench.cancel,
    )
    .await;
    assert_eq!(adopted, ams::execute::actuator::Adopted::Unknown);
    let door = SshDoor { port: 1, ..sshd.words().door };
    let moved = by(changed(&sshd, |it| it.door = door.clone()), ours.clone());
    assert_eq!(trace(&ours), trace(&moved), "an address may change under a run");
}
