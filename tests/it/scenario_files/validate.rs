use serde_json::Value;

use super::{GOOD, ams, folder};

#[test]
fn a_good_file_is_checked_in_silence() {
    let dir = folder(&[("web.yaml", GOOD.as_bytes())]);
    for path in [".", "web.yaml"] {
        let ran = ams(dir.path(), &["validate", path]);
        assert_eq!((ran.code, ran.err.as_str()), (Some(0), ""), "{path}");
        assert_eq!(ran.out, "1 file checked, 0 findings\n");
    }
}

#[test]
fn a_finding_says_where_what_and_what_to_do() {
    let wrong = GOOD.replace("recover:", "recvoer:").replace("captures", "capturs");
    let dir = folder(&[("good.yaml", GOOD.as_bytes()), ("sub/wrong.yaml", wrong.as_bytes())]);
    let ran = ams(dir.path(), &["validate", "good.yaml", "sub"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(1), ""));
    insta::assert_snapshot!(ran.out, @"
    error[unknown-key]: match has no field 'capturs'
     --> sub/wrong.yaml:6:3
      |
    6 |   capturs: {host: hostname}
      |   ^^^^^^^
      |
      = help: did you mean 'captures'?

    error[unknown-step]: there is no step 'recvoer'
      --> sub/wrong.yaml:10:5
       |
    10 |   - recvoer:
       |     ^^^^^^^
       |
       = help: did you mean 'recover'?

    2 files checked, 2 findings
    ");
}

#[test]
fn what_cannot_be_looked_at_is_no_clean_result() {
    let dir = folder(&[("README.md", b"# nothing here"), ("web.test.yaml", b"tests: []\n")]);
    let none = ams(dir.path(), &["validate", "."]);
    assert_eq!((none.code, none.out.as_str()), (Some(2), ""));
    insta::assert_snapshot!(none.err, @"error: there is no scenario file (*.yaml) in .");
    let missing = ams(dir.path(), &["validate", "nowhere"]);
    assert_eq!((missing.code, missing.out.as_str()), (Some(2), ""));
    insta::assert_snapshot!(missing.err, @"
    error: cannot read nowhere
      because: No such file or directory (os error 2)
    ");
    let unknown = ams(dir.path(), &["validate", "--frobnicate"]);
    assert_eq!(unknown.code, Some(2), "{unknown:?}");
}

#[test]
fn two_files_with_one_id_are_both_named() {
    let commented = format!("# the same again\n{GOOD}");
    let dir = folder(&[("a.yaml", GOOD.as_bytes()), ("b.yaml", commented.as_bytes())]);
    let ran = ams(dir.path(), &["validate", "."]);
    assert_eq!(ran.code, Some(1));
    insta::assert_snapshot!(ran.out, @"
    error[duplicate-id]: the id 'web-down' is also used by ./a.yaml
     --> ./b.yaml:2:11
      |
    2 | scenario: web-down
      |           ^^^^^^^^
      |
      = help: give this scenario an id of its own

    2 files checked, 1 finding
    ");
}

#[test]
fn files_as_other_systems_save_them_are_the_same_file() {
    let windows = format!("\u{feff}{}", GOOD.replace('\n', "\r\n"));
    let unended = GOOD.trim_end();
    let document = format!("---\n{GOOD}");
    for (name, content) in [("windows", windows.as_str()), ("unended", unended), ("---", &document)]
    {
        let dir = folder(&[("web.yaml", content.as_bytes())]);
        let ran = ams(dir.path(), &["validate", "."]);
        assert_eq!(ran.code, Some(0), "{name}: {ran:?}");
    }
}

#[test]
fn ids_are_unique_across_all_paths_and_a_file_named_twice_is_one_file() {
    let dir = folder(&[("one/a.yaml", GOOD.as_bytes()), ("two/b.yaml", GOOD.as_bytes())]);
    let both = ams(dir.path(), &["validate", "--format", "json", "two", "one"]);
    assert_eq!(both.code, Some(1), "{both:?}");
    let report: Value = serde_json::from_str(&both.out).unwrap();
    assert_eq!(report["findings"][0]["message"], "the id 'web-down' is also used by two/b.yaml");
    let twice = ams(dir.path(), &["validate", "one", "one/a.yaml", "one/../one"]);
    assert_eq!((twice.code, twice.out.as_str()), (Some(0), "1 file checked, 0 findings\n"));
}

#[test]
fn without_a_path_it_is_the_scenarios_beside_us() {
    let dir = folder(&[("scenarios/web.yaml", GOOD.as_bytes())]);
    let ran = ams(dir.path(), &["validate"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), "1 file checked, 0 findings\n"));
}

/// The link is the one thing so far that is not refused but doubtful.
#[test]
fn warnings_fail_only_those_who_ask_for_it() {
    let dir = folder(&[("web.yaml", GOOD.as_bytes())]);
    std::os::unix::fs::symlink(".", dir.path().join("again")).unwrap();
    let ran = ams(dir.path(), &["validate", "."]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    insta::assert_snapshot!(ran.out, @"
    warning[link-loop]: the link leads back to a directory it lies in
    --> ./again:1:1
     = help: remove it; what it leads to is read without it

    1 file checked, 1 finding: 0 errors, 1 warning
    ");
    assert_eq!(ams(dir.path(), &["validate", "--strict", "."]).code, Some(1));
}

#[test]
fn scripts_get_every_finding_as_json() {
    let wrong = GOOD.replace("recover:", "recvoer:");
    let dir = folder(&[("good.yaml", GOOD.as_bytes()), ("wrong.yaml", wrong.as_bytes())]);
    let ran = ams(dir.path(), &["validate", "--format", "json", "wrong.yaml", "good.yaml"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(1), ""));
    insta::assert_snapshot!(ran.out, @r#"
    {
      "customers": 0,
      "files": 2,
      "findings": [
        {
          "column": 5,
          "end_column": 12,
          "file": "wrong.yaml",
          "help": "docs/scenarios/findings.md#unknown-step",
          "id": "unknown-step",
          "level": "error",
          "line": 10,
          "message": "there is no step 'recvoer'",
          "remedy": "did you mean 'recover'?"
        }
      ],
      "scenarios": 1,
      "version": "96839f89f4a5"
    }
    "#);
    let clean = ams(dir.path(), &["validate", "--format", "json", "good.yaml"]);
    let report: Value = serde_json::from_str(&clean.out).unwrap();
    assert_eq!((clean.code, &report["findings"]), (Some(0), &serde_json::json!([])));
}

/// What the schema of SARIF 2.1.0 requires of the parts we write.
#[test]
fn code_hosts_get_sarif() {
    let wrong = GOOD.replace("recover:", "recvoer:").replace("captures", "capturs");
    let dir = folder(&[("a 監視.yaml", wrong.as_bytes()), ("web.yml", GOOD.as_bytes())]);
    let ran = ams(dir.path(), &["validate", "--format", "sarif", "."]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(1), ""));
    let sarif: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    let [run] = sarif["runs"].as_array().unwrap().as_slice() else { panic!("{sarif}") };
    assert_eq!(run["tool"]["driver"]["name"], "ams");
    assert_eq!(run["columnKind"], "unicodeCodePoints");
    let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
    let ids: Vec<&str> = rules.iter().map(|rule| rule["id"].as_str().unwrap()).collect();
    assert_eq!(ids, ["unknown-key", "unknown-step", "wrong-ending"]);
    assert!(rules.iter().all(|rule| rule["help"]["text"].is_string()), "{rules:?}");
    let results = run["results"].as_array().unwrap();
    assert_eq!(results.len(), 3);
    for result in results {
        let index = usize::try_from(result["ruleIndex"].as_u64().unwrap()).unwrap();
        assert_eq!(result["ruleId"], ids[index]);
        assert!(["error", "warning"].contains(&result["level"].as_str().unwrap()));
        assert!(!result["message"]["text"].as_str().unwrap().is_empty());
        let place = &result["locations"][0]["physicalLocation"];
        let uri = place["artifactLocation"]["uri"].as_str().unwrap();
        assert!(uri.is_ascii() && !uri.contains(' ') && !uri.starts_with('.'), "{uri}");
        let number = |key: &str| place["region"][key].as_u64().unwrap();
        assert!(number("startLine") >= 1 && number("startColumn") >= 1, "{place}");
        assert!(number("endColumn") > number("startColumn"), "{place}");
    }
    assert_eq!(
        results[0]["locations"][0]["physicalLocation"]["artifactLocation"]["uri"],
        "a%20%E7%9B%A3%E8%A6%96.yaml"
    );
}

/// Kubernetes mounts every file of a configuration as a link into a hidden directory; editors keep
/// hidden files of their own beside the one they edit.
#[test]
fn linked_files_are_looked_at_and_hidden_ones_are_not() {
    let dir = folder(&[
        ("..data/web.yaml", GOOD.as_bytes()),
        (".#web.yaml", b"an editor's"),
        (".git/x.yaml", b"git's"),
    ]);
    std::os::unix::fs::symlink("..data/web.yaml", dir.path().join("web.yaml")).unwrap();
    std::fs::write(dir.path().join("web.test.yaml"), "tests: []\n").unwrap();
    let ran = ams(dir.path(), &["validate", "."]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), "1 file checked, 0 findings\n"));
}

#[test]
fn files_that_leave_each_other_no_title_are_found() {
    let file =
        |id: &str, rule: &str| GOOD.replace("web-down", id).replace("all: [HTTP, CRITICAL]", rule);
    let dir = folder(&[
        ("a.yaml", file("a", "all: [HTTP, 停止]\n  priority: 5").as_bytes()),
        ("sub/b.yaml", file("b", "all: [http, 停止中, web]").as_bytes()),
        ("sub/c.yaml", file("c", "all: [CPU, 負荷]").as_bytes()),
        ("d.yaml", file("d", "all: [負荷, ＣＰＵ]").as_bytes()),
        ("e.yaml", file("e", "all: [disk, disk full]\n  none: [full]").as_bytes()),
    ]);
    let ran = ams(dir.path(), &["validate", ".", "a.yaml", "sub"]);
    assert_eq!((ran.code, ran.err.as_str()), (Some(1), ""));
    insta::assert_snapshot!(ran.out);
}
