use std::collections::BTreeMap;

use ams::execute::actuator::{Action, Command, Program};
use ams::execute::host_probe::Sought;
use ams::execute::host_program::{Carrier, HostProgram, Places, Unfit};
use proptest::prelude::ProptestConfig;
use proptest::{prop_assert_eq, proptest};

use super::{Host, MOST_BYTES, change, look, now, shells, text};
use crate::harness::commands::{exec, set};

/// What titles may hold. None may be anything but itself at the other end.
const HOSTILE: [&str; 18] = [
    "$(touch hacked)",
    "`touch hacked`",
    "'; touch hacked; '",
    "\"; touch hacked; \"",
    "${HOME}/$HOME/~",
    "{{ssm:canary}} {{ capture.host }} }}{{",
    "line one\nline two\n\n\n",
    "\r\n\t\u{b}\u{1b}[31mred\u{7}",
    "-n",
    "-e a\\nb",
    "%s%d%n",
    "back\\slash \\' \\\" \\$ \\",
    "\u{202e}gnp.exe\u{200f}\u{feff}",
    "サーバー停止　［緊急］ ～ ﾊﾝｶｸ",
    "* ? [a-z] {a,b} !! #comment & | < > ;",
    "",
    ".",
    "\n",
];

fn hostile() -> Vec<String> {
    let long = "\u{3042}'\"$(x)`\\\n{{".chars().cycle().take(1_024).collect();
    HOSTILE.map(str::to_owned).into_iter().chain([long]).collect()
}

/// Sends the values through and gives back what arrived.
fn sent_through(host: &Host, carrier: Carrier, changes: bool, values: &[String]) -> Vec<String> {
    let writes = |index| format!("printf %s \"$V{index}\" >\"$HOME/value-{index}\"");
    let script = (0..values.len()).map(writes).collect::<Vec<_>>().join("\n");
    let mut order = if changes { change(&script) } else { look(&script) };
    for (index, value) in values.iter().enumerate() {
        set(&mut order, &format!("V{index}"), value);
    }
    let program = host.program(&order, carrier);
    assert!(!program.contains("{{"), "an agent would fill something in");
    let ran = match carrier {
        Carrier::Agent => host.run_file(&program),
        Carrier::Connection => host.run(&program),
    };
    assert!(ran.status.success(), "{} {ran:?}", host.shell);
    assert_eq!(text(&ran.stderr), "", "{}", host.shell);
    (0..values.len()).map(|index| host.read(&format!("value-{index}"))).collect()
}

#[test]
fn hostile_values_arrive_as_they_are_in_every_shell() {
    for shell in shells() {
        for (carrier, changes) in [
            (Carrier::Agent, false),
            (Carrier::Agent, true),
            (Carrier::Connection, false),
            (Carrier::Connection, true),
        ] {
            let host = Host::new(shell);
            assert_eq!(sent_through(&host, carrier, changes, &hostile()), hostile(), "{shell}");
            assert!(!host.path("hacked").exists());
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(16) })]
    #[test]
    fn any_values_arrive_as_they_are(values in proptest::collection::vec("[^\\x00]{0,40}|[ -/{}`\\\\\n]{0,12}", 1..24)) {
        for shell in shells() {
            let host = Host::new(shell);
            prop_assert_eq!(&sent_through(&host, Carrier::Agent, false, &values), &values);
        }
    }
}

#[test]
fn the_authors_script_arrives_as_it_was_written() {
    let script =
        "cat <<'END'\n{{ssm:canary}} {{{{ '{{' it's \"$HOME\" `x` \\ }}\nEND\nprintf '%s' 日本";
    for shell in shells() {
        let host = Host::new(shell);
        let program = host.program(&look(script), Carrier::Agent);
        assert!(!program.contains("{{"));
        let ran = host.run_file(&program);
        let said = text(&ran.stdout);
        assert_eq!(said, "AMS-BEGIN 00ff\n{{ssm:canary}} {{{{ '{{' it's \"$HOME\" `x` \\ }}\n日本");
    }
}

#[test]
fn words_of_a_program_are_no_shell_text() {
    let words = ["printf", "[%s]", "$(id)", "it's", "; ls", "a  b", "", "{{x}}", "\n"];
    for shell in shells() {
        let host = Host::new(shell);
        let ran = host.run_file(&host.program(&exec(&words), Carrier::Agent));
        assert_eq!(text(&ran.stdout), "AMS-BEGIN 00ff\n[$(id)][it's][; ls][a  b][][{{x}}][\n]");
    }
}

#[test]
fn the_command_knows_whose_run_it_is_and_finds_nothing_on_its_input() {
    let script =
        "cat; echo \"$AMS_INCIDENT $AMS_RUN $AMS_STEP $AMS_NONCE\"; umask; env | grep -c ams_";
    for shell in shells() {
        let host = Host::new(shell);
        let umask = text(&host.run_file("umask\n").stdout);
        let ran = host.run(&host.program(&look(script), Carrier::Connection));
        let expected =
            format!("AMS-BEGIN 00ff\nPT4KHLK 2 3 00ff\n{umask}0\n\nAMS-END 00ff EXIT 1\n");
        assert_eq!(text(&ran.stdout), expected, "{shell}");
    }
}

#[test]
fn what_cannot_arrive_unchanged_is_not_sent() {
    let host = Host::new("/bin/sh");
    let refused = |order: &ams::execute::actuator::Order, most_bytes| {
        let (places, not_after, limit) = (&host.places, now(), order.timeout);
        let program = HostProgram { order, places, not_after, limit, most_bytes };
        program.shell(Carrier::Agent).unwrap_err().to_string()
    };
    let mut order = look("true");
    set(&mut order, "TITLE", "a\0b");
    assert_eq!(refused(&order, MOST_BYTES), "the value of TITLE contains a NUL character");
    for name in ["A-B", "A=B", "", "1A", "A B", "PPID"] {
        let mut order = look("true");
        set(&mut order, name, "x");
        assert!(refused(&order, MOST_BYTES).contains("cannot name an environment variable"));
    }
    let mut order = look("true");
    set(&mut order, "BODY", &"x".repeat(50_000));
    let reason = refused(&order, 56 * 1024);
    assert!(reason.ends_with("bytes; a host takes at most 57344"), "{reason}");
    set(&mut order, "BODY", &"x".repeat(140_000));
    let reason = refused(&order, MOST_BYTES);
    assert_eq!(reason, "the value of BODY has 140005 bytes; a host takes at most 131071");
    assert_eq!(refused(&exec(&[]), MOST_BYTES), "the command names no program");
    assert_eq!(refused(&look("a\0b"), MOST_BYTES), "the command contains a NUL character");
}

#[test]
fn a_large_value_arrives_whole() {
    let value = "値".repeat(40_000);
    for shell in shells() {
        let host = Host::new(shell);
        let values = [value.clone()];
        assert_eq!(sent_through(&host, Carrier::Connection, false, &values), values);
    }
}

#[test]
fn places_are_plain_paths() {
    for bad in ["", "var/lib", "/var/lib/my ams", "/a/$(x)", "/a/../b", "/", "~root/x", "/a'b"] {
        assert_eq!(Places::new([bad.to_owned()]), None, "{bad}");
    }
    assert!(Places::new(["/var/lib/ams-2".to_owned(), "~/.ams".to_owned()]).is_some());
    assert_eq!(Places::new([]), None);
}

/// There is no PowerShell here to run it: only what the text holds can be looked at.
#[test]
fn powershell_gets_values_and_script_as_base64() {
    let program = Program::PowerShell("Write-Output “$env:TITLE” '{{ssm:x}}'".to_owned());
    let env = BTreeMap::from([("TITLE".to_owned(), "’; Restart-Computer; ‘$(x)".to_owned())]);
    let host = Host::new("/bin/sh");
    let mut order = change("");
    order.action = Action::Command(Command { program, env });
    let (places, not_after) = (&host.places, "2026-11-23T05:00:00Z".parse().unwrap());
    let limit = order.timeout;
    let rendered = |order: &_| {
        let most_bytes = 56 * 1024;
        HostProgram { order, places, not_after, limit, most_bytes }.powershell()
    };
    let sent = rendered(&order).unwrap();
    assert!(!sent.contains("{{") && !sent.contains("Restart-Computer") && !sent.contains('’'));
    assert!(sent.contains("SetEnvironmentVariable('TITLE', (Read-Ams '4oCZOyBSZXN0"), "{sent}");
    assert!(sent.contains("Invoke-AmsScript 'V3JpdGUtT3V0cHV0"));
    assert!(sent.ends_with("Invoke-Ams 'ams-00ff-1' 1795410000 '00ff'\n}\n"), "{sent}");
    assert!(sent.is_ascii() && sent.starts_with("& {\n"), "read alike in every code page");

    let mut words = exec(&["net.exe", "start", "W3SVC"]);
    assert!(rendered(&words).unwrap().contains("& (Read-Ams 'bmV0LmV4ZQ==') @arguments"));
    words = exec(&["net.exe", "a\"b"]);
    assert_eq!(rendered(&words), Err(Unfit::Quote("a\"b".to_owned())));
    assert_eq!(rendered(&look("true")), Err(Unfit::ShellHere));

    let probe = Sought { nonce: "00ff", attempt: None, announced_ago: None }.powershell_probe();
    assert!(probe.ends_with("Invoke-AmsProbe '00ff' 0\n}\n"));
}
