//! What authors write: every mistake is found, at its place, with a name and a remedy.

use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

// Every file of this repository's own scenarios.
mod catalog;
// What becomes of titles, as people and scripts ask.
mod match_title;
// One mistake per file, and where the finding points.
pub(crate) mod mistakes;
// Those that would show at night only.
mod slips;
// Files and directories that are no honest scenario files: refused, in bounded time.
mod hostile;
// Thousands of damaged scenario files: none brings the reader down.
mod damaged;
// How hosts are reached by SSH.
mod ways;
// Customers beside their scenarios.
mod customers;
// Machines and accounts of customers in AWS.
mod in_aws;
// The command as people and scripts use it.
mod validate;

/// A scenario without mistakes.
pub(crate) const GOOD: &str = r#"scenario: web-down
about: Webサーバーの停止を再起動で復旧する
match:
  all: [HTTP, CRITICAL]
  pattern: 'host=(?<host>\S+)'
  captures: {host: hostname}
steps:
  - check:
      http: "http://{{ capture.host }}/health"
  - recover:
      run: systemctl restart httpd
  - verify:
      http: "http://{{ capture.host }}/health"
"#;

/// What a run of `ams` left behind.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

pub(crate) fn ams(dir: &Path, args: &[&str]) -> Ran {
    let output = Command::new(env!("CARGO_BIN_EXE_ams"))
        .args(args)
        .current_dir(dir)
        .env_clear()
        .output()
        .unwrap();
    Ran {
        code: output.status.code(),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A directory with these files, and a test file beside each scenario.
pub(crate) fn folder(files: &[(&str, &[u8])]) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = dir.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        if path.extension().is_some_and(|ending| ending == "yaml") {
            // What the tests say is for `ams test`; that they are there is for `ams validate`.
            std::fs::write(path.with_extension("test.yaml"), "tests: []\n").unwrap();
        }
        std::fs::write(path, content).unwrap();
    }
    dir
}
