use std::io::Write as _;
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::{GOOD, Ran, ams, folder};

/// A scenario that only looks, with this rule.
fn file(id: &str, rule: &str) -> String {
    format!(
        "scenario: {id}\nabout: {id}の確認\nmatch: {rule}\nsteps:\n  - gather: {{run: 'true'}}\n"
    )
}

fn catalog() -> TempDir {
    let files = [
        ("http", "{all: [HTTP], none: [メンテナンス]}"),
        ("disk", "{all: [disk, full]}"),
        ("disk-a", "{all: [disk, inode]}"),
        ("disk-b", "{all: [ＤＩＳＫ], any: [inode, inodes]}"),
        ("urgent", "{all: [CRITICAL, web], priority: -1}"),
    ]
    .map(|(id, rule)| (format!("scenarios/{id}.yaml"), file(id, rule)));
    let mut files: Vec<(&str, &[u8])> =
        files.iter().map(|(name, text)| (name.as_str(), text.as_bytes())).collect();
    files.push(("scenarios/web.yaml", GOOD.as_bytes()));
    folder(&files)
}

fn answer(dir: &TempDir, args: &[&str], code: i32) -> String {
    let args: Vec<&str> = ["match"].iter().chain(args).copied().collect();
    let ran = ams(dir.path(), &args);
    assert_eq!((ran.code, ran.err.as_str()), (Some(code), ""), "{ran:?}");
    ran.out
}

#[test]
fn a_title_says_what_it_gets_and_why() {
    let dir = catalog();
    let title = "[AMS 対応中] ＨＴＴＰ critical host=web01";
    insta::assert_snapshot!(answer(&dir, &[title], 0), @"
    title     ＨＴＴＰ critical host=web01
    scenario  web-down (scenarios/web.yaml)
    about     Webサーバーの停止を再起動で復旧する
    why       'HTTP', 'CRITICAL' found (12 characters), priority 0
    captured  host = web01 (hostname)
    lost      http (scenarios/http.yaml): less specific (4 characters)
              urgent (scenarios/urgent.yaml): its priority is -1
    ");
}

#[test]
fn a_title_without_a_scenario_says_what_was_close() {
    let dir = catalog();
    insta::assert_snapshot!(answer(&dir, &["CRITICAL: HTTP メンテナンス host=-x"], 1), @"
    title     CRITICAL: HTTP メンテナンス host=-x
    scenario  none: the incident is left to people
    close     web-down (scenarios/web.yaml): its 'host' is no hostname
              http (scenarios/http.yaml): 'メンテナンス' is in the title and under 'none'
              urgent (scenarios/urgent.yaml): 'web' is missing
    ");
    insta::assert_snapshot!(answer(&dir, &["メモリ不足"], 1), @"
    title     メモリ不足
    scenario  none: the incident is left to people
    ");
}

#[test]
fn a_title_that_several_are_meant_for_names_them() {
    let dir = catalog();
    insta::assert_snapshot!(answer(&dir, &["disk inode exhausted"], 1), @"
    title     disk inode exhausted
    scenario  none: 2 are meant equally, so people decide
    equal     disk-a (scenarios/disk-a.yaml): 'disk', 'inode' found (9 characters), priority 0
              disk-b (scenarios/disk-b.yaml): 'ＤＩＳＫ', 'inode' found (9 characters), priority 0
    close     disk (scenarios/disk.yaml): 'full' is missing
    ");
}

#[test]
fn a_script_reads_the_same() {
    let dir = catalog();
    let json = answer(&dir, &["HTTP critical host=web01", "--format", "json"], 0);
    insta::assert_snapshot!(json, @r#"
    {
      "close": [],
      "lost": [
        {
          "file": "scenarios/http.yaml",
          "priority": 0,
          "scenario": "http",
          "specificity": 4,
          "why": "less_specific"
        },
        {
          "file": "scenarios/urgent.yaml",
          "priority": -1,
          "scenario": "urgent",
          "specificity": 11,
          "why": "lower_priority"
        }
      ],
      "result": "matched",
      "scenarios": [
        {
          "about": "Webサーバーの停止を再起動で復旧する",
          "captures": {
            "host": {
              "type": "hostname",
              "value": "web01"
            }
          },
          "file": "scenarios/web.yaml",
          "keywords": [
            "HTTP",
            "CRITICAL"
          ],
          "priority": 0,
          "scenario": "web-down",
          "specificity": 12
        }
      ],
      "title": "HTTP critical host=web01"
    }
    "#);
}

const TITLES: &str = "HTTP CRITICAL host=web01
HTTP CRITICAL host=web02

[AMS 復旧] disk full on db01
disk inode 5%
process crond not running on app01
process sshd not running on app02
Problem: \"Spooler\" is not running
process crond not running on app17
";

#[test]
fn many_titles_say_what_the_catalog_covers() {
    let dir = catalog();
    std::fs::write(dir.path().join("titles.txt"), TITLES).unwrap();
    insta::assert_snapshot!(answer(&dir, &["--file", "titles.txt"], 1), @r#"
    8 titles
           3   37.5%  matched
           1   12.5%  ambiguous
           4   50.0%  unmatched

    matched, by scenario
           2  web-down
           1  disk

    4 of 6 scenarios got none of these titles

    ambiguous, by the scenarios meant equally
           1  disk-a, disk-b
              e.g. disk inode 5%

    unmatched, by kind of title
           2  process crond not running on <host>
              e.g. process crond not running on app01
           1  Problem: <quoted> is not running
              e.g. Problem: "Spooler" is not running
           1  process sshd not running on <host>
              e.g. process sshd not running on app02
    "#);
}

#[test]
fn a_script_reads_the_same_of_many_titles() {
    let dir = catalog();
    std::fs::write(dir.path().join("titles.txt"), TITLES).unwrap();
    let json = answer(&dir, &["--file", "titles.txt", "--format", "json"], 1);
    insta::assert_snapshot!(json, @r#"
    {
      "ambiguous": 1,
      "ambiguous_by_scenarios": [
        {
          "count": 1,
          "example": "disk inode 5%",
          "scenarios": [
            "disk-a",
            "disk-b"
          ]
        }
      ],
      "matched": 3,
      "matched_by_scenario": [
        {
          "count": 2,
          "example": "HTTP CRITICAL host=web01",
          "scenario": "web-down"
        },
        {
          "count": 1,
          "example": "disk full on db01",
          "scenario": "disk"
        }
      ],
      "scenario_count": 6,
      "titles": 8,
      "unmatched": 4,
      "unmatched_by_form": [
        {
          "count": 2,
          "example": "process crond not running on app01",
          "form": "process crond not running on <host>"
        },
        {
          "count": 1,
          "example": "Problem: \"Spooler\" is not running",
          "form": "Problem: <quoted> is not running"
        },
        {
          "count": 1,
          "example": "process sshd not running on app02",
          "form": "process sshd not running on <host>"
        }
      ]
    }
    "#);
}

#[test]
fn titles_come_from_anywhere() {
    let dir = catalog();
    let windows = "\u{feff}HTTP CRITICAL host=web01\r\ndisk full\r\n";
    let mut child = Command::new(env!("CARGO_BIN_EXE_ams"))
        .args(["match", "--file", "-", "--scenarios", "scenarios"])
        .current_dir(dir.path())
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(windows.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    let out = String::from_utf8(output.stdout).unwrap();
    assert!(out.starts_with("2 titles\n       2  100.0%  matched\n"), "{out}");
}

#[test]
fn what_cannot_be_answered_is_no_answer() {
    let dir = catalog();
    std::fs::write(dir.path().join("empty.txt"), "\n \n").unwrap();
    std::fs::write(dir.path().join("sjis.txt"), b"disk full\n\x8a\xc4\x8e\x8b\n").unwrap();
    std::fs::write(dir.path().join("bad.yaml"), "scenario: bad\n").unwrap();
    let cases: [(&[&str], &str); 6] = [
        (&["--file", "nowhere.txt"], "cannot read titles from nowhere.txt"),
        (&["--file", "empty.txt"], "there is no title in empty.txt"),
        (&["--file", "sjis.txt"], "sjis.txt: line 2 is not UTF-8; save the file as UTF-8"),
        (&["x", "--scenarios", "nowhere"], "cannot read nowhere"),
        (&["x", "--scenarios", "bad.yaml"], "no scenario in bad.yaml that can be used"),
        (&["x", "--file", "empty.txt"], "cannot be used with"),
    ];
    for (args, message) in cases {
        let args: Vec<&str> = ["match"].iter().chain(args).copied().collect();
        let Ran { code, out, err } = ams(dir.path(), &args);
        assert_eq!((code, out.as_str()), (Some(2), ""), "{args:?}");
        assert!(err.contains(message), "{args:?}: {err}");
    }
    assert_eq!(ams(dir.path(), &["match"]).code, Some(2));
}

#[test]
fn files_with_findings_are_left_out_and_told() {
    let dir = catalog();
    std::fs::write(dir.path().join("scenarios/bad.yaml"), "scenario: bad\n").unwrap();
    let ran = ams(dir.path(), &["match", "disk full"]);
    assert_eq!(ran.code, Some(0));
    insta::assert_snapshot!(ran.err, @"note: 1 of 7 scenario files cannot be used; `ams validate scenarios` says why");
}

/// Titles are other people's text.
#[test]
fn a_terminal_gets_no_commands_from_a_title() {
    let dir = catalog();
    std::fs::write(dir.path().join("titles.txt"), "\u{1b}[2J pwned\n").unwrap();
    for args in [["--file", "titles.txt"].as_slice(), &["\u{1b}[2J pwned"]] {
        let out = answer(&dir, args, 1);
        assert!(out.contains("\u{fffd}[2J pwned") && !out.contains('\u{1b}'), "{out:?}");
    }
}
