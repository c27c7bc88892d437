//! What stands in infra/: templates, scripts, image.

// What AMS may do is what it does.
mod roles;
// What the processes are told, and whether they take it.
mod settings;
// Figures, alarms, scaling.
mod figures;
// What is done to a deployment, and in which order.
mod scripts;
// What the processes run in.
mod image;
// What it costs.
mod cost;

use std::collections::BTreeSet;
use std::path::Path;

use regex::Regex;

type Names = BTreeSet<String>;

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// What a pattern's first group finds.
fn all(pattern: &str, text: &str) -> Vec<String> {
    Regex::new(pattern).unwrap().captures_iter(text).map(|it| it[1].to_owned()).collect()
}

/// Every Rust file below a folder, and the folder itself if it is one, in one text.
fn code(path: &str) -> String {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if root.is_file() {
        return std::fs::read_to_string(root).unwrap();
    }
    let mut text = String::new();
    for entry in std::fs::read_dir(root).unwrap() {
        let entry = entry.unwrap();
        let name = format!("{path}/{}", entry.file_name().into_string().unwrap());
        if entry.path().is_dir() || entry.path().extension().is_some_and(|it| it == "rs") {
            text += &code(&name);
        }
    }
    text
}

/// A part of a template, one level down: names with what stands below them.
fn entries(template: &str, part: &str) -> Vec<(String, String)> {
    let text = read(template);
    let (_, rest) = text.split_once(&format!("\n{part}:\n")).unwrap();
    let name = Regex::new(r"^  ([A-Za-z]+):$").unwrap();
    let mut entries: Vec<(String, String)> = Vec::new();
    for line in rest.lines().take_while(|line| line.is_empty() || line.starts_with(' ')) {
        if let Some(found) = name.captures(line) {
            entries.push((found[1].to_owned(), String::new()));
        } else if let Some((_, text)) = entries.last_mut() {
            text.push_str(line);
            text.push('\n');
        }
    }
    entries
}

/// A template's resources of a type.
fn resources(template: &str, of: &str) -> Vec<(String, String)> {
    let first = format!("    Type: {of}\n");
    let entries = entries(template, "Resources").into_iter();
    entries.filter(|(_, text)| text.starts_with(&first)).collect()
}
