//! The tables of docs/operations/capacity.md are printed by a script.

use std::process::Command;

use super::read;

#[test]
fn the_page_shows_what_the_script_prints() {
    let Ok(output) = Command::new("python3").arg("infra/cost").output() else {
        eprintln!("skipped: there is no python3");
        return;
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let page = read("docs/operations/capacity.md");
    let printed = String::from_utf8(output.stdout).unwrap();
    assert!(printed.lines().count() > 20, "{printed}");
    for line in printed.lines().filter(|line| line.starts_with('|')) {
        assert!(page.contains(line), "the page lacks {line}");
    }
}
