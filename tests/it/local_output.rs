use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;

use ams::execute::actuator::Ending;
use ams::execute::local::LocalCommands;
use ams::limits;

use crate::harness::commands::{Bench, detached, inherited, reason};

#[tokio::test]
async fn a_long_output_is_capped_in_memory_and_whole_on_disk() {
    let bench = Bench::new();
    let seen = bench.run(r#"seq 1 800000 | tee "$DIR/copy""#).await;
    assert_eq!(seen.ending, Ending::Exited(0));
    let copy = fs::read(bench.path("copy")).unwrap();
    assert!(copy.len() > 5_000_000);
    let out = seen.stdout;
    assert_eq!(out.total_bytes, copy.len() as u64);
    assert_eq!(out.head.len(), limits::OUTPUT_MEMORY_BYTES / 2);
    assert_eq!(out.tail.len(), limits::OUTPUT_MEMORY_BYTES / 2);
    assert!(copy.starts_with(out.head.as_bytes()) && copy.ends_with(out.tail.as_bytes()));

    let evidence = out.evidence.unwrap();
    assert_eq!(evidence, bench.path("evidence/PT4KHLK/2-3-00ff-stdout.txt"));
    assert!(fs::read(&evidence).unwrap() == copy, "the evidence differs from the output");
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&evidence), 0o600);
    assert_eq!(mode(evidence.parent().unwrap()), 0o700);
    assert!(seen.stderr.evidence.is_none());
}

#[tokio::test]
async fn an_output_over_the_inline_limit_is_whole_in_both_places() {
    let bench = Bench::new();
    let seen = bench.run("head -c 2048 /dev/zero | tr '\\0' a").await;
    assert!(seen.stdout.evidence.is_none() && seen.stdout.head.len() == 2048);

    let seen = bench.run("for i in 1 2 3 4; do head -c 16384 /dev/zero | tr '\\0' $i; done").await;
    let out = seen.stdout;
    assert!(out.is_whole());
    assert_eq!(out.head.len(), limits::OUTPUT_MEMORY_BYTES);
    assert_eq!(fs::read_to_string(out.evidence.unwrap()).unwrap(), out.head);
}

#[tokio::test]
async fn evidence_has_an_end_even_when_the_output_has_none() {
    let bench = Bench::new();
    let beyond = limits::EVIDENCE_FILE_BYTES + 1_000_000;
    let seen = bench.run(&format!("yes | head -c {beyond}")).await;
    assert_eq!(seen.stdout.total_bytes, beyond);
    let evidence = fs::metadata(seen.stdout.evidence.unwrap()).unwrap();
    assert_eq!(evidence.len(), limits::EVIDENCE_FILE_BYTES);
}

#[tokio::test]
async fn japanese_output_is_cut_between_characters() {
    let bench = Bench::new();
    for offset in ["", "x", "xy"] {
        let script =
            format!("printf '{offset}'; yes 障 | head -n 40000 | tr -d '\\n'; printf '{offset}'");
        let out = bench.run(&script).await.stdout;
        assert!(!out.is_whole());
        assert_eq!(out.total_bytes, 120_000 + 2 * offset.len() as u64);
        let (head, tail) = (out.head.as_str(), out.tail.as_str());
        let head = head.strip_prefix(offset).unwrap();
        let tail = tail.strip_suffix(offset).unwrap();
        assert!(head.chars().chain(tail.chars()).all(|c| c == '障'));
        assert!(out.head.len() > limits::OUTPUT_MEMORY_BYTES / 2 - 3);
        assert!(out.tail.len() > limits::OUTPUT_MEMORY_BYTES / 2 - 3);
    }
}

#[tokio::test]
async fn evidence_that_cannot_be_written_does_not_fail_the_step() {
    let mut bench = Bench::new();
    let file = bench.path("not-a-directory");
    fs::write(&file, "").unwrap();
    bench.commands = Arc::new(LocalCommands::new(file, detached(bench.dir.path()), inherited()));
    let seen = bench.run("seq 1 100000").await;
    assert_eq!(seen.ending, Ending::Exited(0));
    assert_eq!(seen.stdout.total_bytes, 588_895);
    assert_eq!(seen.stdout.evidence, None);
    assert!(seen.stdout.tail.ends_with("99999\n100000\n"));
}

#[tokio::test]
async fn a_nonce_cannot_leave_the_evidence_directory() {
    let bench = Bench::new();
    let mut order = bench.script("seq 1 10000");
    order.nonce = "../../../x\0y".to_owned();
    // Such a nonce is no environment value either: the command is not started at all.
    assert!(reason(&bench.act(&order).await).contains("cannot start"));
    order.nonce = "../../../xy".to_owned();
    let evidence = bench.act(&order).await.stdout.evidence.unwrap();
    assert_eq!(evidence, bench.path("evidence/PT4KHLK/2-3-xy-stdout.txt"));
}
