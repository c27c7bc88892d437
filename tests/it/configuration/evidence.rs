use std::time::Duration;

use super::{SECRETS, SMALL, folder, load, problems, with};

fn settings(evidence: &str) -> String {
    SMALL.replace("evidence: evidence\n", &format!("{evidence}\n"))
}

fn days(days: u64) -> Duration {
    Duration::from_hours(24 * days)
}

#[test]
fn evidence_is_a_directory_or_says_how_long_it_is_kept() {
    for (written, env, directory, kept) in [
        ("evidence: here", &[][..], "here", days(90)),
        ("evidence: here", &[("AMS_EVIDENCE_KEPT", "7d")], "here", days(7)),
        ("evidence: {directory: there}", &[], "there", days(90)),
        ("evidence: {directory: there, kept: 400d}", &[], "there", days(400)),
        ("evidence: {directory: there, kept: 36h}", &[], "there", Duration::from_hours(36)),
        ("evidence: {kept: 1d}", &[("AMS_EVIDENCE", "else")], "else", days(1)),
        ("evidence: {directory: there}", &[("AMS_EVIDENCE", "else")], "else", days(90)),
    ] {
        let dir = folder(&settings(written));
        let config = load(&dir, &with(env)).unwrap();
        let expected = dir.path().join(directory);
        assert_eq!(
            (config.evidence.directory, config.evidence.kept),
            (expected, kept),
            "{written}"
        );
        assert!(config.commands.ends_with("commands"));
    }
}

#[test]
fn a_time_to_keep_evidence_that_is_none_is_told() {
    for written in ["0d", "-1d", "9999d", "d", "long", "90"] {
        let found =
            problems(&settings(&format!("evidence: {{directory: x, kept: {written}}}")), &SECRETS);
        assert_eq!(found.len(), 1, "{found:?}");
        assert!(found[0].contains("'evidence.kept' is"), "{found:?}");
        assert!(found[0].ends_with("write a number of days: 90d"), "{found:?}");
    }
    let missing = problems(&settings("evidence: {kept: 1d}"), &SECRETS);
    assert!(missing[0].contains("'evidence.directory' is not set"), "{missing:?}");
}

#[test]
fn a_bucket_for_evidence_is_read_and_checked() {
    let full = "{bucket: ams-evidence, region: ap-northeast-1, prefix: /ams/kept/}";
    let dir = folder(&settings(&format!("evidence: {{directory: x, s3: {full}}}")));
    let bucket = load(&dir, &SECRETS).unwrap().evidence.bucket.unwrap();
    let said = (bucket.name.as_str(), bucket.region.as_str(), bucket.prefix.as_str());
    assert_eq!(said, ("ams-evidence", "ap-northeast-1", "ams/kept"));
    let env = [("AMS_EVIDENCE_S3_BUCKET", "other-bucket"), ("AMS_EVIDENCE_S3_REGION", "us-east-1")];
    let bucket = load(&folder(SMALL), &with(&env)).unwrap().evidence.bucket.unwrap();
    assert_eq!((bucket.name.as_str(), bucket.prefix.as_str()), ("other-bucket", ""));
    for (s3, problem) in [
        ("{region: x-1}", "'evidence.s3.bucket' is not set"),
        ("{bucket: abc}", "'evidence.s3.region' is not set"),
        ("{bucket: 's3://abc', region: x-1}", "'evidence.s3.bucket' is 's3://abc'"),
        ("{bucket: abc, region: Tokyo}", "'evidence.s3.region' is 'Tokyo'"),
        ("{bucket: abc, region: x-1, prefix: '../x'}", "'evidence.s3.prefix' is '../x'"),
        ("{bucket: abc, region: x-1, endpoint: host}", "'evidence.s3.endpoint' is 'host'"),
        ("{bucket: abc, region: x-1, acl: public}", "s3 has no field 'acl'"),
    ] {
        let found = problems(&settings(&format!("evidence: {{directory: x, s3: {s3}}}")), &SECRETS);
        assert!(found.len() == 1 && found[0].contains(problem), "{s3}: {found:?}");
    }
}
