//! What holds for the source as a whole: direction of imports, technology in its files, sizes,
//! dependencies, and documents that name what exists.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Lines of a source file. One idea each.
const FILE_LINES: usize = 400;

/// What may use what: a module and everything it may import of ours, beside itself and the nouns.
const DIRECTION: [(&str, &[&str]); 31] = [
    ("sqlite", &[]),
    ("dynamodb", &[]),
    ("reload", &["scenario", "customer", "matching", "rules"]),
    (
        "rehearse",
        &[
            "scenario", "claim", "customer", "execute", "history", "receive", "report", "rules",
            "runs", "begun", "early", "pipeline",
        ],
    ),
    ("customer", &["scenario"]),
    ("history", &["scenario", "claim", "sqlite", "dynamodb"]),
    ("rules", &["scenario", "customer", "matching"]),
    ("begun", &["scenario", "claim", "customer", "execute", "report", "runs"]),
    ("early", &["claim"]),
    ("scenario", &[]),
    ("schema", &[]),
    ("claim", &["sqlite", "dynamodb"]),
    ("matching", &["scenario"]),
    ("receive", &["claim"]),
    ("execute", &["scenario", "claim", "customer", "history"]),
    ("report", &["scenario", "claim", "execute"]),
    ("handoff", &["scenario", "claim", "execute", "report"]),
    ("runs", &["claim", "execute"]),
    ("config", &["claim", "dynamodb", "report"]),
    (
        "pipeline",
        &[
            "scenario", "claim", "customer", "matching", "receive", "execute", "report", "runs",
            "rules", "begun", "early",
        ],
    ),
    ("respond", &["scenario", "claim", "execute", "report", "pipeline", "begun"]),
    (
        "tell",
        &["scenario", "claim", "execute", "report", "handoff", "pipeline", "begun", "respond"],
    ),
    (
        "resume",
        &["scenario", "claim", "matching", "execute", "report", "pipeline", "runs", "begun"],
    ),
    (
        "chronicle",
        &[
            "scenario", "claim", "customer", "matching", "execute", "history", "report", "begun",
            "pipeline",
        ],
    ),
    ("explain", &["scenario", "claim", "execute", "history", "report"]),
    ("sweep", &["claim", "pipeline", "resume"]),
    ("reconcile", &["claim", "pipeline", "report"]),
    ("sandbox", &["claim", "receive", "report"]),
    (
        "app",
        &[
            "scenario",
            "claim",
            "matching",
            "receive",
            "execute",
            "report",
            "handoff",
            "runs",
            "config",
            "pipeline",
            "respond",
            "sweep",
            "customer",
            "history",
            "reload",
            "rules",
            "dynamodb",
            "early",
            "reconcile",
        ],
    ),
    (
        "commands",
        &[
            "scenario", "claim", "customer", "matching", "execute", "report", "rules", "rehearse",
            "schema", "begun", "app", "config", "sandbox", "history", "explain",
        ],
    ),
    ("main", &["commands"]),
];

/// Nouns and rules that everything may use, and that use only each other.
const NOUNS: [&str; 9] = [
    "clock",
    "fields",
    "finding",
    "folding",
    "full_width",
    "incident",
    "limits",
    "metrics",
    "yaml",
];

/// Where a technology may be imported.
const TECHNOLOGY: [(&str, &[&str]); 14] = [
    ("aws_config", &["dynamodb/"]),
    ("aws_sdk_dynamodb", &["dynamodb/", "claim/dynamodb/", "history/dynamodb.rs"]),
    ("aho_corasick", &["matching/keywords.rs"]),
    ("annotate_snippets", &["commands/findings_text.rs"]),
    ("axum", &["receive/http.rs", "app.rs", "sandbox/"]),
    ("clap", &["commands/", "main.rs", "sandbox/demo_service.rs"]),
    ("hmac", &["receive/signature.rs"]),
    ("minijinja", &["scenario/template.rs", "scenario/expression"]),
    ("prometheus_client", &["metrics.rs"]),
    ("regex_automata", &["scenario/title_regex.rs"]),
    ("reqwest", &["report/pagerduty/", "execute/http.rs", "app.rs", "sandbox/pagerduty/"]),
    ("rusqlite", &["sqlite.rs", "claim/sqlite.rs", "history/sqlite.rs"]),
    (
        "rustix",
        &[
            "execute/process_group.rs",
            "execute/detached.rs",
            "execute/follow.rs",
            "sandbox/cluster.rs",
        ],
    ),
    ("serde_saphyr", &["yaml.rs"]),
];

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

/// Files below a folder of the repository, as paths from the repository's root.
fn files_below(folder: &str, ending: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(root().join(folder)).unwrap().flatten() {
        let name = format!("{folder}/{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            if entry.file_name() == "target" {
                // What fuzzing builds (tests/fuzz).
                continue;
            }
            found.extend(files_below(&name, ending));
        } else if name.ends_with(ending) {
            found.push(name);
        }
    }
    found
}

fn sources() -> Vec<(String, String)> {
    let files = files_below("runner", ".rs").into_iter().chain(files_below("tests", ".rs"));
    files.map(|file| (file.clone(), read(&file))).collect()
}

/// Code without comments and doc comments.
fn code(text: &str) -> impl Iterator<Item = &str> {
    text.lines().filter(|line| !line.trim_start().starts_with("//"))
}

/// `runner/claim/mod.rs` → `claim`.
fn module(file: &str) -> Option<&str> {
    let inside = file.strip_prefix("runner/")?;
    Some(inside.split(['/', '.']).next().unwrap_or(inside))
}

#[test]
fn imports_point_in_one_direction() {
    let mut wrong = Vec::new();
    for (file, text) in sources() {
        let Some(module) = module(&file).filter(|module| *module != "lib") else { continue };
        let allowed: Vec<&str> = match DIRECTION.iter().find(|(name, _)| *name == module) {
            Some((_, allowed)) => allowed.iter().chain(&NOUNS).copied().collect(),
            None if NOUNS.contains(&module) => NOUNS.to_vec(),
            None => panic!("tidy.rs does not know the module {module}: say what it may use"),
        };
        for line in code(&text) {
            for used in line.split("crate::").skip(1) {
                let used: String =
                    used.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
                if used != module && !allowed.contains(&used.as_str()) {
                    wrong.push(format!("{file} may not use {used}: {}", line.trim()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn technology_stays_in_files_named_after_it() {
    let mut wrong = Vec::new();
    for (file, text) in sources() {
        let Some(inside) = file.strip_prefix("runner/") else { continue };
        for (technology, homes) in TECHNOLOGY {
            let used = code(&text).any(|line| line.contains(&format!("{technology}::")));
            if used && !homes.iter().any(|home| inside.starts_with(home)) {
                wrong.push(format!("{file} imports {technology}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// Rules do no I/O: what decides can be read, tested and model-checked without a runtime.
#[test]
fn rules_are_pure() {
    const RULES: [&str; 22] = [
        "claim/journal.rs",
        "claim/protocol.rs",
        "execute/plan.rs",
        "execute/prepare.rs",
        "execute/verdict.rs",
        "fields.rs",
        "finding.rs",
        "folding.rs",
        "incident.rs",
        "matching/choose.rs",
        "matching/close.rs",
        "matching/coverage.rs",
        "matching/keywords.rs",
        "matching/overlap.rs",
        "matching/similar.rs",
        "matching/wording.rs",
        "receive/pagerduty.rs",
        "report/note.rs",
        "report/text.rs",
        "report/title.rs",
        "scenario/file.rs",
        "scenario/steps.rs",
    ];
    for file in RULES {
        let text = read(&format!("runner/{file}"));
        let impure = code(&text).find(|line| {
            ["async ", "tokio::", "std::fs", "std::net"].iter().any(|word| line.contains(word))
        });
        assert_eq!(impure, None, "{file} is a rule");
    }
}

#[test]
fn files_hold_one_idea() {
    let long: Vec<String> = sources()
        .into_iter()
        .filter(|(_, text)| text.lines().count() > FILE_LINES)
        .map(|(file, text)| format!("{file}: {} lines", text.lines().count()))
        .collect();
    assert!(long.is_empty(), "{long:#?}");
    let vague: Vec<String> = sources()
        .into_iter()
        .map(|(file, _)| file)
        .filter(|file| {
            ["util", "helper", "manager", "common"].iter().any(|word| file.contains(word))
        })
        .collect();
    assert!(vague.is_empty(), "names that say nothing: {vague:?}");
}

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
    /// checker of the tests to a newer getrandom, and their model checker has an older rand.
    const TWICE: [&str; 5] = ["syn", "getrandom", "hashbrown", "rand", "rand_core"];
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
