use std::path::Path;
use std::process::Command;

use ams::scenario::catalog::Catalog;

use super::{GOOD, folder};

#[test]
fn our_own_scenarios_have_no_findings() {
    let scenarios = Path::new(env!("CARGO_MANIFEST_DIR")).join("scenarios");
    let catalog = Catalog::load(&scenarios, None).unwrap();
    assert_eq!(catalog.findings, []);
    assert_eq!(catalog.scenarios.len(), catalog.files);
    assert!(catalog.files >= 4);
}

#[test]
fn a_good_file_loads_beside_bad_ones() {
    let other = GOOD.replace("web-down", "other-web-down");
    let dir = folder(&[
        ("a-broken.yaml", b"scenario: 'open\n"),
        ("b-good.yaml", GOOD.as_bytes()),
        ("others/acme/c-good.yaml", other.as_bytes()),
        ("others/acme/d-wrong.yaml", b"scenario: d\n"),
        ("e.test.yaml", b"not a scenario"),
    ]);
    let catalog = Catalog::load(dir.path(), None).unwrap();
    let ids: Vec<&str> = catalog.scenarios.iter().map(|it| it.id.as_str()).collect();
    assert_eq!((ids.as_slice(), catalog.files), (["web-down", "other-web-down"].as_slice(), 4));
    assert!(catalog.by_id("web-down").is_some() && catalog.by_id("d").is_none());
    let mut files: Vec<_> = catalog.findings.iter().map(|it| it.file.file_name()).collect();
    files.dedup();
    assert_eq!(files, [Some("a-broken.yaml".as_ref()), Some("d-wrong.yaml".as_ref())]);
}

#[test]
fn of_two_files_with_one_id_the_first_by_name_is_used() {
    let second = GOOD.replace("Webサーバーの停止を", "");
    let dir = folder(&[("b.yaml", second.as_bytes()), ("a.yaml", GOOD.as_bytes())]);
    let catalog = Catalog::load(dir.path(), None).unwrap();
    let [scenario] = catalog.scenarios.as_slice() else { panic!("{catalog:?}") };
    assert_eq!(scenario.file.file_name(), Some("a.yaml".as_ref()));
}

#[test]
fn variables_are_checked_against_the_configuration_where_there_is_one() {
    let uses_vars = GOOD.replace("systemctl restart httpd", "systemctl restart \"$UNIT\"");
    let uses_vars =
        uses_vars.replace("  - verify:", "      env: {UNIT: \"{{ vars.unit }}\"}\n  - verify:");
    let dir = folder(&[("web.yaml", uses_vars.as_bytes())]);
    let load = |names: &[&str]| {
        let vars = names.iter().map(|name| ((*name).to_owned(), "x".to_owned())).collect();
        Catalog::load(dir.path(), Some(&vars)).unwrap().findings
    };
    assert_eq!(Catalog::load(dir.path(), None).unwrap().findings, []);
    assert_eq!(load(&["unit", "other"]), []);
    let findings = load(&["other"]);
    let [finding] = findings.as_slice() else { panic!("{findings:?}") };
    assert_eq!((finding.id, finding.place.line), ("undefined-value", 12));
}

/// `ams serve` in a folder with these scenarios; answers with exit code and standard error, or
/// with `None` for the code once it listens.
fn serve(scenarios: &[(&str, &str)]) -> (Option<i32>, String) {
    let config = "region: tokyo\nlisten: 127.0.0.1:0\nscenarios: scenarios\n\
        evidence: evidence\nstore: {sqlite: claims.db}\n\
        pagerduty: {url: 'http://127.0.0.1:1', from: ams@example.com, bot_user: PAMSBOT}\n";
    let mut files = vec![("ams.yaml".to_owned(), config.as_bytes().to_vec())];
    files.extend(
        scenarios
            .iter()
            .map(|(name, content)| (format!("scenarios/{name}"), content.as_bytes().to_vec())),
    );
    let files: Vec<(&str, &[u8])> =
        files.iter().map(|(name, content)| (name.as_str(), content.as_slice())).collect();
    let dir = folder(&files);
    std::fs::create_dir_all(dir.path().join("scenarios")).unwrap();
    let mut child = Command::new(env!("CARGO_BIN_EXE_ams"))
        .args(["serve", "--config", "ams.yaml"])
        .current_dir(dir.path())
        .env_clear()
        .envs([("AMS_PAGERDUTY_TOKEN", "t"), ("AMS_WEBHOOK_SECRET", "s")])
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut first_line = String::new();
    let out = child.stdout.take().unwrap();
    std::io::BufRead::read_line(&mut std::io::BufReader::new(out), &mut first_line).unwrap();
    let listens = first_line.starts_with("ams tokyo listening on http://127.0.0.1:");
    if listens {
        child.kill().unwrap();
    }
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}

#[test]
fn a_region_starts_with_the_scenarios_that_can_be_used() {
    let (code, err) = serve(&[("good.yaml", GOOD), ("bad.yaml", "scenario: bad\n")]);
    assert_eq!(code, None, "{err}");
    assert!(err.contains("scenario file refused") && err.contains("bad.yaml:1:1"), "{err}");
}

#[test]
fn a_region_without_any_scenario_does_not_start() {
    let (code, err) = serve(&[("bad.yaml", "scenario: bad\n")]);
    assert_eq!(code, Some(2), "{err}");
    assert!(err.contains("error: none of the scenario files in scenarios can be used"), "{err}");
    assert!(err.contains("bad.yaml:1:1: the file has no 'about' [missing-field]"), "{err}");

    let (code, err) = serve(&[]);
    assert_eq!(code, Some(2), "{err}");
    assert!(err.contains("error: there is no scenario file (*.yaml) in "), "{err}");
}
