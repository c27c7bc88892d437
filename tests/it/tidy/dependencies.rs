//! Which dependencies, under which licences, and that each is used.

use std::collections::BTreeSet;
use std::process::Command;

use super::{read, root, sources};

#[test]
fn every_dependency_is_used() {
    let text: String = sources().into_iter().map(|(_, text)| text).collect();
    let manifest = read("Cargo.toml");
    let dependencies = manifest
        .split("dependencies]")
        .skip(1)
        .flat_map(|section| section.lines().take_while(|line| !line.starts_with('[')));
    let unused: Vec<&str> = dependencies
        .filter_map(|line| line.split_once(" = ").map(|(name, _)| name.trim()))
        .filter(|name| !name.starts_with('#'))
        .filter(|name| !text.contains(&format!("{}::", name.replace('-', "_"))))
        .collect();
    assert!(unused.is_empty(), "in Cargo.toml and nowhere in the source: {unused:?}");
}

/// The part of deny.toml that can be checked without a tool of its own: licences, sources and
/// double versions. `cargo deny check` in the hosted workflow adds the advisories.
#[test]
fn dependencies_keep_the_policy() {
    const LICENCES: [&str; 10] = [
        "MIT",
        "Apache-2.0",
        "ISC",
        "BSD-3-Clause",
        "BSD-2-Clause",
        "Unicode-3.0",
        "Zlib",
        "0BSD",
        "CC0-1.0",
        "MIT-0",
    ];
    /// Twice in the graph for a reason: half the macro crates have moved to syn 3, the schema
    /// checker of the tests to a newer getrandom, their model checker has an older rand, and their
    /// mail server an older nom.
    const TWICE: [&str; 6] = ["syn", "getrandom", "hashbrown", "nom", "rand", "rand_core"];
    let metadata = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--locked", "--offline"])
        .args(["--filter-platform", "x86_64-unknown-linux-gnu"])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(metadata.status.success(), "{}", String::from_utf8_lossy(&metadata.stderr));
    let metadata: serde_json::Value = serde_json::from_slice(&metadata.stdout).unwrap();
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for package in metadata["packages"].as_array().unwrap() {
        let name = package["name"].as_str().unwrap();
        let licence = package["license"].as_str().unwrap_or("none").replace('/', " OR ");
        let any_alternative = licence.split(" OR ").any(|alternative| {
            alternative
                .split(" AND ")
                .map(|part| part.trim_matches(['(', ')', ' ']))
                .all(|part| LICENCES.contains(&part.split(" WITH ").next().unwrap_or(part)))
        });
        if !any_alternative {
            wrong.push(format!("{name} has the licence {licence}"));
        }
        let source = package["source"].as_str();
        if name != "ams" && !source.is_some_and(|source| source.starts_with("registry+")) {
            wrong.push(format!("{name} does not come from the registry: {source:?}"));
        }
        if !seen.insert(name.to_owned()) && !TWICE.contains(&name) {
            wrong.push(format!("{name} is there in two versions"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
