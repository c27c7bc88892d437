//! Findings for scripts: our own shape, and SARIF 2.1.0 for code hosts and editors.

use std::path::{Component, Path};

use serde_json::{Value, json};

use crate::finding::{Finding, Level};
use crate::scenario::catalog::Catalog;

/// The page that explains every id.
const PAGE: &str = "docs/scenarios/findings.md";

/// The shape that docs/scenarios/findings.md promises.
pub(super) fn json(catalog: &Catalog, customers: usize, version: &str) -> Value {
    let findings = catalog.findings.iter().map(|finding| {
        let Finding { id, level, file, place, message, remedy } = finding;
        json!({
            "id": id,
            "level": level.word(),
            "file": file.to_string_lossy(),
            "line": place.line,
            "column": place.column,
            "end_column": place.column + place.length.max(1),
            "message": message,
            "remedy": remedy,
            "help": format!("{PAGE}#{id}"),
        })
    });
    json!({
        "files": catalog.files + customers,
        "scenarios": catalog.scenarios.len(),
        "customers": customers,
        "version": version,
        "findings": findings.collect::<Vec<_>>(),
    })
}

pub(super) fn sarif(catalog: &Catalog) -> Value {
    let mut ids: Vec<&str> = catalog.findings.iter().map(|finding| finding.id).collect();
    ids.sort_unstable();
    ids.dedup();
    // `helpUri` must be absolute, and the documentation is where the repository is.
    let rules = ids.iter().map(|id| {
        let help = format!("{PAGE}#{id}");
        json!({
            "id": id,
            "shortDescription": { "text": id.replace('-', " ") },
            "help": { "text": help, "markdown": format!("[{id}]({help})") },
        })
    });
    let results = catalog.findings.iter().map(|finding| result(finding, &ids));
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "ams",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules.collect::<Vec<_>>(),
            } },
            "columnKind": "unicodeCodePoints",
            "results": results.collect::<Vec<_>>(),
        }],
    })
}

fn result(finding: &Finding, ids: &[&str]) -> Value {
    let Finding { id, level, file, place, message, remedy } = finding;
    let level = match level {
        Level::Error => "error",
        Level::Warning => "warning",
    };
    json!({
        "ruleId": id,
        "ruleIndex": ids.iter().position(|known| known == id),
        "level": level,
        "message": { "text": format!("{message}. Remedy: {remedy}") },
        "locations": [{ "physicalLocation": {
            "artifactLocation": { "uri": uri(file) },
            "region": {
                "startLine": place.line,
                "startColumn": place.column,
                "endColumn": place.column + place.length.max(1),
            },
        } }],
    })
}

/// A relative path is relative to where the command ran, which is where the repository begins.
fn uri(file: &Path) -> String {
    let parts: Vec<String> = file
        .components()
        .filter_map(|part| match part {
            Component::CurDir => None,
            Component::RootDir => Some(String::new()),
            other => Some(encoded(other.as_os_str().as_encoded_bytes())),
        })
        .collect();
    let path = parts.join("/");
    if file.is_absolute() { format!("file://{path}") } else { path }
}

/// Everything but RFC 3986's unreserved characters.
fn encoded(name: &[u8]) -> String {
    let encoded = name.iter().map(|byte| match byte {
        byte if byte.is_ascii_alphanumeric() || b"-._~".contains(byte) => {
            char::from(*byte).to_string()
        }
        byte => format!("%{byte:02X}"),
    });
    encoded.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_uris() {
        assert_eq!(uri(Path::new("./scenarios/a b.yaml")), "scenarios/a%20b.yaml");
        assert_eq!(uri(Path::new("/etc/監視.yaml")), "file:///etc/%E7%9B%A3%E8%A6%96.yaml");
        assert_eq!(uri(Path::new("../x.yaml")), "../x.yaml");
    }
}
