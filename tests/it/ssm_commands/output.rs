use ams::limits;

use super::*;
use crate::aws::Fault;

const LONG: &str = "head -c 104857600 /dev/zero | tr '\\0' x; echo; echo end; echo oops >&2";

fn long(words: &AwsAccountWords) -> Order {
    by(way(words, WEB), within(script(LONG), Duration::from_mins(1)))
}

#[tokio::test]
async fn what_ssm_cuts_is_fetched_from_the_customers_bucket() {
    let site = Site::new().await;
    let bucket = site.account.bucket(TOKYO, "shop-output");
    let bench = Bench::new(&site).await;
    let seen = bench.act(&long(&with_output("shop-output"))).await;
    assert_eq!(seen.ending, Ending::Exited(0), "{:?}", seen.stderr);
    let keys = bucket.keys();
    let stdout = keys.iter().find(|key| key.ends_with("/stdout")).unwrap();
    let id = &site.host.commands()[0].id;
    let expected = format!("ssm/{id}/{WEB}/awsrunShellScript/0.awsrunShellScript/stdout");
    assert_eq!(*stdout, expected);
    // As much as an evidence file takes, and no more of it was read.
    assert!(seen.stdout.cut);
    assert!(seen.stdout.total_bytes >= limits::EVIDENCE_FILE_BYTES);
    assert!(seen.stdout.head.starts_with("xxx") && !seen.stdout.head.contains("AMS-BEGIN"));
    assert_eq!(seen.stderr.head, "oops\n");
    let evidence = std::fs::metadata(seen.stdout.evidence.unwrap()).unwrap();
    assert_eq!(evidence.len(), limits::EVIDENCE_FILE_BYTES);

    // What fits is whole, to its last byte.
    let text = "head -c 100000 /dev/zero | tr '\\0' x; echo; echo end";
    let seen = bench.act(&by(way(&with_output("shop-output"), WEB), script(text))).await;
    assert!(!seen.stdout.cut && seen.stdout.tail.ends_with("x\nend\n"), "{:?}", seen.stdout);
    assert_eq!(seen.stdout.total_bytes, 100_005);
    // A short one costs no request.
    let asked = site.account.asked("GetObject");
    let seen = bench.act(&by(way(&with_output("shop-output"), WEB), script("echo up"))).await;
    assert_eq!((seen.stdout.head.as_str(), site.account.asked("GetObject")), ("up\n", asked));
}

#[tokio::test]
async fn without_the_bucket_what_ssm_has_is_told_as_cut() {
    let site = Site::new().await;
    site.account.bucket(TOKYO, "shop-output");
    let bench = Bench::new(&site).await;
    let text = "head -c 100000 /dev/zero | tr '\\0' x";
    for fault in [Fault::Deny, Fault::ErrorBefore, Fault::LoseAnswer] {
        site.account.meets(1, "GetObject", fault);
        let seen = bench.act(&by(way(&with_output("shop-output"), WEB), script(text))).await;
        assert_eq!(seen.ending, Ending::Exited(0), "{fault:?}");
        assert!(seen.stdout.cut && seen.stdout.head.starts_with("xxx"), "{fault:?}");
        assert!(seen.stdout.total_bytes < 24_000, "{fault:?}");
    }
}
