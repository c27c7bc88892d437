use std::process::Output;
use std::time::Duration;

use ams::execute::host_probe::Word;
use ams::execute::host_program::{Carrier, Places, refusal};
use proptest::prelude::Rng as _;

use super::{Host, change, now, shells, text};

const ONCE: &str = "echo began >>\"$HOME/times\"";

fn both() -> impl Iterator<Item = (&'static str, Carrier)> {
    let carriers = [Carrier::Agent, Carrier::Connection];
    shells().into_iter().flat_map(move |shell| carriers.map(|carrier| (shell, carrier)))
}

fn carried(host: &Host, program: &str, carrier: Carrier) -> Output {
    match carrier {
        Carrier::Agent => host.run_file(program),
        Carrier::Connection => host.run(program),
    }
}

/// It refused with this code, before it began.
#[track_caller]
fn refused(host: &Host, ran: &Output, code: i32) {
    assert_eq!(ran.status.code(), Some(code), "{} {ran:?}", host.shell);
    assert!(refusal(code).is_some() && !text(&ran.stdout).contains("AMS-BEGIN"), "{ran:?}");
}

#[test]
fn a_second_start_is_refused() {
    for (shell, carrier) in both() {
        let host = Host::new(shell);
        let program = host.program(&change(ONCE), carrier);
        assert_eq!(carried(&host, &program, carrier).status.code(), Some(0), "{shell}");
        refused(&host, &carried(&host, &program, carrier), 97);
        assert_eq!(host.read("times"), "began\n");
    }
}

#[test]
fn of_sixty_four_at_once_one_begins() {
    for (shell, carrier) in both() {
        let mut host = Host::new(shell);
        let (one, two) = (host.path("one"), host.path("two"));
        host.places = Places::new([one, two].map(|path| path.display().to_string())).unwrap();
        let program = host.program(&change(ONCE), carrier);
        let started: Vec<_> = (0..64).map(|_| host.start(&program)).collect();
        let mut codes = Vec::new();
        for (child, _stdin) in started {
            codes.push(child.wait_with_output().unwrap().status.code());
        }
        assert_eq!(host.read("times"), "began\n", "{shell}");
        codes.sort_unstable();
        assert_eq!((codes[0], codes[1], codes[63]), (Some(0), Some(97), Some(97)), "{shell}");
    }
}

#[test]
fn a_late_start_is_refused() {
    for (shell, carrier) in both() {
        let host = Host::new(shell);
        let last = now() - Duration::from_secs(2);
        let program = host.program_until(&change(ONCE), carrier, last);
        refused(&host, &carried(&host, &program, carrier), 96);
        assert_eq!(host.read("times"), "");
        // It has not used its name up.
        assert_eq!(host.probe(Some(1), None), (1, Word::Fenced));
    }
}

#[test]
fn the_next_place_is_taken_where_the_first_one_takes_nothing() {
    for (shell, carrier) in both() {
        let mut host = Host::new(shell);
        std::fs::write(host.path("file"), "").unwrap();
        let paths = ["file/below", "second", "third"].map(|it| host.path(it).display().to_string());
        host.places = Places::new(paths).unwrap();
        let program = host.program(&change(ONCE), carrier);
        assert_eq!(carried(&host, &program, carrier).status.code(), Some(0), "{shell}");
        assert!(host.path("second/ams-00ff-1").exists() && !host.path("third").exists());
        refused(&host, &carried(&host, &program, carrier), 97);
        assert_eq!(host.probe(None, None), (1, Word::Exited(0)));
    }
}

#[test]
fn without_any_place_nothing_begins() {
    for (shell, carrier) in both() {
        let mut host = Host::new(shell);
        std::fs::write(host.path("file"), "").unwrap();
        host.places = Places::new([host.path("file/below").display().to_string()]).unwrap();
        let program = host.program(&change(ONCE), carrier);
        refused(&host, &carried(&host, &program, carrier), 98);
        assert_eq!(host.probe(None, None), (1, Word::NoRoom));
        assert_eq!(host.read("times"), "");
    }
}

/// A full disk takes a folder and not what is written into it.
#[test]
fn a_marker_that_cannot_say_anything_is_none() {
    for (shell, carrier) in both() {
        let host = Host::new(shell);
        let program = host.program(&change(ONCE), carrier);
        let full = format!("trap '' XFSZ; ulimit -f 0; {program}");
        refused(&host, &carried(&host, &full, carrier), 98);
        assert!(!host.path("markers/ams-00ff-1").exists(), "{shell}");
        // The disk has room again.
        assert_eq!(carried(&host, &program, carrier).status.code(), Some(0));
        assert_eq!(host.read("times"), "began\n");
    }
}

#[test]
fn a_host_without_base64_begins_nothing() {
    let host = Host::new("/bin/sh");
    let program = host.program(&change(ONCE), Carrier::Agent);
    let bare = format!("PATH={}; {program}", host.path("bin").display());
    refused(&host, &host.run_file(&bare), 95);
    assert!(!host.path("markers").exists());
}

#[test]
fn a_text_that_is_cut_anywhere_does_nothing() {
    let cut = |host: &Host, text: &str| {
        let (child, stdin) = host.start(text);
        drop(stdin);
        child.wait_with_output().unwrap()
    };
    for shell in shells() {
        let host = Host::new(shell);
        let program = host.program(&change(ONCE), Carrier::Connection);
        // Without the line break at its end it is whole. One shell sees every beginning, the others
        // those of the last lines, which are the ones that call something.
        let whole = program.len() - 1;
        let first = if shell == "/bin/sh" { 0 } else { whole - 200 };
        for end in first..whole {
            let ran = cut(&host, &program[..end]);
            assert!(!text(&ran.stdout).contains("AMS-"), "{shell}, cut at {end}: {ran:?}");
        }
        assert!(!host.path("markers").exists() && host.read("times").is_empty());
    }
}

#[test]
fn a_probe_tells_what_became_of_a_change() {
    for (shell, carrier) in both() {
        let host = Host::new(shell);
        for attempt in 1..=3 {
            let mut order = change(&format!("exit {attempt}"));
            order.attempt = Some(attempt);
            carried(&host, &host.program(&order, carrier), carrier);
        }
        assert_eq!(host.probe(None, None), (3, Word::Exited(3)), "{shell}");
        assert_eq!(host.probe(Some(2), None), (2, Word::Exited(2)), "{shell}");
        assert_eq!(host.probe(Some(4), None), (4, Word::Fenced), "{shell}");
    }
}

#[test]
fn what_never_began_cannot_begin_once_somebody_has_asked() {
    for (shell, carrier) in both() {
        let mut host = Host::new(shell);
        let (one, two) = (host.path("one"), host.path("two"));
        host.places = Places::new([one, two].map(|path| path.display().to_string())).unwrap();
        assert_eq!(host.probe(None, None), (1, Word::Fenced));
        assert_eq!(host.probe(None, None), (1, Word::Fenced));
        let program = host.program(&change(ONCE), carrier);
        refused(&host, &carried(&host, &program, carrier), 97);
        assert_eq!(host.read("times"), "");
    }
}

/// A marker in memory would be gone, so its absence says nothing.
#[test]
fn a_host_that_was_restarted_since_cannot_tell() {
    for shell in shells() {
        let host = Host::new(shell);
        let century = Some(Duration::from_hours(100 * 365 * 24));
        assert_eq!(host.probe(None, century), (1, Word::Rebooted));
        // Nor can it when it is asked again.
        assert_eq!(host.probe(None, Some(Duration::ZERO)), (1, Word::Rebooted));
        // What left its marker is told whatever happened since.
        let host = Host::new(shell);
        host.run(&host.program(&change("exit 4"), Carrier::Connection));
        assert_eq!(host.probe(None, century), (1, Word::Exited(4)));
        std::fs::remove_file(host.path("markers/ams-00ff-1/exit")).unwrap();
        std::fs::write(host.path("markers/ams-00ff-1/pid"), "1 1 another-boot\n").unwrap();
        assert_eq!(host.probe(None, None), (1, Word::Rebooted));
    }
}

/// Either it ran, or nobody lets it run any more; whoever was faster.
#[test]
fn a_probe_and_a_start_at_once_never_both_have_their_way() {
    let mut random = proptest::test_runner::TestRng::deterministic_rng(
        proptest::test_runner::RngAlgorithm::ChaCha,
    );
    let (mut fenced, mut ran) = (0, 0);
    for round in 0..60 {
        let shells = shells();
        let mut host = Host::new(shells[round % shells.len()]);
        std::fs::write(host.path("file"), "").unwrap();
        let all = ["file/below", "one", "two"].map(|it| host.path(it).display().to_string());
        host.places = Places::new(all).unwrap();
        let program = host.program(&change(ONCE), Carrier::Connection);
        let delay = |most: u32| Duration::from_micros(u64::from(most));
        let (before, after) = (random.next_u32() % 6_000, random.next_u32() % 6_000);
        let (_, word) = std::thread::scope(|scope| {
            let start = scope.spawn(|| {
                std::thread::sleep(delay(before));
                host.run(&program)
            });
            std::thread::sleep(delay(after));
            let probed = host.probe(None, None);
            start.join().unwrap();
            probed
        });
        let times = host.read("times");
        match word {
            Word::Fenced => {
                fenced += 1;
                assert_eq!(times, "", "round {round}");
            }
            Word::Running | Word::Exited(0) => {
                ran += 1;
                assert_eq!(times, "began\n", "round {round}");
            }
            other => panic!("round {round}: {other:?}"),
        }
    }
    assert!(fenced > 0 && ran > 0, "fenced {fenced}, ran {ran}");
}
