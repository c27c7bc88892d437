//! What holds for the source as a whole.

// Direction of imports, technology in its files, rules without I/O.
mod layers;
// Which dependencies, under which licences, and that each is used.
mod dependencies;
// Documents name what exists.
mod documents;

use std::path::PathBuf;

/// Lines of a source file. One idea each.
const FILE_LINES: usize = 400;

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
