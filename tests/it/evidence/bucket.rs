//! Evidence in a bucket: what is there, what people are told, and what happens when the bucket takes
//! nothing.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use ams::aws::own::Own;
use ams::aws::s3::Bucket as Place;
use ams::aws::signed::Signed;
use ams::clock::SystemClock;
use ams::evidence::{Evidence, Store};
use ams::incident::Outcome;
use ams::metrics::Metrics;
use aws_sdk_ssm::config::{Credentials, SharedCredentialsProvider};
use tempfile::TempDir;

use crate::aws::{Aws, Bucket, Fault};
use crate::harness::wait;
use crate::harness::world::World;

const REGION: &str = "ap-northeast-1";
const BUCKET: &str = "example-msp-ams-evidence";
const FILE: &str = "QKEPT/1-0-26bc57c402f1436c-stdout.txt";
const KEY: &str = "ams/QKEPT/1-0-26bc57c402f1436c-stdout.txt";

struct Bench {
    aws: Aws,
    bucket: Bucket,
    dir: TempDir,
    evidence: Evidence,
    metrics: Metrics,
}

async fn bench() -> Bench {
    let aws = Aws::start().await;
    let bucket = aws.home().bucket(REGION, BUCKET);
    let keys = aws.home().keys();
    let clock = Arc::new(SystemClock);
    let credentials = Credentials::new(&keys.id, &keys.secret, None, None, "test");
    let place = Place {
        name: BUCKET.to_owned(),
        region: REGION.to_owned(),
        prefix: "ams".to_owned(),
        endpoint: Some(aws.url().to_owned()),
    };
    let store = Store {
        bucket: place,
        signed: Signed::new(clock.clone()).unwrap(),
        own: Own::of(SharedCredentialsProvider::new(credentials), clock),
    };
    let dir = tempfile::tempdir().unwrap();
    let metrics = Metrics::default();
    let kept = Duration::from_hours(24);
    let evidence = Evidence::new(dir.path().to_owned(), kept, metrics.clone()).stored_in(store);
    Bench { aws, bucket, dir, evidence, metrics }
}

impl Bench {
    fn write(&self, name: &str, text: &[u8]) -> PathBuf {
        let path = self.dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        path
    }

    async fn until_gone(&self, path: &Path) {
        wait::until("the file to be in the bucket", || !path.exists()).await;
    }

    async fn until_failed(&self, times: u64) {
        wait::until("it to fail", || self.metrics.evidence_upload_failures.get() >= times).await;
    }
}

const LONG: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_file_goes_to_the_bucket_whole_and_leaves_the_disk() {
    let bench = bench().await;
    let text = "日本語 and bytes \u{0} ".repeat(100_000);
    let path = bench.write(FILE, text.as_bytes());
    bench.evidence.offer(&path);
    let places = bench.evidence.places(vec![path.clone()], LONG).await;
    let link = format!(
        "https://{REGION}.console.aws.amazon.com/s3/object/{BUCKET}?region={REGION}&prefix={KEY}"
    );
    assert_eq!(places.get(&path), Some(&link));
    assert!(!path.exists() && !path.parent().unwrap().exists());
    let object = bench.bucket.object(KEY).unwrap();
    assert!(object.body == text.as_bytes(), "the object differs from the file");
    assert_eq!(object.headers["content-type"], "text/plain; charset=utf-8");
    assert_eq!(bench.metrics.evidence_uploads.get(), 1);
}

/// What only may have arrived is written once more: the same bytes under the same name.
#[tokio::test]
async fn a_lost_answer_and_a_busy_bucket_cost_another_attempt() {
    for fault in [Fault::LoseAnswer, Fault::ErrorAfter, Fault::Throttle, Fault::LoseRequest] {
        let bench = bench().await;
        bench.aws.home().meets(1, "PutObject", fault);
        let path = bench.write(FILE, b"output");
        bench.evidence.offer(&path);
        bench.until_gone(&path).await;
        assert_eq!(bench.aws.asked("PutObject"), 2, "{fault:?}");
        assert_eq!(bench.bucket.keys(), [KEY]);
    }
}

#[tokio::test]
async fn credentials_that_are_over_are_looked_up_again() {
    let bench = bench().await;
    bench.aws.home().meets(1, "PutObject", Fault::Expire);
    let path = bench.write(FILE, b"output");
    bench.evidence.offer(&path);
    bench.until_gone(&path).await;
    assert_eq!(bench.bucket.keys(), [KEY]);
}

#[tokio::test]
async fn what_the_bucket_does_not_take_stays_and_comes_later() {
    let bench = bench().await;
    bench.aws.home().meets(1, "PutObject", Fault::Deny);
    let path = bench.write(FILE, b"output");
    bench.evidence.offer(&path);
    bench.until_failed(1).await;
    let places = bench.evidence.places(vec![path.clone()], LONG).await;
    assert!(places.is_empty(), "the note names the file: {places:?}");
    assert!(path.exists());
    // The hourly round; a file that was written a moment ago may still be under way.
    let now = SystemTime::UNIX_EPOCH + Duration::from_hours(24 * 20_000);
    let written = |ago| File::options().write(true).open(&path).unwrap().set_modified(now - ago);
    written(Duration::from_secs(10)).unwrap();
    bench.evidence.sweep(now).await;
    assert!(path.exists() && bench.aws.asked("PutObject") == 1);
    written(Duration::from_mins(6)).unwrap();
    bench.evidence.sweep(now).await;
    bench.until_gone(&path).await;
    assert_eq!(bench.bucket.object(KEY).unwrap().body, "output");
    assert_eq!(bench.evidence.places(vec![path.clone()], LONG).await.len(), 1);
}

/// A command that was adopted writes its file anew, also while the first one is being sent.
#[tokio::test]
async fn a_file_that_changes_on_the_way_is_not_removed() {
    let bench = bench().await;
    bench.aws.home().meets(1, "PutObject", Fault::Slow(Duration::from_secs(1)));
    let path = bench.write(FILE, b"first");
    bench.evidence.offer(&path);
    wait::until("it to be under way", || bench.aws.asked("PutObject") == 1).await;
    fs::write(&path, "second and longer").unwrap();
    bench.evidence.places(vec![path.clone()], LONG).await;
    assert_eq!(fs::read_to_string(&path).unwrap(), "second and longer");
    bench.evidence.offer(&path);
    bench.until_gone(&path).await;
    assert_eq!(bench.bucket.object(KEY).unwrap().body, "second and longer");
}

#[tokio::test]
async fn an_end_waits_a_moment_for_its_files_and_no_longer() {
    let bench = bench().await;
    bench.aws.home().meets(9, "PutObject", Fault::Hang);
    let path = bench.write(FILE, b"output");
    bench.evidence.offer(&path);
    let began = tokio::time::Instant::now();
    let places = bench.evidence.places(vec![path.clone()], Duration::from_millis(200)).await;
    assert!(places.is_empty() && path.exists());
    assert!(began.elapsed() < Duration::from_secs(5));
}

const PRINTS: &str = "\
scenario: prints
about: 長い出力
match: {all: [config]}
steps:
  - gather: {name: 設定, run: 'seq 1 5000'}
";

fn story(aws: &Aws) -> crate::harness::world::WorldBuilder {
    let keys = aws.home().keys();
    World::with(PRINTS)
        .environment("AWS_ACCESS_KEY_ID", &keys.id)
        .environment("AWS_SECRET_ACCESS_KEY", &keys.secret)
        .environment("AMS_EVIDENCE_S3_BUCKET", BUCKET)
        .environment("AMS_EVIDENCE_S3_REGION", REGION)
        .environment("AMS_EVIDENCE_S3_PREFIX", "ams/evidence/")
        .environment("AMS_EVIDENCE_S3_ENDPOINT", aws.url())
}

#[tokio::test]
async fn a_note_leads_to_the_object() {
    let aws = Aws::start().await;
    let bucket = aws.home().bucket(REGION, BUCKET);
    let world = story(&aws).start().await;
    let incident = world.fire("config changed");
    world.expect(&incident, Outcome::HandedOff).await;
    let keys = bucket.keys();
    assert_eq!(keys.len(), 1, "{keys:?}");
    assert!(keys[0].starts_with(&format!("ams/evidence/{incident}/1-0-")), "{keys:?}");
    let note = world.last_note(&incident);
    let link = format!("s3/object/{BUCKET}?region={REGION}&prefix={}", keys[0]);
    assert!(note.contains(&link), "{note}");
    assert!(bucket.object(&keys[0]).unwrap().body.ends_with(b"4999\n5000\n"));
    world.end().await;
}

/// The incident does not wait for the bucket, and people find what it has where it is.
#[tokio::test]
async fn without_the_bucket_a_note_names_the_file() {
    let aws = Aws::start().await;
    let world = story(&aws).start().await;
    let incident = world.fire("config changed");
    world.expect(&incident, Outcome::HandedOff).await;
    let note = world.last_note(&incident);
    let folder = world.path("cluster/evidence").join(incident.as_str());
    assert!(note.contains(&format!(":{}", folder.display())), "{note}");
    assert_eq!(fs::read_dir(folder).unwrap().count(), 1);
    let owner = &world.cluster.regions[world.owner(&incident).await];
    wait::for_text(&owner.url("/metrics"), "ams_evidence_upload_failures_total 1").await;
    world.end().await;
}
