use ams::limits;

use super::*;
use crate::aws::{Begun, Played};
use crate::harness::commands::set;
use crate::harness::wait;

#[tokio::test]
async fn a_command_gives_its_code_and_both_streams() {
    let site = Site::new().await;
    let bench = Bench::new(&site).await;
    let text = "echo 接続できません; echo oops >&2; exit 3";
    for order in [look(text), change(text)] {
        let seen = bench.act(&order).await;
        assert_eq!(seen.ending, Ending::Exited(3), "{seen:?}");
        assert_eq!(seen.stdout.head, "接続できません\n");
        assert_eq!(seen.stderr.head, "oops\n");
        assert!(seen.stdout.is_whole() && seen.stderr.is_whole());
    }
    let sent = &site.host.commands()[1];
    assert_eq!(sent.comment, "ams 00ff-1 PT4KHLK/2 step 3");
    assert_eq!((sent.timeout_seconds, sent.execution_timeout), (30, 20));
    assert_eq!(site.aws.asked("SendCommand"), 2, "each is sent once");
}

#[tokio::test]
async fn codes_that_mean_something_to_agents_are_codes() {
    let site = Site::new().await;
    let bench = Bench::new(&site).await;
    for code in [137, 194] {
        let seen = bench.act(&look(&format!("exit {code}"))).await;
        assert_eq!(seen.ending, Ending::Exited(code), "{seen:?}");
        assert_eq!(seen.stderr.head, "");
    }
    assert_eq!(site.host.commands().iter().map(|sent| sent.runs.len()).max(), Some(1));
}

#[tokio::test]
async fn hostile_values_stay_values() {
    let site = Site::new().await;
    site.account.parameter(TOKYO, "canary", "the customer's password");
    let bench = Bench::new(&site).await;
    let long: String = "あ'\"$(x)`\\".chars().cycle().take(1_024).collect();
    let values = [
        "$(reboot)",
        "`touch x`",
        "'; touch x; '",
        "\"; touch x; \"",
        "{{ssm:canary}} {{ y }}",
        "a\nb\n\n",
        "\u{202e}gnp.exe",
        "-n",
        "%s",
        "",
        "\\",
        "a\r\nb",
        &long,
    ];
    let says = |index| format!("printf '<%s>' \"$V{index}\"");
    let text = (0..values.len()).map(says).collect::<Vec<_>>().join("\n");
    let expected: Vec<String> = values.iter().map(|value| format!("<{value}>")).collect();
    for mut order in [look(&text), change(&text)] {
        for (index, value) in values.iter().enumerate() {
            set(&mut order, &format!("V{index}"), value);
        }
        let seen = bench.act(&order).await;
        assert_eq!(seen.ending, Ending::Exited(0), "{seen:?}");
        assert_eq!(seen.stdout.head, expected.concat());
    }
    // The author's own braces are not for SSM either.
    let seen = bench.act(&look("echo '{{ssm:canary}} {{ x }}'")).await;
    assert_eq!(seen.stdout.head, "{{ssm:canary}} {{ x }}\n");
    assert!(site.host.commands().iter().all(|sent| sent.filled_in.is_empty()));
    assert!(!site.host.home().join("x").exists());
}

#[tokio::test]
async fn what_is_too_long_or_no_text_is_not_sent() {
    let site = Site::new().await;
    let bench = Bench::new(&site).await;
    let mut order = look("true");
    set(&mut order, "V", &"x".repeat(60_000));
    let seen = bench.act(&order).await;
    assert!(not_begun(&seen).contains("a host takes at most 57344"), "{seen:?}");
    set(&mut order, "V", "a\0b");
    assert!(not_begun(&bench.act(&order).await).contains("NUL"));
    let powershell = with_program(&look(""), Program::PowerShell("Get-Date".to_owned()));
    assert!(not_begun(&bench.act(&powershell).await).contains("PowerShell cannot be run here"));
    assert_eq!(site.sent(), 0);
}

#[tokio::test]
async fn a_long_output_is_told_as_cut() {
    let site = Site::new().await;
    let bench = Bench::new(&site).await;
    let text = "head -c 104857600 /dev/zero | tr '\\0' x; echo; echo end";
    let seen = bench.act(&within(look(text), Duration::from_mins(1))).await;
    assert_eq!(seen.ending, Ending::Exited(0), "{:?}", seen.stderr);
    assert!(seen.stdout.cut && !seen.stdout.is_whole());
    assert!(seen.stdout.total_bytes < limits::SSM_STDOUT_CHARS as u64);
    assert!(seen.stdout.head.starts_with("xxx") && !seen.stdout.tail.contains("truncated"));
}

#[tokio::test]
async fn what_ignores_being_asked_is_killed_at_its_timeout() {
    let site = Site::new().await;
    site.aws.execution_second_lasts(ms(200));
    let bench = Bench::new(&site).await;
    let text = "trap '' TERM; echo $$ >\"$HOME/new\"; mv \"$HOME/new\" \"$HOME/pid\"; echo begun
                while :; do sleep 0.2; done";
    for order in [look(text), change(text)] {
        let seen = bench.act(&within(order, Duration::from_secs(5))).await;
        assert_eq!(seen.ending, Ending::TimedOut, "{seen:?}");
        assert_eq!(seen.stdout.head, "begun\n");
        let stat = format!("/proc/{}/stat", site.host.read("pid").trim());
        wait::until("it to be gone", || std::fs::read_to_string(&stat).is_err()).await;
    }
}

#[tokio::test]
async fn a_look_that_nobody_waits_for_is_called_off() {
    let site = Site::new().await;
    let bench = Bench::new(&site).await;
    let running = bench.start(look("echo >\"$HOME/begun\"; sleep 60"));
    wait::until("the look to begin", || site.host.home().join("begun").exists()).await;
    bench.cancel.cancel();
    assert_eq!(running.await.unwrap().ending, Ending::Cancelled);
    wait::until("it to be told so", || site.host.commands()[0].details() == "Cancelled").await;
}

#[tokio::test]
async fn a_host_without_agent_is_sent_nothing_and_people_are_told_what_to_do() {
    let site = Site::new().await;
    let bench = Bench::new(&site).await;
    site.host.offline();
    let seen = bench.act(&change("true")).await;
    assert_eq!(
        not_begun(&seen),
        "web01: its agent is not there (ConnectionLost, last heard of 1h ago); check that the host \
         runs, and that the agent reaches SSM from it"
    );
    let other = by(way(&words(), "i-00000000000000000"), script("true"));
    assert!(not_begun(&bench.act(&other).await).starts_with(
        "web01: SSM does not know i-00000000000000000 in account 111122223333, ap-northeast-1;"
    ));
    // The next step asks again.
    site.host.online();
    assert_eq!(bench.act(&change("true")).await.ending, Ending::Exited(0));
    assert_eq!(site.sent(), 1);
}

#[tokio::test]
async fn windows_gets_powershell() {
    let site = Site::new().await;
    site.host.windows().plays(|_| Played {
        stdout: "AMS-BEGIN 00ff\r\nRunning\r\n".to_owned(),
        ..Played::default()
    });
    let bench = Bench::new(&site).await;
    let script = "(Get-Service W3SVC).Status # “サービス”";
    let mut order = with_program(&change(""), Program::PowerShell(script.to_owned()));
    set(&mut order, "TITLE", "’; Restart-Computer; ‘");
    let seen = bench.act(&order).await;
    assert_eq!((&seen.ending, seen.stdout.head.as_str()), (&Ending::Exited(0), "Running\r\n"));
    let sent = &site.host.commands()[0];
    assert_eq!(sent.document, "AWS-RunPowerShellScript");
    let texts = sent.powershell().texts;
    assert!(texts.iter().any(|text| text == script));
    assert!(texts.iter().any(|text| text == "’; Restart-Computer; ‘"));
    // A shell script is none of its, and what the file says must be so.
    assert!(not_begun(&bench.act(&look("true")).await).contains("on Windows"));
    let way = way_on(&words(), WEB, Some(Platform::Linux));
    let seen = bench.act(&by(way, super::script("true"))).await;
    assert!(not_begun(&seen).contains("the customer's file says linux and its agent windows"));
}

#[tokio::test]
async fn a_machine_that_dies_leaves_the_end_unknown() {
    let site = Site::new().await;
    let bench = Bench::new(&site).await;
    let order = within(change("echo begun >>\"$HOME/times\"; sleep 60"), ms(2_000));
    let dies = async {
        wait::until("its begin", || site.host.read("times") == "begun\n").await;
        site.host.dies(Begun::Dies);
    };
    let (seen, ()) = tokio::join!(bench.act(&order), dies);
    let reason = unknown(&seen);
    assert!(reason.starts_with("web01: ") && reason.contains("look there"), "{reason}");
    assert_eq!(site.host.read("times"), "begun\n");
}

#[tokio::test]
async fn without_a_place_at_aws_nothing_is_sent() {
    let places = Places::default();
    let (clock, http) = (Arc::new(SystemClock), reqwest::Client::new());
    let commands = SsmCommands::new("/nowhere".into(), (None, http), places, clock, TERMS);
    let seen = commands.act(&look("true"), &CancellationToken::new()).await;
    assert!(not_begun(&seen).contains("(`aws` in its settings)"), "{seen:?}");
}
