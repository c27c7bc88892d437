//! A directory of scenarios: the good ones load, the bad ones are reported.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::finding::{Finding, Findings};
use crate::scenario::file;
use crate::scenario::model::Scenario;
use crate::yaml::{MAX_FILE_BYTES, Place};

/// Scenario files in one directory tree.
const MAX_FILES: usize = 20_000;

/// A folder of this name holds customers, for tests and examples.
const CUSTOMERS: &str = "customers";

#[derive(Clone, Debug, Default)]
pub struct Catalog {
    pub scenarios: Vec<Arc<Scenario>>,
    pub findings: Vec<Finding>,
    /// Files looked at.
    pub files: usize,
}

#[derive(Debug, thiserror::Error)]
pub enum CatalogError {
    #[error("cannot read {}: {source}", path.display())]
    Unreadable { path: PathBuf, source: io::Error },
    #[error("{} holds more than {MAX_FILES} scenario files", path.display())]
    TooMany { path: PathBuf },
}

impl Catalog {
    /// Loads a file, or every `*.yaml` below a directory except tests (`*.test.yaml`).
    pub fn load(
        path: &Path,
        vars: Option<&BTreeMap<String, String>>,
    ) -> Result<Self, CatalogError> {
        let mut files = Vec::new();
        collect(path, &mut files)?;
        files.sort();
        let mut catalog = Self { files: files.len(), ..Self::default() };
        let mut ids: BTreeMap<String, PathBuf> = BTreeMap::new();
        for file in files {
            match read_file(&file, vars) {
                Ok(scenario) => catalog.add(scenario, &mut ids),
                Err(findings) => catalog.findings.extend(findings),
            }
        }
        Ok(catalog)
    }

    fn add(&mut self, scenario: Scenario, ids: &mut BTreeMap<String, PathBuf>) {
        if let Some(first) = ids.get(&scenario.id) {
            let mut findings = Findings::of(&scenario.file);
            findings.add(
                "duplicate-id",
                scenario.place,
                format!("the id '{}' is also used by {}", scenario.id, first.display()),
                "give this scenario an id of its own",
            );
            self.findings.extend(findings.into_sorted());
            return;
        }
        ids.insert(scenario.id.clone(), scenario.file.clone());
        self.scenarios.push(Arc::new(scenario));
    }

    pub fn by_id(&self, id: &str) -> Option<&Arc<Scenario>> {
        self.scenarios.iter().find(|scenario| scenario.id == id)
    }
}

fn collect(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), CatalogError> {
    let unreadable = |source| CatalogError::Unreadable { path: path.to_owned(), source };
    if !path.is_dir() {
        std::fs::metadata(path).map_err(unreadable)?;
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in std::fs::read_dir(path).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let kind = entry.file_type().map_err(unreadable)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with('.') {
            // Editors and version control keep files of their own.
            continue;
        }
        if kind.is_dir() && name == CUSTOMERS {
            continue;
        }
        if kind.is_dir() {
            collect(&entry.path(), files)?;
        } else if (kind.is_file() || kind.is_symlink()) && is_scenario_file(&name) {
            // Kubernetes mounts configuration as links. A link that leads nowhere is a finding;
            // links to directories are not followed, since they may lead round in circles.
            files.push(entry.path());
        }
        if files.len() > MAX_FILES {
            return Err(CatalogError::TooMany { path: path.to_owned() });
        }
    }
    Ok(())
}

/// Test files at `path`, or below it.
pub fn collect_tests(path: &Path, files: &mut Vec<PathBuf>) -> Result<(), CatalogError> {
    let unreadable = |source| CatalogError::Unreadable { path: path.to_owned(), source };
    if !path.is_dir() {
        std::fs::metadata(path).map_err(unreadable)?;
        files.push(path.to_owned());
        return Ok(());
    }
    for entry in std::fs::read_dir(path).map_err(unreadable)? {
        let entry = entry.map_err(unreadable)?;
        let name = entry.file_name().to_string_lossy().into_owned();
        let is_folder = entry.file_type().map_err(unreadable)?.is_dir();
        if is_folder && !name.starts_with('.') {
            collect_tests(&entry.path(), files)?;
        } else if name.ends_with(".test.yaml") && !name.starts_with('.') {
            files.push(entry.path());
        }
    }
    Ok(())
}

fn read_file(
    path: &Path,
    vars: Option<&BTreeMap<String, String>>,
) -> Result<Scenario, Vec<Finding>> {
    let start = Place { line: 1, column: 1 };
    let unreadable = |place: Place, reason: String, remedy: &str| {
        let mut findings = Findings::of(path);
        findings.add("unreadable-file", place, reason, remedy);
        findings.into_sorted()
    };
    let size = std::fs::metadata(path).map_or(0, |metadata| metadata.len());
    if size > MAX_FILE_BYTES as u64 {
        let reason = format!("the file has {size} bytes; the limit is {MAX_FILE_BYTES}");
        return Err(unreadable(start, reason, "a scenario is a short text; split it"));
    }
    let bytes = std::fs::read(path).map_err(|error| {
        let reason = format!("the file cannot be read: {error}");
        unreadable(start, reason, "look at the file, its rights and where it leads")
    })?;
    let content = String::from_utf8(bytes).map_err(|error| {
        let valid = error.utf8_error().valid_up_to();
        let place = end_of(&String::from_utf8_lossy(&error.as_bytes()[..valid]));
        let reason = "this character is not UTF-8".to_owned();
        unreadable(place, reason, "save the file as UTF-8 (it may be Shift_JIS now)")
    })?;
    file::read(path, &content, vars)
}

/// The place behind the last character.
fn end_of(text: &str) -> Place {
    let last = text.rsplit('\n').next().unwrap_or("");
    let lines = text.matches('\n').count() + 1;
    Place { line: lines as u64, column: last.chars().count() as u64 + 1 }
}

/// `NAME.yaml`; `NAME.test.yaml` beside it holds its tests.
fn is_scenario_file(name: &str) -> bool {
    let mut parts = name.rsplit('.');
    parts.next() == Some("yaml") && parts.next() != Some("test")
}
