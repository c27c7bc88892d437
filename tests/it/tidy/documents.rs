//! Documents name what exists, and nothing of one machine.

use std::collections::BTreeSet;
use std::path::Path;

use super::{files_below, read, root, sources};

/// Finding ids are stable: each has its place in the documentation, and nothing else has.
#[test]
fn every_finding_is_explained() {
    let mut ids = BTreeSet::new();
    for file in files_below("runner", ".rs") {
        let text = read(&file);
        let text = text.split("#[cfg(test)]").next().unwrap_or(&text);
        let calls =
            ["findings.add(", "findings.warn(", "self.finding(", "mistake(", "unused.push(("];
        for place in calls.iter().flat_map(|call| text.split(call).skip(1)) {
            let id = place.trim_start().strip_prefix('"').and_then(|rest| rest.split('"').next());
            ids.extend(id.map(str::to_owned));
        }
    }
    assert!(ids.len() > 20, "the search for ids has gone blind: {ids:?}");
    let page = read("docs/scenarios/findings.md");
    let explained: BTreeSet<String> = page
        .lines()
        .filter_map(|line| line.strip_prefix("### "))
        .map(|id| id.trim_matches('`').to_owned())
        .collect();
    assert_eq!(ids, explained);
}

/// The repository speaks of the product alone.
#[test]
fn nothing_of_one_machine_is_written_down() {
    let places = [["/wo", "rk/"].concat(), ["/ro", "ot/"].concat(), ["crates", ".io/"].concat()];
    let mut wrong = Vec::new();
    let texts = [".rs", ".md", ".yaml", ".toml", ".sh"];
    for folder in ["runner", "tests", "docs", "scenarios", "infra"] {
        for file in texts.iter().flat_map(|ending| files_below(folder, ending)) {
            let text = read(&file);
            for place in places.iter().filter(|place| text.contains(place.as_str())) {
                wrong.push(format!("{file} names {place}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn links_between_documents_lead_somewhere() {
    let mut wrong = Vec::new();
    let mut pages = files_below("docs", ".md");
    pages.push("README.md".to_owned());
    for page in pages {
        let folder = root().join(&page).parent().unwrap_or(Path::new("")).to_owned();
        for link in read(&page).split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
            let path = link.split('#').next().unwrap_or(link);
            if path.is_empty() || path.starts_with("http") {
                continue;
            }
            if !folder.join(path).exists() {
                wrong.push(format!("{page} links to {link}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Each pitfall has an answer, and a test of that name exists.
#[test]
fn pagerdutys_pitfalls_have_their_tests() {
    let tests: Vec<String> = sources().into_iter().map(|(_, text)| text).collect();
    let page = read("docs/pagerduty.md");
    let rows = page.lines().filter(|line| line.starts_with("| ") && line.contains(" | `"));
    let rows: Vec<&str> = rows.collect();
    assert_eq!(rows.len(), 25);
    for row in rows {
        let names = row.rsplit(" | ").next().unwrap().split('`').skip(1).step_by(2);
        for name in names {
            let is_there = tests.iter().any(|text| text.contains(&format!("fn {name}()")));
            assert!(is_there, "there is no test {name}");
        }
    }
}
