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
    sub/wrong.yaml:6:3: match has no field 'capturs' [unknown-key]
        → did you mean 'captures'?
    sub/wrong.yaml:10:5: there is no step 'recvoer' [unknown-step]
        → did you mean 'recover'?
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
    error: cannot read nowhere: No such file or directory (os error 2)
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
    ./b.yaml:2:11: the id 'web-down' is also used by ./a.yaml [duplicate-id]
        → give this scenario an id of its own
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
    let ran = ams(dir.path(), &["validate", "."]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(0), "1 file checked, 0 findings\n"));

    std::os::unix::fs::symlink("nowhere", dir.path().join("gone.yaml")).unwrap();
    let ran = ams(dir.path(), &["validate", "."]);
    assert_eq!(ran.code, Some(1));
    assert!(ran.out.starts_with("./gone.yaml:1:1: "), "{}", ran.out);
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
    insta::assert_snapshot!(ran.out, @"
    ./e.yaml:1:11: 'disk' under 'all' says nothing new: it is part of 'disk full' [overlapping-keywords]
        → remove it, or write the word that must also be there
    ./e.yaml:1:11: it never matches: 'disk full' under 'all' has 'full' in it, which stands under 'none' [never-matches]
        → remove one of the two, or make the one under 'none' longer
    ./sub/b.yaml:1:11: it is never chosen: every title it is meant for also fits 'a' (./a.yaml), whose priority is 5; here it is 0 [shadowed-scenario]
        → give this one the higher priority, or keep its titles from the other with 'none'
    ./sub/c.yaml:1:11: 'd' (./d.yaml) is meant for the same titles, so neither is ever chosen: every one of these incidents is left to people [ambiguous-scenarios]
        → give one of them a keyword that only its titles have or a priority, or remove it
    8 files checked, 4 findings
    ");
}
