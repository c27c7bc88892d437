use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use ams::evidence::Evidence;
use ams::metrics::Metrics;
use tempfile::TempDir;

const DAY: Duration = Duration::from_hours(24);

const NAME: &str = "1-0-26bc57c402f1436c-stdout.txt";

fn now() -> SystemTime {
    SystemTime::UNIX_EPOCH + DAY * 20_000
}

fn evidence(dir: &Path) -> (Evidence, Metrics) {
    let metrics = Metrics::default();
    (Evidence::new(dir.to_owned(), 90 * DAY, metrics.clone()), metrics)
}

/// A file and its directory, written so many days before now.
fn write(dir: &TempDir, path: &str, days: u32) -> PathBuf {
    let path = dir.path().join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, "output").unwrap();
    let at = now() - DAY * days;
    File::options().write(true).open(&path).unwrap().set_modified(at).unwrap();
    File::open(path.parent().unwrap()).unwrap().set_modified(at).unwrap();
    path
}

#[tokio::test]
async fn what_is_older_than_it_is_kept_is_removed_and_the_rest_stays() {
    let dir = tempfile::tempdir().unwrap();
    let (evidence, metrics) = evidence(dir.path());
    let old = write(&dir, &format!("QOLD/{NAME}"), 91);
    let young = write(&dir, &format!("QYOUNG/{NAME}"), 89);
    evidence.sweep(now()).await;
    assert!(!old.exists() && !old.parent().unwrap().exists());
    assert!(young.exists());
    assert_eq!(metrics.evidence_removed.get(), 1);
    // The same directory at a later time.
    evidence.sweep(now() + 2 * DAY).await;
    assert!(!young.exists());
}

/// An incident whose second run wrote something lately keeps all it has, until that is old as well.
#[tokio::test]
async fn an_incident_is_kept_as_long_as_its_last_file() {
    let dir = tempfile::tempdir().unwrap();
    let (evidence, _) = evidence(dir.path());
    let first = write(&dir, &format!("QTWICE/{NAME}"), 200);
    let second = write(&dir, "QTWICE/2-0-00ff-body.txt", 10);
    evidence.sweep(now()).await;
    assert!(first.exists() && second.exists());
    evidence.sweep(now() + 81 * DAY).await;
    assert!(!first.exists() && !second.exists());
}

/// A slip in the settings must not cost anybody files that are not ours.
#[tokio::test]
async fn files_of_others_and_what_links_lead_to_stay() {
    let (dir, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let (evidence, _) = evidence(dir.path());
    let others = [
        write(&dir, "notes.txt", 500),
        write(&dir, &format!("not-an-incident/{NAME}"), 500),
        write(&dir, "QMIXED/report.txt", 500),
        write(&dir, &format!("QMIXED/below/{NAME}"), 500),
        write(&other, &format!("QLINKED/{NAME}"), 500),
    ];
    let ours = write(&dir, &format!("QMIXED/{NAME}"), 500);
    symlink(other.path().join("QLINKED"), dir.path().join("QLINKED")).unwrap();
    symlink(&others[4], dir.path().join("QMIXED/1-1-00ff-stdout.txt")).unwrap();
    File::open(dir.path().join("QMIXED")).unwrap().set_modified(now() - 400 * DAY).unwrap();
    evidence.sweep(now()).await;
    assert!(!ours.exists());
    for path in others {
        assert!(path.exists(), "{}", path.display());
    }
}

#[tokio::test]
async fn a_directory_that_is_gone_is_no_trouble() {
    let dir = tempfile::tempdir().unwrap();
    let (evidence, metrics) = evidence(&dir.path().join("gone"));
    evidence.sweep(now()).await;
    assert_eq!(metrics.evidence_removed.get(), 0);
}
